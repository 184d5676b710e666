//! The client itself: what is asked is typed, what comes back is a view or a refusal.
//! Never asks twice by itself: what was asked may have been done.

use std::path::Path;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use crate::base::limits;
use crate::client::answer::Answer;
use crate::client::error::ClientError;
use crate::client::inside::{HERE, Inside};
use crate::client::remote::Remote;
use crate::client::target::Target;
use crate::client::wire::{Door, Wire};
use crate::http::server::Server;
use crate::security::actor::Person;

/// A way to a server that answers.
pub struct Client {
    way: Way,
    runtime: Runtime,
}

enum Way {
    Inside(Inside),
    Wire(Box<Wire>),
}

const JSON: &str = "application/json";
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What is asked of a target.
struct Question {
    method: Method,
    body: Option<Bytes>,
    key: Option<HeaderValue>,
}

impl Client {
    /// Through the router inside this process, for this person.
    pub fn inside(server: Arc<Server>, person: Person) -> Result<Self, ClientError> {
        let way = Way::Inside(Inside::new(server, person));
        Ok(Self { way, runtime: runtime()? })
    }

    /// Over a socket of this machine, which answers now.
    pub fn at_socket(path: &Path) -> Result<Self, ClientError> {
        Self::over(Door::Socket(path.to_path_buf()))
    }

    /// Over TLS to a server that shows its certificate now.
    pub fn at(remote: Remote) -> Result<Self, ClientError> {
        Self::over(Door::Network(Box::new(remote)))
    }

    fn over(door: Door) -> Result<Self, ClientError> {
        let runtime = runtime()?;
        let wire = runtime.block_on(Wire::open(door))?;
        Ok(Self { way: Way::Wire(Box::new(wire)), runtime })
    }

    /// Where the server is, as a person may read it.
    pub fn to(&self) -> &str {
        match &self.way {
            Way::Inside(_) => HERE,
            Way::Wire(wire) => wire.to(),
        }
    }

    pub fn get<T: DeserializeOwned>(&self, target: &Target) -> Result<T, ClientError> {
        self.view(Method::GET, target, None)
    }

    /// Bytes of whatever type the thing has, at most so many.
    pub fn bytes(&self, target: &Target, max: usize) -> Result<Bytes, ClientError> {
        self.ask(Method::GET, target, None, max)?.into_bytes(self.to())
    }

    pub fn post<T: DeserializeOwned>(
        &self,
        target: &Target,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let unwritable = |error: serde_json::Error| ClientError::Runtime(error.into());
        let body = serde_json::to_vec(body).map_err(unwritable)?;
        self.view(Method::POST, target, Some(body.into()))
    }

    /// JSON that is text already, sent as it is.
    pub fn post_text<T: DeserializeOwned>(&self, target: &Target, text: String) -> Result<T, ClientError> {
        self.view(Method::POST, target, Some(text.into()))
    }

    /// The same under a key that lets the server know a repetition.
    pub fn post_once<T: DeserializeOwned>(
        &self,
        target: &Target,
        key: &str,
        text: String,
    ) -> Result<T, ClientError> {
        let key = HeaderValue::from_str(key).map_err(|_| ClientError::Url { text: key.to_string() })?;
        let body = Question { method: Method::POST, body: Some(text.into()), key: Some(key) };
        self.send(target, body, limits::CLIENT_ANSWER_BYTES_MAX)?.into_view(self.to())
    }

    /// A change that needs no body.
    pub fn act<T: DeserializeOwned>(&self, target: &Target) -> Result<T, ClientError> {
        self.view(Method::POST, target, None)
    }

    pub fn delete<T: DeserializeOwned>(&self, target: &Target) -> Result<T, ClientError> {
        self.view(Method::DELETE, target, None)
    }

    fn view<T: DeserializeOwned>(
        &self,
        method: Method,
        target: &Target,
        body: Option<Bytes>,
    ) -> Result<T, ClientError> {
        self.ask(method, target, body, limits::CLIENT_ANSWER_BYTES_MAX)?.into_view(self.to())
    }

    fn ask(
        &self,
        method: Method,
        target: &Target,
        body: Option<Bytes>,
        max: usize,
    ) -> Result<Answer, ClientError> {
        self.send(target, Question { method, body, key: None }, max)
    }

    fn send(&self, target: &Target, question: Question, max: usize) -> Result<Answer, ClientError> {
        let Question { method, body, key } = question;
        let mut request = Request::builder().method(method).uri(target.as_str());
        if body.is_some() {
            request = request.header(CONTENT_TYPE, JSON);
        }
        if let Some(key) = key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        let request = request.body(Full::new(body.unwrap_or_default()));
        let request = request.map_err(|_| ClientError::Url { text: target.as_str().to_string() })?;
        self.runtime.block_on(async {
            match &self.way {
                Way::Inside(inside) => inside.send(request, max).await,
                Way::Wire(wire) => wire.send(request, max).await,
            }
        })
    }
}

fn runtime() -> Result<Runtime, ClientError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ClientError::Runtime)
}
