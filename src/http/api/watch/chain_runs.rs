//! Runs of chains: what has run, what runs, ending one and doing one again.

use axum::http::StatusCode;

use crate::app::chains::ChainRunRow;
use crate::app::chains::runs::{self, ChainRunSpan};
use crate::http::call::{Ask, Call, Reply, view, with_status};
use crate::http::cursor::{next_of, seen};
use crate::http::problem::HttpError;
use crate::http::views::watch::chain_run::{ChainRunInfo, ChainRunList, ChainRunView, RerunBody};

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let wanted = ChainRunSpan { of: of(ask)?, after: seen(ask)?, limit: ask.limit()? };
        let rows = runs::list(app, &wanted)?;
        let next = next_of(&rows, wanted.limit, |row: &ChainRunRow| &row.run.id);
        view(&ChainRunList { runs: rows.iter().map(ChainRunInfo::of).collect(), next })
    })
}

/// The chain whose runs are wanted; a chain is known by its project.
fn of(ask: &Ask) -> Result<Option<(String, String)>, HttpError> {
    let alone = |name: &str, other: &str| HttpError::Query {
        name: name.to_string(),
        why: format!("goes together with `{other}`"),
    };
    match (ask.query("project"), ask.query("chain")) {
        (None, None) => Ok(None),
        (Some(project), Some(chain)) => Ok(Some((project.to_string(), chain.to_string()))),
        (Some(_), None) => Err(alone("project", "chain")),
        (None, Some(_)) => Err(alone("chain", "project")),
    }
}

pub fn show(call: Call) -> Reply {
    call.answer(|app, ask| view(&ChainRunView::of(&runs::show(app, ask.path("chain_run")?)?)))
}

pub fn cancel(call: Call) -> Reply {
    call.answer(|app, ask| view(&ChainRunView::of(&runs::cancel(app, ask.path("chain_run")?)?)))
}

pub fn rerun(call: Call) -> Reply {
    call.answer_body(|app, ask, body: RerunBody| {
        let run = runs::rerun(app, ask.path("chain_run")?, body.from.as_deref())?;
        Ok(with_status(view(&ChainRunView::of(&run))?, StatusCode::CREATED))
    })
}
