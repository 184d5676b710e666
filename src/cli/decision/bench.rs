//! `bench MODEL`: how long decisions take on this machine, stage by stage, by the way every decision takes.
//! Never decides about anybody: all of it are rehearsals, which are on record as such and counted nowhere.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use clap::Args;
use serde_json::{Value, json};

use crate::app::datasets;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::api::Reached;
use crate::cli::decision::answer;
use crate::cli::score::of_model;
use crate::cli::speak::output::{Answer, columns, number_up_to};
use crate::client::call::Client;
use crate::client::target::Target;
use crate::config::project::Project;
use crate::data::expect::aggregates::quantile;
use crate::demo::project::find;
use crate::http::server::Server;
use crate::http::views::decision::DecisionView;
use crate::registry::version::ModelRef;
use crate::security::actor::Person;

#[derive(Args)]
#[command(
    after_help = "Each decision is a rehearsal, made durable as any other: it stays on record as `simulated` and takes a case number,\nbut counts as no decision in figures and reports. One goes before, and one for each client; these are not measured.\n\nStages: read (head and body, who asks), parse (and check), score (and explain), decide (policy and reasons), seal,\ndurable (place in the log, disk), answer. `round trip` is what the caller waits.\n\nExamples:\n  tallystick bench loan-default\n  tallystick bench my-loans --rows rows.jsonl --count 5000 --clients 8\n  tallystick bench my-loans --rows loans.csv --project my-loans"
)]
pub struct BenchArguments {
    /// NAME (what is in production), NAME@3 or NAME:staging
    model: ModelRef,
    /// One JSON object a line, or with --project a CSV or Parquet file; without it, the rows of the demo project of this name
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    /// The project by whose contract a CSV or Parquet file is read
    #[arg(long, value_name = "DIR", requires = "rows")]
    project: Option<PathBuf>,
    /// How many decisions are measured
    #[arg(long, default_value_t = 1_000, value_parser = count)]
    count: usize,
    /// How many callers ask at a time
    #[arg(long, default_value_t = 4, value_parser = clients)]
    clients: usize,
}

fn count(text: &str) -> Result<usize, String> {
    number_up_to(text, limits::BENCH_COUNT_MAX)
}

fn clients(text: &str) -> Result<usize, String> {
    number_up_to(text, limits::BENCH_CLIENTS_MAX)
}

#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error("there are no rows to ask {model} with")]
    NoRows { model: String },
    #[error("{path}, line {line}: this is no JSON object", path = path.display())]
    Row { path: PathBuf, line: usize },
    #[error("the server does not say how long its stages took")]
    Untold,
    #[error("a caller of the bench has ended before its time")]
    CallerGone,
}

impl Fact for BenchError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoRows { .. } => "bench.no_rows",
            Self::Row { .. } => "bench.row",
            Self::Untold => "bench.untold",
            Self::CallerGone => "bench.caller_gone",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::NoRows { .. } | Self::Row { .. } => Class::Usage,
            Self::Untold | Self::CallerGone => Class::Failed,
        }
    }

    fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::NoRows { .. } => {
                "Give some: --rows FILE, one JSON object a line; `data row` makes one.".into()
            }
            Self::Row { .. } => {
                "Write one JSON object a line; a CSV or Parquet file needs --project DIR.".into()
            }
            Self::Untold => "Run the same version as client and as server.".into(),
            Self::CallerGone => return None,
        })
    }
}

