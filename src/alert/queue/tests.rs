//! What the queue does, told step by step under a clock that the test sets.

use crate::alert::limits;
use crate::alert::queue::error::QueueError;
use crate::alert::queue::{Delivery, Miss, Queue, Raised, Row, State};
use crate::alert::raised::{Alert, Kind, RawAlert, Severity, Subject};
use crate::alert::settings::{AlertSettings, RawAlertSettings};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

pub(super) fn settings(routes: &str) -> AlertSettings {
    let channels = r#"
        [[channel]]
        name = "mail"
        type = "smtp"
        host = "mail.bank.example"
        from = "box@bank.example"
        to = ["risk@bank.example"]
        [[channel]]
        name = "paper"
        type = "file"
        path = "alerts.log"
    "#;
    toml::from_str::<RawAlertSettings>(&format!("{channels}{routes}")).unwrap().check().unwrap()
}

pub(super) fn raw(id: &str, key: &str, severity: Severity) -> RawAlert {
    RawAlert {
        id: id.into(),
        key: key.into(),
        kind: Kind::Drift,
        severity,
        subject: Subject { project: Some("loans".into()), ..Subject::default() },
        title: format!("{key} has shifted"),
        sentences: Vec::new(),
        details: Vec::new(),
        link: None,
    }
}

/// The queue as it stands after the power was cut and came back.
pub(super) fn after_power_cut(queue: &Queue, now_ms: i64) -> Queue {
    let alerts: Vec<Alert> = queue.alerts.values().cloned().collect();
    let deliveries: Vec<Delivery> = queue.deliveries.values().cloned().collect();
    let text = serde_json::to_string(&(alerts, deliveries)).unwrap();
    let (alerts, deliveries) = serde_json::from_str(&text).unwrap();
    Queue::load(alerts, deliveries, now_ms).unwrap()
}

fn miss(again: bool) -> Miss {
    Miss { why: "no route to host".into(), again, uncertain: false, wait_ms: None }
}

/// Tries what is due and answers with the ids of what arrived.
fn try_all(queue: &mut Queue, settings: &AlertSettings, now_ms: i64, works: bool) -> Vec<String> {
    let mut arrived = Vec::new();
    for parcel in queue.due(settings, now_ms) {
        queue.note_sending(&parcel.id).unwrap();
        if works {
            queue.note_sent(settings, &parcel.id, now_ms).unwrap();
            arrived.push(parcel.id);
        } else {
            queue.note_failed(settings, &parcel.id, &miss(true), now_ms).unwrap();
        }
    }
    arrived
}

fn delivery(queue: &Queue, alert: &str, channel: &str) -> Delivery {
    queue.deliveries(alert).find(|d| d.channel == channel).unwrap().clone()
}

const TO_MAIL: &str = "[[route]]\nchannels = [\"mail\"]\nquiet = \"1d\"\n";

#[test]
fn an_hour_without_a_mail_server_delivers_once_when_it_is_back() {
    let (settings, mut queue) = (settings(TO_MAIL), Queue::default());
    queue.raise(&settings, raw("a", "drift/income", Severity::Warning), 0).unwrap();
    let (mut now, mut tried) = (0, 0);
    while now < HOUR {
        assert!(try_all(&mut queue, &settings, now, false).is_empty());
        tried += 1;
        queue.raise(&settings, raw("again", "drift/income", Severity::Warning), now + 1).unwrap();
        now = queue.next_ms(&settings).unwrap();
    }
    assert_eq!((now, tried), (63 * MINUTE + 30_000, 7));
    assert_eq!(try_all(&mut queue, &settings, now, true).len(), 1);
    assert_eq!(queue.find_alert("a").unwrap().count, 8);
    assert!(try_all(&mut queue, &settings, now + 12 * HOUR, true).is_empty());
}

#[test]
fn the_pause_doubles_up_to_an_hour_and_a_receiver_may_ask_for_more_of_it() {
    let (settings, mut queue) = (settings(TO_MAIL), Queue::default());
    queue.raise(&settings, raw("a", "k", Severity::Info), 0).unwrap();
    let mut now = 0;
    for pause in [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600] {
        assert!(try_all(&mut queue, &settings, now, false).is_empty());
        let next = queue.next_ms(&settings).unwrap();
        assert_eq!(next - now, pause * 1_000);
        now = next;
    }
    let parcel = queue.due(&settings, now).remove(0);
    queue.note_sending(&parcel.id).unwrap();
    let asked = Miss { wait_ms: Some(i64::MAX), ..miss(true) };
    queue.note_failed(&settings, &parcel.id, &asked, now).unwrap();
    assert_eq!(queue.next_ms(&settings), Some(now + HOUR));
}

