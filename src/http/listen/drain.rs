//! All doors of a server together: opened, swept, and closed in order when the system says so.
//! SIGTERM and SIGINT end it gracefully, SIGHUP reads the certificate again.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::app::people::LocalSocket;
use crate::base::limits;
use crate::http::listen::accept::{Front, accept_local, accept_network};
use crate::http::listen::connections::{Connections, Room};
use crate::http::listen::doors::Doors;
use crate::http::listen::error::ListenError;
use crate::http::listen::notify::{self, Probe};
use crate::http::listen::tls::Tls;

/// How the drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    All,
    /// Requests were still in flight at the limit, and were cut off.
    CutOff,
}

struct Signals {
    term: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn hear() -> Result<Self, ListenError> {
        let hear = |kind| signal(kind).map_err(|source| ListenError::Signals { source });
        Ok(Self {
            term: hear(SignalKind::terminate())?,
            interrupt: hear(SignalKind::interrupt())?,
            hangup: hear(SignalKind::hangup())?,
        })
    }

    /// Ends with the signal to stop; until then, a hangup reloads the certificate.
    async fn until_stop(&mut self, tls: Option<&Tls>) {
        loop {
            tokio::select! {
                _ = self.term.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => reload(tls),
            }
        }
    }
}

fn reload(tls: Option<&Tls>) {
    let Some(tls) = tls else { return };
    match tls.reload() {
        Ok(()) => tracing::info!(fingerprint = tls.fingerprint(), "the certificate was read again"),
        Err(error) => tracing::error!(%error, "the new certificate is refused; the old one stays in use"),
    }
}

/// What stands behind the doors, and what is called when something happens to them.
pub struct House {
    pub router: Router,
    pub probe: Probe,
    /// Every door is open.
    pub opened: Box<dyn FnOnce() + Send>,
    /// The doors are about to close.
    pub stopping: Box<dyn FnOnce() + Send>,
    /// Every now and then, with the number of open connections of the network.
    pub tick: Box<dyn Fn(usize) + Send + Sync>,
    /// Ends where the house is to be closed without a signal.
    pub stop: Stop,
}

pub type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Serves until the system says stop, then lets requests in flight end.
pub async fn serve(doors: Doors, house: House) -> Result<Drained, ListenError> {
    let mut signals = Signals::hear()?;
    let network = Connections::new(network_room());
    let of_socket = limits::LOCAL_CONNECTIONS_MAX;
    let local = Connections::new(Room { all: of_socket * LocalSocket::ALL.len(), of_source: of_socket });
    let House { router, probe, opened, stopping, tick, stop } = house;
    let mut tasks = JoinSet::new();
    tasks.spawn(sweep(Arc::clone(&network), Arc::clone(&local), tick));
    tasks.spawn(notify::keep_watchdog(probe));
    for (listener, tls) in doors.network {
        let front = Front { router: router.clone(), connections: Arc::clone(&network) };
        tasks.spawn(accept_network(listener, tls, front));
    }
    for file in doors.local {
        let front = Front { router: router.clone(), connections: Arc::clone(&local) };
        tasks.spawn(accept_local(file, front));
    }
    opened();
    notify::ready();
    tokio::select! {
        () = signals.until_stop(doors.tls.as_ref()) => {}
        () = stop => {}
    }
    stopping();
    notify::stopping();
    tasks.shutdown().await;
    Ok(drain(&network, &local, &mut signals).await)
}

async fn sweep(network: Arc<Connections>, local: Arc<Connections>, tick: Box<dyn Fn(usize) + Send + Sync>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(limits::CONNECTION_SWEEP_MS));
    loop {
        ticks.tick().await;
        network.sweep();
        local.sweep();
        tick(network.open());
    }
}

/// A second signal ends the waiting.
async fn drain(network: &Connections, local: &Connections, signals: &mut Signals) -> Drained {
    tracing::info!(connections = network.open() + local.open(), "stopping; requests in flight are finished");
    network.drain();
    local.drain();
    let ended = async {
        network.all_ended().await;
        local.all_ended().await;
    };
    tokio::select! {
        done = timeout(Duration::from_millis(limits::DRAIN_MS), ended) => match done {
            Ok(()) => Drained::All,
            Err(_) => Drained::CutOff,
        },
        () = signals.until_stop(None) => Drained::CutOff,
    }
}

/// As many connections as the limit says, or as the system's limit of open files leaves.
fn network_room() -> Room {
    let files = raise_open_files();
    let spare = limits::OPEN_FILES_SPARE + (limits::LOCAL_CONNECTIONS_MAX * LocalSocket::ALL.len()) as u64;
    let left = usize::try_from(files.saturating_sub(spare)).unwrap_or(usize::MAX).max(1);
    let all = limits::CONNECTIONS_MAX.min(left);
    Room { all, of_source: limits::ADDRESS_CONNECTIONS_MAX.min(all) }
}

/// Raises this process's own limit as far as it may; answers what holds.
fn raise_open_files() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
