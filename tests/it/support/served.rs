//! The real binary as a server, started by a test and ended by its own process id.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStderr, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::Place;

/// A server that listens on a port of its own.
pub struct Served {
    process: Process,
    pub port: u16,
    pub fingerprint: String,
    pub place: Place,
}

/// The server's process; a test that fails does not leave it behind.
struct Process {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    pub fn start(place: Place) -> Self {
        Self::start_logging(place, "debug")
    }

    /// Logs so little that nobody has to read it.
    pub fn start_quietly(place: Place) -> Self {
        Self::start_logging(place, "error")
    }

    /// Works on no run itself.
    pub fn start_without_worker(place: Place) -> Self {
        Self::start_with(place, &["--log-level", "error", "--no-worker"])
    }

    pub fn id(&self) -> u32 {
        self.process.child.id()
    }

    /// Ends it as a power cut would; answers the home.
    pub fn kill(mut self) -> Place {
        self.process.child.kill().unwrap();
        self.process.child.wait().unwrap();
        self.place
    }

    fn start_logging(place: Place, level: &str) -> Self {
        Self::start_with(place, &["--log-level", level])
    }

    fn start_with(place: Place, more: &[&str]) -> Self {
        let words = [&["serve", "--listen", "127.0.0.1:0"], more].concat();
        let mut command = place.command(&words);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut said = |start: &str| loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "the server ended before it said {start:?}");
            if let Some(rest) = line.trim().strip_prefix(start) {
                return rest.to_string();
            }
        };
        let port = said("listening on https://127.0.0.1:").parse().unwrap();
        let fingerprint = said("certificate SHA-256 ");
        Self { process: Process { child, log }, port, fingerprint, place }
    }

    pub fn tls(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let pem = std::fs::read(self.place.path("home/keys/tls.crt")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        StreamOwned::new(connection, TcpStream::connect(("127.0.0.1", self.port)).unwrap())
    }

    pub fn socket(&self, name: &str) -> UnixStream {
        UnixStream::connect(self.place.path("home/run").join(name)).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process.child), signal).unwrap();
    }

    /// Waits for the end, which must be a good one; answers what the log still said, and the home.
    pub fn ended(mut self) -> (String, Place) {
        let mut rest = String::new();
        self.process.log.read_to_string(&mut rest).unwrap();
        assert_eq!(self.process.child.wait().unwrap().code(), Some(0), "{rest}");
        (rest, self.place)
    }

    pub fn log_line(&mut self, holding: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.process.log.read_line(&mut line).unwrap() > 0, "the log ended before {holding:?}");
            if line.contains(holding) {
                return line;
            }
        }
    }
}
