//! How good the release in force turned out to be by its own decisions alone, held against what its training measured.
//! Never counts a decision of another release, nor one of a day whose outcomes are still coming; and never calls a
//! release worse on what chance may explain of a cohort that is looked at anew every day.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::monitor::estimate::{Estimate, Share, Z_95};
use crate::monitor::performance::figures::Rows;
use crate::monitor::performance::judge::find;
use crate::monitor::performance::month::DAY_MS;
use crate::monitor::performance::settings::PerformanceSettings;
use crate::monitor::performance::vintages::in_order;
use crate::monitor::performance::{Figure, Known, PerformanceError};
use crate::monitor::trend::names;
use crate::monitor::verdict::Verdict;

/// How far the ends reach by which a release is judged: 99.9 % on both sides. A release is looked at every day that it is
/// in force, and one look of many is far off by being one of many; the tests play whole lives and count.
pub const Z_SURE: f64 = 3.290_526_731_491_9;

/// The decisions of one release, and what is known of them.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    pub known: &'a [Known],
    /// How many it decided on each day since 1970, known or not.
    pub decided: &'a BTreeMap<u64, u64>,
    pub now_ms: i64,
}

/// What training measured on its test part: rows that the release has never seen, as those it decided are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestPart {
    /// AUC, log loss and Brier score, as far as they are known.
    pub figures: Vec<Figure>,
}

/// The release in force by its own outcomes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleasePerformance {
    /// When it last took force.
    pub since_ms: i64,
    pub decided: u64,
    pub known: u64,
    /// Known outcomes of the days that have matured: what the figures are of.
    pub matured: u64,
    /// Below so many nothing is said.
    pub needed: u64,
    /// With 95 % intervals.
    pub figures: Vec<Figure>,
    /// The same of its test part.
    pub reference: Vec<Figure>,
    /// How far the AUC lies below that of the test part, and how many bad ones came for each that was foretold: with the
    /// wider intervals by which a release is judged.
    pub judged: Vec<Figure>,
    /// The release that would come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ReleaseBefore>,
    pub verdict: Verdict,
}

/// The release before, by its own outcomes: going back is no help where it is as far from what it promised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseBefore {
    pub version: u64,
    pub matured: u64,
    pub auc: Figure,
    pub verdict: Verdict,
}

impl ReleasePerformance {
    /// As the release that would come back is told beside the one in force.
    pub fn as_before(&self, version: u64) -> ReleaseBefore {
        let auc = self.figures.iter().find(|figure| figure.name == names::AUC).cloned();
        let auc = auc.unwrap_or_else(|| Figure::without_interval(names::AUC, None, self.matured));
        ReleaseBefore { version, matured: self.matured, auc, verdict: self.verdict }
    }

    /// Whether there is a release to go back to that is not as surely worse than it promised.
    pub fn is_helped_by_going_back(&self) -> bool {
        self.before.as_ref().is_none_or(|before| before.verdict != Verdict::Shifted)
    }
}

/// Of a release that took force at `since_ms`.
pub fn measure_release(
    own: &Own<'_>,
    since_ms: i64,
    test: &TestPart,
    settings: &PerformanceSettings,
) -> Result<ReleasePerformance, PerformanceError> {
    let mut known_of: BTreeMap<u64, u64> = BTreeMap::new();
    let sorted = in_order(own.known)?;
    for (_, known) in &sorted {
        *known_of.entry(day_of(known)).or_default() += 1;
    }
    let is_ripe = |day: u64| {
        let decided = own.decided.get(&day).copied().unwrap_or_default();
        let known = known_of.get(&day).copied().unwrap_or_default();
        has_matured(day, known as f64 >= settings.maturity_share * decided as f64, own.now_ms, settings)
    };
    let ripe: BTreeMap<u64, bool> = known_of.keys().map(|day| (*day, is_ripe(*day))).collect();
    let mut rows = Rows::default();
    for (_, known) in sorted.iter().filter(|(_, known)| ripe.get(&day_of(known)).copied().unwrap_or(false)) {
        rows.push(known.bad, known.probability);
    }
    let figures = rows.measure(settings).figures;
    let judged = vec![drop_of(&figures, test, rows.known()), came_of(&rows, &figures)];
    Ok(ReleasePerformance {
        since_ms,
        decided: own.decided.values().sum(),
        known: own.known.len() as u64,
        matured: rows.known(),
        needed: settings.min_known,
        verdict: judge(&judged, &figures, settings),
        figures,
        reference: test.figures.clone(),
        judged,
        before: None,
    })
}

