//! The course of one run, told step by step.

use crate::base::fact::Fact;
use crate::schedule::chain_run::{
    Action, AlertKind, ChainRun, Ending, RerunError, Status, StepOutcome, StepState, StopCause, Trigger,
    TriggerKind,
};
use crate::schedule::definition::Chain;
use crate::schedule::limits::{DAY_MS, FREE_INTERRUPTIONS_MAX, HOUR_MS, MINUTE_MS, STOP_GRACE_MS};
use crate::schedule::raw::RawSchedule;

/// 2026-03-02 02:00 in UTC.
const TWO: i64 = 1_772_416_800_000;

fn chain(keys: &str, steps: &str) -> Chain {
    let toml = format!("[[chain]]\nname = \"weekly\"\ncron = \"0 2 * * 1\"\n{keys}\nstep = [{steps}]");
    let raw: RawSchedule = toml::from_str(&toml).unwrap();
    raw.check().unwrap().chains().first().unwrap().clone()
}

fn begin(chain: &Chain, kind: TriggerKind, now_ms: i64) -> ChainRun {
    ChainRun::begin(chain, "run-1".into(), Trigger { kind, by: None, from: None }, Some(TWO), now_ms)
}

/// A run on its hour.
fn run(keys: &str, steps: &str) -> ChainRun {
    begin(&chain(keys, steps), TriggerKind::Cron, TWO)
}

const LOOP: &str = r#"
    { name = "train", run = "train", retries = 2, backoff = "1m", timeout = "2h" },
    { name = "gate", run = "gate" },
    { name = "promote", run = "promote" },
    { name = "tell", run = "notify", after = ["train", "gate"], when = "one_failed" },
    { name = "close", run = "monitor", after = ["promote", "tell"], when = "all_done" }
"#;

fn start(step: &str, attempt: u32) -> Action {
    Action::Start { step: step.into(), attempt }
}

fn succeeded() -> StepOutcome {
    StepOutcome::Succeeded { said: "done".into() }
}

fn failed(retry: bool) -> StepOutcome {
    StepOutcome::Failed { code: "train.diverged".into(), sentence: "The loss is not finite.".into(), retry }
}

fn state(run: &ChainRun, step: &str) -> StepState {
    run.find(step).unwrap().state.clone()
}

#[test]
fn a_chain_goes_step_by_step_to_its_end() {
    let mut run = run("", LOOP);
    assert_eq!(run.advance(TWO), [start("train", 1)]);
    assert_eq!(run.advance(TWO + 1), []);
    run.note("train", 1, succeeded(), TWO + 10).unwrap();
    assert_eq!(run.advance(TWO + 11), [start("gate", 1)]);
    run.note("gate", 1, succeeded(), TWO + 20).unwrap();
    assert_eq!(run.advance(TWO + 21), [start("promote", 1)]);
    assert_eq!(state(&run, "tell"), StepState::Skipped);
    run.note("promote", 1, succeeded(), TWO + 30).unwrap();
    assert_eq!(run.advance(TWO + 31), [start("close", 1)]);
    run.note("close", 1, succeeded(), TWO + 40).unwrap();
    assert_eq!(run.status(), Status::Running);
    assert_eq!(run.advance(TWO + 41), [Action::Finished { status: Status::Succeeded }]);
    assert_eq!(run.advance(TWO + 42), []);
    assert_eq!((run.status(), run.next_ms()), (Status::Succeeded, None));
}

#[test]
fn a_step_that_fails_twice_and_then_succeeds_has_three_attempts_further_and_further_apart() {
    let mut run = run("", LOOP);
    run.advance(TWO);
    run.note("train", 1, failed(true), TWO + 1_000).unwrap();
    assert_eq!(run.advance(TWO + 60_999), []);
    assert_eq!(run.next_ms(), Some(TWO + 61_000));
    assert_eq!(run.advance(TWO + 61_000), [start("train", 2)]);
    run.note("train", 2, failed(true), TWO + 62_000).unwrap();
    assert_eq!(run.advance(TWO + 181_999), []);
    assert_eq!(run.advance(TWO + 182_000), [start("train", 3)]);
    run.note("train", 3, succeeded(), TWO + 183_000).unwrap();
    assert_eq!(run.advance(TWO + 183_000), [start("gate", 1)]);
    let attempts = &run.find("train").unwrap().attempts;
    let numbers: Vec<u32> = attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(matches!(attempts.first().unwrap().ending, Some(Ending::Failed { .. })));
    assert_eq!(attempts.last().unwrap().ending, Some(Ending::Succeeded { said: "done".into() }));
}

