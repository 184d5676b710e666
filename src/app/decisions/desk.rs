//! The desk an officer decides at: which models stand ready, what a form asks, what is known of its subject.
//! Decides nothing and keeps nothing.

use std::sync::Arc;

use crate::app::decisions::draft::subject_text;
use crate::app::decisions::lineup::{self, Seat};
use crate::app::decisions::{cases, repetition};
use crate::app::home::App;
use crate::app::server::health;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::ledger::leaf::Header;
use crate::registry::version::{ModelRef, Which};
use crate::security::actor::Act;

/// How a model in production is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeskState {
    Ready,
    /// Another version scores in its place.
    StandIn,
    /// Nothing can score; every case goes to a person.
    RefersAll,
}

/// A model that is decided with here.
#[derive(Clone, Debug)]
pub struct Desk {
    pub name: String,
    pub version: u64,
    /// When the version that scores, or else the one that should, was made.
    pub created_ms: i64,
    pub state: DeskState,
}

/// Every model in production, also one that no version can score for any more.
pub fn list(app: &App) -> Result<Vec<Desk>, Failure> {
    app.may(Act::ReadDecisions)?;
    let now_ms = app.now().millis();
    let mut desks = Vec::new();
    for name in health::in_production(app)? {
        if let Ok(seat) = lineup::seat(app, &in_force(&name)) {
            desks.push(desk_of(&seat, now_ms));
        }
    }
    Ok(desks)
}

fn in_force(name: &str) -> ModelRef {
    ModelRef { name: name.to_string(), which: Which::Unstated }
}

fn desk_of(seat: &Seat, now_ms: i64) -> Desk {
    let state = match &seat.standing {
        Some(standing) if standing.has_ended(now_ms) => DeskState::RefersAll,
        Some(_) if seat.is_degraded() => DeskState::StandIn,
        Some(_) => DeskState::Ready,
        None => DeskState::RefersAll,
    };
    let asked = &seat.asked;
    Desk { name: asked.name.clone(), version: asked.version, created_ms: asked.created_ms, state }
}

/// A model made ready to be asked, and how it is.
pub fn open(app: &App, name: &str) -> Result<(Arc<Seat>, Desk), Failure> {
    app.may(Act::Score)?;
    let seat = lineup::seat(app, &in_force(name))?;
    let desk = desk_of(&seat, app.now().millis());
    Ok((seat, desk))
}

/// What is to be known before a row is decided.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Cases of the same subject in the last weeks, the newest first.
    pub same_subject: Vec<Header>,
    /// This very form was sent before: its answer is there or under way.
    pub sent_before: bool,
}

/// Reads a row by the contract as a decision would, and looks its subject up.
pub fn look(app: &App, seat: &Seat, row: &str, key: &str) -> Result<Known, Failure> {
    let actor = app.may(Act::Score)?;
    let Some(standing) = &seat.standing else { return Ok(Known::default()) };
    let row = standing.parser.parse(row)?;
    let sent_before = repetition::is_known(app, actor.name(), key)?;
    let since_ms = app.now().millis() - limits::SAME_SUBJECT_MS;
    let same_subject = match subject_text(standing, &row) {
        Some(subject) => cases::of_subject(app, &subject, Some(since_ms))?,
        None => Vec::new(),
    };
    Ok(Known { same_subject, sent_before })
}
