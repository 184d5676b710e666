//! What is due after outages, steps of the clock and pauses.

use std::collections::BTreeSet;

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use crate::schedule::chain_run::TriggerKind;
use crate::schedule::definition::{Chain, Overlap};
use crate::schedule::due::{Admission, BackfillError, admit, backfill, due, planned_key, upcoming};
use crate::schedule::limits;
use crate::schedule::raw::RawSchedule;

const DAY: i64 = limits::DAY_MS;
/// 2026-03-02, a Monday, at midnight in UTC.
const MONDAY: i64 = 1_772_409_600_000;

fn chain(cron: &str, catch_up: &str) -> Chain {
    let toml = format!(
        "[[chain]]\nname = \"daily\"\ncron = \"{cron}\"\n{catch_up}\nstep = [{{ name = \"a\", run = \"gate\" }}]"
    );
    let raw: RawSchedule = toml::from_str(&toml).unwrap();
    raw.check().unwrap().chains().first().unwrap().clone()
}

fn planned(due: &super::Due) -> Vec<i64> {
    due.starts.iter().map(|start| start.planned_ms).collect()
}

const NONE: &str = "catch_up = \"none\"";
const LATEST: &str = "catch_up = \"latest\"";
const ALL_2: &str = "catch_up = \"all\"\ncatch_up_max = 2";

#[test]
fn a_start_on_its_hour_is_due_once_under_every_policy() {
    for policy in [NONE, LATEST, ALL_2] {
        let daily = chain("0 0 * * *", policy);
        let first = due(&daily, MONDAY - 1, MONDAY + 5_000, false);
        assert_eq!((planned(&first), first.skipped, first.dealt_ms), (vec![MONDAY], 0, MONDAY), "{policy}");
        assert_eq!(first.starts.first().map(|start| start.kind), Some(TriggerKind::Cron));
        let again = due(&daily, first.dealt_ms, MONDAY + 6_000, false);
        assert_eq!((again.starts.len(), again.dealt_ms, again.behind_ms), (0, MONDAY, 0), "{policy}");
    }
}

#[test]
fn three_days_forward_are_one_start_by_latest_at_most_so_many_by_all_and_nothing_by_none() {
    let later = MONDAY + 3 * DAY + limits::HOUR_MS;
    for (policy, wanted, skipped) in [
        (NONE, vec![], 3),
        (LATEST, vec![MONDAY + 3 * DAY], 2),
        (ALL_2, vec![MONDAY + 2 * DAY, MONDAY + 3 * DAY], 1),
        ("catch_up = \"all\"\ncatch_up_max = 9", vec![MONDAY + DAY, MONDAY + 2 * DAY, MONDAY + 3 * DAY], 0),
    ] {
        let due = due(&chain("0 0 * * *", policy), MONDAY, later, false);
        assert_eq!(
            (planned(&due), due.skipped, due.dealt_ms),
            (wanted, skipped, MONDAY + 3 * DAY),
            "{policy}"
        );
        assert!(due.starts.iter().all(|start| start.kind == TriggerKind::CatchUp));
    }
}

#[test]
fn a_clock_set_back_repeats_nothing_and_holds_up_no_longer_than_the_step() {
    let daily = chain("0 0 * * *", LATEST);
    let ahead = due(&daily, MONDAY, MONDAY + 3 * DAY, false);
    let back = due(&daily, ahead.dealt_ms, MONDAY + 60_000, false);
    assert_eq!((back.starts.len(), back.behind_ms), (0, 3 * DAY - 60_000));
    assert_eq!(back.dealt_ms, ahead.dealt_ms);
    assert_eq!(upcoming(&daily, back.dealt_ms, MONDAY, 2), [MONDAY + 4 * DAY, MONDAY + 5 * DAY]);
    let next = due(&daily, back.dealt_ms, MONDAY + 4 * DAY, false);
    assert_eq!(planned(&next), [MONDAY + 4 * DAY]);
}

#[test]
fn a_paused_chain_starts_nothing_and_makes_up_for_nothing() {
    let daily = chain("0 0 * * *", ALL_2);
    let paused = due(&daily, MONDAY, MONDAY + 3 * DAY, true);
    assert_eq!((paused.starts.len(), paused.skipped, paused.dealt_ms), (0, 3, MONDAY + 3 * DAY));
    assert!(due(&daily, paused.dealt_ms, MONDAY + 3 * DAY + 1, false).starts.is_empty());
}

