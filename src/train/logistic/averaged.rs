//! Several lines as one: each holds out its own share of the rows to know when to stop, and their weights are
//! averaged, which is the mean of their margins. For few rows, where one held-out part says little. Steps nowhere itself.

use crate::base::cancel::CancelFlag;
use crate::base::progress::{Progress, Silent};
use crate::base::rng::Random;
use crate::features::matrix::Matrix;
use crate::model::linear::Linear;
use crate::train::course::{Parts, Start};
use crate::train::examples::{Examples, TrainError};
use crate::train::logistic::trainer::{Fit, train_logistic};
use crate::train::params::LogisticParams;

/// The share of the rows that each of several lines holds out.
const HELD_SHARE: f64 = 0.12;

pub fn train_averaged(
    params: &LogisticParams,
    start: Start,
    train: &Examples<'_>,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<Fit, TrainError> {
    train.check("training")?;
    let models = params.models_for(train.matrix.rows);
    let mut fits = Vec::with_capacity(models);
    for (number, held) in shares(train.labels, models, start.seed).iter().enumerate() {
        let (teach, teach_labels) = part(train, held, false);
        let (valid, valid_labels) = part(train, held, true);
        let parts = Parts {
            train: Examples { matrix: &teach, labels: &teach_labels },
            valid: Examples { matrix: &valid, labels: &valid_labels },
        };
        // The first line's course is the one that is told, as it is the one that is kept.
        let heard: &dyn Progress = if number == 0 { progress } else { &Silent };
        fits.push(train_logistic(params, start, &parts, cancel, heard)?);
    }
    Ok(mean(fits))
}

/// For each line, a mark for every row it holds out: each class by itself, no row held out twice.
fn shares(labels: &[bool], models: usize, seed: u64) -> Vec<Vec<bool>> {
    let mut random = Random::new(seed, "train.averaged");
    let mut held = vec![vec![false; labels.len()]; models];
    for class in [false, true] {
        let mut rows: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == class).collect();
        random.shuffle(&mut rows);
        let share = (rows.len() as f64 * HELD_SHARE).round() as usize;
        let share = share.clamp(1, (rows.len() / models.max(1)).max(1));
        for (held, rows) in held.iter_mut().zip(rows.chunks(share)) {
            rows.iter().for_each(|&row| held[row] = true);
        }
    }
    held
}

fn part(train: &Examples<'_>, held: &[bool], is_held: bool) -> (Matrix, Vec<bool>) {
    let rows: Vec<usize> = (0..held.len()).filter(|&row| held[row] == is_held).collect();
    (train.matrix.select(&rows), rows.iter().map(|&row| train.labels[row]).collect())
}

/// The course is the first line's.
fn mean(fits: Vec<Fit>) -> Fit {
    let share = 1.0 / fits.len().max(1) as f64;
    let of = |pick: &dyn Fn(&Linear) -> f32| {
        (fits.iter().map(|fit| f64::from(pick(&fit.linear))).sum::<f64>() * share) as f32
    };
    let width = fits.first().map_or(0, |fit| fit.linear.weights.len());
    let weights = (0..width).map(|at| of(&|linear| linear.weights[at])).collect();
    let linear = Linear { weights, bias: of(&|linear| linear.bias) };
    let (epochs, best_epoch) =
        fits.into_iter().next().map_or((Vec::new(), 0), |fit| (fit.epochs, fit.best_epoch));
    Fit { linear, epochs, best_epoch }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_is_held_out_twice_and_each_line_holds_out_both_classes() {
        let labels: Vec<bool> = (0..100).map(|row| row % 5 == 0).collect();
        let held = shares(&labels, 8, 3);
        for row in 0..100 {
            assert!(held.iter().filter(|own| own[row]).count() <= 1);
        }
        for own in &held {
            let classes = |class| (0..100).filter(|&row| own[row] && labels[row] == class).count();
            assert!(classes(true) == 2 && classes(false) == 10, "{} {}", classes(true), classes(false));
        }
    }
}
