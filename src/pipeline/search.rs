//! Candidates tried on the same folds, and the one that is trained: families against each other and together, or
//! settings of one family. Sees no test row; why the pick was made is told in figures.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::cancel::CancelFlag;
use crate::base::canonical;
use crate::base::fact::Failure;
use crate::base::progress::Progress;
use crate::base::rng::Random;
use crate::config::project::Project;
use crate::data::split::draw_stratified;
use crate::data::table::Table;
use crate::evaluate::compare::folds::{Candidate, FoldSummary, Placed, summarise};
use crate::model::calibrate::{Calibration, CalibrationKind};
use crate::pipeline::artifacts::Artifact;
use crate::pipeline::fitting::metrics_by_fold;
use crate::pipeline::parts::split_rows;
use crate::registry::gate::check_families;
use crate::train::cross::development::Development;
use crate::train::cross::folds::{Crossed, Folds, cross};
use crate::train::cross::stack::stack;
use crate::train::params::{
    EnsembleParams, FamilyParams, Pick, SearchCandidate, SearchMethod, SearchParams, TrainParams,
};

/// What a search has found: the family to train, and what is known of it on the folds.
pub struct Found {
    pub family: FamilyParams,
    pub folds: Folds,
    /// Of the family, or of each member of the ensemble that it is.
    pub crossed: Vec<Crossed>,
    pub report: SearchReport,
}

impl Found {
    /// What a search of these candidates found before, from its report: `crossed` as it was then. Nothing where the
    /// report names a candidate that is none.
    pub fn of_report(
        params: &SearchParams,
        report: SearchReport,
        folds: Folds,
        crossed: Vec<Crossed>,
    ) -> Option<Self> {
        let family = |name: &str| {
            params.candidates.iter().find(|candidate| candidate.name == name).map(|own| own.family.clone())
        };
        let family = if report.picked == TOGETHER {
            let whole = report.trials.iter().filter(|trial| trial.rows_share == 1.0);
            let members = whole.filter(|trial| trial.name != TOGETHER).map(|trial| family(&trial.name));
            let members = members.collect::<Option<Vec<FamilyParams>>>()?;
            FamilyParams::Ensemble(EnsembleParams { members, folds: folds.count })
        } else {
            family(&report.picked)?
        };
        Some(Self { family, folds, crossed, report })
    }

    pub fn why(&self) -> String {
        self.report.why.clone()
    }

    /// The report as a file of the run.
    pub fn artifact(&self) -> Result<Artifact, Failure> {
        Ok(Artifact { path: "search.json".into(), bytes: canonical::to_bytes(&self.report)? })
    }
}

/// Every trial and why the pick was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchReport {
    pub method: SearchMethod,
    pub folds: usize,
    pub trials: Vec<Trial>,
    /// Candidates that the budget left no time for.
    pub skipped: Vec<String>,
    /// Candidates that may not decide for the project's purpose.
    pub barred: Vec<String>,
    pub log_loss: FoldSummary,
    pub auc: FoldSummary,
    pub picked: String,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    let mut time = Time { budget_ms: params.budget_ms, longest_ms: 0, progress };
    let mut kept = Kept { candidates: (0..params.candidates.len()).collect(), ..Kept::default() };
    if params.method == SearchMethod::Halving {
        kept = halve(development, params, rows, &mut time)?;
    }
    let Kept { candidates, given_up: mut trials, mut skipped } = kept;
    let round = try_all(development, params, (&candidates, rows), &mut time)?;
    let folds = round.folds;
    let labels = development.labels_of(rows);
    skipped.extend(round.skipped);
    trials.extend(round.tried.iter().map(|tried| tried.trial.clone()));
    let tried: Vec<(usize, Crossed)> =
        round.tried.into_iter().map(|tried| (tried.number, tried.crossed)).collect();
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
        Pick::Best => best(&log_loss),
        Pick::OneSe => {
            let rule = "is the simplest within one standard error of the lowest mean log loss";
            (log_loss.pick.clone(), rule)
        }
    };
    let why = why(rule, &picked, &log_loss);
    let (method, folds) = (params.method, folds.count);
    let (trials, barred) = (Vec::new(), Vec::new());
    Ok(SearchReport { method, folds, trials, skipped, barred, log_loss, auc, picked, why })
}

