//! A model in production as the pages of monitoring show it: at a glance, and with the report of a day.
//! Never judges: verdicts and figures are the report's own, rounded as its own page rounds them.

use serde::Serialize;

use crate::app::watch::HoldRow;
use crate::http::pages::chains::marks::Mark;
use crate::http::pages::monitoring::chart::{Chart, Spark};
use crate::http::pages::text::Texts;
use crate::http::pages::words::{days_ago, moment};
use crate::monitor::alarm::{Alarm, Reaction, Severity};
use crate::monitor::drift::{CountedOver, CountedRelease, FieldDrift};
use crate::monitor::fairness::Fairness;
use crate::monitor::performance::Figure;
use crate::monitor::performance::release::ReleasePerformance;
use crate::monitor::report::Report;
use crate::monitor::report::changes::{Direction, changes};
use crate::monitor::trend::names;
use crate::monitor::verdict::Verdict;
use crate::monitor::words;

/// Fields in the table of one page, the worst first; the report has all.
const FIELDS_SHOWN: usize = 40;

/// Something that changed since the report before.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewsLine {
    pub tone: &'static str,
    pub shape: &'static str,
    pub text: String,
}

/// A rule that holds the model back.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HoldView {
    pub rule: String,
    pub why: String,
    pub since: String,
}

/// A model in production at a glance.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ModelLine {
    pub id: String,
    pub address: String,
    /// As it stands in an address.
    pub name: String,
    pub model: String,
    pub version: u64,
    /// How it stands by its newest report.
    pub mark: Mark,
    /// The day of that report, how long ago, and how many rules hold; nothing where there is none.
    pub day: Option<String>,
    pub ago: String,
    pub alarms: String,
    pub news: Vec<NewsLine>,
    pub sparks: Vec<Spark>,
    pub hold: Option<HoldView>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct MonitoringView {
    pub lines: Vec<ModelLine>,
}