#[test]
fn a_failure_that_no_retry_can_mend_goes_to_whom_it_concerns_and_the_run_fails() {
    let mut run = run("", LOOP);
    run.advance(TWO);
    run.note("train", 1, failed(false), TWO + 1).unwrap();
    assert_eq!(run.advance(TWO + 2), [start("tell", 1)]);
    assert_eq!(state(&run, "gate"), StepState::UpstreamFailed);
    assert_eq!(state(&run, "promote"), StepState::UpstreamFailed);
    run.note("tell", 1, succeeded(), TWO + 3).unwrap();
    assert_eq!(run.advance(TWO + 4), [start("close", 1)]);
    run.note("close", 1, succeeded(), TWO + 5).unwrap();
    assert_eq!(run.advance(TWO + 6), [Action::Finished { status: Status::Failed }]);
}

#[test]
fn a_step_that_has_nothing_to_do_lets_those_be_skipped_that_need_it() {
    let mut run = run("", LOOP);
    run.advance(TWO);
    run.note("train", 1, StepOutcome::Skipped { said: "no new rows".into() }, TWO + 1).unwrap();
    assert_eq!(run.advance(TWO + 2), [start("close", 1)]);
    assert_eq!(
        ["gate", "promote", "tell"].map(|step| state(&run, step)),
        [(); 3].map(|()| StepState::Skipped)
    );
    run.note("close", 1, succeeded(), TWO + 3).unwrap();
    assert_eq!(run.advance(TWO + 4), [Action::Finished { status: Status::Succeeded }]);
}

#[test]
fn a_hung_step_is_stopped_at_its_timeout_and_tried_again_once_it_has_stopped() {
    let mut run = run("", LOOP);
    run.advance(TWO);
    let late = TWO + 2 * HOUR_MS;
    assert_eq!(run.advance(late - 1), []);
    let stop = Action::Stop { step: "train".into(), attempt: 1, cause: StopCause::Timeout };
    let alert = Action::Alert { kind: AlertKind::StepTimeout { step: "train".into() } };
    assert_eq!(run.advance(late), [stop, alert]);
    assert_eq!(run.advance(late + STOP_GRACE_MS - 1), []);
    run.note("train", 1, failed(false), late + STOP_GRACE_MS - 1).unwrap();
    assert_eq!(run.find("train").unwrap().attempts.last().unwrap().ending, Some(Ending::TimedOut));
    let again = late + STOP_GRACE_MS - 1 + MINUTE_MS;
    assert_eq!(run.advance(again), [start("train", 2)]);
    assert_eq!(run.advance(again + 2 * HOUR_MS).len(), 1, "stopped again, not told again");
}

#[test]
fn a_step_that_never_says_it_stopped_is_not_tried_again() {
    let mut run = run("", LOOP);
    run.advance(TWO);
    let late = TWO + 2 * HOUR_MS;
    run.advance(late);
    assert_eq!(run.advance(late + STOP_GRACE_MS), [start("tell", 1)]);
    assert_eq!(run.find("train").unwrap().attempts.last().unwrap().ending, Some(Ending::NoAnswer));
    let word = run.note("train", 1, succeeded(), late + DAY_MS).unwrap_err();
    assert_eq!(word.code(), "chain_run.not_under_way");
    assert_eq!(state(&run, "train"), StepState::Failed);
}

#[test]
fn a_hung_run_alerts_once_for_its_deadline_and_once_for_its_hour_while_it_runs() {
    let mut run = run("deadline = \"3h\"\nfinish_by = \"06:00\"", "{ name = \"a\", run = \"batch\" }");
    assert_eq!(run.advance(TWO), [start("a", 1)]);
    assert_eq!(run.next_ms(), Some(TWO + 3 * HOUR_MS));
    assert_eq!(run.advance(TWO + 3 * HOUR_MS - 1), []);
    assert_eq!(run.advance(TWO + 3 * HOUR_MS), [Action::Alert { kind: AlertKind::Deadline }]);
    assert_eq!(run.advance(TWO + 4 * HOUR_MS), [Action::Alert { kind: AlertKind::FinishBy }]);
    assert_eq!(run.advance(TWO + DAY_MS - 1), []);
    run.note("a", 1, succeeded(), TWO + DAY_MS - 1).unwrap();
    assert_eq!(run.advance(TWO + DAY_MS - 1), [Action::Finished { status: Status::Succeeded }]);
}

