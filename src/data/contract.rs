//! The data contract: which columns a table has, what they mean, and what each cell may hold.
//! A checked `Contract` is the proof; nothing downstream checks names or roles again.

pub mod protected;

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::base::ids::check_name;
use crate::base::limits;
use crate::data::cell::{CellFault, CellRule};
use crate::data::table::Kind;

/// What a column is for. Only features reach a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Feature,
    Id,
    Target,
    /// Kept with the data for fairness figures: never a feature, never asked for, in no model.
    Protected,
    /// Known only after the outcome; never a feature.
    Leak,
    /// Identifies a person; never a feature, never printed.
    Pii,
    /// Names the part (fold) a row belongs to.
    Split,
    Ignored,
}

/// One column as `contract.toml` writes it and as a signed model keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnSpec {
    pub name: String,
    pub kind: Kind,
    pub role: Role,
    /// A required cell may not be missing.
    #[serde(default)]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// The closed list of values; absent is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub levels: Option<Vec<String>>,
    /// Other names the column has in incoming files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// A declared cast of the incoming text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cast: Option<Cast>,
    /// Stands in for a missing cell, as text; noted on every row it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Further spellings of a missing cell, beside the empty one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The part of a form the field belongs to; its title is a text, `section.<name>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Why a protected characteristic is a feature all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl ColumnSpec {
    /// A column with no rule beyond its kind.
    pub fn new(name: &str, kind: Kind, role: Role) -> Self {
        Self {
            name: name.to_string(),
            kind,
            role,
            required: false,
            min: None,
            max: None,
            levels: None,
            aliases: Vec::new(),
            cast: None,
            default: None,
            missing: Vec::new(),
            section: None,
            reason: None,
        }
    }

    /// The column without what changes no cell.
    pub fn as_read(&self) -> Self {
        Self { section: None, reason: None, ..self.clone() }
    }
}

/// A declared change of spelling before a cell is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cast {
    /// `13.5%` is 0.135.
    Percent,
    /// `36 months` is 36: the first number of the text.
    FirstNumber,
    /// `Dec-2011` is 2011-12-01.
    MonthYear,
    Lowercase,
    Uppercase,
}

/// `contract.toml` as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawContract {
    #[serde(default)]
    pub columns: Vec<ColumnSpec>,
}

/// A contract that holds together: names unique, bounds ordered, exactly one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawContract", into = "RawContract")]
pub struct Contract {
    columns: Vec<ColumnSpec>,
}

#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    #[error("the contract has no columns")]
    Empty,
    #[error("the contract has {found} columns; at most {max} are allowed")]
    TooManyColumns { found: usize, max: usize },
    #[error("column {column:?} is declared twice (as a name or an alias)")]
    Twice { column: String },
    #[error("column {column:?}: min {min} and max {max} leave no room for a value")]
    Bounds { column: String, min: f64, max: f64 },
    #[error("column {column:?}: {what} does not apply to kind {kind}", kind = kind.as_str())]
    DoesNotApply { column: String, what: &'static str, kind: Kind },
    #[error("the contract has {found} target columns; it needs exactly one")]
    Targets { found: usize },
    #[error("column {column:?}: more than one column has the role `split`")]
    Splits { column: String },
    #[error("column {column:?}: the default {default:?} {why}")]
    Default { column: String, default: String, why: CellFault },
    #[error("column {column:?}: a name is 1 to {max} characters, trimmed and without control characters", max = limits::COLUMN_NAME_CHARS_MAX)]
    Name { column: String },
    #[error("column {column:?}: {what}")]
    Levels { column: String, what: &'static str },
    #[error("column {column:?}: the section {section:?} is not 1 to {max} characters of a-z, 0-9, '-' and '_'", max = limits::NAME_CHARS_MAX)]
    Section { column: String, section: String },
    #[error(
        "column {column:?}: a `reason` is for a feature that is a protected characteristic, and is not empty"
    )]
    Reason { column: String },
    #[error(
        "column {column:?} is named like a protected characteristic ({word}); under purpose = \"credit\" it is no feature"
    )]
    ProtectedFeature { column: String, word: &'static str },
    #[error(
        "column {column:?} is named like a protected characteristic ({word}); as a feature it needs a `reason`"
    )]
    ProtectedReason { column: String, word: &'static str },
}

