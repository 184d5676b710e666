//! The draft of a contract: every column with its guessed rules, the reason of each guess, and what was seen.

use std::collections::BTreeMap;
use std::path::Path;

use crate::base::fact::{Class, Fact, nearest};
use crate::data::cell::{CellRule, RawCell, Value};
use crate::data::contract::{ColumnSpec, Contract, ContractError, RawContract, Role};
use crate::data::import::error::DataError;
use crate::data::import::source::Manner;
use crate::data::infer::kind::{Census, guess_kind, take_census};
use crate::data::infer::role::{Evidence, guess_role};
use crate::data::infer::sample::{Sample, draw_sample};
use crate::data::infer::target::{guess_positive, guess_target};
use crate::data::label::LabelError;
use crate::data::leak::{LeakSuspicion, judge};
use crate::data::profile::column::{ColumnProfile, Profile, profile};
use crate::data::spelling::{Decimal, date_text, number_text};
use crate::data::table::{Kind, Table, TableBuilder};

/// What the caller knows already.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    pub target: Option<String>,
    /// The target's value that counts as positive.
    pub positive: Option<String>,
    pub split: Option<String>,
    /// Keep protected characteristics apart: as features they need a person who answers for it.
    pub protect: bool,
}

#[derive(Clone, Debug)]
pub struct Inferred {
    /// In the file's order.
    pub columns: Vec<InferredColumn>,
    pub target: Option<InferredTarget>,
    pub suspicious: Vec<LeakSuspicion>,
    /// Of the sample; levels of columns that identify a person are left out.
    pub profile: Profile,
    pub rows_read: u64,
    pub rows_sampled: usize,
    pub rows_uneven: u64,
    pub manner: Manner,
    /// Columns whose type has no counterpart in a table.
    pub unread: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct InferredColumn {
    pub spec: ColumnSpec,
    /// Why this kind and this role.
    pub reason: String,
    /// What was seen and is not made a rule: ranges, levels, gaps.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InferredTarget {
    pub column: String,
    pub positive: String,
    pub reason: String,
}

#[derive(Debug, thiserror::Error)]
pub enum InferError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Label(#[from] LabelError),
    #[error("the file has no column {column:?}{}", hint(.nearest))]
    NoColumn { column: String, nearest: Option<String> },
    #[error("target {column:?} has {distinct} values; say which of them is the positive one")]
    NoPositive { column: String, distinct: usize },
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or(String::new(), |name| format!("; is {name:?} meant?"))
}

impl Fact for InferError {
    fn code(&self) -> &'static str {
        match self {
            Self::Data(e) => e.code(),
            Self::Label(e) => e.code(),
            Self::NoColumn { .. } => "infer.no_column",
            Self::NoPositive { .. } => "infer.no_positive",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Data(e) => e.class(),
            Self::Label(e) => e.class(),
            Self::NoColumn { .. } | Self::NoPositive { .. } => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Data(e) => e.next_step(),
            Self::Label(e) => e.next_step(),
            Self::NoColumn { .. } => Some("Name a column of the file's header.".into()),
            Self::NoPositive { .. } => Some("Name the positive value of the target.".into()),
        }
    }
}

/// Reads the file once and guesses a contract for it.
pub fn infer(path: &Path, hints: &Hints) -> Result<Inferred, InferError> {
    let sample = draw_sample(path)?;
    let censuses: Vec<Census<'_>> =
        (0..sample.header.len()).map(|at| take_census(column_of(&sample, at))).collect();
    let target = find_target(&sample.header, &censuses, hints)?;
    let split = hints.split.as_ref().map(|name| find_column(&sample.header, name)).transpose()?;
    let mut drafts = draft_columns(&sample, &censuses);
    let table = build_table(&sample, &drafts);
    let known = target.as_ref().map(|t| (t.column.as_str(), t.positive.as_str()));
    let mut profile = profile(&table, known)?;
    let mut suspicious = Vec::new();
    for draft in &mut drafts {
        let seen = profile.find(&draft.column.spec.name);
        let suspicion = judge(&draft.column.spec.name, false, seen.and_then(|column| column.signal.as_ref()));
        let (role, why) = match &target {
            Some(target) if target.column == draft.column.spec.name => (Role::Target, target.reason.clone()),
            _ if split == Some(draft.at) => (Role::Split, "you said so".to_string()),
            _ => draft.guess_role(&sample, &censuses, suspicion.as_ref(), hints.protect),
        };
        draft.settle(role, &why, &sample, seen);
        suspicious.extend(suspicion.filter(|_| role == Role::Leak));
    }
    let columns: Vec<InferredColumn> = drafts.into_iter().map(|draft| draft.column).collect();
    hide_persons(&mut profile, &columns);
    Ok(Inferred {
        columns,
        target,
        suspicious,
        profile,
        rows_read: sample.rows_read,
        rows_sampled: sample.rows.len(),
        rows_uneven: sample.rows_uneven,
        manner: sample.manner,
        unread: sample.unread,
    })
}

impl Inferred {
    /// The draft as a contract; fails where no target was found.
    pub fn contract(&self) -> Result<Contract, ContractError> {
        RawContract { columns: self.columns.iter().map(|column| column.spec.clone()).collect() }.check()
    }
}

struct Draft {
    /// Place in the file's header.
    at: usize,
    column: InferredColumn,
}

