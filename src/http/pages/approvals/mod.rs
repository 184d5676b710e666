//! Approvals: what is proposed, one proposal with its figures, and the forms that approve, reject or withdraw it.
//! Decides nothing: whether somebody may is the use case's to say.

use axum::http::StatusCode;
use axum::response::Response;

use crate::app::registry::ProposalRow;
use crate::app::registry::approvals::{self, Wanted, sheet};
use crate::base::fact::Failure;
use crate::base::limits;
use crate::evaluate::compare::production::Tolerance;
use crate::http::api::models::AUC_TOLERANCE;
use crate::http::api::proposals::after_of;
use crate::http::call::Reply;
use crate::http::cursor::cursor_of;
use crate::http::pages::approvals::view::{ProposalsView, address_of, line_of, proposal_view};
use crate::http::pages::routes::{Visit, see_other};

pub mod view;

const SECTION: &str = "approvals";

pub fn list(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let (texts, now_ms) = (visit.server.pages.texts(), visit.app.now().millis());
        let after = after_of(&visit.ask)?;
        let wanted = Wanted { after, limit: limits::PROPOSALS_SHOWN, ..Wanted::default() };
        let listed = approvals::list(&visit.app, &wanted)?;
        let next = listed.next.map(|place| format!("/approvals?cursor={}", cursor_of(&place.to_string())));
        let lines = listed.proposals.iter().map(|row| line_of(&texts, row, now_ms)).collect();
        let view = ProposalsView { lines, next };
        visit.server.pages.render("approvals.html", &visit.door.frame(SECTION), &view)
    })
}

fn id_of(visit: &Visit) -> Result<u64, Failure> {
    Ok(visit.ask.path_as("proposal")?)
}

pub fn show(visit: Visit) -> Reply {
    visit.answer(|visit| page(visit, StatusCode::OK, "", None))
}

/// The proposal with what was typed about it, and what is wrong with that.
fn page(
    visit: &Visit,
    status: StatusCode,
    typed: &str,
    trouble: Option<&'static str>,
) -> Result<Response, Failure> {
    let texts = visit.server.pages.texts();
    let tolerance = Tolerance { auc: Some(AUC_TOLERANCE), ..Tolerance::default() };
    let sheet = sheet::sheet(&visit.app, id_of(visit)?, &tolerance)?;
    let mut view = proposal_view(&texts, &sheet);
    view.typed = typed.to_string();
    view.trouble = trouble.map(|key| texts.say(key));
    visit.server.pages.render_as(status, "approval.html", &visit.door.frame(SECTION), &view)
}

pub fn approve(visit: Visit) -> Reply {
    visit.answer(|visit| decide(visit, approvals::approve))
}

pub fn reject(visit: Visit) -> Reply {
    visit.answer(|visit| decide(visit, approvals::reject))
}

type Decide = fn(&crate::app::home::App, u64, &str) -> Result<ProposalRow, Failure>;

fn decide(visit: &Visit, decide: Decide) -> Result<Response, Failure> {
    let (id, comment) = (id_of(visit)?, visit.form.find("comment").unwrap_or_default());
    match decide(&visit.app, id, comment) {
        Ok(row) => Ok(see_other(&address_of(row.id))),
        Err(failure) => {
            let trouble = match failure.code() {
                "approval.no_comment" => "approvals.comment.missing",
                "model.long_reason" => "approvals.comment.long",
                _ => return Err(failure),
            };
            page(visit, StatusCode::UNPROCESSABLE_ENTITY, comment, Some(trouble))
        }
    }
}

pub fn withdraw(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let row = approvals::withdraw(&visit.app, id_of(visit)?)?;
        Ok(see_other(&address_of(row.id)))
    })
}
