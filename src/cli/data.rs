//! `data import|validate|profile|drift|list|row`: files before they are training data.
//! Never trains.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::app::datasets;
use crate::app::error::check_absent;
use crate::base::canonical::CanonicalError;
use crate::base::clock::{iso_date, millis_to_text};
use crate::base::fact::Failure;
use crate::base::files;
use crate::cli::Invocation;
use crate::cli::api::Reached;
use crate::cli::api::orders::{Source, send_data};
use crate::cli::api::pages::every;
use crate::cli::speak::output::{Answer, columns};
use crate::cli::speak::progress::Bar;
use crate::client::call::Client;
use crate::client::target::Target;
use crate::config::project::Project;
use crate::data::infer::draft::{Hints, infer};
use crate::data::profile::column::{ColumnProfile, Profile};
use crate::data::table::Kind;
use crate::data::write::write_parquet;
use crate::http::views::work::{DataSet, DataSetList, ImportBody};
use crate::pipeline::ready::{self, Validated};

pub mod drift;

#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  tallystick data validate my-loans loans.csv\n  tallystick data drift --reference loans-2025.csv --current loans-2026.csv\n  tallystick data import my-loans loans.csv --quarantine bad.csv\n  tallystick data profile loans.csv --target loan_status --positive 'Charged Off'"
)]
pub enum DataCommand {
    /// Validate a file and keep it as a data set
    Import {
        /// The project folder
        project: PathBuf,
        /// CSV (also gzipped) or Parquet
        file: PathBuf,
        /// Set rows that break a rule aside in this file, and keep the rest
        #[arg(long, value_name = "CSV")]
        quarantine: Option<PathBuf>,
    },
    /// Hold a file against contract and expectations; keeps nothing
    Validate {
        /// The project folder
        project: PathBuf,
        /// CSV (also gzipped) or Parquet
        file: PathBuf,
        /// Write the rows that break a rule to this file
        #[arg(long, value_name = "CSV")]
        quarantine: Option<PathBuf>,
    },
    /// What is in a file: kinds, gaps, ranges, and what each column says of the target
    Profile {
        /// CSV (also gzipped) or Parquet
        file: PathBuf,
        /// The column with the outcome
        #[arg(long)]
        target: Option<String>,
        /// The value of the target that counts
        #[arg(long, requires = "target")]
        positive: Option<String>,
    },
    /// Whether the columns of one file still look like those of another
    Drift {
        /// What it is held against: CSV (also gzipped) or Parquet
        #[arg(long, value_name = "FILE")]
        reference: PathBuf,
        /// What is looked at: CSV (also gzipped) or Parquet
        #[arg(long, value_name = "FILE")]
        current: PathBuf,
        /// Only these columns, with commas between [default: all that both files have]
        #[arg(long, value_name = "NAMES", value_delimiter = ',')]
        columns: Vec<String>,
    },
    /// The data sets that are kept
    List,
    /// One row of a file as the JSON that `predict` and `decide` take
    Row {
        /// The project folder
        project: PathBuf,
        /// CSV (also gzipped) or Parquet
        file: PathBuf,
        /// Data rows count from 1
        number: u64,
        /// A file that does not exist yet [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

pub fn run(command: DataCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        DataCommand::Import { project, file, quarantine } => {
            import(&project, &file, quarantine.as_deref(), invocation)
        }
        DataCommand::Validate { project, file, quarantine } => {
            quarantine.as_deref().map_or(Ok(()), check_absent)?;
            let project = Project::load(&project, &[])?;
            let (_, validated) = ready::validate(&project, &file, quarantine.as_deref())?;
            Ok(Answer::new(validated_text(&validated), validated_json(&validated)))
        }
        DataCommand::Profile { file, target, positive } => {
            let hints = Hints { target, positive, split: None, protect: false };
            let profile = infer(&file, &hints)?.profile;
            Ok(Answer::new(profile_text(&profile), json!(profile)))
        }
        DataCommand::Drift { reference, current, columns } => drift::run(&reference, &current, &columns),
        DataCommand::List => list(invocation),
        DataCommand::Row { project, file, number, out } => {
            let row = datasets::row_as_json(&Project::load(&project, &[])?, &file, number)?;
            let text = serde_json::to_string_pretty(&row).map_err(CanonicalError::Write)?;
            match out {
                None => Ok(Answer::new(text, json!({ "row": row }))),
                Some(out) => {
                    check_absent(&out)?;
                    files::write_atomic(&out, text.as_bytes(), 0o600)?;
                    Ok(Answer::new(format!("Row {number} is in {}.", out.display()), json!({ "row": row })))
                }
            }
        }
    }
}

/// The file is checked here, where rows can be set aside, and again by whoever has the home.
fn import(
    project: &Path,
    file: &Path,
    quarantine: Option<&Path>,
    invocation: &Invocation,
) -> Result<Answer, Failure> {
    quarantine.map_or(Ok(()), check_absent)?;
    let reached = invocation.reach()?;
    let project = Project::load(project, &[])?;
    let (content, dataset, validated) = match reached {
        Reached::Here { app, .. } => {
            let imported = datasets::import(&app, &project, file, quarantine)?;
            (imported.row.content.to_hex(), json!(imported.row), imported.validated)
        }
        Reached::There(client) => {
            let (table, validated) = ready::validate(&project, file, quarantine)?;
            let set = match quarantine.map(files::partial_of) {
                None => send(&client, &project, (file, file), invocation)?,
                Some(kept) => {
                    let sent = write_parquet(&kept, &table)
                        .map_err(Failure::from)
                        .and_then(|()| send(&client, &project, (&kept, file), invocation));
                    let _ = std::fs::remove_file(&kept);
                    sent?
                }
            };
            (set.content.clone(), json!(set), validated)
        }
    };
    let text = format!("{}\nKept as {content}.", validated_text(&validated));
    let mut json = validated_json(&validated);
    json["dataset"] = dataset;
    Ok(Answer::new(text, json))
}

/// Sends the rows in a file, under the name of the file they came from.
fn send(
    client: &Client,
    project: &Project,
    (rows, named): (&Path, &Path),
    invocation: &Invocation,
) -> Result<DataSet, Failure> {
    let mut data = send_data(client, &Source::File(rows.to_path_buf()), &Bar::new(invocation.output))?;
    data.file_name = named.file_name().map(|name| name.to_string_lossy().into_owned());
    let body = ImportBody { project: project.sources.texts(), data };
    Ok(client.post_patiently(&Target::of(["v1", "data-sets"]), &body)?)
}

fn validated_text(validated: &Validated) -> String {
    let report = &validated.report;
    let mut text = format!(
        "{} rows read, {} fit, {} set aside",
        report.rows_read, validated.suite.rows, validated.set_aside
    );
    let suite = &validated.suite;
    text += &format!("; {} expectations, {} warnings", suite.results.len(), suite.failed_warning);
    for result in suite.results.iter().filter(|r| !r.success) {
        let of = result.column.as_deref().unwrap_or("table");
        text +=
            &format!("\n  {} {} of {of}: {}", result.severity.as_str(), result.expectation, result.message);
    }
    for finding in report.findings.iter().filter(|f| f.row.is_none()) {
        text += &format!("\n  {}: {}", finding.severity.as_str(), finding.text());
    }
    text
}

fn validated_json(validated: &Validated) -> Value {
    json!({
        "rows": validated.suite.rows,
        "rows_read": validated.report.rows_read,
        "rejected": validated.set_aside,
        "warnings": validated.suite.failed_warning,
        "import": validated.report,
        "expectations": validated.suite,
    })
}

fn profile_text(profile: &Profile) -> String {
    let head = ["column", "kind", "missing", "distinct", "auc", "iv", "range or levels"].map(String::from);
    let mut rows = vec![head.to_vec()];
    rows.extend(profile.columns.iter().map(column_line));
    format!("{} rows\n{}", profile.rows, columns(&rows))
}

fn column_line(column: &ColumnProfile) -> Vec<String> {
    let share = |x: Option<f64>| x.map_or("-".to_string(), |x| format!("{x:.3}"));
    let signal = column.signal.as_ref();
    vec![
        column.name.clone(),
        column.kind.as_str().to_string(),
        column.missing.to_string(),
        column.distinct.to_string(),
        share(signal.map(|s| s.auc)),
        share(signal.map(|s| s.information_value)),
        range_text(column),
    ]
}

/// What a person wants to see of a column at a glance.
fn range_text(column: &ColumnProfile) -> String {
    match &column.numbers {
        Some(numbers) if column.kind == Kind::Date => {
            let date = |days: f64| iso_date(days).unwrap_or_default();
            format!("{} .. {}", date(numbers.min), date(numbers.max))
        }
        Some(numbers) => {
            let middle = numbers.quantiles.get(3).copied().unwrap_or(numbers.mean);
            format!("{} .. {}, middle {middle}", numbers.min, numbers.max)
        }
        None => column.levels.iter().take(4).map(|(level, _)| level.as_str()).collect::<Vec<_>>().join(", "),
    }
}

fn list(invocation: &Invocation) -> Result<Answer, Failure> {
    let client = invocation.client()?;
    let sets =
        every(&client, Target::of(["v1", "data-sets"]), |page: DataSetList| (page.datasets, page.next))?;
    let mut rows = vec![["project", "content", "rows", "from", "imported"].map(String::from).to_vec()];
    rows.extend(sets.iter().map(|s| {
        let (rows, imported) = (s.rows.to_string(), millis_to_text(s.imported_ms));
        vec![s.name.clone(), s.content.chars().take(12).collect(), rows, s.source_name.clone(), imported]
    }));
    let text = if sets.is_empty() {
        "No data yet: `tallystick data import DIR FILE`.".into()
    } else {
        columns(&rows)
    };
    Ok(Answer::new(text, json!({ "datasets": sets })))
}
