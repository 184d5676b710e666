//! What each kind of step does. Whatever may take long is done on a thread of its own; what goes wrong is a step that
//! failed, never a beat that stopped.
//! Never writes the chain's run; the beat does.

pub mod batch;
pub mod gate;
pub mod monitor;
pub mod notify;
pub mod promote;
pub mod train;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::app::chains::error::ChainError;
use crate::app::chains::hands::{Done, Place};
use crate::app::chains::projects::{self, Applied};
use crate::app::chains::{ChainRunRow, inbox};
use crate::app::home::App;
use crate::base::cancel::CancelFlag;
use crate::base::fact::{Class, Failure};
use crate::base::files;
use crate::config::steps::StepPlan;
use crate::registry::version::{ModelRef, Which};
use crate::schedule::chain_run::{StepOutcome, TriggerKind};
use crate::schedule::trigger::NamePattern;
use crate::security::actor::{Person, Role};

/// The version that this run trained, by its number.
pub const VERSION: &str = "version";

/// A step that begins: where it belongs, and the project as it is now.
pub struct Begun {
    /// As the schedule sees it.
    pub app: App,
    pub applied: Applied,
    pub row: ChainRunRow,
    pub place: Place,
    pub cancel: CancelFlag,
}

impl Done {
    pub fn well(said: impl Into<String>) -> Self {
        Self { outcome: StepOutcome::Succeeded { said: said.into() }, facts: BTreeMap::new() }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.facts.insert(name.to_string(), value.into());
        self
    }

    /// What may go better by itself is tried again; what was refused is not.
    pub fn of_failure(failure: &Failure) -> Self {
        let retry = matches!(failure.class(), Class::Failed | Class::Unavailable);
        let next = failure.next_step().map_or(String::new(), |step| format!(" {step}"));
        let (code, sentence) = (failure.code().to_string(), format!("{failure}.{next}"));
        Self { outcome: StepOutcome::Failed { code, sentence, retry }, facts: BTreeMap::new() }
    }
}

/// Begins a step on a thread of its own.
pub(in crate::app::chains) fn start(app: &App, row: &ChainRunRow, place: Place) -> Result<(), Failure> {
    let cancel = app.hands.take_up(place.clone());
    let (own, row) = (app.clone(), row.clone());
    let at = place.clone();
    let work = move || {
        let done = projects::find(&own, &row.project)
            .and_then(|applied| run(&Begun { app: own.clone(), applied, row, place, cancel }));
        // A training that was ordered is known by its run, not by this hand.
        match done {
            Ok(None) => own.hands.let_go(&at),
            Ok(Some(done)) => own.hands.finish(&at, done),
            Err(failure) => own.hands.finish(&at, Done::of_failure(&failure)),
        }
    };
    let thread = std::thread::Builder::new().name("chain step".into()).spawn(work);
    thread.map(drop).map_err(files::at(std::path::Path::new("a thread for a step")))?;
    Ok(())
}

fn run(begun: &Begun) -> Result<Option<Done>, Failure> {
    let missing = || ChainError::NoRun { id: begun.place.run.clone() };
    let step = begun.row.run.find(&begun.place.step).ok_or_else(missing)?;
    match StepPlan::of(&begun.row.run.chain, &step.step)? {
        StepPlan::Train(plan) => train::order(begun, &plan).map(|()| None),
        StepPlan::Gate(plan) => gate::judge(begun, &plan).map(Some),
        StepPlan::Stage => promote::stage(begun).map(Some),
        StepPlan::Promote(plan) => promote::promote(begun, &plan).map(Some),
        StepPlan::Batch(plan) => batch::score(begun, &plan).map(Some),
        StepPlan::Monitor(plan) => monitor::report(begun, &plan).map(Some),
        StepPlan::Notify(plan) => notify::tell(begun, &plan).map(Some),
    }
}

impl Begun {
    pub fn project(&self) -> &str {
        &self.applied.row.name
    }

    /// The home as whoever may move an alias: by the word of the approver who put this schedule in force.
    pub fn as_approver(&self) -> Result<App, Failure> {
        let roles = [Role::Worker, Role::Approver];
        Ok(self.app.as_person(Person::of(crate::app::chains::beat::SCHEDULE, &roles)?))
    }

    /// The version trained by this run.
    pub fn candidate(&self) -> Result<ModelRef, ChainError> {
        let number = self.row.facts.get(VERSION).and_then(|text| text.parse().ok());
        let which = number.map(Which::Number).ok_or(ChainError::NothingTrained)?;
        Ok(ModelRef { name: self.project().to_string(), which })
    }

    /// The file a step reads: the newest that fits, or the one that started the run.
    pub fn file(&self, pattern: Option<&NamePattern>) -> Result<Option<PathBuf>, Failure> {
        let trigger = &self.row.run.trigger;
        match (pattern, &trigger.from) {
            (Some(pattern), Some(name)) if trigger.kind == TriggerKind::File && pattern.fits(name) => {
                inbox::named(&self.app, self.project(), name).map(Some)
            }
            (Some(pattern), _) => inbox::newest(&self.app, self.project(), pattern).map(Some),
            (None, Some(name)) if trigger.kind == TriggerKind::File => {
                inbox::named(&self.app, self.project(), name).map(Some)
            }
            (None, _) => Ok(None),
        }
    }

    /// Why something was done, as its record says it.
    pub fn why(&self, what: &str) -> String {
        let (chain, id) = (&self.row.run.chain, &self.row.run.id);
        format!("{what}, chain {chain} run {id}, as put in force by {}", self.applied.row.applied_by)
    }

    pub fn project_files(&self) -> Arc<crate::config::project::Project> {
        Arc::clone(&self.applied.project)
    }
}
