//! One family fitted on the rows a model is developed on, and what it says of rows it was not fitted on: those make
//! probabilities of its margins, and choose the cut-off. Sees no test row.

use std::collections::BTreeMap;

use crate::base::cancel::CancelFlag;
use crate::base::fact::Failure;
use crate::base::progress::Progress;
use crate::config::project::Project;
use crate::evaluate::metrics::Metrics;
use crate::evaluate::scores::Scores;
use crate::features::fit::fit;
use crate::features::recipe::FittedRecipe;
use crate::model::calibrate::{Calibration, CalibrationKind};
use crate::pipeline::evaluation::THRESHOLD_PLAIN;
use crate::pipeline::parts::Parts;
use crate::pipeline::search::Found;
use crate::train::cross::development::Development;
use crate::train::cross::ensemble::{put_together, weigh};
use crate::train::cross::folds::{Crossed, Folds, cross};
use crate::train::fit::{FittedFamily, Fitting, fit_family};
use crate::train::params::{EnsembleParams, FamilyParams};

/// Rows a family was not fitted on, and its margins on them.
pub struct Judged {
    pub labels: Vec<bool>,
    pub margins: Vec<f64>,
    /// Which fold each row was in, where they are all of the rows a model is developed on.
    pub folds: Option<Folds>,
}

pub struct Fitted {
    pub recipe: FittedRecipe,
    pub family: FittedFamily,
    pub judged: Judged,
}

/// `known` is what a search has already crossed: the same folds are then not fitted again.
pub fn fit_chosen(
    project: &Project,
    rows: &Parts,
    known: Option<&Found>,
    (cancel, progress): (&CancelFlag, &dyn Progress),
) -> Result<Fitted, Failure> {
    let params = &project.params;
    let development =
        Development { recipe: &project.recipe, params, table: &rows.whole, labels: &rows.labels, cancel };
    let developed = rows.split.developed();
    if let FamilyParams::Ensemble(ensemble) = &params.family {
        let (folds, members) = match known {
            Some(found) => (found.folds.clone(), found.crossed.clone()),
            None => cross_members(&development, ensemble, &developed, progress)?,
        };
        let labels = development.labels_of(&folds.rows);
        let (weights, crossed) = weigh(&members, &labels);
        progress.stage("fitting the members", 0);
        let (recipe, family) = put_together(&development, &ensemble.members, &weights, &developed)?;
        let judged = Judged { labels, margins: crossed.margins, folds: Some(folds) };
        return Ok(Fitted { recipe, family, judged });
    }
    let (recipe, family) = fit_alone(project, rows, cancel, progress)?;
    let folds = params.calibration.folds_for(&params.family, developed.len());
    if folds == 0 {
        let matrix = recipe.transform(&rows.valid.table)?;
        let margins = family.family.scorer().margins(&matrix);
        let judged = Judged { labels: rows.valid.labels.clone(), margins, folds: None };
        return Ok(Fitted { recipe, family, judged });
    }
    let (folds, crossed) = match known {
        Some(found) => (found.folds.clone(), found.crossed.clone()),
        None => {
            let folds = Folds::draw(&developed, &rows.labels, folds, params.seed);
            let crossed = cross(&development, std::slice::from_ref(&params.family), &folds, progress)?;
            (folds, crossed)
        }
    };
    let margins = crossed.into_iter().flat_map(|own| own.margins).collect();
    let judged = Judged { labels: development.labels_of(&folds.rows), margins, folds: Some(folds) };
    Ok(Fitted { recipe, family, judged })
}

fn cross_members(
    development: &Development<'_>,
    params: &EnsembleParams,
    rows: &[usize],
    progress: &dyn Progress,
) -> Result<(Folds, Vec<Crossed>), Failure> {
    let folds = Folds::draw(rows, development.labels, params.folds, development.params.seed);
    let members = cross(development, &params.members, &folds, progress)?;
    Ok((folds, members))
}

fn fit_alone(
    project: &Project,
    rows: &Parts,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<(FittedRecipe, FittedFamily), Failure> {
    let params = &project.params;
    let recipe = fit(&project.recipe, &params.family.form(), &rows.train.table)?;
    let parts = rows.encode(&recipe)?;
    let fitting = Fitting { params, family: &params.family, recipe: &recipe };
    let family = fit_family(fitting, &parts.examples(), cancel, progress)?;
    Ok((recipe, family))
}

impl Judged {
    pub fn calibration(&self, kind: CalibrationKind) -> Calibration {
        Calibration::fit(kind, &self.margins, &self.labels)
    }

    pub fn probabilities(&self, calibration: &Calibration) -> Vec<f64> {
        self.margins.iter().map(|&margin| calibration.probability(margin)).collect()
    }

    /// Mean and deviation over the folds of figures that need no threshold, as `cv_auc` and `cv_auc_sd`.
    pub fn cross_figures(&self, calibration: &Calibration) -> Result<BTreeMap<String, f64>, Failure> {
        let mut figures = BTreeMap::new();
        let Some(folds) = &self.folds else { return Ok(figures) };
        let mut by_key: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for metrics in metrics_by_fold(folds, &self.labels, &self.probabilities(calibration))? {
            let keyed = [
                ("auc", metrics.auc),
                ("log_loss", metrics.log_loss),
                ("brier", metrics.brier),
                ("ks", metrics.ks),
            ];
            keyed.into_iter().for_each(|(key, value)| by_key.entry(key).or_default().push(value));
        }
        for (key, values) in by_key {
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
            figures.insert(format!("cv_{key}"), mean);
            figures.insert(format!("cv_{key}_sd"), (squares / (count - 1.0).max(1.0)).sqrt());
        }
        Ok(figures)
    }
}

/// The figures of each fold by itself.
pub fn metrics_by_fold(
    folds: &Folds,
    labels: &[bool],
    probabilities: &[f64],
) -> Result<Vec<Metrics>, Failure> {
    let of_fold = |fold: usize| {
        let places = folds.places(fold);
        let own: Vec<bool> = places.iter().map(|&place| labels[place]).collect();
        let scored: Vec<f64> = places.iter().map(|&place| probabilities[place]).collect();
        Ok(Metrics::of(&Scores::check(&own, &scored)?, THRESHOLD_PLAIN)?)
    };
    (0..folds.count).map(of_fold).collect()
}