#[test]
fn a_run_that_ends_in_time_never_alerts_even_when_asked_late() {
    let mut run = run("deadline = \"3h\"", "{ name = \"a\", run = \"batch\" }");
    run.advance(TWO);
    run.note("a", 1, succeeded(), TWO + HOUR_MS).unwrap();
    assert_eq!(run.advance(TWO + DAY_MS), [Action::Finished { status: Status::Succeeded }]);
}

#[test]
fn a_backfill_counts_its_deadline_from_its_beginning_and_a_late_start_from_its_plan() {
    let chain = chain("deadline = \"3h\"\nfinish_by = \"02:00\"", "{ name = \"a\", run = \"batch\" }");
    let now = TWO + 30 * DAY_MS;
    assert_eq!(begin(&chain, TriggerKind::Backfill, now).deadline_ms, Some(now + 3 * HOUR_MS));
    let late = begin(&chain, TriggerKind::CatchUp, now);
    assert_eq!(late.deadline_ms, Some(TWO + 3 * HOUR_MS));
    assert_eq!(
        late.finish_by_ms,
        Some(TWO + DAY_MS),
        "02:00 itself is the beginning, so it means the next day's"
    );
}

#[test]
fn a_step_that_waits_for_a_person_holds_no_worker_and_goes_on_when_they_decide() {
    let mut run = run("", LOOP);
    run.advance(TWO);
    run.note("train", 1, succeeded(), TWO).unwrap();
    run.advance(TWO);
    let waiting = StepOutcome::Waiting { what: "a second person's word".into(), until_ms: TWO + DAY_MS };
    run.note("gate", 1, waiting, TWO + 1).unwrap();
    assert_eq!((run.status(), run.advance(TWO + 2)), (Status::Waiting, vec![]));
    assert_eq!(run.next_ms(), Some(TWO + DAY_MS));
    assert!(run.interrupted(TWO + 3).is_empty(), "a restart does not concern it");
    assert_eq!(run.status(), Status::Waiting);
    run.note("gate", 1, succeeded(), TWO + HOUR_MS).unwrap();
    assert_eq!(run.advance(TWO + HOUR_MS), [start("promote", 1)]);
    assert_eq!(run.status(), Status::Running);
}

#[test]
fn what_no_person_decides_expires() {
    let mut run = run("", "{ name = \"a\", run = \"promote\" }");
    run.advance(TWO);
    let forever = StepOutcome::Waiting { what: "approval".into(), until_ms: i64::MAX };
    run.note("a", 1, forever, TWO).unwrap();
    assert_eq!(run.next_ms(), Some(TWO + 30 * DAY_MS));
    assert_eq!(run.advance(TWO + 30 * DAY_MS), [Action::Finished { status: Status::Failed }]);
    assert_eq!(run.find("a").unwrap().attempts.last().unwrap().ending, Some(Ending::Expired));
}

#[test]
fn a_restart_repeats_what_ran_without_costing_a_retry_and_only_so_often() {
    let mut run = run("", "{ name = \"a\", run = \"train\", retries = 1 }");
    run.advance(TWO);
    for restart in 1..=FREE_INTERRUPTIONS_MAX {
        assert_eq!(run.interrupted(TWO), ["a"]);
        assert_eq!(run.advance(TWO), [start("a", restart + 1)]);
    }
    run.interrupted(TWO);
    assert_eq!(run.advance(TWO), [], "this one costs the retry, after its back-off");
    assert_eq!(run.advance(TWO + MINUTE_MS), [start("a", 7)]);
    run.interrupted(TWO + MINUTE_MS);
    assert_eq!(run.advance(TWO + MINUTE_MS), [Action::Finished { status: Status::Failed }]);
    let interrupted = |ending: &Option<Ending>| *ending == Some(Ending::Interrupted);
    assert_eq!(run.find("a").unwrap().attempts.iter().filter(|a| interrupted(&a.ending)).count(), 7);
}

