//! `outcome report`: a file of what became of decisions, sent in parts.
//! Never decides which of them fit; whoever has the home does.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use crate::base::fact::{Class, Failure};
use crate::base::limits;
use crate::base::progress::Progress as _;
use crate::cli::Invocation;
use crate::cli::speak::output::Answer;
use crate::cli::speak::progress::Bar;
use crate::client::target::Target;
use crate::data::contract::{ColumnSpec, Contract, RawContract, Role};
use crate::data::import::reader::Purpose;
use crate::data::import::whole::read_table;
use crate::data::table::{Cell, Column, Kind, Table};
use crate::http::views::watch::outcome::{OutcomeBody, OutcomesBody, OutcomesView, RefusedOutcome};

/// How many refusals are shown one by one.
const SHOWN_MAX: usize = 10;

#[derive(Subcommand)]
#[command(
    after_help = "A decision is named by its case number, such as 0421-26-00317-K, or by its id.\n\nExamples:\n  tallystick outcome report loan-default repaid.csv --decision case --value loan_status\n  tallystick outcome report loan-default repaid.csv --known closed_on --group sex --group age_band"
)]
pub enum OutcomeCommand {
    /// Say what became of decisions; exit 3 where some could not be taken down
    Report {
        /// The model that decided
        model: String,
        /// CSV (also gzipped) or Parquet, a decision a row
        file: PathBuf,
        /// The column that names the decision
        #[arg(long, value_name = "COLUMN", default_value = "decision")]
        decision: String,
        /// The column with what became of it, spelled as in the training data
        #[arg(long, value_name = "COLUMN", default_value = "value")]
        value: String,
        /// The column that says since when it is known: 2026-03-14 or 2026-03-14T09:00:00Z [default: now]
        #[arg(long, value_name = "COLUMN")]
        known: Option<String>,
        /// A column with a group that is watched for fairness; no model sees it
        #[arg(long, value_name = "COLUMN")]
        group: Vec<String>,
    },
}

pub fn run(command: OutcomeCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        OutcomeCommand::Report { model, file, decision, value, known, group } => {
            let columns = Columns { decision, value, known, groups: group };
            report(&model, &file, &columns, invocation)
        }
    }
}

struct Columns {
    decision: String,
    value: String,
    known: Option<String>,
    groups: Vec<String>,
}

impl Columns {
    /// All of them as text, as they stand in the file.
    fn contract(&self) -> Result<Contract, Failure> {
        let required =
            |name: &str, role| ColumnSpec { required: true, ..ColumnSpec::new(name, Kind::Text, role) };
        let mut columns = vec![required(&self.decision, Role::Id), required(&self.value, Role::Target)];
        let others = self.known.iter().chain(&self.groups);
        columns.extend(others.map(|name| ColumnSpec::new(name, Kind::Text, Role::Feature)));
        Ok(RawContract { columns }.check()?)
    }

    fn read(&self, table: &Table, row: usize) -> OutcomeBody {
        let text = |name: &str| table.find_column(name).and_then(|column| text_of(column, row));
        let known = self.known.as_deref().and_then(text);
        // A day alone is its beginning.
        let known = known.map(|text| if text.len() == 10 { format!("{text}T00:00:00Z") } else { text });
        let groups: BTreeMap<String, String> =
            self.groups.iter().filter_map(|name| Some((name.clone(), text(name)?))).collect();
        let (decision, value) = (text(&self.decision), text(&self.value));
        OutcomeBody {
            decision: decision.unwrap_or_default(),
            value: value.unwrap_or_default(),
            known,
            groups,
        }
    }
}

fn text_of(column: &Column, row: usize) -> Option<String> {
    match column.cell(row) {
        Cell::Text(text) => Some(text.to_string()),
        Cell::Number(_) | Cell::Missing => None,
    }
}

fn report(model: &str, file: &Path, columns: &Columns, invocation: &Invocation) -> Result<Answer, Failure> {
    let (table, read) = read_table(file, &columns.contract()?, Purpose::Training, limits::ROWS_MAX)?;
    let client = invocation.client()?;
    let target = Target::of(["v1", "models", model, "outcomes"]);
    let bar = Bar::new(invocation.output);
    bar.stage("reporting", table.rows() as u64);
    let mut total = Total { unreadable: read.rows_rejected, ..Total::default() };
    for first in (0..table.rows()).step_by(limits::OUTCOMES_REPORTED_MAX) {
        let last = table.rows().min(first + limits::OUTCOMES_REPORTED_MAX);
        let outcomes = (first..last).map(|row| columns.read(&table, row)).collect();
        let said: OutcomesView = client.post(&target, &OutcomesBody { outcomes })?;
        total.add(said, |at| read.row_number(first + at));
        bar.step(last as u64);
    }
    Ok(total.answer())
}

#[derive(Default)]
struct Total {
    recorded: u64,
    corrected: u64,
    unchanged: u64,
    /// Rows of the file that could not even be sent.
    unreadable: u64,
    /// Refusals by the file's row.
    refused: Vec<(u64, RefusedOutcome)>,
}

impl Total {
    fn add(&mut self, said: OutcomesView, row_of: impl Fn(usize) -> u64) {
        self.recorded += said.recorded;
        self.corrected += said.corrected;
        self.unchanged += said.unchanged;
        let place = |one: &RefusedOutcome| one.pointer.rsplit('/').next().and_then(|at| at.parse().ok());
        self.refused.extend(said.refused.into_iter().map(|one| (place(&one).map_or(0, &row_of), one)));
    }

    fn answer(self) -> Answer {
        let mut text = format!(
            "{} outcomes taken down, {} corrected, {} known already.",
            self.recorded, self.corrected, self.unchanged
        );
        if self.unreadable > 0 {
            let _ = write!(text, "\n{} rows name no decision or no value.", self.unreadable);
        }
        if !self.refused.is_empty() {
            let _ = write!(text, "\n{} could not be taken down:", self.refused.len());
            for (row, one) in self.refused.iter().take(SHOWN_MAX) {
                let _ = write!(text, "\n  row {row}: {} [{}]", one.message, one.code);
            }
            if self.refused.len() > SHOWN_MAX {
                let _ =
                    write!(text, "\n  and {} more; --json names them all", self.refused.len() - SHOWN_MAX);
            }
        }
        let refused = self
            .refused
            .iter()
            .map(|(row, one)| json!({"row": row, "code": one.code, "message": one.message}));
        let refused: Vec<_> = refused.collect();
        let bad = self.unreadable > 0 || !refused.is_empty();
        let answer = Answer::new(
            text,
            json!({
                "recorded": self.recorded, "corrected": self.corrected, "unchanged": self.unchanged,
                "unreadable": self.unreadable, "refused": refused,
            }),
        );
        if bad { answer.ending(Class::DataRefused) } else { answer }
    }
}
