//! `tune`, a training that tries settings first, and `cross-validate`, which only compares.
//! The figures are of rows that no test ever touches.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::speak::output::{Answer, columns};
use crate::cli::speak::progress::Bar;
use crate::cli::train::{Ordered, on_interrupt, seconds, train};
use crate::config::project::Project;
use crate::evaluate::compare::folds::FoldSummary;
use crate::pipeline::ready;
use crate::pipeline::search::{SearchReport, compare_families};
use crate::train::params::FamilyName;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Method {
    /// Every combination
    Grid,
    /// So many draws
    Random,
    /// Draws on few rows first; the better third goes on with three times as many
    Halving,
}

#[derive(Args)]
#[command(
    after_help = "A range is FROM..TO, or FROM..TO:log for powers; values are A,B,C.\n\nExamples:\n  tallystick tune my-loans --family boosting --try boosting.leaves=4..32 --try boosting.learning_rate=0.01..0.2:log --budget 60s\n  tallystick tune my-loans --family mlp --method grid --try mlp.dropout=0.1,0.2,0.3\n  tallystick tune my-loans --try logistic.weight_decay=0.1..20:log --trials 10 --one-se"
)]
pub struct TuneArguments {
    /// The project folder
    project: PathBuf,
    /// A file, or the digest of a kept data set [default: the newest set of the project]
    #[arg(long, value_name = "FILE|DIGEST")]
    data: Option<String>,
    /// Tune this family instead of the one train.toml names
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(FamilyName::ALL))]
    family: Option<String>,
    /// A key of train.toml and what it may be
    #[arg(long = "try", value_name = "KEY=CHOICE", value_parser = choice)]
    tried: Vec<String>,
    /// How candidates are chosen
    #[arg(long, value_enum, default_value_t = Method::Random)]
    method: Method,
    /// Draws of random and halving
    #[arg(long)]
    trials: Option<usize>,
    /// Folds that every candidate is tried on
    #[arg(long)]
    folds: Option<usize>,
    /// Begin no further candidate after so long, such as 60s or 5m
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    budget: Option<u64>,
    /// Pick the simplest candidate within one standard error of the best, not the best itself
    #[arg(long)]
    one_se: bool,
    /// Change a key of train.toml for this run
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Order the run and do not wait for it
    #[arg(long)]
    detach: bool,
}

pub fn tune(arguments: TuneArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let method = match arguments.method {
        Method::Grid => "grid",
        Method::Random => "random",
        Method::Halving => "halving",
    };
    let mut overrides = vec![format!("search.method={method}")];
    overrides.extend(arguments.family.map(|family| format!("family={family}")));
    overrides.extend(arguments.tried);
    overrides.extend(arguments.trials.map(|trials| format!("search.trials={trials}")));
    overrides.extend(arguments.folds.map(|folds| format!("search.folds={folds}")));
    overrides.extend(arguments.budget.map(|seconds| format!("search.budget_s={seconds}")));
    overrides.extend(arguments.one_se.then(|| "search.pick=one_se".to_string()));
    overrides.extend(arguments.overrides);
    let (project, data, detach) = (arguments.project, arguments.data, arguments.detach);
    train(Ordered { project, data, overrides, detach }, invocation)
}

/// As an assignment to the space of train.toml.
fn choice(text: &str) -> Result<String, String> {
    let bad = || format!("{text:?}: write key=FROM..TO, key=FROM..TO:log or key=A,B,C");
    let (key, choice) = text.split_once('=').ok_or_else(bad)?;
    let value = match choice.split_once("..") {
        Some((from, rest)) => {
            let (to, log) = rest.strip_suffix(":log").map_or((rest, false), |to| (to, true));
            let number = |text: &str| text.trim().parse::<f64>().map_err(|_| bad());
            json!({"from": number(from)?, "to": number(to)?, "log": log})
        }
        None => {
            let one = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
            json!(choice.split(',').map(|text| one(text.trim())).collect::<Vec<_>>())
        }
    };
    Ok(format!("search.space.{key}={value}"))
}

#[derive(Args)]
#[command(
    after_help = "Nothing is kept: no run, no version, no record.\n\nExamples:\n  tallystick cross-validate my-loans --data loans.csv\n  tallystick cross-validate my-loans --data loans.csv --families boosting,scorecard --folds 10"
)]
pub struct CrossArguments {
    /// The project folder
    project: PathBuf,
    /// The rows, as CSV or Parquet
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// The families [default: all that train.toml's search.families names, and the ensemble of them]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    families: Vec<String>,
    /// How many folds
    #[arg(long)]
    folds: Option<usize>,
    /// Change a key of train.toml
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

pub fn cross_validate(arguments: CrossArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let mut overrides = vec!["search.method=auto".to_string()];
    if !arguments.families.is_empty() {
        overrides.push(format!("search.families={}", json!(arguments.families)));
    }
    overrides.extend(arguments.folds.map(|folds| format!("search.folds={folds}")));
    overrides.extend(arguments.overrides);
    let project = Project::load(&arguments.project, &overrides)?;
    let (table, _) = ready::validate(&project, &arguments.data, None)?;
    ready::refuse_leaks(&project, &table)?;
    let bar = Bar::new(invocation.output);
    let compared = compare_families(&project, &table, &on_interrupt()?, &bar);
    bar.finish();
    Ok(told(&compared?))
}

fn told(report: &SearchReport) -> Answer {
    let header = ["", "log loss", "sd", "behind", "its error", "AUC", "sd"];
    let mut rows = vec![header.map(String::from).to_vec()];
    for placed in &report.log_loss.candidates {
        let auc = find(&report.auc, &placed.name);
        rows.push(vec![
            placed.name.clone(),
            format!("{:.5}", placed.mean),
            format!("{:.5}", placed.sd),
            format!("{:.5}", placed.behind),
            format!("{:.5}", placed.behind_error),
            auc.map_or_else(String::new, |(mean, _)| format!("{mean:.5}")),
            auc.map_or_else(String::new, |(_, sd)| format!("{sd:.5}")),
        ]);
    }
    let text = format!("{}\n{}", columns(&rows), report.why);
    Answer::new(text, json!(report))
}

fn find(summary: &FoldSummary, name: &str) -> Option<(f64, f64)> {
    summary.candidates.iter().find(|placed| placed.name == name).map(|placed| (placed.mean, placed.sd))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_a_range_or_values() {
        assert_eq!(choice("a.b=1..20:log").unwrap(), r#"search.space.a.b={"from":1.0,"log":true,"to":20.0}"#);
        assert_eq!(choice("a.b=4,8,none").unwrap(), r#"search.space.a.b=[4,8,"none"]"#);
        assert!(choice("a.b").is_err() && choice("a.b=x..2").is_err());
    }
}
