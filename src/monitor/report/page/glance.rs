//! The first screen of a report: how it stands, the figures people ask for, what changed, and the alarms.
//! Never says more than the parts below it do.

use crate::monitor::alarm::{Alarm, Severity};
use crate::monitor::performance::Figure;
use crate::monitor::report::Report;
use crate::monitor::report::changes::{Direction, changes};
use crate::monitor::report::page::markup::{
    NONE, chip, count, escape, interval, name, number, optional, paragraph, section,
};
use crate::monitor::trend::names;
use crate::monitor::verdict::Verdict;
use crate::monitor::words;

pub(super) fn write(report: &Report, before: Option<&Report>) -> String {
    let news = section("changes", "Since the report before", &news(report, before));
    format!("<div>{}{}</div>\n{news}", state(report), tiles(report))
}

fn state(report: &Report) -> String {
    let (tone, word) = match report.verdict {
        Verdict::Insufficient => ("quiet", "Too few rows to judge"),
        Verdict::Stable => ("good", "Stable"),
        Verdict::Watch => ("watch", "On watch"),
        Verdict::Shifted => ("bad", "Shifted"),
    };
    format!(
        "<div class=\"state {tone}\"><p class=\"word\">{word}</p>\n{}</div>\n",
        paragraph("small", &reason(report))
    )
}

/// Which parts the overall verdict comes from.
fn reason(report: &Report) -> String {
    let outcomes = report.performance.as_ref().map(|p| p.verdict);
    let parts = [
        ("drift", Some(report.drift.verdict)),
        ("the quality of the data", Some(report.quality.verdict)),
        ("performance", outcomes),
        ("the release's own outcomes", report.release_performance.as_ref().map(|r| r.verdict)),
        ("fairness", report.fairness.iter().map(|f| f.verdict).max()),
    ];
    let alarms = match report.alarms.len() as u64 {
        0 => "No alarm is raised.".to_string(),
        1 => "One alarm is raised.".to_string(),
        more => format!("{} are raised.", words::counted(more, "alarm")),
    };
    let because = |verdict: Verdict| -> String {
        let named: Vec<&str> = parts.iter().filter(|p| p.1 == Some(verdict)).map(|p| p.0).collect();
        words::joined(&named)
    };
    let why = match report.verdict {
        Verdict::Insufficient => "No part had rows enough for a verdict.".to_string(),
        Verdict::Stable => "No part that could be judged has moved beyond its limits.".to_string(),
        verdict => match because(verdict) {
            parts if parts.is_empty() => String::new(),
            parts => format!("Because of {parts}."),
        },
    };
    format!("{why} {alarms}").trim().to_string()
}

fn tiles(report: &Report) -> String {
    let drift = &report.drift;
    let quality = &report.quality;
    let business = &report.business;
    let shifted = match drift.judged {
        0 => format!("{NONE}<span class=\"note\">none judged</span>"),
        _ => format!(
            "{}<span class=\"note\">of {} judged</span>",
            count("/drift/shifted", drift.shifted),
            count("/drift/judged", drift.judged)
        ),
    };
    let score = match &drift.score {
        None => NONE.to_string(),
        Some(score) => format!(
            "{}<span class=\"note\">{}</span>",
            optional("/drift/score/statistic", score.statistic, words::size),
            escape(words::method(score.method))
        ),
    };
    let auc = report.performance.as_ref().and_then(|p| {
        let place = p.figures.iter().position(|f| f.name == names::AUC)?;
        p.figures.get(place).map(|figure| tile_figure(&format!("/performance/figures/{place}"), figure))
    });
    let tiles = [
        ("Rows", count("/quality/rows", quality.rows)),
        ("Shifted fields", shifted),
        ("Score", score),
        ("AUC", auc.unwrap_or_else(|| format!("{NONE}<span class=\"note\">no outcomes yet</span>"))),
        ("Approved", tile_figure("/business/approval_rate", &business.approval_rate)),
        ("Bad among approved", tile_figure("/business/bad_rate_of_approved", &business.bad_rate_of_approved)),
    ];
    let tile = |(words, html): &(&str, String)| format!("<div><dt>{words}</dt><dd>{html}</dd></div>\n");
    format!("<dl class=\"tiles\">{}</dl>\n", tiles.iter().map(tile).collect::<String>())
}

fn tile_figure(at: &str, figure: &Figure) -> String {
    let value = optional(&format!("{at}/value"), figure.value, |v| words::figure(&figure.name, v));
    format!("{value}{}", interval(at, figure))
}

fn news(report: &Report, before: Option<&Report>) -> String {
    let Some(before) = before else {
        return paragraph("soft", "There is no report before this one to compare with.");
    };
    let news = changes(report, before);
    let dated = |text: &str| paragraph("soft small", &format!("{text} {}.", before.day));
    if news.is_empty() {
        return dated("Nothing has changed since the report of");
    }
    let items: String = news
        .iter()
        .map(|one| {
            let (class, sign) = match one.direction {
                Direction::Better => ("better", "✓"),
                Direction::Worse => ("worse", "▲"),
                Direction::Neither => ("neither", "·"),
            };
            let sentence = escape(&one.sentence);
            format!("<li class=\"{class}\"><span aria-hidden=\"true\">{sign}</span> {sentence}</li>\n")
        })
        .collect();
    format!("{}<ul class=\"news\">\n{items}</ul>\n", dated("Compared with the report of"))
}

pub(super) fn write_alarms(report: &Report) -> String {
    if report.alarms.is_empty() {
        return section("alarms", "Alarms", &paragraph("soft", "No rule holds."));
    }
    let mut sorted: Vec<(usize, &Alarm)> = report.alarms.iter().enumerate().collect();
    sorted.sort_by_key(|(_, alarm)| std::cmp::Reverse(alarm.severity));
    let items: String = sorted.into_iter().map(|(index, alarm)| item(index, alarm)).collect();
    section("alarms", "Alarms", &format!("<ul class=\"alarms\">\n{items}</ul>\n"))
}

fn item(index: usize, alarm: &Alarm) -> String {
    let (tone, sign, word) = match alarm.severity {
        Severity::Critical => ("bad", "▲", "Critical"),
        Severity::Warning => ("watch", "!", "Warning"),
        Severity::Info => ("quiet", "i", "Info"),
    };
    let at = format!("/alarms/{index}");
    let numbers = [("value", alarm.value), ("limit", alarm.limit)].map(|(key, value)| {
        value.map(|value| format!(" · {key} {}", number(&format!("{at}/{key}"), value, &words::size(value))))
    });
    let actions: Vec<String> = alarm.actions.iter().map(|a| a.as_str().replace('_', " ")).collect();
    let actions = if actions.is_empty() { "nothing".to_string() } else { actions.join(", ") };
    format!(
        "<li>{} <strong>{}</strong>\n<p>{}</p>\n<p class=\"soft small\">Asks for: {}{}</p></li>\n",
        chip(tone, sign, word),
        name(&alarm.rule),
        escape(&alarm.sentence),
        escape(&actions),
        numbers.into_iter().flatten().collect::<String>()
    )
}
