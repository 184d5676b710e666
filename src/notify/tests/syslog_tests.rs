//! Lines to a socket and a port of this machine.

use tokio::net::{UdpSocket, UnixDatagram};

use crate::notify::error::NotifyError;
use crate::notify::tests::{channel, ground, message};
use crate::notify::{Delivered, deliver};

#[tokio::test]
async fn a_line_arrives_at_the_socket_of_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let channel = channel(&format!("type = \"syslog\"\npath = \"{}\"", path.display()));
    let sent = message(&channel, false);
    let gone = deliver(&channel, &sent, &ground(folder.path())).await.unwrap_err();
    assert!(matches!(gone, NotifyError::Unreachable { .. }) && gone.again(), "{gone}");
    let socket = UnixDatagram::bind(&path).unwrap();
    let delivered = deliver(&channel, &sent, &ground(folder.path())).await.unwrap();
    assert_eq!(delivered, Delivered { confirmed: true, note: None });
    let mut bytes = [0u8; 4096];
    let count = socket.recv(&mut bytes).await.unwrap();
    assert!(
        bytes[..count].starts_with(b"<26>1 2026-03-14T09:00:00.000Z box tallystick - drift - \xef\xbb\xbf")
    );
}

#[tokio::test]
async fn a_line_over_udp_counts_as_sent_and_not_as_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let channel =
        channel(&format!("type = \"syslog\"\naddress = \"127.0.0.1:{port}\"\nfacility = \"local7\""));
    let delivered = deliver(&channel, &message(&channel, false), &ground(folder.path())).await.unwrap();
    assert!(!delivered.confirmed);
    let mut bytes = [0u8; 4096];
    let count = socket.recv(&mut bytes).await.unwrap();
    assert!(bytes[..count].starts_with(b"<186>1 "));
}
