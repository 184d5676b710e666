//! Alerts: listed, answered, and tried.

use axum::http::StatusCode;
use axum::response::Response;

use crate::app::alerts::{self, AlertsWanted, Told, trial};
use crate::base::fact::Failure;
use crate::http::call::{Call, Reply, view, with_status};
use crate::http::cursor::{cursor_of, seen};
use crate::http::problem::HttpError;
use crate::http::views::watch::alert::{AlertList, AlertView, AnswerBody, TrialBody};

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let (after, limit) = (seen(ask)?, ask.limit()?);
        let open_only = ask.query_as("open")?.unwrap_or(false);
        let wrong = || HttpError::Query { name: "cursor".into(), why: "names an alert that is gone".into() };
        let listed = alerts::page(app, &AlertsWanted { open_only, after, limit })?.ok_or_else(wrong)?;
        let next = listed.next.map(|last| cursor_of(&last));
        view(&AlertList { alerts: listed.told.iter().map(AlertView::of).collect(), next })
    })
}

pub fn show(call: Call) -> Reply {
    call.answer(|app, ask| told(alerts::find(app, ask.path("alert")?)))
}

pub fn acknowledge(call: Call) -> Reply {
    call.answer_body(|app, ask, body: AnswerBody| {
        told(alerts::acknowledge(app, ask.path("alert")?, &body.comment))
    })
}

pub fn resolve(call: Call) -> Reply {
    call.answer_body(|app, ask, body: AnswerBody| {
        told(alerts::resolve(app, ask.path("alert")?, &body.comment))
    })
}

pub fn try_channels(call: Call) -> Reply {
    call.answer_body(|app, _, body: TrialBody| {
        let answer = told(trial::raise(app, body.channel.as_deref()))?;
        Ok(with_status(answer, StatusCode::CREATED))
    })
}

fn told(alert: Result<Told, Failure>) -> Result<Response, Failure> {
    view(&AlertView::of(&alert?))
}