/// A figure with its interval.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FigureLine {
    pub name: String,
    pub value: Option<String>,
    pub note: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct FieldLine {
    pub field: String,
    pub mark: Mark,
    pub method: String,
    pub statistic: Option<String>,
    pub missing: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct AlarmLine {
    pub rule: String,
    pub mark: Mark,
    pub sentence: String,
    pub actions: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct GroupLine {
    pub attribute: String,
    pub mark: Mark,
    pub figures: Vec<FigureLine>,
}

/// The release in force by its own outcomes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReleaseView {
    pub mark: Mark,
    pub lead: String,
    pub figures: Vec<FigureLine>,
    pub before: Option<String>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct RangeLink {
    pub address: String,
    pub label: String,
    pub here: bool,
}

/// The report of one day.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ReportView {
    pub model: String,
    /// As it stands in an address.
    pub name: String,
    pub version: u64,
    pub day: String,
    pub window: String,
    pub made: String,
    pub mark: Mark,
    pub before: Option<String>,
    pub news: Vec<NewsLine>,
    pub alarms: Vec<AlarmLine>,
    pub figures: Vec<FigureLine>,
    pub fields: Vec<FieldLine>,
    /// Fields beyond those that are shown.
    pub fields_more: Option<String>,
    /// Whose rows the fields were counted over beside the release's own.
    pub counted: Option<String>,
    pub release: Option<ReleaseView>,
    pub performance: Vec<FigureLine>,
    pub groups: Vec<GroupLine>,
    pub charts: Vec<Chart>,
    pub ranges: Vec<RangeLink>,
    pub range_days: u64,
    /// Days within the charts' reach that have a report, the newest first.
    pub days: Vec<String>,
    pub earlier: Option<String>,
    pub later: Option<String>,
    pub hold: Option<HoldView>,
}

pub fn mark_of(texts: &Texts, verdict: Verdict) -> Mark {
    let mark = match verdict {
        Verdict::Insufficient => ("other", "pending", "monitoring.verdict.insufficient"),
        Verdict::Stable => ("good", "good", "monitoring.verdict.stable"),
        Verdict::Watch => ("refer", "warn", "monitoring.verdict.watch"),
        Verdict::Shifted => ("bad", "bad", "monitoring.verdict.shifted"),
    };
    Mark::of(texts, mark)
}

pub fn no_report(texts: &Texts) -> Mark {
    Mark::of(texts, ("other", "none", "monitoring.verdict.no_report"))
}

pub fn hold_view(texts: &Texts, row: &HoldRow) -> HoldView {
    HoldView { rule: row.rule.clone(), why: row.why.clone(), since: moment(texts, row.since_ms) }
}

pub fn news_of(report: &Report, before: Option<&Report>) -> Vec<NewsLine> {
    let news = before.map(|before| changes(report, before)).unwrap_or_default();
    let line = |one: crate::monitor::report::changes::News| {
        let (tone, shape) = match one.direction {
            Direction::Better => ("good", "good"),
            Direction::Worse => ("bad", "warn"),
            Direction::Neither => ("other", "note"),
        };
        NewsLine { tone, shape, text: one.sentence }
    };
    news.into_iter().map(line).collect()
}

pub fn alarms_word(texts: &Texts, count: usize) -> String {
    match count {
        0 => texts.say("monitoring.alarms.none"),
        1 => texts.say("monitoring.alarms.one"),
        more => texts.fill("monitoring.alarms.many", &[("count", &more.to_string())]),
    }
}

pub fn ago_of(texts: &Texts, report: &Report, now_ms: i64) -> String {
    let day_ms = |day: u64| i64::try_from(day).unwrap_or_default() * crate::schedule::limits::DAY_MS;
    report.day_number().map_or(String::new(), |day| days_ago(texts, now_ms, day_ms(day)))
}

/// All that the report itself says; what stands beside it is filled in by whoever asks.
pub fn report_view(texts: &Texts, report: &Report, before: Option<&Report>) -> ReportView {
    let mut fields: Vec<&FieldDrift> = report.drift.fields.iter().collect();
    fields.sort_by_key(|field| std::cmp::Reverse(field.verdict));
    let more = fields.len().saturating_sub(FIELDS_SHOWN);
    let performance = report.performance.as_ref().map(|p| p.figures.as_slice()).unwrap_or_default();
    ReportView {
        model: crate::http::pages::words::spoken(&report.model),
        name: report.model.clone(),
        version: report.version,
        day: report.day.clone(),
        window: words::counted(report.window_days, "day"),
        made: moment(texts, report.made_ms),
        mark: mark_of(texts, report.verdict),
        before: before.map(|before| before.day.clone()),
        news: news_of(report, before),
        alarms: report.alarms.iter().map(|alarm| alarm_line(texts, alarm)).collect(),
        figures: glance(texts, report),
        fields: fields.into_iter().take(FIELDS_SHOWN).map(|field| field_line(texts, field)).collect(),
        fields_more: (more > 0).then(|| words::count(more as u64)),
        counted: report.drift.over.as_ref().map(|over| counted(texts, over)),
        release: report.release_performance.as_ref().map(|own| release_view(texts, own)),
        performance: performance.iter().map(|figure| figure_line(texts, None, figure)).collect(),
        groups: report.fairness.iter().map(|fairness| group_line(texts, fairness)).collect(),
        ..ReportView::default()
    }
}

/// The same figures that the report's own page begins with.
fn glance(texts: &Texts, report: &Report) -> Vec<FigureLine> {
    let (drift, business) = (&report.drift, &report.business);
    let plain = |key: &str, value: Option<String>, note: Option<String>| FigureLine {
        name: texts.say(key),
        value,
        note,
    };
    let of = texts.fill("monitoring.of_judged", &[("judged", &words::count(drift.judged))]);
    let shifted = (drift.judged > 0).then(|| words::count(drift.shifted));
    let score = drift.score.as_ref().and_then(|score| score.statistic).map(words::size);
    let method = drift.score.as_ref().map(|score| words::method(score.method).to_string());
    let auc = report.performance.as_ref().and_then(|p| p.figures.iter().find(|f| f.name == "auc"));
    let auc = match auc {
        Some(figure) => figure_line(texts, Some("monitoring.figure.auc"), figure),
        None => plain("monitoring.figure.auc", None, Some(texts.say("monitoring.no_outcomes"))),
    };
    vec![
        plain("monitoring.figure.rows", Some(words::count(report.quality.rows)), None),
        plain("monitoring.figure.shifted", shifted, Some(of)),
        plain("monitoring.figure.score", score, method),
        auc,
        figure_line(texts, Some("monitoring.figure.approved"), &business.approval_rate),
        figure_line(texts, Some("monitoring.figure.bad"), &business.bad_rate_of_approved),
    ]
}

fn figure_line(texts: &Texts, key: Option<&str>, figure: &Figure) -> FigureLine {
    let spelled = |value: f64| words::figure(&figure.name, value);
    let count = words::count(figure.n);
    let note = match (figure.low, figure.high) {
        (Some(low), Some(high)) => texts.fill(
            "monitoring.interval",
            &[("low", &spelled(low)), ("high", &spelled(high)), ("count", &count)],
        ),
        _ => texts.fill("monitoring.of_rows", &[("count", &count)]),
    };
    FigureLine {
        name: key.map_or_else(|| words::figure_name(&figure.name), |key| texts.say(key)),
        value: figure.value.map(spelled),
        note: Some(note),
    }
}

/// The figures that a release is judged by, and those they are made of.
const RELEASE_SHOWN: [&str; 4] = [names::AUC, names::BAD_RATE, names::MEAN_PROBABILITY, "brier"];

fn release_view(texts: &Texts, own: &ReleasePerformance) -> ReleaseView {
    let shown = |name: &&str| own.figures.iter().find(|figure| figure.name == **name);
    let figures = RELEASE_SHOWN.iter().filter_map(shown).chain(&own.judged);
    let [decided, known, matured, needed] =
        [own.decided, own.known, own.matured, own.needed].map(words::count);
    let since = moment(texts, own.since_ms);
    let lead = texts.fill(
        "monitoring.own_lead",
        &[
            ("since", &since),
            ("decided", &decided),
            ("known", &known),
            ("matured", &matured),
            ("needed", &needed),
        ],
    );
    let before = own.before.as_ref().map(|before| {
        let auc = before.auc.value.map_or(texts.say("monitoring.absent"), words::size);
        let (version, matured) = (before.version.to_string(), words::count(before.matured));
        texts.fill("monitoring.own_before", &[("version", &version), ("auc", &auc), ("matured", &matured)])
    });
    ReleaseView {
        mark: mark_of(texts, own.verdict),
        lead,
        figures: figures.map(|figure| figure_line(texts, None, figure)).collect(),
        before,
    }
}

fn counted(texts: &Texts, over: &CountedOver) -> String {
    let (own, needed) = (words::count(over.own_rows), words::count(over.needed));
    let own = texts.fill("monitoring.counted_own", &[("own", &own), ("needed", &needed)]);
    let of_release = |release: &CountedRelease| {
        let why = release.why.as_ref().map_or(String::new(), |why| format!(" ({why})"));
        let [fields, rows] = [release.fields, release.rows].map(words::count);
        let version = release.version.to_string();
        texts.fill(
            "monitoring.counted_over",
            &[("fields", &fields), ("rows", &rows), ("version", &version), ("why", &why)],
        )
    };
    let rest: Vec<String> = over.releases.iter().map(of_release).collect();
    format!("{own} {}", rest.join(" "))
}

fn field_line(texts: &Texts, field: &FieldDrift) -> FieldLine {
    let then = words::percent(field.missing.reference);
    // Of no rows at all none is missing, and that says nothing.
    let now = match field.current_rows {
        0 => texts.say("monitoring.absent"),
        _ => words::percent(field.missing.current),
    };
    FieldLine {
        field: words::shown(&field.field),
        mark: mark_of(texts, field.verdict),
        method: words::method(field.method).to_string(),
        statistic: field.statistic.map(words::size),
        missing: texts.fill("monitoring.missing", &[("then", &then), ("now", &now)]),
    }
}

fn alarm_line(texts: &Texts, alarm: &Alarm) -> AlarmLine {
    let mark = match alarm.severity {
        Severity::Info => ("other", "note", "alerts.severity.info"),
        Severity::Warning => ("refer", "warn", "alerts.severity.warning"),
        Severity::Critical => ("bad", "stop", "alerts.severity.critical"),
    };
    let asked = alarm.actions.iter().map(|action| {
        texts.say(match action {
            Reaction::Notify => "monitoring.reaction.notify",
            Reaction::Freeze => "monitoring.reaction.freeze",
            Reaction::RollBack => "monitoring.reaction.roll_back",
            Reaction::FallBack => "monitoring.reaction.fall_back",
            Reaction::Retrain => "monitoring.reaction.retrain",
        })
    });
    AlarmLine {
        rule: alarm.rule.clone(),
        mark: Mark::of(texts, mark),
        sentence: alarm.sentence.clone(),
        actions: asked.collect::<Vec<_>>().join(", "),
    }
}

fn group_line(texts: &Texts, fairness: &Fairness) -> GroupLine {
    GroupLine {
        attribute: words::shown(&fairness.attribute),
        mark: mark_of(texts, fairness.verdict),
        figures: fairness.differences.iter().map(|figure| figure_line(texts, None, figure)).collect(),
    }
}
