//! Candidates tried on the same folds, and the one that is trained: families against each other and together, or
//! settings of one family. Sees no test row; why the pick was made is told in figures.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::cancel::CancelFlag;
use crate::base::canonical;
use crate::base::fact::Failure;
use crate::base::progress::Progress;
use crate::base::rng::Random;
use crate::config::project::Project;
use crate::data::split::draw_stratified;
use crate::data::table::Table;
use crate::evaluate::compare::folds::{Candidate, FoldSummary, summarise};
use crate::evaluate::metrics::Metrics;
use crate::evaluate::scores::Scores;
use crate::model::calibrate::{Calibration, CalibrationKind};
use crate::pipeline::artifacts::Artifact;
use crate::pipeline::parts::split_rows;
use crate::train::cross::development::Development;
use crate::train::cross::folds::{Crossed, Folds, cross};
use crate::train::cross::stack::stack;
use crate::train::params::{EnsembleParams, FamilyParams, Pick, SearchMethod, SearchParams, TrainParams};

/// What a search has found: the family to train, and what is known of it on the folds.
pub struct Found {
    pub family: FamilyParams,
    pub folds: Folds,
    /// Of the family, or of each member of the ensemble that it is.
    pub crossed: Vec<Crossed>,
    pub report: SearchReport,
}

impl Found {
    pub fn why(&self) -> String {
        self.report.why.clone()
    }

    /// The report as a file of the run.
    pub fn artifact(&self) -> Result<Artifact, Failure> {
        Ok(Artifact { path: "search.json".into(), bytes: canonical::to_bytes(&self.report)? })
    }
}

/// Every trial and why the pick was made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchReport {
    pub method: SearchMethod,
    pub folds: usize,
    pub trials: Vec<Trial>,
    /// Candidates that the budget left no time for.
    pub skipped: Vec<String>,
    pub log_loss: FoldSummary,
    pub auc: FoldSummary,
    pub picked: String,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    pub name: String,
    pub settings: Vec<String>,
    /// Of all rows that the search had; below 1 where a candidate was given up early.
    pub rows_share: f64,
    pub log_losses: Vec<f64>,
    pub aucs: Vec<f64>,
}

/// The name of all families together.
const TOGETHER: &str = "ensemble";

pub fn search(
    development: &Development<'_>,
    params: &SearchParams,
    rows: &[usize],
    progress: &dyn Progress,
) -> Result<Found, Failure> {
    let mut skipped = Vec::new();
    let kept = if params.method == SearchMethod::Halving {
        halve(development, params, rows, progress)?
    } else {
        Kept { candidates: (0..params.candidates.len()).collect(), given_up: Vec::new() }
    };
    let folds = Folds::draw(rows, development.labels, params.folds, development.params.seed);
    let labels = development.labels_of(rows);
    let (mut tried, mut trials) = (Vec::new(), kept.given_up);
    let mut longest = 0;
    for &number in &kept.candidates {
        let candidate = &params.candidates[number];
        development.cancel.check()?;
        let begun = progress.spent_ms();
        if params.budget_ms > 0 && !tried.is_empty() && begun + longest > params.budget_ms {
            skipped.push(candidate.name.clone());
            continue;
        }
        let crossed = cross(development, std::slice::from_ref(&candidate.family), &folds, progress)?;
        longest = longest.max(progress.spent_ms() - begun);
        let Some(crossed) = crossed.into_iter().next() else { continue };
        let trial = judge(&candidate.name, &candidate.settings, &folds, (&labels, &crossed.margins))?;
        progress.trial(&trial.name, &trial.settings, &trial.figures());
        trials.push(trial);
        tried.push((number, crossed));
    }
    let mut judged: Vec<&Trial> = trials.iter().filter(|trial| trial.rows_share == 1.0).collect();
    let together = (params.method == SearchMethod::Auto && tried.len() > 1)
        .then(|| all_together(&tried, &folds, &labels))
        .transpose()?;
    if let Some(trial) = &together {
        progress.trial(&trial.name, &trial.settings, &trial.figures());
        judged.push(trial);
    }
    let report = report(params, &folds, &judged, skipped)?;
    let families = |number: &usize| params.candidates[*number].family.clone();
    let (family, crossed) = if report.picked == TOGETHER {
        let members = tried.iter().map(|(number, _)| families(number)).collect();
        let family = FamilyParams::Ensemble(EnsembleParams { members, folds: folds.count });
        (family, tried.into_iter().map(|(_, crossed)| crossed).collect())
    } else {
        let own = tried.into_iter().find(|(number, _)| params.candidates[*number].name == report.picked);
        let (number, crossed) = own.ok_or(NothingTried)?;
        (families(&number), vec![crossed])
    };
    let mut report = report;
    report.trials = trials.iter().chain(&together).cloned().collect();
    Ok(Found { family, folds, crossed, report })
}

