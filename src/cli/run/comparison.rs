//! A comparison of runs as a person reads it: what differs, the figures, the verdicts.
//! Decides nothing; the words come with the figures.

use serde_json::json;

use crate::cli::speak::output::{Answer, columns};
use crate::http::views::compare::{AgainstView, CompareView, DifferenceView};

pub fn answer(compared: &CompareView) -> Answer {
    let names: Vec<String> = compared.runs.iter().map(|run| run.run_name.clone()).collect();
    let head = |first: &str| [vec![format!("  {first}")], names.clone()].concat();
    let mut text = String::new();
    for (number, run) in compared.runs.iter().enumerate() {
        let role = if number == 0 { ", which the others are measured against" } else { "" };
        text += &format!("{} {} ({}){role}\n", run.run_id, run.run_name, run.status);
    }
    let mut params = vec![head("params that differ")];
    params.extend(compared.params.iter().map(|row| {
        let cells = row.values.iter().map(|value| value.clone().unwrap_or("-".into()));
        [vec![format!("  {}", row.key)], cells.collect()].concat()
    }));
    if params.len() == 1 {
        text += "\nno params differ\n";
    } else {
        text += &format!("\n{}", columns(&params));
    }
    let mut metrics = vec![head("metrics")];
    metrics.extend(compared.metrics.iter().map(|row| {
        let cells = row.values.iter().map(|value| value.map_or("-".into(), figure));
        [vec![format!("  {}", row.key)], cells.collect()].concat()
    }));
    text += &format!("\n{}", columns(&metrics));
    let test = &compared.test;
    text += &format!("\non the same {} test rows, {} of them positive\n", test.rows, test.positives);
    compared.against.iter().for_each(|against| text += &verdicts(compared, against));
    Answer::new(text, json!(compared))
}

/// Counts are whole.
fn figure(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.4}") }
}

fn verdicts(compared: &CompareView, against: &AgainstView) -> String {
    let name = |id: &str| {
        let found = compared.runs.iter().find(|run| run.run_id == id);
        found.map_or(String::new(), |run| run.run_name.clone())
    };
    let first = compared.runs.first().map_or(String::new(), |run| run.run_name.clone());
    let line = |difference: &DifferenceView| {
        let DifferenceView { metric, difference: value, low, high, words, .. } = difference;
        vec![format!("  {metric}"), format!("{value:+.4}"), format!("{low:+.4} to {high:+.4}"), words.clone()]
    };
    let rounds = against.differences.first();
    let how =
        rounds.map_or(String::new(), |d| format!("{:.0} %, {} paired rounds", 100.0 * d.level, d.rounds));
    let lines: Vec<Vec<String>> = against.differences.iter().map(line).collect();
    format!("\n{} less {first} ({how})\n{}", name(&against.run_id), columns(&lines))
}
