//! `serve` from outside: the real binary behind real sockets, its certificate, its signals, its limits.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use rustix::process::Signal;

use super::support::Place;
use super::support::served::Served;

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

/// Most clients send head and body apart. Refused in between, the next request of the connection was lost.
#[test]
fn a_body_that_comes_after_its_refusal_does_not_end_the_connection() {
    let served = Served::start(Place::with_home());
    let mut tls = served.tls();
    for _ in 0..3 {
        write!(tls, "POST /v1/keys HTTP/1.1\r\nhost: localhost\r\ncontent-length: 11\r\n\r\n").unwrap();
        let (head, _) = response(&mut tls);
        assert!(head.starts_with("http/1.1 401") && !head.contains("connection: close"), "{head}");
        tls.write_all(b"GET / HTTP/").unwrap();
        assert!(ask(&mut tls, "/livez").0.starts_with("http/1.1 200"));
    }
    write!(tls, "POST /v1/keys HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n").unwrap();
    assert!(response(&mut tls).0.contains("connection: close"));
    served.signal(Signal::TERM);
    served.ended();
}

/// Behind an answer a broken head was once refused without a word of ours.
#[test]
fn a_broken_head_behind_a_good_request_is_a_problem_as_well() {
    let served = Served::start(Place::with_home());
    let mut admin = served.socket("admin.sock");
    write!(admin, "GET /livez HTTP/1.1\r\nhost: x\r\n\r\nNONSENSE\r\n\r\n").unwrap();
    assert!(response(&mut admin).0.starts_with("http/1.1 200"));
    let (head, body) = response(&mut admin);
    assert!(head.starts_with("http/1.1 400") && body.contains("http.syntax"), "{head}{body}");
    served.signal(Signal::TERM);
    served.ended();
}

#[test]
fn two_hosts_and_none_are_refused() {
    let served = Served::start(Place::with_home());
    for hosts in ["", "host: a\r\nhost: b\r\n", "host: a b\r\n"] {
        let mut tls = served.tls();
        write!(tls, "GET /livez HTTP/1.1\r\n{hosts}\r\n").unwrap();
        let (head, body) = response(&mut tls);
        assert!(head.starts_with("http/1.1 400") && body.contains("http.header"), "{hosts:?}: {head}{body}");
    }
    served.signal(Signal::TERM);
    served.ended();
}

#[test]
fn a_broken_head_is_a_problem_too_and_the_log_never_has_a_query() {
    let served = Served::start(Place::with_home());
    for (sent, status) in [
        ("NONSENSE\r\n\r\n".to_string(), 400),
        (format!("GET /v1/whoami HTTP/1.1\r\nhost: x\r\nbig: {}\r\n\r\n", "a".repeat(100_000)), 431),
        (format!("GET /v1/whoami HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(150)), 431),
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
