//! Monitoring: every model in production at a glance, the report of a day with its charts, and that report as a file.
//! Decides nothing, and computes no figure: reports and series come as the use cases keep them.

use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::Response;

use crate::app::home::App;
use crate::app::registry::{AliasRow, versions};
use crate::app::watch::{asked, reactions, reports, trends};
use crate::base::clock::iso_date;
use crate::base::fact::Failure;
use crate::http::call::{Reply, bytes_of};
use crate::http::pages::monitoring::chart::{Chart, Spark, chart, spark};
use crate::http::pages::monitoring::view::{
    ModelLine, MonitoringView, RangeLink, ago_of, alarms_word, hold_view, mark_of, news_of, no_report,
    report_view,
};
use crate::http::pages::routes::{Visit, see_other};
use crate::http::pages::text::Texts;
use crate::http::pages::words::spoken;
use crate::http::problem::HttpError;
use crate::monitor::report::{Report, write_json};
use crate::monitor::trend::Series;
use crate::monitor::verdict::Verdict;
use crate::monitor::words;
use crate::registry::version::Alias;

pub mod chart;
pub mod view;

const SECTION: &str = "monitoring";
/// How far back the small lines reach, and what is told of changes, on the first page.
const SPARK_DAYS: u64 = 30;
const NEWS_SHOWN: usize = 3;
/// How far back the charts may reach, and where nothing is said.
const RANGES: [u64; 4] = [30, 90, 365, 1_095];
const RANGE: u64 = 90;
/// Moved fields that have a chart, the worst first.
const FIELD_CHARTS: usize = 4;
/// A report is a page of its own, which brings its style and may load and run nothing.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";

pub fn list(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let (app, texts) = (&visit.app, visit.server.pages.texts());
        let mut lines = Vec::new();
        for (_, aliases) in versions::list_models(app)? {
            let production = aliases.into_iter().find(|alias| alias.alias == Alias::Production.as_str());
            if let Some(alias) = production {
                lines.push(model_line(app, &texts, &alias)?);
            }
        }
        visit.server.pages.render("monitoring.html", &visit.door.frame(SECTION), &MonitoringView { lines })
    })
}

/// The newest report, or the one of a day; none is no failure here.
fn find(app: &App, model: &str, day: Option<u64>) -> Result<Option<Report>, Failure> {
    match reports::find(app, model, day) {
        Ok(report) => Ok(Some(report)),
        Err(failure) if failure.code() == "report.unknown" => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn model_line(app: &App, texts: &Texts, alias: &AliasRow) -> Result<ModelLine, Failure> {
    let name = &alias.name;
    let report = find(app, name, None)?;
    let before = match &report {
        Some(report) => before(app, report)?,
        None => None,
    };
    let hold = asked::hold(app, name)?;
    let mut news = report.as_ref().map(|report| news_of(report, before.as_ref())).unwrap_or_default();
    news.truncate(NEWS_SHOWN);
    let alarms = report.as_ref().map_or(0, |report| report.alarms.len());
    Ok(ModelLine {
        id: format!("model-{name}"),
        address: address_of(name),
        name: name.clone(),
        model: spoken(name),
        version: alias.version,
        mark: report.as_ref().map_or_else(|| no_report(texts), |report| mark_of(texts, report.verdict)),
        day: report.as_ref().map(|report| report.day.clone()),
        ago: report.as_ref().map_or(String::new(), |r| ago_of(texts, r, app.now().millis())),
        alarms: alarms_word(texts, alarms),
        news,
        sparks: sparks(app, texts, name)?,
        hold: hold.map(|row| hold_view(texts, &row)),
    })
}

/// How a figure is spelled.
type Spell = fn(f64) -> String;

fn sparks(app: &App, texts: &Texts, model: &str) -> Result<Vec<Spark>, Failure> {
    let wanted: [(&str, &str, Spell); 3] = [
        ("score_psi", "monitoring.figure.score_psi", words::size),
        ("rows", "monitoring.figure.rows", |rows| words::count(rows as u64)),
        ("bad_rate", "monitoring.figure.bad_rate", words::percent),
    ];
    let draw = |(name, key, spell): (&str, &str, Spell)| -> Result<Spark, Failure> {
        Ok(spark(texts, key, &trends::series(app, model, (name, None), SPARK_DAYS)?, spell))
    };
    wanted.into_iter().map(draw).collect()
}

/// The report before this one, if there was one.
fn before(app: &App, report: &Report) -> Result<Option<Report>, Failure> {
    let day = report.day_number()?;
    Ok(asked::list(app, &report.model, Some(day), 1)?.into_iter().next())
}

pub fn address_of(model: &str) -> String {
    format!("/monitoring/{model}")
}

fn address_of_day(model: &str, day: &str) -> String {
    format!("/monitoring/{model}/{day}")
}

/// The newest report; with a day chosen, that day's.
pub fn newest(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let model = visit.ask.path("model")?;
        if let Some(day) = visit.ask.query("day") {
            asked::day_of(day)?;
            let range = visit.ask.query("days").map_or(String::new(), |days| format!("?days={days}"));
            range_of(visit)?;
            return Ok(see_other(&format!("{}{range}", address_of_day(model, day))));
        }
        match find(&visit.app, model, None)? {
            Some(report) => page(visit, &report),
            None => nothing_yet(visit, model),
        }
    })
}

