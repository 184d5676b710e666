//! Which planned starts are due, which were missed and are not made up for, which are still to come. Never keeps
//! what was dealt with; whoever calls does, as one moment a chain.
//!
//! The rule for clocks: a planned start up to the kept moment is dealt with for good, and the moment only moves
//! forward. So a clock set back repeats nothing; the chain's hours begin again with the first planned start after the
//! kept moment, which is never later than the step back and the usual wait together. Until then `behind_ms` says by
//! how much the clock is behind. Who does not want to wait stores the present time as the kept moment; starts already
//! made are then still known by their keys.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::base::clock::millis_to_text;
use crate::base::fact::{Class, Fact};
use crate::schedule::chain_run::TriggerKind;
use crate::schedule::cron::Timetable;
use crate::schedule::definition::{CatchUp, Chain, Overlap};
use crate::schedule::limits;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    /// Oldest first.
    pub starts: Vec<PlannedStart>,
    /// Planned starts that are passed over.
    pub skipped: u64,
    /// There were even more than are counted.
    pub skipped_more: bool,
    /// What is to be kept as the moment up to which everything is dealt with, together with the starts.
    pub dealt_ms: i64,
    /// By how much the clock is behind what was dealt with; nothing is due before it has caught up.
    pub behind_ms: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedStart {
    pub planned_ms: i64,
    /// On its hour, or made up for.
    pub kind: TriggerKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backfill {
    /// Oldest first.
    pub starts: Vec<i64>,
    /// Planned starts of that time that have had a run.
    pub already: u64,
}

/// What becomes of a start, given what of its chain runs already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    Start,
    /// Begins when the run before it has ended.
    Queue,
    Skip,
}

#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    #[error("the chain {chain:?} has no cron, so it has no planned starts")]
    NoCron { chain: String },
    #[error("the backfill begins at {}, after its end at {}", millis_to_text(*from_ms), millis_to_text(*to_ms))]
    Backwards { from_ms: i64, to_ms: i64 },
    #[error("the backfill ends at {}, which has not come yet", millis_to_text(*to_ms))]
    Future { to_ms: i64 },
    #[error("the chain {chain:?} has more than {max} planned starts in that time")]
    TooMany { chain: String, max: usize },
}

impl Fact for BackfillError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoCron { .. } => "backfill.no_cron",
            Self::Backwards { .. } => "backfill.backwards",
            Self::Future { .. } => "backfill.future",
            Self::TooMany { .. } => "backfill.too_many",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        Some(match self {
            Self::NoCron { .. } => "Start the chain by hand.".into(),
            Self::Backwards { .. } => "Give the earlier moment first.".into(),
            Self::Future { .. } => "End the backfill in the past; later starts come by themselves.".into(),
            Self::TooMany { .. } => "Backfill a shorter time.".into(),
        })
    }
}

/// The key under which a planned start is made once, whether by its hour, by catch-up or by a backfill.
pub fn planned_key(chain: &str, planned_ms: i64) -> String {
    format!("{chain}/planned/{planned_ms}")
}

/// What is due of a chain whose planned starts up to `dealt_ms` are dealt with; of a new chain, or one whose cron was
/// edited, that is the moment it became known. Of a paused chain nothing is, and what it misses meanwhile is not made up for.
pub fn due(chain: &Chain, dealt_ms: i64, now_ms: i64, paused: bool) -> Due {
    let nothing = Due { dealt_ms, behind_ms: dealt_ms.saturating_sub(now_ms).max(0), ..Due::default() };
    let Some(table) = &chain.timetable else { return nothing };
    let Some(newest) = table.latest_until(now_ms).filter(|newest| *newest > dealt_ms) else {
        return nothing;
    };
    let on_time = now_ms.saturating_sub(newest) <= limits::ON_TIME_MS_MAX;
    let most = match chain.catch_up {
        _ if paused => 0,
        CatchUp::None => usize::from(on_time),
        CatchUp::Latest => 1,
        CatchUp::All { max } => max as usize,
    };
    let planned = newest_first(table, dealt_ms, newest, most);
    let counted = count_until(table, dealt_ms, newest);
    let kind = |planned_ms: i64| match on_time && planned_ms == newest {
        true => TriggerKind::Cron,
        false => TriggerKind::CatchUp,
    };
    let start = |planned_ms: i64| PlannedStart { planned_ms, kind: kind(planned_ms) };
    Due {
        skipped: counted.saturating_sub(planned.len() as u64),
        skipped_more: counted == limits::MISSED_COUNTED_MAX,
        starts: planned.into_iter().rev().map(start).collect(),
        dealt_ms: newest,
        behind_ms: 0,
    }
}

