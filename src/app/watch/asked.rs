//! What a person asks of what is watched: a report of a day now, which days have one, one figure over days, and whether
//! a rule holds a model back. Never judges; `reports` does.

use crate::app::chains::projects;
use crate::app::home::App;
use crate::app::registry::versions;
use crate::app::watch::reports::{self, ReportOrder};
use crate::app::watch::{HoldRow, trends};
use crate::base::clock::{iso_date, parse_iso_date};
use crate::base::fact::{Class, Fact, Failure, nearest};
use crate::base::limits;
use crate::monitor::report::Report;
use crate::monitor::trend::Series;
use crate::registry::version::{Alias, ModelRef, Which};
use crate::security::actor::Act;

#[derive(Debug, thiserror::Error)]
pub enum AskedError {
    #[error("{text:?} is no day such as 2026-03-14")]
    Day { text: String },
    #[error("the day {day} has not come yet")]
    Future { day: String },
    #[error("a report looks at 1 to {WINDOW_DAYS_MAX} days together, not at {found}")]
    Window { found: u64 },
    #[error("a series reaches back 1 to {max} days, not {found}", max = limits::WATCHED_DAYS_MAX)]
    Since { found: u64 },
    #[error("the reports of {model:?} have left no figure {name:?}{about}")]
    NoSeries { model: String, name: String, about: String, near: Option<String> },
}

impl Fact for AskedError {
    fn code(&self) -> &'static str {
        match self {
            Self::Day { .. } => "report.day",
            Self::Future { .. } => "report.future_day",
            Self::Window { .. } => "report.window",
            Self::Since { .. } => "trend.since",
            Self::NoSeries { .. } => "trend.unknown",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::NoSeries { near: Some(near), .. } => Some(format!("Did you mean {near:?}?")),
            Self::NoSeries { model, .. } => {
                Some(format!("See which there are: `tallystick monitor trend {model}`."))
            }
            _ => None,
        }
    }
}

/// Days that one report may look at together, and how many where nothing is said.
pub const WINDOW_DAYS_MAX: u64 = 366;
pub const WINDOW_DAYS: u64 = 7;
/// How far a series reaches back where nothing is said.
pub const SINCE_DAYS: u64 = 90;

/// The report that is asked for; a day that is over, yesterday where none is named.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub alias: Alias,
    pub day: Option<u64>,
    pub window_days: u64,
}

/// Makes the report of a model whose project is in force here.
pub fn make(app: &App, model: &str, wanted: &Wanted) -> Result<Report, Failure> {
    app.may(Act::MakeReports)?;
    let applied = projects::find(app, model)?;
    let today = trends::today(app);
    let day = wanted.day.unwrap_or(today.saturating_sub(1));
    if day > today {
        let day = iso_date(day as f64).unwrap_or_else(|| day.to_string());
        return Err(AskedError::Future { day }.into());
    }
    if !(1..=WINDOW_DAYS_MAX).contains(&wanted.window_days) {
        return Err(AskedError::Window { found: wanted.window_days }.into());
    }
    let order = ReportOrder { alias: wanted.alias, day, window_days: wanted.window_days };
    reports::make(app, &applied.project, &order)
}

/// A day as it is written, as days since 1970.
pub fn day_of(text: &str) -> Result<u64, AskedError> {
    let days = parse_iso_date(text).filter(|days| *days >= 0.0);
    days.map(|days| days as u64).ok_or_else(|| AskedError::Day { text: text.to_string() })
}

/// Reports of a model before a day, the newest first; a full list goes on before its last.
pub fn list(app: &App, model: &str, before: Option<u64>, limit: usize) -> Result<Vec<Report>, Failure> {
    app.may(Act::ReadRuns)?;
    check_model(app, model)?;
    let limit = limit.clamp(1, limits::REPORTS_LISTED_MAX);
    let rows = app.store.read_lab(|lab| lab.list_reports(model, before, limit))?;
    Ok(rows.into_iter().map(|row| row.report).collect())
}

/// One figure over the last days. A name that no report has left is a slip; a figure without days is not.
pub fn series(
    app: &App,
    model: &str,
    (name, about): (&str, Option<&str>),
    since_days: u64,
) -> Result<Series, Failure> {
    app.may(Act::ReadRuns)?;
    if !(1..=limits::WATCHED_DAYS_MAX as u64).contains(&since_days) {
        return Err(AskedError::Since { found: since_days }.into());
    }
    let series = trends::series(app, model, (name, about), since_days)?;
    if series.points.is_empty() {
        check_model(app, model)?;
        check_name(app, model, name, about)?;
    }
    Ok(series)
}

/// The figures of a model by name and what each is about.
pub fn names(app: &App, model: &str) -> Result<Vec<(String, Option<String>)>, Failure> {
    app.may(Act::ReadRuns)?;
    check_model(app, model)?;
    trends::names(app, model)
}

/// The rule that holds a model back, where one does.
pub fn hold(app: &App, model: &str) -> Result<Option<HoldRow>, Failure> {
    app.may(Act::ReadRegistry)?;
    Ok(app.store.read_lab(|lab| lab.find_hold(model))?)
}

fn check_model(app: &App, model: &str) -> Result<(), Failure> {
    let model = ModelRef { name: model.to_string(), which: Which::Unstated };
    versions::resolve(app, &model, false).map(drop)
}

fn check_name(app: &App, model: &str, name: &str, about: Option<&str>) -> Result<(), Failure> {
    let known = trends::names(app, model)?;
    if known.iter().any(|(known, of)| known == name && of.as_deref() == about) {
        return Ok(());
    }
    let of_name: Vec<&str> =
        known.iter().filter(|(known, _)| known == name).filter_map(|(_, about)| about.as_deref()).collect();
    let near = match about {
        Some(about) => nearest(about, of_name.iter().copied()),
        None => nearest(name, known.iter().map(|(name, _)| name.as_str()).filter(|known| *known != name)),
    };
    let told = match about {
        Some(about) => format!(" about {about:?}"),
        None if !of_name.is_empty() => " without saying what it is about".to_string(),
        None => String::new(),
    };
    let (model, name, near) = (model.to_string(), name.to_string(), near.map(str::to_string));
    Err(AskedError::NoSeries { model, name, about: told, near }.into())
}
