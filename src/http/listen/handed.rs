//! Sockets that systemd opened for us, told apart by their names: `https`, and one for each local socket.
//! Never guesses by order: a socket without a known name is refused.

use listenfd::ListenFd;
use tokio::net::TcpListener;

use crate::app::people::LocalSocket;
use crate::http::listen::error::ListenError;
use crate::http::listen::local::{SocketFile, into_tokio};

const NETWORK: &str = "https";

#[derive(Default)]
pub struct Handed {
    pub network: Vec<TcpListener>,
    pub local: Vec<SocketFile>,
}

/// Takes what was handed over, once for the process.
pub fn take() -> Result<Handed, ListenError> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut handed = Handed::default();
    let mut sockets = ListenFd::from_env();
    for at in 0..sockets.len() {
        let name = names.split(':').nth(at).unwrap_or_default().to_string();
        let failed = |source| ListenError::HandedOver { name: name.clone(), source };
        if name == NETWORK {
            if let Some(listener) = sockets.take_tcp_listener(at).map_err(failed)? {
                listener.set_nonblocking(true).map_err(failed)?;
                handed.network.push(TcpListener::from_std(listener).map_err(failed)?);
            }
            continue;
        }
        let Some(socket) = LocalSocket::ALL.into_iter().find(|socket| socket.as_str() == name) else {
            let known = [NETWORK].into_iter().chain(LocalSocket::ALL.map(LocalSocket::as_str));
            let known = known.collect::<Vec<_>>().join(", ");
            return Err(ListenError::UnknownSocket { name, known });
        };
        if let Some(listener) = sockets.take_unix_listener(at).map_err(failed)? {
            handed.local.push(SocketFile::handed(socket, into_tokio(listener).map_err(failed)?));
        }
    }
    Ok(handed)
}