fn report(
    params: &SearchParams,
    folds: &Folds,
    judged: &[&Trial],
    skipped: Vec<String>,
) -> Result<SearchReport, Failure> {
    let candidates = |values: fn(&Trial) -> &Vec<f64>| -> Vec<Candidate> {
        let one = |(place, trial): (usize, &&Trial)| {
            let known = params.candidates.iter().find(|c| c.name == trial.name);
            let complexity = known.map_or(COMPLEXITY_TOGETHER, |c| complexity(&c.family)) * 1_000;
            let complexity = complexity + u32::try_from(place).unwrap_or(999).min(999);
            Candidate { name: trial.name.clone(), complexity, values: values(trial).clone() }
        };
        judged.iter().enumerate().map(one).collect()
    };
    let log_loss = summarise(&candidates(|trial| &trial.log_losses), false)?;
    let auc = summarise(&candidates(|trial| &trial.aucs), true)?;
    let (picked, rule) = match params.pick {
        Pick::Best => best(judged, &log_loss.best),
        Pick::OneSe => {
            let rule = "is the simplest within one standard error of the lowest mean log loss";
            (log_loss.pick.clone(), rule)
        }
    };
    let why = why(rule, &picked, &log_loss);
    let (method, folds) = (params.method, folds.count);
    Ok(SearchReport { method, folds, trials: Vec::new(), skipped, log_loss, auc, picked, why })
}

/// The lowest log loss; but all families together stand where they are not beaten by more than one standard error of the
/// difference: the luckiest of several noisy figures is mostly luck.
fn best(judged: &[&Trial], lowest: &str) -> (String, &'static str) {
    let find = |name: &str| judged.iter().find(|trial| trial.name == name);
    if let (Some(together), Some(alone)) = (find(TOGETHER), find(lowest))
        && lowest != TOGETHER
    {
        let pairs = together.log_losses.iter().zip(&alone.log_losses);
        let differences: Vec<f64> = pairs.map(|(together, alone)| together - alone).collect();
        let count = differences.len() as f64;
        let mean = differences.iter().sum::<f64>() / count;
        let squares: f64 = differences.iter().map(|d| (d - mean) * (d - mean)).sum();
        let error = (squares / (count - 1.0).max(1.0) / count).sqrt();
        if mean <= error {
            let rule = "is beaten by no family alone by more than one standard error of the difference";
            return (TOGETHER.to_string(), rule);
        }
    }
    (lowest.to_string(), "has the lowest mean log loss")
}

fn why(rule: &str, picked: &str, summary: &FoldSummary) -> String {
    let of = |name: &str| summary.candidates.iter().find(|placed| placed.name == name);
    let mean = of(picked).map_or(f64::NAN, |placed| placed.mean);
    let mut text = format!("{picked} {rule} (mean log loss {mean:.5} over {} folds)", summary.folds);
    if let Some(next) = summary.candidates.iter().find(|placed| placed.name != picked) {
        let behind = of(picked).map_or(0.0, |own| next.mean - own.mean);
        text += &format!(
            "; next is {} ({:+.5}, with a standard error of {:.5})",
            next.name, behind, next.behind_error
        );
    }
    text
}

const COMPLEXITY_TOGETHER: u32 = 9;

/// The order in which people find families simple.
fn complexity(family: &FamilyParams) -> u32 {
    match family {
        FamilyParams::Baseline => 0,
        FamilyParams::Scorecard(_) => 1,
        FamilyParams::Logistic(_) => 2,
        FamilyParams::Forest(_) => 4,
        FamilyParams::Boosting(_) => 5,
        FamilyParams::Mlp(_) => 6,
        FamilyParams::Ensemble(_) => COMPLEXITY_TOGETHER,
    }
}

impl Trial {
    /// Its means, by the keys that a run's own figures have.
    pub fn figures(&self) -> BTreeMap<String, f64> {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        BTreeMap::from([
            ("cv_auc".to_string(), mean(&self.aucs)),
            ("cv_log_loss".to_string(), mean(&self.log_losses)),
        ])
    }
}

/// The figures of each fold, with probabilities that one curve over all folds' margins gives.
fn judge(
    name: &str,
    settings: &[String],
    folds: &Folds,
    (labels, margins): (&[bool], &[f64]),
) -> Result<Trial, Failure> {
    let curve = Calibration::fit(CalibrationKind::Platt, margins, labels);
    let (mut log_losses, mut aucs) = (Vec::new(), Vec::new());
    for fold in 0..folds.count {
        let rows: Vec<usize> = (0..labels.len()).filter(|&row| folds.of[row] == fold).collect();
        let own: Vec<bool> = rows.iter().map(|&row| labels[row]).collect();
        let scored: Vec<f64> = rows.iter().map(|&row| curve.probability(margins[row])).collect();
        let metrics = Metrics::of(&Scores::check(&own, &scored)?, 0.5)?;
        log_losses.push(metrics.log_loss);
        aucs.push(metrics.auc);
    }
    Ok(Trial { name: name.to_string(), settings: settings.to_vec(), rows_share: 1.0, log_losses, aucs })
}

