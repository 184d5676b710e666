//! Every family through the real flow on the demo's loans: what must hold of each of them alike, and what only some
//! promise. Trains small models; how good they are is measured elsewhere.

mod columns;
mod damage;
mod explained;
mod monotone;
mod same;

use std::path::Path;
use std::sync::OnceLock;

use tallystick::base::cancel::CancelFlag;
use tallystick::base::fact::Failure;
use tallystick::base::limits;
use tallystick::base::progress::Silent;
use tallystick::config::project::Project;
use tallystick::data::import::reader::Purpose;
use tallystick::data::import::whole::read_table;
use tallystick::data::table::{Column, Kind, MISSING, Table, TextValues, Values};
use tallystick::pipeline::candidate::Candidate;
use tallystick::pipeline::flow;
use tallystick::registry::content::LoadedModel;
use tallystick::train::params::FamilyName;

use crate::support::fixture;

/// Small enough for a few seconds, with every part at work: several trees, two lines, folds, members.
const SMALL: [&str; 13] = [
    "logistic.epochs=3",
    "logistic.models=2",
    "mlp.epochs=2",
    "mlp.hidden=[8]",
    "mlp.batch_rows=256",
    "boosting.models=2",
    "boosting.rounds=25",
    "boosting.patience=10",
    "forest.trees=10",
    "forest.leaf_rows=20",
    "ensemble.members=[\"scorecard\",\"logistic\",\"boosting\"]",
    "ensemble.folds=2",
    "calibration.folds=2",
];

pub fn families() -> [&'static str; 7] {
    FamilyName::ALL
}

pub fn project(family: &str, more: &[&str]) -> Project {
    try_project(family, more).unwrap()
}

pub fn try_project(family: &str, more: &[&str]) -> Result<Project, Failure> {
    let named = format!("family={family}");
    let all: Vec<String> = [named.as_str()].iter().chain(&SMALL).chain(more).map(|s| s.to_string()).collect();
    Ok(Project::load(Path::new(&fixture("projects/loan-default")), &all)?)
}

/// The demo's 2,900 loans.
pub fn loans() -> &'static Table {
    static LOANS: OnceLock<Table> = OnceLock::new();
    LOANS.get_or_init(|| {
        let (path, contract) = (fixture("loan-default/sample.csv"), project("baseline", &[]).contract);
        read_table(Path::new(&path), &contract, Purpose::Training, limits::ROWS_MAX).unwrap().0
    })
}

/// Every other loan.
pub fn some_loans() -> Table {
    loans().select(&(0..loans().rows()).step_by(2).collect::<Vec<_>>())
}

pub fn try_train(family: &str, more: &[&str], table: &Table) -> Result<Candidate, Failure> {
    flow::train(&project(family, more), table.clone(), &CancelFlag::new(), &Silent)
}

pub fn train(family: &str, more: &[&str], table: &Table) -> Candidate {
    try_train(family, more, table).unwrap_or_else(|failure| panic!("{family}: {} {failure}", failure.code()))
}

/// A model of each family over the same loans, trained once for all tests that only look.
pub fn trained(family: &str) -> &'static Candidate {
    static TRAINED: [OnceLock<Candidate>; 7] = [const { OnceLock::new() }; 7];
    let place = families().iter().position(|name| *name == family).unwrap();
    TRAINED[place].get_or_init(|| train(family, &[], &some_loans()))
}

pub fn loaded(candidate: &Candidate) -> LoadedModel {
    candidate.pack.load().unwrap()
}

/// One margin a row of the table.
pub fn margins(model: &LoadedModel, table: &Table) -> Vec<f64> {
    model.model.margins(&model.model.recipe.transform(table).unwrap())
}

/// The table with another column in the place of one of the same name.
pub fn with_column(table: &Table, name: &str, values: Values) -> Table {
    let kind = if matches!(values, Values::Text(_)) { Kind::Text } else { Kind::Number };
    let changed = |column: &Column| {
        if column.name == name {
            let kind = if kind == Kind::Text { kind } else { column.kind };
            Column { name: name.into(), kind, values: values.clone() }
        } else {
            column.clone()
        }
    };
    Table::new(table.columns().iter().map(changed).collect()).unwrap()
}

pub fn with_number(table: &Table, name: &str, number: f64) -> Table {
    with_column(table, name, Values::Number(vec![number; table.rows()].into()))
}

/// Nothing is a missing cell.
pub fn with_text(table: &Table, name: &str, texts: impl Iterator<Item = Option<String>>) -> Table {
    let mut values = TextValues::default();
    for text in texts {
        let code = match text {
            None => MISSING,
            Some(text) => {
                let known = values.levels.iter().position(|level| *level == text);
                known.unwrap_or_else(|| {
                    values.levels.push(text);
                    values.levels.len() - 1
                }) as u32
            }
        };
        values.codes.push(code);
    }
    with_column(table, name, Values::Text(values))
}
