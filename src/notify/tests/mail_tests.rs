//! Mails against a server that refuses, hangs, lies and goes away.

use crate::alert::message::write;
use crate::alert::queue::Queue;
use crate::base::fact::Fact;
use crate::notify::error::NotifyError;
use crate::notify::tests::mail_server::{MailServer, Mood, Tls};
use crate::notify::tests::{Certificate, channel, ground, message, origin, raw, secret_file, settings};
use crate::notify::{Delivered, Ground, deliver};

fn keys(port: u16, security: &str) -> String {
    format!(
        "type = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"{security}\"\n\
         from = \"box@bank.example\"\nto = [\"risk@bank.example\", \"it@bank.example\"]"
    )
}

async fn send(keys: &str, ground: &Ground) -> Result<Delivered, NotifyError> {
    let channel = channel(keys);
    deliver(&channel, &message(&channel, false), ground).await
}

fn header<'a>(mail: &'a str, name: &str) -> Option<&'a str> {
    mail.split("\r\n\r\n").next()?.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn a_mail_arrives_whole_with_its_id_and_in_ascii() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start(vec![Mood::Willing], Tls::None, &Certificate::new()).await;
    let keys = keys(server.port, "none");
    let sent = send(&keys, &ground(folder.path())).await.unwrap();
    assert_eq!(sent, Delivered { confirmed: true, note: None });
    let mail = server.mails().remove(0);
    let id = message(&channel(&keys), false).id;
    assert_eq!(header(&mail, "Message-ID"), Some(format!("<{id}.tallystick@bank.example>").as_str()));
    assert_eq!(header(&mail, "Date"), Some("Sat, 14 Mar 2026 09:00:00 +0000"));
    assert_eq!(header(&mail, "Auto-Submitted"), Some("auto-generated"));
    assert_eq!(header(&mail, "X-Tallystick-May-Repeat"), None);
    assert!(mail.is_ascii() && mail.lines().all(|line| line.len() <= 998));
    assert!(mail.contains("text/plain") && mail.contains("text/html"));
    assert!(server.said().contains("RCPT TO:<risk@bank.example>"));
    assert!(server.said().contains("RCPT TO:<it@bank.example>"));
}

#[tokio::test]
async fn both_ways_to_tls_hide_everything_and_the_password_opens() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::new();
    let password = secret_file(folder.path(), "password", "s3cret\n");
    let login = format!("user = \"box\"\npassword_file = \"{password}\"");
    let authority = format!("ca_file = \"{}\"", certificate.save(folder.path()));
    let pin = format!("fingerprint = \"{}\"", certificate.fingerprint());
    for (tls, word) in [(Tls::Starttls, "starttls"), (Tls::AtOnce, "tls")] {
        for trust in [&authority, &pin] {
            let server = MailServer::start(vec![Mood::Willing], tls, &certificate).await;
            let keys = format!("{}\n{login}\n{trust}", keys(server.port, word));
            send(&keys, &ground(folder.path())).await.unwrap();
            assert_eq!(server.mails().len(), 1);
            let said = server.said();
            let (before, after) = said.split_once("TLS\nEHLO").or(said.split_once("TLS\n")).unwrap();
            assert!(!before.contains("AUTH") && !before.contains("RCPT"), "{before}");
            assert!(after.contains("AUTH PLAIN"), "{after}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_the_one_that_was_meant_hears_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (meant, other) = (Certificate::new(), Certificate::new());
    let authority = format!("ca_file = \"{}\"", meant.save(folder.path()));
    let pin = format!("fingerprint = \"{}\"", meant.fingerprint());
    for (trust, code) in [(&authority, "notify.tls"), (&pin, "notify.other_server")] {
        let server = MailServer::start(vec![Mood::Willing], Tls::AtOnce, &other).await;
        let failed = send(&format!("{}\n{trust}", keys(server.port, "tls")), &ground(folder.path())).await;
        let failed = failed.unwrap_err();
        assert_eq!((failed.code(), failed.again(), failed.uncertain()), (code, true, false), "{failed}");
        assert_eq!(server.said(), "");
    }
}

/// Whoever sits in between takes the offer of TLS out of the answer, or slips an answer of its own in behind it.
#[tokio::test]
async fn without_tls_that_was_wanted_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = Certificate::new();
    let pin = format!("fingerprint = \"{}\"", certificate.fingerprint());
    for (tls, mood, code) in [
        (Tls::None, Mood::Willing, "notify.no_starttls"),
        (Tls::Starttls, Mood::ForgedReply, "notify.strange"),
    ] {
        let server = MailServer::start(vec![mood], tls, &certificate).await;
        let keys = format!("{}\n{pin}", keys(server.port, "starttls"));
        assert_eq!(send(&keys, &ground(folder.path())).await.unwrap_err().code(), code);
        assert!(!server.said().contains("MAIL"), "{}", server.said());
    }
}

#[tokio::test]
async fn a_refusal_says_whether_trying_again_can_help() {
    let folder = tempfile::tempdir().unwrap();
    let ground = ground(folder.path());
    let moods = vec![Mood::Later, Mood::RefuseMail, Mood::OnlyRisk];
    let server = MailServer::start(moods, Tls::None, &Certificate::new()).await;
    let keys = keys(server.port, "none");
    let later = send(&keys, &ground).await.unwrap_err();
    assert!(later.again() && !later.uncertain() && later.to_string().contains("come back later"), "{later}");
    let refused = send(&keys, &ground).await.unwrap_err();
    assert!(!refused.again() && !refused.uncertain(), "{refused}");
    let some = send(&keys, &ground).await.unwrap();
    assert!(some.note.unwrap().contains("it@bank.example"));
    assert_eq!(server.mails().len(), 1);
    let gone = send(&keys, &ground).await.unwrap_err();
    assert!(gone.again(), "{gone}");
}

#[tokio::test]
async fn a_wrong_password_may_be_put_right_and_is_shown_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let password = secret_file(folder.path(), "password", "wr0ng-one");
    let server = MailServer::start(vec![Mood::Willing], Tls::None, &Certificate::new()).await;
    let keys = format!("{}\nuser = \"box\"\npassword_file = \"{password}\"", keys(server.port, "none"));
    let failed = send(&keys, &ground(folder.path())).await.unwrap_err();
    assert!(failed.again() && failed.code() == "notify.refused", "{failed}");
    assert!(!format!("{failed} {failed:?}").contains("wr0ng"));
}

