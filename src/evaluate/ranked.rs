//! Figures over rows grouped by probability: a bootstrap draws new counts into the same steps and never sorts again.
//! Never holds an infinite or undefined value; what scikit-learn leaves undefined and calls 0 is 0 here.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// The rows of one probability. Lists of steps run from the highest probability down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    pub probability: f64,
    pub positives: u32,
    pub negatives: u32,
}

/// Counts of right and wrong answers where a probability at or above the threshold is predicted positive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confusion {
    pub true_positives: u64,
    pub false_positives: u64,
    pub true_negatives: u64,
    pub false_negatives: u64,
}

impl Confusion {
    pub fn at(steps: &[Step], threshold: f64) -> Self {
        let mut counts = Self::default();
        for step in steps {
            if step.probability >= threshold {
                counts.true_positives += u64::from(step.positives);
                counts.false_positives += u64::from(step.negatives);
            } else {
                counts.false_negatives += u64::from(step.positives);
                counts.true_negatives += u64::from(step.negatives);
            }
        }
        counts
    }

    pub fn rows(&self) -> u64 {
        self.true_positives + self.false_positives + self.true_negatives + self.false_negatives
    }

    pub fn flagged(&self) -> u64 {
        self.true_positives + self.false_positives
    }

    pub fn accuracy(&self) -> f64 {
        ratio(self.true_positives + self.true_negatives, self.rows())
    }

    pub fn precision(&self) -> f64 {
        ratio(self.true_positives, self.flagged())
    }

    pub fn recall(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_negatives)
    }

    pub fn specificity(&self) -> f64 {
        ratio(self.true_negatives, self.true_negatives + self.false_positives)
    }

    /// The mean of recall and specificity.
    pub fn balanced_accuracy(&self) -> f64 {
        (self.recall() + self.specificity()) / 2.0
    }

    /// Recall counts `beta` times as much as precision.
    pub fn f_beta(&self, beta: f64) -> f64 {
        let weight = beta * beta;
        let hits = (1.0 + weight) * self.true_positives as f64;
        let all = hits + self.false_positives as f64 + weight * self.false_negatives as f64;
        if hits == 0.0 { 0.0 } else { hits / all }
    }

    /// Matthews' correlation.
    pub fn mcc(&self) -> f64 {
        let [tp, fp, tn, fn_] =
            [self.true_positives, self.false_positives, self.true_negatives, self.false_negatives]
                .map(|count| count as f64);
        let spread = ((tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_)).sqrt();
        if spread == 0.0 { 0.0 } else { (tp * tn - fp * fn_) / spread }
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Positives and negatives in all.
pub fn totals(steps: &[Step]) -> (u64, u64) {
    steps.iter().fold((0, 0), |(p, n), step| (p + u64::from(step.positives), n + u64::from(step.negatives)))
}

/// The chance that a positive scores above a negative; a tie counts half.
pub fn auc(steps: &[Step]) -> f64 {
    let (mut positives, mut negatives, mut twice_won) = (0u64, 0u64, 0u64);
    for step in steps {
        let (here, against) = (u64::from(step.positives), u64::from(step.negatives));
        twice_won += against * (2 * positives + here);
        positives += here;
        negatives += against;
    }
    twice_won as f64 / (2.0 * positives as f64 * negatives as f64)
}

/// The variance of the AUC by DeLong, DeLong and Clarke-Pearson; nothing where a class has fewer than two rows.
pub fn auc_variance(steps: &[Step]) -> Option<f64> {
    let (positives, negatives) = totals(steps);
    if positives < 2 || negatives < 2 {
        return None;
    }
    let (m, n) = (positives as f64, negatives as f64);
    let auc = auc(steps);
    let (mut above, mut below) = (0.0, n);
    let (mut of_positives, mut of_negatives) = (0.0, 0.0);
    for step in steps {
        let (here, against) = (f64::from(step.positives), f64::from(step.negatives));
        below -= against;
        // The share of the other class that each row of this step beats, or is beaten by.
        of_positives += here * ((below + against / 2.0) / n - auc).powi(2);
        of_negatives += against * ((above + here / 2.0) / m - auc).powi(2);
        above += here;
    }
    Some(of_positives / (m - 1.0) / m + of_negatives / (n - 1.0) / n)
}

/// Precision averaged over the steps of recall, not interpolated: scikit-learn's `average_precision_score`.
pub fn average_precision(steps: &[Step]) -> f64 {
    let (mut positives, mut flagged, mut sum) = (0u64, 0u64, 0.0);
    for step in steps.iter().filter(|step| step.positives + step.negatives > 0) {
        positives += u64::from(step.positives);
        flagged += u64::from(step.positives) + u64::from(step.negatives);
        sum += f64::from(step.positives) * positives as f64 / flagged as f64;
    }
    sum / positives as f64
}

/// The widest gap between the classes' cumulative shares (Kolmogorov and Smirnov, two-sided).
pub fn ks(steps: &[Step]) -> f64 {
    let (positives, negatives) = totals(steps);
    let (mut tp, mut fp, mut widest) = (0u64, 0u64, 0u64);
    for step in steps {
        tp += u64::from(step.positives);
        fp += u64::from(step.negatives);
        widest = widest.max((tp * negatives).abs_diff(fp * positives));
    }
    widest as f64 / (positives as f64 * negatives as f64)
}

/// What a row of a step costs in log loss, by class. Clipped by the machine epsilon, as scikit-learn does since 1.3.
#[derive(Clone, Copy, Debug)]
pub struct StepLoss {
    positive: f64,
    negative: f64,
}

impl StepLoss {
    pub fn of(step: &Step) -> Self {
        Self { positive: row_loss(true, step.probability), negative: row_loss(false, step.probability) }
    }
}

/// What one row costs in log loss, clipped alike.
pub fn row_loss(label: bool, probability: f64) -> f64 {
    let right = if label { probability } else { 1.0 - probability };
    -right.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
}

/// Mean log loss; `losses` are the steps' own, computed once however often the counts change.
pub fn log_loss(steps: &[Step], losses: &[StepLoss]) -> f64 {
    mean_over_rows(steps.iter().zip(losses).map(|(step, loss)| (step, loss.positive, loss.negative)))
}

pub fn brier(steps: &[Step]) -> f64 {
    mean_over_rows(steps.iter().map(|step| {
        let p = step.probability;
        (step, (1.0 - p) * (1.0 - p), p * p)
    }))
}

fn mean_over_rows<'a>(parts: impl Iterator<Item = (&'a Step, f64, f64)>) -> f64 {
    let (mut sum, mut rows) = (0.0, 0u64);
    for (step, positive, negative) in parts {
        sum += f64::from(step.positives) * positive + f64::from(step.negatives) * negative;
        rows += u64::from(step.positives) + u64::from(step.negatives);
    }
    sum / rows as f64
}

