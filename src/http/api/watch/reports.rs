//! Reports of models: made now, listed, shown as JSON and as a page; and the rule that holds a model back.

use axum::http::StatusCode;
use axum::response::Response;

use crate::app::watch::asked::{self, Wanted};
use crate::app::watch::{reactions, reports};
use crate::base::fact::Failure;
use crate::base::limits;
use crate::http::call::{Ask, Call, Reply, bytes_of, closed, view, with_status};
use crate::http::cursor::{next_of, seen};
use crate::http::problem::HttpError;
use crate::http::views::watch::report::{HoldView, ReportBody, ReportInfo, ReportList};
use crate::monitor::report::{Report, write_json};
use crate::registry::version::Alias;

pub fn make(call: Call) -> Reply {
    call.answer_body(|app, ask, body: ReportBody| {
        let wanted = Wanted {
            alias: body.alias.unwrap_or(Alias::Production),
            day: body.day.as_deref().map(asked::day_of).transpose()?,
            window_days: body.window_days.unwrap_or(asked::WINDOW_DAYS),
        };
        let report = asked::make(app, ask.path("name")?, &wanted)?;
        Ok(with_status(document(&report)?, StatusCode::CREATED))
    })
}

fn document(report: &Report) -> Result<Response, Failure> {
    Ok(bytes_of("application/json", write_json(report)?))
}

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let wrong =
            |_| HttpError::Query { name: "cursor".into(), why: "is none that this server gave".into() };
        let before = seen(ask)?.map(|day| asked::day_of(&day)).transpose().map_err(wrong)?;
        let limit = ask.limit()?.min(limits::REPORTS_LISTED_MAX);
        let found = asked::list(app, ask.path("name")?, before, limit)?;
        let next = next_of(&found, limit, |report: &Report| &report.day);
        view(&ReportList { reports: found.iter().map(ReportInfo::of).collect(), next })
    })
}

pub fn show(call: Call) -> Reply {
    call.answer(|app, ask| document(&reports::find(app, ask.path("name")?, day_of(ask)?)?))
}

pub fn page(call: Call) -> Reply {
    call.answer(|app, ask| {
        let report = reports::find(app, ask.path("name")?, day_of(ask)?)?;
        Ok(closed(bytes_of("text/html; charset=utf-8", reports::page(app, &report)?)))
    })
}

/// The day of a path; none is the newest.
fn day_of(ask: &Ask) -> Result<Option<u64>, HttpError> {
    match ask.path("day")? {
        "latest" => Ok(None),
        text => {
            let wrong = |error| HttpError::Path {
                name: "day",
                why: format!("is neither `latest` nor a day: {error}"),
            };
            asked::day_of(text).map(Some).map_err(wrong)
        }
    }
}

pub fn release_hold(call: Call) -> Reply {
    call.answer(|app, ask| view(&HoldView::of(&reactions::release_hold(app, ask.path("name")?)?)))
}
