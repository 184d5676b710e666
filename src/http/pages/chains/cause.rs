//! Who or what started a run, and when, in words; how long something took; a moment in a chain's own zone and in UTC.
//! Never reads a clock.

use serde::Serialize;

use crate::http::pages::text::Texts;
use crate::http::pages::words::moment;
use crate::schedule::chain_run::{Trigger, TriggerKind};
use crate::schedule::definition::{Chain, ChainEnd, DriftLevel, TriggerOn};

/// A moment as the chain's clocks show it, and as UTC.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Planned {
    pub local: String,
    pub zone: String,
    pub utc: String,
}

pub fn planned(texts: &Texts, chain: &Chain, at_ms: i64) -> Planned {
    let utc = moment(texts, at_ms);
    let local = chain.zone.text(at_ms).unwrap_or_else(|| utc.clone());
    Planned { local, zone: chain.zone.name().to_string(), utc }
}

/// What a start came of, in a sentence, and the run it names.
pub fn cause(texts: &Texts, trigger: &Trigger) -> (String, Option<String>) {
    let by = trigger.by.as_deref().unwrap_or_default();
    let from = trigger.from.as_deref().unwrap_or_default();
    let run = Some(format!("/chain-runs/{from}"));
    match trigger.kind {
        TriggerKind::Cron => (texts.say("chains.cause.cron"), None),
        TriggerKind::CatchUp => (texts.say("chains.cause.catch_up"), None),
        TriggerKind::Backfill => (texts.fill("chains.cause.backfill", &[("by", by)]), None),
        TriggerKind::Hand => (texts.fill("chains.cause.hand", &[("by", by)]), None),
        TriggerKind::File => (texts.fill("chains.cause.file", &[("from", from)]), None),
        TriggerKind::Git => (texts.fill("chains.cause.git", &[("from", from)]), None),
        TriggerKind::Drift => (texts.fill("chains.cause.drift", &[("from", from)]), None),
        TriggerKind::Volume => (texts.fill("chains.cause.volume", &[("from", from)]), None),
        TriggerKind::Chain => (texts.say("chains.cause.chain"), run),
        TriggerKind::Rerun => (texts.fill("chains.cause.rerun", &[("by", by)]), run),
    }
}

/// Everything that starts a chain, a sentence each.
pub fn starts(texts: &Texts, chain: &Chain) -> Vec<String> {
    let hours = chain.timetable.iter().map(|timetable| {
        let (cron, zone) = (timetable.cron().text(), chain.zone.name());
        texts.fill("chains.starts.cron", &[("cron", cron), ("zone", zone)])
    });
    let mut all: Vec<String> = hours.chain(chain.triggers.iter().map(|on| start(texts, on))).collect();
    if all.is_empty() {
        all.push(texts.say("chains.starts.hand"));
    }
    all
}

fn start(texts: &Texts, on: &TriggerOn) -> String {
    match on {
        TriggerOn::File { path, .. } => texts.fill("chains.starts.file", &[("pattern", path.as_str())]),
        TriggerOn::Git { path, name } => {
            texts.fill("chains.starts.git", &[("ref", name.as_str()), ("path", path)])
        }
        TriggerOn::Drift { at: DriftLevel::Watch } => texts.say("chains.starts.drift_watch"),
        TriggerOn::Drift { at: DriftLevel::Shifted } => texts.say("chains.starts.drift_shifted"),
        TriggerOn::Volume { outcomes } => {
            texts.fill("chains.starts.volume", &[("count", &outcomes.to_string())])
        }
        TriggerOn::Chain { name, when: ChainEnd::Success } => {
            texts.fill("chains.starts.chain_success", &[("chain", name)])
        }
        TriggerOn::Chain { name, when: ChainEnd::Failure } => {
            texts.fill("chains.starts.chain_failure", &[("chain", name)])
        }
    }
}

/// `under a second`, `12 s`, `3 min 4 s`, `2 h 5 min`, `3 d 2 h`
pub fn took(texts: &Texts, millis: i64) -> String {
    let seconds = millis.max(0) / 1_000;
    let (large, small, key) = match seconds {
        0 => return texts.say("took.no_time"),
        1..60 => return texts.fill("took.seconds", &[("seconds", &seconds.to_string())]),
        60..3_600 => (seconds / 60, seconds % 60, "took.minutes"),
        3_600..86_400 => (seconds / 3_600, seconds % 3_600 / 60, "took.hours"),
        _ => (seconds / 86_400, seconds % 86_400 / 3_600, "took.days"),
    };
    texts.fill(key, &[("large", &large.to_string()), ("small", &small.to_string())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_said_in_its_two_largest_parts() {
        let texts = Texts::load().unwrap();
        let said = [0, 999, 12_000, 184_000, 7_500_000, 266_400_000, -5].map(|millis| took(&texts, millis));
        let wanted = [
            "under a second",
            "under a second",
            "12 s",
            "3 min 4 s",
            "2 h 5 min",
            "3 d 2 h",
            "under a second",
        ];
        assert_eq!(said, wanted);
    }

    #[test]
    fn a_run_that_came_of_another_leads_there() {
        let texts = Texts::load().unwrap();
        let of = |kind| Trigger { kind, by: Some("anna".into()), from: Some("7f".into()) };
        assert_eq!(cause(&texts, &of(TriggerKind::Rerun)).1.as_deref(), Some("/chain-runs/7f"));
        let (said, leads) = cause(&texts, &of(TriggerKind::Hand));
        assert!(said.contains("anna") && leads.is_none(), "{said}");
    }
}
