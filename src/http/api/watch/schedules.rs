//! Projects whose schedule is in force, and what a person may ask of their chains.

use axum::http::StatusCode;
use axum::response::Response;

use crate::app::chains::projects::{self, Applied};
use crate::app::chains::runs::{self, ChainState};
use crate::app::home::App;
use crate::base::clock::{millis_to_text, parse_iso_date};
use crate::base::fact::Failure;
use crate::base::limits;
use crate::http::body::{json, read_json_text};
use crate::http::call::{Ask, Call, Reply, view, with_status};
use crate::http::cursor::page;
use crate::http::problem::HttpError;
use crate::http::views::watch::chain::{
    ApplyBody, BackfillBody, BackfillView, ChainList, ChainView, ScheduleView, WithdrawnView,
};
use crate::http::views::watch::chain_run::ChainRunView;
use crate::schedule::limits::DAY_MS;

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let key_of = |state: &ChainState| format!("{}/{}", state.project, state.chain.name);
        let mut states = runs::states(app)?;
        states.sort_by_key(key_of);
        let (states, next) = page(states, key_of, ask)?;
        view(&ChainList { chains: states.iter().map(ChainView::of).collect(), next })
    })
}

pub fn apply(call: Call) -> Reply {
    let Call { server, app, ask, body } = call;
    Box::pin(async move {
        let text = read_json_text(&ask.headers, body, limits::ORDER_BODY_BYTES_MAX).await?;
        let ApplyBody { project } = json::parse(&text)?;
        server.in_turn(move || projects::apply(&app, project).and_then(|applied| told(&app, &applied))).await
    })
}

pub fn show(call: Call) -> Reply {
    call.answer(|app, ask| told(app, &projects::show(app, ask.path("project")?)?))
}

fn told(app: &App, applied: &Applied) -> Result<Response, Failure> {
    let name = &applied.row.name;
    let chains = applied.schedule()?.chains().iter();
    let states = chains.map(|chain| runs::state(app, name, &chain.name)).collect::<Result<Vec<_>, _>>()?;
    view(&ScheduleView::of(&applied.row, &states))
}

pub fn withdraw(call: Call) -> Reply {
    call.answer(|app, ask| view(&WithdrawnView::of(&projects::withdraw(app, ask.path("project")?)?)))
}

/// The project and the chain of a path.
fn place(ask: &Ask) -> Result<(&str, &str), HttpError> {
    Ok((ask.path("project")?, ask.path("chain")?))
}

pub fn show_chain(call: Call) -> Reply {
    call.answer(|app, ask| {
        let (project, chain) = place(ask)?;
        view(&ChainView::of(&runs::state(app, project, chain)?))
    })
}

pub fn start(call: Call) -> Reply {
    call.answer(|app, ask| {
        let (project, chain) = place(ask)?;
        let run = runs::start(app, project, chain)?;
        Ok(with_status(view(&ChainRunView::of(&run))?, StatusCode::CREATED))
    })
}

pub fn pause(call: Call) -> Reply {
    call.answer(|app, ask| held(app, ask, true))
}

pub fn resume(call: Call) -> Reply {
    call.answer(|app, ask| held(app, ask, false))
}

fn held(app: &App, ask: &Ask, paused: bool) -> Result<Response, Failure> {
    let (project, chain) = place(ask)?;
    view(&ChainView::of(&runs::pause(app, project, chain, paused)?))
}

pub fn backfill(call: Call) -> Reply {
    call.answer_body(|app, ask, body: BackfillBody| {
        let (project, chain) = place(ask)?;
        let days = (day_ms("/from", &body.from)?, day_ms("/to", &body.to)?);
        let starts = runs::backfill(app, project, chain, days)?;
        view(&BackfillView {
            project: project.to_string(),
            chain: chain.to_string(),
            starts: starts.into_iter().map(millis_to_text).collect(),
        })
    })
}

/// The first moment of a day in UTC.
fn day_ms(pointer: &str, text: &str) -> Result<i64, HttpError> {
    let days = parse_iso_date(text).map(|days| (days as i64).saturating_mul(DAY_MS));
    days.ok_or_else(|| HttpError::Field {
        pointer: pointer.to_string(),
        code: "day",
        message: format!("{text:?} is no day such as 2026-03-14"),
    })
}