#[test]
fn what_cannot_be_delivered_for_a_week_is_told_over_another_channel_and_never_in_turn() {
    let (settings, mut queue) = (settings(TO_MAIL), Queue::default());
    queue.raise(&settings, raw("a", "k", Severity::Info), 0).unwrap();
    let mut now = 0;
    while delivery(&queue, "a", "mail").state == State::Waiting {
        assert!(now <= 8 * DAY);
        try_all(&mut queue, &settings, now, false);
        now = queue.next_ms(&settings).unwrap();
    }
    assert_eq!(delivery(&queue, "a", "mail").state, State::FailedForGood);
    let told: Vec<Alert> = queue.alerts().filter(|alert| alert.kind == Kind::Delivery).cloned().collect();
    assert_eq!(told.len(), 1);
    assert!(told[0].sentences[0].contains("k has shifted"));
    let parcel = queue.due(&settings, now).remove(0);
    assert_eq!(parcel.channel, "paper");
    queue.note_sending(&parcel.id).unwrap();
    assert_eq!(queue.note_failed(&settings, &parcel.id, &miss(false), now).unwrap(), None);
    assert_eq!(queue.alerts().count(), 2);
}

#[test]
fn a_channel_that_works_again_closes_the_alert_that_it_fails() {
    let (settings, mut queue) = (settings(TO_MAIL), Queue::default());
    queue.raise(&settings, raw("a", "k", Severity::Info), 0).unwrap();
    let parcel = queue.due(&settings, 0).remove(0);
    queue.note_sending(&parcel.id).unwrap();
    let told = queue.note_failed(&settings, &parcel.id, &miss(false), 1).unwrap().unwrap();
    assert!(queue.find_alert(&told).unwrap().is_open());
    // A second message that fails counts on the same alert.
    queue.raise(&settings, raw("b", "k2", Severity::Info), 1).unwrap();
    let second = queue.due(&settings, 1).into_iter().find(|p| p.channel == "mail").unwrap();
    queue.note_sending(&second.id).unwrap();
    assert_eq!(queue.note_failed(&settings, &second.id, &miss(false), 1).unwrap(), Some(told.clone()));
    queue.send_again("a", "mail", 2).unwrap();
    try_all(&mut queue, &settings, 2, true);
    assert!(!queue.find_alert(&told).unwrap().is_open());
    assert_eq!(delivery(&queue, "a", "mail").round, 2);
}

#[test]
fn a_power_cut_while_sending_sends_again_under_the_same_id_and_says_so() {
    let (settings, mut queue) = (settings(TO_MAIL), Queue::default());
    queue.raise(&settings, raw("a", "k", Severity::Info), 0).unwrap();
    let first = queue.due(&settings, 0).remove(0);
    assert!(!queue.note_sending(&first.id).unwrap().may_repeat);
    let mut queue = after_power_cut(&queue, 5);
    let second = queue.due(&settings, 5).remove(0);
    assert_eq!((second.id.as_str(), second.may_repeat), (first.id.as_str(), true));
    assert_eq!(queue.take_changed().len(), 1);
}

#[test]
fn the_same_alert_within_the_quiet_time_only_counts_and_after_it_is_told_again() {
    let (settings, mut queue) = (settings(TO_MAIL), Queue::default());
    let raise =
        |queue: &mut Queue, severity, now| queue.raise(&settings, raw("a", "k", severity), now).unwrap();
    assert_eq!(raise(&mut queue, Severity::Info, 0), Raised::New { id: "a".into() });
    try_all(&mut queue, &settings, 0, true);
    let counted = |count, told_again| Raised::Counted { id: "a".into(), count, told_again };
    assert_eq!(raise(&mut queue, Severity::Info, DAY - 1), counted(2, false));
    assert_eq!(raise(&mut queue, Severity::Info, DAY), counted(3, true));
    try_all(&mut queue, &settings, DAY, true);
    assert_eq!(raise(&mut queue, Severity::Critical, DAY + 1), counted(4, true));
    try_all(&mut queue, &settings, DAY + 1, true);
    queue.acknowledge("a", "ada", "looking", DAY + 2).unwrap();
    assert_eq!(raise(&mut queue, Severity::Critical, 9 * DAY), counted(5, false));
    queue.resolve("a", 9 * DAY).unwrap();
    assert!(matches!(
        queue.raise(&settings, raw("b", "k", Severity::Info), 9 * DAY).unwrap(),
        Raised::New { .. }
    ));
}

