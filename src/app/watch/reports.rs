//! The report of a model on a day: gathered from the counters and the known outcomes, judged by the project's rules, kept
//! with its figures, and told where a rule holds. Made anew for the same day it takes the earlier one's place.

use crate::app::alerts::{self, News};
use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::app::registry::{VersionRow, versions};
use crate::app::watch::counted::{self, History};
use crate::app::watch::{newest, pooled, reactions, released};
use crate::base::fact::Failure;
use crate::base::limits;
use crate::config::project::Project;
use crate::config::watching::Watching;
use crate::decide::policy::PositiveIs;
use crate::monitor::alarm::judge::{Past, judge};
use crate::monitor::business;
use crate::monitor::drift::{DriftReport, bank};
use crate::monitor::estimate::Estimate;
use crate::monitor::fairness::{self, Decided, Fairness};
use crate::monitor::performance::{self, Performance, Reference, Window};
use crate::monitor::quality::{self, DayCounts};
use crate::monitor::report::Report;
use crate::monitor::report::page::{Beside, write_page};
use crate::monitor::trend::{Day, Series, names};
use crate::monitor::verdict::Verdict;
use crate::registry::version::{Alias, ModelRef, Which};
use crate::security::actor::Act;
use crate::serve::champion::Champion;
use crate::store::rows::watch::{DayRow, ReportRow};

/// What a report is to be of.
#[derive(Clone, Copy, Debug)]
pub struct ReportOrder {
    pub alias: Alias,
    /// The last day that is looked at, since 1970.
    pub day: u64,
    pub window_days: u64,
}

/// Days of a month, for how far outcomes are looked back on.
const MONTH_DAYS: u64 = 31;
/// Charts beside a report, and the days they reach back.
const CHART_DAYS: u64 = 90;

pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Insufficient => "too few rows to say",
        Verdict::Stable => "stable",
        Verdict::Watch => "to be watched",
        Verdict::Shifted => "shifted",
    }
}

/// Makes the report of a project's model, keeps it, and does what its alarms ask for.
pub fn make(app: &App, project: &Project, order: &ReportOrder) -> Result<Report, Failure> {
    app.may(Act::Score)?;
    let name = project.settings.name.clone();
    let model = ModelRef { name: name.clone(), which: Which::Alias(order.alias) };
    let (version, policy) = versions::resolve(app, &model, true)?;
    let champion = versions::open_champion(app, &version, &policy)?;
    let mut report = gather(app, project, order, (&version, &champion))?;
    let from = order.day.saturating_sub(project.watching.rules.days_needed());
    let past = app.store.read_lab(|lab| lab.list_watched_days(&name, from))?;
    let past = past.into_iter().filter(|row| row.left.day < order.day);
    let past: Vec<Day> = past.map(|row| left_of(row, version.version)).collect();
    let released_auc = versions::evaluation(app, &version)?.metrics.get("auc").copied();
    report.alarms = judge(&project.watching.rules, &report, &Past { days: &past, released_auc })?;
    keep(app, &report, order.day, &project.watching)?;
    reactions::react(app, &report)?;
    Ok(report)
}

/// What a day left. What it said of the release in force then says nothing of another.
fn left_of(row: DayRow, version: u64) -> Day {
    let mut left = row.left;
    left.readings.retain(|reading| row.version == version || !names::is_of_release(&reading.name));
    left
}

