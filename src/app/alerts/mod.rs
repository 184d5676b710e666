//! Alerts as use cases: raised together with what they are about, told over the channels of alerts.toml, answered by a
//! person. Never sends anything itself; `notify` does, for whoever calls `deliver`.

pub mod desk;
pub mod telling;
pub mod trial;

use crate::alert::queue::error::QueueError;
use crate::alert::queue::{Delivery, Queue};
use crate::alert::raised::{Alert, Kind, RawAlert, Severity, Subject};
use crate::app::chains::ChainRunRow;
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::ids::RunId;
use crate::ledger::leaf::Kind as Leaf;
use crate::security::actor::Act;
use crate::store::error::StoreError;
use crate::store::views::LabWrite;

/// What is to be told of a run of a chain.
pub struct News(pub RawAlert);

pub fn draw_id() -> String {
    RunId::draw().to_string()
}

impl News {
    pub(in crate::app) fn of_run(row: &ChainRunRow, what: &str, key: &str) -> Self {
        let run = &row.run;
        let failed = run.steps.iter().filter_map(|step| {
            use crate::schedule::chain_run::Ending;
            match step.attempts.last()?.ending.as_ref()? {
                Ending::Failed { sentence, .. } => Some(format!("{}: {sentence}", step.step.name)),
                Ending::TimedOut | Ending::NoAnswer => Some(format!("{} took too long.", step.step.name)),
                Ending::Expired => Some(format!("{}: nobody decided in time.", step.step.name)),
                _ => None,
            }
        });
        Self(RawAlert {
            id: draw_id(),
            // Of one run: the next that fails is news again.
            key: format!("{key}/{}", run.id),
            kind: if key.ends_with("failed") { Kind::Run } else { Kind::Deadline },
            severity: if key.ends_with("failed") { Severity::Critical } else { Severity::Warning },
            subject: Subject {
                project: Some(row.project.clone()),
                model: None,
                chain: Some(run.chain.clone()),
            },
            title: format!("{} of {} {what}", run.chain, row.project),
            sentences: failed.collect(),
            details: Vec::new(),
            link: Some(format!("/chain-runs/{}", run.id)),
        })
    }
}

/// Raises alerts in one transaction with what else is written.
pub(in crate::app) fn raise_with(
    app: &App,
    news: Vec<News>,
    also: impl Fn(&LabWrite<'_>) -> Result<(), StoreError> + Send + 'static,
) -> Result<(), Failure> {
    let now = app.now().millis();
    app.alerts.change(app, also, |queue, settings| {
        news.into_iter().try_for_each(|News(raw)| queue.raise(settings, raw, now).map(drop))
    })
}

pub fn raise(app: &App, alerts: Vec<RawAlert>) -> Result<(), Failure> {
    raise_with(app, alerts.into_iter().map(News).collect(), |_| Ok(()))
}

/// An alert with how it stands with each channel.
pub struct Told {
    pub alert: Alert,
    pub deliveries: Vec<Delivery>,
}

/// Which alerts a list shows.
#[derive(Clone, Debug, Default)]
pub struct AlertsWanted {
    pub open_only: bool,
    /// Only those listed after this one.
    pub after: Option<String>,
    pub limit: usize,
}

pub struct Listed {
    pub told: Vec<Told>,
    /// The last of them, if there are more.
    pub next: Option<String>,
}

/// Open ones first, the latest first among each. Nothing where the one to go on behind is gone.
pub fn page(app: &App, wanted: &AlertsWanted) -> Result<Option<Listed>, Failure> {
    app.may(Act::ReadRuns)?;
    app.alerts.look(app, |queue| {
        let is_wanted = |alert: &&Alert| !wanted.open_only || alert.is_open();
        let mut alerts: Vec<&Alert> = queue.alerts().filter(is_wanted).collect();
        alerts.sort_by(|a, b| {
            let key = |alert: &Alert| (!alert.is_open(), std::cmp::Reverse(alert.last_ms));
            (key(a), &a.id).cmp(&(key(b), &b.id))
        });
        // Their order is not that of a key: a page goes on behind the last that was seen, which is there for long.
        let begin = match &wanted.after {
            None => 0,
            Some(last) => alerts.iter().position(|alert| alert.id == *last)? + 1,
        };
        let told = |alert: &&Alert| Told {
            alert: (*alert).clone(),
            deliveries: queue.deliveries(&alert.id).cloned().collect(),
        };
        let page: Vec<Told> = alerts.iter().skip(begin).take(wanted.limit).map(told).collect();
        let more = alerts.len() > begin + page.len();
        let next = page.last().filter(|_| more).map(|told| told.alert.id.clone());
        Some(Listed { told: page, next })
    })
}

/// The first of them.
pub fn list(app: &App, open_only: bool, limit: usize) -> Result<Vec<Told>, Failure> {
    let wanted = AlertsWanted { open_only, after: None, limit };
    Ok(page(app, &wanted)?.map(|listed| listed.told).unwrap_or_default())
}

pub fn find(app: &App, id: &str) -> Result<Told, Failure> {
    app.may(Act::ReadRuns)?;
    told(app, id)
}

fn told(app: &App, id: &str) -> Result<Told, Failure> {
    let missing = || QueueError::NoAlert { id: id.to_string() };
    let found = app.alerts.look(app, |queue| {
        queue
            .find_alert(id)
            .map(|alert| Told { alert: alert.clone(), deliveries: queue.deliveries(id).cloned().collect() })
    })?;
    Ok(found.ok_or_else(missing)?)
}

/// Somebody has taken notice: no reminders from here on.
pub fn acknowledge(app: &App, id: &str, comment: &str) -> Result<Told, Failure> {
    answer(app, id, "acknowledged", comment, |queue, by, now| queue.acknowledge(id, by, comment, now))?;
    // Whoever may answer an alert hears what came of it.
    told(app, id)
}

/// It is over: the same thing happening again is a new alert.
pub fn resolve(app: &App, id: &str, comment: &str) -> Result<Told, Failure> {
    answer(app, id, "resolved", comment, |queue, _, now| queue.resolve(id, now))?;
    told(app, id)
}

fn answer(
    app: &App,
    id: &str,
    what: &str,
    comment: &str,
    act: impl FnOnce(&mut Queue, &str, i64) -> Result<(), QueueError>,
) -> Result<(), Failure> {
    let actor = app.may(Act::AnswerAlerts)?;
    let open = app.alerts.look(app, |queue| queue.find_alert(id).map(Alert::is_open))?;
    let id_of = || id.to_string();
    if !open.ok_or_else(|| QueueError::NoAlert { id: id_of() })? {
        return Err(QueueError::State { id: id_of(), what: "is closed already" }.into());
    }
    let now = app.now();
    let body = serde_json::json!({"answer": what, "comment": comment});
    let entry = App::entry(&actor, Leaf::AlertAnswered, format!("alert/{id}"), &body)?;
    app.alerts.change(app, |_| Ok(()), |queue, _| act(queue, actor.name(), now.millis()))?;
    app.store.write_ledger(move |ledger| ledger.append_record(entry.clone(), now))?;
    Ok(())
}
