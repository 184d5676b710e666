//! `check NAME@N --against production`: whether a version may follow what is in force, by its figures on the same rows.
//! Promotes nothing; exit 4 says that a figure fell by more than it may.

use clap::Args;
use serde_json::json;

use crate::base::fact::{Class, Failure};
use crate::cli::Invocation;
use crate::cli::speak::output::{Answer, columns};
use crate::client::target::Target;
use crate::http::views::check::{CheckView, JudgedView};
use crate::registry::version::{Alias, ModelRef, Which};

#[derive(Args)]
#[command(
    after_help = "Both must have been tested on the same rows: trained on the same data with the same seed and [split].\nExit 4 where a figure is worse by more than its tolerance.\n\nExamples:\n  tallystick check loan-default@4 --against production\n  tallystick check loan-default@4 --tolerance 0.005 --brier 0.001"
)]
pub struct CheckArguments {
    /// NAME (the newest version), NAME@3 or NAME:staging
    model: ModelRef,
    /// The alias whose version it is held against
    #[arg(long, value_name = "ALIAS", default_value = "production")]
    against: Alias,
    /// How much lower the AUC may be
    #[arg(long, value_name = "AUC", default_value_t = 0.01)]
    tolerance: f64,
    /// How much higher the log loss may be [default: not judged]
    #[arg(long, value_name = "LOSS")]
    log_loss: Option<f64>,
    /// How much higher the Brier score may be [default: not judged]
    #[arg(long, value_name = "SCORE")]
    brier: Option<f64>,
}

pub fn run(arguments: &CheckArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let model = &arguments.model;
    let mut target = Target::of(["v1", "models", &model.name, "check"])
        .with("against", arguments.against.to_string())
        .with("auc", arguments.tolerance.to_string());
    match model.which {
        Which::Unstated => {}
        Which::Number(version) => target = target.with("version", version.to_string()),
        Which::Alias(alias) => target = target.with("alias", alias.to_string()),
    }
    for (name, value) in [("log_loss", arguments.log_loss), ("brier", arguments.brier)] {
        if let Some(value) = value {
            target = target.with(name, value.to_string());
        }
    }
    let checked: CheckView = invocation.client()?.get(&target)?;
    let answer = Answer::new(text(&checked), json!(checked));
    Ok(if checked.holds { answer } else { answer.ending(Class::GateRefused) })
}

fn text(checked: &CheckView) -> String {
    let CheckView { name, version, alias, against_version, rows, level, rounds, .. } = checked;
    let mut table = vec![
        ["", &format!("@{against_version}"), &format!("@{version}"), "worse by", "", "at most", ""]
            .map(String::from)
            .to_vec(),
    ];
    table.extend(checked.judged.iter().map(|judged| {
        let JudgedView { metric, against, candidate, worse_by, worse_low, worse_high, tolerance, .. } =
            judged;
        let within = format!("{worse_low:+.4} to {worse_high:+.4}");
        let figures = [format!("{against:.4}"), format!("{candidate:.4}"), format!("{worse_by:+.4}"), within];
        [vec![metric.clone()], figures.to_vec(), vec![tolerance.to_string(), words(&judged.standing).into()]]
            .concat()
    }));
    let verdict = if checked.holds { "holds" } else { "falls" };
    format!(
        "{name}@{version} {verdict} against {name}:{alias} (version {against_version}) on the same {rows} test rows ({:.0} %, {rounds} paired rounds)\n{}",
        100.0 * level,
        columns(&table).trim_end()
    )
}

fn words(standing: &str) -> &'static str {
    match standing {
        "holds" => "holds",
        "holds_uncertainly" => "holds, though the interval reaches beyond",
        "falls_uncertainly" => "falls, though chance alone might do that",
        _ => "falls",
    }
}
