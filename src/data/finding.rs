//! What is wrong with the data, said so that a person finds the cell: row, column, rule, value.
//! Never decides what happens to the row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::limits;

/// How much a broken rule weighs; the worst is the smallest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    #[default]
    Critical,
    Warning,
    Info,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// One broken rule. `row` counts data rows of the file from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Stable: `type`, `required`, `min`, `max`, `levels`, `record`, `expect.values_between`, ...
    pub rule: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    pub severity: Severity,
    pub message: String,
}

impl Finding {
    /// As a person reads it: row, column, value, what is wrong, by which rule.
    pub fn text(&self) -> String {
        let row = self.row.map_or(String::new(), |row| format!("row {row}, "));
        let column = self.column.as_ref().map_or(String::new(), |column| format!("column {column:?}: "));
        format!("{row}{column}{} (rule {})", self.message, self.rule)
    }
}

/// What stands for the value of a column that identifies a person.
pub const HIDDEN: &str = "(hidden)";

/// A value as it may be printed: shortened, and without characters that move a terminal's cursor.
pub fn shown(value: &str) -> String {
    let mut out: String = value
        .chars()
        .take(limits::VALUE_SHOWN_CHARS_MAX)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if value.chars().nth(limits::VALUE_SHOWN_CHARS_MAX).is_some() {
        out.push('…');
    }
    out
}

/// How often one rule was broken in one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingCount {
    pub severity: Severity,
    pub rule: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    pub count: u64,
}

/// Counts every finding and keeps the first of them in full.
#[derive(Clone, Debug, Default)]
pub struct FindingLog {
    first: Vec<Finding>,
    counts: BTreeMap<(Severity, String, Option<String>), u64>,
}

impl FindingLog {
    pub fn add(&mut self, finding: &Finding) {
        let key = (finding.severity, finding.rule.clone(), finding.column.clone());
        *self.counts.entry(key).or_insert(0) += 1;
        if self.first.len() < limits::FINDINGS_SHOWN_MAX {
            self.first.push(finding.clone());
        }
    }

    pub fn first(&self) -> &[Finding] {
        &self.first
    }

    /// The worst rules first, then by name.
    pub fn counts(&self) -> Vec<FindingCount> {
        let count = |((severity, rule, column), count): (&(Severity, String, Option<String>), &u64)| {
            FindingCount { severity: *severity, rule: rule.clone(), column: column.clone(), count: *count }
        };
        self.counts.iter().map(count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_value_is_short_and_cannot_move_the_cursor() {
        assert_eq!(shown("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        let long = shown(&"x".repeat(500));
        assert_eq!(long.chars().count(), limits::VALUE_SHOWN_CHARS_MAX + 1);
    }

    #[test]
    fn all_findings_are_counted_and_the_first_are_kept() {
        let mut log = FindingLog::default();
        for row in 1..=150 {
            log.add(&Finding {
                row: Some(row),
                column: Some("x".into()),
                rule: "min".into(),
                value: None,
                severity: Severity::Critical,
                message: String::new(),
            });
        }
        assert_eq!(log.first().len(), limits::FINDINGS_SHOWN_MAX);
        assert_eq!(log.counts()[0].count, 150);
    }
}
