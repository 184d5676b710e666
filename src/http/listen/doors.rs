//! What a server listens on: addresses that were named, sockets that were handed over, sockets it makes itself.
//! Opens all of it or nothing.

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::net::{TcpListener, TcpSocket};

use crate::app::people::LocalSocket;
use crate::base::limits;
use crate::http::listen::error::ListenError;
use crate::http::listen::handed;
use crate::http::listen::local::SocketFile;
use crate::http::listen::tls::{ReadIdentity, Tls, TlsFrom};

/// What was asked for.
pub struct Plan {
    /// The addresses that were named.
    pub listen: Vec<SocketAddr>,
    /// Where to listen if none was named and none handed over.
    pub otherwise: Vec<SocketAddr>,
    /// The folder of the sockets, where they are wanted.
    pub sockets: Option<PathBuf>,
    pub tls: TlsFrom,
}

#[derive(Default)]
pub struct Doors {
    pub network: Vec<(TcpListener, Tls)>,
    pub local: Vec<SocketFile>,
    pub tls: Option<Tls>,
}

impl Doors {
    /// Opens what was asked for; the certificate is only read where there is a door to the network.
    pub async fn open(plan: &Plan, identity: ReadIdentity) -> Result<Self, ListenError> {
        let handed = handed::take()?;
        let mut listeners = handed.network;
        let mut named = plan.listen.clone();
        if named.is_empty() && listeners.is_empty() {
            named.clone_from(&plan.otherwise);
        }
        for address in named {
            listeners.push(bind(address).map_err(|source| ListenError::Bind { address, source })?);
        }
        let mut local = handed.local;
        if let Some(folder) = &plan.sockets {
            for socket in LocalSocket::ALL {
                if !local.iter().any(|file| file.socket == socket) {
                    local.push(SocketFile::bind(folder, socket)?);
                }
            }
        }
        let tls = Tls::open(identity, plan.tls)?;
        let network = listeners.into_iter().map(|listener| (listener, tls.clone())).collect();
        Ok(Self { network, local, tls: Some(tls) })
    }

    /// The addresses in fact listened on, a port that was left open filled in.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.network.iter().filter_map(|(listener, _)| listener.local_addr().ok()).collect()
    }
}

/// Accepted connections inherit the limit: without one the system keeps megabytes for each client that does not read.
fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(limits::CONNECTION_SEND_BYTES_MAX)?;
    socket.bind(address)?;
    socket.listen(limits::CONNECTIONS_WAITING_MAX)
}
