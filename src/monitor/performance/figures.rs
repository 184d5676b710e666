//! All figures of one set of known outcomes, each with its interval and the rows it rests on.
//! Never a figure of too few rows: then it is there by name, with `n` and no value.

use crate::evaluate::calibration::ReliabilityBin;
use crate::evaluate::curves;
use crate::evaluate::intervals::auc_interval;
use crate::evaluate::ranked::{self, Confusion, Step};
use crate::evaluate::scores::Scores;
use crate::monitor::estimate::{Estimate, Mean, Share, Z_95};
use crate::monitor::performance::settings::PerformanceSettings;
use crate::monitor::performance::{Figure, calibration, recalibration};

/// Outcomes and what was foretold of them.
#[derive(Default)]
pub(super) struct Rows {
    bad: Vec<bool>,
    probabilities: Vec<f64>,
}

/// The figures, and the bins that the last of them is made of.
pub(super) struct Measured {
    pub(super) figures: Vec<Figure>,
    pub(super) bins: Vec<ReliabilityBin>,
}

impl Rows {
    pub(super) fn push(&mut self, bad: bool, probability: f64) {
        self.bad.push(bad);
        self.probabilities.push(probability);
    }

    pub(super) fn extend(&mut self, other: &Self) {
        self.bad.extend_from_slice(&other.bad);
        self.probabilities.extend_from_slice(&other.probabilities);
    }

    pub(super) fn known(&self) -> u64 {
        self.bad.len() as u64
    }

    /// The same outcomes as the dummy would have it that gives every case one probability.
    pub(super) fn foretold_by(&self, probability: f64) -> Self {
        Self { bad: self.bad.clone(), probabilities: vec![probability; self.bad.len()] }
    }

    pub(super) fn bad_share(&self) -> Share {
        let count = self.bad.iter().filter(|bad| **bad).count() as u64;
        Share { count, of: self.bad.len() as u64 }
    }

    pub(super) fn measure(&self, settings: &PerformanceSettings) -> Measured {
        let share = self.bad_share();
        let enough = share.of >= settings.min_known;
        let classes = enough && share.count.min(share.of - share.count) >= settings.min_class;
        // Shape and probabilities are checked: what it refuses here is one class alone.
        let scores = if classes { Scores::check(&self.bad, &self.probabilities).ok() } else { None };
        let steps = scores.as_ref().map(Scores::steps);
        let bins = steps.map_or_else(Vec::new, calibration::bins);
        let [log_loss, brier, bad_rate, mean] = if enough { self.means() } else { [None; 4] };
        let figure = |name: &str, estimate: Option<Estimate>| Figure::of(name, estimate, share.of);
        let [auc, gini] = ranks(steps, share.of);
        let figures = vec![
            auc,
            gini,
            figure("ks", scores.as_ref().and_then(ks)),
            figure("log_loss", log_loss),
            figure("brier", brier),
            figure("bad_rate", bad_rate),
            figure("mean_probability", mean),
            figure("calibration_slope", steps.and_then(recalibration::slope)),
            figure("calibration_intercept", steps.and_then(recalibration::intercept)),
            // No interval: drawn anew from the same rows it comes out higher than it is.
            Figure::without_interval("ece", calibration::error(&bins), share.of),
        ];
        Measured { figures, bins }
    }

    /// Log loss, Brier score, bad rate and mean probability.
    fn means(&self) -> [Option<Estimate>; 4] {
        let rows = || self.bad.iter().zip(&self.probabilities);
        let missed = |(bad, p): (&bool, &f64)| (f64::from(u8::from(*bad)) - p).powi(2);
        let positive = |mean: Mean| mean.estimate().map(|e| Estimate { low: e.low.max(0.0), ..e });
        let within = |mean: Mean| positive(mean).map(|e| Estimate { high: e.high.min(1.0), ..e });
        [
            positive(Mean::of(rows().map(|(bad, p)| ranked::row_loss(*bad, *p)))),
            within(Mean::of(rows().map(missed))),
            self.bad_share().estimate(Z_95),
            within(Mean::of(self.probabilities.iter().copied())),
        ]
    }
}

/// AUC and Gini. Without an interval where the classes do not overlap or nothing tells them apart: then nothing is known
/// of the spread.
fn ranks(steps: Option<&[Step]>, n: u64) -> [Figure; 2] {
    let auc = steps.map(ranked::auc);
    let interval = steps.and_then(auc_interval);
    [("auc", (|auc| auc) as fn(f64) -> f64), ("gini", |auc| 2.0 * auc - 1.0)].map(|(name, of)| match interval
    {
        Some((low, high)) => {
            Figure::of(name, auc.map(|auc| Estimate { value: of(auc), low: of(low), high: of(high) }), n)
        }
        None => Figure::without_interval(name, auc.map(of), n),
    })
}

/// The interval is that of the difference of shares where the gap is widest, which is exact for many rows
/// (Raghavachari 1973); of few, the widest of gaps is too wide itself.
fn ks(scores: &Scores<'_>) -> Option<Estimate> {
    let curve = curves::ks(scores);
    let at = Confusion::at(scores.steps(), curve.threshold);
    let flagged = |count, of| Share { count, of }.estimate(Z_95);
    let bad = flagged(at.true_positives, scores.positives())?;
    let good = flagged(at.false_positives, scores.negatives())?;
    let gap = if bad.value >= good.value { bad.less(&good) } else { good.less(&bad) };
    Some(Estimate { value: curve.ks, low: gap.low.max(0.0), high: gap.high.min(1.0) })
}