/// The lowest log loss; but all families together stand where they are not beaten by more than two standard errors of
/// the difference: the luckiest of several noisy figures is mostly luck.
fn best(log_loss: &FoldSummary) -> (String, &'static str) {
    let together = log_loss.candidates.iter().find(|placed| placed.name == TOGETHER);
    let stands = |together: &Placed| together.behind <= 2.0 * together.behind_error;
    if log_loss.best != TOGETHER && together.is_some_and(stands) {
        let rule = "is beaten by no family alone by more than two standard errors of the difference";
        return (TOGETHER.to_string(), rule);
    }
    (log_loss.best.clone(), "has the lowest mean log loss")
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
    let probabilities: Vec<f64> = margins.iter().map(|&margin| curve.probability(margin)).collect();
    let figures = metrics_by_fold(folds, labels, &probabilities)?;
    let (log_losses, aucs) = figures.iter().map(|own| (own.log_loss, own.auc)).unzip();
    Ok(Trial { name: name.to_string(), settings: settings.to_vec(), rows_share: 1.0, log_losses, aucs })
}

/// All families as one: each fold is scored with weights that the other folds gave.
fn all_together(tried: &[(usize, Crossed)], folds: &Folds, labels: &[bool]) -> Result<Trial, Failure> {
    let mut margins = vec![0.0; labels.len()];
    for fold in 0..folds.count {
        let inside = folds.places(fold);
        let others: Vec<usize> = (0..labels.len()).filter(|&row| folds.of[row] != fold).collect();
        let pick = |own: &Crossed| -> Vec<f64> { others.iter().map(|&row| own.margins[row]).collect() };
        let known: Vec<Vec<f64>> = tried.iter().map(|(_, own)| pick(own)).collect();
        let known: Vec<&[f64]> = known.iter().map(Vec::as_slice).collect();
        let own: Vec<bool> = others.iter().map(|&row| labels[row]).collect();
        let weights = stack(&known, &own);
        for row in inside {
            margins[row] = weights.margin(tried.iter().map(|(_, own)| own.margins[row]));
        }
    }
    judge(TOGETHER, &[], folds, (labels, &margins))
}

/// What a search may still spend: a candidate is begun where the longest so far would end in time.
struct Time<'a> {
    /// 0 for no limit.
    budget_ms: u64,
    longest_ms: u64,
    progress: &'a dyn Progress,
}

impl Time<'_> {
    fn is_left(&self) -> bool {
        self.budget_ms == 0 || self.progress.spent_ms() + self.longest_ms <= self.budget_ms
    }

    fn spend<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let begun = self.progress.spent_ms();
        let done = work();
        self.longest_ms = self.longest_ms.max(self.progress.spent_ms() - begun);
        done
    }
}

/// A candidate, by its number, and how it did.
struct Tried {
    number: usize,
    crossed: Crossed,
    trial: Trial,
}

/// Candidates tried on the same folds of some rows.
struct Round {
    folds: Folds,
    tried: Vec<Tried>,
    skipped: Vec<String>,
}

/// In their order, as far as time lets; the first is always tried.
fn try_all(
    development: &Development<'_>,
    params: &SearchParams,
    (numbers, rows): (&[usize], &[usize]),
    time: &mut Time<'_>,
) -> Result<Round, Failure> {
    let folds = Folds::draw(rows, development.labels, params.folds, development.params.seed);
    let labels = development.labels_of(rows);
    let mut round = Round { folds, tried: Vec::new(), skipped: Vec::new() };
    for &number in numbers {
        let candidate = &params.candidates[number];
        development.cancel.check()?;
        if !round.tried.is_empty() && !time.is_left() {
            round.skipped.push(candidate.name.clone());
            continue;
        }
        let progress = time.progress;
        let family = std::slice::from_ref(&candidate.family);
        let crossed = time.spend(|| cross(development, family, &round.folds, progress))?;
        let Some(crossed) = crossed.into_iter().next() else { continue };
        let judged = (labels.as_slice(), crossed.margins.as_slice());
        let trial = judge(&candidate.name, &candidate.settings, &round.folds, judged)?;
        progress.trial(&trial.name, &trial.settings, &trial.figures());
        round.tried.push(Tried { number, crossed, trial });
    }
    Ok(round)
}

