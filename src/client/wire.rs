//! One HTTP/1.1 connection, over a socket of this machine or over TLS; opened at once, and again when it was closed.
//! Never waits without end and never sends a request a second time.

use std::cell::RefCell;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use crate::base::limits;
use crate::client::answer::{Answer, Sink, read};
use crate::client::error::ClientError;
use crate::client::remote::Remote;
use crate::security::certificate::pinned::Seen;

/// What is knocked at.
pub enum Door {
    Socket(PathBuf),
    Network(Box<Remote>),
}

/// The body of any question: bytes, or a file piece by piece.
pub type Sent = UnsyncBoxBody<Bytes, std::io::Error>;

/// A request, where its answer goes, and how long both may take together.
pub struct Question<'a> {
    pub request: Request<Sent>,
    pub sink: Sink<'a>,
    pub max_ms: u64,
}

type Sender = SendRequest<Sent>;

pub struct Wire {
    door: Door,
    to: String,
    sender: RefCell<Option<Sender>>,
}

impl Wire {
    pub async fn open(door: Door) -> Result<Self, ClientError> {
        let to = match &door {
            Door::Socket(path) => path.display().to_string(),
            Door::Network(remote) => remote.address.to_string(),
        };
        let wire = Self { door, to, sender: RefCell::default() };
        let sender = wire.connect().await?;
        wire.sender.replace(Some(sender));
        Ok(wire)
    }

    pub fn to(&self) -> &str {
        &self.to
    }

    pub async fn send(&self, question: Question<'_>) -> Result<Answer, ClientError> {
        let Question { mut request, sink, max_ms } = question;
        self.address(&mut request)?;
        let mut sender = match self.find_open().await {
            Some(kept) => kept,
            None => self.connect().await?,
        };
        let asking = async {
            let response = sender.send_request(request).await.map_err(|error| self.broken(&error))?;
            read(response, sink, &self.to).await
        };
        let answer = self.in_time(asking, "answer", max_ms).await?;
        self.sender.replace(Some(sender));
        Ok(answer)
    }

    /// The connection of the call before, if the server has not closed it.
    async fn find_open(&self) -> Option<Sender> {
        let mut kept = self.sender.take()?;
        kept.ready().await.ok().map(|()| kept)
    }

    fn address(&self, request: &mut Request<Sent>) -> Result<(), ClientError> {
        let host = match &self.door {
            Door::Socket(_) => "localhost",
            Door::Network(remote) => remote.address.authority(),
        };
        let wrong = |_| ClientError::Url { text: host.to_string() };
        request.headers_mut().insert(HOST, HeaderValue::from_str(host).map_err(wrong)?);
        if let Door::Network(remote) = &self.door {
            let text = Zeroizing::new(format!("Bearer {}", remote.token.as_str()));
            let no_key = |_| ClientError::NoKey { to: self.to.clone() };
            let mut value = HeaderValue::from_str(&text).map_err(no_key)?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(())
    }

    async fn connect(&self) -> Result<Sender, ClientError> {
        let connecting = async {
            match &self.door {
                Door::Socket(path) => {
                    let stream = UnixStream::connect(path).await;
                    self.speak(stream.map_err(|source| self.unreachable(source))?).await
                }
                Door::Network(remote) => self.speak_tls(remote).await,
            }
        };
        self.in_time(connecting, "open", limits::CLIENT_CONNECT_MS).await
    }

    async fn speak_tls(&self, remote: &Remote) -> Result<Sender, ClientError> {
        let stream = TcpStream::connect((remote.address.host(), remote.address.port())).await;
        let stream = stream.map_err(|source| self.unreachable(source))?;
        let _ = stream.set_nodelay(true);
        let seen = Seen::default();
        let connector = TlsConnector::from(Arc::new(remote.anchor.config(&seen)?));
        let stream = match connector.connect(remote.address.server_name()?, stream).await {
            Ok(stream) => stream,
            Err(error) => return Err(self.not_secure(remote, &seen, &error)),
        };
        self.speak(stream).await
    }

    fn not_secure(&self, remote: &Remote, seen: &Seen, error: &std::io::Error) -> ClientError {
        match remote.anchor.refused(seen) {
            Some((expected, found)) => ClientError::OtherServer { to: self.to.clone(), expected, found },
            None => ClientError::Tls { to: self.to.clone(), why: error.to_string() },
        }
    }

    async fn speak<S>(&self, stream: S) -> Result<Sender, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| self.broken(&error))?;
        // Whatever ends it, the request that is under way hears of it.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, ClientError>>,
        doing: &'static str,
        max_ms: u64,
    ) -> Result<T, ClientError> {
        let late = |_| ClientError::Timeout { to: self.to.clone(), doing, max_ms };
        timeout(Duration::from_millis(max_ms), work).await.map_err(late)?
    }

    fn unreachable(&self, source: std::io::Error) -> ClientError {
        ClientError::Connect { to: self.to.clone(), source }
    }

    fn broken(&self, error: &hyper::Error) -> ClientError {
        ClientError::Broken { to: self.to.clone(), why: error.to_string() }
    }
}
