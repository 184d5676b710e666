//! From checked parameters to a fitted family, and the vectors that go with it: calibration,
//! background means, accepted reference. Decides no cut-off and writes nothing.

use crate::base::cancel::CancelFlag;
use crate::base::limits;
use crate::base::progress::Progress;
use crate::features::matrix::Matrix;
use crate::features::recipe::FittedRecipe;
use crate::model::scorer::Family;
use crate::train::baseline::train_baseline;
use crate::train::course::{EpochLoss, Parts, Start};
use crate::train::examples::{Examples, TrainError};
use crate::train::logistic::averaged::train_averaged;
use crate::train::logistic::trainer::{Plan as LinePlan, train_logistic};
use crate::train::network::averaged::train_averaged as train_averaged_network;
use crate::train::network::trainer::{Plan, train_network};
use crate::train::params::{FamilyParams, TrainParams};
use crate::train::scorecard::family::train_scorecard;
use crate::train::scorecard::fit::BinnedColumn;
use crate::train::trees::fit::{Ground, grow_boosting, grow_forest};

#[derive(Clone, Debug, PartialEq)]
pub struct FittedFamily {
    pub family: Family,
    /// Empty for a family that has no epochs.
    pub epochs: Vec<EpochLoss>,
    pub best_epoch: Option<usize>,
    /// Of a scorecard: what became of each field.
    pub bins: Vec<BinnedColumn>,
}

/// One family over one recipe, under the parameters that all families of a training share.
#[derive(Clone, Copy)]
pub struct Fitting<'a> {
    pub params: &'a TrainParams,
    pub family: &'a FamilyParams,
    pub recipe: &'a FittedRecipe,
}

/// The validation part may be empty for a family that does not watch it.
pub fn fit_family(
    fitting: Fitting<'_>,
    parts: &Parts<'_>,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<FittedFamily, TrainError> {
    let Fitting { params, recipe, .. } = fitting;
    params.monotone.check(recipe)?;
    if let Some(drawn) = params.sampling.draw(parts.train.labels, params.seed) {
        let matrix = parts.train.matrix.select(&drawn);
        let labels: Vec<bool> = drawn.iter().map(|&row| parts.train.labels[row]).collect();
        let train = Examples { matrix: &matrix, labels: &labels };
        return fit_drawn(fitting, &Parts { train, ..*parts }, cancel, progress);
    }
    fit_drawn(fitting, parts, cancel, progress)
}

fn fit_drawn(
    fitting: Fitting<'_>,
    parts: &Parts<'_>,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<FittedFamily, TrainError> {
    let Fitting { params, family, recipe } = fitting;
    let start = Start { seed: params.seed, device: params.device };
    let ground = Ground { recipe, directions: &params.monotone, seed: params.seed };
    let epochs = |epochs, best_epoch| (epochs, Some(best_epoch));
    let (family, (epochs, best_epoch), bins) = match family {
        FamilyParams::Baseline => {
            (Family::Baseline(train_baseline(&parts.train)?), (Vec::new(), None), Vec::new())
        }
        FamilyParams::Logistic(logistic) => {
            let directions = params.monotone.of_columns(recipe);
            let plan = LinePlan { params: logistic, directions: &directions, start };
            let alone = logistic.models_for(parts.train.matrix.rows) == 1;
            let fit = if alone && !parts.valid.labels.is_empty() {
                train_logistic(plan, parts, cancel, progress)?
            } else {
                train_averaged(plan, &parts.train, cancel, progress)?
            };
            (Family::Logistic(fit.linear), epochs(fit.epochs, fit.best_epoch), Vec::new())
        }
        FamilyParams::Mlp(mlp) => {
            let plan = Plan { params: mlp, recipe, directions: &params.monotone, start };
            let alone = mlp.models_for(parts.train.matrix.rows) == 1;
            let learned = if alone && !parts.valid.labels.is_empty() {
                train_network(plan, parts, cancel, progress)?
            } else {
                train_averaged_network(plan, &parts.train, cancel, progress)?
            };
            (Family::Network(learned.model), epochs(learned.epochs, learned.best_epoch), Vec::new())
        }
        FamilyParams::Boosting(settings) => {
            let grown = grow_boosting(settings, ground, &parts.train, (cancel, progress))?;
            (Family::Boosting(grown.trees), (grown.rounds, grown.best_round), Vec::new())
        }
        FamilyParams::Forest(settings) => {
            let grown = grow_forest(settings, ground, &parts.train, (cancel, progress))?;
            (Family::Forest(grown.trees), (grown.rounds, grown.best_round), Vec::new())
        }
        FamilyParams::Scorecard(settings) => {
            let (card, bins) = train_scorecard(settings, recipe, &params.monotone, &parts.train)?;
            (Family::Scorecard(card), (Vec::new(), None), bins)
        }
        FamilyParams::Ensemble(_) => return Err(TrainError::Ensemble),
    };
    Ok(FittedFamily { family, epochs, best_epoch, bins })
}

