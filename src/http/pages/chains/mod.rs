//! Chains: what runs by itself, when it runs next, how it went, and the forms that start, hold, stop and repeat it.
//! Decides nothing: whether something may be started is the use case's to say.

use axum::response::Response;

use crate::app::chains::projects;
use crate::app::chains::runs::{self, ChainRunSpan};
use crate::base::fact::Failure;
use crate::base::limits;
use crate::http::call::Reply;
use crate::http::cursor::{next_of, seen};
use crate::http::pages::chains::run::run_view;
use crate::http::pages::chains::view::{address_of, address_of_run, chain_view, chains_view};
use crate::http::pages::routes::{Visit, see_other};
use crate::http::problem::HttpError;

pub mod cause;
pub mod marks;
pub mod picture;
pub mod run;
pub mod view;

const SECTION: &str = "chains";

pub fn list(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let (texts, now_ms) = (visit.server.pages.texts(), visit.app.now().millis());
        let (projects, states) = (projects::list(&visit.app)?, runs::states(&visit.app)?);
        let view = chains_view(&texts, &projects, &states, now_ms);
        visit.server.pages.render("chains.html", &visit.door.frame(SECTION), &view)
    })
}

fn names_of(visit: &Visit) -> Result<(&str, &str), HttpError> {
    Ok((visit.ask.path("project")?, visit.ask.path("chain")?))
}

pub fn show(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let (texts, now_ms) = (visit.server.pages.texts(), visit.app.now().millis());
        let (project, chain) = names_of(visit)?;
        let state = runs::state(&visit.app, project, chain)?;
        let limit = limits::CHAIN_RUNS_SHOWN;
        let of = Some((project.to_string(), chain.to_string()));
        let past = runs::list(&visit.app, &ChainRunSpan { of, after: seen(&visit.ask)?, limit })?;
        let next = next_of(&past, limit, |row| &row.run.id);
        let next = next.map(|cursor| format!("{}?cursor={cursor}", address_of(project, chain)));
        let view = chain_view(&texts, &state, &past, next, now_ms);
        visit.server.pages.render("chain.html", &visit.door.frame(SECTION), &view)
    })
}

pub fn start(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let (project, chain) = names_of(visit)?;
        let row = runs::start(&visit.app, project, chain)?;
        Ok(see_other(&address_of_run(&row.run.id)))
    })
}

pub fn pause(visit: Visit) -> Reply {
    visit.answer(|visit| hold(visit, true))
}

pub fn resume(visit: Visit) -> Reply {
    visit.answer(|visit| hold(visit, false))
}

fn hold(visit: &Visit, paused: bool) -> Result<Response, Failure> {
    let (project, chain) = names_of(visit)?;
    runs::pause(&visit.app, project, chain, paused)?;
    Ok(see_other(&address_of(project, chain)))
}

pub fn show_run(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let row = runs::show(&visit.app, visit.ask.path("run")?)?;
        let view = run_view(&visit.server.pages.texts(), &row);
        visit.server.pages.render("chain_run.html", &visit.door.frame(SECTION), &view)
    })
}

pub fn cancel(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let row = runs::cancel(&visit.app, visit.ask.path("run")?)?;
        Ok(see_other(&address_of_run(&row.run.id)))
    })
}

pub fn rerun(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let row = runs::rerun(&visit.app, visit.ask.path("run")?, None)?;
        Ok(see_other(&address_of_run(&row.run.id)))
    })
}