pub fn run(arguments: BenchArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let rows = rows_of(&arguments)?;
    let way = Way::of(invocation)?;
    let target = of_model(&arguments.model, "decisions").with("simulated", true).with("timing", true);
    let bench = Bench {
        rows,
        target,
        count: arguments.count,
        next: AtomicUsize::new(0),
        over: AtomicBool::new(false),
    };
    let (named, place) = bench.warm_up(&way.client(invocation)?)?;
    let began = std::sync::Mutex::new(None::<Instant>);
    let start = std::sync::Barrier::new(arguments.clients);
    let samples = std::thread::scope(|scope| {
        let (bench, way, start, began) = (&bench, &way, &start, &began);
        let call = || {
            let client = way.client(invocation).and_then(|client| bench.warm_up(&client).map(|_| client));
            bench.over.fetch_or(client.is_err(), Ordering::Relaxed);
            start.wait();
            if let Ok(mut began) = began.lock() {
                began.get_or_insert_with(Instant::now);
            }
            bench.ask(&client?)
        };
        let callers: Vec<_> = (0..arguments.clients).map(|_| scope.spawn(call)).collect();
        let gone = |_| Err(BenchError::CallerGone.into());
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap_or_else(gone))
            .collect::<Result<Vec<_>, Failure>>()
    })?;
    let began = began.into_inner().ok().flatten().unwrap_or_else(Instant::now);
    let seconds = began.elapsed().as_secs_f64();
    let samples: Vec<Sample> = samples.into_iter().flatten().collect();
    let told = Told { model: named, place, clients: arguments.clients, seconds, samples };
    Ok(told.answer())
}

/// How each caller reaches whoever has the home.
enum Way {
    There,
    Here(Arc<Server>, Person),
}

impl Way {
    fn of(invocation: &Invocation) -> Result<Self, Failure> {
        Ok(match invocation.reach()? {
            Reached::There(_) => Self::There,
            Reached::Here { server, app } => Self::Here(server, app.person().clone()),
        })
    }

    fn client(&self, invocation: &Invocation) -> Result<Client, Failure> {
        match self {
            Self::There => invocation.client(),
            Self::Here(server, person) => Ok(Client::inside(Arc::clone(server), person.clone())?),
        }
    }
}

/// What one decision took, in milliseconds: each stage in its order, the sum, and what the caller waited.
struct Sample(Vec<(String, f64)>);

/// What is asked, and how much of it is left.
struct Bench {
    rows: Vec<String>,
    target: Target,
    count: usize,
    next: AtomicUsize,
    /// Somebody was refused: nobody need go on.
    over: AtomicBool,
}

impl Bench {
    /// Loads the model where it is not yet, and says which it is and where.
    fn warm_up(&self, client: &Client) -> Result<(String, String), Failure> {
        let row = self.rows.first().cloned().unwrap_or_default();
        let decision: DecisionView = client.post_text(&self.target, row)?;
        Ok((answer::named(&decision.record), client.to().to_string()))
    }

