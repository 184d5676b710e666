//! Which rows train, which tune and which test: by lot within each class, by a column, or by time.
//! Every row is in exactly one part; the parts list rows in the table's order.

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::base::rng::Random;
use crate::data::spelling::{self, Decimal};
use crate::data::table::{Cell, Column, Kind, Table, Values};
use crate::data::write::cell_text;

/// Row numbers (from 0) of the three parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    pub train: Vec<usize>,
    pub valid: Vec<usize>,
    pub test: Vec<usize>,
}

impl Split {
    /// All rows that do not test, in the table's order.
    pub fn developed(&self) -> Vec<usize> {
        let mut rows = [self.train.as_slice(), &self.valid].concat();
        rows.sort_unstable();
        rows
    }

    /// The same test rows, and no row held out for validation.
    pub fn without_valid(self) -> Self {
        Self { train: self.developed(), valid: Vec::new(), test: self.test }
    }
}

/// How the test part is chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum TestRule {
    /// By lot, the same share of each class.
    Random { share: f64 },
    /// Rows whose cell in the column is one of the values.
    Column { column: String, test_values: Vec<String> },
    /// Rows strictly after a date (or number) of the column.
    After { column: String, cut: String },
    /// The latest rows, as near to the share as whole dates allow.
    Latest { column: String, share: f64 },
}

/// The validation part is always drawn by lot from the rows that do not test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitPlan {
    pub test: TestRule,
    /// Of all rows that do not test.
    pub valid_share: f64,
}

