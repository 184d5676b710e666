//! `predict`, `decide` and `batch`: a row or a file against what is in production.
//! Rows come from a file or standard input, never from the command line: they may hold personal data.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::app::batches;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files::{self, at};
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::decision::answer;
use crate::cli::speak::output::{Answer, number_up_to};
use crate::cli::speak::progress::Bar;
use crate::cli::train::on_interrupt;
use crate::client::target::Target;
use crate::data::row::RowError;
use crate::registry::version::{ModelRef, Which};
use crate::serve::batch::output::{BatchOptions, OutputFormat};
use crate::serve::batch::{BatchOrder, BatchResult};

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
    if bytes.len() as u64 > limits::ROW_JSON_BYTES_MAX {
        return Err(RowError::TooLong { bytes: bytes.len() }.into());
    }
    Ok(String::from_utf8(bytes).map_err(|_| NotText)?)
}

/// Where a row of this model is sent.
pub(in crate::cli) fn of_model(model: &ModelRef, what: &str) -> Target {
    let target = Target::of(["v1", "models", &model.name, what]);
    match model.which {
        Which::Unstated => target,
        Which::Number(version) => target.with("version", version),
        Which::Alias(alias) => target.with("alias", alias),
    }
}

pub fn predict(arguments: RowArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let row = read_row(&arguments.row)?;
    let client = invocation.client()?;
    let prediction = client.post_text(&of_model(&arguments.model, "predict"), row)?;
    Ok(answer::prediction(&prediction))
}

pub fn decide(arguments: RowArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let row = read_row(&arguments.row)?;
    let client = invocation.client()?;
    let decision = client.post_text(&of_model(&arguments.model, "decisions"), row)?;
    Ok(answer::decision(&decision))
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
