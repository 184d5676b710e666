//! `data drift`: whether the rows of one file still look like those of another, without a home and without a model.

use std::path::Path;

use serde_json::json;

use crate::app::watch::files::compare_files;
use crate::base::fact::Failure;
use crate::cli::speak::output::{Answer, columns};
use crate::monitor::drift::{DriftReport, FieldDrift};
use crate::monitor::verdict::Verdict;
use crate::monitor::words;

pub fn run(reference: &Path, current: &Path, names: &[String]) -> Result<Answer, Failure> {
    let compared = compare_files(reference, current, names)?;
    let mut text = table(&compared.report);
    for (path, rows) in [reference, current].iter().zip(compared.uneven) {
        if rows > 0 {
            let rows = words::counted(rows, "row");
            text += &format!("{rows} of {} were not as wide as the header and left out.\n", path.display());
        }
    }
    Ok(Answer::new(text, json!(compared.report)))
}

/// The worst first, and what cannot be judged last.
pub fn table(report: &DriftReport) -> String {
    let mut fields: Vec<&FieldDrift> = report.fields.iter().collect();
    fields.sort_by_key(|field| std::cmp::Reverse(field.verdict));
    let head = ["column", "verdict", "measured by", "value", "limit", "rows then", "rows now"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(fields.into_iter().map(line));
    let judged = format!(
        "{} of {} shifted: {}.",
        report.shifted,
        words::counted(report.fields.len() as u64, "column"),
        verdict_of(report.verdict)
    );
    format!("{}{judged}\n", columns(&rows))
}

fn verdict_of(verdict: Verdict) -> String {
    words::verdict(verdict).to_lowercase()
}

/// A test is held against its p-value, a distance against itself.
pub fn line(field: &FieldDrift) -> Vec<String> {
    let value = match (field.p_value, field.statistic) {
        (Some(p), _) => format!("p {}", words::p_value(p)),
        (None, Some(statistic)) => words::size(statistic),
        (None, None) => "-".into(),
    };
    vec![
        field.field.clone(),
        verdict_of(field.verdict),
        words::method(field.method).to_string(),
        value,
        words::size(field.threshold),
        words::count(field.reference_rows),
        words::count(field.current_rows),
    ]
}