/// All families as one: each fold is scored with weights that the other folds gave.
fn all_together(tried: &[(usize, Crossed)], folds: &Folds, labels: &[bool]) -> Result<Trial, Failure> {
    let mut margins = vec![0.0; labels.len()];
    for fold in 0..folds.count {
        let others: Vec<usize> = (0..labels.len()).filter(|&row| folds.of[row] != fold).collect();
        let pick = |own: &Crossed| -> Vec<f64> { others.iter().map(|&row| own.margins[row]).collect() };
        let known: Vec<Vec<f64>> = tried.iter().map(|(_, own)| pick(own)).collect();
        let known: Vec<&[f64]> = known.iter().map(Vec::as_slice).collect();
        let own: Vec<bool> = others.iter().map(|&row| labels[row]).collect();
        let weights = stack(&known, &own);
        for row in (0..labels.len()).filter(|&row| folds.of[row] == fold) {
            margins[row] = weights.margin(tried.iter().map(|(_, own)| own.margins[row]));
        }
    }
    judge(TOGETHER, &[], folds, (labels, &margins))
}

/// Candidates that are worth all rows, and the trials of those that are not.
struct Kept {
    candidates: Vec<usize>,
    given_up: Vec<Trial>,
}

/// The better third goes on with three times the rows, until so few are left that all rows can be had.
fn halve(
    development: &Development<'_>,
    params: &SearchParams,
    rows: &[usize],
    progress: &dyn Progress,
) -> Result<Kept, Failure> {
    let mut kept = Kept { candidates: (0..params.candidates.len()).collect(), given_up: Vec::new() };
    let mut share = 1.0;
    while kept.candidates.len() as f64 * share > 3.0 && rows.len() as f64 * share / 3.0 > HALVING_ROWS_MIN {
        share /= 3.0;
    }
    while share < 0.99 && kept.candidates.len() > 1 {
        let mut random = Random::new(development.params.seed, "search.halving");
        let drawn = draw_stratified(rows, development.labels, share, &mut random);
        let few: Vec<usize> = rows.iter().copied().filter(|&row| drawn[row]).collect();
        let folds = Folds::draw(&few, development.labels, params.folds, development.params.seed);
        let labels = development.labels_of(&few);
        let families: Vec<FamilyParams> =
            kept.candidates.iter().map(|&number| params.candidates[number].family.clone()).collect();
        let crossed = cross(development, &families, &folds, progress)?;
        let mut placed = Vec::new();
        for (&number, crossed) in kept.candidates.iter().zip(&crossed) {
            let candidate = &params.candidates[number];
            let trial = judge(&candidate.name, &candidate.settings, &folds, (&labels, &crossed.margins))?;
            let figures = trial.figures();
            progress.trial(&trial.name, &trial.settings, &figures);
            placed.push((figures["cv_log_loss"], number, Trial { rows_share: share, ..trial }));
        }
        placed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let left = placed.len().div_ceil(3);
        kept.candidates = placed.iter().take(left).map(|(_, number, _)| *number).collect();
        kept.given_up.extend(placed.into_iter().skip(left).map(|(_, _, trial)| trial));
        share *= 3.0;
    }
    Ok(kept)
}

/// Fewer rows than this say too little to give a candidate up.
const HALVING_ROWS_MIN: f64 = 600.0;

/// A search whose every candidate was left out.
#[derive(Debug, thiserror::Error)]
#[error("the search has tried nothing: its budget is too small for a single candidate")]
struct NothingTried;

impl crate::base::fact::Fact for NothingTried {
    fn code(&self) -> &'static str {
        "search.nothing_tried"
    }

    fn class(&self) -> crate::base::fact::Class {
        crate::base::fact::Class::Usage
    }
}

/// The project whose family is trained: as it is, or as a search of its own has found it.
pub struct Chosen<'a> {
    pub project: Cow<'a, Project>,
    pub found: Option<Found>,
}

pub fn choose<'a>(
    project: &'a Project,
    table: &Table,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<Chosen<'a>, Failure> {
    let Some(search_params) = &project.params.search else {
        return Ok(Chosen { project: Cow::Borrowed(project), found: None });
    };
    let (labels, split) = split_rows(project, table)?;
    let development =
        Development { recipe: &project.recipe, params: &project.params, table, labels: &labels, cancel };
    let found = search(&development, search_params, &split.developed(), progress)?;
    let params = TrainParams { family: found.family.clone(), search: None, ..project.params.clone() };
    let project = Project { params, ..project.clone() };
    Ok(Chosen { project: Cow::Owned(project), found: Some(found) })
}

/// Families compared on the rows that do not test, and nothing trained on all of them.
pub fn compare_families(
    project: &Project,
    table: &Table,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<SearchReport, Failure> {
    let chosen = choose(project, table, cancel, progress)?;
    Ok(chosen.found.ok_or(NothingTried)?.report)
}