/// A warning that became critical while the mail of the warning was on its way was once told only as a warning.
#[test]
fn what_becomes_worse_while_it_is_sent_is_told_again() {
    let (settings, mut queue) = (settings(TO_MAIL), Queue::default());
    queue.raise(&settings, raw("a", "k", Severity::Warning), 0).unwrap();
    let parcel = queue.due(&settings, 0).remove(0);
    queue.note_sending(&parcel.id).unwrap();
    queue.raise(&settings, raw("a2", "k", Severity::Critical), 1).unwrap();
    queue.note_sent(&settings, &parcel.id, 2).unwrap();
    let next = queue.due(&settings, 2);
    assert_eq!(next.len(), 1);
    assert_ne!(next[0].id, parcel.id);
}

#[test]
fn reminders_go_on_until_somebody_takes_notice() {
    let settings = settings("[[route]]\nchannels = [\"mail\"]\nresend_after = \"4h\"\n");
    let mut queue = Queue::default();
    queue.raise(&settings, raw("a", "k", Severity::Critical), 0).unwrap();
    try_all(&mut queue, &settings, 0, true);
    assert_eq!(queue.next_ms(&settings), Some(4 * HOUR));
    assert!(try_all(&mut queue, &settings, 4 * HOUR - 1, true).is_empty());
    assert_eq!(try_all(&mut queue, &settings, 4 * HOUR, true).len(), 1);
    queue.acknowledge("a", "ada", "", 5 * HOUR).unwrap();
    assert!(try_all(&mut queue, &settings, 9 * HOUR, true).is_empty());
    assert!(matches!(queue.acknowledge("a", "bob", "", 0), Err(QueueError::State { .. })));
    assert!(matches!(queue.acknowledge("z", "bob", "", 0), Err(QueueError::NoAlert { .. })));
}

const DAILY: &str = "[[route]]\nchannels = [\"mail\"]\ndigest = \"09:00\"\n";

#[test]
fn a_digest_goes_out_once_a_day_and_keeps_its_alerts_together() {
    let (settings, mut queue) = (settings(DAILY), Queue::default());
    queue.raise(&settings, raw("a", "k1", Severity::Info), HOUR).unwrap();
    queue.raise(&settings, raw("b", "k2", Severity::Warning), 2 * HOUR).unwrap();
    assert!(queue.due(&settings, 9 * HOUR - 1).is_empty());
    let first = queue.due(&settings, 9 * HOUR);
    assert_eq!(first.len(), 1);
    assert_eq!(
        (first[0].alerts.as_slice(), first[0].digest),
        (["a".to_string(), "b".to_string()].as_slice(), true)
    );
    try_all(&mut queue, &settings, 9 * HOUR, false);
    // Raised after the digest was made up: it waits for the next one, although the first is still on its way.
    queue.raise(&settings, raw("c", "k3", Severity::Info), 9 * HOUR + 1).unwrap();
    let mut queue = after_power_cut(&queue, 9 * HOUR + 2);
    let again = queue.due(&settings, 9 * HOUR + MINUTE);
    assert_eq!((again.len(), &again[0].id, again[0].alerts.len()), (1, &first[0].id, 2));
    try_all(&mut queue, &settings, 9 * HOUR + MINUTE, true);
    assert_eq!(queue.next_ms(&settings), Some(33 * HOUR));
}

#[test]
fn a_critical_alert_does_not_wait_for_the_digest() {
    let both = format!("{DAILY}[[route]]\nseverity_at_least = \"critical\"\nchannels = [\"mail\"]\n");
    let (settings, mut queue) = (settings(&both), Queue::default());
    queue.raise(&settings, raw("a", "k", Severity::Warning), HOUR).unwrap();
    assert!(queue.due(&settings, HOUR).is_empty());
    queue.raise(&settings, raw("b", "k", Severity::Critical), 2 * HOUR).unwrap();
    let due = queue.due(&settings, 2 * HOUR);
    assert_eq!((due.len(), due[0].digest), (1, false));
}

