//! Each form as its receiver would read it.

use serde_json::Value;

use crate::alert::limits;
use crate::alert::message::{Content, Origin, write};
use crate::alert::queue::{Parcel, Queue};
use crate::alert::raised::{Detail, Kind, RawAlert, Severity, Subject};
use crate::alert::settings::AlertSettings;
use crate::alert::settings::channel::{Channel, RawChannel};

fn channel(keys: &str) -> Channel {
    toml::from_str::<RawChannel>(&format!("name = \"c\"\n{keys}")).unwrap().check().unwrap()
}

fn hook(shape: &str) -> Channel {
    channel(&format!("type = \"webhook\"\nurl = \"https://hooks.example/x\"\nshape = \"{shape}\""))
}

fn raw(n: usize, text: &str) -> RawAlert {
    RawAlert {
        id: format!("a{n:03}"),
        key: format!("k{n}"),
        kind: Kind::Drift,
        severity: if n == 1 { Severity::Critical } else { Severity::Warning },
        subject: Subject { project: Some("loans".into()), model: Some("pd".into()), chain: None },
        title: text.to_string(),
        sentences: vec!["PSI is 0.31; the limit is 0.25.".to_string()],
        details: vec![Detail { name: "psi_of_*income*".into(), value: "<0.31 & more>".into() }],
        link: Some("/models/pd?day=1".into()),
    }
}

fn message(channel: &Channel, alerts: Vec<RawAlert>, may_repeat: bool) -> Content {
    let mut queue = Queue::default();
    let ids: Vec<String> = alerts.iter().map(|alert| alert.id.clone()).collect();
    for alert in alerts {
        queue.raise(&AlertSettings::default(), alert, 1_773_478_800_123).unwrap();
    }
    let digest = ids.len() > 1;
    let parcel = Parcel { id: "0123".repeat(8), channel: "c".into(), alerts: ids, digest, may_repeat };
    let pages = Some("https://box.bank.example".to_string());
    let origin = Origin { host: "box 1".into(), branch: "0421".into(), pages };
    write(&queue, &parcel, channel, &origin, 1_773_482_400_000).unwrap().content
}

fn json(content: Content) -> (Value, usize) {
    let Content::Hook(bytes) = content else { panic!("{content:?}") };
    (serde_json::from_slice(&bytes).unwrap(), bytes.len())
}

const MAIL: &str = "type = \"smtp\"\nhost = \"m\"\nfrom = \"a@b\"\nto = [\"c@d\"]";

#[test]
fn a_mail_says_what_happened_to_what_and_where_to_read_on() {
    let content = message(&channel(MAIL), vec![raw(1, "income has shifted")], false);
    let Content::Mail { subject, plain, html, urgent } = content else { panic!() };
    assert_eq!((subject.as_str(), urgent), ("[critical] income has shifted (branch 0421, box 1)", true));
    let expected = "CRITICAL: income has shifted\r\nproject loans, model pd\r\nPSI is 0.31; the limit is 0.25.\r\n  \
        psi_of_*income*: <0.31 & more>\r\nRaised 2026-03-14 09:00:00 UTC.\r\nhttps://box.bank.example/models/pd?day=1\r\n\r\n-- \r\n\
        Tallystick, branch 0421, box 1. Message 01230123012301230123012301230123, 2026-03-14 10:00:00 UTC.\r\n";
    assert_eq!(plain, expected);
    assert!(html.contains("<td>&lt;0.31 &amp; more&gt;</td>") && !html.contains("<0.31"));
}

#[test]
fn a_message_that_may_have_arrived_says_so_in_every_form() {
    for channel in [
        channel(MAIL),
        hook("slack"),
        hook("teams"),
        hook("plain"),
        channel("type = \"file\"\npath = \"x\""),
        channel("type = \"syslog\"\npath = \"/dev/log\""),
    ] {
        let shown = |may_repeat| match message(&channel, vec![raw(1, "t")], may_repeat) {
            Content::Hook(bytes) => String::from_utf8(bytes).unwrap(),
            Content::Mail { plain, html, .. } => plain + &html,
            Content::Syslog(lines) | Content::Lines(lines) => lines.join("\n"),
        };
        let says = |text: String| text.contains("arrived before") || text.contains("\"may_repeat\":true");
        assert!(says(shown(true)) && !says(shown(false)), "{channel:?}");
    }
}