fn day_of(known: &Known) -> u64 {
    u64::try_from(known.decided_ms.div_euclid(DAY_MS)).unwrap_or_default()
}

/// Once the day is over: when the wait is, or when nearly all is known without it. A month is too long to wait for here.
fn has_matured(day: u64, nearly_all: bool, now_ms: i64, settings: &PerformanceSettings) -> bool {
    let after = |days: u64| i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(DAY_MS);
    let end_ms = after(day.saturating_add(1));
    now_ms >= end_ms && (nearly_all || now_ms >= end_ms.saturating_add(after(settings.maturity_days)))
}

/// Measured on different rows, so the distances add up as squares do; each is reckoned on log-odds, as DeLong's is.
fn drop_of(figures: &[Figure], test: &TestPart, n: u64) -> Figure {
    let drop = find(&test.figures, names::AUC).zip(find(figures, names::AUC));
    let drop = drop.map(|(then, now)| surely(&then).less(&surely(&now)));
    Figure::of(names::AUC_DROP, drop, n)
}

/// An interval of a share at 95 %, as far as `Z_SURE` reaches. Where nothing is known of the spread it stays as it is.
fn surely(found: &Estimate) -> Estimate {
    let log_odds = |share: f64| (share / (1.0 - share)).ln();
    let stretch = |end: f64| {
        let all = [found.value, end].into_iter().all(|share| share > 0.0 && share < 1.0);
        let reach = (log_odds(end) - log_odds(found.value)) * Z_SURE / Z_95;
        if all { 1.0 / (1.0 + (-(log_odds(found.value) + reach)).exp()) } else { end }
    };
    Estimate { value: found.value, low: stretch(found.low), high: stretch(found.high) }
}

/// What came of these very cases might have come otherwise; what was foretold of them is known without doubt.
fn came_of(rows: &Rows, figures: &[Figure]) -> Figure {
    let n = rows.known();
    let share: Option<Share> = find(figures, names::BAD_RATE).map(|_| rows.bad_share());
    let mean = find(figures, names::MEAN_PROBABILITY).map(|mean| mean.value).filter(|mean| *mean > 0.0);
    let came = share.and_then(|share| share.estimate(Z_SURE)).zip(mean);
    let ratio = came.map(|(came, mean)| Estimate {
        value: came.value / mean,
        low: came.low / mean,
        high: came.high / mean,
    });
    Figure::of(names::OBSERVED_OVER_EXPECTED, ratio, n)
}

/// Shifted where all of the wide interval lies beyond the limit; to be watched where the figure does, and chance at one
/// look alone does not explain it.
fn judge(judged: &[Figure], figures: &[Figure], settings: &PerformanceSettings) -> Verdict {
    let Some(drop) = find(judged, names::AUC_DROP) else { return Verdict::Insufficient };
    let told_apart = beyond(&drop, settings.auc_drop);
    let (Some(came), Some(mean)) = (find(figures, names::BAD_RATE), find(figures, names::MEAN_PROBABILITY))
    else {
        return told_apart;
    };
    // In the units of the ratio: the same gap that a month is judged by.
    let gap = settings.calibration_gap * came.value.min(1.0 - came.value) / mean.value.max(f64::MIN_POSITIVE);
    let foretold = find(judged, names::OBSERVED_OVER_EXPECTED).map_or(Verdict::Insufficient, |ratio| {
        let (more, fewer) = (ratio.less(&Estimate::exact(1.0)), Estimate::exact(1.0).less(&ratio));
        beyond(&more, gap).max(beyond(&fewer, gap))
    });
    told_apart.max(foretold)
}

fn beyond(lapse: &Estimate, limit: f64) -> Verdict {
    // The end of the usual interval, out of the wide one.
    let usual = lapse.value - (lapse.value - lapse.low) * Z_95 / Z_SURE;
    match (lapse.low > limit, usual > 0.0 && lapse.value > limit) {
        (true, _) => Verdict::Shifted,
        (false, true) => Verdict::Watch,
        (false, false) => Verdict::Stable,
    }
}
