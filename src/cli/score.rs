//! `predict`, `decide` and `batch`: a row or a file against what is in production.
//! Rows come from a file or standard input, never from the command line: they may hold personal data.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::app::decisions::Answered;
use crate::app::{batches, decisions};
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files::{self, at};
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::speak::output::{Answer, columns, number_up_to};
use crate::cli::speak::progress::Bar;
use crate::cli::train::on_interrupt;
use crate::registry::release::Release;
use crate::registry::version::ModelRef;
use crate::serve::batch::{BatchOrder, BatchResult};
use crate::serve::output::{BatchOptions, OutputFormat};
use crate::serve::scorer::{Decision, Notes};

#[derive(Args)]
#[command(
    after_help = "The row is one JSON object, its fields named as in the contract. `data row` makes one from a file.\n\nExamples:\n  tallystick data row my-loans loans.csv 1 --out applicant.json\n  tallystick decide my-loans --row applicant.json"
)]
pub struct RowArguments {
    /// NAME (what is in production), NAME@3 or NAME:staging
    model: ModelRef,
    /// A file with one JSON object; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    row: PathBuf,
}

#[derive(Args)]
#[command(
    after_help = "OUT gets a folder named after what was scored by what, and `latest` points to the newest.\nThe same batch again is verified and reused; an interrupted one goes on where it stopped.\n\nExamples:\n  tallystick batch loan-default new.csv scores/\n  tallystick batch loan-default@2 new.parquet scores/ --format parquet"
)]
pub struct BatchArguments {
    /// NAME (what is in production), NAME@3 or NAME:staging
    model: ModelRef,
    /// CSV (also gzipped) or Parquet
    input: PathBuf,
    /// The folder that gets the result
    out: PathBuf,
    /// What the result is written as
    #[arg(long, default_value = "csv", value_parser = ["csv", "parquet"])]
    format: String,
    /// Rows held in memory at a time; the result does not depend on it
    #[arg(long, default_value_t = limits::BATCH_CHUNK_ROWS, value_parser = chunk_rows)]
    chunk_rows: usize,
}

fn chunk_rows(text: &str) -> Result<usize, String> {
    number_up_to(text, limits::BATCH_CHUNK_ROWS_MAX)
}

#[derive(Debug, thiserror::Error)]
#[error("the row is not UTF-8 text")]
struct NotText;

impl Fact for NotText {
    fn code(&self) -> &'static str {
        "row.not_text"
    }

    fn class(&self) -> Class {
        Class::DataRefused
    }
}

fn read_row(path: &Path) -> Result<String, Failure> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let most = limits::ROW_JSON_BYTES_MAX + 1;
        std::io::stdin().lock().take(most).read_to_end(&mut bytes).map_err(at(path))?;
        bytes
    } else {
        files::read_at_most(path, limits::ROW_JSON_BYTES_MAX)?
    };
    Ok(String::from_utf8(bytes).map_err(|_| NotText)?)
}

pub fn predict(arguments: RowArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let row = read_row(&arguments.row)?;
    let answered = decisions::predict(&invocation.app()?, &arguments.model, &row)?;
    let p = &answered.answer;
    let mut text = format!("{:.4} probability  (margin {:+.4})\n", p.probability, p.margin);
    let mut rows = vec![vec!["  base".to_string(), format!("{:+.4}", p.base)]];
    rows.extend(p.contributions.iter().map(|c| vec![format!("  {}", c.field), format!("{:+.4}", c.value)]));
    text += &columns(&rows);
    text += &notes_text(&p.notes);
    text += &format!("by {}", named(&answered.release));
    Ok(Answer::new(text, with_release(json!(p), &answered.release)))
}

pub fn decide(arguments: RowArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let row = read_row(&arguments.row)?;
    Ok(decision_answer(&decisions::decide(&invocation.app()?, &arguments.model, &row)?))
}

pub fn decision_answer(answered: &Answered<Decision>) -> Answer {
    let d = &answered.answer;
    let in_hundred = (100.0 * d.probability).round();
    let mut text = format!(
        "{}\nabout {in_hundred} in 100 such cases turn out {:?} ({:.4})\n",
        d.outcome.to_uppercase(),
        answered.positive,
        d.probability
    );
    for reason in &d.reasons.list {
        let value = reason.value.as_ref().map_or("missing".into(), |v| format!("{} = {v}", reason.field));
        text += &format!("  - {} ({value})\n", reason.text);
    }
    text += &notes_text(&d.notes);
    text += &format!(
        "by {}, policy {}\nThis is an answer, not a record.",
        named(&answered.release),
        d.policy.short()
    );
    Answer::new(text, with_release(json!(d), &answered.release))
}

fn named(release: &Release) -> String {
    format!("{}@{}", release.name, release.version)
}

fn with_release(mut json: Value, release: &Release) -> Value {
    json["name"] = json!(release.name);
    json["version"] = json!(release.version);
    json
}

fn notes_text(notes: &Notes) -> String {
    let mut text = String::new();
    let mut add = |what: &str, names: Vec<String>| {
        if !names.is_empty() {
            text += &format!("  {what}: {}\n", names.join(", "));
        }
    };
    add("missing", notes.missing.clone());
    add("defaulted", notes.defaulted.clone());
    add(
        "never seen in training",
        notes.unseen.iter().map(|u| format!("{} = {}", u.field, u.level)).collect(),
    );
    add("outside the training range", notes.out_of_range.clone());
    text
}

pub fn batch(arguments: BatchArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let app = invocation.app()?;
    let format = if arguments.format == "parquet" { OutputFormat::Parquet } else { OutputFormat::Csv };
    let out = std::path::absolute(&arguments.out).map_err(at(&arguments.out))?;
    let order = BatchOrder {
        input: &arguments.input,
        out: &out,
        options: BatchOptions { format },
        chunk_rows: arguments.chunk_rows,
    };
    let bar = Bar::new(invocation.output);
    let cancel = on_interrupt()?;
    let result = batches::run(&app, &arguments.model, &order, &cancel, &bar);
    bar.finish();
    Ok(batch_answer(&result?))
}

pub fn batch_answer(result: &BatchResult) -> Answer {
    let content = &result.manifest.content;
    let rows = &content.rows;
    let how = match (result.reused, result.resumed_rows) {
        (true, _) => " (finished before; verified and reused)".to_string(),
        (false, 0) => String::new(),
        (false, resumed) => format!(" (resumed after row {resumed})"),
    };
    let text = format!(
        "{} rows scored, {} set aside{how}\n{}",
        rows.scored,
        rows.quarantined,
        result.folder.display()
    );
    let scores = content.outputs.iter().find(|o| o.name.starts_with("scores")).map(|o| o.digest);
    let json = json!({
        "id": content.id, "folder": result.folder, "rows": rows.read, "scored": rows.scored,
        "quarantined": rows.quarantined, "scores_digest": scores, "reused": result.reused,
        "resumed_at": result.resumed_rows, "release": content.subject.release, "policy": content.subject.policy,
    });
    Answer::new(text, json)
}
