//! What became of decisions, taken down.

use crate::app::watch::outcomes::{Reported, report as take_down};
use crate::base::clock::parse_millis;
use crate::http::call::{Call, Reply, view};
use crate::http::problem::HttpError;
use crate::http::views::watch::outcome::{OutcomeBody, OutcomesBody, OutcomesView};

pub fn report(call: Call) -> Reply {
    call.answer_body(|app, ask, body: OutcomesBody| {
        let read = |(at, one): (usize, OutcomeBody)| reported(at, one);
        let reported = body.outcomes.into_iter().enumerate().map(read).collect::<Result<_, _>>()?;
        view(&OutcomesView::of(&take_down(app, ask.path("name")?, reported)?))
    })
}

fn reported(at: usize, one: OutcomeBody) -> Result<Reported, HttpError> {
    let time = |text: String| {
        parse_millis(&text).ok_or_else(|| HttpError::Field {
            pointer: format!("/outcomes/{at}/known"),
            code: "time",
            message: format!("{text:?} is no time such as 2026-03-14T09:00:00Z"),
        })
    };
    let known_ms = one.known.map(time).transpose()?;
    Ok(Reported { decision: one.decision, value: one.value, known_ms, groups: one.groups })
}
