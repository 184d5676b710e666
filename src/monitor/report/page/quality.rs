//! The quality of the window's data: counts of rows, and fields with what is missing or was never seen.
//! Never lists a field in which nothing is missing, unknown or moved.

use crate::monitor::quality::{DayQuality, FieldQuality};
use crate::monitor::report::Report;
use crate::monitor::report::page::markup::{
    Column, NONE, Table, count, name, number, paragraph, section, verdict,
};
use crate::monitor::verdict::Verdict;
use crate::monitor::words;

pub(super) fn write(report: &Report) -> String {
    let quality = &report.quality;
    let mut body = counts(quality);
    let mut told: Vec<(usize, &FieldQuality)> =
        quality.fields.iter().enumerate().filter(|(_, field)| is_told(field)).collect();
    told.sort_by(|(_, a), (_, b)| {
        let worse = b.verdict.cmp(&a.verdict);
        worse.then(b.missing.current.total_cmp(&a.missing.current)).then(a.field.cmp(&b.field))
    });
    let quiet = (quality.fields.len() - told.len()) as u64;
    if !told.is_empty() {
        body.push_str(&fields(&told));
    }
    if quiet > 0 {
        let verb = if quiet == 1 { "has" } else { "have" };
        let text = format!(
            "{} {verb} nothing missing and nothing unknown, now or in the reference.",
            words::counted(quiet, "field")
        );
        body.push_str(&paragraph("soft", &text));
    }
    section("quality", "Quality of the data", &body)
}

fn is_told(field: &FieldQuality) -> bool {
    let unseen = field.unseen.is_some_and(|u| u.current > 0.0 || u.reference > 0.0);
    field.verdict >= Verdict::Watch || field.missing.current > 0.0 || field.missing.reference > 0.0 || unseen
}

fn counts(quality: &DayQuality) -> String {
    let rows = [
        ("Rows", "rows", quality.rows),
        ("Answered by the fallback", "degraded", quality.degraded),
        ("With a value filled in", "defaulted", quality.defaulted),
        ("With a value never seen in training", "unseen", quality.unseen),
    ];
    let row = |(words, key, value): (&str, &str, u64)| {
        let share = match quality.rows {
            0 => String::new(),
            rows => words::percent(value as f64 / rows as f64),
        };
        vec![words.to_string(), count(&format!("/quality/{key}"), value), share]
    };
    let columns = vec![Column::of_words("What"), Column::of_numbers("Rows"), Column::of_numbers("Share")];
    let table = Table {
        caption: "Rows of the window".to_string(),
        columns,
        rows: rows.into_iter().map(row).collect(),
    };
    format!("<p>{}</p>\n{}", verdict(quality.verdict), table.write())
}

fn fields(told: &[(usize, &FieldQuality)]) -> String {
    let columns = vec![
        Column::of_words("Field"),
        Column::of_words("Verdict"),
        Column::of_numbers("Missing now"),
        Column::of_numbers("Missing in the reference"),
        Column::of_numbers("Never seen now"),
        Column::of_numbers("Never seen in the reference"),
    ];
    let row = |(index, field): &(usize, &FieldQuality)| {
        let at = format!("/quality/fields/{index}");
        let share = |key: &str, value: f64| number(&format!("{at}/{key}"), value, &words::percent(value));
        let unseen = |key: &str, value: Option<f64>| value.map_or(NONE.to_string(), |v| share(key, v));
        vec![
            name(&field.field),
            verdict(field.verdict),
            share("missing/current", field.missing.current),
            share("missing/reference", field.missing.reference),
            unseen("unseen/current", field.unseen.map(|u| u.current)),
            unseen("unseen/reference", field.unseen.map(|u| u.reference)),
        ]
    };
    let caption = "Missing values, and values never seen in training, the worst first".to_string();
    Table { caption, columns, rows: told.iter().map(row).collect() }.write()
}
