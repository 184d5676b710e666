//! `model export`: a version as a folder that anybody can verify, or as text that another program runs.
//! Writes from the home itself; what it writes is new.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::app::registry::VersionRow;
use crate::app::registry::formats::{self, Form, Wanted};
use crate::app::registry::versions;
use crate::base::clock::millis_to_text;
use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::speak::output::Answer;
use crate::model::scorecard::points::RawScaling;
use crate::registry::version::ModelRef;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// The signed release as a folder
    #[default]
    Release,
    /// One SELECT that scores a table (scorecard, boosting, forest)
    Sql,
    /// The table of points (scorecard)
    Csv,
    /// PMML 4.4 (scorecard, boosting, forest)
    Pmml,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tallystick model export loan-default@2 release\n  tallystick model export loan-default --format sql --table applications --out score.sql\n  tallystick model export loan-default --format csv --pdo 20 --base-score 600 --base-odds 50 --whole-points --out card.csv"
)]
pub struct ExportArguments {
    /// NAME (the newest version), NAME@3 or NAME:production
    model: ModelRef,
    /// A folder (of a release) or file that does not exist yet; the same as --out
    #[arg(value_name = "PATH", required_unless_present = "out", conflicts_with = "out")]
    path: Option<PathBuf>,
    /// What to write
    #[arg(long, value_enum, default_value_t = ExportFormat::Release)]
    format: ExportFormat,
    /// A folder (of a release) or file that does not exist yet
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// The table that SQL reads
    #[arg(long, value_name = "NAME", default_value = "applications")]
    table: String,
    /// A column that SQL passes through, once for each [default: the contract's ids]
    #[arg(long = "key", value_name = "COLUMN")]
    keys: Vec<String>,
    /// Points that double the odds
    #[arg(long, value_name = "POINTS", default_value_t = RawScaling::default().pdo)]
    pdo: f64,
    /// The score at the base odds
    #[arg(long, value_name = "POINTS", allow_negative_numbers = true, default_value_t = RawScaling::default().base_score)]
    base_score: f64,
    /// Good to bad at the base score
    #[arg(long, value_name = "ODDS", default_value_t = RawScaling::default().base_odds)]
    base_odds: f64,
    /// Round the points of each bin
    #[arg(long)]
    whole_points: bool,
}

impl ExportArguments {
    fn wanted(&self, form: Form) -> Wanted {
        let scaling = RawScaling {
            pdo: self.pdo,
            base_score: self.base_score,
            base_odds: self.base_odds,
            whole: self.whole_points,
            ..RawScaling::default()
        };
        Wanted { form, scaling, table: self.table.clone(), keys: self.keys.clone() }
    }
}

pub fn run(arguments: &ExportArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let model = &arguments.model;
    let path = arguments.path.as_ref().or(arguments.out.as_ref());
    let path = path.map(PathBuf::as_path).unwrap_or(Path::new("."));
    let form = match arguments.format {
        ExportFormat::Release => {
            return Ok(answer(&versions::export(&invocation.app()?, model, path)?, "folder", path));
        }
        ExportFormat::Sql => Form::Sql,
        ExportFormat::Csv => Form::Csv,
        ExportFormat::Pmml => Form::Pmml,
    };
    let version = formats::export_as(&invocation.app()?, model, &arguments.wanted(form), path)?;
    Ok(answer(&version, "file", path))
}

fn answer(version: &VersionRow, what: &str, path: &Path) -> Answer {
    let text = format!("{}@{} is in {}.", version.name, version.version, path.display());
    let mut json = json!({
        "name": version.name,
        "version": version.version,
        "label": version.label,
        "digest": version.model,
        "release": version.release,
        "policy": version.policy,
        "run_id": version.run_id,
        "created": millis_to_text(version.created_ms),
    });
    json[what] = json!(path);
    Answer::new(text, json)
}
