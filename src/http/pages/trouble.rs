//! What went wrong, as a page: what it means for the person and what they do next.
//! Never a program's words: those are in the log, under the number the page shows.

use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::Response;
use serde::Serialize;

use crate::base::fact::Failure;
use crate::base::limits;
use crate::http::context::Context;
use crate::http::pages::routes::Door;
use crate::http::problem::status_of;
use crate::http::server::Server;

#[derive(Debug, Default, Serialize)]
pub struct TroubleView {
    pub status: u16,
    /// Keys of texts.
    pub title: &'static str,
    pub lead: &'static str,
    pub next: &'static str,
    /// Under which the log has the cause.
    pub reference: String,
}

/// Title, meaning and next step: of a code that people meet, else of its status.
pub fn keys_of(code: &str, status: StatusCode) -> [&'static str; 3] {
    match (code, status.as_u16()) {
        ("decision.unknown", _) => ["trouble.no_case.title", "trouble.no_case.lead", "trouble.no_case.next"],
        ("decision.erased", _) => ["trouble.erased.title", "trouble.erased.lead", "trouble.erased.next"],
        ("case.check_letter" | "case.form", _) => {
            ["trouble.case_number.title", "trouble.case_number.lead", "trouble.case_number.next"]
        }
        ("approval.own_proposal" | "approval.own_model" | "approval.not_proposer", _) => {
            ["trouble.two_people.title", "trouble.two_people.lead", "trouble.two_people.next"]
        }
        ("security.foreign_form", _) => ["trouble.form.title", "trouble.form.lead", "trouble.form.next"],
        (_, 403) => ["trouble.403.title", "trouble.403.lead", "trouble.403.next"],
        (_, 404) => ["trouble.404.title", "trouble.404.lead", "trouble.404.next"],
        (_, 409 | 412) => ["trouble.409.title", "trouble.409.lead", "trouble.409.next"],
        (_, 429) => ["trouble.429.title", "trouble.429.lead", "trouble.429.next"],
        (_, 503) => ["trouble.503.title", "trouble.503.lead", "trouble.503.next"],
        (_, 500..) => ["trouble.500.title", "trouble.500.lead", "trouble.500.next"],
        _ => ["trouble.400.title", "trouble.400.lead", "trouble.400.next"],
    }
}

pub fn page(server: &Server, door: &Door, failure: &Failure, context: &Context) -> Result<Response, Failure> {
    let status = status_of(failure);
    let [title, lead, next] = keys_of(failure.code(), status);
    let view =
        TroubleView { status: status.as_u16(), title, lead, next, reference: context.correlation_id.clone() };
    let mut response = server.pages.render_as(status, "trouble.html", &door.frame("none"), &view)?;
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(limits::RETRY_AFTER_S));
    }
    Ok(response)
}