impl Fact for ContractError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "contract.empty",
            Self::TooManyColumns { .. } => "contract.too_many_columns",
            Self::Twice { .. } => "contract.duplicate_column",
            Self::Bounds { .. } => "contract.bounds",
            Self::DoesNotApply { .. } => "contract.does_not_apply",
            Self::Targets { .. } => "contract.targets",
            Self::Splits { .. } => "contract.splits",
            Self::Default { .. } => "contract.default",
            Self::Name { .. } => "contract.name",
            Self::Levels { .. } => "contract.levels",
            Self::Section { .. } => "contract.section",
            Self::Reason { .. } => "contract.reason",
            Self::ProtectedFeature { .. } => "contract.protected_feature",
            Self::ProtectedReason { .. } => "contract.protected_reason",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::ProtectedFeature { .. } => {
                "Give it the role `protected` and take it out of recipe.toml and policy.toml: it is kept with the data, for fairness figures."
            }
            Self::ProtectedReason { .. } => {
                "Give it the role `protected`, or say why it is a feature: `reason = \"...\"` in contract.toml."
            }
            _ => "Correct contract.toml and run `tallystick project check`.",
        };
        Some(step.into())
    }
}

impl Contract {
    pub fn columns(&self) -> &[ColumnSpec] {
        &self.columns
    }

    pub fn find(&self, name: &str) -> Option<&ColumnSpec> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// The column of this name or alias.
    pub fn find_by_any_name(&self, name: &str) -> Option<&ColumnSpec> {
        self.columns.iter().find(|c| c.name == name || c.aliases.iter().any(|alias| alias == name))
    }

    pub fn with_role(&self, role: Role) -> impl Iterator<Item = &ColumnSpec> {
        self.columns.iter().filter(move |c| c.role == role)
    }

    /// The one column with the outcome.
    pub fn target(&self) -> &ColumnSpec {
        // `check` has made sure that there is exactly one.
        self.columns.iter().find(|c| c.role == Role::Target).unwrap_or(&self.columns[0])
    }
}

impl RawContract {
    pub fn check(self) -> Result<Contract, ContractError> {
        if self.columns.is_empty() {
            return Err(ContractError::Empty);
        }
        let found = self.columns.len();
        if found > limits::COLUMNS_MAX {
            return Err(ContractError::TooManyColumns { found, max: limits::COLUMNS_MAX });
        }
        check_names(&self.columns)?;
        self.columns.iter().try_for_each(check_column)?;
        check_roles(&self.columns)?;
        Ok(Contract { columns: self.columns })
    }
}

fn check_names(columns: &[ColumnSpec]) -> Result<(), ContractError> {
    let mut seen = std::collections::BTreeSet::new();
    for name in columns.iter().flat_map(|c| std::iter::once(&c.name).chain(&c.aliases)) {
        let good = !name.is_empty()
            && name.trim() == name
            && name.chars().count() <= limits::COLUMN_NAME_CHARS_MAX
            && !name.chars().any(char::is_control);
        if !good {
            return Err(ContractError::Name { column: name.clone() });
        }
        if !seen.insert(name) {
            return Err(ContractError::Twice { column: name.clone() });
        }
    }
    Ok(())
}

fn check_column(column: &ColumnSpec) -> Result<(), ContractError> {
    let refuse = |what| ContractError::DoesNotApply { column: column.name.clone(), what, kind: column.kind };
    if let (Some(min), Some(max)) = (column.min.or(column.max), column.max.or(column.min))
        && (min > max || min.is_nan() || max.is_nan())
    {
        return Err(ContractError::Bounds { column: column.name.clone(), min, max });
    }
    let numeric = matches!(column.kind, Kind::Integer | Kind::Number);
    if !numeric && (column.min.is_some() || column.max.is_some()) {
        return Err(refuse("min or max"));
    }
    if column.kind != Kind::Text && column.levels.is_some() {
        return Err(refuse("levels"));
    }
    match column.cast {
        Some(Cast::Percent | Cast::FirstNumber) if !numeric => return Err(refuse("this cast")),
        Some(Cast::MonthYear) if column.kind != Kind::Date => return Err(refuse("the cast month_year")),
        Some(Cast::Lowercase | Cast::Uppercase) if column.kind != Kind::Text => {
            return Err(refuse("this cast"));
        }
        _ => {}
    }
    check_words(column)?;
    check_levels(column)?;
    check_default(column)
}

fn check_words(column: &ColumnSpec) -> Result<(), ContractError> {
    let name = || column.name.clone();
    if let Some(section) = column.section.as_ref().filter(|section| check_name(section).is_err()) {
        return Err(ContractError::Section { column: name(), section: section.clone() });
    }
    match &column.reason {
        Some(reason) if column.role != Role::Feature || reason.trim().is_empty() => {
            Err(ContractError::Reason { column: name() })
        }
        _ => Ok(()),
    }
}

