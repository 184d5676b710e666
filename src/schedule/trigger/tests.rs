//! What starts a chain besides its hour, and starts it once.

use std::collections::BTreeSet;

use crate::schedule::chain_run::Status;
use crate::schedule::definition::{ChainEnd, DriftLevel};
use crate::schedule::pattern::NamePattern;
use crate::schedule::trigger::{
    CommitKnown, DriftDay, DriftSeen, FileSeen, Inbox, chain_start, drift_start, volume_start,
};

fn file(name: &str, size: u64, modified_ms: i64) -> FileSeen {
    FileSeen { name: name.into(), size, modified_ms, digest: None }
}

fn csv() -> NamePattern {
    NamePattern::parse("applications-*.csv").unwrap()
}

#[test]
fn a_file_that_is_still_written_starts_nothing_and_a_settled_one_starts_once() {
    let (mut inbox, mut started) = (Inbox::default(), BTreeSet::new());
    let pattern = csv();
    let mut look = |size, started: &BTreeSet<String>, now| {
        let listing = [file("applications-1.csv", size, 500), file("notes.txt", 1, 1)];
        inbox.look(("weekly", &pattern, 10_000), &listing, started, now)
    };
    let first = look(100, &started, 1_000);
    assert_eq!((first.starts.len(), first.waiting, first.look_again_ms), (0, 1, Some(11_000)));
    assert_eq!(look(200, &started, 9_000).look_again_ms, Some(19_000));
    assert!(look(200, &started, 18_999).starts.is_empty());

    let settled = look(200, &started, 19_000);
    assert_eq!(settled.starts.len(), 1);
    assert_eq!(look(200, &started, 19_001).starts, settled.starts, "the same key until it is kept");
    started.extend(settled.starts.into_iter().map(|start| start.key));
    let after = look(200, &started, 90_000);
    assert_eq!((after.starts.len(), after.waiting, after.look_again_ms), (0, 0, None));

    look(300, &started, 100_000);
    assert_eq!(look(300, &started, 110_000).starts.len(), 1, "new content under the old name is a new file");
}

#[test]
fn a_clock_set_back_makes_a_file_wait_again_and_no_longer_than_that() {
    let mut inbox = Inbox::default();
    let (pattern, listing) = (csv(), [file("applications-1.csv", 1, 1)]);
    let mut look = |now| inbox.look(("weekly", &pattern, 10_000), &listing, &BTreeSet::new(), now);
    look(1_000_000);
    assert_eq!(look(5_000).look_again_ms, Some(15_000));
    assert_eq!(look(15_000).starts.len(), 1);
}

#[test]
fn a_file_known_by_its_content_is_the_same_when_it_is_touched() {
    let mut inbox = Inbox::default();
    let pattern = csv();
    let seen =
        |modified_ms| FileSeen { digest: Some("ab12".into()), ..file("applications-1.csv", 1, modified_ms) };
    inbox.look(("weekly", &pattern, 1_000), &[seen(1)], &BTreeSet::new(), 0);
    let start = inbox.look(("weekly", &pattern, 1_000), &[seen(1)], &BTreeSet::new(), 1_000).starts;
    let started: BTreeSet<String> = start.into_iter().map(|start| start.key).collect();
    assert_eq!(started.iter().collect::<Vec<_>>(), ["weekly/file/ab12/applications-1.csv"]);
    inbox.look(("weekly", &pattern, 1_000), &[seen(2)], &started, 2_000);
    assert!(inbox.look(("weekly", &pattern, 1_000), &[seen(2)], &started, 9_000).starts.is_empty());
}

#[test]
fn many_files_start_in_turns_oldest_first() {
    let mut inbox = Inbox::default();
    let pattern = NamePattern::parse("*.csv").unwrap();
    let listing: Vec<_> = (0..150).map(|n| file(&format!("{n}.csv"), 1, 1_000 - n)).collect();
    inbox.look(("c", &pattern, 1_000), &listing, &BTreeSet::new(), 0);
    let first = inbox.look(("c", &pattern, 1_000), &listing, &BTreeSet::new(), 1_000);
    assert_eq!((first.starts.len(), first.waiting), (100, 50));
    assert_eq!(first.starts.first().map(|start| start.from.as_str()), Some("149.csv"));
    let started = first.starts.into_iter().map(|start| start.key).collect();
    assert_eq!(inbox.look(("c", &pattern, 1_000), &listing, &started, 1_001).starts.len(), 50);
}

