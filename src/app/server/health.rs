//! Whether the home still answers, and whether it can decide. Asked by probes and the watchdog.
//! Says nothing that only an admin may know.

use crate::app::decisions::lineup;
use crate::app::home::App;
use crate::base::fact::{Class, Fact, Failure};
use crate::registry::version::{Alias, ModelRef, Which};

#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    #[error("no model is in production")]
    NoModel,
}

impl Fact for NotReady {
    fn code(&self) -> &'static str {
        "health.no_model"
    }

    fn class(&self) -> Class {
        Class::Unavailable
    }

    fn next_step(&self) -> Option<String> {
        Some("Promote a version: `tallystick model promote NAME --to production`.".into())
    }
}

/// Both stores answer a question.
pub fn probe(app: &App) -> Result<(), Failure> {
    app.store.read_ledger(|ledger| ledger.log_size())?;
    app.store.read_lab(|lab| lab.find_experiment(crate::tracking::experiment::DEFAULT_ID))?;
    Ok(())
}

/// Whether the ledger takes what is decided: nothing is answered that it does not.
pub fn is_recording(app: &App) -> bool {
    app.store.check_ledger_takes_writes().is_ok()
}

/// What a server that can decide still has to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Each names a model and what is wrong with it; decisions are made all the same.
    pub warnings: Vec<String>,
}

/// The stores answer, the ledger takes what is decided, and some model is in production.
pub fn ready(app: &App) -> Result<Readiness, Failure> {
    probe(app)?;
    app.store.check_ledger_takes_writes()?;
    let names = in_production(app)?;
    if names.is_empty() {
        return Err(NotReady::NoModel.into());
    }
    let now_ms = app.now().millis();
    let mut warnings = Vec::new();
    for (reference, seat) in app.answering.lineup.list() {
        match (&seat.degraded, &seat.standing) {
            (Some(_), Some(_)) => warnings.push(format!("{reference}: a stand-in scores")),
            (Some(_), None) => {
                warnings.push(format!("{reference}: no release can score; every case is referred"))
            }
            (None, Some(standing)) if standing.has_ended(now_ms) => {
                warnings.push(format!("{reference}: its release has ended; every case is referred"));
            }
            (None, _) => {}
        }
    }
    Ok(Readiness { warnings })
}

/// Makes ready what is in production, so that the first request does not wait for it.
pub fn make_ready(app: &App) -> Result<(), Failure> {
    for name in in_production(app)? {
        let model = ModelRef { name, which: Which::Unstated };
        if let Err(error) = lineup::seat(app, &model) {
            tracing::error!(model = %model, code = error.code(), "a model could not be made ready");
        }
    }
    Ok(())
}

pub(in crate::app) fn in_production(app: &App) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    app.store.read_ledger(|ledger| {
        ledger.each_model_name(&mut |name| {
            if ledger.find_alias(&name, Alias::Production.as_str())?.is_some() {
                names.push(name);
            }
            Ok(())
        })
    })?;
    Ok(names)
}
