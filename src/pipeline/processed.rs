//! The encoded rows held against what the project expects of them, after features and before training.
//! Changes nothing; a critical failure stops the run before a weight is learned.

use std::borrow::Cow;

use crate::base::canonical;
use crate::base::fact::Failure;
use crate::config::project::Project;
use crate::data::expect::frame::Frame;
use crate::data::expect::processed::ProcessedColumn;
use crate::data::expect::report::SuiteReport;
use crate::data::expect::suite::Suite;
use crate::data::table::{Column, Kind, Values};
use crate::features::fit::{Form, fit};
use crate::features::fitted::OutputColumn;
use crate::features::matrix::Matrix;
use crate::features::recipe::FittedRecipe;
use crate::pipeline::artifacts::Artifact;
use crate::pipeline::parts::{EncodedParts, Parts};
use crate::pipeline::ready::ReadyError;

/// All encoded rows in the order of the data set, a column at a time: the matrix may be wide.
pub struct Processed<'a> {
    columns: Vec<OutputColumn>,
    fields: Vec<&'a str>,
    target: &'a str,
    parts: [(&'a Matrix, &'a [bool]); 3],
    /// The row of the data set, the part it went to, and its place there.
    order: Vec<(usize, usize, usize)>,
}

impl<'a> Processed<'a> {
    pub fn of(project: &'a Project, parts: &'a EncodedParts<'a>, recipe: &'a FittedRecipe) -> Self {
        let split = &parts.rows.split;
        let places = [&split.train, &split.valid, &split.test];
        let parts = [
            (parts.train().matrix, parts.rows.train.labels.as_slice()),
            (parts.valid().matrix, parts.rows.valid.labels.as_slice()),
            (&parts.test, parts.rows.test.labels.as_slice()),
        ];
        let mut order: Vec<(usize, usize, usize)> = Vec::new();
        for (part, (matrix, _)) in parts.iter().enumerate() {
            order.extend((0..matrix.rows).zip(places[part]).map(|(at, row)| (*row, part, at)));
        }
        order.sort_unstable();
        let columns = recipe.columns();
        let fields = columns.iter().map(|column| recipe.fields[column.field].field.as_str()).collect();
        Self { columns, fields, target: &project.contract.target().name, parts, order }
    }

    /// What the project expects of these columns, made from so many rows.
    pub fn suite(&self, project: &Project, raw_rows: usize) -> Suite {
        let fields = self.columns.iter().zip(&self.fields);
        let columns: Vec<ProcessedColumn<'_>> =
            fields.map(|(column, field)| ProcessedColumn { name: &column.name, field }).collect();
        project.processed.bind(&columns, raw_rows)
    }

    /// Judges the rows; findings number them as the data set does, from 1.
    pub fn judge(&self, suite: &Suite) -> SuiteReport {
        let number = |row: usize| self.order.get(row).map_or(0, |place| place.0 as u64 + 1);
        suite.validate_numbered(self, &number)
    }

    fn gather(&self, name: &str, value: impl Fn(usize, usize) -> f64) -> Column {
        let values = self.order.iter().map(|&(_, part, at)| value(part, at)).collect();
        Column { name: name.into(), kind: Kind::Number, values: Values::Number(values) }
    }
}

impl Frame for Processed<'_> {
    fn rows(&self) -> usize {
        self.order.len()
    }

    fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).chain([self.target]).collect()
    }

    fn column(&self, name: &str) -> Option<Cow<'_, Column>> {
        let place = self.columns.iter().position(|column| column.name == name);
        let column = match place {
            Some(place) => self.gather(name, |part, at| f64::from(self.parts[part].0.row(at)[place])),
            None if name == self.target => {
                self.gather(name, |part, at| f64::from(u8::from(self.parts[part].1[at])))
            }
            None => return None,
        };
        Some(Cow::Owned(column))
    }
}

/// What was expected of the rows and what was found, as they came and encoded.
pub struct Expected {
    raw: SuiteReport,
    processed: SuiteReport,
}

/// Halts where the rows, encoded as the recipe says, break a critical expectation. That is asked whatever the family
/// reads: some read codes instead.
pub fn check_processed(project: &Project, parts: &Parts) -> Result<Expected, Failure> {
    let whole = &parts.whole;
    let recipe = fit(&project.recipe, &Form::Columns, &parts.train.table)?;
    let encoded = parts.encode(&recipe)?;
    let rows = Processed::of(project, &encoded, &recipe);
    let processed = rows.judge(&rows.suite(project, whole.rows())).without_values();
    if !processed.success {
        return Err(ReadyError::Processed(Box::new(processed)).into());
    }
    Ok(Expected { raw: project.suite.validate(whole).without_values(), processed })
}

impl Expected {
    /// Both reports as files of the run; figures and row numbers, no value of anybody.
    pub fn artifacts(&self) -> Result<Vec<Artifact>, Failure> {
        let reports = [("expectations.json", &self.raw), ("expectations_processed.json", &self.processed)];
        let one = |(path, report): (&str, &SuiteReport)| {
            Ok(Artifact { path: path.to_string(), bytes: canonical::to_bytes(report)? })
        };
        reports.into_iter().map(one).collect()
    }
}
