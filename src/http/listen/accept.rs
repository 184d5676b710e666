//! The accept loops, and one connection from its handshake to its end.
//! A connection that fails ends alone; nothing it does stops the loop.

use std::future::Future;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::time::timeout;
use tower::Service;

use crate::app::people::{LocalSocket, Peer};
use crate::base::limits;
use crate::http::auth::Origin;
use crate::http::listen::connections::{Connections, Leave, Phase, Place, Source};
use crate::http::listen::local::SocketFile;
use crate::http::listen::tls::Tls;
use crate::http::listen::unread::Unread;
use crate::http::listen::watched::Watched;
use crate::http::problem::raw_answer;

/// What every connection of a kind shares.
#[derive(Clone)]
pub struct Front {
    pub router: Router,
    pub connections: Arc<Connections>,
}

/// Takes connections from the network until the task is ended.
pub async fn accept_network(listener: TcpListener, tls: Tls, front: Front) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                let address = address.ip().to_canonical();
                if let Some(place) = front.connections.admit(Source::of(address)) {
                    let _ = stream.set_nodelay(true);
                    tokio::spawn(speak_tls(stream, tls.clone(), front.router.clone(), (place, address)));
                }
            }
            Err(error) => pause(&error).await,
        }
    }
}

/// Takes connections from a socket of this machine until the task is ended.
pub async fn accept_local(file: SocketFile, front: Front) {
    loop {
        match file.listener.accept().await {
            Ok((stream, _)) => {
                let place = front.connections.admit(Source::Socket(file.socket));
                if let Some((place, peer)) = place.zip(peer_of(&stream, file.socket)) {
                    tokio::spawn(speak(stream, front.router.clone(), place, Origin::Local(peer)));
                }
            }
            Err(error) => pause(&error).await,
        }
    }
}

fn peer_of(stream: &UnixStream, socket: LocalSocket) -> Option<Peer> {
    stream.peer_cred().ok().map(|peer| Peer { socket, uid: peer.uid() })
}

/// Without a rest a system that has no open file left would be asked for one without end.
async fn pause(error: &std::io::Error) {
    tracing::warn!(%error, "a connection could not be taken");
    tokio::time::sleep(Duration::from_millis(limits::ACCEPT_PAUSE_MS)).await;
}

async fn speak_tls(stream: TcpStream, tls: Tls, router: Router, (place, address): (Place, IpAddr)) {
    let handshake = tls.acceptor().accept(stream);
    let connection = Arc::clone(&place.connection);
    let stream = tokio::select! {
        done = handshake => match done {
            Ok(stream) => stream,
            Err(_) => return,
        },
        _ = connection.asked_to_leave() => return,
    };
    speak(stream, router, place, Origin::Network(address)).await;
}

fn protocol() -> http1::Builder {
    let mut http = http1::Builder::new();
    // Heads and idle connections are timed by the sweep, which costs nothing per request.
    http.header_read_timeout(None).max_buf_size(limits::CONNECTION_BUFFER_BYTES_MAX);
    http
}

async fn speak<S>(stream: S, router: Router, place: Place, origin: Origin)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = Arc::clone(&place.connection);
    connection.enter(Phase::Idle);
    let watched = Watched::new(stream, Arc::clone(&connection));
    let service = service_fn(|request: Request<Incoming>| {
        let (mut router, connection) = (router.clone(), Arc::clone(&connection));
        let (head, body) = request.into_parts();
        let unread = Unread::new(body);
        let mut request = Request::from_parts(head, Body::new(unread.clone()));
        request.extensions_mut().insert(origin.clone());
        async move {
            connection.enter(Phase::Busy);
            let answer = router.call(request).await;
            connection.enter(Phase::Idle);
            answer.map(|mut answer| {
                unread.settle(&mut answer, connection);
                answer
            })
        }
    });
    let mut http = protocol().serve_connection(TokioIo::new(watched), service);
    let why = tokio::select! {
        _ = &mut http => return,
        why = connection.asked_to_leave() => why,
    };
    if why == Leave::SlowHead && connection.phase() == Phase::Head {
        return refuse_slow_head(http.into_parts().io.into_inner()).await;
    }
    Pin::new(&mut http).graceful_shutdown();
    match (why, connection.phase()) {
        // An answer under way: whoever waits for the drain has the limit.
        (Leave::Drain, Phase::Busy | Phase::Idle) => drop(http.await),
        _ => finish_in_time(http).await,
    }
}

async fn finish_in_time(connection: impl Future) {
    let _ = timeout(Duration::from_millis(limits::CONNECTION_LEAVE_MS), pin!(connection)).await;
}

async fn refuse_slow_head<S: AsyncWrite + Unpin>(mut stream: S) {
    let answer = raw_answer(408);
    let write = async {
        stream.write_all(&answer).await?;
        stream.shutdown().await
    };
    finish_in_time(write).await;
}