fn gather(
    app: &App,
    project: &Project,
    order: &ReportOrder,
    (version, champion): (&VersionRow, &Champion),
) -> Result<Report, Failure> {
    let watching = &project.watching;
    let reference = &champion.loaded().reference;
    let release = version.release;
    let first = order.day.saturating_sub(order.window_days.saturating_sub(1));
    let window = counted::counts(app, &release, (first, order.day))?;
    let drift = drift_of(app, watching, (version, champion), (first, order.day))?;
    let today = counted::counts(app, &release, (order.day, order.day))?;
    let day_fields = counted::fields(reference, &today);
    let quality = quality::assess(
        &DayCounts {
            rows: counted::named(&today, "decisions") + counted::named(&today, "predictions"),
            degraded: counted::named(&today, "flag:degraded"),
            defaulted: counted::named(&today, "flag:defaulted"),
            unseen: counted::named(&today, "flag:unseen"),
            fields: &day_fields,
        },
        &watching.quality,
    )?;
    let policy = champion.deciding_policy()?.policy();
    let good_is_event = policy.object().positive_is == PositiveIs::Good;
    let from = order.day.saturating_sub(limits::PERFORMANCE_MONTHS * MONTH_DAYS);
    let history = counted::history(app, &version.name, (from, order.day), good_is_event)?;
    let approved = approved_of(watching, policy.object());
    let is_approved = |outcome: &str| approved.iter().any(|known| known == outcome);
    let performance = performance_of(app, watching, &history, (version, champion, good_is_event))?;
    let own = released::performance(app, watching, &history, (version, order.alias))?;
    let fairness = fairness_of(watching, &history, is_approved)?;
    // Of the window alone: what was decided then, and what is known of it so far.
    let since = i64::try_from(first).unwrap_or_default() * crate::schedule::limits::DAY_MS;
    let recent: Vec<_> = history.known.iter().filter(|known| known.decided_ms >= since).cloned().collect();
    let outcomes = with_known(counted::outcomes(&window), &recent);
    let business = business::measure(&outcomes, &recent, is_approved, watching.gains.as_ref())?;
    let mut report = Report {
        project: project.settings.name.clone(),
        model: version.name.clone(),
        version: version.version,
        release,
        day: counted::day_text(order.day),
        window_days: order.window_days,
        made_ms: app.now().millis(),
        drift,
        quality,
        performance,
        release_performance: Some(own),
        fairness,
        business,
        alarms: Vec::new(),
        verdict: Verdict::Insufficient,
    };
    report.verdict = report.overall();
    Ok(report)
}

/// Of the fields over all whose rows count, of the score over the release alone.
fn drift_of(
    app: &App,
    watching: &Watching,
    (version, champion): (&VersionRow, &Champion),
    days: (u64, u64),
) -> Result<DriftReport, Failure> {
    let reference = &champion.loaded().reference;
    let score = counted::score(reference, &counted::counts(app, &version.release, days)?);
    let needed = watching.drift.current_rows_min;
    let (window, over) = pooled::counts(app, (version, champion), days, needed)?;
    let found = bank::compare(&counted::fields(reference, &window), score.as_ref(), &watching.drift)?;
    Ok(DriftReport { over, ..found })
}

/// Decisions of a release before this one are known too, and were counted under their own.
fn with_known(mut outcomes: Vec<(String, u64)>, known: &[performance::Known]) -> Vec<(String, u64)> {
    for one in known {
        if !outcomes.iter().any(|(name, _)| *name == one.outcome) {
            outcomes.push((one.outcome.clone(), 0));
        }
    }
    for (name, count) in &mut outcomes {
        let seen = known.iter().filter(|one| one.outcome == *name).count() as u64;
        *count = (*count).max(seen);
    }
    outcomes
}

fn approved_of(watching: &Watching, policy: &crate::decide::resolved::PolicyObject) -> Vec<String> {
    if let Some(approved) = &watching.approved {
        return approved.clone();
    }
    let best = match policy.positive_is {
        PositiveIs::Bad => policy.bands.first(),
        PositiveIs::Good => policy.bands.last(),
    };
    best.map(|band| vec![band.outcome.clone()]).unwrap_or_default()
}