#[test]
fn a_failing_channel_gets_one_message_to_try_it_by_and_the_others_go_on() {
    let settings = settings("[[route]]\nchannels = [\"mail\", \"paper\"]\n");
    let mut queue = Queue::default();
    for n in 0..5 {
        queue.raise(&settings, raw(&format!("a{n}"), &format!("k{n}"), Severity::Info), n).unwrap();
    }
    let parcel = queue.due(&settings, 9).into_iter().find(|p| p.channel == "mail").unwrap();
    queue.note_sending(&parcel.id).unwrap();
    queue.note_failed(&settings, &parcel.id, &miss(true), 10).unwrap();
    let due = queue.due(&settings, 11);
    let over = |channel: &str| due.iter().filter(|p| p.channel == channel).count();
    assert_eq!((over("mail"), over("paper")), (1, 5));
}

/// A box whose clock stood in 2040 until the time server answered.
#[test]
fn a_clock_that_is_set_back_does_not_hold_a_message_for_years() {
    for (routes, day) in [(TO_MAIL, 0), (DAILY, 0)] {
        let (settings, mut queue) = (settings(routes), Queue::default());
        queue.raise(&settings, raw("a", "k", Severity::Info), 5_000 * DAY + HOUR).unwrap();
        assert_eq!(try_all(&mut queue, &settings, day, true).len(), 1);
    }
}

#[test]
fn what_waits_for_a_channel_that_was_removed_ends() {
    let mut queue = Queue::default();
    queue.raise(&settings(TO_MAIL), raw("a", "k", Severity::Info), 0).unwrap();
    assert!(queue.due(&AlertSettings::default(), 1).is_empty());
    let ended = delivery(&queue, "a", "mail");
    assert_eq!(ended.state, State::FailedForGood);
    assert!(ended.last_error.unwrap().contains("alerts.toml"));
}

#[test]
fn only_what_changed_is_to_be_written_down() {
    let (settings, mut queue) = (settings(TO_MAIL), Queue::default());
    queue.raise(&settings, raw("a", "k", Severity::Info), 0).unwrap();
    let rows = queue.take_changed();
    assert!(matches!(rows.as_slice(), [Row::Alert(_), Row::Delivery(_)]), "{rows:?}");
    assert!(queue.take_changed().is_empty());
    queue.due(&settings, 0);
    assert!(queue.take_changed().is_empty());
    try_all(&mut queue, &settings, 0, true);
    assert!(matches!(queue.take_changed().as_slice(), [Row::Delivery(d)] if d.state == State::Sent));
    queue.resolve("a", 1).unwrap();
    queue.take_changed();
    queue.prune(limits::ALERT_KEPT_MS);
    assert!(queue.take_changed().is_empty());
    queue.prune(limits::ALERT_KEPT_MS + 2);
    assert_eq!(queue.take_changed(), [Row::Gone { alert: "a".into() }]);
}

#[test]
fn where_there_is_no_room_the_oldest_closed_alert_gives_way_and_an_open_one_never() {
    let none = AlertSettings::default();
    let mut queue = Queue::default();
    for n in 0..limits::ALERTS_MAX {
        queue.raise(&none, raw(&format!("a{n}"), &format!("k{n}"), Severity::Info), 0).unwrap();
    }
    assert!(matches!(queue.raise(&none, raw("x", "x", Severity::Info), 1), Err(QueueError::Full { .. })));
    queue.resolve("a7", 1).unwrap();
    queue.raise(&none, raw("x", "x", Severity::Info), 2).unwrap();
    assert!(queue.find_alert("a7").is_none() && queue.alerts().count() == limits::ALERTS_MAX);
}

#[test]
fn what_is_not_on_its_way_cannot_have_arrived() {
    let (settings, mut queue) = (settings(TO_MAIL), Queue::default());
    queue.raise(&settings, raw("a", "k", Severity::Info), 0).unwrap();
    let parcel = queue.due(&settings, 0).remove(0);
    assert!(matches!(queue.note_sent(&settings, &parcel.id, 0), Err(QueueError::Parcel { .. })));
    queue.note_sending(&parcel.id).unwrap();
    assert!(matches!(queue.note_sending(&parcel.id), Err(QueueError::Parcel { .. })));
    assert!(queue.due(&settings, 0).is_empty());
    assert!(matches!(queue.send_again("a", "mail", 0), Err(QueueError::State { .. })));
}