#[test]
fn slack_gets_blocks_within_its_limits_and_a_text_it_reads_as_no_markup() {
    let (body, _) = json(message(&hook("slack"), vec![raw(1, "<!channel> & x")], false));
    assert_eq!(body["text"], "[critical] &lt;!channel&gt; &amp; x (branch 0421, box 1)");
    assert_eq!(body["blocks"][0]["text"]["text"], "[critical] <!channel> & x (branch 0421, box 1)");
    let many = (0..100).map(|n| raw(n, &"x".repeat(200))).collect();
    let (body, _) = json(message(&hook("slack"), many, true));
    let blocks = body["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50, "{}", blocks.len());
    for block in blocks {
        let text = block["text"]["text"].as_str().unwrap_or_default();
        assert!(text.chars().count() <= 3_000);
        assert!(block["text"]["type"] == "plain_text" || block["type"] == "context");
    }
    assert!(blocks.last().unwrap().to_string().contains("57 more are on the server"));
}

#[test]
fn teams_gets_a_card_that_fits_and_shows_names_as_they_are() {
    let (body, _) = json(message(&hook("teams"), vec![raw(1, "t")], false));
    let attachment = &body["attachments"][0];
    assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
    let card = &attachment["content"];
    assert_eq!((&card["type"], &card["version"]), (&Value::from("AdaptiveCard"), &Value::from("1.4")));
    assert_eq!(card["actions"][0]["url"], "https://box.bank.example/models/pd?day=1");
    assert!(card["body"].to_string().contains("psi_of_*income*"));
    assert!(card["body"].as_array().unwrap().iter().all(|block| block["type"] == "RichTextBlock"));
    let long = RawAlert { sentences: vec!["€".repeat(1_000); 40], ..raw(1, "t") };
    for alerts in [vec![long], (0..100).map(|n| raw(n, &"x".repeat(200))).collect()] {
        let (_, bytes) = json(message(&hook("teams"), alerts, true));
        assert!(bytes <= 28_000, "{bytes}");
    }
}

#[test]
fn a_syslog_line_has_its_header_and_its_limit() {
    let syslog = channel("type = \"syslog\"\naddress = \"log.example:514\"\nfacility = \"local0\"");
    let Content::Syslog(lines) = message(&syslog, vec![raw(1, "t")], false) else { panic!() };
    let head = "<130>1 2026-03-14T10:00:00.000Z box1 tallystick - drift - \u{feff}t (project loans, model pd) [id a001";
    assert!(lines[0].starts_with(head), "{}", lines[0]);
    let long = RawAlert { sentences: vec!["€".repeat(999); 9], ..raw(1, "t") };
    let Content::Syslog(lines) = message(&syslog, vec![long], false) else { panic!() };
    assert!(lines[0].len() <= limits::SYSLOG_LINE_BYTES_MAX && lines[0].len() > 2_000);
}

#[test]
fn a_digest_has_the_worst_first_and_a_line_of_the_file_for_each() {
    let file = channel("type = \"file\"\npath = \"x\"");
    let Content::Lines(lines) = message(&file, vec![raw(0, "zero"), raw(1, "one")], false) else { panic!() };
    let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["title"], &lines[1]["title"]), (&Value::from("one"), &Value::from("zero")));
    let Content::Mail { subject, .. } = message(&channel(MAIL), vec![raw(0, "zero"), raw(1, "one")], false)
    else {
        panic!()
    };
    assert_eq!(subject, "[critical] 2 alerts (branch 0421, box 1)");
}