impl Draft {
    fn guess_role(
        &self,
        sample: &Sample,
        censuses: &[Census<'_>],
        suspicion: Option<&LeakSuspicion>,
        protect: bool,
    ) -> (Role, String) {
        guess_role(&Evidence {
            name: &self.column.spec.name,
            kind: self.column.spec.kind,
            census: &censuses[self.at],
            rows: sample.rows.len(),
            suspicion,
            protect,
        })
    }

    fn settle(&mut self, role: Role, why: &str, sample: &Sample, seen: Option<&ColumnProfile>) {
        let spec = &mut self.column.spec;
        let gaps = sample.gaps.get(self.at).copied().unwrap_or(0);
        spec.role = role;
        spec.required = is_required(role, gaps, spec.missing.is_empty());
        let (kind, role) = (spec.kind.as_str(), role_word(role));
        self.column.reason = format!("{kind}: {}; {role}: {why}", self.column.reason);
        self.column.notes = seen.map_or_else(Vec::new, |seen| notes_of(seen, sample, gaps));
    }
}

fn column_of(sample: &Sample, at: usize) -> impl Iterator<Item = &str> {
    sample.rows.iter().map(move |row| row.get(at).map_or("", String::as_str))
}

fn find_column(header: &[String], name: &str) -> Result<usize, InferError> {
    header.iter().position(|word| word == name).ok_or_else(|| InferError::NoColumn {
        column: name.to_string(),
        nearest: nearest(name, header.iter().map(String::as_str)).map(String::from),
    })
}

fn find_target(
    header: &[String],
    censuses: &[Census<'_>],
    hints: &Hints,
) -> Result<Option<InferredTarget>, InferError> {
    let (at, reason) = match &hints.target {
        Some(name) => (find_column(header, name)?, "you said so".to_string()),
        None => match guess_target(header, censuses) {
            Some(guess) => guess,
            None => return Ok(None),
        },
    };
    let column = header[at].clone();
    let (positive, why) = match &hints.positive {
        Some(positive) => (positive.clone(), "you said so".to_string()),
        None => guess_positive(&censuses[at])
            .ok_or_else(|| InferError::NoPositive { column: column.clone(), distinct: censuses[at].len() })?,
    };
    let reason = format!("{reason}; positive is {positive:?}: {why}");
    Ok(Some(InferredTarget { column, positive, reason }))
}

/// Kinds first; roles need the profile that the kinds make possible. Nameless columns cannot be in a contract.
fn draft_columns(sample: &Sample, censuses: &[Census<'_>]) -> Vec<Draft> {
    let decimal = sample.manner.text.map_or(Decimal::Point, |text| text.decimal);
    let named = sample.header.iter().enumerate().filter(|(_, name)| !name.is_empty());
    let draft = |(at, name): (usize, &String)| {
        let guess = guess_kind(&censuses[at], decimal);
        let spec = ColumnSpec {
            cast: guess.cast,
            missing: guess.missing,
            ..ColumnSpec::new(name, guess.kind, Role::Feature)
        };
        Draft { at, column: InferredColumn { spec, reason: guess.reason, notes: Vec::new() } }
    };
    named.map(draft).collect()
}

/// The sample in the guessed kinds; what does not fit after all is missing.
fn build_table(sample: &Sample, columns: &[Draft]) -> Table {
    let rules: Vec<(usize, CellRule)> =
        columns.iter().filter_map(|d| Some((d.at, CellRule::new(&d.column.spec).ok()?))).collect();
    let mut builder = TableBuilder::new(rules.iter().map(|(_, rule)| (rule.name().as_str(), rule.kind())));
    for row in &sample.rows {
        let cells: Vec<Value<'_>> = rules
            .iter()
            .map(|(at, rule)| {
                let text = row.get(*at).map_or("", String::as_str);
                let parsed = rule.parse(RawCell::Text(text.into()), sample.manner.spelling());
                parsed.map_or(Value::Missing, |parsed| parsed.value)
            })
            .collect();
        builder.push_row(cells.iter().map(Value::as_cell));
    }
    builder.finish()
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Feature => "feature",
        Role::Id => "id",
        Role::Target => "target",
        Role::Protected => "protected",
        Role::Leak => "leak",
        Role::Pii => "pii",
        Role::Split => "split",
        Role::Ignored => "ignored",
    }
}

/// Only what is read by every purpose and had no gap in the whole file.
fn is_required(role: Role, gaps: u64, no_placeholders: bool) -> bool {
    matches!(role, Role::Feature | Role::Id | Role::Target) && gaps == 0 && no_placeholders
}

fn notes_of(seen: &ColumnProfile, sample: &Sample, gaps: u64) -> Vec<String> {
    let mut notes = Vec::new();
    if gaps > 0 {
        notes.push(format!("missing in {gaps} of {} rows", sample.rows_read));
    }
    if let Some(numbers) = &seen.numbers {
        let text = |x: f64| if seen.kind == Kind::Date { date_text(x) } else { number_text(x) };
        notes.push(format!("seen from {} to {}", text(numbers.min), text(numbers.max)));
    }
    if seen.kind == Kind::Text {
        let levels: Vec<String> =
            seen.levels.iter().map(|(level, rows)| format!("{level:?} ({rows})")).collect();
        notes.push(match levels.is_empty() {
            true => format!("{} different values", seen.distinct),
            false => format!("{} different values: {}", seen.distinct, levels.join(", ")),
        });
    }
    if let Some(signal) = &seen.signal {
        notes
            .push(format!("alone: AUC {:.3}, information value {:.3}", signal.auc, signal.information_value));
    }
    notes
}

fn hide_persons(profile: &mut Profile, columns: &[InferredColumn]) {
    let roles: BTreeMap<&str, Role> = columns.iter().map(|c| (c.spec.name.as_str(), c.spec.role)).collect();
    let hidden = |column: &&mut ColumnProfile| roles.get(column.name.as_str()) == Some(&Role::Pii);
    profile.columns.iter_mut().filter(hidden).for_each(|column| column.levels.clear());
}