/// Ten years of minutes were missed: the count stops, the starts are still the newest.
#[test]
fn a_long_absence_is_counted_to_its_bound_only() {
    let minutes = chain("* * * * *", ALL_2);
    let due = due(&minutes, MONDAY, MONDAY + 3_650 * DAY, false);
    assert_eq!((due.skipped, due.skipped_more), (limits::MISSED_COUNTED_MAX - 2, true));
    assert_eq!(planned(&due), [MONDAY + 3_650 * DAY - 60_000, MONDAY + 3_650 * DAY]);
}

#[test]
fn a_backfill_of_five_dates_is_five_starts_and_asked_again_none() {
    let daily = chain("0 2 * * *", LATEST);
    let two = MONDAY + 2 * limits::HOUR_MS;
    let wanted: Vec<i64> = (0..5).map(|n| two + n * DAY).collect();
    let first = backfill(&daily, (two, two + 4 * DAY), &BTreeSet::new(), two + 9 * DAY).unwrap();
    assert_eq!((&first.starts, first.already), (&wanted, 0));
    let had = first.starts.iter().copied().collect();
    let again = backfill(&daily, (two, two + 5 * DAY), &had, two + 9 * DAY).unwrap();
    assert_eq!((again.starts, again.already), (vec![two + 5 * DAY], 5));
    assert_eq!(planned_key("daily", two), "daily/planned/1772416800000");
}

#[test]
fn a_backfill_is_refused_by_name() {
    let (daily, had) = (chain("0 2 * * *", LATEST), BTreeSet::new());
    assert!(matches!(backfill(&daily, (2, 1), &had, 9), Err(BackfillError::Backwards { .. })));
    assert!(matches!(backfill(&daily, (1, 10), &had, 9), Err(BackfillError::Future { to_ms: 10 })));
    assert!(matches!(
        backfill(&daily, (0, MONDAY), &had, MONDAY),
        Err(BackfillError::TooMany { max: 400, .. })
    ));
    let mut by_hand = daily;
    by_hand.timetable = None;
    assert!(matches!(backfill(&by_hand, (1, 2), &had, 9), Err(BackfillError::NoCron { .. })));
}

#[test]
fn a_start_waits_or_is_skipped_while_a_run_still_runs() {
    use TriggerKind::{Backfill, CatchUp, Cron, File};
    assert_eq!(admit(Overlap::Skip, Cron, false, &[]), Admission::Start);
    assert_eq!(admit(Overlap::Skip, Cron, true, &[]), Admission::Skip);
    assert_eq!(admit(Overlap::Queue, File, true, &[]), Admission::Queue);
    assert_eq!(admit(Overlap::Queue, Cron, false, &[Cron]), Admission::Queue, "those that wait go first");
    assert_eq!(admit(Overlap::Queue, Cron, true, &[File; limits::QUEUED_STARTS_MAX]), Admission::Skip);
    for past in [CatchUp, Backfill] {
        assert_eq!(
            admit(Overlap::Skip, past, true, &[past; 399]),
            Admission::Queue,
            "none of a backfill is lost"
        );
        assert_eq!(
            admit(Overlap::Skip, past, true, &[past; limits::QUEUED_PAST_STARTS_MAX]),
            Admission::Skip
        );
    }
    assert_eq!(admit(Overlap::Queue, Cron, true, &[Backfill; 399]), Admission::Queue, "nor held up by one");
}

proptest! {
    /// However the clock jumps and whenever it is asked: no planned start is due twice, none is due early, and each
    /// that is passed is either due or counted as skipped.
    #[test]
    fn no_planned_start_is_due_twice_whatever_the_clock_does(
        steps in proptest::collection::vec(-5 * DAY..6 * DAY, 1..60),
        policy in proptest::sample::select(vec![NONE, LATEST, ALL_2]),
        cron in proptest::sample::select(vec!["0 0 * * *", "30 */6 * * *", "*/20 * * * *", "0 8 * * 1-5"]),
    ) {
        let daily = chain(cron, policy);
        let (mut now, mut dealt, mut seen, mut dealt_with) = (MONDAY, MONDAY, BTreeSet::new(), 0);
        for step in steps {
            now += step;
            let due = due(&daily, dealt, now, false);
            for start in &due.starts {
                prop_assert!(start.planned_ms <= now && start.planned_ms > dealt);
                prop_assert!(seen.insert(start.planned_ms));
            }
            dealt_with += due.starts.len() as u64 + due.skipped;
            prop_assert!(due.dealt_ms >= dealt);
            prop_assert_eq!(due.behind_ms, (dealt - now).max(0));
            dealt = due.dealt_ms;
        }
        let table = daily.timetable.as_ref().unwrap();
        let mut all = 0;
        let mut at = MONDAY;
        while let Some(next) = table.next_after(at).filter(|next| *next <= dealt) {
            all += 1;
            at = next;
        }
        prop_assert_eq!(dealt_with, all);
    }
}
