//! Runs of chains that have ended: each chain's own steps, moved on by the state machine that the program moves them by.

use tallystick::app::chains::projects::Applied;
use tallystick::base::clock::iso_date;
use tallystick::base::ids::RunId;
use tallystick::base::rng::Random;
use tallystick::schedule::chain_run::{Action, ChainRun, StepOutcome, Trigger, TriggerKind};
use tallystick::schedule::definition::Chain;
use tallystick::schedule::due::planned_key;
use tallystick::store::error::StoreError;
use tallystick::store::open::Store;
use tallystick::store::rows::chains::{ChainRow, ChainRunRow};

use crate::{DAY_MS, Wanted};

const TOGETHER: usize = 500;
const MINUTE_MS: i64 = 60_000;
const BEATS_MAX: usize = 200;

pub fn fill(store: &Store, wanted: &Wanted, applied: &[Applied]) -> usize {
    let mut random = Random::new(2, "fill_lab.chains");
    let all: Vec<(&Applied, &Chain)> = applied
        .iter()
        .flat_map(|one| one.schedule().unwrap().chains().iter().map(move |chain| (one, chain)))
        .collect();
    let each = wanted.chain_runs / all.len();
    for (one, chain) in &all {
        let mut rows: Vec<ChainRunRow> =
            (0..each).map(|at| ended(one, chain, wanted.moment(at, each), &mut random)).collect();
        let last_run = rows.last().map(|row| row.run.id.clone());
        while !rows.is_empty() {
            let some: Vec<ChainRunRow> = rows.drain(..TOGETHER.min(rows.len())).collect();
            store
                .write_lab(move |lab| {
                    for row in &some {
                        let planned = row.run.planned_ms.unwrap_or(row.run.started_ms);
                        lab.put_chain_run_new(row, &planned_key(&row.run.chain, planned))?;
                        lab.put_chain_run(row)?;
                    }
                    Ok::<_, StoreError>(())
                })
                .unwrap();
        }
        keep(store, one, chain, last_run, wanted);
    }
    each * all.len()
}

/// What is known of the chain itself: nothing is due before today.
fn keep(store: &Store, one: &Applied, chain: &Chain, last_run: Option<String>, wanted: &Wanted) {
    let row = ChainRow {
        project: one.row.name.clone(),
        chain: chain.name.clone(),
        dealt_ms: (wanted.today as i64 + 1) * DAY_MS,
        pause: None,
        commits: Default::default(),
        inboxes: Default::default(),
        outcomes_then: 0,
        last_run,
        skipped: 0,
        queued: Vec::new(),
    };
    store.write_lab(move |lab| lab.put_chain(&row)).unwrap();
}

fn ended(one: &Applied, chain: &Chain, at_ms: i64, random: &mut Random) -> ChainRunRow {
    let trigger = Trigger { kind: TriggerKind::Cron, by: None, from: None };
    let mut run = ChainRun::begin(chain, RunId::draw().to_string(), trigger, Some(at_ms), at_ms);
    let mut row = ChainRunRow {
        project: one.row.name.clone(),
        config: one.row.digest,
        run: run.clone(),
        facts: Default::default(),
    };
    let mut now_ms = at_ms;
    for _ in 0..BEATS_MAX {
        let actions = run.advance(now_ms);
        if run.ended.is_some() {
            break;
        }
        now_ms = run.next_ms().filter(|_| actions.is_empty()).unwrap_or(now_ms + 3 * MINUTE_MS);
        for action in actions {
            if let Action::Start { step, attempt } = action {
                let outcome = outcome_of(random);
                if matches!(outcome, StepOutcome::Succeeded { .. }) {
                    let value = fact_of(&step, at_ms);
                    row.facts.insert(format!("{}.{step}", value.0), value.1);
                }
                run.note(&step, attempt, outcome, now_ms).unwrap();
            }
        }
    }
    assert!(run.ended.is_some(), "a run of {} does not end", chain.name);
    row.run = run;
    row
}

fn outcome_of(random: &mut Random) -> StepOutcome {
    match random.below(40) {
        0 => StepOutcome::Failed {
            code: "data.refused".into(),
            sentence: "The file has fewer rows than its expectations ask for: 812 of at least 1,000.".into(),
            retry: false,
        },
        1 => StepOutcome::Failed {
            code: "io.unavailable".into(),
            sentence: "The file could not be read; it is tried again.".into(),
            retry: true,
        },
        2 => StepOutcome::Skipped { said: "There was no new file.".into() },
        _ => StepOutcome::Succeeded { said: "1,204 rows, as expected.".into() },
    }
}

/// What a step leaves, by the name it goes under.
fn fact_of(step: &str, at_ms: i64) -> (&'static str, String) {
    match step {
        "train" => ("train_run", RunId::draw().to_string()),
        "gate" | "stage" | "promote" => ("version", "1".into()),
        "watch" => ("report", iso_date((at_ms / DAY_MS) as f64).unwrap()),
        _ => ("batch", format!("scores-{}.csv", at_ms / DAY_MS)),
    }
}
