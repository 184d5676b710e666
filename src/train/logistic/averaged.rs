//! Several lines as one: each holds out its own share of the rows to know when to stop, and their weights are
//! averaged, which is the mean of their margins. For few rows, where one held-out part says little. Steps nowhere itself.

use crate::base::cancel::CancelFlag;
use crate::base::progress::{Progress, Silent};
use crate::base::rng::Random;
use crate::features::matrix::Matrix;
use crate::model::linear::Linear;
use crate::train::course::Parts;
use crate::train::examples::{Examples, TrainError};
use crate::train::hold_out::hold_out;
use crate::train::logistic::trainer::{Fit, Plan, train_logistic};

/// The share of the rows that each of several lines holds out.
const HELD_SHARE: f64 = 0.12;

pub fn train_averaged(
    plan: Plan<'_>,
    train: &Examples<'_>,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<Fit, TrainError> {
    train.check("training")?;
    let models = plan.params.models_for(train.matrix.rows);
    let mut fits = Vec::with_capacity(models);
    let random = &mut Random::new(plan.start.seed, "train.averaged");
    for (number, held) in hold_out(train.labels, models, HELD_SHARE, random).iter().enumerate() {
        let others: Vec<usize> =
            (0..train.matrix.rows).filter(|row| held.binary_search(row).is_err()).collect();
        let (teach, teach_labels) = part(train, &others);
        let (valid, valid_labels) = part(train, held);
        let parts = Parts {
            train: Examples { matrix: &teach, labels: &teach_labels },
            valid: Examples { matrix: &valid, labels: &valid_labels },
        };
        // The first line's course is the one that is told, as it is the one that is kept.
        let heard: &dyn Progress = if number == 0 { progress } else { &Silent };
        fits.push(train_logistic(plan, &parts, cancel, heard)?);
    }
    Ok(mean(fits))
}

fn part(train: &Examples<'_>, rows: &[usize]) -> (Matrix, Vec<bool>) {
    (train.matrix.select(rows), rows.iter().map(|&row| train.labels[row]).collect())
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
