//! Two files held against each other, column by column, without a home and without a model.
//! Guesses what each column is from both; never keeps anything of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::fact::{Class, Fact, Failure, nearest};
use crate::base::limits;
use crate::data::cell::{CellRule, Value};
use crate::data::contract::{ColumnSpec, Role};
use crate::data::import::error::DataError;
use crate::data::import::source::OpenedSource;
use crate::data::infer::kind::{KindGuess, guess_kind, take_census};
use crate::data::infer::sample::{Sample, draw_sample};
use crate::data::spelling::Decimal;
use crate::data::table::Kind;
use crate::monitor::drift::DriftReport;
use crate::monitor::drift::evidently::{EvidentlyRules, FieldSamples, LevelCounts, Samples, compare};
use crate::monitor::limits::DRIFT_BINS_MAX;

#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("{file} has no column {column:?}", file = file.display())]
    NoColumn { file: PathBuf, column: String, near: Option<String> },
    #[error("{reference} and {current} have no column in common", reference = reference.display(), current = current.display())]
    NothingCommon { reference: PathBuf, current: PathBuf },
}

impl Fact for FilesError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoColumn { .. } => "drift.no_column",
            Self::NothingCommon { .. } => "drift.nothing_common",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::NoColumn { .. } => Class::Usage,
            Self::NothingCommon { .. } => Class::DataRefused,
        }
    }

    fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::NoColumn { near: Some(near), .. } => format!("Did you mean {near:?}?"),
            Self::NoColumn { .. } => "Name columns that both files have.".into(),
            Self::NothingCommon { .. } => "Give both the same header line.".into(),
        })
    }
}

/// What was found, and the rows of either file that were not as wide as its header and so are not in it.
pub struct Compared {
    pub report: DriftReport,
    pub uneven: [u64; 2],
}

/// The drift of the current file against the reference, by the default rules of Evidently; of these columns, or of all
/// that both files have.
pub fn compare_files(reference: &Path, current: &Path, columns: &[String]) -> Result<Compared, Failure> {
    let paths = [reference, current];
    let samples = [draw_sample(reference)?, draw_sample(current)?];
    let names = chosen(paths, &samples, columns)?;
    let plans = names.iter().map(|name| Plan::of(name, &samples)).collect::<Result<Vec<_>, _>>()?;
    let uneven = samples.each_ref().map(|sample| sample.rows_uneven);
    drop(samples);
    let sides = [read(reference, &plans, 0)?, read(current, &plans, 1)?];
    let [reference, current] = &sides;
    let pairs = names.iter().zip(reference.iter().zip(current));
    let fields: Vec<FieldSamples<'_>> = pairs
        .filter_map(|(name, (reference, current))| {
            let samples = match (reference, current) {
                (Read::Numbers(reference), Read::Numbers(current)) => Samples::Numbers { reference, current },
                (Read::Levels(reference), Read::Levels(current)) => Samples::Levels { reference, current },
                // Both sides of a column are read by one plan.
                _ => return None,
            };
            Some(FieldSamples { field: name.clone(), samples })
        })
        .collect();
    Ok(Compared { report: compare(&fields, None, &EvidentlyRules::default())?, uneven })
}

fn chosen(paths: [&Path; 2], samples: &[Sample; 2], columns: &[String]) -> Result<Vec<String>, FilesError> {
    for column in columns {
        for (path, sample) in paths.iter().zip(samples) {
            if !sample.header.contains(column) {
                let near = nearest(column, sample.header.iter().map(String::as_str)).map(str::to_string);
                return Err(FilesError::NoColumn { file: path.to_path_buf(), column: column.clone(), near });
            }
        }
    }
    let [reference, current] = samples;
    let wanted = |name: &&String| columns.is_empty() || columns.contains(*name);
    let both = reference.header.iter().filter(|name| !name.is_empty() && current.header.contains(*name));
    let names: Vec<String> = both.filter(wanted).cloned().collect();
    if names.is_empty() {
        let [reference, current] = paths.map(Path::to_path_buf);
        return Err(FilesError::NothingCommon { reference, current });
    }
    Ok(names)
}

/// How a column is read in each of the files: as numbers where it holds numbers, or dates, in both; else as levels.
struct Plan {
    name: String,
    numbers: bool,
    rules: [CellRule; 2],
}

impl Plan {
    fn of(name: &str, samples: &[Sample; 2]) -> Result<Self, DataError> {
        let [reference, current] = samples.each_ref().map(|sample| guess(name, sample));
        let is_number = |kind: Kind| matches!(kind, Kind::Integer | Kind::Number);
        let numbers = is_number(reference.kind) && is_number(current.kind)
            || reference.kind == Kind::Date && current.kind == Kind::Date;
        let rule = |guess: &KindGuess| {
            let spec = if numbers {
                // A whole number in one file may be none in the other.
                let kind = if is_number(guess.kind) { Kind::Number } else { guess.kind };
                let (cast, missing) = (guess.cast, guess.missing.clone());
                ColumnSpec { cast, missing, ..ColumnSpec::new(name, kind, Role::Feature) }
            } else {
                let missing = reference.missing.iter().chain(&current.missing).cloned().collect();
                ColumnSpec { missing, ..ColumnSpec::new(name, Kind::Text, Role::Feature) }
            };
            CellRule::new(&spec)
        };
        let broken = |_| DataError::NothingKnown { path: PathBuf::from(name) };
        let rules = [rule(&reference).map_err(broken)?, rule(&current).map_err(broken)?];
        Ok(Self { name: name.to_string(), numbers, rules })
    }
}

