//! Who asks, told from what they bring: a token, or the uid at the other end of a socket.
//! Never says which part of a credential was wrong.

use std::sync::Mutex;

use crate::app::home::{self, App};
use crate::base::fact::{Class, Fact, Failure};
use crate::security::actor::{Person, Role};
use crate::security::throttle::Throttle;

pub mod counter;
pub mod keys;
pub mod sessions;
pub mod users;

/// A socket of this machine; each is bound to one kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LocalSocket {
    Admin,
    Sync,
    Worker,
    Backup,
}

impl LocalSocket {
    pub const ALL: [Self; 4] = [Self::Admin, Self::Sync, Self::Worker, Self::Backup];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Sync => "sync",
            Self::Worker => "worker",
            Self::Backup => "backup",
        }
    }
}

/// Who the system says is at the other end of a local socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub socket: LocalSocket,
    pub uid: u32,
}

impl Peer {
    /// Whether this is the home's owner at the socket that is theirs.
    pub fn owns_home(&self) -> bool {
        self.socket == LocalSocket::Admin && is_trusted(self.uid)
    }
}

/// The server's own user, who may read its files, and root, who may read all.
fn is_trusted(uid: u32) -> bool {
    uid == 0 || uid == rustix::process::getuid().as_raw()
}

/// What a caller brings.
pub enum Credentials<'a> {
    Bearer(&'a str),
    Peer(Peer),
}

#[derive(Debug, thiserror::Error)]
pub enum WhoError {
    #[error("who asks could not be told: the credentials are missing, wrong or no longer valid")]
    Unauthenticated,
    #[error("uid {uid} may not use the {} socket", socket.as_str())]
    OtherUser { uid: u32, socket: LocalSocket },
    #[error("the name or the password is wrong, or the account is locked")]
    WrongLogin,
    #[error("{waiting} logins wait already, which is the limit")]
    Busy { waiting: usize },
}

impl Fact for WhoError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "security.unauthenticated",
            Self::OtherUser { .. } => "security.other_user",
            Self::WrongLogin => "security.wrong_login",
            Self::Busy { .. } => "security.busy",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Busy { .. } => Class::Unavailable,
            _ => Class::Permission,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Unauthenticated => {
                Some("Send `Authorization: Bearer KEY` with a valid key or session.".into())
            }
            Self::OtherUser { .. } => Some("Ask as the user the server runs as.".into()),
            Self::WrongLogin => Some("Try again, or ask an admin to set a new password.".into()),
            Self::Busy { .. } => Some("Try again in a moment.".into()),
        }
    }
}

/// What telling people apart needs beside the store: who is logged in, which keys were seen, who failed how often.
#[derive(Default)]
pub struct Gatehouse {
    sessions: sessions::Sessions,
    counter: counter::CounterSessions,
    keys: keys::KnownKeys,
    throttle: Mutex<Throttle>,
    hashing: sessions::Turns,
}

/// The person behind the credentials. Asked before every request, so that it reads a row at most.
pub fn authenticate(app: &App, credentials: &Credentials<'_>) -> Result<Person, Failure> {
    match credentials {
        Credentials::Bearer(token) if token.starts_with("tss_") => sessions::find_person(app, token),
        Credentials::Bearer(token) => keys::find_person(app, token),
        Credentials::Peer(peer) => at_socket(*peer),
    }
}

/// Only the server's own user and root come in by a socket; which socket says as what.
fn at_socket(peer: Peer) -> Result<Person, Failure> {
    let Peer { socket, uid } = peer;
    if !is_trusted(uid) {
        return Err(WhoError::OtherUser { uid, socket }.into());
    }
    let role = match socket {
        LocalSocket::Admin => return Ok(Person::owner(&home::user_name(uid))?),
        LocalSocket::Sync => Role::Sync,
        LocalSocket::Worker => Role::Worker,
        LocalSocket::Backup => Role::Backup,
    };
    Ok(Person::of(socket.as_str(), &[role])?)
}
