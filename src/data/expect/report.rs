//! A suite against a table: one result an expectation, and the rows that broke a critical one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::data::expect::aggregates::Observed;
use crate::data::expect::frame::Frame;
use crate::data::expect::suite::{Expectation, Rule, Suite};
use crate::data::expect::values::RowOutcome;
use crate::data::finding::{Finding, HIDDEN, Severity, shown};
use crate::data::table::{Column, Table};
use crate::data::write::cell_text;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectationResult {
    pub expectation: String,
    /// Of a column, of several (joined by a comma), or of the whole table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    pub severity: Severity,
    pub success: bool,
    /// False where the rule could not be evaluated: then it has failed critically, whatever its own severity.
    pub evaluated: bool,
    /// The figure that was found; for row-wise rules the share of rows that pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<f64>,
    pub considered: usize,
    pub unexpected_count: usize,
    /// Of the rows considered.
    pub unexpected_share: f64,
    pub examples: Vec<Finding>,
    pub message: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteReport {
    pub rows: usize,
    /// No critical expectation failed.
    pub success: bool,
    pub failed_critical: usize,
    pub failed_warning: usize,
    pub failed_info: usize,
    pub results: Vec<ExpectationResult>,
    /// Rows that broke a critical row-wise expectation which failed; for the quarantine, not for the report.
    #[serde(skip)]
    pub failing_rows: Vec<FailingRow>,
}

/// `row` counts the table's rows from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingRow {
    pub row: usize,
    pub findings: Vec<Finding>,
}

impl SuiteReport {
    /// Figures and row numbers, without a value of any row.
    pub fn without_values(mut self) -> Self {
        self.failing_rows.clear();
        for finding in self.results.iter_mut().flat_map(|result| &mut result.examples) {
            finding.value = None;
            finding.message = "the value breaks the rule".to_string();
        }
        self
    }

    /// The first critical expectation that failed, in words: rule, column, figures, row.
    pub fn first_failure(&self) -> Option<String> {
        let result = self.results.iter().find(|r| !r.success && r.severity == Severity::Critical)?;
        let of = result.column.as_ref().map_or(String::new(), |c| format!(" of {c:?}"));
        let example = result.examples.first().map_or(String::new(), |e| format!("; {}", e.text()));
        Some(format!("{}{of}: {}{example}", result.expectation, result.message))
    }
}

impl Suite {
    pub fn is_empty(&self) -> bool {
        self.expectations.is_empty()
    }

    /// Judges the table; findings number its rows from 1.
    pub fn validate(&self, table: &Table) -> SuiteReport {
        self.validate_numbered(table, &|row| row as u64 + 1)
    }

