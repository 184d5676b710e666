//! From checked parameters to a fitted family, and the vectors that go with it: calibration,
//! background means, accepted reference. Decides no cut-off and writes nothing.

use crate::base::cancel::CancelFlag;
use crate::base::limits;
use crate::base::progress::Progress;
use crate::features::matrix::Matrix;
use crate::features::recipe::FittedRecipe;
use crate::model::calibrate::Platt;
use crate::model::scorer::Family;
use crate::train::baseline::train_baseline;
use crate::train::course::{EpochLoss, Parts, Start};
use crate::train::examples::{Examples, TrainError};
use crate::train::network::trainer::{Plan, train_network};
use crate::train::params::{FamilyParams, TrainParams};
use crate::train::trainer::train_logistic;

#[derive(Clone, Debug, PartialEq)]
pub struct FittedFamily {
    pub family: Family,
    /// Empty for a family that has no epochs.
    pub epochs: Vec<EpochLoss>,
    pub best_epoch: Option<usize>,
}

pub fn fit_family(
    params: &TrainParams,
    recipe: &FittedRecipe,
    parts: &Parts<'_>,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<FittedFamily, TrainError> {
    let start = Start { seed: params.seed, device: params.device };
    match &params.family {
        FamilyParams::Baseline => {
            let family = Family::Baseline(train_baseline(&parts.train)?);
            Ok(FittedFamily { family, epochs: Vec::new(), best_epoch: None })
        }
        FamilyParams::Logistic(logistic) => {
            let fit = train_logistic(logistic, start, parts, cancel, progress)?;
            let family = Family::Logistic(fit.linear);
            Ok(FittedFamily { family, epochs: fit.epochs, best_epoch: Some(fit.best_epoch) })
        }
        FamilyParams::Mlp(mlp) => {
            let plan = Plan { params: mlp, recipe, start };
            let learned = train_network(plan, parts, cancel, progress)?;
            let family = Family::Network(learned.model);
            Ok(FittedFamily { family, epochs: learned.epochs, best_epoch: Some(learned.best_epoch) })
        }
    }
}

/// The Platt curve of a family's margins over the validation part.
pub fn calibrate(family: &Family, valid: &Examples<'_>) -> Platt {
    let scorer = family.scorer();
    let margins: Vec<f64> = (0..valid.matrix.rows).map(|row| scorer.margin(valid.matrix.row(row))).collect();
    Platt::fit(&margins, valid.labels)
}

/// Column means over all rows of the training matrix.
pub fn background(train: &Matrix) -> Vec<f64> {
    column_means(train, 0..train.rows)
}

/// The share of rows whose accepted neighbours of the cut-off are averaged.
const ACCEPTED_SHARE: f64 = 0.05;

/// Column means over the accepted rows of highest risk: those just on the good side of the
/// cut-off, 5 % of all rows and at least 50. Nothing where fewer than 50 are accepted: a mean
/// over less could point at a person.
///
/// `probabilities` are of the positive class, one a row. Where positive is bad, a row is accepted
/// below the cut-off, else at or above it.
pub fn accepted_reference(
    matrix: &Matrix,
    probabilities: &[f64],
    cutoff: f64,
    positive_is_bad: bool,
) -> Option<Vec<f64>> {
    debug_assert_eq!(matrix.rows, probabilities.len());
    let accepted = |&(_, &p): &(usize, &f64)| if positive_is_bad { p < cutoff } else { p >= cutoff };
    let mut nearest: Vec<(f64, usize)> = probabilities
        .iter()
        .enumerate()
        .filter(accepted)
        .map(|(row, &p)| ((p - cutoff).abs(), row))
        .collect();
    if nearest.len() < limits::ACCEPTED_REFERENCE_ROWS_MIN {
        return None;
    }
    nearest.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let share = (ACCEPTED_SHARE * matrix.rows as f64).ceil() as usize;
    nearest.truncate(share.max(limits::ACCEPTED_REFERENCE_ROWS_MIN));
    let mut rows: Vec<usize> = nearest.into_iter().map(|(_, row)| row).collect();
    rows.sort_unstable();
    Some(column_means(matrix, rows.into_iter()))
}

