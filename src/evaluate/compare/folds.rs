//! Candidates on the same folds: means, paired differences against the best, ranks, and the simplest of those that are
//! as good. Never sees rows; a fold is one number a candidate.

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};

/// What one candidate reached on each fold, in the order of folds.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub name: String,
    /// Simpler ones have less; only the order counts.
    pub complexity: u32,
    pub values: Vec<f64>,
}

#[derive(Debug, thiserror::Error)]
pub enum FoldsError {
    #[error("there are no candidates to compare")]
    Empty,
    #[error("candidate {name:?} has {found} folds where the first has {expected}")]
    Uneven { name: String, found: usize, expected: usize },
    #[error("{folds} folds: a spread needs 2 at least")]
    TooFew { folds: usize },
    #[error("candidate {name:?}, fold {fold}: {value} is no finite number")]
    NotFinite { name: String, fold: usize, value: f64 },
    #[error("two candidates are called {name:?}")]
    Twice { name: String },
}

impl Fact for FoldsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "evaluate.folds_empty",
            Self::Uneven { .. } => "evaluate.folds_uneven",
            Self::TooFew { .. } => "evaluate.folds_too_few",
            Self::NotFinite { .. } => "evaluate.folds_not_finite",
            Self::Twice { .. } => "evaluate.folds_twice",
        }
    }

    fn class(&self) -> Class {
        Class::Failed
    }
}

/// One candidate beside the best.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    pub name: String,
    pub complexity: u32,
    pub mean: f64,
    /// Of the folds, with one degree of freedom taken.
    pub sd: f64,
    /// The mean over folds of its rank among the candidates, 1 the best; equal values share theirs.
    pub mean_rank: f64,
    /// How much worse than the best, fold by fold: the mean, and its standard error. Both 0 for the best itself.
    pub behind: f64,
    pub behind_error: f64,
    /// Folds on which it is better than the best of all.
    pub folds_won: usize,
    /// Not further behind than one standard error.
    pub within: bool,
}

/// All candidates, the best mean first; equal ones in the order they came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldSummary {
    pub folds: usize,
    pub more_is_better: bool,
    pub candidates: Vec<Placed>,
    pub best: String,
    /// The simplest within one standard error of the best; of equally simple ones the better.
    pub pick: String,
}

/// Standard errors of differences on shared folds are too small, as the folds' training rows overlap; they order
/// candidates and prove nothing.
pub fn summarise(candidates: &[Candidate], more_is_better: bool) -> Result<FoldSummary, FoldsError> {
    let folds = check(candidates)?;
    let better = |one: f64, other: f64| if more_is_better { one > other } else { one < other };
    let mut best = candidates.first().ok_or(FoldsError::Empty)?;
    for candidate in candidates {
        if better(mean(&candidate.values), mean(&best.values)) {
            best = candidate;
        }
    }
    let place = |candidate: &Candidate| {
        let behind: Vec<f64> = differences(best, candidate, more_is_better);
        let (behind_mean, behind_error) = (mean(&behind), sd(&behind) / (folds as f64).sqrt());
        Placed {
            name: candidate.name.clone(),
            complexity: candidate.complexity,
            mean: mean(&candidate.values),
            sd: sd(&candidate.values),
            mean_rank: mean_rank(candidates, candidate, better),
            // Never a zero below zero.
            behind: behind_mean + 0.0,
            behind_error,
            folds_won: behind.iter().filter(|by| **by < 0.0).count(),
            within: behind_mean <= behind_error,
        }
    };
    let mut placed: Vec<Placed> = candidates.iter().map(place).collect();
    placed.sort_by(|a, b| a.behind.total_cmp(&b.behind));
    let within = placed.iter().filter(|p| p.within);
    // The first of equal complexities is the better one.
    let pick = within.min_by_key(|p| p.complexity).map_or(best.name.clone(), |p| p.name.clone());
    Ok(FoldSummary { folds, more_is_better, best: best.name.clone(), pick, candidates: placed })
}

fn check(candidates: &[Candidate]) -> Result<usize, FoldsError> {
    let expected = candidates.first().ok_or(FoldsError::Empty)?.values.len();
    if expected < 2 {
        return Err(FoldsError::TooFew { folds: expected });
    }
    for (place, candidate) in candidates.iter().enumerate() {
        let name = || candidate.name.clone();
        if candidate.values.len() != expected {
            return Err(FoldsError::Uneven { name: name(), found: candidate.values.len(), expected });
        }
        if let Some(fold) = candidate.values.iter().position(|value| !value.is_finite()) {
            return Err(FoldsError::NotFinite { name: name(), fold, value: candidate.values[fold] });
        }
        if candidates[..place].iter().any(|other| other.name == candidate.name) {
            return Err(FoldsError::Twice { name: name() });
        }
    }
    Ok(expected)
}

