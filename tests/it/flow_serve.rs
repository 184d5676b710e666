//! `serve` from outside: the real binary behind real sockets, its certificate, its signals, its limits.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStderr, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::support::Place;

struct Served {
    process: Process,
    port: u16,
    fingerprint: String,
    place: Place,
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
    fn start(place: Place) -> Self {
        let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--log-level", "debug"]);
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

    fn tls(&self) -> StreamOwned<ClientConnection, TcpStream> {
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

    fn socket(&self, name: &str) -> UnixStream {
        UnixStream::connect(self.place.path("home/run").join(name)).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process.child), signal).unwrap();
    }

    /// Waits for the end, which must be a good one; answers what the log still said, and the home.
    fn ended(mut self) -> (String, Place) {
        let mut rest = String::new();
        self.process.log.read_to_string(&mut rest).unwrap();
        assert_eq!(self.process.child.wait().unwrap().code(), Some(0), "{rest}");
        (rest, self.place)
    }

    fn log_line(&mut self, holding: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.process.log.read_line(&mut line).unwrap() > 0, "the log ended before {holding:?}");
            if line.contains(holding) {
                return line;
            }
        }
    }
}

/// One response with a `content-length`, off a connection that may stay open.
fn response(stream: &mut impl Read) -> (String, String) {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "the connection ended after {head:?}");
    }
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    let mut body = vec![0; length.map_or(0, |text| text.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    (head, String::from_utf8(body).unwrap())
}

fn ask(stream: &mut (impl Read + Write), path: &str) -> (String, String) {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    response(stream)
}

#[test]
fn the_first_start_makes_a_certificate_that_the_next_one_keeps() {
    let served = Served::start(Place::with_home());
    let (head, body) = ask(&mut served.tls(), "/livez");
    assert!(head.starts_with("http/1.1 200") && body.contains(r#""status":"ok""#), "{head}{body}");
    let fingerprint = served.fingerprint.clone();
    assert_eq!(fingerprint.split(':').count(), 32, "{fingerprint}");
    served.signal(Signal::TERM);
    let (_, place) = served.ended();
    assert!(place.log("kind").contains(&"certificate_installed".to_string()));
    let again = Served::start(place);
    assert_eq!(again.fingerprint, fingerprint);
    again.signal(Signal::TERM);
    again.ended();
}

#[test]
fn each_socket_says_who_is_behind_it_and_all_are_gone_afterwards() {
    let served = Served::start(Place::with_home());
    for (name, role) in [("admin.sock", "admin"), ("sync.sock", "sync"), ("worker.sock", "worker")] {
        let (_, body) = ask(&mut served.socket(name), "/v1/whoami");
        assert!(body.contains(&format!("\"{role}\"")), "{name}: {body}");
    }
    let sockets = |place: &Place| {
        let entries = std::fs::read_dir(place.path("home/run")).unwrap().map(Result::unwrap);
        entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".sock")).count()
    };
    assert_eq!(sockets(&served.place), 4);
    served.signal(Signal::INT);
    let (_, place) = served.ended();
    assert_eq!(sockets(&place), 0);
}

#[test]
fn a_request_in_flight_is_answered_and_told_that_the_connection_closes() {
    let mut served = Served::start(Place::with_home());
    let mut admin = served.socket("admin.sock");
    let body = r#"{"name": "scraper", "role": "metrics"}"#;
    let (first, rest) = body.split_at(10);
    write!(
        admin,
        "POST /v1/keys HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{first}",
        body.len()
    )
    .unwrap();
    // Another connection that never asks does not hold the end up.
    let _silent = served.tls();
    let _also = TcpStream::connect(("127.0.0.1", served.port)).unwrap();
    assert!(ask(&mut served.tls(), "/livez").0.starts_with("http/1.1 200"));
    served.signal(Signal::TERM);
    served.log_line("stopping");
    admin.write_all(rest.as_bytes()).unwrap();
    let (head, made) = response(&mut admin);
    assert!(head.starts_with("http/1.1 201") && head.contains("connection: close"), "{head}{made}");
    let port = served.port;
    served.ended();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_hangup_takes_a_new_certificate_and_keeps_the_old_one_where_the_new_is_bad() {
    let other = Served::start(Place::with_home());
    other.signal(Signal::TERM);
    let (_, copy) = other.ended();
    let mut served = Served::start(Place::with_home());
    let file = |place: &Place, name: &str| place.path("home/keys").join(name);
    for name in ["tls.key", "tls.crt"] {
        std::fs::copy(file(&copy, name), file(&served.place, name)).unwrap();
    }
    served.signal(Signal::HUP);
    assert!(!served.log_line("certificate was read again").contains(&served.fingerprint));
    assert!(ask(&mut served.tls(), "/livez").0.starts_with("http/1.1 200"));
    let good = std::fs::read(file(&served.place, "tls.crt")).unwrap();
    std::fs::write(file(&served.place, "tls.crt"), "no certificate").unwrap();
    served.signal(Signal::HUP);
    served.log_line("the old one stays in use");
    std::fs::write(file(&served.place, "tls.crt"), good).unwrap();
    assert!(ask(&mut served.tls(), "/livez").0.starts_with("http/1.1 200"));
    served.signal(Signal::TERM);
    served.ended();
}

#[test]
fn a_broken_head_is_a_problem_too_and_the_log_never_has_a_query() {
    let served = Served::start(Place::with_home());
    for (sent, status) in [
        ("NONSENSE\r\n\r\n".to_string(), 400),
        (format!("GET / HTTP/1.1\r\nhost: x\r\nbig: {}\r\n\r\n", "a".repeat(100_000)), 431),
        (format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(150)), 431),
    ] {
        let mut socket = served.socket("admin.sock");
        // The server may answer and close before it has read all of it.
        let _ = socket.write_all(sent.as_bytes());
        let (head, body) = response(&mut socket);
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{head}");
        assert!(head.contains("application/problem+json") && head.contains("x-correlation-id"), "{head}");
        assert!(body.contains(&format!("\"status\":{status}")), "{body}");
    }
    ask(&mut served.socket("admin.sock"), "/v1/models?name=Mustermann");
    served.signal(Signal::TERM);
    let (log, _) = served.ended();
    assert!(log.contains("http.query") && !log.contains("Mustermann"), "{log}");
}

#[test]
fn a_home_that_is_served_is_served_by_one() {
    let served = Served::start(Place::with_home());
    let error = served.place.refused(7, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(error["code"], "store.in_use");
    served.signal(Signal::TERM);
    served.ended();
}