/// The mean of all rows of the training matrix.
pub fn background(recipe: &FittedRecipe, train: &Matrix) -> Vec<f64> {
    recipe.mean_row(train, 0..train.rows)
}

/// The share of rows whose accepted neighbours of the cut-off stand for them.
const ACCEPTED_SHARE: f64 = 0.05;

/// The accepted rows of highest risk, in order: those just on the good side of the cut-off, 5 % of all rows
/// and at least 50. Nothing where fewer than 50 are accepted: a mean over less could point at a person.
///
/// `probabilities` are of the positive class, one a row. Where positive is bad, a row is accepted
/// below the cut-off, else at or above it.
pub fn accepted_rows(probabilities: &[f64], cutoff: f64, positive_is_bad: bool) -> Option<Vec<usize>> {
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
    let share = (ACCEPTED_SHARE * probabilities.len() as f64).ceil() as usize;
    nearest.truncate(share.max(limits::ACCEPTED_REFERENCE_ROWS_MIN));
    let mut rows: Vec<usize> = nearest.into_iter().map(|(_, row)| row).collect();
    rows.sort_unstable();
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::progress::Silent;
    use crate::base::rng::Random;
    use crate::model::calibrate::Platt;
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
        let fitting = Fitting { params: &params, family: &params.family, recipe: &recipe };
        let fitted = fit_family(fitting, &parts, &CancelFlag::new(), &Silent).unwrap();
        let platt = Platt::fit(&fitted.family.scorer().margins(&matrix), &labels);
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
        let recipe = FittedRecipe { fields: Vec::new(), width: 2 };
        assert_eq!(background(&recipe, &matrix), [1.5, -2.0]);
        assert_eq!(background(&recipe, &Matrix::zeros(0, 2)), [0.0, 0.0]);
    }

    /// Row `i` of 2,000 has the probability `i / 2000`.
    fn ladder() -> Vec<f64> {
        (0..2_000).map(|i| f64::from(i) / 2_000.0).collect()
    }

    #[test]
    fn the_accepted_reference_lies_on_the_good_side_of_the_cut_off() {
        let probabilities = ladder();
        // 5 % of 2,000 rows are 100: rows 900 to 999 where positive is bad, 1,000 to 1,099 where good.
        assert_eq!(accepted_rows(&probabilities, 0.5, true), Some((900..1_000).collect()));
        assert_eq!(accepted_rows(&probabilities, 0.5, false), Some((1_000..1_100).collect()));
        // Fewer accepted than 100, yet at least 50: all of them.
        assert_eq!(accepted_rows(&probabilities, 0.03, true), Some((0..60).collect()));
    }

    #[test]
    fn fewer_than_fifty_accepted_rows_are_no_reference() {
        let probabilities = ladder();
        assert_eq!(accepted_rows(&probabilities, 0.0245, true), None);
        assert!(accepted_rows(&probabilities, 0.025, true).is_some());
    }
}
