//! One mail to one server: TLS first, then who it is from, who it is for, and the mail itself.
//! Never says a password or a recipient before TLS, unless the settings want none.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::alert::message::Message;
use crate::alert::raised::one_line;
use crate::alert::settings::channel::{Security, Smtp};
use crate::notify::error::NotifyError;
use crate::notify::line::{Bounded, Peer, connect};
use crate::notify::mime::{address, bytes};
use crate::notify::secret::read_secret;
use crate::notify::trust::secure;
use crate::notify::{Delivered, Ground, HandedOver, limits};

pub async fn send(
    smtp: &Smtp,
    message: &Message,
    ground: &Ground,
    handed: &HandedOver,
) -> Result<Delivered, NotifyError> {
    let mail = bytes(smtp, message)?;
    let peer = Peer { host: smtp.host.clone(), port: smtp.port };
    let stream = connect(&peer, ground).await?;
    let local = stream.local_addr().map(|address| address.ip());
    let hello = match local {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::default(),
    };
    let line = open(smtp, &peer, stream, (ground, &hello)).await?;
    let mut talk = AsyncSmtpConnection::connect_with_transport(line, &hello)
        .await
        .map_err(|error| failed(&peer, "talk", &error, Stage::Before))?;
    let sent = hand_over(&mut talk, (smtp, &peer), &mail, (ground, handed)).await;
    // It changes nothing any more, whatever is answered.
    let _ = timeout(Duration::from_millis(limits::NOTIFY_GOODBYE_MS), talk.abort()).await;
    sent
}

/// How far it had come.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// What is refused here is about this server or the login, which may be put right.
    Before,
    /// What is refused here is about this mail.
    Mail,
    /// The mail is on its way.
    HandedOver,
}

async fn hand_over(
    talk: &mut AsyncSmtpConnection,
    (smtp, peer): (&Smtp, &Peer),
    mail: &[u8],
    (ground, handed): (&Ground, &HandedOver),
) -> Result<Delivered, NotifyError> {
    if let Some((user, at)) = &smtp.login {
        let login = Credentials::new(user.clone(), read_secret(at, ground)?.expose().to_string());
        let logged_in = talk.auth(&[Mechanism::Plain, Mechanism::Login], &login).await;
        logged_in.map_err(|error| failed(peer, "let the user in", &error, Stage::Before))?;
    }
    let from = Mail::new(Some(address(&smtp.from)?), Vec::new());
    talk.command(from).await.map_err(|error| failed(peer, "take the sender", &error, Stage::Mail))?;
    let refused = name_recipients(talk, smtp, peer).await?;
    talk.command(Data).await.map_err(|error| failed(peer, "take the mail", &error, Stage::Mail))?;
    handed.set();
    talk.message(mail).await.map_err(|error| failed(peer, "take the mail", &error, Stage::HandedOver))?;
    let note = (!refused.is_empty()).then(|| format!("not to all: {}", refused.join("; ")));
    Ok(Delivered { confirmed: true, note })
}

/// Names everybody, and answers with those who were refused for good. Where one may be accepted later nobody gets it
/// now, since the others would get it twice.
async fn name_recipients(
    talk: &mut AsyncSmtpConnection,
    smtp: &Smtp,
    peer: &Peer,
) -> Result<Vec<String>, NotifyError> {
    let mut refused = Vec::new();
    let mut last = None;
    for to in &smtp.to {
        match talk.command(Rcpt::new(address(to)?, Vec::new())).await {
            Ok(_) => {}
            Err(error) if error.is_permanent() => {
                refused.push(shown(&format!("{to}: {error}")));
                last = Some(failed(peer, "take the recipient", &error, Stage::Mail));
            }
            Err(error) => return Err(failed(peer, "take the recipient", &error, Stage::Mail)),
        }
    }
    match last {
        Some(error) if refused.len() == smtp.to.len() => Err(error),
        _ => Ok(refused),
    }
}

fn failed(peer: &Peer, step: &'static str, error: &SmtpError, stage: Stage) -> NotifyError {
    let (to, why) = (peer.to_string(), shown(&error.to_string()));
    if error.is_transient() || error.is_permanent() {
        let again = error.is_transient() || stage == Stage::Before;
        return NotifyError::Refused { to, step, answer: why, again, wait_ms: None };
    }
    if error.is_client() {
        return NotifyError::Strange { to, why };
    }
    NotifyError::Broken { to, why, uncertain: stage == Stage::HandedOver }
}

