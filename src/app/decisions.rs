//! Predictions and decisions: made by what is in force, and on record before they are answered.
//! No answer leaves before its record is durable; what is not recorded was not decided.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::app::decisions::draft::{Asking, Draft};
use crate::app::decisions::lineup::{Lineup, Seat};
use crate::app::decisions::repetition::{Claim, UnderWay, claim};
use crate::app::decisions::stages::{Stage, Stages};
use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::ledger::case::Branch;
use crate::registry::version::ModelRef;
use crate::security::actor::{Act, Actor};
use crate::store::error::StoreError;
use crate::store::tables::StoreName;
use crate::store::views::answers::NewRepetition;

pub mod cases;
pub mod desk;
pub mod draft;
pub mod found;
pub mod lineup;
pub mod proof;
pub mod repetition;
pub mod replay;
pub mod sheet;
pub mod stages;
pub mod why;

pub use crate::app::decisions::found::{Answered, Content};

/// What answering needs beside the store: who stands ready, which keys are under way, whose cases these are.
pub struct Answering {
    pub(in crate::app) lineup: Lineup,
    pub(in crate::app) branch: Branch,
    under_way: UnderWay,
}

impl Answering {
    pub fn new(branch: Branch) -> Self {
        Self { lineup: Lineup::default(), branch, under_way: UnderWay::default() }
    }
}

/// A row that is to be answered.
pub struct Asked<'a> {
    pub model: &'a ModelRef,
    /// One flat JSON object.
    pub row: &'a str,
    /// What a repeated request carries again.
    pub key: Option<&'a str>,
    /// A rehearsal: recorded as one.
    pub simulated: bool,
    pub started: Instant,
}

/// Which of the two a row asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Decision,
    Prediction,
}

impl Wish {
    fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Prediction => "prediction",
        }
    }
}

/// Score, policy, reasons and a case; durable when it answers.
pub async fn decide(app: &App, asked: Asked<'_>) -> Result<Answered, Failure> {
    Ok(answer(app, asked, Wish::Decision).await?.0)
}

/// A score and what it is made of; on record as well.
pub async fn predict(app: &App, asked: Asked<'_>) -> Result<Answered, Failure> {
    Ok(answer(app, asked, Wish::Prediction).await?.0)
}

/// The same, with how long its stages took; a repeated request has none.
pub async fn answer(app: &App, asked: Asked<'_>, wish: Wish) -> Result<(Answered, Option<Stages>), Failure> {
    let actor = app.may(Act::Score)?;
    let seat = match app.answering.lineup.find(asked.model) {
        Some(seat) => seat,
        None => take_seat(app, asked.model).await?,
    };
    let Some(key) = asked.key else {
        let draft = prepare(app, &actor, &seat, &asked, (wish, None))?;
        return record(app, &seat, draft, ()).await;
    };
    match claim(app, actor.name(), key, request_mac(app, &asked, wish))? {
        Claim::Seen(seq) => {
            let app = app.clone();
            let found = aside(move || found::find_at(&app, seq)).await?;
            Ok((Answered { replayed: true, ..found }, None))
        }
        Claim::First(held, repetition) => {
            let draft = prepare(app, &actor, &seat, &asked, (wish, Some(repetition)))?;
            record(app, &seat, draft, held).await
        }
    }
}

async fn take_seat(app: &App, model: &ModelRef) -> Result<Arc<Seat>, Failure> {
    let (app, model) = (app.clone(), model.clone());
    aside(move || lineup::seat(&app, &model)).await
}

/// Loading a model reads and verifies files, which is nothing for a thread that answers others.
async fn aside<T, F>(work: F) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, Failure> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| StoreError::WriterGone { store: StoreName::Ledger })?
}

fn prepare(
    app: &App,
    actor: &Actor,
    seat: &Seat,
    asked: &Asked<'_>,
    (wish, repetition): (Wish, Option<NewRepetition>),
) -> Result<Draft, Failure> {
    let mut stages = Stages::since(asked.started);
    stages.mark(Stage::Read);
    let (row, simulated, started) = (asked.row, asked.simulated, asked.started);
    let asking = Asking { app, actor, seat, row, simulated, started, stages: Cell::new(stages) };
    match wish {
        Wish::Decision => {
            let draft = asking.decide(repetition)?;
            check_approved(seat, asked.simulated)?;
            Ok(draft)
        }
        Wish::Prediction => asking.predict(repetition),
    }
}

/// A rehearsal may be decided by anything that can decide; a case only by what was approved.
fn check_approved(seat: &Seat, simulated: bool) -> Result<(), UseCaseError> {
    let (name, version) = (seat.asked.name.clone(), seat.asked.version);
    if seat.approved || simulated { Ok(()) } else { Err(UseCaseError::NeverInForce { name, version }) }
}

/// Queues the record and waits until it is durable. `held` is let go of only then, even if nobody waits any more.
async fn record<H: Send + 'static>(
    app: &App,
    seat: &Seat,
    draft: Draft,
    held: H,
) -> Result<(Answered, Option<Stages>), Failure> {
    let Draft { record, mut answered, mut stages, is_rehearsal } = draft;
    let (told, durable) = oneshot::channel();
    app.store.submit_answer(record, move |outcome| {
        drop(held);
        let _ = told.send(outcome);
    })?;
    let gone = |_| StoreError::WriterGone { store: StoreName::Ledger };
    answered.settle(durable.await.map_err(gone)??);
    stages.mark(Stage::Durable);
    if let Some(facts) = answered.header.decision.as_ref().filter(|_| !is_rehearsal) {
        let wish = if facts.outcome.is_some() { Wish::Decision } else { Wish::Prediction };
        seat.count(wish, facts.outcome.as_deref().unwrap_or_default(), facts.latency_us);
    }
    Ok((answered, Some(stages)))
}

/// What tells one request from another under the same key: route, model and the body as it came.
fn request_mac(app: &App, asked: &Asked<'_>, wish: Wish) -> [u8; 32] {
    let whole = format!("{}\n{}\n{}", wish.as_str(), asked.model, asked.row);
    app.sealer.mac_of_request(whole.as_bytes())
}
