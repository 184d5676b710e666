//! Labels and probabilities side by side, checked and sorted once: the proof that all figures rest on.
//! Never decides which class is good; `true` is the positive class, whatever that means to the project.

use std::cmp::Ordering;

use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::evaluate::ranked::Step;

#[derive(Debug, thiserror::Error)]
pub enum ScoresError {
    #[error("there are {labels} labels for {probabilities} probabilities")]
    Uneven { labels: usize, probabilities: usize },
    #[error("there are no rows to evaluate")]
    Empty,
    #[error("{rows} rows are to be evaluated; at most {max} are")]
    TooManyRows { rows: usize, max: usize },
    #[error("row {row}: {probability} is not a probability")]
    NotAProbability { row: usize, probability: f64 },
    #[error("all {rows} rows have the same label ({label}): no metric can tell the classes apart")]
    OneClass { rows: usize, label: bool },
}

impl Fact for ScoresError {
    fn code(&self) -> &'static str {
        match self {
            Self::Uneven { .. } => "evaluate.uneven",
            Self::Empty => "evaluate.empty",
            Self::TooManyRows { .. } => "evaluate.too_many_rows",
            Self::NotAProbability { .. } => "evaluate.not_a_probability",
            Self::OneClass { .. } => "evaluate.one_class",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Uneven { .. } | Self::NotAProbability { .. } => Class::Failed,
            Self::Empty | Self::TooManyRows { .. } | Self::OneClass { .. } => Class::DataRefused,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Empty | Self::OneClass { .. } => {
                Some("Give the evaluated part more rows, so that both outcomes occur in it.".into())
            }
            Self::NotAProbability { .. } => {
                Some("Lower the learning rate or scale the fields: the training has diverged.".into())
            }
            Self::Uneven { .. } | Self::TooManyRows { .. } => None,
        }
    }
}

/// Checked rows with their order: as many labels as probabilities, each finite and in 0..=1, both classes present.
#[derive(Clone, Debug)]
pub struct Scores<'a> {
    labels: &'a [bool],
    probabilities: &'a [f64],
    /// Rows by rising probability; equal probabilities in row order.
    ascending: Vec<u32>,
    steps: Vec<Step>,
    positives: u64,
}

impl<'a> Scores<'a> {
    pub fn check(labels: &'a [bool], probabilities: &'a [f64]) -> Result<Self, ScoresError> {
        check_shape(labels, probabilities)?;
        let positives = labels.iter().filter(|&&label| label).count();
        if positives == 0 || positives == labels.len() {
            return Err(ScoresError::OneClass { rows: labels.len(), label: positives > 0 });
        }
        let ascending = sort_stable(probabilities);
        let steps = group(labels, probabilities, &ascending);
        Ok(Self { labels, probabilities, ascending, steps, positives: positives as u64 })
    }

    pub fn labels(&self) -> &'a [bool] {
        self.labels
    }

    pub fn probabilities(&self) -> &'a [f64] {
        self.probabilities
    }

    pub fn rows(&self) -> u64 {
        self.labels.len() as u64
    }

    pub fn positives(&self) -> u64 {
        self.positives
    }

    pub fn negatives(&self) -> u64 {
        self.rows() - self.positives
    }

    pub fn base_rate(&self) -> f64 {
        self.positives as f64 / self.rows() as f64
    }

    /// The distinct probabilities, highest first, with the rows that have them.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Label and probability by rising probability; equal probabilities in row order.
    pub fn ascending(&self) -> impl Iterator<Item = (bool, f64)> {
        self.ascending.iter().map(|&row| (self.labels[row as usize], self.probabilities[row as usize]))
    }
}

fn check_shape(labels: &[bool], probabilities: &[f64]) -> Result<(), ScoresError> {
    if labels.len() != probabilities.len() {
        return Err(ScoresError::Uneven { labels: labels.len(), probabilities: probabilities.len() });
    }
    if labels.is_empty() {
        return Err(ScoresError::Empty);
    }
    if labels.len() > limits::ROWS_MAX {
        return Err(ScoresError::TooManyRows { rows: labels.len(), max: limits::ROWS_MAX });
    }
    match probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
        Some(row) => Err(ScoresError::NotAProbability { row, probability: probabilities[row] }),
        None => Ok(()),
    }
}

fn sort_stable(probabilities: &[f64]) -> Vec<u32> {
    let mut rows: Vec<u32> = (0..probabilities.len() as u32).collect();
    // Not `total_cmp`: 0.0 and -0.0 are one probability.
    rows.sort_by(|&a, &b| {
        probabilities[a as usize].partial_cmp(&probabilities[b as usize]).unwrap_or(Ordering::Equal)
    });
    rows
}

fn group(labels: &[bool], probabilities: &[f64], ascending: &[u32]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for &row in ascending.iter().rev() {
        let probability = probabilities[row as usize];
        let (positives, negatives) = if labels[row as usize] { (1, 0) } else { (0, 1) };
        match steps.last_mut() {
            Some(step) if step.probability == probability => {
                step.positives += positives;
                step.negatives += negatives;
            }
            _ => steps.push(Step { probability, positives, negatives }),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_no_metric_can_judge_are_refused_by_name() {
        let refused = |labels: &[bool], probabilities: &[f64]| {
            let error = Scores::check(labels, probabilities).unwrap_err();
            (error.code(), error.class())
        };
        assert_eq!(refused(&[true], &[]), ("evaluate.uneven", Class::Failed));
        assert_eq!(refused(&[], &[]), ("evaluate.empty", Class::DataRefused));
        assert_eq!(refused(&[true, true], &[0.1, 0.2]), ("evaluate.one_class", Class::DataRefused));
        for bad in [f64::NAN, f64::INFINITY, -0.001, 1.001] {
            assert_eq!(refused(&[true, false], &[0.5, bad]), ("evaluate.not_a_probability", Class::Failed));
        }
    }

    #[test]
    fn equal_probabilities_share_a_step_and_zero_has_no_sign() {
        let labels = [true, false, true, false];
        let scores = Scores::check(&labels, &[0.0, 0.5, -0.0, 0.5]).unwrap();
        let step = |probability, positives, negatives| Step { probability, positives, negatives };
        assert_eq!(scores.steps(), [step(0.5, 0, 2), step(0.0, 2, 0)]);
        let order: Vec<bool> = scores.ascending().map(|(label, _)| label).collect();
        assert_eq!(order, [true, true, false, false]);
    }
}
