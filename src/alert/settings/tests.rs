//! `alerts.toml` as people write it, right and wrong.

use crate::alert::raised::{Kind, RawAlert, Severity, Subject};
use crate::alert::settings::channel::{Address, By, SecretAt, Security, Trust};
use crate::alert::settings::error::AlertSettingsError as Wrong;
use crate::alert::settings::{AlertSettings, RawAlertSettings};
use crate::base::fact::Fact;

const WHOLE: &str = r#"
timezone = "Europe/Berlin"
pages = "https://box.bank.example:8443/"

[[channel]]
name = "mail"
type = "smtp"
host = "mail.bank.example"
security = "starttls"
from = "box@bank.example"
to = ["risk@bank.example", "it@bank.example"]
user = "box"
password_file = "/etc/tallystick/mail.password"
ca_file = "/etc/tallystick/ca.pem"

[[channel]]
name = "chat"
type = "webhook"
url_file = "/etc/tallystick/chat.url"
shape = "slack"

[[channel]]
name = "log"
type = "syslog"
path = "/dev/log"

[[channel]]
name = "paper"
type = "file"
path = "alerts.log"

[[route]]
severity_at_least = "critical"
channels = ["mail", "chat"]
resend_after = "4h"

[[route]]
kinds = ["drift"]
projects = ["loans"]
channels = ["mail", "paper"]
digest = "09:00"
quiet = "7d"
"#;

fn check(text: &str) -> Result<AlertSettings, Wrong> {
    toml::from_str::<RawAlertSettings>(text).unwrap().check()
}

fn channel(keys: &str) -> Result<AlertSettings, Wrong> {
    check(&format!("[[channel]]\nname = \"c\"\n{keys}"))
}

fn raised(severity: Severity, kind: Kind, project: Option<&str>) -> crate::alert::raised::Alert {
    let subject = Subject { project: project.map(str::to_string), ..Subject::default() };
    let (id, key, title) = ("a".to_string(), "k".to_string(), "t".to_string());
    RawAlert { id, key, kind, severity, subject, title, sentences: vec![], details: vec![], link: None }
        .check(0)
        .unwrap()
}

#[test]
fn a_whole_file_is_read_with_its_defaults() {
    let settings = check(WHOLE).unwrap();
    assert_eq!(settings.pages(), Some("https://box.bank.example:8443"));
    let By::Smtp(mail) = &settings.find_channel("mail").unwrap().by else { panic!() };
    assert_eq!((mail.port, mail.security), (587, Security::Starttls));
    assert_eq!(mail.trust, Trust::Authority("/etc/tallystick/ca.pem".into()));
    let By::Webhook(chat) = &settings.find_channel("chat").unwrap().by else { panic!() };
    assert_eq!(chat.address, Address::Secret(SecretAt::File("/etc/tallystick/chat.url".into())));
    let By::Syslog(log) = &settings.find_channel("log").unwrap().by else { panic!() };
    assert_eq!(log.facility, 3);
}

#[test]
fn routes_choose_by_severity_kind_and_project_and_the_more_urgent_one_wins() {
    let settings = check(WHOLE).unwrap();
    let names = |alert| settings.plans(&alert).into_keys().collect::<Vec<_>>();
    assert_eq!(names(raised(Severity::Info, Kind::Drift, Some("loans"))), ["mail", "paper"]);
    assert_eq!(names(raised(Severity::Info, Kind::Drift, Some("cards"))), Vec::<String>::new());
    assert_eq!(names(raised(Severity::Warning, Kind::Health, None)), Vec::<String>::new());
    let both = settings.plans(&raised(Severity::Critical, Kind::Drift, Some("loans")));
    assert_eq!(both.keys().collect::<Vec<_>>(), ["chat", "mail", "paper"]);
    let mail = &both["mail"];
    assert!(mail.digest.is_none() && mail.resend_after_ms == Some(14_400_000));
    assert!(both["paper"].digest.is_some() && both["paper"].quiet_ms == 604_800_000);
}

#[test]
fn a_failing_channel_is_told_of_over_another_whatever_the_routes_say() {
    let settings = check(WHOLE).unwrap();
    let alert = raised(Severity::Warning, Kind::Delivery, None);
    assert!(settings.plans(&alert).is_empty());
    let told: Vec<_> = settings.plans_without(&alert, "mail").into_keys().collect();
    assert_eq!(told, ["chat", "log", "paper"]);
}