#[test]
fn a_cancelled_run_stops_what_runs_and_begins_nothing() {
    let mut run = run("", LOOP);
    run.advance(TWO);
    run.cancel("ada", TWO + 1);
    run.cancel("bob", TWO + 2);
    let stop = Action::Stop { step: "train".into(), attempt: 1, cause: StopCause::Cancel };
    assert_eq!(run.advance(TWO + 3), [stop]);
    assert_eq!(state(&run, "close"), StepState::Cancelled);
    assert_eq!(run.advance(TWO + 4), []);
    run.note("train", 1, failed(true), TWO + 5).unwrap();
    assert_eq!(run.advance(TWO + 6), [Action::Finished { status: Status::Cancelled }]);
    assert_eq!(run.cancel.as_ref().map(|cancel| cancel.by.as_str()), Some("ada"));
}

#[test]
fn a_rerun_keeps_what_went_well_and_repeats_the_rest() {
    let mut first = run("deadline = \"3h\"", LOOP);
    first.advance(TWO);
    assert!(matches!(first.rerun(None, "run-2".into(), None, TWO), Err(RerunError::NotEnded { .. })));
    first.note("train", 1, succeeded(), TWO).unwrap();
    first.advance(TWO);
    first.note("gate", 1, failed(false), TWO).unwrap();
    first.advance(TWO);
    first.note("tell", 1, succeeded(), TWO).unwrap();
    first.advance(TWO);
    first.note("close", 1, succeeded(), TWO).unwrap();
    first.advance(TWO);

    let later = TWO + DAY_MS;
    let mut second = first.rerun(None, "run-2".into(), Some("ada".into()), later).unwrap();
    assert_eq!(second.trigger.from.as_deref(), Some("run-1"));
    assert_eq!((second.planned_ms, second.deadline_ms), (Some(TWO), Some(later + 3 * HOUR_MS)));
    assert_eq!(second.find("train").unwrap().carried_from.as_deref(), Some("run-1"));
    assert_eq!(second.advance(later), [start("gate", 1)]);
    second.note("gate", 1, succeeded(), later).unwrap();
    assert_eq!(second.advance(later), [start("promote", 1)]);
    assert_eq!(state(&second, "tell"), StepState::Skipped, "this time nothing failed");

    let named = first.rerun(Some("promote"), "run-3".into(), None, later).unwrap_err();
    assert_eq!(named.to_string(), "the step \"promote\" of the run run-1 never began, as gate failed");
    let unknown = first.rerun(Some("promot"), "run-3".into(), None, later).unwrap_err();
    assert_eq!(unknown.next_step().as_deref(), Some("Did you mean \"promote\"?"));
    let whole = first.rerun(Some("train"), "run-3".into(), None, later).unwrap();
    assert!(whole.steps.iter().all(|step| step.carried_from.is_none()));
}

#[test]
fn a_clock_set_back_neither_repeats_nor_holds_up_a_run() {
    let mut run = run("deadline = \"3h\"", LOOP);
    run.advance(TWO);
    run.note("train", 1, failed(true), TWO + 1_000).unwrap();
    run.advance(TWO + 2_000);
    let back = TWO - 30 * DAY_MS;
    assert_eq!(run.advance(back), []);
    assert_eq!(run.next_ms(), Some(back + 59_000));
    assert_eq!(run.advance(back + 59_000), [start("train", 2)]);
}

#[test]
fn a_word_for_an_unknown_step_or_another_attempt_changes_nothing() {
    let mut run = run("", LOOP);
    run.advance(TWO);
    let before = run.clone();
    assert_eq!(
        run.note("trian", 1, succeeded(), TWO).unwrap_err().next_step().as_deref(),
        Some("Did you mean \"train\"?")
    );
    for (step, attempt) in [("train", 2), ("train", 0), ("gate", 0), ("gate", 1)] {
        let wrong = run.note(step, attempt, succeeded(), TWO).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            format!("attempt {attempt} of the step {step:?} is not under way in the run run-1")
        );
    }
    assert_eq!(run, before);
}

#[test]
fn what_a_step_says_is_kept_short() {
    let mut run = run("", LOOP);
    run.advance(TWO);
    run.note("train", 1, StepOutcome::Succeeded { said: "é".repeat(9_000) }, TWO).unwrap();
    let said = run.find("train").unwrap().attempts.last().unwrap().ending.clone();
    assert_eq!(said, Some(Ending::Succeeded { said: "é".repeat(500) }));
}
