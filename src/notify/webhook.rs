//! One request to one address, and whether its answer means that the message was taken.
//! Never follows a redirect, never reads an answer without end, and never shows the path or the token.

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::Builder;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT,
};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use crate::alert::message::Message;
use crate::alert::raised::one_line;
use crate::alert::settings::channel::{Address, Webhook};
use crate::alert::settings::url::{Url, is_loopback};
use crate::notify::error::NotifyError;
use crate::notify::line::{Peer, connect};
use crate::notify::secret::{Secret, path_of, read_secret};
use crate::notify::trust::secure;
use crate::notify::{Delivered, Ground, HandedOver, limits};

/// By which a receiver tells a repetition.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub async fn send(
    webhook: &Webhook,
    (message, body): (&Message, &[u8]),
    ground: &Ground,
    handed: &HandedOver,
) -> Result<Delivered, NotifyError> {
    let url = find_url(webhook, ground)?;
    let peer = Peer { host: url.host().to_string(), port: url.port() };
    let token = webhook.token.as_ref().map(|at| read_secret(at, ground)).transpose()?;
    let request = request(webhook, &url, (message, body), token.as_ref())?;
    let stream = connect(&peer, ground).await?;
    let mut lines = JoinSet::new();
    let answer = if url.tls() {
        ask(secure(stream, &peer, &webhook.trust, ground).await?, &mut lines, request, (&peer, handed))
            .await?
    } else {
        ask(stream, &mut lines, request, (&peer, handed)).await?
    };
    judge(answer, &peer, |text| {
        let secret = |part: &str| part.len() > 1 && text.contains(part);
        let parts = url.target().split(['/', '?', '&', '=']).filter(|part| part.len() > 5);
        secret(url.target())
            || parts.into_iter().any(secret)
            || token.as_ref().is_some_and(|t| secret(t.expose()))
    })
    .await
}

fn find_url(webhook: &Webhook, ground: &Ground) -> Result<Url, NotifyError> {
    let url = match &webhook.address {
        Address::Written(url) => url.clone(),
        Address::Secret(at) => {
            let wrong = path_of(at, ground)?;
            let text = read_secret(at, ground)?;
            Url::parse(text.expose().trim()).map_err(|_| NotifyError::BadAddress { path: wrong })?
        }
    };
    if url.tls() || webhook.allow_plain || is_loopback(url.host()) {
        Ok(url)
    } else {
        Err(NotifyError::Plain { to: url.to_string() })
    }
}

fn request(
    webhook: &Webhook,
    url: &Url,
    (message, body): (&Message, &[u8]),
    token: Option<&Secret>,
) -> Result<Request<Full<Bytes>>, NotifyError> {
    let wrong = |why: &'static str| NotifyError::Message { why: why.to_string() };
    let mut request = Request::post(url.target())
        .header(HOST, url.authority())
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, "Tallystick")
        .header(CONNECTION, "close")
        .header(IDEMPOTENCY_KEY, &message.id)
        .body(Full::new(Bytes::copy_from_slice(body)))
        .map_err(|_| wrong("the address or the id cannot be in a request"))?;
    if let Some(token) = token {
        let (name, text) = match &webhook.header {
            Some(name) => {
                let name =
                    HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("no header of that name"))?;
                (name, Zeroizing::new(token.expose().to_string()))
            }
            None => (AUTHORIZATION, Zeroizing::new(format!("Bearer {}", token.expose()))),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| wrong("the token cannot be in a header"))?;
        value.set_sensitive(true);
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

/// The connection lives in `lines`, and ends with it at the latest.
async fn ask<S>(
    stream: S,
    lines: &mut JoinSet<()>,
    request: Request<Full<Bytes>>,
    (peer, handed): (&Peer, &HandedOver),
) -> Result<Response<Incoming>, NotifyError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| NotifyError::Broken {
        to: peer.to_string(),
        why: error.to_string(),
        uncertain: handed.is_set(),
    };
    let mut builder = Builder::new();
    builder.max_buf_size(limits::HOOK_ANSWER_BYTES_MAX).max_headers(limits::HOOK_HEADERS_MAX);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(broken)?;
    lines.spawn(async move { drop(connection.await) });
    handed.set();
    sender.send_request(request).await.map_err(broken)
}

/// What the status says counts; the body is quoted where it explains a refusal and holds no secret.
async fn judge(
    answer: Response<Incoming>,
    peer: &Peer,
    holds_secret: impl Fn(&str) -> bool,
) -> Result<Delivered, NotifyError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(Delivered { confirmed: true, note: None });
    }
    let (to, code) = (peer.to_string(), status.as_u16());
    if status.is_redirection() {
        return Err(NotifyError::Redirect { to, status: code });
    }
    let wait_ms = wait_ms(&answer);
    let body = Limited::new(answer.into_body(), limits::HOOK_ANSWER_BYTES_MAX).collect().await;
    let text = body.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
    let quotable = !text.trim().is_empty() && !text.contains('<') && !holds_secret(&text);
    let quoted = if quotable { format!(": {text}") } else { String::new() };
    let said = one_line(&format!("status {code}{quoted}"), limits::ANSWER_SHOWN_CHARS_MAX);
    if matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT) {
        // Who answers is not who was asked: that one may have taken it.
        return Err(NotifyError::Broken { to, why: said, uncertain: true });
    }
    // A key can be exchanged and an address be given room; what else a client is blamed for stays as it is.
    let passing = [
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::CONFLICT,
        StatusCode::TOO_EARLY,
        StatusCode::TOO_MANY_REQUESTS,
    ];
    let again = status.is_server_error() || passing.contains(&status);
    Err(NotifyError::Refused { to, step: "take the message", answer: said, again, wait_ms })
}

fn wait_ms(answer: &Response<Incoming>) -> Option<i64> {
    let seconds: i64 = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    seconds.checked_mul(1_000).filter(|ms| *ms > 0)
}
