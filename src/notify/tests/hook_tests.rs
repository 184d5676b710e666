//! Webhooks against a receiver that fails as receivers do.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::base::fact::Fact;
use crate::notify::error::NotifyError;
use crate::notify::tests::{Certificate, acceptor, channel, ground, message, secret_file};
use crate::notify::{Delivered, Ground, deliver};

/// What it answers to one request each: bytes, or nothing and the line stays open.
type Answers = Vec<Option<Vec<u8>>>;

struct Receiver {
    port: u16,
    got: Arc<Mutex<Vec<String>>>,
}

async fn receiver(answers: Answers, certificate: Option<&Certificate>) -> Receiver {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let got = Arc::new(Mutex::new(Vec::new()));
    let (of_server, acceptor) = (Arc::clone(&got), certificate.map(acceptor));
    tokio::spawn(async move {
        for answer in answers {
            let (stream, _) = listener.accept().await.unwrap();
            match &acceptor {
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => drop(converse(stream, answer, &of_server).await),
                    Err(_) => continue,
                },
                None => drop(converse(stream, answer, &of_server).await),
            }
        }
    });
    Receiver { port, got }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    answer: Option<Vec<u8>>,
    got: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0u8; 4096];
        let count = stream.read(&mut piece).await?;
        bytes.extend(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= length.unwrap().parse().unwrap() {
            got.lock().unwrap().push(text);
            break;
        }
    }
    match answer {
        Some(answer) => stream.write_all(&answer).await?,
        None => std::future::pending().await,
    }
    stream.shutdown().await
}

fn answer(status: &str, more: &str) -> Option<Vec<u8>> {
    Some(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n{more}\r\n").into_bytes())
}

fn keys(port: u16, scheme: &str) -> String {
    format!(
        "type = \"webhook\"\nshape = \"plain\"\nurl = \"{scheme}://127.0.0.1:{port}/hooks/PATHSECRET?k=1\""
    )
}

async fn send(keys: &str, ground: &Ground) -> Result<Delivered, NotifyError> {
    let channel = channel(keys);
    deliver(&channel, &message(&channel, false), ground).await
}

#[tokio::test]
async fn a_receiver_that_fails_once_gets_the_same_id_twice() {
    let folder = tempfile::tempdir().unwrap();
    let ground = ground(folder.path());
    let busy = answer("503 Busy", "retry-after: 120\r\n");
    let server = receiver(vec![answer("500 No", ""), busy, answer("202 Accepted", "")], None).await;
    let keys = keys(server.port, "http");
    let first = send(&keys, &ground).await.unwrap_err();
    assert!(first.again() && !first.uncertain(), "{first}");
    assert_eq!(send(&keys, &ground).await.unwrap_err().miss().wait_ms, Some(120_000));
    send(&keys, &ground).await.unwrap();
    let got = server.got.lock().unwrap();
    let id = message(&channel(&keys), false).id;
    assert!(got.len() == 3 && got.iter().all(|text| text.contains(&format!("idempotency-key: {id}\r\n"))));
    assert!(got[0].starts_with("POST /hooks/PATHSECRET?k=1 HTTP/1.1\r\n"), "{}", got[0]);
    let body: serde_json::Value = serde_json::from_str(got[2].split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body["alerts"][0]["title"], "Einkommen hat sich verändert");
}

#[tokio::test]
async fn statuses_say_whether_trying_again_can_help() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("400 Bad", false, false),
        ("404 Gone", false, false),
        ("401 Who", true, false),
        ("429 Slow", true, false),
        ("502 Gateway", true, true),
    ];
    for (status, again, uncertain) in cases {
        let server = receiver(vec![answer(status, "")], None).await;
        let failed = send(&keys(server.port, "http"), &ground(folder.path())).await.unwrap_err();
        assert_eq!((failed.again(), failed.uncertain()), (again, uncertain), "{failed}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let other = receiver(vec![answer("200 OK", "")], None).await;
    let to = format!("location: http://127.0.0.1:{}/\r\n", other.port);
    let server = receiver(vec![answer("307 Elsewhere", &to)], None).await;
    let failed = send(&keys(server.port, "http"), &ground(folder.path())).await.unwrap_err();
    assert!(matches!(failed, NotifyError::Redirect { status: 307, .. }) && !failed.again());
    assert!(other.got.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_without_end_is_read_up_to_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let huge = |status: &str| {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: 1000000000\r\n\r\n");
        Some([head.into_bytes(), vec![b'x'; 8 << 20]].concat())
    };
    let head = Some([b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; 8 << 20]].concat());
    let server = receiver(vec![huge("200 OK"), huge("500 No"), head], None).await;
    let keys = keys(server.port, "http");
    send(&keys, &ground(folder.path())).await.unwrap();
    let refused = send(&keys, &ground(folder.path())).await.unwrap_err();
    assert!(refused.to_string().len() < 300, "{refused}");
    let endless = send(&keys, &ground(folder.path())).await.unwrap_err();
    assert!(matches!(endless, NotifyError::Broken { uncertain: true, .. }), "{endless}");
}

#[tokio::test]
async fn a_receiver_that_hangs_is_left_in_time_and_may_have_taken_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = receiver(vec![None], None).await;
    let short = Ground { whole_ms: 300, ..ground(folder.path()) };
    let hung = send(&keys(server.port, "http"), &short).await.unwrap_err();
    assert!(matches!(hung, NotifyError::Timeout { uncertain: true, .. }), "{hung}");
    assert_eq!(server.got.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn over_tls_only_the_server_that_was_meant_sees_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let (meant, other) = (Certificate::new(), Certificate::new());
    let token = secret_file(folder.path(), "token", "t0ken-value\n");
    let authority = format!("ca_file = \"{}\"", meant.save(folder.path()));
    let pin = format!("fingerprint = \"{}\"", meant.fingerprint());
    for (trust, header) in [(&authority, ""), (&pin, "header = \"X-Key\"")] {
        let more = format!("token_file = \"{token}\"\n{trust}\n{header}");
        let server = receiver(vec![answer("200 OK", "")], Some(&meant)).await;
        send(&format!("{}\n{more}", keys(server.port, "https")), &ground(folder.path())).await.unwrap();
        let got = server.got.lock().unwrap()[0].clone();
        let shown =
            if header.is_empty() { "authorization: Bearer t0ken-value" } else { "x-key: t0ken-value" };
        assert!(got.contains(shown), "{got}");
        let server = receiver(vec![answer("200 OK", "")], Some(&other)).await;
        let failed = send(&format!("{}\n{more}", keys(server.port, "https")), &ground(folder.path())).await;
        assert!(failed.unwrap_err().again());
        assert!(server.got.lock().unwrap().is_empty());
    }
}

/// A machine whose list of authorities does not have the one that signed; the list is read, not guessed.
#[tokio::test]
async fn without_a_named_authority_the_machines_own_list_counts() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::new();
    let list = certificate.save(folder.path());
    let server = receiver(vec![answer("200 OK", ""), answer("200 OK", "")], Some(&certificate)).await;
    let keys = keys(server.port, "https");
    let system = Ground { authorities: list.into(), ..ground(folder.path()) };
    send(&keys, &system).await.unwrap();
    let other = folder.path().join("other.pem");
    std::fs::write(&other, Certificate::new().pem).unwrap();
    let failed = send(&keys, &Ground { authorities: other, ..system.clone() }).await.unwrap_err();
    assert_eq!(failed.code(), "notify.tls", "{failed}");
    let none = Ground { authorities: folder.path().join("none.pem"), ..system };
    assert_eq!(send(&keys, &none).await.unwrap_err().code(), "file.missing");
}