/// Means in f64, summed in row order; zeros where there is no row.
fn column_means(matrix: &Matrix, rows: impl ExactSizeIterator<Item = usize>) -> Vec<f64> {
    let count = rows.len().max(1) as f64;
    let mut sums = vec![0.0; matrix.width];
    for row in rows {
        sums.iter_mut().zip(matrix.row(row)).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    sums.into_iter().map(|sum| sum / count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::progress::Silent;
    use crate::base::rng::Random;
    use crate::train::params::RawTrainParams;

    fn sample(rows: usize) -> (Matrix, Vec<bool>) {
        let mut random = Random::new(2, "fit");
        let values: Vec<f32> = (0..rows * 3).map(|_| random.unit() as f32).collect();
        let labels = values.chunks(3).map(|row| random.unit() < 0.2 + 0.6 * f64::from(row[0])).collect();
        (Matrix { rows, width: 3, values }, labels)
    }

    fn fit(settings: &[&str]) -> (FittedFamily, Platt) {
        let (matrix, labels) = sample(900);
        let mut raw = RawTrainParams::default();
        settings.iter().for_each(|setting| raw.set(setting).unwrap());
        let part = Examples { matrix: &matrix, labels: &labels };
        let params = raw.check().unwrap();
        let parts = Parts { train: part, valid: part };
        let recipe = FittedRecipe { fields: Vec::new(), width: 3 };
        let fitted = fit_family(&params, &recipe, &parts, &CancelFlag::new(), &Silent).unwrap();
        let platt = calibrate(&fitted.family, &part);
        (fitted, platt)
    }

    #[test]
    fn the_family_is_the_one_the_parameters_name() {
        let (fitted, platt) = fit(&["family=baseline"]);
        assert!(matches!(fitted, FittedFamily { family: Family::Baseline(_), best_epoch: None, .. }));
        assert!(platt.slope() == 1.0 && platt.intercept().abs() < 0.01, "{platt:?}");
        let (fitted, _) = fit(&["logistic.epochs=3"]);
        assert!(matches!(&fitted.family, Family::Logistic(linear) if linear.weights.len() == 3));
        assert_eq!(fitted.epochs.len(), 3);
        let (fitted, _) = fit(&["family=mlp", "mlp.epochs=2", "mlp.hidden=[4]"]);
        assert!(matches!(&fitted.family, Family::Network(network) if network.members()[0].len() == 2));
        assert_eq!(fitted.epochs.len(), 2);
    }

    #[test]
    fn calibration_takes_back_what_class_weights_have_moved() {
        let (fitted, platt) = fit(&["logistic.class_weight={\"positive\":5}"]);
        let (matrix, labels) = sample(900);
        let scorer = fitted.family.scorer();
        let mean = |p: &dyn Fn(f64) -> f64| {
            (0..900).map(|row| p(scorer.margin(matrix.row(row)))).sum::<f64>() / 900.0
        };
        let rate = labels.iter().filter(|&&label| label).count() as f64 / 900.0;
        assert!(mean(&|margin| Platt::identity().probability(margin)) > rate + 0.2);
        assert!((mean(&|margin| platt.probability(margin)) - rate).abs() < 0.005);
    }

    #[test]
    fn the_background_is_the_mean_of_each_column() {
        let matrix = Matrix { rows: 2, width: 2, values: vec![1.0, -4.0, 2.0, 0.0] };
        assert_eq!(background(&matrix), [1.5, -2.0]);
        assert_eq!(background(&Matrix::zeros(0, 2)), [0.0, 0.0]);
    }

    /// Row `i` of 2,000 holds `i` and has the probability `i / 2000`.
    fn ladder() -> (Matrix, Vec<f64>) {
        let values = (0..2_000u16).map(f32::from).collect();
        (Matrix { rows: 2_000, width: 1, values }, (0..2_000).map(|i| f64::from(i) / 2_000.0).collect())
    }

    #[test]
    fn the_accepted_reference_lies_on_the_good_side_of_the_cut_off() {
        let (matrix, probabilities) = ladder();
        // 5 % of 2,000 rows are 100: rows 900 to 999 where positive is bad, 1,000 to 1,099 where good.
        assert_eq!(accepted_reference(&matrix, &probabilities, 0.5, true), Some(vec![949.5]));
        assert_eq!(accepted_reference(&matrix, &probabilities, 0.5, false), Some(vec![1049.5]));
        // Fewer accepted than 100, yet at least 50: all of them.
        assert_eq!(accepted_reference(&matrix, &probabilities, 0.03, true), Some(vec![29.5]));
    }

    #[test]
    fn fewer_than_fifty_accepted_rows_are_no_reference() {
        let (matrix, probabilities) = ladder();
        assert_eq!(accepted_reference(&matrix, &probabilities, 0.0245, true), None);
        assert!(accepted_reference(&matrix, &probabilities, 0.025, true).is_some());
    }
}
