//! What holds for every order of events: nothing is lost, and nothing arrives twice unless a cut fell in between.

use std::collections::BTreeMap;

use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::test_runner::Config;
use proptest::{prop_assert, prop_assert_eq, proptest};

use crate::alert::queue::tests::{after_power_cut, raw, settings};
use crate::alert::queue::{Miss, Parcel, Queue, State};
use crate::alert::raised::Severity;
use crate::alert::settings::AlertSettings;

#[derive(Clone, Debug)]
enum Event {
    Raise {
        key: u8,
        severity: u8,
    },
    Pass {
        minutes: u16,
    },
    /// One attempt: what the receiver does, and what is heard of it.
    Send(Came),
    Acknowledge {
        key: u8,
    },
    Resolve {
        key: u8,
    },
    PowerCut,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Came {
    Arrived,
    Refused,
    /// It arrived, and the answer did not.
    ArrivedUnheard,
    /// The power went before the first byte, or after the last one.
    CutBefore,
    CutAfter,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let came = prop_oneof![
        4 => proptest::prelude::Just(Came::Arrived),
        3 => proptest::prelude::Just(Came::Refused),
        1 => proptest::prelude::Just(Came::ArrivedUnheard),
        1 => proptest::prelude::Just(Came::CutBefore),
        1 => proptest::prelude::Just(Came::CutAfter),
    ];
    let event = prop_oneof![
        4 => (0u8..4, 0u8..3).prop_map(|(key, severity)| Event::Raise { key, severity }),
        3 => (0u16..3_000).prop_map(|minutes| Event::Pass { minutes }),
        6 => came.prop_map(Event::Send),
        1 => (0u8..4).prop_map(|key| Event::Acknowledge { key }),
        1 => (0u8..4).prop_map(|key| Event::Resolve { key }),
        1 => any::<bool>().prop_map(|_| Event::PowerCut),
    ];
    proptest::collection::vec(event, 1..120)
}

/// The box and the receiver, which counts what it got by the id of the message.
struct World {
    settings: AlertSettings,
    queue: Queue,
    now_ms: i64,
    drawn: u32,
    got: BTreeMap<String, Vec<Parcel>>,
    /// Messages of which an attempt ended without an answer.
    unheard: std::collections::BTreeSet<String>,
    told: std::collections::BTreeSet<(String, String)>,
}

impl World {
    fn new() -> Self {
        let settings = settings(
            "[[route]]\nchannels = [\"mail\"]\nquiet = \"2h\"\nresend_after = \"1d\"\n
             [[route]]\nseverity_at_least = \"warning\"\nchannels = [\"paper\"]\ndigest = \"09:00\"\n",
        );
        let (got, unheard, told) = Default::default();
        Self { settings, queue: Queue::default(), now_ms: 0, drawn: 0, got, unheard, told }
    }

    fn happens(&mut self, event: &Event) {
        match event {
            Event::Raise { key, severity } => {
                let severity =
                    [Severity::Info, Severity::Warning, Severity::Critical][usize::from(*severity)];
                self.drawn += 1;
                let raw = raw(&format!("a{}", self.drawn), &format!("k{key}"), severity);
                self.queue.raise(&self.settings, raw, self.now_ms).unwrap();
            }
            Event::Pass { minutes } => self.now_ms += i64::from(*minutes) * 60_000,
            Event::Send(came) => {
                if let Some(parcel) = self.queue.due(&self.settings, self.now_ms).into_iter().next() {
                    self.send(&parcel.id, *came);
                }
            }
            Event::Acknowledge { key } => {
                if let Some(id) = self.open(*key) {
                    let _ = self.queue.acknowledge(&id, "ada", "", self.now_ms);
                }
            }
            Event::Resolve { key } => {
                if let Some(id) = self.open(*key) {
                    self.queue.resolve(&id, self.now_ms).unwrap();
                }
            }
            Event::PowerCut => self.queue = after_power_cut(&self.queue, self.now_ms),
        }
    }

    fn open(&self, key: u8) -> Option<String> {
        self.queue.open.get(&format!("k{key}")).cloned()
    }