/// A server that repeats the address it was asked at once put the secret in it into the log.
#[tokio::test]
async fn a_refusal_is_quoted_but_never_a_secret_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let body = |text: &str| {
        Some(format!("HTTP/1.1 400 Bad\r\ncontent-length: {}\r\n\r\n{text}", text.len()).into_bytes())
    };
    let server = receiver(vec![body("invalid_blocks"), body("no PATHSECRET here")], None).await;
    let keys = keys(server.port, "http");
    let explained = send(&keys, &ground(folder.path())).await.unwrap_err();
    assert!(explained.to_string().contains("invalid_blocks"), "{explained}");
    let hidden = send(&keys, &ground(folder.path())).await.unwrap_err();
    assert!(!format!("{hidden} {hidden:?}").contains("PATHSECRET"));
}

#[tokio::test]
async fn an_address_from_a_file_may_not_lead_over_a_network_without_tls() {
    let folder = tempfile::tempdir().unwrap();
    let server = receiver(vec![answer("200 OK", "")], None).await;
    let url = secret_file(folder.path(), "url", &format!("http://127.0.0.1:{}/x\n", server.port));
    let keys = format!("type = \"webhook\"\nshape = \"slack\"\nurl_file = \"{url}\"");
    send(&keys, &ground(folder.path())).await.unwrap();
    secret_file(folder.path(), "url", "http://hooks.example/x");
    assert_eq!(send(&keys, &ground(folder.path())).await.unwrap_err().code(), "notify.plain");
    secret_file(folder.path(), "url", "nonsense-SECRET");
    let failed = send(&keys, &ground(folder.path())).await.unwrap_err();
    assert!(failed.code() == "notify.bad_address" && !failed.to_string().contains("SECRET"));
}
