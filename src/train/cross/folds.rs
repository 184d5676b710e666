//! Rows drawn into folds of the same share of each class, and each fold scored by models fitted on the others.
//! Every family sees the same folds, so that what they score can be compared row by row.

use serde::{Deserialize, Serialize};

use crate::base::fact::Failure;
use crate::base::progress::parallel::{in_parallel, threads_for};
use crate::base::progress::{Progress, Silent};
use crate::base::rng::Random;
use crate::train::cross::development::Development;
use crate::train::params::FamilyParams;

/// Which fold each of some rows is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folds {
    pub count: usize,
    /// Row numbers of the table, in order.
    pub rows: Vec<usize>,
    /// The fold of each, from 0.
    pub of: Vec<usize>,
}

impl Folds {
    /// There are fewer folds than asked for where a class has fewer rows.
    pub fn draw(rows: &[usize], labels: &[bool], count: usize, seed: u64) -> Self {
        let positives = rows.iter().filter(|&&row| labels[row]).count();
        let count = count.min(positives).min(rows.len() - positives).max(2);
        let mut random = Random::new(seed, "cross.folds");
        let mut of = vec![0; rows.len()];
        for class in [false, true] {
            let mut members: Vec<usize> = (0..rows.len()).filter(|&at| labels[rows[at]] == class).collect();
            random.shuffle(&mut members);
            members.iter().enumerate().for_each(|(place, &at)| of[at] = place % count);
        }
        Self { count, rows: rows.to_vec(), of }
    }

    /// Places, not row numbers: where in `rows` the rows of a fold stand.
    pub fn places(&self, fold: usize) -> Vec<usize> {
        (0..self.of.len()).filter(|&place| self.of[place] == fold).collect()
    }

    pub fn inside(&self, fold: usize) -> Vec<usize> {
        self.of.iter().zip(&self.rows).filter(|(own, _)| **own == fold).map(|(_, row)| *row).collect()
    }

    pub fn outside(&self, fold: usize) -> Vec<usize> {
        self.of.iter().zip(&self.rows).filter(|(own, _)| **own != fold).map(|(_, row)| *row).collect()
    }
}

/// The margins of a family on rows it was not fitted on, in the order of `Folds::rows`.
#[derive(Clone, Debug, PartialEq)]
pub struct Crossed {
    pub margins: Vec<f64>,
}

/// Fits every family on every fold's other rows, a thread each; how many threads there are changes no bit.
pub fn cross(
    development: &Development<'_>,
    families: &[FamilyParams],
    folds: &Folds,
    progress: &dyn Progress,
) -> Result<Vec<Crossed>, Failure> {
    let pairs: Vec<(usize, usize)> =
        (0..families.len()).flat_map(|family| (0..folds.count).map(move |fold| (family, fold))).collect();
    progress.stage("cross-fitting", pairs.len() as u64);
    let done = std::sync::atomic::AtomicU64::new(0);
    let scored = in_parallel(&pairs, threads_for(pairs.len()), |_, &(family, fold)| {
        let model = development.fit_on(&families[family], &folds.outside(fold), &Silent)?;
        let margins = development.score(&model, &folds.inside(fold));
        progress.step(1 + done.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        margins
    });
    let mut crossed = vec![Crossed { margins: vec![0.0; folds.rows.len()] }; families.len()];
    for (&(family, fold), margins) in pairs.iter().zip(scored) {
        let mut margins = margins?.into_iter();
        let own = folds.of.iter().zip(&mut crossed[family].margins).filter(|(own, _)| **own == fold);
        own.for_each(|(_, place)| *place = margins.next().unwrap_or_default());
    }
    Ok(crossed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_have_the_same_share_of_each_class_and_every_row_once() {
        let labels: Vec<bool> = (0..200).map(|row| row % 4 == 0).collect();
        let rows: Vec<usize> = (0..200).filter(|row| row % 10 != 3).collect();
        let folds = Folds::draw(&rows, &labels, 5, 7);
        let mut all: Vec<usize> = (0..5).flat_map(|fold| folds.inside(fold)).collect();
        all.sort_unstable();
        assert_eq!(all, rows);
        for fold in 0..5 {
            let inside = folds.inside(fold);
            assert_eq!(inside.iter().filter(|&&row| labels[row]).count(), 10);
            assert_eq!(inside.len() + folds.outside(fold).len(), 180);
        }
        assert_eq!(Folds::draw(&rows, &labels, 5, 7), folds);
        assert_ne!(Folds::draw(&rows, &labels, 5, 8), folds);
        let few = Folds::draw(&[0, 1, 2, 4, 5], &labels, 5, 7);
        assert_eq!(few.count, 2);
    }
}
