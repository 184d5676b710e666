//! A training as a step: ordered like any other, worked on by whichever worker there is. Its run has an id that the step
//! gives it, so that a step begun twice finds the run it ordered, and orders no second one.

use crate::app::chains::hands::{Done, Place, Standing};
use crate::app::chains::steps::{Begun, VERSION};
use crate::app::datasets::DataSource;
use crate::app::home::App;
use crate::app::training::ending::{END_TAG, ERROR_TAG, EXIT_CODE_TAG};
use crate::app::training::orders::{Ordered, order_from};
use crate::app::training::progress;
use crate::app::training::registering::MODEL_TAG;
use crate::base::digest::Digest;
use crate::base::fact::{Class, Failure};
use crate::base::ids::RunId;
use crate::config::steps::TrainStep;
use crate::schedule::chain_run::StepOutcome;
use crate::tracking::run::{Run, RunStatus};

/// The id of the training run that an attempt of a step orders.
pub fn run_of(place: &Place) -> Option<RunId> {
    let text = format!("chain step\n{}\n{}\n{}", place.run, place.step, place.attempt);
    RunId::try_from(Digest::of(text.as_bytes()).to_hex()[..32].to_string()).ok()
}

pub(in crate::app::chains) fn order(begun: &Begun, plan: &TrainStep) -> Result<(), Failure> {
    let source = match begun.file(plan.file.as_ref())? {
        Some(path) => {
            let name = path.file_name().map(Into::into).unwrap_or_default();
            DataSource::Sent { path, name }
        }
        None => DataSource::Latest,
    };
    let ordered = Ordered {
        project: begun.applied.row.files.clone(),
        overrides: plan.set.clone(),
        id: run_of(&begun.place),
        tags: vec![
            ("tallystick.chain".into(), begun.row.run.chain.clone()),
            ("tallystick.chain_run".into(), begun.row.run.id.clone()),
        ],
    };
    order_from(&begun.app, ordered, &source).map(drop)
}

/// How the training stands, if it has come to an end.
pub(in crate::app::chains) fn ask(app: &App, place: &Place) -> Result<Option<Done>, Failure> {
    match app.hands.ask(place) {
        Standing::AtWork => return Ok(None),
        Standing::Done(done) => return Ok(Some(done)),
        Standing::Nobody => {}
    }
    let interrupted = || Done { outcome: StepOutcome::Interrupted, facts: Default::default() };
    let Some(id) = run_of(place) else { return Ok(Some(interrupted())) };
    let Some(run) = app.store.read_lab(|lab| lab.find_run(&id))? else { return Ok(Some(interrupted())) };
    let tag = |name: &str| run.tags.get(name).cloned().unwrap_or_default();
    Ok(match run.status {
        RunStatus::Scheduled | RunStatus::Running => None,
        RunStatus::Finished => Some(trained(&run, &tag(MODEL_TAG))),
        RunStatus::Failed | RunStatus::Killed => Some(match tag(END_TAG).as_str() {
            "interrupted" | "worker_lost" | "run.stopped" => interrupted(),
            code => Done {
                outcome: StepOutcome::Failed {
                    code: code.to_string(),
                    sentence: tag(ERROR_TAG),
                    retry: tag(EXIT_CODE_TAG).parse() == Ok(Class::Failed.exit_code()),
                },
                facts: Default::default(),
            },
        }),
    })
}

fn trained(run: &Run, model: &str) -> Done {
    // What a run registers is named as NAME@NUMBER.
    let number = model.rsplit_once('@').map_or("", |(_, number)| number);
    Done::well(format!("trained {model}")).with(VERSION, number).with("train_run", run.run_id.as_str())
}

/// Asks a training that is under way to stop; one that has ended is left as it is.
pub(in crate::app::chains) fn stop(app: &App, place: &Place) -> Result<(), Failure> {
    let Some(id) = run_of(place) else { return Ok(()) };
    match app.store.read_lab(|lab| lab.find_run(&id))? {
        Some(run) if matches!(run.status, RunStatus::Scheduled | RunStatus::Running) => {
            progress::cancel(app, id.as_str()).map(drop)
        }
        _ => Ok(()),
    }
}