    /// Asks row after row until as many were asked as are to be.
    fn ask(&self, client: &Client) -> Result<Vec<Sample>, Failure> {
        let mut samples = Vec::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.count || self.over.load(Ordering::Relaxed) {
                return Ok(samples);
            }
            match self.ask_one(client, number) {
                Ok(sample) => samples.push(sample),
                Err(error) => {
                    self.over.store(true, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    }

    fn ask_one(&self, client: &Client, number: usize) -> Result<Sample, Failure> {
        let row = self.rows.get(number % self.rows.len()).cloned().unwrap_or_default();
        let began = Instant::now();
        let (_, timing) = client.post_timed::<serde::de::IgnoredAny>(&self.target, row)?;
        let round_trip = began.elapsed().as_secs_f64() * 1e3;
        let mut told = timing.as_deref().map(read_timing).unwrap_or_default();
        if told.is_empty() {
            return Err(BenchError::Untold.into());
        }
        told.push(("round trip".into(), round_trip));
        Ok(Sample(told))
    }
}

/// `read;dur=0.021, parse;dur=0.007`
fn read_timing(header: &str) -> Vec<(String, f64)> {
    let read = |entry: &str| {
        let (word, millis) = entry.trim().split_once(";dur=")?;
        Some((word.to_string(), millis.parse().ok()?))
    };
    header.split(',').filter_map(read).collect()
}

fn rows_of(arguments: &BenchArguments) -> Result<Vec<String>, Failure> {
    let none = || BenchError::NoRows { model: arguments.model.to_string() };
    let rows = match (&arguments.rows, &arguments.project) {
        (Some(path), None) => read_lines(path)?,
        (Some(path), Some(folder)) => read_table(&Project::load(folder, &[])?, path)?,
        (None, _) => {
            let demo = find(&arguments.model.name).map_err(|_| none())?;
            let texts = demo.files.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
            let folder = std::env::temp_dir().join(format!("tallystick-bench-{}", RunId::draw()));
            files::create_folder(&folder)?;
            let path = folder.join("rows.csv");
            let made = demo.write_csv(&path, TABLE_ROWS, SEED).map_err(Failure::from);
            let rows = made.and_then(|()| read_table(&Project::from_texts(texts, &[])?, &path));
            files::remove_folder(&folder)?;
            rows?
        }
    };
    if rows.is_empty() { Err(none().into()) } else { Ok(rows) }
}

/// Rows that are taken of a table, and the seed of those that are made up.
const TABLE_ROWS: usize = 100;
const SEED: u64 = 41;

fn read_table(project: &Project, path: &Path) -> Result<Vec<String>, Failure> {
    let mut rows = Vec::new();
    for number in 1..=TABLE_ROWS as u64 {
        match datasets::row_as_json(project, path, number) {
            Ok(row) => rows.push(row.to_string()),
            // A shorter file has no more.
            Err(error) if number > 1 && error.code() == "data.no_row" => break,
            Err(error) => return Err(error),
        }
    }
    Ok(rows)
}

fn read_lines(path: &Path) -> Result<Vec<String>, Failure> {
    let bytes = files::read_at_most(path, limits::BENCH_FILE_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    let filled = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let read =
        |(line, text): (usize, &str)| match serde_json::from_str::<serde_json::Map<String, Value>>(text) {
            Ok(_) => Ok(text.to_string()),
            Err(_) => Err(BenchError::Row { path: path.to_path_buf(), line }.into()),
        };
    filled.take(limits::BENCH_ROWS_MAX).map(read).collect()
}

/// What came of it.
struct Told {
    model: String,
    place: String,
    clients: usize,
    seconds: f64,
    samples: Vec<Sample>,
}

impl Told {
    fn answer(&self) -> Answer {
        let count = self.samples.len();
        let per_second = count as f64 / self.seconds.max(1e-9);
        let rehearsals = count + self.clients + 1;
        let mut table = vec![["stage", "p50 ms", "p90 ms", "p99 ms", "max ms"].map(String::from).to_vec()];
        let mut stages = Vec::new();
        let words = self.samples.first().map(|Sample(told)| told.as_slice()).unwrap_or_default();
        for (place, (word, _)) in words.iter().enumerate() {
            let of = |Sample(told): &Sample| told.get(place).map(|(_, millis)| *millis);
            let mut sorted: Vec<f64> = self.samples.iter().filter_map(of).collect();
            sorted.sort_by(f64::total_cmp);
            let [p50, p90, p99, max] =
                [0.5, 0.9, 0.99, 1.0].map(|share| quantile(&sorted, share).unwrap_or_default());
            let cells = [p50, p90, p99, max].map(|millis| format!("{millis:.3}"));
            table.push([vec![word.clone()], cells.to_vec()].concat());
            stages.push(json!({"stage": word, "p50_ms": p50, "p90_ms": p90, "p99_ms": p99, "max_ms": max}));
        }
        let text = format!(
            "{count} decisions by {} in {:.2} s: {per_second:.0} a second, {} at a time, asked through {}\n\n{}\n\
             All {rehearsals} are rehearsals: on record as `simulated`, and counted as no decision.",
            self.model,
            self.seconds,
            self.clients,
            self.place,
            columns(&table),
        );
        let json = json!({
            "model": self.model, "asked_through": self.place, "count": count, "clients": self.clients,
            "seconds": self.seconds, "per_second": per_second, "stages": stages,
            "recorded_as": "simulated", "rehearsals": rehearsals,
        });
        Answer::new(text, json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_as_it_is_written_and_nothing_else_is() {
        let read = read_timing("read;dur=0.021, parse;dur=1.5,cache;desc=\"x\", total;dur=x");
        assert_eq!(read, [("read".to_string(), 0.021), ("parse".to_string(), 1.5)]);
    }
}