#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    #[error("{what} is {share}; a share is at least 0 and below 1")]
    Share { what: &'static str, share: f64 },
    #[error("the table has {rows} rows and {labels} labels")]
    Labels { rows: usize, labels: usize },
    #[error("the table has no column {column:?} to split by")]
    NoColumn { column: String },
    #[error("column {column:?} is text; a split by time needs dates or numbers")]
    NotTime { column: String },
    #[error("column {column:?}: {rows} rows have no value, so they belong to no part")]
    MissingCells { column: String, rows: usize },
    #[error("column {column:?}: {cut:?} is neither a date nor a number of that column's kind")]
    Cut { column: String, cut: String },
    #[error("the {part} part would have {positives} positive and {negatives} negative rows; it needs both")]
    OneClass { part: &'static str, positives: usize, negatives: usize },
}

impl Fact for SplitError {
    fn code(&self) -> &'static str {
        match self {
            Self::Share { .. } => "data.split.share",
            Self::Labels { .. } => "data.split.labels",
            Self::NoColumn { .. } => "data.split.no_column",
            Self::NotTime { .. } => "data.split.not_time",
            Self::MissingCells { .. } => "data.split.missing_cells",
            Self::Cut { .. } => "data.split.cut",
            Self::OneClass { .. } => "data.split.one_class",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::MissingCells { .. } | Self::OneClass { .. } => Class::DataRefused,
            Self::Labels { .. } => Class::Failed,
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        Some("Change the split in train.toml, or the rows of the file.".into())
    }
}

impl SplitPlan {
    pub fn split(&self, table: &Table, labels: &[bool], seed: u64) -> Result<Split, SplitError> {
        if table.rows() != labels.len() {
            return Err(SplitError::Labels { rows: table.rows(), labels: labels.len() });
        }
        check_share("valid_share", self.valid_share)?;
        let tests = self.test.mark(table, labels, seed)?;
        let (test, rest): (Vec<usize>, Vec<usize>) = (0..labels.len()).partition(|&row| tests[row]);
        let held = draw_stratified(&rest, labels, self.valid_share, &mut Random::new(seed, "split.valid"));
        let (valid, train): (Vec<usize>, Vec<usize>) = rest.into_iter().partition(|&row| held[row]);
        check_classes("train", &train, labels)?;
        if self.valid_share > 0.0 {
            check_classes("valid", &valid, labels)?;
        }
        if !matches!(self.test, TestRule::Random { share: 0.0 }) {
            check_classes("test", &test, labels)?;
        }
        Ok(Split { train, valid, test })
    }
}

fn check_share(what: &'static str, share: f64) -> Result<(), SplitError> {
    if (0.0..1.0).contains(&share) { Ok(()) } else { Err(SplitError::Share { what, share }) }
}

fn check_classes(part: &'static str, rows: &[usize], labels: &[bool]) -> Result<(), SplitError> {
    let positives = rows.iter().filter(|&&row| labels[row]).count();
    let negatives = rows.len() - positives;
    if positives > 0 && negatives > 0 {
        Ok(())
    } else {
        Err(SplitError::OneClass { part, positives, negatives })
    }
}

impl TestRule {
    /// True for each row that tests.
    fn mark(&self, table: &Table, labels: &[bool], seed: u64) -> Result<Vec<bool>, SplitError> {
        match self {
            Self::Random { share } => {
                check_share("share", *share)?;
                let all: Vec<usize> = (0..labels.len()).collect();
                Ok(draw_stratified(&all, labels, *share, &mut Random::new(seed, "split.test")))
            }
            Self::Column { column, test_values } => {
                let found = find_full_column(table, column)?;
                let tests = |row| is_one_of(found, row, test_values);
                Ok((0..table.rows()).map(tests).collect())
            }
            Self::After { column, cut } => {
                let times = find_times(table, column)?;
                let kind = table.find_column(column).map_or(Kind::Number, |c| c.kind);
                let value = parse_cut(kind, cut);
                let value =
                    value.ok_or_else(|| SplitError::Cut { column: column.clone(), cut: cut.clone() })?;
                Ok(times.iter().map(|time| *time > value).collect())
            }
            Self::Latest { column, share } => {
                check_share("share", *share)?;
                let times = find_times(table, column)?;
                let cut = find_cut(times, *share);
                Ok(times.iter().map(|time| *time > cut).collect())
            }
        }
    }
}

/// A value is met by its text or, in a column of numbers, by its number: `4` is also `4.0`.
fn is_one_of(column: &Column, row: usize, values: &[String]) -> bool {
    let text = cell_text(column, row);
    values.iter().any(|value| match column.cell(row) {
        Cell::Number(x) if column.kind != Kind::Date => {
            *value == text || parse_cut(column.kind, value) == Some(x)
        }
        _ => *value == text,
    })
}

fn parse_cut(kind: Kind, text: &str) -> Option<f64> {
    match kind {
        Kind::Date => spelling::date(text),
        Kind::Boolean => spelling::boolean(text).map(f64::from),
        _ => spelling::number(text, Decimal::Point),
    }
}

fn find_full_column<'a>(table: &'a Table, name: &str) -> Result<&'a Column, SplitError> {
    let column = table.find_column(name);
    let column = column.ok_or_else(|| SplitError::NoColumn { column: name.to_string() })?;
    match (0..column.len()).filter(|&row| column.cell(row) == Cell::Missing).count() {
        0 => Ok(column),
        rows => Err(SplitError::MissingCells { column: name.to_string(), rows }),
    }
}

fn find_times<'a>(table: &'a Table, name: &str) -> Result<&'a [f64], SplitError> {
    match &find_full_column(table, name)?.values {
        Values::Number(times) => Ok(times),
        Values::Text(_) => Err(SplitError::NotTime { column: name.to_string() }),
    }
}

/// The time after which the rows come nearest to the wanted share; a tie takes the later one.
fn find_cut(times: &[f64], share: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let wanted = share * sorted.len() as f64;
    let mut best = (f64::INFINITY, f64::INFINITY);
    for (at, time) in sorted.iter().enumerate() {
        let is_last_of_its_time = sorted.get(at + 1).is_none_or(|next| next > time);
        let distance = ((sorted.len() - at - 1) as f64 - wanted).abs();
        if is_last_of_its_time && distance <= best.0 {
            best = (distance, *time);
        }
    }
    best.1
}

