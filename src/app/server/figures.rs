//! What is not counted but looked at when operators ask for figures: the box, its models, its chains, its alerts.
//! What cannot be read is said to be so and keeps nothing else from being told. Nothing of a person is in it.

use std::collections::BTreeMap;

use crate::alert::queue::{Delivery, Queue, State};
use crate::alert::raised::Severity;
use crate::app::chains::counted;
use crate::app::home::App;
use crate::app::server::{health, identity};
use crate::app::watch::{newest, outcomes};
use crate::base::fact::Failure;
use crate::base::{figures, limits};
use crate::registry::version::{ModelRef, Which};
use crate::security::actor::Act;
use crate::store::error::StoreError;

/// One value of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub name: &'static str,
    pub labels: Vec<(&'static str, String)>,
    pub value: f64,
}

type Look = fn(&App, &mut Readings) -> Result<(), Failure>;

/// Each with its word in the metric that says what could not be read.
const LOOKS: [(&str, Look); 5] =
    [("box", of_box), ("chains", of_chains), ("runs", of_runs), ("models", of_models), ("alerts", of_alerts)];

/// All of it, as it is now.
pub fn look(app: &App) -> Result<Vec<Reading>, Failure> {
    app.may(Act::ReadMetrics)?;
    let (mut all, mut unread, mut left_out) = (Readings::default(), Readings::default(), 0);
    for (what, look) in LOOKS {
        let mut found = Readings::default();
        let done = look(app, &mut found);
        if let Err(error) = &done {
            tracing::error!(what, code = error.code(), cause = %error, "figures could not be read");
        }
        unread.add(figures::UNREAD, &[("what", what)], f64::from(u8::from(done.is_err())));
        let room = limits::FIGURES_READ_MAX.saturating_sub(all.0.len());
        left_out += found.0.len().saturating_sub(room);
        all.0.extend(found.0.into_iter().take(room));
    }
    all.0.extend(unread.0);
    all.add(figures::LEFT_OUT, &[], left_out as f64);
    Ok(all.0)
}

#[derive(Default)]
struct Readings(Vec<Reading>);

impl Readings {
    fn add(&mut self, name: &'static str, labels: &[(&'static str, &str)], value: f64) {
        let labels = labels.iter().map(|(label, text)| (*label, (*text).to_string())).collect();
        self.0.push(Reading { name, labels, value });
    }

    fn add_flag(&mut self, name: &'static str, labels: &[(&'static str, &str)], holds: bool) {
        self.add(name, labels, f64::from(u8::from(holds)));
    }

    /// A moment in seconds since 1970, where there is one.
    fn add_moment(&mut self, name: &'static str, labels: &[(&'static str, &str)], millis: Option<i64>) {
        if let Some(millis) = millis {
            self.add(name, labels, millis as f64 / 1_000.0);
        }
    }
}

fn of_box(app: &App, read: &mut Readings) -> Result<(), Failure> {
    read.add_moment(figures::CLOCK, &[], Some(app.now().millis()));
    read.add_flag(figures::READY, &[], health::ready(app).is_ok());
    read.add_flag(figures::LEDGER_WORKING, &[], health::is_recording(app));
    if let Some(seconds) = identity::find_end(app)? {
        read.add(figures::CERTIFICATE_END, &[], seconds as f64);
    }
    Ok(())
}

