//! Fairness: for each attribute the differences, and each group with its size and intervals.
//! Never shows a group that is too small; it is named only.

use crate::monitor::fairness::{Fairness, GroupFigures};
use crate::monitor::performance::Figure;
use crate::monitor::report::Report;
use crate::monitor::report::page::bars;
use crate::monitor::report::page::markup::{
    Column, NONE, Table, count, figure, figure_of, name, paragraph, section, verdict,
};
use crate::monitor::words;

/// The figure that is drawn beside its number.
const DRAWN: &str = "selection_rate";
/// Groups too small that are named.
const SMALL_NAMED_MAX: usize = 12;

pub(super) fn write(report: &Report) -> String {
    if report.fairness.is_empty() {
        return section("fairness", "Fairness", &paragraph("soft", "No attribute is followed."));
    }
    let body: String = report.fairness.iter().enumerate().map(|(index, f)| attribute(index, f)).collect();
    section("fairness", "Fairness", &body)
}

fn attribute(index: usize, fairness: &Fairness) -> String {
    let at = format!("/fairness/{index}");
    let mut html = format!("<h3>{} {}</h3>\n", name(&fairness.attribute), verdict(fairness.verdict));
    if !fairness.groups.is_empty() {
        html.push_str(&groups(&at, fairness));
    }
    if !fairness.differences.is_empty() {
        html.push_str(&differences(&at, fairness));
    }
    if !fairness.too_small.is_empty() {
        let mut named: Vec<String> =
            fairness.too_small.iter().take(SMALL_NAMED_MAX).map(|group| words::shown(group)).collect();
        let more = fairness.too_small.len().saturating_sub(SMALL_NAMED_MAX) as u64;
        if more > 0 {
            named.push(format!("and {} more", words::count(more)));
        }
        html.push_str(&paragraph("soft", &format!("Too small to show: {}.", named.join(", "))));
    }
    html
}

fn groups(at: &str, fairness: &Fairness) -> String {
    let mut named: Vec<&str> = Vec::new();
    for one in fairness.groups.iter().flat_map(|g| &g.figures) {
        if !named.contains(&one.name.as_str()) {
            named.push(&one.name);
        }
    }
    let is_drawn = named.contains(&DRAWN);
    let mut columns = vec![Column::of_words("Group"), Column::of_numbers("Cases")];
    columns.extend(is_drawn.then(|| Column::of_drawings("Selected, 0 to 100%")));
    columns.extend(named.iter().map(|name| Column::of_numbers(&words::figure_name(name))));
    let row = |(index, group): (usize, &GroupFigures)| {
        let at = format!("{at}/groups/{index}");
        let find = |name: &str| group.figures.iter().enumerate().find(|(_, f)| f.name == name);
        let mut cells = vec![name(&group.group), count(&format!("{at}/n"), group.n)];
        cells.extend(is_drawn.then(|| find(DRAWN).map_or(NONE.to_string(), |(_, one)| drawn(one))));
        cells.extend(named.iter().map(|name| {
            find(name).map_or(NONE.to_string(), |(place, one)| {
                figure_of(&format!("{at}/figures/{place}"), one, group.n)
            })
        }));
        cells
    };
    let rows = fairness.groups.iter().enumerate().map(row).collect();
    let caption =
        format!("Groups of {} with their sizes and 95% intervals", words::shown(&fairness.attribute));
    Table { caption, columns, rows }.write()
}

fn drawn(one: &Figure) -> String {
    match one.value {
        None => NONE.to_string(),
        Some(value) => bars::reach(value, one.low.unwrap_or(value), one.high.unwrap_or(value)),
    }
}

fn differences(at: &str, fairness: &Fairness) -> String {
    let columns =
        vec![Column::of_words("Between groups"), Column::of_numbers("Value"), Column::of_numbers("Cases")];
    let row = |(index, one): (usize, &Figure)| {
        let at = format!("{at}/differences/{index}");
        vec![name(&words::figure_name(&one.name)), figure(&at, one), count(&format!("{at}/n"), one.n)]
    };
    let rows = fairness.differences.iter().enumerate().map(row).collect();
    let caption = format!("How far the groups of {} lie apart", words::shown(&fairness.attribute));
    Table { caption, columns, rows }.write()
}
