//! What holds for every chain, whatever happens in whatever order.

use std::collections::BTreeSet;

use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use proptest::strategy::Just;

use crate::schedule::chain_run::rules::{Before, Judgement, judge};
use crate::schedule::chain_run::{Action, ChainRun, Status, StepOutcome, StepState, Trigger, TriggerKind};
use crate::schedule::definition::Chain;
use crate::schedule::limits;
use crate::schedule::raw::{RawChain, RawSchedule, RawStep};

#[derive(Clone, Debug)]
enum Event {
    /// To the step of that number, modulo how many run.
    Note(usize, Word),
    /// To a step that may not run, or for an attempt long gone.
    Stray(usize, u32, Word),
    Restart,
    Crash,
    Clock(i64),
    Cancel,
}

#[derive(Clone, Copy, Debug)]
enum Word {
    Succeeded,
    Failed(bool),
    Waiting(i64),
    Skipped,
    Interrupted,
}

impl Word {
    fn outcome(self, now_ms: i64) -> StepOutcome {
        match self {
            Self::Succeeded => StepOutcome::Succeeded { said: String::new() },
            Self::Failed(retry) => StepOutcome::Failed { code: "a.b".into(), sentence: "No.".into(), retry },
            Self::Waiting(length) => StepOutcome::Waiting { what: "x".into(), until_ms: now_ms + length },
            Self::Skipped => StepOutcome::Skipped { said: String::new() },
            Self::Interrupted => StepOutcome::Interrupted,
        }
    }
}

fn a_chain() -> impl Strategy<Value = Chain> {
    let step = (any::<u8>(), 0..4_usize, 0..3_i64, any::<bool>());
    proptest::collection::vec(step, 1..7).prop_map(|steps| {
        let named = |n: usize| format!("s{n}");
        let raw = |(n, (after, when, retries, timeout)): (usize, &(u8, usize, i64, bool))| {
            let after: Vec<String> = (0..n).filter(|before| after >> before & 1 == 1).map(named).collect();
            let rules = ["all_success", "all_done", "one_failed", "none_failed"];
            let when = if after.is_empty() { "all_success" } else { rules[*when] };
            RawStep {
                name: named(n),
                run: "gate".into(),
                after: Some(after),
                when: Some(when.into()),
                retries: Some(*retries),
                timeout: timeout.then(|| "10m".into()),
                ..RawStep::default()
            }
        };
        let step = steps.iter().enumerate().map(raw).collect();
        let chain = RawChain {
            name: "law".into(),
            deadline: Some("20m".into()),
            finish_by: Some("06:00".into()),
            step,
            ..RawChain::default()
        };
        let raw = RawSchedule { timezone: None, chain: vec![chain] };
        raw.check().unwrap().chains().first().unwrap().clone()
    })
}

fn an_event() -> impl Strategy<Value = Event> {
    let word = || {
        prop_oneof![
            3 => Just(Word::Succeeded),
            3 => any::<bool>().prop_map(Word::Failed),
            1 => (-1_000..limits::HOUR_MS).prop_map(Word::Waiting),
            1 => Just(Word::Skipped),
            1 => Just(Word::Interrupted),
        ]
    };
    prop_oneof![
        8 => (any::<usize>(), word()).prop_map(|(n, word)| Event::Note(n, word)),
        2 => (any::<usize>(), 0..4_u32, word()).prop_map(|(n, at, word)| Event::Stray(n, at, word)),
        1 => Just(Event::Restart),
        1 => Just(Event::Crash),
        4 => (-limits::HOUR_MS..limits::HOUR_MS).prop_map(Event::Clock),
        4 => (0..limits::MINUTE_MS).prop_map(Event::Clock),
        1 => any::<u8>().prop_map(|n| if n < 40 { Event::Cancel } else { Event::Clock(1) }),
    ]
}

/// The world around a run: what is truly at work, what was told.
struct World {
    run: ChainRun,
    now_ms: i64,
    /// Attempts that a worker runs.
    at_work: BTreeSet<(String, u32)>,
    started: BTreeSet<(String, u32)>,
    alerts: Vec<String>,
    finished: u32,
}

