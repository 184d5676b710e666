//! Isotonic calibration by pooling neighbours that fall: what the rates would be if only their order were assumed.
//! For reports alone: it has steps, so rows that differ would be decided alike, and it never calibrates a model.

use serde::{Deserialize, Serialize};

use crate::evaluate::scores::Scores;

/// Neighbouring probabilities that share one rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsotonicBlock {
    pub probability_min: f64,
    pub probability_max: f64,
    pub rows: u64,
    pub positives: u64,
    pub rate: f64,
}

/// Blocks by rising probability, their rates strictly rising.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Isotonic {
    pub blocks: Vec<IsotonicBlock>,
    /// The mean over rows of |promised - the block's rate|. It is fitted to these very rows, so part of it is chance.
    pub missed: f64,
}

/// The rising steps of least squared error.
pub fn isotonic(scores: &Scores<'_>) -> Isotonic {
    let mut blocks: Vec<IsotonicBlock> = Vec::new();
    for step in scores.steps().iter().rev() {
        let rows = u64::from(step.positives) + u64::from(step.negatives);
        let mut block = IsotonicBlock {
            probability_min: step.probability,
            probability_max: step.probability,
            rows,
            positives: u64::from(step.positives),
            rate: 0.0,
        };
        // Whole numbers: equal rates are pooled exactly.
        while let Some(before) = blocks.pop_if(|b| b.positives * block.rows >= block.positives * b.rows) {
            block.probability_min = before.probability_min;
            block.rows += before.rows;
            block.positives += before.positives;
        }
        blocks.push(block);
    }
    blocks.iter_mut().for_each(|block| block.rate = block.positives as f64 / block.rows as f64);
    let missed = missed(scores, &blocks);
    Isotonic { blocks, missed }
}

fn missed(scores: &Scores<'_>, blocks: &[IsotonicBlock]) -> f64 {
    let mut sum = 0.0;
    let mut blocks = blocks.iter().rev().peekable();
    for step in scores.steps() {
        while blocks.next_if(|block| step.probability < block.probability_min).is_some() {}
        let rows = f64::from(step.positives) + f64::from(step.negatives);
        sum += blocks.peek().map_or(0.0, |block| rows * (step.probability - block.rate).abs());
    }
    sum / scores.rows() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &[bool], probabilities: &[f64]) -> Isotonic {
        isotonic(&Scores::check(labels, probabilities).unwrap())
    }

    #[test]
    fn neighbours_that_fall_are_pooled_and_others_are_not() {
        let found = of(&[false, true, false, true, true], &[0.1, 0.2, 0.3, 0.8, 0.9]);
        let blocks: Vec<_> =
            found.blocks.iter().map(|b| (b.probability_min, b.probability_max, b.rate)).collect();
        assert_eq!(blocks, [(0.1, 0.1, 0.0), (0.2, 0.3, 0.5), (0.8, 0.9, 1.0)]);
        assert!((found.missed - (0.1 + 0.3 + 0.2 + 0.2 + 0.1) / 5.0).abs() < 1e-12);
    }

    #[test]
    fn a_model_that_ranks_the_wrong_way_round_is_one_block_of_the_base_rate() {
        let found = of(&[true, true, false, false], &[0.1, 0.2, 0.8, 0.9]);
        assert_eq!((found.blocks.len(), found.blocks[0].rate), (1, 0.5));
    }
}