    /// Judges the rows; `row_number` says which row of the file one of them (from 0) was.
    pub fn validate_numbered(&self, frame: &dyn Frame, row_number: &dyn Fn(usize) -> u64) -> SuiteReport {
        let mut report = SuiteReport {
            rows: frame.rows(),
            success: true,
            failed_critical: 0,
            failed_warning: 0,
            failed_info: 0,
            results: Vec::new(),
            failing_rows: Vec::new(),
        };
        let mut failing: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
        for expectation in &self.expectations {
            let columns: Vec<(&str, Option<Cow<'_, Column>>)> =
                expectation.columns.iter().map(|name| (name.as_str(), frame.column(name))).collect();
            let judged = expectation.judge(frame, &columns);
            let finding = |row: usize| expectation.finding(&columns, row, row_number(row));
            let mut result = judged.result;
            result.examples =
                judged.broken.iter().take(limits::EXPECTATION_EXAMPLES_MAX).map(|r| finding(*r)).collect();
            if !result.success {
                match result.severity {
                    Severity::Critical => report.failed_critical += 1,
                    Severity::Warning => report.failed_warning += 1,
                    Severity::Info => report.failed_info += 1,
                }
                if result.severity == Severity::Critical {
                    judged.broken.iter().for_each(|&row| failing.entry(row).or_default().push(finding(row)));
                }
            }
            report.results.push(result);
        }
        report.success = report.failed_critical == 0;
        report.failing_rows =
            failing.into_iter().map(|(row, findings)| FailingRow { row, findings }).collect();
        report
    }
}

struct Judged {
    result: ExpectationResult,
    broken: Vec<usize>,
}

impl Expectation {
    fn judge(&self, frame: &dyn Frame, columns: &[(&str, Option<Cow<'_, Column>>)]) -> Judged {
        let columns: Result<Vec<&Column>, &str> =
            columns.iter().map(|(name, column)| column.as_deref().ok_or(*name)).collect();
        let columns = match columns {
            Ok(columns) => columns,
            Err(name) => return self.not_evaluated(format!("the table has no column {name:?}")),
        };
        match (&self.rule, columns.as_slice()) {
            (Rule::Value(rule), [column]) => self.judge_rows(rule.evaluate(column)),
            (Rule::Pair(rule), columns) if columns.len() > 1 => {
                self.judge_rows(rule.evaluate(columns, frame.rows()))
            }
            (Rule::Aggregate(rule), [column]) => match rule.evaluate(column) {
                Some(observed) => self.judge_figure(observed),
                None => self.not_evaluated("the column has no values to judge by".to_string()),
            },
            (Rule::Table(rule), _) => self.judge_figure(rule.evaluate(frame)),
            _ => self.not_evaluated("the expectation has not the columns it needs".to_string()),
        }
    }

    fn judge_rows(&self, outcome: RowOutcome) -> Judged {
        if outcome.considered == 0 {
            return self.not_evaluated("no row has a value to judge".to_string());
        }
        let passed = outcome.considered - outcome.broken.len();
        let share = passed as f64 / outcome.considered as f64;
        let mut result = self.empty_result();
        result.success = share >= self.mostly;
        result.observed = Some(share);
        result.considered = outcome.considered;
        result.unexpected_count = outcome.broken.len();
        result.unexpected_share = outcome.broken.len() as f64 / outcome.considered as f64;
        result.message =
            format!("{passed} of {} rows pass; {} % must", outcome.considered, 100.0 * self.mostly);
        Judged { result, broken: outcome.broken }
    }

    fn judge_figure(&self, observed: Observed) -> Judged {
        let mut result = self.empty_result();
        result.success = observed.success;
        result.observed = Some(observed.value);
        result.message = format!("found {}", observed.value);
        Judged { result, broken: Vec::new() }
    }

    fn not_evaluated(&self, why: String) -> Judged {
        let mut result = self.empty_result();
        result.evaluated = false;
        result.severity = Severity::Critical;
        result.message = format!("cannot be evaluated: {why}");
        Judged { result, broken: Vec::new() }
    }

    fn empty_result(&self) -> ExpectationResult {
        ExpectationResult {
            expectation: self.kind.to_string(),
            column: (!self.columns.is_empty()).then(|| self.columns.join(", ")),
            severity: self.severity,
            success: false,
            evaluated: true,
            observed: None,
            considered: 0,
            unexpected_count: 0,
            unexpected_share: 0.0,
            examples: Vec::new(),
            message: String::new(),
        }
    }

    fn finding(&self, columns: &[(&str, Option<Cow<'_, Column>>)], row: usize, number: u64) -> Finding {
        let value = |(name, column): &(&str, Option<Cow<'_, Column>>)| match column {
            Some(_) if self.hidden.contains(*name) => HIDDEN.to_string(),
            Some(column) => shown(&cell_text(column, row)),
            None => String::new(),
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        let value = values.join(", ");
        Finding {
            row: Some(number),
            column: Some(self.columns.join(", ")),
            rule: format!("expect.{}", self.kind),
            message: format!("{value:?} breaks {}", self.kind),
            value: Some(value),
            severity: self.severity,
        }
    }
}
