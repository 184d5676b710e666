//! What was foretold against what came, over bins of about equal count.
//! Never parts cases of one probability: which of them comes first is no finding.

use crate::evaluate::calibration::{RELIABILITY_BINS, ReliabilityBin};
use crate::evaluate::ranked::{Step, split_evenly};
use crate::monitor::estimate::{Share, Z_95};

/// From the lowest probabilities up. Where no two are equal these are the bins of `evaluate`'s reliability curve; of equal
/// ones all are in the bin that meets them first.
pub(super) fn bins(steps: &[Step]) -> Vec<ReliabilityBin> {
    let rows = |step: &Step| u64::from(step.positives) + u64::from(step.negatives);
    let all: u64 = steps.iter().map(rows).sum();
    let mut rising = steps.iter().rev().peekable();
    let mut taken = 0;
    let mut bins = Vec::new();
    for part in split_evenly(all, RELIABILITY_BINS) {
        let mut within = Vec::new();
        while taken < part.end
            && let Some(step) = rising.next()
        {
            taken += rows(step);
            within.push(*step);
        }
        bins.extend(bin(&within));
    }
    bins
}

fn bin(rising: &[Step]) -> Option<ReliabilityBin> {
    let (first, last) = (rising.first()?, rising.last()?);
    let (mut share, mut sum) = (Share::default(), 0.0);
    for step in rising {
        let rows = u64::from(step.positives) + u64::from(step.negatives);
        share = Share { count: share.count + u64::from(step.positives), of: share.of + rows };
        sum += step.probability * rows as f64;
    }
    let rate = share.estimate(Z_95)?;
    Some(ReliabilityBin {
        rows: share.of,
        positives: share.count,
        probability_min: first.probability,
        probability_max: last.probability,
        probability_mean: sum / share.of as f64,
        positive_rate: rate.value,
        rate_low: rate.low,
        rate_high: rate.high,
    })
}

/// Expected calibration error: the mean over cases of |foretold - came| of their bin.
pub(super) fn error(bins: &[ReliabilityBin]) -> Option<f64> {
    let rows: u64 = bins.iter().map(|bin| bin.rows).sum();
    let missed = |bin: &ReliabilityBin| bin.rows as f64 * (bin.probability_mean - bin.positive_rate).abs();
    let missed: f64 = bins.iter().map(missed).sum();
    (rows > 0).then(|| missed / rows as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;
    use crate::evaluate::calibration::reliability;
    use crate::evaluate::scores::Scores;

    #[test]
    fn without_equal_probabilities_the_bins_are_those_training_draws() {
        let mut random = Random::new(4, "calibration");
        let probabilities: Vec<f64> = (0..1_003).map(|_| random.unit()).collect();
        let labels: Vec<bool> = probabilities.iter().map(|p| random.unit() < *p).collect();
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let (found, wanted) = (bins(scores.steps()), reliability(&scores));
        assert!((error(&found).unwrap() - wanted.ece).abs() < 1e-12);
        for (one, other) in found.iter().zip(&wanted.bins) {
            assert_eq!((one.rows, one.positives), (other.rows, other.positives));
            assert!((one.rate_low - other.rate_low).abs() < 1e-12, "{one:?} {other:?}");
        }
        assert_eq!(found.len(), wanted.bins.len());
    }

    #[test]
    fn cases_of_one_probability_share_a_bin() {
        let steps = [(0.6, 3, 1), (0.2, 100, 400), (0.1, 0, 20)]
            .map(|(probability, positives, negatives)| Step { probability, positives, negatives });
        let found = bins(&steps);
        assert_eq!(found.iter().map(|bin| bin.rows).collect::<Vec<_>>(), [520, 4]);
        let one = bins(&steps[1..2]);
        assert_eq!((one.len(), error(&one)), (1, Some(0.0)));
        assert!(bins(&[]).is_empty() && error(&[]).is_none());
    }
}