fn guess(name: &str, sample: &Sample) -> KindGuess {
    let at = sample.header.iter().position(|word| word == name);
    let cells = sample.rows.iter().map(|row| at.and_then(|at| row.get(at)).map_or("", String::as_str));
    guess_kind(&take_census(cells), sample.manner.text.map_or(Decimal::Point, |text| text.decimal))
}

/// All values of a column of one file.
enum Read {
    /// A missing one is NaN.
    Numbers(Vec<f64>),
    Levels(LevelCounts),
}

impl Read {
    /// What does not fit after all is missing.
    fn push(&mut self, value: Value<'_>) {
        match (self, value) {
            (Self::Numbers(numbers), Value::Number(number)) => numbers.push(number),
            (Self::Numbers(numbers), _) => numbers.push(f64::NAN),
            (Self::Levels(counts), Value::Text(text)) => count(&mut counts.levels, &text),
            (Self::Levels(counts), _) => counts.missing += 1,
        }
    }
}

/// Past the limit no further level is taken in; the comparison then refuses the column.
fn count(levels: &mut BTreeMap<String, u64>, level: &str) {
    if let Some(rows) = levels.get_mut(level) {
        *rows += 1;
    } else if levels.len() <= DRIFT_BINS_MAX {
        levels.insert(level.to_string(), 1);
    }
}

/// `side` is 0 for the reference and 1 for the current file.
fn read(path: &Path, plans: &[Plan], side: usize) -> Result<Vec<Read>, DataError> {
    let opened = OpenedSource::open(path, None)?;
    let (mut source, width, spelling) = (opened.source, opened.header.len(), opened.manner.spelling());
    let place = |plan: &Plan| opened.header.iter().position(|word| *word == plan.name).unwrap_or(width);
    let places: Vec<usize> = plans.iter().map(place).collect();
    let empty = |plan: &Plan| match plan.numbers {
        true => Read::Numbers(Vec::new()),
        false => Read::Levels(LevelCounts::default()),
    };
    let mut all: Vec<Read> = plans.iter().map(empty).collect();
    let mut rows = 0;
    while source.advance()? {
        if source.width().is_some_and(|found| found != width) {
            continue;
        }
        rows += 1;
        if rows > limits::ROWS_MAX {
            return Err(DataError::TooManyRows { path: path.to_path_buf(), max: limits::ROWS_MAX });
        }
        for ((plan, at), read) in plans.iter().zip(&places).zip(&mut all) {
            let rule = &plan.rules[side];
            let parsed = source.cell(*at).and_then(|cell| rule.parse(cell, spelling));
            read.push(parsed.map_or(Value::Missing, |parsed| parsed.value));
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::drift::Method;
    use crate::monitor::verdict::Verdict;

    fn written(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn file(head: &str, rows: impl Iterator<Item = String>) -> String {
        format!("{head}\n{}\n", rows.collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn a_column_is_compared_as_what_it_is_in_both_files() {
        let levels = ["A", "B", "C"];
        let then = (0..300).map(|i| format!("{i},{},{},x", levels[i % 3], i % 7));
        let now = (0..200).map(|i| format!("{}.5,{},{}m,y", i + 400, levels[i % 2], i % 7));
        let (_a, reference) = written("a.csv", &file("amount,grade,term,gone", then));
        let (_b, current) = written("b.csv", &file("amount,grade,term,new", now));
        let report = compare_files(&reference, &current, &[]).unwrap().report;
        let of = |name: &str| report.fields.iter().find(|field| field.field == name).unwrap();
        assert_eq!(report.fields.len(), 3, "what only one file has is left out");
        assert_eq!(
            (of("amount").method, of("amount").verdict),
            (Method::KolmogorovSmirnov, Verdict::Shifted)
        );
        assert_eq!((of("grade").method, of("grade").verdict), (Method::ChiSquare, Verdict::Shifted));
        assert!(of("term").unseen.is_some(), "numbers here and words there are levels");
        let only = compare_files(&reference, &current, &["grade".to_string()]).unwrap().report;
        assert_eq!(only.fields.len(), 1);
    }

    #[test]
    fn a_column_that_one_file_lacks_is_named_with_the_nearest() {
        let (_a, reference) = written("a.csv", "amount,grade\n1,A\n2,B\n");
        let (_b, current) = written("b.csv", "amount,grades\n1,A\n2,B\n");
        let Err(refused) = compare_files(&reference, &current, &["grade".to_string()]) else { panic!() };
        assert_eq!(
            (refused.code(), refused.next_step()),
            ("drift.no_column", Some("Did you mean \"grades\"?".into()))
        );
        let (_c, other) = written("c.csv", "x,y\n1,A\n2,B\n");
        let Err(refused) = compare_files(&reference, &other, &[]) else { panic!() };
        assert_eq!(refused.code(), "drift.nothing_common");
    }
}
