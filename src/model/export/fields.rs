//! What the codes of a column stand for: a name, and cuts or levels. Checked against the model before any export.
//! Codes no value; it only says which values a code has.

use crate::features::binning::codes::Code;
use crate::features::recipe::FittedRecipe;
use crate::model::trees::CodeColumn;

#[derive(Clone, Debug, PartialEq)]
pub struct FieldText {
    pub name: String,
    pub values: FieldValues,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FieldValues {
    /// Code 1 holds values up to the first cut, code i those above cut i - 1 and up to cut i, the last all others.
    Cuts(Vec<f64>),
    /// Level i has code i, from 1 on. Another level has the last code where there is one (`other`), else it counts as
    /// missing.
    Levels { levels: Vec<String>, other: bool },
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ExportError {
    #[error("{fields} fields are described where the model has {columns}")]
    Count { fields: usize, columns: usize },
    #[error("field {field:?} describes {found} codes where its column has {codes}")]
    Codes { field: String, found: usize, codes: usize },
    #[error("field {field:?} has cuts that do not rise or are no finite numbers")]
    Cuts { field: String },
    #[error("field {field:?} has a level twice: {level:?}")]
    Level { field: String, level: String },
    #[error("two fields or keys are named {name:?}")]
    Name { name: String },
    #[error("{text:?} is empty or holds a control character, which the export could not carry")]
    Text { text: String },
    #[error("the margin may reach {size}: its exponential could not be computed in a database (limit {max})")]
    Margin { size: f64, max: f64 },
    #[error("the model has a split or child that is not there (tree {tree}, branch {branch})")]
    Tree { tree: usize, branch: usize },
    #[error("the figures of the bins are not those of this scorecard (part {part})")]
    Figures { part: usize },
}

impl FieldText {
    fn codes(&self) -> usize {
        match &self.values {
            FieldValues::Cuts(cuts) => cuts.len() + 2,
            FieldValues::Levels { levels, other } => levels.len() + 1 + usize::from(*other),
        }
    }
}

/// Of the fields that have codes, in the order of their columns: as `code_columns` has them.
pub fn fields_of(recipe: &FittedRecipe) -> Vec<FieldText> {
    let text = |name: &str, code: &Code| {
        let values = match code {
            Code::Bins { cuts, .. } => FieldValues::Cuts(cuts.clone()),
            Code::Order { order } => FieldValues::Levels { levels: order.clone(), other: false },
            Code::Levels { levels } => FieldValues::Levels { levels: levels.clone(), other: true },
        };
        FieldText { name: name.to_owned(), values }
    };
    recipe.fields.iter().filter_map(|f| Some(text(&f.field, &f.code.as_ref()?.of))).collect()
}

/// Refuses descriptions that are not those of these columns, and text that an export could not carry.
pub fn check_fields(columns: &[CodeColumn], fields: &[FieldText]) -> Result<(), ExportError> {
    if columns.len() != fields.len() {
        return Err(ExportError::Count { fields: fields.len(), columns: columns.len() });
    }
    for (place, (column, field)) in columns.iter().zip(fields).enumerate() {
        check_text(&field.name)?;
        if fields[..place].iter().any(|other| other.name == field.name) {
            return Err(ExportError::Name { name: field.name.clone() });
        }
        let name = || field.name.clone();
        if field.codes() != column.codes {
            return Err(ExportError::Codes { field: name(), found: field.codes(), codes: column.codes });
        }
        match &field.values {
            FieldValues::Cuts(cuts) => {
                let rise = cuts.windows(2).all(|two| two[0] < two[1]);
                if !rise || cuts.iter().any(|cut| !cut.is_finite()) {
                    return Err(ExportError::Cuts { field: name() });
                }
            }
            FieldValues::Levels { levels, .. } => {
                for (place, level) in levels.iter().enumerate() {
                    check_text(level)?;
                    if levels[..place].contains(level) {
                        return Err(ExportError::Level { field: name(), level: level.clone() });
                    }
                }
            }
        }
    }
    Ok(())
}

pub fn check_text(text: &str) -> Result<(), ExportError> {
    // U+FFFE and U+FFFF are no characters of XML either.
    let bad = |c: char| c.is_control() || c == '\u{fffe}' || c == '\u{ffff}';
    if text.is_empty() || text.chars().any(bad) {
        return Err(ExportError::Text { text: text.to_owned() });
    }
    Ok(())
}

/// The shortest text that reads as the same double, in the form of SQL, XML and C alike.
pub fn number(value: f64) -> String {
    // No negative zero: it is only confusing to read.
    format!("{:?}", value + 0.0)
}