fn performance_of(
    app: &App,
    watching: &Watching,
    history: &History,
    (version, champion, good_is_event): (&VersionRow, &Champion, bool),
) -> Result<Option<Performance>, Failure> {
    if history.known.is_empty() {
        return Ok(None);
    }
    let evaluation = versions::evaluation(app, version)?;
    let rate = champion.loaded().content.training.base_rate;
    let auc = evaluation.metrics.get("auc").copied().map(|value| {
        let interval = evaluation.intervals.get("auc");
        Estimate {
            value,
            low: interval.map_or(value, |interval| interval.low),
            high: interval.map_or(value, |interval| interval.high),
        }
    });
    let reference = Reference { bad_rate: if good_is_event { 1.0 - rate } else { rate }, auc };
    let window = Window { known: &history.known, decided: &history.decided, now_ms: app.now().millis() };
    Ok(Some(performance::measure(&window, &reference, &watching.performance)?))
}

fn fairness_of(
    watching: &Watching,
    history: &History,
    is_approved: impl Fn(&str) -> bool,
) -> Result<Vec<Fairness>, Failure> {
    let mut found = Vec::new();
    for attribute in &watching.attributes {
        let decided: Vec<Decided<'_>> =
            history.known.iter().filter_map(|known| Decided::of_known(known, attribute)).collect();
        if !decided.is_empty() {
            found.push(fairness::measure(attribute, &decided, &is_approved, &watching.fairness)?);
        }
    }
    Ok(found)
}

/// Keeps report and figures together with the alerts they give cause for.
fn keep(app: &App, report: &Report, day: u64, watching: &Watching) -> Result<(), Failure> {
    let left = DayRow { version: report.version, left: report.points()? };
    let row = ReportRow { day, report: report.clone() };
    let news: Vec<News> = report.alarms.iter().map(|alarm| reactions::news_of(report, alarm)).collect();
    alerts::raise_with(app, news, move |lab| lab.put_report(&row, &left))?;
    newest::note(app, report, day);
    let (model, before) = (report.model.clone(), day.saturating_sub(watching.keep_days));
    app.store.write_lab(move |lab| lab.drop_reports(&model, before))?;
    Ok(())
}

/// The report of a day, or the newest.
pub fn find(app: &App, model: &str, day: Option<u64>) -> Result<Report, Failure> {
    app.may(Act::ReadRuns)?;
    let found = match day {
        Some(day) => app.store.read_lab(|lab| lab.find_report(model, day))?,
        None => app.store.read_lab(|lab| lab.find_report_before(model, None))?,
    };
    let wanted = day.map_or("the newest".to_string(), counted::day_text);
    let missing = || UseCaseError::NoReport { model: model.to_string(), wanted };
    Ok(found.map(|row| row.report).ok_or_else(missing)?)
}

/// The report as a page that stands alone: what changed since the one before, and charts of the months before.
pub fn page(app: &App, report: &Report) -> Result<String, Failure> {
    app.may(Act::ReadRuns)?;
    let day = report.day_number()?;
    let before = app.store.read_lab(|lab| lab.find_report_before(&report.model, Some(day)))?;
    let before = before.map(|row| row.report);
    let series = charted(app, report, (day.saturating_sub(CHART_DAYS), day))?;
    Ok(write_page(report, &Beside { before: before.as_ref(), series: &series }))
}

/// The figures that are drawn: rows, the score, what has shifted, and outcomes where they are known. Each is read by
/// itself: all that ninety days have left is a hundred times as much.
fn charted(app: &App, report: &Report, (from, last): (u64, u64)) -> Result<Vec<Series>, Failure> {
    let mut wanted: Vec<(&str, Option<&str>)> =
        ["rows", "score_psi", "approval_rate", "auc", "release_auc"].map(|name| (name, None)).to_vec();
    let moved = report.drift.fields.iter().filter(|field| field.verdict >= Verdict::Watch);
    wanted.extend(moved.map(|field| ("psi", Some(field.field.as_str()))));
    let mut drawn = Vec::new();
    for figure in wanted {
        let mut series = app.store.read_lab(|lab| lab.find_series(&report.model, figure, from))?;
        series.points.retain(|point| point.day <= last);
        if series.points.len() > 1 {
            drawn.push(series);
        }
    }
    Ok(drawn)
}
