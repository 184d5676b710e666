//! Whether the home still answers, and whether it can decide. Asked by probes and the watchdog.
//! Says nothing that only an admin may know.

use crate::app::home::App;
use crate::base::fact::{Class, Fact, Failure};
use crate::registry::version::Alias;

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

/// The stores answer, the ledger takes what is decided, and some model is in production.
pub fn ready(app: &App) -> Result<(), Failure> {
    probe(app)?;
    app.store.check_ledger_takes_writes()?;
    let mut serving = false;
    app.store.read_ledger(|ledger| {
        ledger.each_model_name(&mut |name| {
            serving |= ledger.find_alias(&name, Alias::Production.as_str())?.is_some();
            Ok(())
        })
    })?;
    if serving { Ok(()) } else { Err(NotReady::NoModel.into()) }
}