    fn send(&mut self, id: &str, came: Came) {
        let parcel = self.queue.note_sending(id).unwrap();
        if matches!(came, Came::Arrived | Came::ArrivedUnheard | Came::CutAfter) {
            let told = parcel.alerts.iter().map(|alert| (alert.clone(), parcel.channel.clone()));
            self.told.extend(told);
            self.got.entry(id.to_string()).or_default().push(parcel);
        }
        let miss = |uncertain| Miss { why: "broken".into(), again: true, uncertain, wait_ms: None };
        match came {
            Came::Arrived => self.queue.note_sent(&self.settings, id, self.now_ms).unwrap(),
            Came::Refused => {
                self.queue.note_failed(&self.settings, id, &miss(false), self.now_ms).map(drop).unwrap();
            }
            Came::ArrivedUnheard => {
                self.unheard.insert(id.to_string());
                self.queue.note_failed(&self.settings, id, &miss(true), self.now_ms).map(drop).unwrap();
            }
            Came::CutBefore | Came::CutAfter => {
                self.unheard.insert(id.to_string());
                self.queue = after_power_cut(&self.queue, self.now_ms);
            }
        }
    }

    /// From here on everything works, for two days.
    fn settle(&mut self) {
        for _ in 0..(2 * 24 * 12) {
            for parcel in self.queue.due(&self.settings, self.now_ms) {
                self.send(&parcel.id, Came::Arrived);
            }
            self.now_ms += 5 * 60_000;
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 200, failure_persistence: None, ..Config::default() })]

    #[test]
    fn every_alert_arrives_and_only_a_cut_lets_a_message_arrive_twice(events in events()) {
        let mut world = World::new();
        for event in &events {
            world.happens(event);
        }
        world.settle();
        let wanted: Vec<_> = world.queue.deliveries.values().collect();
        for delivery in &wanted {
            let key = (delivery.alert.clone(), delivery.channel.clone());
            let gave_up = delivery.state == State::FailedForGood;
            prop_assert!(gave_up || world.told.contains(&key), "{delivery:?} never arrived");
        }
        for (id, parcels) in &world.got {
            if !world.unheard.contains(id) {
                prop_assert_eq!(parcels.len(), 1, "{} arrived twice", id);
            }
            for again in parcels.iter().skip(1) {
                prop_assert!(again.may_repeat, "{} does not say that it may be a repetition", id);
                prop_assert_eq!(&again.alerts, &parcels[0].alerts);
            }
        }
        let ours = |alert: &&crate::alert::raised::Alert| alert.kind != crate::alert::raised::Kind::Delivery;
        for alert in world.queue.alerts().filter(ours) {
            prop_assert!(world.told.contains(&(alert.id.clone(), "mail".to_string())) || gave_up(&world, &alert.id));
        }
    }

    /// What was written down row by row, as it changed, is the queue.
    #[test]
    fn the_rows_that_changed_make_the_same_queue(events in events()) {
        let mut world = World::new();
        let (mut alerts, mut deliveries) = (BTreeMap::new(), BTreeMap::new());
        for event in &events {
            world.happens(event);
            if matches!(event, Event::PowerCut | Event::Send(Came::CutBefore | Came::CutAfter)) {
                alerts = world.queue.alerts.clone();
                deliveries = world.queue.deliveries.clone();
            }
            for row in world.queue.take_changed() {
                match row {
                    crate::alert::queue::Row::Alert(alert) => drop(alerts.insert(alert.id.clone(), alert)),
                    crate::alert::queue::Row::Delivery(d) => {
                        drop(deliveries.insert((d.alert.clone(), d.channel.clone()), d));
                    }
                    crate::alert::queue::Row::Gone { alert } => drop(alerts.remove(&alert)),
                }
            }
        }
        prop_assert_eq!(&alerts, &world.queue.alerts);
        prop_assert_eq!(&deliveries, &world.queue.deliveries);
    }
}

fn gave_up(world: &World, alert: &str) -> bool {
    world.queue.deliveries(alert).any(|d| d.state == State::FailedForGood)
}