/// Positives among the `ranks` highest rows, for each of the rising `ranks`. Rows of one probability
/// have no order among them: a rank inside such a step takes its positives in proportion.
pub fn captured(steps: &[Step], ranks: &[u64]) -> Vec<f64> {
    let mut steps = steps.iter().peekable();
    let (mut positives, mut rows) = (0u64, 0u64);
    let mut found = Vec::with_capacity(ranks.len());
    for &rank in ranks {
        while let Some(step) = steps.next_if(|step| rows + size(step) <= rank) {
            positives += u64::from(step.positives);
            rows += size(step);
        }
        let inside = rank.saturating_sub(rows);
        let share = steps
            .peek()
            .map_or(0.0, |step| u64::from(step.positives) as f64 * inside as f64 / size(step) as f64);
        found.push(positives as f64 + share);
    }
    found
}

fn size(step: &Step) -> u64 {
    u64::from(step.positives) + u64::from(step.negatives)
}

/// Ranges that split `rows` as evenly as can be, the longer ones first; none is empty.
pub fn split_evenly(rows: u64, parts: u64) -> Vec<Range<u64>> {
    let parts = parts.min(rows);
    let mut start = 0;
    (0..parts)
        .map(|part| {
            let end = start + rows / parts + u64::from(part < rows % parts);
            let range = start..end;
            start = end;
            range
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(probability: f64, positives: u32, negatives: u32) -> Step {
        Step { probability, positives, negatives }
    }

    #[test]
    fn a_tie_is_half_a_win() {
        assert_eq!(auc(&[step(0.5, 3, 7)]), 0.5);
        assert_eq!(auc(&[step(0.9, 1, 0), step(0.5, 1, 1), step(0.1, 0, 1)]), 0.875);
    }

    #[test]
    fn an_empty_step_changes_nothing() {
        let steps = [step(0.9, 2, 1), step(0.4, 1, 3)];
        let padded = [step(1.0, 0, 0), step(0.9, 2, 1), step(0.7, 0, 0), step(0.4, 1, 3), step(0.0, 0, 0)];
        assert_eq!(auc(&steps), auc(&padded));
        assert_eq!(average_precision(&steps), average_precision(&padded));
        assert_eq!(ks(&steps), ks(&padded));
        assert_eq!(brier(&steps), brier(&padded));
    }

    #[test]
    fn a_rank_inside_a_tie_takes_its_share_of_positives() {
        let steps = [step(0.9, 1, 0), step(0.5, 2, 6), step(0.1, 1, 0)];
        assert_eq!(captured(&steps, &[0, 1, 5, 9, 10]), [0.0, 1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn what_is_undefined_is_zero_as_in_scikit_learn() {
        let none = Confusion::at(&[step(0.5, 2, 2)], 0.6);
        assert_eq!([none.precision(), none.f_beta(1.0), none.mcc()], [0.0; 3]);
        assert_eq!(none.accuracy(), 0.5);
    }

    #[test]
    fn an_even_split_puts_the_longer_parts_first_and_has_no_empty_one() {
        assert_eq!(split_evenly(10, 4), [0..3, 3..6, 6..8, 8..10]);
        assert_eq!(split_evenly(2, 15), [0..1, 1..2]);
    }
}
