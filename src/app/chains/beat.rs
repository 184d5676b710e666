//! One beat of what runs by itself: what is due begins, what has come to an end is noted, what follows is done.
//! Each run is written down as it will be before anything is done about it; what the process did not get to do is found
//! undone at the next beat, and begun again.

use crate::app::alerts::{self, News};
use crate::app::chains::ChainRunRow;
use crate::app::chains::counted;
use crate::app::chains::hands::{Done, Place, Standing};
use crate::app::chains::projects::{self, Applied};
use crate::app::chains::starts;
use crate::app::chains::steps;
use crate::app::home::App;
use crate::base::fact::{Class, Failure};
use crate::config::steps::StepPlan;
use crate::schedule::chain_run::TriggerKind;
use crate::schedule::chain_run::{Action, AlertKind, Status, StepOutcome, StepState};
use crate::schedule::definition::TriggerOn;
use crate::schedule::limits;
use crate::schedule::trigger::chain_start;
use crate::security::actor::{Person, Role};
use crate::store::rows::chains::ChainRow;

/// Who acts where nobody is there: what its steps do is recorded in this name.
pub const SCHEDULE: &str = "schedule";

/// The home as the schedule sees it.
pub fn as_schedule(app: &App) -> Result<App, Failure> {
    Ok(app.as_person(Person::of(SCHEDULE, &[Role::Worker])?))
}

/// Goes through every chain and every run once. What goes wrong with one keeps no other; the first of it is answered.
pub fn beat(app: &App) -> Result<(), Failure> {
    let app = &as_schedule(app)?;
    let _turn = app.hands.turn();
    let mut first = None;
    let mut heed = |done: Result<(), Failure>| {
        if let Err(error) = done {
            tracing::error!(code = error.code(), cause = %error, "a chain could not go on");
            first.get_or_insert(error);
        }
    };
    for row in app.store.read_lab(|lab| lab.list_projects())? {
        let name = row.name;
        heed(projects::find(app, &name).and_then(|applied| starts::begin_due(app, &applied)));
    }
    for row in app.store.read_lab(|lab| lab.list_open_chain_runs())? {
        heed(go_on(app, row));
    }
    first.map_or(Ok(()), Err)
}

fn go_on(app: &App, before: ChainRunRow) -> Result<(), Failure> {
    let mut row = before.clone();
    hear(app, &mut row)?;
    let now = app.now().millis();
    let actions = row.run.advance(now);
    if row == before {
        return Ok(());
    }
    let news = actions.iter().filter_map(|action| news_of(&row, action)).collect();
    let followers = followers_of(app, &row, &actions)?;
    let kept = row.clone();
    alerts::raise_with(app, news, move |lab| {
        followers.iter().try_for_each(|chain| lab.put_chain(chain))?;
        lab.put_chain_run(&kept)
    })?;
    counted::note(app, &before, &row);
    actions.into_iter().try_for_each(|action| act(app, &row, action))
}

/// Takes down what the steps under way have come to.
fn hear(app: &App, row: &mut ChainRunRow) -> Result<(), Failure> {
    let under_way = |state: &StepState| {
        matches!(state, StepState::Running { .. } | StepState::Stopping { .. } | StepState::Waiting { .. })
    };
    let places: Vec<Place> = row
        .run
        .steps
        .iter()
        .filter(|step| under_way(&step.state))
        .map(|step| Place { run: row.run.id.clone(), step: step.step.name.clone(), attempt: step.attempt() })
        .collect();
    for place in places {
        if let Some(Done { outcome, facts }) = ask(app, row, &place)? {
            row.facts.extend(facts);
            row.run.note(&place.step, place.attempt, outcome, app.now().millis())?;
        }
    }
    Ok(())
}

/// What became of one step, if anything has.
fn ask(app: &App, row: &ChainRunRow, place: &Place) -> Result<Option<Done>, Failure> {
    let Some(step) = row.run.find(&place.step) else { return Ok(None) };
    let plan = StepPlan::of(&row.run.chain, &step.step)?;
    match plan {
        // Its run is known to the store, whichever process began it.
        StepPlan::Train(_) => steps::train::ask(app, place),
        StepPlan::Promote(_) if matches!(step.state, StepState::Waiting { .. }) => {
            steps::promote::ask(app, row, place)
        }
        _ if matches!(step.state, StepState::Waiting { .. }) => Ok(None),
        _ => Ok(match app.hands.ask(place) {
            Standing::AtWork => None,
            Standing::Done(done) => Some(done),
            Standing::Nobody => Some(Done { outcome: StepOutcome::Interrupted, facts: Default::default() }),
        }),
    }
}

fn act(app: &App, row: &ChainRunRow, action: Action) -> Result<(), Failure> {
    let place = |step: String, attempt| Place { run: row.run.id.clone(), step, attempt };
    match action {
        Action::Start { step, attempt } => steps::start(app, row, place(step, attempt)),
        Action::Stop { step, attempt, .. } => {
            let place = place(step, attempt);
            app.hands.cancel(&place);
            steps::train::stop(app, &place)
        }
        Action::Alert { .. } | Action::Finished { .. } => Ok(()),
    }
}

/// Chains that start when this one ends, with the start in their line.
fn followers_of(app: &App, row: &ChainRunRow, actions: &[Action]) -> Result<Vec<ChainRow>, Failure> {
    let ended = actions.iter().find_map(|action| match action {
        Action::Finished { status } => Some(*status),
        _ => None,
    });
    let Some(status) = ended else { return Ok(Vec::new()) };
    let applied = match projects::find(app, &row.project) {
        Ok(applied) => applied,
        // Taken out of force meanwhile: nothing follows.
        Err(error) if error.class() == Class::Usage => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    followers(app, &applied, row, status)
}

fn followers(
    app: &App,
    applied: &Applied,
    row: &ChainRunRow,
    status: Status,
) -> Result<Vec<ChainRow>, Failure> {
    let mut rows = Vec::new();
    for chain in applied.schedule()?.chains() {
        let begins = chain.triggers.iter().find_map(|on| match on {
            TriggerOn::Chain { name, when } if *name == row.run.chain => {
                chain_start(&chain.name, *when, &row.run.id, status)
            }
            _ => None,
        });
        let Some(start) = begins else { continue };
        let mut follower = starts::row_of(app, &applied.row.name, chain)?;
        if starts::is_paused(chain, &follower) {
            continue;
        }
        if follower.queued.len() < limits::QUEUED_STARTS_MAX {
            follower.queued.push(starts::queued(TriggerKind::Chain, start));
        } else {
            follower.skipped += 1;
        }
        rows.push(follower);
    }
    Ok(rows)
}

/// What is told of an action to whoever is on duty.
fn news_of(row: &ChainRunRow, action: &Action) -> Option<News> {
    let run = &row.run;
    let (what, key) = match action {
        Action::Alert { kind: AlertKind::Deadline } => {
            ("has not ended by its deadline", "deadline".to_string())
        }
        Action::Alert { kind: AlertKind::FinishBy } => {
            ("has not ended by its time of day", "finish-by".to_string())
        }
        Action::Alert { kind: AlertKind::StepTimeout { step } } => {
            ("has a step that took too long and was stopped", format!("timeout/{step}"))
        }
        Action::Finished { status: Status::Failed } => ("has failed", "failed".to_string()),
        Action::Start { .. } | Action::Stop { .. } | Action::Finished { .. } => return None,
    };
    Some(News::of_run(row, what, &format!("chain/{}/{}/{key}", row.project, run.chain)))
}
