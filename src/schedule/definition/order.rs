//! The order of a chain's steps, and what would never end: steps that wait for each other, chains that start each
//! other. Never changes what waits for what.

use crate::schedule::definition::{Chain, Step, TriggerOn};
use crate::schedule::error::{Place, ScheduleError};

/// The steps so that each comes after what it waits for, else in the file's order.
pub(super) fn in_order(mut rest: Vec<Step>, place: &Place) -> Result<Vec<Step>, ScheduleError> {
    let mut ordered: Vec<Step> = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let placed = |name: &String| ordered.iter().any(|step| step.name == *name);
        let Some(ready) = rest.iter().position(|step| step.after.iter().all(placed)) else {
            let waits = |name: &str| {
                let step = rest.iter().find(|step| step.name == name)?;
                step.after.iter().find(|before| !placed(before)).cloned()
            };
            let first = rest.first().map(|step| step.name.clone()).unwrap_or_default();
            return Err(ScheduleError::Cycle { place: place.clone(), steps: walk_round(first, waits) });
        };
        ordered.push(rest.remove(ready));
    }
    Ok(ordered)
}

/// Chains that start each other, whatever their ends, would do so forever.
pub(super) fn check_starts(chains: &[Chain]) -> Result<(), ScheduleError> {
    let started_by = |chain: &Chain| {
        let by = |on: &TriggerOn| match on {
            TriggerOn::Chain { name, .. } => Some(name.clone()),
            _ => None,
        };
        chain.triggers.iter().filter_map(by).collect::<Vec<String>>()
    };
    let mut rest: Vec<(&str, Vec<String>)> =
        chains.iter().map(|chain| (chain.name.as_str(), started_by(chain))).collect();
    loop {
        let names: Vec<String> = rest.iter().map(|(name, _)| (*name).to_string()).collect();
        let left = rest.len();
        rest.retain(|(_, by)| by.iter().any(|name| names.contains(name)));
        if rest.is_empty() {
            return Ok(());
        }
        if rest.len() == left {
            let starter = |name: &str| {
                let (_, by) = rest.iter().find(|(chain, _)| *chain == name)?;
                by.iter().find(|by| names.contains(by)).cloned()
            };
            let mut chains = walk_round(names.first().cloned().unwrap_or_default(), starter);
            chains.reverse();
            return Err(ScheduleError::ChainCycle { chains });
        }
    }
}

/// One round of a walk that must come back: begins and ends with the same name.
fn walk_round(first: String, next: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut walk = vec![first];
    while let Some(name) = walk.last().and_then(|last| next(last)) {
        if let Some(seen) = walk.iter().position(|walked| *walked == name) {
            walk.drain(..seen);
            walk.push(name);
            return walk;
        }
        walk.push(name);
    }
    walk
}
