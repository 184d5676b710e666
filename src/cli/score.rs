//! `predict`, `decide` and `batch`: a row or a file against what is in production.
//! Rows come from a file or standard input, never from the command line: they may hold personal data.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use crate::app::decisions::{Answered, Asked, Content};
use crate::app::{batches, decisions};
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files::{self, at};
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::speak::output::{Answer, columns, number_up_to};
use crate::cli::speak::progress::Bar;
use crate::cli::speak::wait::wait_for;
use crate::cli::train::on_interrupt;
use crate::registry::version::ModelRef;
use crate::serve::batch::output::{BatchOptions, OutputFormat};
use crate::serve::batch::{BatchOrder, BatchResult};
use crate::serve::scorer::Notes;

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
    let app = invocation.app()?;
    prediction_answer(&wait_for(decisions::predict(&app, asked(&arguments.model, &row)))?)
}

pub fn decide(arguments: RowArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let row = read_row(&arguments.row)?;
    let app = invocation.app()?;
    decision_answer(&wait_for(decisions::decide(&app, asked(&arguments.model, &row)))?)
}

pub fn asked<'a>(model: &'a ModelRef, row: &'a str) -> Asked<'a> {
    Asked { model, row, key: None, simulated: false, started: Instant::now() }
}

fn prediction_answer(answered: &Answered) -> Result<Answer, Failure> {
    let Content::Prediction(p) = &answered.content else { return Ok(Answer::new("", json!({}))) };
    let mut text = format!("{:.4} probability  (margin {:+.4})\n", p.probability, p.margin);
    let mut rows = vec![vec!["  base".to_string(), format!("{:+.4}", p.base)]];
    rows.extend(p.contributions.iter().map(|c| vec![format!("  {}", c.field), format!("{:+.4}", c.value)]));
    text += &columns(&rows);
    text += &notes_text(&p.notes);
    text += &format!("by {}, record {}", named(answered), answered.header.seq);
    Ok(Answer::new(text, with_record(json!(p), answered)))
}

pub fn decision_answer(answered: &Answered) -> Result<Answer, Failure> {
    let Content::Decision(d) = &answered.content else {
        let text = "REFER\nno release of this model can score; a person decides".to_string();
        return Ok(Answer::new(text, with_record(json!({"outcome": "refer"}), answered)));
    };
    let in_hundred = (100.0 * d.probability).round();
    let mut text = format!(
        "{}\nabout {in_hundred} in 100 such cases turn out {:?} ({:.4})\n",
        d.outcome.to_uppercase(),
        answered.positive.as_deref().unwrap_or_default(),
        d.probability
    );
    for reason in &d.reasons.list {
        let value = reason.value.as_ref().map_or("missing".into(), |v| format!("{} = {v}", reason.field));
        text += &format!("  - {} ({value})\n", reason.text);
    }
    text += &notes_text(&d.notes);
    let case = answered.header.decision.as_ref().and_then(|facts| facts.case);
    text += &format!(
        "by {}, policy {}\ncase {}, record {}",
        named(answered),
        d.policy.short(),
        case.map_or("-".to_string(), |case| case.to_string()),
        answered.header.seq
    );
    Ok(Answer::new(text, with_record(json!(d), answered)))
}

fn named(answered: &Answered) -> String {
    let facts = answered.header.decision.as_ref();
    facts.map_or(String::new(), |f| format!("{}@{}", f.name, f.version.unwrap_or_default()))
}

fn with_record(mut json: Value, answered: &Answered) -> Value {
    if let Some(facts) = &answered.header.decision {
        json["name"] = json!(facts.name);
        json["version"] = json!(facts.version);
        json["decision_id"] = json!(facts.id);
        json["case"] = json!(facts.case);
    }
    json["seq"] = json!(answered.header.seq);
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
