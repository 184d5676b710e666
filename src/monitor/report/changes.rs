//! What is different from the report before, in sentences.
//! Never judges a difference; small ones of figures are left out by a named measure.

use std::collections::{BTreeMap, BTreeSet};

use crate::monitor::drift::FieldDrift;
use crate::monitor::performance::Figure;
use crate::monitor::report::Report;
use crate::monitor::trend::names;
use crate::monitor::verdict::Verdict;
use crate::monitor::words;

/// Fields named in one sentence; the rest are counted.
const NAMED_MAX: usize = 5;
/// A figure between 0 and 1 that moved less than this is the same to a reader.
const MOVED_MIN: f64 = 0.005;

/// Whether a sentence tells of something better, worse or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Better,
    Worse,
    Neither,
}

#[derive(Clone, Debug, PartialEq)]
pub struct News {
    pub direction: Direction,
    pub sentence: String,
}

/// The most important first; nothing where nothing changed.
pub fn changes(report: &Report, before: &Report) -> Vec<News> {
    let mut news = Vec::new();
    if (&report.model, report.version, report.release) != (&before.model, before.version, before.release) {
        let sentence = format!(
            "The report before is of {} version {}, this one of {} version {}.",
            before.model, before.version, report.model, report.version
        );
        news.push(News { direction: Direction::Neither, sentence });
    }
    news.extend(moved("The overall verdict", before.verdict, report.verdict));
    news.extend(of_fields(report, before));
    if let (Some(now), Some(then)) = (&report.drift.score, &before.drift.score) {
        news.extend(moved("The score", then.verdict, now.verdict));
    }
    news.extend(moved("The quality of the data", before.quality.verdict, report.quality.verdict));
    news.extend(of_release(report, before));
    news.extend(of_alarms(report, before));
    news.extend(of_figures(report, before));
    news
}

fn moved(what: &str, then: Verdict, now: Verdict) -> Option<News> {
    let direction = match (then, now) {
        _ if then == now => return None,
        (Verdict::Insufficient, now) if now >= Verdict::Watch => Direction::Worse,
        (_, Verdict::Insufficient) | (Verdict::Insufficient, _) => Direction::Neither,
        _ if now > then => Direction::Worse,
        _ => Direction::Better,
    };
    let [then, now] = [then, now].map(|verdict| words::verdict(verdict).to_lowercase());
    Some(News { direction, sentence: format!("{what} went from {then} to {now}.") })
}

fn of_fields(report: &Report, before: &Report) -> Vec<News> {
    let then: BTreeMap<&str, Verdict> =
        before.drift.fields.iter().map(|d| (d.field.as_str(), d.verdict)).collect();
    let those = |pick: &dyn Fn(Verdict, Verdict) -> bool| -> Vec<&str> {
        let turned = |d: &&FieldDrift| then.get(d.field.as_str()).is_some_and(|then| pick(*then, d.verdict));
        report.drift.fields.iter().filter(turned).map(|d| d.field.as_str()).collect()
    };
    let newly = those(&|then, now| now == Verdict::Shifted && then != Verdict::Shifted);
    let watched = those(&|then, now| now == Verdict::Watch && then < Verdict::Watch);
    let settled = those(&|then, now| now == Verdict::Stable && then >= Verdict::Watch);
    let told = [
        (newly, "Newly shifted", Direction::Worse),
        (watched, "Newly on watch", Direction::Worse),
        (settled, "Stable again", Direction::Better),
    ];
    let told = told.into_iter().filter(|(fields, ..)| !fields.is_empty());
    told.map(|(fields, what, direction)| News {
        direction,
        sentence: format!("{what}: {}.", listed(&fields)),
    })
    .collect()
}

fn listed(names: &[&str]) -> String {
    let named: Vec<String> = names.iter().take(NAMED_MAX).map(|name| words::shown(name)).collect();
    match names.len().saturating_sub(NAMED_MAX) {
        0 => named.join(", "),
        more => format!("{} and {} more", named.join(", "), words::count(more as u64)),
    }
}

/// Of one and the same release: what another was like is no change of this one.
fn of_release(report: &Report, before: &Report) -> Option<News> {
    let own = report.release_performance.as_ref().zip(before.release_performance.as_ref());
    let (now, then) = own.filter(|_| report.release == before.release)?;
    moved("The release in force by its own outcomes", then.verdict, now.verdict)
}

fn of_alarms(report: &Report, before: &Report) -> Vec<News> {
    let keys = |report: &'_ Report| -> BTreeSet<(String, String)> {
        report.alarms.iter().map(|a| (a.rule.clone(), a.about.clone())).collect()
    };
    let (now, then) = (keys(report), keys(before));
    let (new, over) = (now.difference(&then).count() as u64, then.difference(&now).count() as u64);
    let told = [(new, "New alarms", Direction::Worse), (over, "Alarms no longer raised", Direction::Better)];
    let told = told.into_iter().filter(|(count, ..)| *count > 0);
    told.map(|(number, what, direction)| News {
        direction,
        sentence: format!("{what}: {}.", words::count(number)),
    })
    .collect()
}

fn of_figures(report: &Report, before: &Report) -> Vec<News> {
    let auc = |report: &Report| -> Option<f64> {
        let figures = &report.performance.as_ref()?.figures;
        figures.iter().find(|f| f.name == names::AUC).and_then(|f| f.value)
    };
    let mut news = Vec::new();
    if let Some((then, now)) = auc(before).zip(auc(report)).filter(|(then, now)| is_moved(*then, *now)) {
        let direction = if now > then { Direction::Better } else { Direction::Worse };
        let (then, now) = (words::size(then), words::size(now));
        news.push(News { direction, sentence: format!("The AUC went from {then} to {now}.") });
    }
    let pairs: [(&str, &Figure, &Figure); 2] = [
        ("Approved", &before.business.approval_rate, &report.business.approval_rate),
        ("Bad among approved", &before.business.bad_rate_of_approved, &report.business.bad_rate_of_approved),
    ];
    for (what, then, now) in pairs {
        let values = then.value.zip(now.value).filter(|(then, now)| is_moved(*then, *now));
        if let Some((then, now)) = values {
            let sentence = format!("{what}: {} after {}.", words::percent(now), words::percent(then));
            news.push(News { direction: Direction::Neither, sentence });
        }
    }
    if report.performance.is_some() && before.performance.is_none() {
        let sentence = "The first outcomes are known.".to_string();
        news.push(News { direction: Direction::Neither, sentence });
    }
    news
}

fn is_moved(then: f64, now: f64) -> bool {
    (now - then).abs() >= MOVED_MIN
}
