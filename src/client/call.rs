//! The client itself: what is asked is typed, what comes back is a view or a refusal.
//! Never asks twice by itself: what was asked may have been done.

use std::path::Path;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Runtime;

use crate::base::files::{at, open_regular};
use crate::base::limits;
use crate::client::answer::{Answer, Sink};
use crate::client::error::ClientError;
use crate::client::inside::{HERE, Inside};
use crate::client::remote::Remote;
use crate::client::target::Target;
use crate::client::wire::{Door, Question, Sent, Wire};
use crate::http::body::file::{FileBody, OCTETS};
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
        let asked = Asked { method: Method::GET, target, body: None, max_ms: limits::CLIENT_ANSWER_MS };
        self.ask(asked, Sink::Memory(max))?.into_bytes(self.to())
    }

    /// Bytes of at most so many, written to a file that is whole or absent.
    pub fn fetch_file(&self, target: &Target, path: &Path, max: u64) -> Result<(), ClientError> {
        let asked = Asked { method: Method::GET, target, body: None, max_ms: limits::CLIENT_LONG_MS };
        self.ask(asked, Sink::File(path, max))?.into_bytes(self.to()).map(drop)
    }

    /// Sends a file as it is, piece by piece.
    pub fn post_file<T: DeserializeOwned>(&self, target: &Target, path: &Path) -> Result<T, ClientError> {
        let file = open_regular(path)?;
        let body = self.runtime.block_on(async { FileBody::of(file) }).map_err(at(path))?;
        let body = Some((OCTETS, body.boxed_unsync()));
        let asked = Asked { method: Method::POST, target, body, max_ms: limits::CLIENT_LONG_MS };
        self.ask(asked, Sink::Memory(limits::CLIENT_ANSWER_BYTES_MAX))?.into_view(self.to())
    }

    /// The same as `post` where the answer may need an hour.
    pub fn post_patiently<T: DeserializeOwned>(
        &self,
        target: &Target,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = Some((JSON, whole(json_of(body)?.into())));
        let asked = Asked { method: Method::POST, target, body, max_ms: limits::CLIENT_LONG_MS };
        self.ask(asked, Sink::Memory(limits::CLIENT_ANSWER_BYTES_MAX))?.into_view(self.to())
    }

    pub fn post<T: DeserializeOwned>(
        &self,
        target: &Target,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.view(Method::POST, target, Some(json_of(body)?.into()))
    }

    /// JSON that is text already, sent as it is.
    pub fn post_text<T: DeserializeOwned>(&self, target: &Target, text: String) -> Result<T, ClientError> {
        self.view(Method::POST, target, Some(text.into()))
    }

    /// The same, with what the server says of how long it took.
    pub fn post_timed<T: DeserializeOwned>(
        &self,
        target: &Target,
        text: String,
    ) -> Result<(T, Option<String>), ClientError> {
        let body = Some((JSON, whole(text.into())));
        let asked = Asked { method: Method::POST, target, body, max_ms: limits::CLIENT_ANSWER_MS };
        let mut answer = self.ask(asked, Sink::Memory(limits::CLIENT_ANSWER_BYTES_MAX))?;
        let timing = answer.timing.take();
        Ok((answer.into_view(self.to())?, timing))
    }

    /// The same under a key that lets the server know a repetition.
    pub fn post_once<T: DeserializeOwned>(
        &self,
        target: &Target,
        key: &str,
        text: String,
    ) -> Result<T, ClientError> {
        let key = HeaderValue::from_str(key).map_err(|_| ClientError::Url { text: key.to_string() })?;
        let body = Some((JSON, whole(text.into())));
        let asked = Asked { method: Method::POST, target, body, max_ms: limits::CLIENT_ANSWER_MS };
        self.ask_once(asked, Some(key), Sink::Memory(limits::CLIENT_ANSWER_BYTES_MAX))?.into_view(self.to())
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
        let body = body.map(|bytes| (JSON, whole(bytes)));
        let asked = Asked { method, target, body, max_ms: limits::CLIENT_ANSWER_MS };
        self.ask(asked, Sink::Memory(limits::CLIENT_ANSWER_BYTES_MAX))?.into_view(self.to())
    }

    fn ask(&self, asked: Asked<'_>, sink: Sink<'_>) -> Result<Answer, ClientError> {
        self.ask_once(asked, None, sink)
    }

    fn ask_once(
        &self,
        asked: Asked<'_>,
        key: Option<HeaderValue>,
        sink: Sink<'_>,
    ) -> Result<Answer, ClientError> {
        let Asked { method, target, body, max_ms } = asked;
        let mut request = Request::builder().method(method).uri(target.as_str());
        if let Some((content_type, _)) = &body {
            request = request.header(CONTENT_TYPE, *content_type);
        }
        if let Some(key) = key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        let request = request.body(body.map_or_else(|| whole(Bytes::new()), |(_, body)| body));
        let request = request.map_err(|_| ClientError::Url { text: target.as_str().to_string() })?;
        let question = Question { request, sink, max_ms };
        self.runtime.block_on(async {
            match &self.way {
                Way::Inside(inside) => inside.send(question).await,
                Way::Wire(wire) => wire.send(question).await,
            }
        })
    }
}

/// What is asked, with its body and the body's type.
struct Asked<'a> {
    method: Method,
    target: &'a Target,
    body: Option<(&'static str, Sent)>,
    max_ms: u64,
}

fn json_of(body: &impl Serialize) -> Result<Vec<u8>, ClientError> {
    serde_json::to_vec(body).map_err(|error| ClientError::Runtime(error.into()))
}

fn whole(bytes: Bytes) -> Sent {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

fn runtime() -> Result<Runtime, ClientError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ClientError::Runtime)
}