fn newest_first(table: &Timetable, dealt_ms: i64, newest: i64, most: usize) -> Vec<i64> {
    let before = |planned: &i64| table.latest_until(planned.saturating_sub(1));
    let planned = std::iter::successors(Some(newest), before);
    planned.take_while(|planned| *planned > dealt_ms).take(most).collect()
}

fn count_until(table: &Timetable, dealt_ms: i64, newest: i64) -> u64 {
    let mut counted = 0;
    let mut after = dealt_ms;
    while counted < limits::MISSED_COUNTED_MAX
        && let Some(planned) = table.next_after(after).filter(|planned| *planned <= newest)
    {
        counted += 1;
        after = planned;
    }
    counted
}

/// The next planned starts, `most` at most.
pub fn upcoming(chain: &Chain, dealt_ms: i64, now_ms: i64, most: usize) -> Vec<i64> {
    let list = |table: &Timetable| table.list_between(dealt_ms.max(now_ms), i64::MAX, most);
    chain.timetable.as_ref().map(list).unwrap_or_default()
}

/// The planned starts of a past time, both its ends with it, that have had no run: `had` are those that had one.
pub fn backfill(
    chain: &Chain,
    (from_ms, to_ms): (i64, i64),
    had: &BTreeSet<i64>,
    now_ms: i64,
) -> Result<Backfill, BackfillError> {
    let Some(table) = &chain.timetable else {
        return Err(BackfillError::NoCron { chain: chain.name.clone() });
    };
    if from_ms > to_ms {
        return Err(BackfillError::Backwards { from_ms, to_ms });
    }
    if to_ms > now_ms {
        return Err(BackfillError::Future { to_ms });
    }
    let planned = table.list_between(from_ms.saturating_sub(1), to_ms, limits::BACKFILL_MAX + 1);
    if planned.len() > limits::BACKFILL_MAX {
        return Err(BackfillError::TooMany { chain: chain.name.clone(), max: limits::BACKFILL_MAX });
    }
    let (already, starts): (Vec<i64>, Vec<i64>) = planned.into_iter().partition(|at| had.contains(at));
    Ok(Backfill { starts, already: already.len() as u64 })
}

/// Whether a start may begin, given whether a run of its chain runs and which starts wait for that. Starts of the past
/// that are made up for or backfilled come several at a time, so they wait for each other whatever the chain says.
pub fn admit(overlap: Overlap, kind: TriggerKind, runs: bool, queued: &[TriggerKind]) -> Admission {
    let past = |kind: &TriggerKind| matches!(kind, TriggerKind::CatchUp | TriggerKind::Backfill);
    let alike = queued.iter().filter(|other| past(other) == past(&kind)).count();
    let most = if past(&kind) { limits::QUEUED_PAST_STARTS_MAX } else { limits::QUEUED_STARTS_MAX };
    if !runs && queued.is_empty() {
        Admission::Start
    } else if (past(&kind) || overlap == Overlap::Queue) && alike < most {
        Admission::Queue
    } else {
        Admission::Skip
    }
}

#[cfg(test)]
mod tests;
