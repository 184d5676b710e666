//! What is left of a request's body that nobody read, because the request was refused before: taken off the wire
//! while it is little, so that the connection is good for the next request; where it is much, the answer says that
//! the connection ends. Never keeps a byte of it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::timeout;

use crate::base::limits;
use crate::http::listen::connections::{Connection, Phase};

struct Kept {
    body: Incoming,
    ended: bool,
}

/// A body on loan: whoever reads it may drop it, and the rest is still there.
#[derive(Clone)]
pub struct Unread(Arc<Mutex<Kept>>);

impl Unread {
    pub fn new(body: Incoming) -> Self {
        let ended = body.is_end_stream();
        Self(Arc::new(Mutex::new(Kept { body, ended })))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that the next request of the connection is found where the body ends.
    pub fn settle<B>(self, answer: &mut Response<B>, connection: Arc<Connection>) {
        let closes = answer.headers().get(CONNECTION).is_some_and(|value| value == "close");
        if closes || self.is_end_stream() || self.lock().ended {
            return;
        }
        if self.size_hint().lower() > limits::UNREAD_BODY_BYTES_MAX as u64 {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            return;
        }
        tokio::spawn(async move {
            let _ = timeout(Duration::from_millis(limits::UNREAD_BODY_MS), self.read_away()).await;
            // What came was no head: the time of one does not run.
            if connection.phase() == Phase::Head {
                connection.enter(Phase::Idle);
            }
        });
    }

    /// Dropped before its end a body closes its connection.
    async fn read_away(mut self) {
        let mut room = limits::UNREAD_BODY_BYTES_MAX;
        while let Some(Ok(frame)) = self.frame().await {
            match room.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(left) => room = left,
                None => return,
            }
        }
    }
}

impl Body for Unread {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut kept = self.lock();
        let polled = Pin::new(&mut kept.body).poll_frame(cx);
        kept.ended |= matches!(polled, Poll::Ready(None | Some(Err(_))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.lock().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.lock().body.size_hint()
    }
}