#[tokio::test]
async fn a_server_that_hangs_or_never_ends_is_left_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start(vec![Mood::Silent, Mood::Endless], Tls::None, &Certificate::new()).await;
    let keys = keys(server.port, "none");
    let short = Ground { whole_ms: 200, ..ground(folder.path()) };
    let hung = send(&keys, &short).await.unwrap_err();
    assert!(matches!(hung, NotifyError::Timeout { uncertain: false, .. }), "{hung}");
    let endless = send(&keys, &ground(folder.path())).await.unwrap_err();
    assert!(endless.to_string().contains("more than is read"), "{endless}");
}

/// Sends what is due as the server will do it: written down, sent, noted.
async fn round(queue: &mut Queue, keys: &str, ground: &Ground, now_ms: i64) {
    let settings = settings(keys);
    for due in queue.due(&settings, now_ms) {
        let parcel = queue.note_sending(&due.id).unwrap();
        let channel = settings.find_channel(&parcel.channel).unwrap();
        let message = write(queue, &parcel, channel, &origin(), now_ms).unwrap();
        match deliver(channel, &message, ground).await {
            Ok(_) => queue.note_sent(&settings, &parcel.id, now_ms).unwrap(),
            Err(error) => queue.note_failed(&settings, &parcel.id, &error.miss(), now_ms).map(drop).unwrap(),
        }
    }
}

#[tokio::test]
async fn a_mail_server_that_is_away_for_an_hour_gets_the_alert_once_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let ground = ground(folder.path());
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (mut queue, mut now) = (Queue::default(), 0);
    queue.raise(&settings(&keys(away, "none")), raw("a"), now).unwrap();
    let mut attempts = 0;
    while now < 3_600_000 {
        round(&mut queue, &keys(away, "none"), &ground, now).await;
        now = queue.next_ms(&settings(&keys(away, "none"))).unwrap();
        attempts += 1;
    }
    assert_eq!(attempts, 7);
    let server = MailServer::start(vec![Mood::Willing; 9], Tls::None, &Certificate::new()).await;
    for later in 0..5 {
        round(&mut queue, &keys(server.port, "none"), &ground, now + later * 3_600_000).await;
    }
    assert_eq!(server.mails().len(), 1);
}

/// The one case that SMTP leaves open: the mail was taken, and the answer that says so never came.
#[tokio::test]
async fn a_mail_whose_answer_was_cut_off_comes_again_under_its_id_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let ground = ground(folder.path());
    let moods = vec![Mood::CutAfterMail, Mood::Willing, Mood::Willing];
    let server = MailServer::start(moods, Tls::None, &Certificate::new()).await;
    let keys = keys(server.port, "none");
    let mut queue = Queue::default();
    queue.raise(&settings(&keys), raw("a"), 0).unwrap();
    for now in [0, 60_000, 120_000] {
        round(&mut queue, &keys, &ground, now).await;
    }
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(header(&mails[0], "Message-ID"), header(&mails[1], "Message-ID"));
    let may_repeat = |mail| header(mail, "X-Tallystick-May-Repeat");
    assert_eq!((may_repeat(&mails[0]), may_repeat(&mails[1])), (None, Some("yes")));
}
