//! An open connection to the host of a channel, from which only so much is read.
//! Never connects to a host that it was not given.

use std::fmt;
use std::io::{Error, ErrorKind, Result as IoResult};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::notify::error::NotifyError;
use crate::notify::{Ground, in_time};

/// Whom a channel names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub host: String,
    pub port: u16,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

pub async fn connect(peer: &Peer, ground: &Ground) -> Result<TcpStream, NotifyError> {
    let connecting = async {
        let stream = TcpStream::connect((peer.host.as_str(), peer.port)).await;
        stream.map_err(|source| NotifyError::Unreachable { to: peer.to_string(), source })
    };
    let stream = in_time(connecting, &peer.to_string(), "open a connection", ground.connect_ms).await?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// A connection with a bound on what it gives, and with what was read of it before.
#[derive(Debug)]
pub struct Bounded<S> {
    before: Vec<u8>,
    inner: S,
    left: usize,
    peer: SocketAddr,
}

impl<S> Bounded<S> {
    /// `before` is read first.
    pub fn new(inner: S, before: Vec<u8>, left: usize, peer: SocketAddr) -> Self {
        Self { before, inner, left, peer }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<IoResult<()>> {
        if !self.before.is_empty() {
            let count = self.before.len().min(buf.remaining());
            let first: Vec<u8> = self.before.drain(..count).collect();
            buf.put_slice(&first);
            return Poll::Ready(Ok(()));
        }
        if self.left == 0 {
            let why = "it sends more than is read of it";
            return Poll::Ready(Err(Error::new(ErrorKind::InvalidData, why)));
        }
        let filled = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        self.left = self.left.saturating_sub(buf.filled().len().saturating_sub(filled));
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<IoResult<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin + fmt::Debug> AsyncTokioStream for Bounded<S> {
    fn peer_addr(&self) -> IoResult<SocketAddr> {
        Ok(self.peer)
    }
}
