//! Rows of one class left out or repeated before a family learns from them, and from them alone: what is validated,
//! calibrated and tested keeps its share of each class, so that probabilities are put right again by calibration.

use serde::{Deserialize, Serialize};

use crate::base::rng::Random;

/// What is done to the training rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    #[default]
    None,
    /// Rows of the larger class are left out until it has at most so many for each row of the smaller.
    Under(f64),
    /// Rows of the smaller class are repeated until the larger has at most so many for each of them.
    Over(f64),
}

impl Sampling {
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// The places of the rows to learn from, in order; nothing where all are, once each.
    pub fn draw(&self, labels: &[bool], seed: u64) -> Option<Vec<usize>> {
        let ratio = match self {
            Self::None => return None,
            Self::Under(ratio) | Self::Over(ratio) => *ratio,
        };
        let of = |class: bool| (0..labels.len()).filter(|&row| labels[row] == class).collect::<Vec<_>>();
        let (positive, negative) = (of(true), of(false));
        let (mut few, mut many) =
            if positive.len() <= negative.len() { (positive, negative) } else { (negative, positive) };
        if few.is_empty() || many.len() as f64 <= ratio * few.len() as f64 {
            return None;
        }
        let mut random = Random::new(seed, "train.sampling");
        match self {
            Self::Over(_) => {
                let wanted = (many.len() as f64 / ratio).round() as usize;
                let whole = few.clone();
                // Whole rounds first, so that no row counts more than once more than another.
                while few.len() + whole.len() <= wanted {
                    few.extend_from_slice(&whole);
                }
                let mut rest = whole;
                random.shuffle(&mut rest);
                few.extend(rest.into_iter().take(wanted.saturating_sub(few.len())));
            }
            Self::Under(_) | Self::None => {
                random.shuffle(&mut many);
                many.truncate((ratio * few.len() as f64).round().max(1.0) as usize);
            }
        }
        few.extend(many);
        few.sort_unstable();
        Some(few)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(drawn: &[usize]) -> (usize, usize) {
        let positive = drawn.iter().filter(|&&row| row % 10 == 0).count();
        (positive, drawn.len() - positive)
    }

    #[test]
    fn the_larger_class_is_cut_or_the_smaller_repeated_to_the_ratio() {
        let labels: Vec<bool> = (0..1_000).map(|row| row % 10 == 0).collect();
        let under = Sampling::Under(2.0).draw(&labels, 1).unwrap();
        assert_eq!(classes(&under), (100, 200));
        assert!(under.windows(2).all(|pair| pair[0] < pair[1]));
        let over = Sampling::Over(2.0).draw(&labels, 1).unwrap();
        assert_eq!(classes(&over), (450, 900));
        let times = |row: usize| over.iter().filter(|&&own| own == row).count();
        assert!((0..100).all(|at| (4..=5).contains(&times(10 * at))));
        assert_eq!(Sampling::Over(2.0).draw(&labels, 1), Some(over));
        assert_ne!(Sampling::Under(2.0).draw(&labels, 2), Some(under));
    }

    #[test]
    fn what_is_balanced_enough_stays_as_it_is() {
        let labels: Vec<bool> = (0..100).map(|row| row % 2 == 0).collect();
        assert_eq!(Sampling::None.draw(&labels, 1), None);
        assert_eq!(Sampling::Under(1.0).draw(&labels, 1), None);
        assert_eq!(Sampling::Over(3.0).draw(&labels, 1), None);
        assert_eq!(Sampling::Under(1.0).draw(&[false; 4], 1), None);
    }
}
