//! How a command reaches whoever has the home: a server named by its address, the server of this machine's home,
//! or, where none runs, the same router inside this process. And what a server says of itself.
//! Never takes another server than the one that was named.

pub mod orders;
pub mod pages;
pub mod server;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::app::home::{self, App};
use crate::base::clock::SystemClock;
use crate::base::fact::{Class, Fact, Failure};
use crate::cli::Invocation;
use crate::client::call::Client;
use crate::client::error::ClientError;
use crate::client::pin::Anchor;
use crate::client::remote::{Address, Remote, read_token};
use crate::http::metrics::Figures;
use crate::http::routes::ROUTES;
use crate::http::server::Server;

/// A server over the network, and how it and the caller are known.
#[derive(Args, Clone, Debug, Default)]
pub struct RemoteArguments {
    /// Ask this server instead of the home of this machine: https://HOST:PORT
    #[arg(long, global = true, value_name = "URL", env = "TALLYSTICK_URL", help_heading = "Another server")]
    url: Option<String>,
    /// A file with an API key or a session's token
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "TALLYSTICK_KEY_FILE",
        help_heading = "Another server"
    )]
    key_file: Option<PathBuf>,
    /// SHA-256 of the certificate the server must show: AB:CD:..
    #[arg(
        long,
        global = true,
        value_name = "SHA256",
        env = "TALLYSTICK_FINGERPRINT",
        help_heading = "Another server"
    )]
    fingerprint: Option<String>,
    /// Instead of a fingerprint: the certificates of the authority that signed the server's, in PEM
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "TALLYSTICK_CA_FILE",
        help_heading = "Another server"
    )]
    ca_file: Option<PathBuf>,
}

impl RemoteArguments {
    fn open(&self) -> Result<Option<Remote>, ClientError> {
        let Some(url) = self.url.as_deref().filter(|url| !url.is_empty()) else { return Ok(None) };
        let address = Address::parse(url)?;
        let anchor = match (&self.fingerprint, &self.ca_file) {
            (Some(text), _) => Anchor::parse(text)?,
            (None, Some(path)) => Anchor::read(path)?,
            (None, None) => return Err(ClientError::NoAnchor),
        };
        let path = self.key_file.as_deref().ok_or_else(|| ClientError::NoKey { to: address.to_string() })?;
        Ok(Some(Remote { address, anchor, token: read_token(path)? }))
    }

    fn is_given(&self) -> bool {
        self.url.as_ref().is_some_and(|url| !url.is_empty())
    }
}

/// Why a command that needs the home itself cannot have it.
#[derive(Debug, thiserror::Error)]
enum Elsewhere {
    #[error("this command works on the files of a home and cannot be asked of another server")]
    Remote,
    #[error("{message}, which serves it")]
    Served { message: String },
}

impl Fact for Elsewhere {
    fn code(&self) -> &'static str {
        match self {
            Self::Remote => "home.elsewhere",
            Self::Served { .. } => "store.in_use",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Remote => Class::Usage,
            Self::Served { .. } => Class::Unavailable,
        }
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::Remote => {
                "Run it on the server's own machine, or leave out --url (and TALLYSTICK_URL) for this one's home."
            }
            Self::Served { .. } => {
                "This command needs the home for itself: stop the server (SIGTERM to that process), run it, start the server again."
            }
        };
        Some(step.to_string())
    }
}

impl Invocation {
    pub fn home_folder(&self) -> Result<PathBuf, Failure> {
        home::folder(self.home.as_deref())
    }

    /// Opens the home, which this process then owns, as the person at this terminal.
    pub fn app(&self) -> Result<App, Failure> {
        if self.remote.is_given() {
            return Err(Elsewhere::Remote.into());
        }
        let folder = self.home_folder()?;
        open(&folder).map_err(|error| match error.code() {
            "store.in_use" if find_server(&folder).is_some() => {
                Elsewhere::Served { message: error.to_string() }.into()
            }
            _ => error,
        })
    }

    /// A way to whoever has the home.
    pub fn client(&self) -> Result<Client, Failure> {
        match self.reach()? {
            Reached::There(client) => Ok(client),
            Reached::Here { server, app } => Ok(Client::inside(server, app.person().clone())?),
        }
    }

    /// The same, for a command that also does what a server would have a worker do.
    pub fn reach(&self) -> Result<Reached, Failure> {
        if let Some(remote) = self.remote.open()? {
            return Ok(Reached::There(Client::at(remote)?));
        }
        let folder = self.home_folder()?;
        if let Some(client) = find_server(&folder) {
            return Ok(Reached::There(client));
        }
        let app = match open(&folder) {
            Ok(app) => app,
            // A server that was just being started answers by now.
            Err(error) if error.code() == "store.in_use" => {
                return find_server(&folder).map(Reached::There).ok_or(error);
            }
            Err(error) => return Err(error),
        };
        let server = Server::new(&app, Figures::local(ROUTES))?;
        Ok(Reached::Here { server, app })
    }
}

/// Whoever has the home: a server, or this process.
pub enum Reached {
    There(Client),
    Here { server: Arc<Server>, app: App },
}

fn open(folder: &Path) -> Result<App, Failure> {
    App::open(folder, home::local_person()?, Box::new(SystemClock))
}

/// The server of a home, where one answers. A socket that nobody listens at was left by one that is gone.
fn find_server(home: &Path) -> Option<Client> {
    let socket = home.join("run").join("admin.sock");
    socket.exists().then(|| Client::at_socket(&socket).ok()).flatten()
}
