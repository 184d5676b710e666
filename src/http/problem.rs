//! Every failure as RFC 9457 `application/problem+json`: one table from codes to statuses, one shape.
//! Never repeats what a foreign crate said: a fault of the server is named by its code, the log has the rest.

use axum::body::Body;
use axum::http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::base::fact::{Class, Fact, Failure};
use crate::base::ids::draw_correlation_id;
use crate::base::limits;

pub const PROBLEM_JSON: &str = "application/problem+json";
/// What the name of a problem begins with; the code ends it.
const TYPE_PREFIX: &str = "tag:tallystick,2026:";

/// What can be wrong with a request before any use case sees it, or with the server around them.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("there is nothing at this path")]
    NoRoute,
    #[error("this path does not know that method; it knows {allow}")]
    Method { allow: String },
    #[error("the body is larger than the {max} bytes that are read")]
    BodyTooLarge { max: usize },
    #[error("the body did not arrive within {max_ms} ms")]
    BodyTimeout { max_ms: u64 },
    #[error("the body broke off")]
    BodyCut,
    #[error("the body is not UTF-8 text")]
    NotText,
    #[error("a body of type application/json is expected")]
    MediaType,
    #[error("a form as a browser sends it is expected")]
    FormType,
    #[error("the form has more than {} fields", limits::FORM_FIELDS_MAX)]
    FormFields,
    #[error("the page {page} could not be made: {what}")]
    Page { page: String, what: String },
    #[error("a body that is encoded, compressed for instance, is not read")]
    ContentEncoding,
    #[error("a body of type application/octet-stream is expected")]
    Octets,
    #[error(
        "the head of the request is larger than is read: {} headers, {} bytes",
        limits::REQUEST_HEADERS_MAX,
        limits::REQUEST_HEAD_BYTES_MAX
    )]
    HeadTooLarge,
    #[error("the JSON breaks off or is wrong at line {line}, column {column}")]
    Syntax { line: usize, column: usize },
    #[error("the JSON is nested deeper than {} levels", limits::JSON_DEPTH_MAX)]
    TooDeep,
    #[error("a key stands twice in the JSON, at {pointer}")]
    DuplicateKey { pointer: String },
    #[error("{pointer}: {message}")]
    Field { pointer: String, code: &'static str, message: String },
    #[error("the parameter {name:?} of the query {why}")]
    Query { name: String, why: String },
    #[error("{name:?} in the path {why}")]
    Path { name: &'static str, why: String },
    #[error("the header {name} {why}")]
    Header { name: &'static str, why: &'static str },
    #[error("the server has {waiting} requests waiting, which is its limit")]
    Overloaded { waiting: usize },
    #[error("the server stops")]
    Stopping,
    #[error("the request broke down inside the server")]
    Panicked,
    #[error("the answer could not be written")]
    Unwritable,
}

impl Fact for HttpError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoRoute => "http.no_route",
            Self::Method { .. } => "http.method",
            Self::BodyTooLarge { .. } => "http.body_too_large",
            Self::BodyTimeout { .. } => "http.body_timeout",
            Self::BodyCut => "http.body_cut",
            Self::NotText => "http.not_text",
            Self::MediaType | Self::Octets => "http.media_type",
            Self::FormType => "http.form_type",
            Self::FormFields => "http.form_fields",
            Self::Page { .. } => "http.page",
            Self::ContentEncoding => "http.content_encoding",
            Self::HeadTooLarge => "http.head_too_large",
            Self::Syntax { .. } => "json.syntax",
            Self::TooDeep => "json.too_deep",
            Self::DuplicateKey { .. } => "json.duplicate_key",
            Self::Field { .. } => "json.fields",
            Self::Query { .. } => "http.query",
            Self::Path { .. } => "http.path",
            Self::Header { .. } => "http.header",
            Self::Overloaded { .. } => "http.overloaded",
            Self::Stopping => "http.stopping",
            Self::Panicked => "http.panicked",
            Self::Unwritable => "http.unwritable",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Syntax { .. } | Self::TooDeep | Self::DuplicateKey { .. } | Self::Field { .. } => {
                Class::DataRefused
            }
            Self::Overloaded { .. } | Self::Stopping => Class::Unavailable,
            Self::Panicked | Self::Unwritable | Self::Page { .. } => Class::Failed,
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::NoRoute => "See /openapi.json for what there is.",
            Self::MediaType => "Send `Content-Type: application/json`.",
            Self::Octets => "Send the file as it is, as `application/octet-stream`.",
            Self::Overloaded { .. } => "Try again in a moment.",
            Self::Stopping => "Try again when the server is back.",
            _ => return None,
        };
        Some(step.into())
    }

    fn details(&self) -> Option<Value> {
        let one = |pointer: &str, code: &str, message: &str| serde_json::json!({"errors": [{"pointer": pointer, "code": code, "message": message}]});
        match self {
            Self::Field { pointer, code, message } => Some(one(pointer, code, message)),
            Self::DuplicateKey { pointer } => Some(one(pointer, "duplicate_key", "the key stands twice")),
            _ => None,
        }
    }
}