/// Candidates that are worth all rows, the trials of those that are not, and those there was no time for.
#[derive(Default)]
struct Kept {
    candidates: Vec<usize>,
    given_up: Vec<Trial>,
    skipped: Vec<String>,
}

/// The better third goes on with three times the rows, until so few are left that all rows can be had.
fn halve(
    development: &Development<'_>,
    params: &SearchParams,
    rows: &[usize],
    time: &mut Time<'_>,
) -> Result<Kept, Failure> {
    let mut kept = Kept { candidates: (0..params.candidates.len()).collect(), ..Kept::default() };
    let mut share = 1.0;
    while kept.candidates.len() as f64 * share > 3.0 && rows.len() as f64 * share / 3.0 > HALVING_ROWS_MIN {
        share /= 3.0;
    }
    while share < 0.99 && kept.candidates.len() > 1 {
        let mut random = Random::new(development.params.seed, "search.halving");
        let drawn = draw_stratified(rows, development.labels, share, &mut random);
        let few: Vec<usize> = rows.iter().copied().filter(|&row| drawn[row]).collect();
        let mut round = try_all(development, params, (&kept.candidates, &few), time)?;
        kept.skipped.extend(round.skipped);
        let loss = |tried: &Tried| tried.trial.figures()["cv_log_loss"];
        round.tried.sort_by(|a, b| loss(a).total_cmp(&loss(b)));
        let left = round.tried.len().div_ceil(3);
        kept.candidates = round.tried.iter().take(left).map(|tried| tried.number).collect();
        let given_up = round.tried.into_iter().skip(left).map(|tried| tried.trial);
        kept.given_up.extend(given_up.map(|trial| Trial { rows_share: share, ..trial }));
        share *= 3.0;
    }
    Ok(kept)
}

/// Fewer rows than this say too little to give a candidate up.
const HALVING_ROWS_MIN: f64 = 600.0;

/// A search without a candidate.
#[derive(Debug, thiserror::Error)]
#[error("the search has tried nothing: none of its candidates may decide for the project's purpose")]
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
    // What is picked by the program must be able to serve; what a person tunes by name need not.
    let may_decide = |candidate: &SearchCandidate| {
        search_params.method != SearchMethod::Auto
            || check_families(project.settings.purpose, &candidate.family.kinds()).is_ok()
    };
    let (allowed, barred) = search_params.candidates.iter().cloned().partition(may_decide);
    let allowed: Vec<SearchCandidate> = allowed;
    if allowed.is_empty() {
        return Err(NothingTried.into());
    }
    let allowed = SearchParams { candidates: allowed, ..search_params.clone() };
    let mut found = search(&development, &allowed, &split.developed(), progress)?;
    found.report.barred = barred.into_iter().map(|candidate: SearchCandidate| candidate.name).collect();
    Ok(Chosen::by(project, found))
}

impl<'a> Chosen<'a> {
    /// Its family is what was found, and it searches no more.
    pub fn by(project: &'a Project, found: Found) -> Self {
        let params = TrainParams { family: found.family.clone(), search: None, ..project.params.clone() };
        let project = Project { params, ..project.clone() };
        Self { project: Cow::Owned(project), found: Some(found) }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether all together stand against one alone that is ahead of them by these figures in the folds.
    fn stand_against(ahead: [f64; 5]) -> bool {
        let candidate = |name: &str, values: [f64; 5]| Candidate {
            name: name.into(),
            complexity: 0,
            values: values.into(),
        };
        let alone = candidate("forest", ahead.map(|ahead| 0.5 - ahead));
        best(&summarise(&[alone, candidate(TOGETHER, [0.5; 5])], false).unwrap()).0 == TOGETHER
    }

    #[test]
    fn all_together_give_way_only_to_what_two_standard_errors_show() {
        // Means of 0.01 with a standard error of 0.0042, and of 0.0057.
        assert!(!stand_against([0.0, 0.01, 0.005, 0.025, 0.01]));
        assert!(stand_against([0.0, 0.0, 0.005, 0.03, 0.015]));
        assert!(!stand_against([0.01; 5]));
    }
}