/// A level that no cell can ever have is a slip of the pen: it would refuse every row that means it.
fn check_levels(column: &ColumnSpec) -> Result<(), ContractError> {
    let Some(levels) = &column.levels else { return Ok(()) };
    let refuse = |what| Err(ContractError::Levels { column: column.name.clone(), what });
    if levels.is_empty() {
        return refuse("the list of levels is empty");
    }
    let mut seen = std::collections::BTreeSet::new();
    for level in levels {
        let cast = match column.cast {
            Some(Cast::Lowercase) => level.to_lowercase(),
            Some(Cast::Uppercase) => level.to_uppercase(),
            _ => level.clone(),
        };
        if !seen.insert(level) {
            return refuse("a level is listed twice");
        }
        if cast != *level || level.trim() != level || level.is_empty() || column.missing.contains(level) {
            return refuse(
                "a level is empty, untrimmed, a spelling of `missing`, or not what the cast makes of it",
            );
        }
    }
    Ok(())
}

fn check_default(column: &ColumnSpec) -> Result<(), ContractError> {
    if column.role == Role::Target && column.default.is_some() {
        let (column, kind) = (column.name.clone(), column.kind);
        return Err(ContractError::DoesNotApply { column, what: "a default of the target", kind });
    }
    let refused = |why| ContractError::Default {
        column: column.name.clone(),
        default: column.default.clone().unwrap_or_default(),
        why,
    };
    CellRule::new(column).map(|_| ()).map_err(refused)
}

fn check_roles(columns: &[ColumnSpec]) -> Result<(), ContractError> {
    let found = columns.iter().filter(|c| c.role == Role::Target).count();
    if found != 1 {
        return Err(ContractError::Targets { found });
    }
    match columns.iter().filter(|c| c.role == Role::Split).nth(1) {
        Some(second) => Err(ContractError::Splits { column: second.name.clone() }),
        None => Ok(()),
    }
}

impl TryFrom<RawContract> for Contract {
    type Error = ContractError;

    fn try_from(raw: RawContract) -> Result<Self, ContractError> {
        raw.check()
    }
}

impl From<Contract> for RawContract {
    fn from(contract: Contract) -> Self {
        Self { columns: contract.columns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(column: ColumnSpec) -> Result<Contract, ContractError> {
        let target = ColumnSpec::new("bad", Kind::Boolean, Role::Target);
        RawContract { columns: vec![target, column] }.check()
    }

    fn feature(kind: Kind) -> ColumnSpec {
        ColumnSpec::new("x", kind, Role::Feature)
    }

    #[test]
    fn a_contract_that_contradicts_itself_is_refused_by_name() {
        let text = || feature(Kind::Text);
        let number = || feature(Kind::Number);
        let cases = [
            (ColumnSpec { min: Some(2.0), max: Some(1.0), ..number() }, "contract.bounds"),
            (ColumnSpec { min: Some(2.0), ..text() }, "contract.does_not_apply"),
            (ColumnSpec { levels: Some(vec![]), ..text() }, "contract.levels"),
            (
                ColumnSpec { levels: Some(vec!["A".into()]), cast: Some(Cast::Lowercase), ..text() },
                "contract.levels",
            ),
            (ColumnSpec { default: Some("many".into()), ..number() }, "contract.default"),
            (ColumnSpec { default: Some("5".into()), max: Some(4.0), ..number() }, "contract.default"),
            (ColumnSpec { default: Some("".into()), ..text() }, "contract.default"),
            (ColumnSpec { aliases: vec!["bad".into()], ..number() }, "contract.duplicate_column"),
            (ColumnSpec { name: " x".into(), ..number() }, "contract.name"),
            (ColumnSpec { role: Role::Target, ..number() }, "contract.targets"),
            (ColumnSpec { section: Some("The loan".into()), ..number() }, "contract.section"),
            (ColumnSpec { reason: Some(" ".into()), ..number() }, "contract.reason"),
            (ColumnSpec { reason: Some("so".into()), role: Role::Protected, ..number() }, "contract.reason"),
        ];
        for (column, code) in cases {
            assert_eq!(with(column.clone()).unwrap_err().code(), code, "{column:?}");
        }
        assert!(with(ColumnSpec { default: Some("3".into()), ..number() }).is_ok());
    }
}