/// Codes whose status is not that of their class.
pub const STATUSES: &[(&str, StatusCode)] = &[
    ("http.no_route", StatusCode::NOT_FOUND),
    ("http.method", StatusCode::METHOD_NOT_ALLOWED),
    ("http.body_too_large", StatusCode::PAYLOAD_TOO_LARGE),
    ("http.body_timeout", StatusCode::REQUEST_TIMEOUT),
    ("http.media_type", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ("http.form_type", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ("http.content_encoding", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ("http.head_too_large", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
    ("json.syntax", StatusCode::BAD_REQUEST),
    ("json.too_deep", StatusCode::BAD_REQUEST),
    ("json.duplicate_key", StatusCode::BAD_REQUEST),
    ("row.syntax", StatusCode::BAD_REQUEST),
    ("row.too_deep", StatusCode::BAD_REQUEST),
    ("row.duplicate_key", StatusCode::BAD_REQUEST),
    ("row.too_long", StatusCode::PAYLOAD_TOO_LARGE),
    ("security.unauthenticated", StatusCode::UNAUTHORIZED),
    ("security.wrong_login", StatusCode::UNAUTHORIZED),
    ("login.throttled", StatusCode::TOO_MANY_REQUESTS),
    ("model.unknown", StatusCode::NOT_FOUND),
    ("model.unknown_version", StatusCode::NOT_FOUND),
    ("model.unknown_alias", StatusCode::NOT_FOUND),
    ("model.nothing_before", StatusCode::CONFLICT),
    ("model.alias_moved", StatusCode::PRECONDITION_FAILED),
    ("model.long_reason", StatusCode::UNPROCESSABLE_ENTITY),
    ("run.unknown", StatusCode::NOT_FOUND),
    ("run.unknown_artifact", StatusCode::NOT_FOUND),
    ("run.unknown_metric", StatusCode::NOT_FOUND),
    ("run.no_test_scores", StatusCode::CONFLICT),
    ("run.other_test_rows", StatusCode::CONFLICT),
    ("run.other_outcome", StatusCode::CONFLICT),
    ("experiment.unknown", StatusCode::NOT_FOUND),
    ("run.ended", StatusCode::CONFLICT),
    ("run.not_at_work", StatusCode::CONFLICT),
    ("run.candidate_altered", StatusCode::UNPROCESSABLE_ENTITY),
    ("run.no_failure", StatusCode::UNPROCESSABLE_ENTITY),
    ("run.two_sources", StatusCode::UNPROCESSABLE_ENTITY),
    ("run.many_overrides", StatusCode::UNPROCESSABLE_ENTITY),
    ("upload.unknown", StatusCode::NOT_FOUND),
    ("upload.too_large", StatusCode::PAYLOAD_TOO_LARGE),
    ("upload.too_many_own", StatusCode::TOO_MANY_REQUESTS),
    ("upload.none", StatusCode::UNPROCESSABLE_ENTITY),
    ("upload.file_name", StatusCode::UNPROCESSABLE_ENTITY),
    ("approval.unknown", StatusCode::NOT_FOUND),
    ("approval.exists", StatusCode::CONFLICT),
    ("approval.too_many_open", StatusCode::CONFLICT),
    ("approval.no_change", StatusCode::CONFLICT),
    ("approval.closed", StatusCode::CONFLICT),
    ("approval.expired", StatusCode::CONFLICT),
    ("approval.alias_moved", StatusCode::CONFLICT),
    ("approval.no_reason", StatusCode::UNPROCESSABLE_ENTITY),
    ("approval.no_comment", StatusCode::UNPROCESSABLE_ENTITY),
    ("policy.unknown", StatusCode::NOT_FOUND),
    ("policy.other_model", StatusCode::CONFLICT),
    ("data.unknown_set", StatusCode::NOT_FOUND),
    ("name.ambiguous", StatusCode::CONFLICT),
    ("store.exists", StatusCode::CONFLICT),
    ("store.not_found", StatusCode::NOT_FOUND),
    ("decision.unknown", StatusCode::NOT_FOUND),
    ("decision.erased", StatusCode::GONE),
    ("user.unknown", StatusCode::NOT_FOUND),
    ("user.exists", StatusCode::CONFLICT),
    ("user.own_account", StatusCode::CONFLICT),
    ("user.service_role", StatusCode::UNPROCESSABLE_ENTITY),
    ("user.no_roles", StatusCode::UNPROCESSABLE_ENTITY),
    ("name.shape", StatusCode::UNPROCESSABLE_ENTITY),
    ("security.actor_name", StatusCode::UNPROCESSABLE_ENTITY),
    ("password.length", StatusCode::UNPROCESSABLE_ENTITY),
    ("password.name", StatusCode::UNPROCESSABLE_ENTITY),
    ("password.common", StatusCode::UNPROCESSABLE_ENTITY),
    ("api_key.unknown", StatusCode::NOT_FOUND),
    ("api_key.role", StatusCode::UNPROCESSABLE_ENTITY),
    ("api_key.days", StatusCode::UNPROCESSABLE_ENTITY),
    ("schedule.unknown_project", StatusCode::NOT_FOUND),
    ("schedule.unknown_chain", StatusCode::NOT_FOUND),
    ("schedule.none", StatusCode::UNPROCESSABLE_ENTITY),
    ("schedule.many_projects", StatusCode::CONFLICT),
    ("schedule.already", StatusCode::CONFLICT),
    ("backfill.no_cron", StatusCode::CONFLICT),
    ("backfill.backwards", StatusCode::UNPROCESSABLE_ENTITY),
    ("backfill.future", StatusCode::UNPROCESSABLE_ENTITY),
    ("backfill.too_many", StatusCode::UNPROCESSABLE_ENTITY),
    ("chain_run.unknown", StatusCode::NOT_FOUND),
    ("chain_run.unknown_step", StatusCode::NOT_FOUND),
    ("chain_run.ended", StatusCode::CONFLICT),
    ("chain_run.still_runs", StatusCode::CONFLICT),
    ("chain_run.not_ended", StatusCode::CONFLICT),
    ("chain_run.nothing_failed", StatusCode::CONFLICT),
    ("chain_run.never_began", StatusCode::CONFLICT),
    ("report.unknown", StatusCode::NOT_FOUND),
    ("report.day", StatusCode::UNPROCESSABLE_ENTITY),
    ("report.future_day", StatusCode::UNPROCESSABLE_ENTITY),
    ("report.window", StatusCode::UNPROCESSABLE_ENTITY),
    ("trend.unknown", StatusCode::NOT_FOUND),
    ("model.not_held", StatusCode::NOT_FOUND),
    ("alert.missing", StatusCode::NOT_FOUND),
    ("alert.unknown_channel", StatusCode::NOT_FOUND),
    ("alert.no_channels", StatusCode::CONFLICT),
    ("alert.state", StatusCode::CONFLICT),
    ("idempotency.under_way", StatusCode::CONFLICT),
    ("idempotency.key_reused", StatusCode::UNPROCESSABLE_ENTITY),
];

pub fn status_of(failure: &Failure) -> StatusCode {
    let known = STATUSES.iter().find(|(code, _)| *code == failure.code());
    known.map_or_else(|| status_of_class(failure.class()), |(_, status)| *status)
}

fn status_of_class(class: Class) -> StatusCode {
    match class {
        Class::Usage => StatusCode::BAD_REQUEST,
        Class::DataRefused => StatusCode::UNPROCESSABLE_ENTITY,
        Class::GateRefused => StatusCode::CONFLICT,
        Class::Permission => StatusCode::FORBIDDEN,
        Class::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Class::Failed | Class::Integrity | Class::StoreNewer => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// One part of a request that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemError {
    /// JSON pointer (RFC 6901) into the body.
    pub pointer: String,
    pub code: String,
    pub message: String,
}

/// A failure on the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; stable.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub detail: String,
    /// The path of the request.
    pub instance: String,
    /// The end of `type`; the same code the command line prints.
    pub code: String,
    pub correlation_id: String,
    /// How the command line ends on it.
    pub exit_code: u8,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
    /// What else the failure names: rules, findings, figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub details: Option<Value>,
}

/// Who hears of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearer {
    Anybody,
    /// Who owns the home's files, and its log: nothing is withheld.
    Owner,
}

impl Problem {
    pub fn of(failure: &Failure, correlation_id: &str, path: &str, hearer: Hearer) -> Self {
        let status = status_of(failure);
        let told = hearer == Hearer::Owner || !status.is_server_error();
        let (errors, details) = split(failure.details().filter(|_| told));
        Self {
            kind: format!("{TYPE_PREFIX}{}", failure.code()),
            title: status.canonical_reason().unwrap_or("Problem").to_string(),
            status: status.as_u16(),
            detail: detail_of(failure, status, hearer),
            instance: path.chars().take(limits::PATH_SHOWN_CHARS_MAX).collect(),
            code: failure.code().to_string(),
            correlation_id: correlation_id.to_string(),
            exit_code: failure.class().exit_code(),
            errors,
            next_step: failure.next_step(),
            details,
        }
    }
}

impl Problem {
    /// What else the failure named, its wrong fields among it, as it was before it went over the wire.
    pub fn joined_details(&self) -> Option<Value> {
        if self.errors.is_empty() {
            return self.details.clone();
        }
        let mut details = match &self.details {
            Some(Value::Object(details)) => details.clone(),
            _ => serde_json::Map::new(),
        };
        details.insert("errors".into(), serde_json::json!(self.errors));
        Some(Value::Object(details))
    }
}

/// A fault of the server may quote files, engines and foreign words; who asks hears only that there is one.
fn detail_of(failure: &Failure, status: StatusCode, hearer: Hearer) -> String {
    if status == StatusCode::INTERNAL_SERVER_ERROR && hearer == Hearer::Anybody {
        return "the server failed; its log has the cause under the correlation id".to_string();
    }
    failure.to_string()
}

/// The wrong fields by themselves, and whatever else was said.
fn split(details: Option<Value>) -> (Vec<ProblemError>, Option<Value>) {
    let Some(Value::Object(mut details)) = details else { return (Vec::new(), details) };
    let errors = details.get("errors").and_then(|errors| serde_json::from_value(errors.clone()).ok());
    if errors.is_some() {
        details.remove("errors");
    }
    (errors.unwrap_or_default(), (!details.is_empty()).then_some(Value::Object(details)))
}

/// The answer to a request that failed.
pub fn answer(failure: &Failure, correlation_id: &str, path: &str, hearer: Hearer) -> Response {
    let problem = Problem::of(failure, correlation_id, path, hearer);
    let bytes = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    let status = status_of(failure);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    match status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(RETRY_AFTER, HeaderValue::from(retry_after(failure)));
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::PAYLOAD_TOO_LARGE => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// Seconds; a failure that knows better says so in its details.
fn retry_after(failure: &Failure) -> u64 {
    let said = failure.details().and_then(|details| details.get("retry_after_s")?.as_u64());
    said.unwrap_or(limits::RETRY_AFTER_S)
}

pub fn with_allow(mut response: Response, allow: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(ALLOW, value);
    }
    response
}

/// A whole answer as bytes, for a request whose head never became one.
pub fn raw_answer(status: u16) -> Vec<u8> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let (code, detail) = match status {
        StatusCode::REQUEST_TIMEOUT => {
            ("http.head_timeout", "the head of the request did not arrive in time")
        }
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            ("http.head_too_large", "the head of the request is larger than is read")
        }
        StatusCode::URI_TOO_LONG => ("http.path_too_long", "the path of the request is longer than is read"),
        _ => ("http.syntax", "the head of the request is no HTTP/1.1"),
    };
    let reason = status.canonical_reason().unwrap_or("Problem");
    let correlation_id = draw_correlation_id();
    let problem = Problem {
        kind: format!("{TYPE_PREFIX}{code}"),
        title: reason.to_string(),
        status: status.as_u16(),
        detail: detail.to_string(),
        instance: String::new(),
        code: code.to_string(),
        correlation_id: correlation_id.clone(),
        exit_code: Class::Usage.exit_code(),
        errors: Vec::new(),
        next_step: None,
        details: None,
    };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {} {reason}\r\ncontent-type: {PROBLEM_JSON}\r\ncontent-length: {}\r\n\
         x-correlation-id: {correlation_id}\r\nconnection: close\r\n\r\n",
        status.as_u16(),
        body.len()
    );
    [head.into_bytes(), body].concat()
}

#[cfg(test)]
mod tests;