#[test]
fn a_shift_of_many_days_is_one_start_until_it_ends() {
    let days = |seen: &[DriftSeen]| -> Vec<DriftDay> {
        let day = |(n, seen): (usize, &DriftSeen)| DriftDay { day: format!("2026-03-{n:02}"), seen: *seen };
        (1..).zip(seen).map(day).collect()
    };
    use DriftSeen::{Insufficient, Shifted, Stable, Watch};
    let key = |at, seen: &[DriftSeen]| drift_start("weekly", at, "r1", &days(seen)).map(|start| start.key);
    let shifted = DriftLevel::Shifted;
    assert_eq!(key(shifted, &[Stable, Shifted]).as_deref(), Some("weekly/drift/r1/2026-03-02"));
    assert_eq!(
        key(shifted, &[Stable, Shifted, Insufficient, Shifted]).as_deref(),
        Some("weekly/drift/r1/2026-03-02")
    );
    assert_eq!(key(shifted, &[Shifted, Stable, Shifted]).as_deref(), Some("weekly/drift/r1/2026-03-03"));
    assert_eq!(key(shifted, &[Shifted, Watch]), None);
    assert_eq!(key(DriftLevel::Watch, &[Shifted, Watch]).as_deref(), Some("weekly/drift/r1/2026-03-01"));
    assert_eq!(key(shifted, &[Insufficient]), None);
    assert_eq!(key(shifted, &[]), None);
}

#[test]
fn outcomes_start_once_for_each_beginning() {
    assert_eq!(volume_start("weekly", 500, 1_000, 1_499), None);
    let first = volume_start("weekly", 500, 1_000, 1_500).unwrap();
    assert_eq!(first.key, volume_start("weekly", 500, 1_000, 1_900).unwrap().key);
    assert_ne!(first.key, volume_start("weekly", 500, 1_500, 2_000).unwrap().key);
    assert_eq!(volume_start("weekly", 500, 1_000, 10), None);
}

#[test]
fn a_chain_starts_at_the_end_it_waits_for() {
    let key = |when, ended| chain_start("batch", when, "run-1", ended).map(|start| start.key);
    assert_eq!(key(ChainEnd::Success, Status::Succeeded).as_deref(), Some("batch/chain/run-1"));
    assert_eq!(key(ChainEnd::Failure, Status::Failed).as_deref(), Some("batch/chain/run-1"));
    for ended in [Status::Running, Status::Waiting, Status::Cancelled, Status::Failed] {
        assert_eq!(key(ChainEnd::Success, ended), None);
    }
    assert_eq!(key(ChainEnd::Failure, Status::Cancelled), None);
}

#[test]
fn the_first_commit_is_remembered_and_every_change_after_it_starts_once() {
    let watch = "refs/heads/main in /srv/models";
    let start = |known: &CommitKnown, commit: &str| known.start("weekly", watch, commit);
    let known = CommitKnown::default().after_look(Ok("a"), 1_000);
    assert_eq!((known.commit.as_deref(), start(&known, "a")), (Some("a"), None));

    let first = start(&known, "b").unwrap();
    assert_eq!(first.from, "b of refs/heads/main in /srv/models");
    let seen = known.after_look(Ok("b"), 2_000);
    assert_eq!(seen, known, "what is not begun is still to be begun");
    assert_eq!(start(&seen, "b").as_ref(), Some(&first), "under the same key until it is");
    let known = CommitKnown::dealt_with("b", 3_000);
    assert_eq!(start(&known, "b"), None);

    let back = start(&known, "a").unwrap();
    let again = start(&CommitKnown::dealt_with("a", 4_000), "b").unwrap();
    assert!(first.key != again.key && back.key != again.key, "going back and on again are changes too");
}

#[test]
fn a_fault_is_known_while_it_lasts_and_hides_no_commit() {
    let known = CommitKnown::default().after_look(Err("git.no_ref"), 1_000);
    assert_eq!((known.commit.as_deref(), known.fault.as_deref()), (None, Some("git.no_ref")));
    let known = known.after_look(Ok("a"), 2_000);
    assert_eq!((known.commit.as_deref(), known.fault.as_deref()), (Some("a"), None), "a first sight");
    let known = known.after_look(Err("git.no_repository"), 3_000).after_look(Ok("b"), 4_000);
    assert_eq!(known.fault, None);
    assert!(known.start("weekly", "refs/heads/main in /srv/models", "b").is_some());
}