/// Draws the share of each class among the rows; answers a mark for every row of the table.
pub fn draw_stratified(rows: &[usize], labels: &[bool], share: f64, random: &mut Random) -> Vec<bool> {
    let mut drawn = vec![false; labels.len()];
    for class in [false, true] {
        let mut members: Vec<usize> = rows.iter().copied().filter(|&row| labels[row] == class).collect();
        random.shuffle(&mut members);
        let count = (share * members.len() as f64).round() as usize;
        members.iter().take(count).for_each(|&row| drawn[row] = true);
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::TableBuilder;

    fn table(rows: usize) -> (Table, Vec<bool>) {
        let mut builder =
            TableBuilder::new([("fold", Kind::Integer), ("day", Kind::Date), ("part", Kind::Text)]);
        for row in 0..rows {
            let part = if row % 5 == 0 { "test" } else { "dev" };
            builder.push_row([
                Cell::Number((row % 5) as f64),
                Cell::Number((row / 7) as f64),
                Cell::Text(part),
            ]);
        }
        (builder.finish(), (0..rows).map(|row| row % 13 == 0).collect())
    }

    fn split(test: TestRule) -> Split {
        let (table, labels) = table(1_000);
        let split = SplitPlan { test, valid_share: 0.2 }.split(&table, &labels, 7).unwrap();
        let mut all: Vec<usize> = [split.train.as_slice(), &split.valid, &split.test].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1_000).collect::<Vec<_>>(), "every row is in one part");
        split
    }

    #[test]
    fn parts_by_lot_keep_the_class_ratio_and_depend_on_the_seed_alone() {
        let (table, labels) = table(5_000);
        let plan = SplitPlan { test: TestRule::Random { share: 0.2 }, valid_share: 0.25 };
        let one = plan.split(&table, &labels, 1).unwrap();
        assert_eq!(one, plan.split(&table, &labels, 1).unwrap());
        assert_ne!(one, plan.split(&table, &labels, 2).unwrap());
        let ratio = |rows: &[usize]| rows.iter().filter(|&&r| labels[r]).count() as f64 / rows.len() as f64;
        let base = labels.iter().filter(|l| **l).count() as f64 / 5_000.0;
        for part in [&one.train, &one.valid, &one.test] {
            assert!((ratio(part) - base).abs() < 0.005);
        }
        assert_eq!((one.test.len(), one.valid.len()), (1_000, 1_000));
    }

    #[test]
    fn a_column_names_its_test_rows_by_text_or_number() {
        let by = |column: &str, value: &str| {
            split(TestRule::Column { column: column.into(), test_values: vec![value.into()] }).test
        };
        let fifth: Vec<usize> = (0..1_000).step_by(5).collect();
        assert_eq!(by("part", "test"), fifth);
        assert_eq!(by("fold", "0.0"), fifth);
        assert_eq!(by("fold", "0"), fifth);
    }

    #[test]
    fn no_test_date_is_a_training_date() {
        let (table, _) = table(1_000);
        let Values::Number(days) = &table.find_column("day").unwrap().values else { panic!() };
        let after = TestRule::After { column: "day".into(), cut: "1970-04-11".into() };
        for rule in [after, TestRule::Latest { column: "day".into(), share: 0.3 }] {
            let split = split(rule);
            let last = split.train.iter().chain(&split.valid).map(|&r| days[r] as i64).max();
            let first = split.test.iter().map(|&r| days[r] as i64).min();
            assert!(first > last);
            assert!((split.test.len() as f64 - 300.0).abs() <= 7.0);
        }
    }

    #[test]
    fn a_part_without_both_classes_is_refused() {
        let (table, labels) = table(100);
        let plan = |test| SplitPlan { test, valid_share: 0.0 };
        let late = plan(TestRule::After { column: "day".into(), cut: "2000-01-01".into() });
        assert!(matches!(
            late.split(&table, &labels, 1),
            Err(SplitError::OneClass { part: "test", positives: 0, negatives: 0 })
        ));
        let text = plan(TestRule::Latest { column: "part".into(), share: 0.2 });
        assert_eq!(text.split(&table, &labels, 1).unwrap_err().code(), "data.split.not_time");
        let none = plan(TestRule::Random { share: f64::NAN });
        assert_eq!(none.split(&table, &labels, 1).unwrap_err().code(), "data.split.share");
        assert!(plan(TestRule::Random { share: 0.0 }).split(&table, &labels, 1).unwrap().test.is_empty());
    }
}
