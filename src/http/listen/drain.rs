//! All doors of a server together: opened, swept, and closed in order when the system says so.
//! SIGTERM and SIGINT end it gracefully, SIGHUP reads the certificate again.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::base::limits;
use crate::http::listen::accept::{Front, accept_local, accept_network};
use crate::http::listen::connections::{Connections, Room};
use crate::http::listen::error::ListenError;
use crate::http::listen::local::SocketFile;
use crate::http::listen::notify::{self, Probe};
use crate::http::listen::tls::Tls;

/// What is to be listened on.
pub struct Doors {
    pub network: Vec<TcpListener>,
    pub tls: Option<Tls>,
    pub local: Vec<SocketFile>,
}

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

/// Serves until the system says stop, then lets requests in flight end. `opened` is called once every door
/// is open.
pub async fn serve(
    doors: Doors,
    router: Router,
    probe: Probe,
    opened: impl FnOnce(),
) -> Result<Drained, ListenError> {
    let mut signals = Signals::hear()?;
    let network = Connections::new(network_room());
    let local = Connections::new(Room {
        all: limits::LOCAL_CONNECTIONS_MAX,
        of_source: limits::LOCAL_CONNECTIONS_MAX,
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(sweep(Arc::clone(&network), Arc::clone(&local)));
    tasks.spawn(notify::keep_watchdog(probe));
    let Doors { network: listeners, tls, local: files } = doors;
    for (listener, tls) in listeners.into_iter().zip(std::iter::repeat(&tls)) {
        if let Some(tls) = tls.clone() {
            let front = Front { router: router.clone(), connections: Arc::clone(&network) };
            tasks.spawn(accept_network(listener, tls, front));
        }
    }
    for file in files {
        let front = Front { router: router.clone(), connections: Arc::clone(&local) };
        tasks.spawn(accept_local(file, front));
    }
    opened();
    notify::ready();
    signals.until_stop(tls.as_ref()).await;
    notify::stopping();
    tasks.shutdown().await;
    Ok(drain(&network, &local, &mut signals).await)
}

async fn sweep(network: Arc<Connections>, local: Arc<Connections>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(limits::CONNECTION_SWEEP_MS));
    loop {
        ticks.tick().await;
        network.sweep();
        local.sweep();
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
    let spare = limits::OPEN_FILES_SPARE + limits::LOCAL_CONNECTIONS_MAX as u64;
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
