//! The form, made from the contract of what is in force: what it asks, in which words, in which sections.
//! Never asks for what a decision does not read: no target, nothing protected, nothing known only afterwards.

use std::collections::BTreeSet;

use crate::app::decisions::lineup::Standing;
use crate::data::contract::{Cast, ColumnSpec, Role};
use crate::data::table::Kind;
use crate::http::pages::words::spoken;

/// One field of the form.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub column: String,
    pub label: String,
    pub help: Option<String>,
    pub unit: Option<String>,
    pub example: Option<String>,
    pub section: Option<String>,
    pub kind: Kind,
    pub cast: Option<Cast>,
    pub required: bool,
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// The closed list, each with its label.
    pub levels: Vec<(String, String)>,
    /// What stands in where it is left empty.
    pub default: Option<String>,
    pub is_subject: bool,
}

/// Every field in the contract's order.
pub fn fields_of(standing: &Standing) -> Vec<Field> {
    let champion = &standing.champion;
    let content = &champion.loaded().content;
    let mut read: BTreeSet<&str> = champion.model().recipe.fields.iter().map(|f| f.field.as_str()).collect();
    if let Some(policy) = champion.policy() {
        read.extend(policy.policy().object().rules.iter().map(|rule| rule.when.field.as_str()));
    }
    let subject = content.subject.as_deref();
    let is_asked = |column: &&ColumnSpec| match column.role {
        Role::Feature => column.required || read.contains(column.name.as_str()),
        Role::Id => column.required || subject.is_none_or(|subject| subject == column.name),
        _ => false,
    };
    let text =
        |key: &str| champion.policy().and_then(|policy| policy.policy().find_text(key)).map(str::to_string);
    let columns = content.contract.columns().iter().filter(is_asked);
    columns.map(|column| field_of(column, subject == Some(column.name.as_str()), &text)).collect()
}

fn field_of(column: &ColumnSpec, is_subject: bool, text: &dyn Fn(&str) -> Option<String>) -> Field {
    let name = &column.name;
    let level = |level: &String| {
        let label = text(&format!("level.{name}.{level}")).unwrap_or_else(|| level.clone());
        (level.clone(), label)
    };
    let section = column.section.as_ref();
    let section = section.map(|key| text(&format!("section.{key}")).unwrap_or_else(|| spoken(key)));
    let percent = (column.cast == Some(Cast::Percent)).then(|| "%".to_string());
    Field {
        column: name.clone(),
        label: text(&format!("label.{name}")).unwrap_or_else(|| spoken(name)),
        help: text(&format!("help.{name}")),
        unit: percent.or_else(|| text(&format!("unit.{name}"))),
        example: text(&format!("example.{name}")),
        section,
        kind: column.kind,
        cast: column.cast,
        required: column.required && column.default.is_none(),
        min: column.min,
        max: column.max,
        levels: column.levels.iter().flatten().map(level).collect(),
        default: column.default.clone(),
        is_subject,
    }
}

impl Field {
    pub fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Integer | Kind::Number)
    }

    pub fn is_percent(&self) -> bool {
        self.cast == Some(Cast::Percent)
    }

    /// A bound as the form counts: a share is said in percent there.
    pub fn bound(&self, bound: Option<f64>) -> Option<f64> {
        let factor = if self.is_percent() { 100.0 } else { 1.0 };
        bound.map(|bound| bound * factor)
    }
}
