//! A stream that tells its connection what goes over it, and says the server's own words where hyper would
//! answer a broken request with a bare status. Never looks into a request.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http::listen::connections::{Connection, Phase};
use crate::http::problem::raw_answer;

pub struct Watched<S> {
    stream: S,
    connection: Arc<Connection>,
    /// An answer of ours that takes the place of hyper's, and how much of it is written.
    own: Option<(Vec<u8>, usize)>,
}

impl<S> Watched<S> {
    pub fn new(stream: S, connection: Arc<Connection>) -> Self {
        Self { stream, connection, own: None }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before && self.connection.phase() == Phase::Idle {
            self.connection.enter(Phase::Head);
        }
        Poll::Ready(Ok(()))
    }
}

/// The status of a bare refusal, as hyper begins it.
fn refused_status(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|status| *status >= 400)
}

/// Whether this is a whole refusal without a body: none of ours is.
fn is_bare(bytes: &[u8]) -> bool {
    refused_status(bytes).is_some()
        && bytes.ends_with(b"\r\n\r\n")
        && bytes.windows(17).any(|window| window.eq_ignore_ascii_case(b"content-length: 0"))
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    /// What is written before any request was handed over can only be a refusal of its head. Behind an answer hyper
    /// refuses what it had already read without asking for more: such a refusal is known by its bareness.
    fn is_refusal(&self, bytes: &[u8]) -> bool {
        match self.connection.phase() {
            _ if self.own.is_some() => true,
            Phase::Head => true,
            Phase::Idle => is_bare(bytes),
            _ => false,
        }
    }

    fn poll_refusal(&mut self, cx: &mut Context<'_>, theirs: &[u8]) -> Poll<io::Result<usize>> {
        if self.own.is_none() {
            let Some(status) = refused_status(theirs) else {
                return Pin::new(&mut self.stream).poll_write(cx, theirs);
            };
            tracing::info!(status, "the head of a request was refused");
            self.own = Some((raw_answer(status), 0));
        }
        let Self { stream, own: Some((bytes, written)), .. } = self else { return Poll::Ready(Ok(0)) };
        while *written < bytes.len() {
            let more = ready!(Pin::new(&mut *stream).poll_write(cx, &bytes[*written..]))?;
            if more == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *written += more;
        }
        Poll::Ready(Ok(theirs.len()))
    }

    fn note_progress(&self) {
        if self.connection.phase() == Phase::Idle {
            self.connection.enter(Phase::Idle);
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_refusal(buf) {
            return self.poll_refusal(cx, buf);
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.note_progress();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bufs.iter().find(|buf| !buf.is_empty()).map_or(&[][..], |buf| &**buf);
        if self.is_refusal(first) {
            return self.poll_refusal(cx, first);
        }
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.note_progress();
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::{is_bare, refused_status};

    #[test]
    fn only_refusals_are_put_in_other_words() {
        assert_eq!(refused_status(b"HTTP/1.1 431 Request Header Fields Too Large\r\n"), Some(431));
        assert_eq!(refused_status(b"HTTP/1.0 400 Bad Request\r\n"), Some(400));
        assert_eq!(refused_status(b"HTTP/1.1 100 Continue\r\n"), None);
        assert_eq!(refused_status(b"HTTP"), None);
    }

    #[test]
    fn a_bare_refusal_is_none_of_ours() {
        assert!(is_bare(
            b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n"
        ));
        assert!(!is_bare(&crate::http::problem::raw_answer(400)));
        assert!(!is_bare(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    }
}