fn of_chains(app: &App, read: &mut Readings) -> Result<(), Failure> {
    let standing = counted::standing(app)?;
    read.add(figures::CHAIN_RUNS_OPEN, &[("state", "running")], standing.running as f64);
    read.add(figures::CHAIN_RUNS_OPEN, &[("state", "waiting")], standing.waiting as f64);
    for one in standing.chains {
        let labels: &[(&'static str, &str)] = &[("project", &one.project), ("chain", &one.chain)];
        read.add_flag(figures::CHAIN_LATE, labels, one.is_late);
        read.add_flag(figures::CHAIN_FAILING, labels, one.is_failing);
        read.add_flag(figures::CHAIN_PAUSED, labels, one.is_paused);
        read.add_moment(figures::CHAIN_NEXT_START, labels, one.next_ms);
        read.add_moment(figures::CHAIN_LONGEST_WAIT, labels, one.longest_wait_ms);
        read.add_moment(figures::CHAIN_LAST_SUCCESS, labels, one.succeeded_ms);
        read.add(figures::CHAIN_PASSED_OVER, labels, one.passed_over as f64);
        read.add(figures::CHAIN_QUEUED, labels, one.queued as f64);
    }
    Ok(())
}

fn of_runs(app: &App, read: &mut Readings) -> Result<(), Failure> {
    let orders = app.store.read_lab(|lab| lab.list_orders())?;
    let claimed = orders.iter().filter(|order| order.claim.is_some()).count();
    read.add(figures::RUNS, &[("state", "queued")], (orders.len() - claimed) as f64);
    read.add(figures::RUNS, &[("state", "running")], claimed as f64);
    Ok(())
}

fn of_models(app: &App, read: &mut Readings) -> Result<(), Failure> {
    let mut names = Vec::new();
    app.store.read_ledger(|ledger| {
        ledger.each_model_name(&mut |name| {
            names.push(name);
            Ok::<_, StoreError>(())
        })
    })?;
    for name in names {
        let labels: &[(&'static str, &str)] = &[("model", &name)];
        let model = ModelRef { name: name.clone(), which: Which::Unstated };
        // Only what was asked for has a seat.
        if let Some(seat) = app.answering.lineup.find(&model) {
            read.add_flag(figures::MODEL_DEGRADED, labels, seat.is_degraded());
        }
        let held = app.store.read_lab(|lab| lab.find_hold(&name))?;
        read.add_flag(figures::MODEL_HELD, labels, held.is_some());
        read.add(figures::OUTCOMES_KNOWN, labels, outcomes::count_known(app, &name)? as f64);
        if let Some(newest) = newest::find(app, &name)? {
            newest.figures.iter().for_each(|(figure, value)| read.add(figure, labels, *value));
        }
    }
    Ok(())
}

fn of_alerts(app: &App, read: &mut Readings) -> Result<(), Failure> {
    let now = app.now().millis();
    app.alerts.look(app, |queue| {
        for severity in [Severity::Info, Severity::Warning, Severity::Critical] {
            let open = queue.alerts().filter(|alert| alert.is_open() && alert.severity == severity).count();
            read.add(figures::ALERTS_OPEN, &[("severity", severity.word())], open as f64);
        }
        let known = |name: &str| app.alerts.settings().find_channel(name).is_some();
        let mut channels: BTreeMap<String, Told> =
            app.alerts.settings().channels().map(|channel| (channel.name.clone(), Told::default())).collect();
        for delivery in every_delivery(queue) {
            // A channel that is no longer named in alerts.toml has no series of its own.
            let name = if known(&delivery.channel) { delivery.channel.as_str() } else { "other" };
            channels.entry(name.to_string()).or_default().take(delivery, now);
        }
        for (name, told) in channels {
            let labels = |state| [("channel", name.as_str()), ("state", state)];
            read.add(figures::DELIVERIES, &labels("waiting"), f64::from(told.waiting));
            read.add(figures::DELIVERIES, &labels("failed"), f64::from(told.failed));
            read.add(figures::UNDELIVERED_AGE, &[("channel", &name)], told.age_ms as f64 / 1_000.0);
        }
    })
}

fn every_delivery(queue: &Queue) -> impl Iterator<Item = &Delivery> {
    queue.alerts().flat_map(|alert| queue.deliveries(&alert.id))
}

/// How a channel stands.
#[derive(Default)]
struct Told {
    waiting: u32,
    failed: u32,
    age_ms: i64,
}

impl Told {
    fn take(&mut self, delivery: &Delivery, now: i64) {
        match delivery.state {
            State::Waiting | State::Sending => {
                self.waiting += 1;
                // What is wanted later, as a reminder or in a digest, is not late.
                self.age_ms = self.age_ms.max(now.saturating_sub(delivery.wanted_ms));
            }
            State::FailedForGood => self.failed += 1,
            State::Sent => {}
        }
    }
}
