//! The one sentence of an alarm: what, how much, and the limit, for a person who sees nothing else.
//! Never judges; the limit was passed before a sentence is made.

use crate::monitor::alarm::judge::Held;
use crate::monitor::alarm::rules::{Rule, When};
use crate::monitor::alarm::watch::Watch;
use crate::monitor::compared;
use crate::monitor::drift::FieldDrift;
use crate::monitor::report::Report;
use crate::monitor::trend::names;
use crate::monitor::verdict::Verdict;
use crate::monitor::words;

/// Fields named in a sentence about the day's data.
const FIELDS_NAMED_MAX: usize = 3;

pub(super) fn of(rule: &Rule, held: &Held<'_>, report: &Report) -> String {
    let said = match rule.watch {
        Watch::Drift | Watch::ScoreDrift => of_drift(rule, held, report),
        Watch::Missing => {
            format!("{} is missing in {}", about(held), passed(held, words::percent, "of rows"))
        }
        Watch::Unseen => {
            format!(
                "{} has values the model never saw in {}",
                about(held),
                passed(held, words::percent, "of rows")
            )
        }
        Watch::Quality => of_quality(held, report),
        Watch::AucDrop => of_auc(held),
        Watch::Performance => of_performance(held),
        Watch::Release | Watch::ReleaseAucDrop | Watch::ReleaseCalibration => of_release(rule, held, report),
        Watch::Calibration => {
            format!("{} is {}", words::figure_name(figure_of(rule)), passed(held, words::size, ""))
        }
        Watch::Fairness => of_fairness(rule, held),
        Watch::ApprovalRate => {
            format!("Approved were {}", passed(held, words::percent, "of the cases decided"))
        }
        Watch::BadRate => {
            let outcome = "of those approved whose outcome is known";
            format!("Bad were {}", passed(held, words::percent, outcome))
        }
        Watch::Volume => {
            let rows = |value: f64| words::count(value.max(0.0).round() as u64);
            format!("The number of rows is {}", passed(held, rows, ""))
        }
        Watch::Degraded => format!("The fallback answered {}", passed(held, words::percent, "of rows")),
    };
    match rule.for_days {
        1 => format!("{said}."),
        days => format!("{said}, on {days} days in a row."),
    }
}

/// One alarm for all that a rule has beyond its limit of alarms.
pub(super) fn of_rest(rule: &Rule, rest: u64) -> (String, String) {
    let noun = if rule.watch == Watch::Fairness { "attribute" } else { "field" };
    let about = words::counted(rest, &format!("other {noun}"));
    let sentence = format!("The rule {} holds for {about} too; the report lists them.", rule.name);
    (about, sentence)
}

/// What an alarm is about where it is about no field or group.
pub(super) fn figure_of(rule: &Rule) -> &str {
    match rule.watch {
        Watch::ScoreDrift => "score",
        Watch::AucDrop => names::AUC,
        Watch::Release => names::RELEASE,
        Watch::ReleaseAucDrop => "release_auc_drop",
        Watch::ReleaseCalibration => "release_observed_over_expected",
        Watch::Volume => names::ROWS,
        Watch::Degraded => names::DEGRADED_RATE,
        Watch::ApprovalRate => names::APPROVAL_RATE,
        Watch::BadRate => names::BAD_RATE_OF_APPROVED,
        watch => rule.figure.as_deref().unwrap_or(watch.as_str()),
    }
}

fn about(held: &Held<'_>) -> String {
    words::shown(held.reading.about.as_deref().unwrap_or_default())
}

/// `12.0% of rows, above the limit 5.0%`.
fn passed(held: &Held<'_>, spell: impl Fn(f64) -> String, of: &str) -> String {
    let space = if of.is_empty() { "" } else { " " };
    let value = held.value.map_or("unknown".to_string(), &spell);
    match (held.value, held.limit) {
        (Some(found), Some(limit)) => {
            let side = if found > limit { "above" } else { "below" };
            format!("{value}{space}{of}, {side} the limit {}", spell(limit))
        }
        _ => format!("{value}{space}{of}"),
    }
}

fn of_drift(rule: &Rule, held: &Held<'_>, report: &Report) -> String {
    let (subject, drift) = match rule.watch {
        Watch::ScoreDrift => ("The score".to_string(), report.drift.score.as_ref()),
        _ => {
            let same = |d: &&FieldDrift| Some(&d.field) == held.reading.about.as_ref();
            (about(held), report.drift.fields.iter().find(same))
        }
    };
    let method = drift.map_or("distance", |d| words::method(d.method));
    let rows = words::counted(held.reading.point.n, "row");
    if matches!(rule.when, When::Beyond { .. }) {
        return format!("{subject}: the {method} over {rows} is {}", passed(held, words::size, ""));
    }
    let verb = match held.reading.point.verdict {
        Verdict::Shifted => "has shifted",
        _ => "is beginning to shift",
    };
    let by_p = drift.filter(|d| compared::is_by_p(d));
    let limit = held.limit.map_or(String::new(), |limit| format!(", the limit is {}", words::size(limit)));
    let spell = if by_p.is_some() { words::p_value } else { words::size };
    let value = held.value.map_or("unknown".to_string(), spell);
    match by_p {
        Some(drift) => {
            let statistic = drift.statistic.map_or("without end".to_string(), words::size);
            format!("{subject} {verb}: the p-value over {rows} is {value}{limit} ({method} {statistic})")
        }
        None => format!("{subject} {verb}: the {method} over {rows} is {value}{limit}"),
    }
}

