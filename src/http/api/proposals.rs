//! Proposals to promote: made, listed, approved by somebody else, rejected, withdrawn.

use axum::http::StatusCode;
use axum::response::Response;

use crate::app::registry::approvals::{self, Place, ProposeRequest, Wanted};
use crate::app::registry::{ProposalRow, policies};
use crate::base::fact::Failure;
use crate::http::api::aliases::which_of;
use crate::http::call::{Ask, Call, Reply, view, with_status};
use crate::http::cursor::{cursor_of, seen};
use crate::http::problem::HttpError;
use crate::http::views::approval::{CommentBody, ProposalList, ProposalView, ProposeBody};
use crate::registry::version::ModelRef;

pub fn propose(call: Call) -> Reply {
    call.answer_body(|app, ask, body: ProposeBody| {
        let policy = body.policy.as_deref().map(|wanted| policies::find_digest(app, wanted)).transpose()?;
        let which = which_of(body.version, body.from)?;
        let model = ModelRef { name: ask.path("name")?.to_string(), which };
        let request = ProposeRequest { model, to: body.to, why: body.why, policy };
        let row = approvals::propose(app, &request)?;
        Ok(with_status(view(&ProposalView::of(&row))?, StatusCode::CREATED))
    })
}

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let model = ask.query("model").map(str::to_string);
        let wanted =
            Wanted { state: ask.query_as("state")?, model, after: after_of(ask)?, limit: ask.limit()? };
        let listed = approvals::list(app, &wanted)?;
        let proposals = listed.proposals.iter().map(ProposalView::of).collect();
        view(&ProposalList { proposals, next: listed.next.map(|place| cursor_of(&place.to_string())) })
    })
}

/// Where the page begins.
pub fn after_of(ask: &Ask) -> Result<Option<Place>, HttpError> {
    let wrong = |_| HttpError::Query { name: "cursor".into(), why: "is none that this server gave".into() };
    seen(ask)?.map(|text| text.parse()).transpose().map_err(wrong)
}

pub fn show(call: Call) -> Reply {
    call.answer(|app, ask| told(approvals::find(app, id_of(ask)?)))
}

pub fn approve(call: Call) -> Reply {
    call.answer_body(|app, ask, body: CommentBody| told(approvals::approve(app, id_of(ask)?, &body.comment)))
}

pub fn reject(call: Call) -> Reply {
    call.answer_body(|app, ask, body: CommentBody| told(approvals::reject(app, id_of(ask)?, &body.comment)))
}

pub fn withdraw(call: Call) -> Reply {
    call.answer(|app, ask| told(approvals::withdraw(app, id_of(ask)?)))
}

fn id_of(ask: &Ask) -> Result<u64, HttpError> {
    ask.path_as("proposal")
}

fn told(row: Result<ProposalRow, Failure>) -> Result<Response, Failure> {
    view(&ProposalView::of(&row?))
}
