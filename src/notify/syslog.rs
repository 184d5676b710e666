//! Lines to the syslog of this machine or of another: a datagram each.
//! Never waits for an answer, since there is none; what the system takes counts as delivered.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{UdpSocket, UnixDatagram, lookup_host};

use crate::alert::settings::channel::{Syslog, SyslogTo};
use crate::notify::error::NotifyError;
use crate::notify::line::Peer;
use crate::notify::{Delivered, Ground, HandedOver, in_time};

pub async fn send(
    syslog: &Syslog,
    lines: &[String],
    ground: &Ground,
    handed: &HandedOver,
) -> Result<Delivered, NotifyError> {
    match &syslog.to {
        SyslogTo::Socket(path) => {
            let to = path.display().to_string();
            let unreachable = |source| NotifyError::Unreachable { to: to.clone(), source };
            let socket = UnixDatagram::unbound().map_err(unreachable)?;
            socket.connect(path).map_err(unreachable)?;
            for line in lines {
                let sent = socket.send(line.as_bytes()).await;
                sent.map_err(|source| cut_short(&to, source, handed))?;
                handed.set();
            }
            Ok(Delivered { confirmed: true, note: None })
        }
        SyslogTo::Udp { host, port } => {
            let peer = Peer { host: host.clone(), port: *port };
            let socket = open(&peer, ground).await?;
            for line in lines {
                let sent = socket.send(line.as_bytes()).await;
                sent.map_err(|source| cut_short(&peer.to_string(), source, handed))?;
                handed.set();
            }
            Ok(Delivered { confirmed: false, note: None })
        }
    }
}

/// After the first line some have arrived and some have not.
fn cut_short(to: &str, source: std::io::Error, handed: &HandedOver) -> NotifyError {
    let to = to.to_string();
    if handed.is_set() {
        NotifyError::Broken { to, why: source.to_string(), uncertain: true }
    } else {
        NotifyError::Unreachable { to, source }
    }
}

async fn open(peer: &Peer, ground: &Ground) -> Result<UdpSocket, NotifyError> {
    let to = peer.to_string();
    let unreachable = |source| NotifyError::Unreachable { to: to.clone(), source };
    let opening = async {
        let mut found = lookup_host((peer.host.as_str(), peer.port)).await.map_err(unreachable)?;
        let none = || unreachable(std::io::Error::from(std::io::ErrorKind::NotFound));
        let far = found.next().ok_or_else(none)?;
        let near: SocketAddr = match far {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(near).await.map_err(unreachable)?;
        socket.connect(far).await.map_err(unreachable)?;
        Ok(socket)
    };
    in_time(opening, &to, "be found", ground.connect_ms).await
}