fn differences(best: &Candidate, candidate: &Candidate, more_is_better: bool) -> Vec<f64> {
    let sign = if more_is_better { 1.0 } else { -1.0 };
    best.values.iter().zip(&candidate.values).map(|(best, value)| sign * (best - value)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn sd(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

fn mean_rank(candidates: &[Candidate], of: &Candidate, better: impl Fn(f64, f64) -> bool) -> f64 {
    let rank = |(fold, &value): (usize, &f64)| {
        let others = || candidates.iter().filter_map(|other| other.values.get(fold));
        let ahead = others().filter(|other| better(**other, value)).count() as f64;
        let equal = others().filter(|other| **other == value).count() as f64;
        ahead + (equal + 1.0) / 2.0
    };
    mean(&of.values.iter().enumerate().map(rank).collect::<Vec<f64>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, complexity: u32, values: &[f64]) -> Candidate {
        Candidate { name: name.into(), complexity, values: values.to_vec() }
    }

    fn three() -> [Candidate; 3] {
        [
            candidate("card", 1, &[0.80, 0.75, 0.85, 0.70]),
            candidate("trees", 3, &[0.81, 0.74, 0.87, 0.71]),
            candidate("net", 4, &[0.70, 0.65, 0.75, 0.60]),
        ]
    }

    #[test]
    fn differences_are_paired_and_their_error_is_that_of_the_pairs() {
        let found = summarise(&three(), true).unwrap();
        assert_eq!((found.best.as_str(), found.folds), ("trees", 4));
        let card = &found.candidates[1];
        // Behind by .01, -.01, .02, .01: mean .0075, sd .0125831, error .00629153 (numpy).
        assert!((card.behind - 0.0075).abs() < 1e-12 && (card.behind_error - 0.006_291_528_7).abs() < 1e-9);
        assert_eq!((card.folds_won, card.within), (1, false));
        assert!((card.sd - 0.064_549_722_4).abs() < 1e-9, "{}", card.sd);
        assert_eq!(found.candidates.iter().map(|c| c.mean_rank).collect::<Vec<_>>(), [1.25, 1.75, 3.0]);
        assert_eq!(found.pick, "trees");
    }

    #[test]
    fn the_simplest_within_one_standard_error_is_picked() {
        let mut list = three();
        list[0].values = vec![0.80, 0.76, 0.84, 0.72];
        let found = summarise(&list, true).unwrap();
        assert_eq!((found.best.as_str(), found.pick.as_str()), ("trees", "card"));
        list[2].values = list[1].values.clone();
        list[2].complexity = 1;
        // As simple as the card and better than it.
        assert_eq!(summarise(&list, true).unwrap().pick, "net");
    }

    #[test]
    fn where_less_is_better_the_order_turns_round() {
        let found = summarise(&three(), false).unwrap();
        let names: Vec<&str> = found.candidates.iter().map(|c| c.name.as_str()).collect();
        assert_eq!((names, found.best.as_str()), (vec!["net", "card", "trees"], "net"));
        assert!(found.candidates.iter().all(|c| c.behind >= 0.0));
    }

    #[test]
    fn equal_candidates_share_ranks_and_the_simplest_is_picked() {
        let list = [candidate("b", 2, &[0.5, 0.6]), candidate("a", 1, &[0.5, 0.6])];
        let found = summarise(&list, true).unwrap();
        assert_eq!((found.best.as_str(), found.pick.as_str()), ("b", "a"));
        assert!(found.candidates.iter().all(|c| c.mean_rank == 1.5 && c.behind_error == 0.0));
        assert_eq!(summarise(&list[..1], true).unwrap().pick, "b");
    }

    #[test]
    fn folds_that_cannot_be_compared_are_refused_by_name() {
        let code = |list: &[Candidate]| summarise(list, true).unwrap_err().code();
        let good = candidate("a", 1, &[0.5, 0.6]);
        assert_eq!(code(&[]), "evaluate.folds_empty");
        assert_eq!(code(&[candidate("a", 1, &[0.5])]), "evaluate.folds_too_few");
        assert_eq!(code(&[good.clone(), candidate("b", 1, &[0.5])]), "evaluate.folds_uneven");
        assert_eq!(code(&[good.clone(), candidate("b", 1, &[0.5, f64::NAN])]), "evaluate.folds_not_finite");
        assert_eq!(code(&[good.clone(), good]), "evaluate.folds_twice");
    }
}
