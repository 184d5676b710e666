//! One request on its way to a use case: who asks, what for, with which parameters; and the ways to answer.
//! Never looks up anything by itself.

use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, RawPathParams};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::http::auth::Origin;
use crate::http::body::{json, read_json_text};
use crate::http::context::Context;
use crate::http::problem::HttpError;
use crate::http::routes::Parameter;
use crate::http::server::Server;

/// What a decision with its reasons fills at most, as a rule: a longer answer grows.
const ANSWER_BYTES: usize = 2_048;

pub type Reply = Pin<Box<dyn Future<Output = Result<Response, Failure>> + Send>>;

/// A request whose sender is known and may ask this.
pub struct Call {
    pub server: Arc<Server>,
    /// The home as the sender sees it.
    pub app: App,
    pub ask: Ask,
    pub body: Body,
}

/// What was asked, without its body.
pub struct Ask {
    pub context: Context,
    pub origin: Option<Origin>,
    pub headers: HeaderMap,
    pub path: RawPathParams,
    pub query: Vec<(String, String)>,
}

impl Call {
    /// Answers by a use case that may wait for a disk.
    pub fn answer<F>(self, work: F) -> Reply
    where
        F: FnOnce(&App, &Ask) -> Result<Response, Failure> + Send + 'static,
    {
        let Self { server, app, ask, .. } = self;
        Box::pin(async move { server.in_turn(move || work(&app, &ask)).await })
    }

    /// The same with a JSON body.
    pub fn answer_body<T, F>(self, work: F) -> Reply
    where
        T: DeserializeOwned + Send + 'static,
        F: FnOnce(&App, &Ask, T) -> Result<Response, Failure> + Send + 'static,
    {
        let Self { server, app, ask, body } = self;
        Box::pin(async move {
            let text = read_json_text(&ask.headers, body, limits::REQUEST_BODY_BYTES_MAX).await?;
            let body = json::parse(&text)?;
            server.in_turn(move || work(&app, &ask, body)).await
        })
    }
}

impl Ask {
    /// A part of the path by its name in the pattern.
    pub fn path(&self, name: &'static str) -> Result<&str, HttpError> {
        let found = self.path.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        found.ok_or_else(|| HttpError::Path { name, why: "is missing".into() })
    }

    pub fn path_as<T: FromStr<Err: std::fmt::Display>>(&self, name: &'static str) -> Result<T, HttpError> {
        self.path(name)?.parse().map_err(|error| HttpError::Path { name, why: format!("is wrong: {error}") })
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn query_as<T: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<Option<T>, HttpError> {
        let read = |text: &str| {
            text.parse()
                .map_err(|error| HttpError::Query { name: name.into(), why: format!("is wrong: {error}") })
        };
        self.query(name).map(read).transpose()
    }

    pub fn limit(&self) -> Result<usize, HttpError> {
        let most = limits::LIST_MAX;
        match self.query_as("limit")? {
            None => Ok(most),
            Some(limit) if (1..=most).contains(&limit) => Ok(limit),
            Some(_) => {
                Err(HttpError::Query { name: "limit".into(), why: format!("is not from 1 to {most}") })
            }
        }
    }

    /// The states that `If-Match` names; none where the header is absent. A weak tag matches nothing.
    pub fn if_match(&self) -> Result<Vec<String>, HttpError> {
        let mut tags = Vec::new();
        let wrong = HttpError::Header { name: "If-Match", why: "is no list of entity tags" };
        for value in self.headers.get_all(IF_MATCH) {
            let Ok(text) = value.to_str() else { return Err(wrong) };
            for tag in text.split(',').map(str::trim) {
                let quoted = tag.strip_prefix("W/").unwrap_or(tag);
                match quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                    _ if tag == "*" => tags.push(tag.to_string()),
                    Some(_) if tag.starts_with("W/") => tags.push(String::new()),
                    Some(strong) => tags.push(strong.to_string()),
                    None => return Err(wrong),
                }
            }
        }
        Ok(tags)
    }
}

/// The parameters of a query, of which every one must be known and stand once.
pub fn read_query(uri: &Uri, known: &[Parameter]) -> Result<Vec<(String, String)>, HttpError> {
    let Some(text) = uri.query().filter(|text| !text.is_empty()) else { return Ok(Vec::new()) };
    let refuse = |name: &str, why: &str| HttpError::Query { name: name.into(), why: why.into() };
    if text.len() > limits::QUERY_CHARS_MAX {
        return Err(refuse("", "is too long"));
    }
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
        return Err(refuse("", "cannot be read"));
    };
    for (at, (name, value)) in pairs.iter().enumerate() {
        // What is no UTF-8 was read as this sign, and would be asked for as something else.
        if [name, value].iter().any(|text| text.contains(char::REPLACEMENT_CHARACTER)) {
            return Err(refuse("", "is not UTF-8"));
        }
        if !known.iter().any(|parameter| parameter.name == name) {
            let there: Vec<&str> = known.iter().map(|parameter| parameter.name).collect();
            let why = if there.is_empty() {
                "is not known".into()
            } else {
                format!("is not known; there are {}", there.join(", "))
            };
            return Err(refuse(name, &why));
        }
        if pairs[..at].iter().any(|(other, _)| other == name) {
            return Err(refuse(name, "stands twice"));
        }
    }
    Ok(pairs)
}

/// A view as the answer.
pub fn view<T: Serialize>(view: &T) -> Result<Response, Failure> {
    let mut bytes = Vec::with_capacity(ANSWER_BYTES);
    serde_json::to_writer(&mut bytes, view).map_err(|_| HttpError::Unwritable)?;
    Ok(bytes_of("application/json", bytes))
}

pub fn bytes_of(content_type: &'static str, bytes: impl Into<Body>) -> Response {
    let mut response = Response::new(bytes.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Bytes that a browser may show as a page: one that may load and run nothing.
pub fn closed(mut response: Response) -> Response {
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

pub fn with_status(mut response: Response, status: StatusCode) -> Response {
    *response.status_mut() = status;
    response
}

pub fn with_etag(mut response: Response, tag: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{tag}\"")) {
        response.headers_mut().insert(ETAG, value);
    }
    response
}