/// A model in production that nobody has reported on is no trouble; one that is not there is.
fn nothing_yet(visit: &Visit, model: &str) -> Result<Response, Failure> {
    let texts = visit.server.pages.texts();
    let alias = versions::find_alias(&visit.app, model, Alias::Production)?;
    let view = MonitoringView { lines: vec![model_line(&visit.app, &texts, &alias)?] };
    visit.server.pages.render("monitoring.html", &visit.door.frame(SECTION), &view)
}

pub fn of_day(visit: Visit) -> Reply {
    visit.answer(|visit| page(visit, &report_of(visit)?))
}

fn report_of(visit: &Visit) -> Result<Report, Failure> {
    let day = asked::day_of(visit.ask.path("day")?)?;
    reports::find(&visit.app, visit.ask.path("model")?, Some(day))
}

fn range_of(visit: &Visit) -> Result<u64, HttpError> {
    let wrong = || HttpError::Query { name: "days".into(), why: "is not 30, 90, 365 or 1095".into() };
    let days = visit.ask.query_as::<u64>("days")?.unwrap_or(RANGE);
    if RANGES.contains(&days) { Ok(days) } else { Err(wrong()) }
}

fn range_word(texts: &Texts, days: u64) -> String {
    match days / 365 {
        0 | 1 => texts.fill("monitoring.days", &[("days", &days.to_string())]),
        years => texts.fill("monitoring.years", &[("years", &years.to_string())]),
    }
}

fn page(visit: &Visit, report: &Report) -> Result<Response, Failure> {
    let (app, texts) = (&visit.app, visit.server.pages.texts());
    let (model, range) = (report.model.as_str(), range_of(visit)?);
    let before = before(app, report)?;
    let mut view = report_view(&texts, report, before.as_ref());
    view.charts = charts(app, report, range)?;
    view.range_days = range;
    let here = address_of_day(model, &report.day);
    let link = |days: u64| RangeLink {
        address: format!("{here}?days={days}"),
        label: range_word(&texts, days),
        here: days == range,
    };
    view.ranges = RANGES.map(link).to_vec();
    // Every report leaves the number of its rows.
    let rows = trends::series(app, model, ("rows", None), range)?;
    view.days = rows.points.iter().rev().filter_map(|p| iso_date(p.day as f64)).collect();
    view.earlier = before.map(|before| address_of_day(model, &before.day));
    let later = trends::day_after(app, model, report.day_number()?)?;
    view.later = later.map(|day| address_of_day(model, &day));
    view.hold = asked::hold(app, model)?.map(|row| hold_view(&texts, &row));
    visit.server.pages.render("monitored.html", &visit.door.frame(SECTION), &view)
}

/// The figures that are followed, and the fields that moved, the worst first.
fn charts(app: &App, report: &Report, days: u64) -> Result<Vec<Chart>, Failure> {
    let mut wanted: Vec<(&str, Option<&str>)> =
        ["score_psi", "rows", "bad_rate", "auc", "release_auc", "approval_rate"]
            .map(|name| (name, None))
            .to_vec();
    let mut moved: Vec<_> =
        report.drift.fields.iter().filter(|field| field.verdict >= Verdict::Watch).collect();
    moved.sort_by_key(|field| std::cmp::Reverse(field.verdict));
    wanted.extend(moved.into_iter().take(FIELD_CHARTS).map(|field| ("psi", Some(field.field.as_str()))));
    let gather = |wanted| trends::series(app, &report.model, wanted, days);
    let series: Vec<Series> = wanted.into_iter().map(gather).collect::<Result<_, _>>()?;
    let worth = |series: &&Series| series.points.iter().filter(|point| point.value.is_some()).count() > 1;
    let drawn = series.iter().filter(worth).enumerate();
    Ok(drawn.map(|(at, series)| chart(&format!("chart-{at}"), series)).collect())
}

pub fn release(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let row = reactions::release_hold(&visit.app, visit.ask.path("model")?)?;
        Ok(see_other(&address_of(&row.model)))
    })
}

/// The report as the page it is kept and mailed as.
pub fn file(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let html = reports::page(&visit.app, &report_of(visit)?)?;
        let mut response = bytes_of("text/html; charset=utf-8", html);
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(REPORT_POLICY));
        Ok(response)
    })
}

pub fn json(visit: Visit) -> Reply {
    visit.answer(|visit| Ok(bytes_of("application/json", write_json(&report_of(visit)?)?)))
}