#[test]
fn a_digest_keeps_its_local_time_when_the_clocks_change() {
    let settings = check(WHOLE).unwrap();
    let plans = settings.plans(&raised(Severity::Info, Kind::Drift, Some("loans")));
    let daily = plans["paper"].digest.clone().unwrap();
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let cases = [
        ("2026-03-28T07:59:59Z", "2026-03-28T08:00:00Z"),
        ("2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z"),
        ("2026-10-24T08:00:00Z", "2026-10-25T08:00:00Z"),
    ];
    for (now, next) in cases {
        assert_eq!(daily.next_after(at(now)), at(next), "{now}");
    }
    assert!(daily.next_after(i64::MAX - 5) >= i64::MAX - 5);
}

#[test]
fn what_does_not_hold_together_is_refused_with_a_next_step() {
    let smtp = "type = \"smtp\"\nhost = \"m.example\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]\n";
    let cases = [
        ("host = \"x\"".to_string(), "alerts.missing"),
        (format!("{smtp}security = \"none\""), "alerts.plain"),
        (format!("{smtp}user = \"u\""), "alerts.missing"),
        (format!("{smtp}password_file = \"/p\""), "alerts.missing"),
        (format!("{smtp}user = \"u\"\npassword_file = \"p\""), "alerts.value"),
        (format!("{smtp}url = \"https://x/\""), "alerts.foreign_key"),
        (format!("{smtp}ca_file = \"/c\"\nfingerprint = \"{}\"", "ab".repeat(32)), "alerts.both"),
        (format!("{smtp}fingerprint = \"abc\""), "alerts.value"),
        (smtp.replace("c@d.example", "c@d.example\\r\\nDATA"), "alerts.value"),
        (smtp.replace("[\"c@d.example\"]", "[]"), "alerts.value"),
        ("type = \"webhook\"\nshape = \"plain\"".to_string(), "alerts.missing"),
        ("type = \"webhook\"\nshape = \"plain\"\nurl = \"http://far.example/\"".to_string(), "alerts.plain"),
        ("type = \"webhook\"\nurl = \"https://x/\"".to_string(), "alerts.missing"),
        (
            "type = \"webhook\"\nshape = \"plain\"\nurl = \"https://x/\"\ntoken_file = \"/t\"\nheader = \"Host\"".to_string(),
            "alerts.value",
        ),
        ("type = \"syslog\"".to_string(), "alerts.missing"),
        ("type = \"syslog\"\naddress = \"x\"".to_string(), "alerts.value"),
        ("type = \"syslog\"\naddress = \"x:514\"\nfacility = \"local8\"".to_string(), "alerts.value"),
        ("type = \"file\"\npath = \"../secret\"".to_string(), "alerts.value"),
        ("type = \"file\"\npath = \"a\"\nbytes_max = 1".to_string(), "alerts.value"),
    ];
    for (text, code) in cases {
        let refused = channel(&text).unwrap_err();
        assert_eq!(refused.code(), code, "{text}: {refused}");
        assert!(refused.next_step().is_some());
    }
    assert!(channel(&format!("{smtp}security = \"none\"\nallow_plain = true")).is_ok());
    assert!(
        channel(&smtp.replace("m.example", "127.0.0.1").replace("type", "security = \"none\"\ntype")).is_ok()
    );
}

#[test]
fn a_route_to_a_channel_that_is_not_there_names_the_nearest() {
    let wrong = check(&WHOLE.replace("[\"mail\", \"chat\"]", "[\"mial\"]")).unwrap_err();
    assert_eq!(wrong.code(), "alerts.no_channel");
    assert_eq!(wrong.next_step().unwrap(), "Did you mean \"mail\"?");
    for (from, to, code) in [
        ("09:00", "9 o'clock", "alerts.route"),
        ("\"7d\"", "\"7 days\"", "alerts.route"),
        ("Europe/Berlin", "Europe/Atlantis", "alerts.zone"),
        ("name = \"log\"", "name = \"mail\"", "alerts.channel_twice"),
    ] {
        assert_eq!(check(&WHOLE.replace(from, to)).unwrap_err().code(), code, "{to}");
    }
}

#[test]
fn a_secret_that_was_written_into_the_file_is_not_shown() {
    let text = "type = \"webhook\"\nshape = \"teams\"\nurl = \"https://hooks.example/SECRET\"";
    let raw: RawAlertSettings = toml::from_str(&format!("[[channel]]\nname = \"c\"\n{text}")).unwrap();
    assert!(!format!("{raw:?}").contains("SECRET"));
    assert!(!format!("{:?}", raw.check().unwrap()).contains("SECRET"));
}