fn of_quality(held: &Held<'_>, report: &Report) -> String {
    let fields = &report.quality.fields;
    let state = match held.reading.point.verdict {
        Verdict::Shifted => "have shifted",
        _ => "are beginning to shift",
    };
    if let Some(field) = &held.reading.about {
        let found = fields.iter().find(|f| f.field == *field);
        let share = found.map_or(String::new(), |f| {
            let (now, then) = (words::percent(f.missing.current), words::percent(f.missing.reference));
            let unseen = f
                .unseen
                .map_or(String::new(), |u| format!(", {} never seen in training", words::percent(u.current)));
            format!(": {now} missing where the reference has {then}{unseen}")
        });
        return format!("The data of {} {state}{share}", words::shown(field));
    }
    let mut worst: Vec<_> = fields.iter().filter(|f| f.verdict >= Verdict::Watch).collect();
    worst.sort_by_key(|f| std::cmp::Reverse(f.verdict));
    let named: Vec<String> = worst.iter().take(FIELDS_NAMED_MAX).map(|f| words::shown(&f.field)).collect();
    let more = worst.len().saturating_sub(FIELDS_NAMED_MAX) as u64;
    let more = if more > 0 { format!(" and {} more", words::count(more)) } else { String::new() };
    match named.is_empty() {
        true => format!("The data of the window {state}"),
        false => format!("The data of the window {state}: {}{more}", named.join(", ")),
    }
}

fn of_auc(held: &Held<'_>) -> String {
    let point = held.reading.point;
    let interval = point.low.zip(point.high).map_or(String::new(), |(low, high)| {
        format!(", 95% interval {} to {}", words::size(low), words::size(high))
    });
    let now = point.value.map_or(String::new(), |auc| format!(" to {}{interval}", words::size(auc)));
    format!("Since the release the AUC has fallen{now}: by {}", passed(held, words::size, ""))
}

fn of_performance(held: &Held<'_>) -> String {
    let outcomes = words::counted(held.reading.point.n, "known outcome");
    match held.reading.point.verdict {
        Verdict::Shifted => format!("The model has become worse than its limits allow, over {outcomes}"),
        _ => format!("The model is becoming worse, over {outcomes}"),
    }
}

/// With what is known of the release that would come back: whoever reads it may have to decide.
fn of_release(rule: &Rule, held: &Held<'_>, report: &Report) -> String {
    let outcomes = words::counted(held.reading.point.n, "matured outcome");
    let version = format!("Version {} in force", report.version);
    let found = held.reading.point.value.map_or("unknown".to_string(), words::size);
    let said = match rule.watch {
        Watch::ReleaseAucDrop => format!(
            "{version}, by {outcomes} of its own: its AUC lies {found} below that of its test rows, surely at least {}",
            passed(held, words::size, "")
        ),
        Watch::ReleaseCalibration => {
            let end = if held.value < held.reading.point.value { "least" } else { "most" };
            let surely = passed(held, words::size, "");
            format!(
                "{version}, by {outcomes} of its own: {found} bad ones came for each that it foretold, surely at {end} {surely}"
            )
        }
        _ => match held.reading.point.verdict {
            Verdict::Shifted => {
                format!("{version} is surely worse than its limits allow, by {outcomes} of its own")
            }
            _ => format!("{version} is becoming worse, by {outcomes} of its own"),
        },
    };
    let before = report.release_performance.as_ref().and_then(|release| release.before.as_ref());
    match before.filter(|before| before.verdict == Verdict::Shifted) {
        None => said,
        Some(before) => {
            let version = before.version;
            format!(
                "{said}; version {version} before it was no better by its own outcomes and does not come back"
            )
        }
    }
}

fn of_fairness(rule: &Rule, held: &Held<'_>) -> String {
    match rule.when {
        When::At(_) => {
            let n = words::counted(held.reading.point.n, "case");
            let state = match held.reading.point.verdict {
                Verdict::Shifted => "are treated differently beyond the limit",
                _ => "are beginning to be treated differently",
            };
            format!("The groups of {} {state} ({n})", about(held))
        }
        When::Beyond { .. } => {
            let figure = figure_of(rule);
            let spelled = passed(held, |value| words::figure(figure, value), "");
            format!("{}: {} is {spelled}", about(held), words::figure_name(figure).to_lowercase())
        }
    }
}