impl World {
    fn new(chain: &Chain) -> Self {
        let now_ms = 1_772_416_800_000;
        let trigger = Trigger { kind: TriggerKind::Hand, by: None, from: None };
        let run = ChainRun::begin(chain, "r".into(), trigger, None, now_ms);
        let (at_work, started) = (BTreeSet::new(), BTreeSet::new());
        Self { run, now_ms, at_work, started, alerts: Vec::new(), finished: 0 }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Clock(step) => self.now_ms += step,
            Event::Cancel => self.run.cancel("ada", self.now_ms),
            Event::Note(n, word) => {
                let open = self.open();
                if let Some((step, attempt)) = open.get(n % open.len().max(1)) {
                    self.note(step, *attempt, *word);
                }
            }
            Event::Stray(n, attempt, word) => {
                let name = format!("s{}", n % 7);
                // Only a worker that is really there can say that it is done.
                let there = self.at_work.contains(&(name.clone(), *attempt));
                if there || self.open().iter().all(|open| *open != (name.clone(), *attempt)) {
                    self.note(&name, *attempt, *word);
                }
            }
            Event::Restart => self.restart(),
            Event::Crash => {
                // Stored, but what it said to do was never done.
                self.run.advance(self.now_ms);
                self.restart();
            }
        }
    }

    fn open(&self) -> Vec<(String, u32)> {
        let open = self.run.steps.iter().filter(|run| {
            matches!(
                run.state,
                StepState::Running { .. } | StepState::Stopping { .. } | StepState::Waiting { .. }
            )
        });
        open.map(|run| (run.step.name.clone(), run.attempt())).collect()
    }

    fn note(&mut self, step: &str, attempt: u32, word: Word) {
        let _ = self.run.note(step, attempt, word.outcome(self.now_ms), self.now_ms);
        self.at_work.remove(&(step.to_string(), attempt));
    }

    fn restart(&mut self) {
        let text = serde_json::to_string(&self.run).unwrap();
        let read: ChainRun = serde_json::from_str(&text).unwrap();
        assert_eq!(read, self.run);
        self.run = read;
        self.at_work.clear();
        self.run.interrupted(self.now_ms);
        // What a crash kept from being told is in the run itself.
        self.alerts = self.run.alerted.iter().map(|kind| format!("{kind:?}")).collect();
        self.started = self.attempts().collect();
        self.finished = u32::from(self.run.ended.is_some());
    }

    fn attempts(&self) -> impl Iterator<Item = (String, u32)> + '_ {
        let of = |run: &super::StepRun| {
            let name = run.step.name.clone();
            run.attempts.iter().map(move |attempt| (name.clone(), attempt.number)).collect::<Vec<_>>()
        };
        self.run.steps.iter().flat_map(of)
    }

    fn advance(&mut self) {
        let before = self.run.clone();
        for action in self.run.advance(self.now_ms) {
            match action {
                Action::Start { step, attempt } => {
                    assert!(before.cancel.is_none(), "{step} began after the run was cancelled");
                    assert!(self.at_work.iter().all(|(at_work, _)| *at_work != step), "{step} runs twice");
                    self.assert_its_rule_holds(&step);
                    assert!(self.started.insert((step.clone(), attempt)), "{step} {attempt} began twice");
                    self.at_work.insert((step, attempt));
                }
                Action::Stop { step, attempt, .. } => {
                    assert!(self.started.contains(&(step, attempt)));
                }
                Action::Alert { kind } => {
                    let kind = format!("{kind:?}");
                    assert!(!self.alerts.contains(&kind), "{kind} twice");
                    assert!(self.run.ended.is_none(), "{kind} of a run that has ended");
                    self.alerts.push(kind);
                }
                Action::Finished { status } => {
                    self.finished += 1;
                    assert!(!matches!(status, Status::Running | Status::Waiting));
                    assert!(self.run.steps.iter().all(|run| run.state.has_ended()));
                }
            }
        }
        assert!(self.finished <= 1, "finished twice");
        assert_eq!(self.finished == 1, self.run.ended.is_some());
        if before.ended.is_some() {
            assert_eq!(before.steps, self.run.steps, "an ended run is never changed");
        }
    }

    fn assert_its_rule_holds(&self, step: &str) {
        let of = self.run.find(step).unwrap();
        let state = |name: &String| Before::of(&self.run.find(name).unwrap().state);
        let before: Vec<Before> = of.step.after.iter().map(state).collect();
        assert_eq!(judge(of.step.when, &before), Judgement::Run, "{step} began against its rule");
    }

    /// Nobody says anything any more.
    fn let_time_pass(&mut self) {
        for _ in 0..1_000 {
            if self.run.ended.is_some() {
                return;
            }
            self.now_ms = self.now_ms.max(self.run.next_ms().expect("it has something to wait for"));
            self.advance();
        }
    }
}

proptest! {
    #[test]
    fn every_course_ends_once_and_starts_nothing_twice_or_against_its_rule(
        chain in a_chain(),
        events in proptest::collection::vec(an_event(), 0..80),
    ) {
        let mut world = World::new(&chain);
        world.advance();
        for event in &events {
            world.event(event);
            world.advance();
        }
        world.let_time_pass();
        assert_eq!(world.finished, 1, "never ended: {:?}", world.run);
        let most = limits::FREE_INTERRUPTIONS_MAX + 3;
        assert!(world.run.steps.iter().all(|run| run.attempt() <= most), "attempts without end");
    }

    /// An ended run that is run again ends again, and keeps what it carries over as it was.
    #[test]
    fn a_rerun_of_any_ended_run_ends(
        chain in a_chain(),
        events in proptest::collection::vec(an_event(), 0..40),
        from in proptest::option::of(0..7_usize),
    ) {
        let mut world = World::new(&chain);
        world.advance();
        for event in events.iter().chain([&Event::Restart]) {
            world.event(event);
            world.advance();
        }
        world.let_time_pass();
        let from = from.map(|n| format!("s{n}"));
        if let Ok(again) = world.run.rerun(from.as_deref(), "r2".into(), None, world.now_ms) {
            let mut second = World { run: again, ..World::new(&chain) };
            second.now_ms = world.now_ms;
            second.started = second.attempts().collect();
            second.advance();
            for event in &events {
                second.event(event);
                second.advance();
            }
            second.let_time_pass();
            assert_eq!(second.finished, 1, "never ended: {:?}", second.run);
            for (old, new) in world.run.steps.iter().zip(&second.run.steps) {
                assert!(new.carried_from.is_none() || (old.state == new.state && old.attempts == new.attempts));
            }
        }
    }
}