fn shown(text: &str) -> String {
    one_line(text, limits::ANSWER_SHOWN_CHARS_MAX)
}

/// The connection as the settings want it to be protected.
async fn open(
    smtp: &Smtp,
    peer: &Peer,
    mut stream: TcpStream,
    (ground, hello): (&Ground, &ClientId),
) -> Result<Box<dyn AsyncTokioStream>, NotifyError> {
    let broken = |error: std::io::Error| broken(peer, &error.to_string());
    let far: SocketAddr = stream.peer_addr().map_err(broken)?;
    let max = limits::SMTP_READ_BYTES_MAX;
    match smtp.security {
        Security::None => Ok(Box::new(Bounded::new(stream, Vec::new(), max, far))),
        Security::Tls => {
            let stream = secure(stream, peer, &smtp.trust, ground).await?;
            Ok(Box::new(Bounded::new(stream, Vec::new(), max, far)))
        }
        Security::Starttls => {
            ask_for_tls(&mut stream, peer, hello).await?;
            let stream = secure(stream, peer, &smtp.trust, ground).await?;
            // After TLS begins the server waits, while who speaks SMTP from here on waits for a greeting.
            Ok(Box::new(Bounded::new(stream, b"220 TLS\r\n".to_vec(), max, far)))
        }
    }
}

/// RFC 3207, up to the first byte of TLS.
async fn ask_for_tls(stream: &mut TcpStream, peer: &Peer, hello: &ClientId) -> Result<(), NotifyError> {
    expect(read_reply(stream, peer).await?, "220", peer)?;
    write(stream, peer, &format!("EHLO {hello}\r\n")).await?;
    let offered = expect(read_reply(stream, peer).await?, "250", peer)?;
    let is_tls = |line: &str| line.get(4..).is_some_and(|word| word.trim().eq_ignore_ascii_case("STARTTLS"));
    if !offered.lines().any(is_tls) {
        return Err(NotifyError::NoStarttls { to: peer.to_string() });
    }
    write(stream, peer, "STARTTLS\r\n").await?;
    expect(read_reply(stream, peer).await?, "220", peer).map(drop)
}

async fn write(stream: &mut TcpStream, peer: &Peer, text: &str) -> Result<(), NotifyError> {
    stream.write_all(text.as_bytes()).await.map_err(|error| broken(peer, &error.to_string()))
}

fn broken(peer: &Peer, why: &str) -> NotifyError {
    NotifyError::Broken { to: peer.to_string(), why: why.to_string(), uncertain: false }
}

fn expect(reply: String, code: &str, peer: &Peer) -> Result<String, NotifyError> {
    if reply.starts_with(code) {
        return Ok(reply);
    }
    let answer = shown(&reply);
    Err(NotifyError::Refused { to: peer.to_string(), step: "begin TLS", answer, again: true, wait_ms: None })
}

/// One whole reply and not a byte more: what a stranger slips in behind it would be taken for said under TLS.
async fn read_reply(stream: &mut TcpStream, peer: &Peer) -> Result<String, NotifyError> {
    let strange = |why: &str| NotifyError::Strange { to: peer.to_string(), why: why.to_string() };
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let mut piece = [0u8; 512];
        let count = stream.read(&mut piece).await.map_err(|error| broken(peer, &error.to_string()))?;
        if count == 0 {
            return Err(broken(peer, "it ended"));
        }
        bytes.extend(piece.iter().take(count));
        if bytes.len() > limits::SMTP_REPLY_BYTES_MAX {
            return Err(strange("a reply without end"));
        }
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let mut ends = text.split_inclusive("\r\n").scan(0, |end, line| {
            *end += line.len();
            Some((*end, line))
        });
        let last = |line: &str| line.ends_with("\r\n") && line.get(3..4) != Some("-");
        if let Some((end, _)) = ends.find(|(_, line)| last(line)) {
            let whole = end == bytes.len();
            return if whole { Ok(text.to_string()) } else { Err(strange("more than its reply")) };
        }
    }
}
