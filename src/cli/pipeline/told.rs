//! A run as a person follows it: each node with its reason as it begins, a bar while it works, its time when it is done.
//! A table of the nodes for the answer; no text of a file moves the cursor.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::base::clock::{Clock, SystemClock};
use crate::base::progress::Progress;
use crate::cli::speak::output::Output;
use crate::cli::speak::progress::Bar;
use crate::pipeline::graph::execute::{Ended, Watch};
use crate::pipeline::graph::picture::told_ms;
use crate::pipeline::graph::plan::{Planned, Will};
use crate::pipeline::graph::record::NodeRecord;

/// Both the watch of a run and the progress of its nodes; a budget counts from the beginning of its node.
pub struct Told {
    bar: Bar,
    has_bar: bool,
    begun_ms: AtomicU64,
}

impl Told {
    pub fn new(output: Output) -> Self {
        let begun_ms = AtomicU64::new(SystemClock.elapsed_ms());
        Self { bar: Bar::new(output), has_bar: output.has_bar(), begun_ms }
    }

    pub fn finish(&self) {
        self.bar.finish();
    }
}

impl Watch for Told {
    fn begun(&self, planned: &Planned) {
        self.begun_ms.store(SystemClock.elapsed_ms(), Ordering::SeqCst);
        self.bar.tell(&plain(&format!("> {}: {}", planned.node, planned.text())));
    }

    fn made(&self, record: &NodeRecord) {
        self.bar.tell(&format!("  {}: done in {}", record.basis.node, told_ms(record.took_ms)));
    }

    fn passed(&self, planned: &Planned) {
        self.bar.tell(&plain(&format!("{} {}: {}", sign(planned.will), planned.node, planned.text())));
    }
}

impl Progress for Told {
    /// Without a bar the nodes are told, and that is enough.
    fn stage(&self, name: &str, total: u64) {
        if self.has_bar {
            self.bar.stage(name, total);
        }
    }

    fn step(&self, done: u64) {
        self.bar.step(done);
    }

    fn metric(&self, key: &str, step: i64, value: f64) {
        self.bar.metric(key, step, value);
    }

    fn trial(&self, name: &str, settings: &[String], figures: &std::collections::BTreeMap<String, f64>) {
        self.bar.trial(name, settings, figures);
    }

    fn spent_ms(&self) -> u64 {
        SystemClock.elapsed_ms().saturating_sub(self.begun_ms.load(Ordering::SeqCst))
    }
}

/// Nodes with what becomes or became of them, why, and how long it took.
pub fn table<'a>(nodes: impl IntoIterator<Item = (&'a Planned, Option<u64>)>) -> String {
    let nodes: Vec<(&Planned, String)> = nodes
        .into_iter()
        .map(|(planned, took)| (planned, took.map_or_else(|| planned.will.as_str().to_string(), told_ms)))
        .collect();
    let names = nodes.iter().map(|(planned, _)| planned.node.chars().count()).max().unwrap_or_default();
    let words = nodes.iter().map(|(_, word)| word.chars().count()).max().unwrap_or_default();
    let line = |(planned, word): &(&Planned, String)| {
        let (node, why) = (&planned.node, planned.text());
        plain(&format!("{} {node:names$}  {word:words$}  {why}", sign(planned.will))) + "\n"
    };
    nodes.iter().map(line).collect()
}

pub fn nodes_json(planned: &[Planned]) -> Vec<Value> {
    planned
        .iter()
        .map(|planned| {
            let Planned { node, will, why, more } = planned;
            json!({"node": node, "will": will, "why": why, "more": more, "text": planned.text()})
        })
        .collect()
}

/// As they were planned in the end, with times and what came out.
pub fn ended_json(ended: &[Ended]) -> Vec<Value> {
    let one = |ended: &Ended| {
        let Planned { node, will, why, more } = &ended.planned;
        json!({
            "node": node, "will": will, "why": why, "more": more, "text": ended.planned.text(),
            "took_ms": ended.took_ms, "outputs": ended.outputs,
        })
    };
    ended.iter().map(one).collect()
}

/// Those that run.
pub fn running<'a>(planned: impl IntoIterator<Item = &'a Planned>) -> Vec<&'a str> {
    let run = planned.into_iter().filter(|planned| planned.will == Will::Run);
    run.map(|planned| planned.node.as_str()).collect()
}

/// Values of files stand in the reasons.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

fn sign(will: Will) -> char {
    match will {
        Will::Run => '>',
        Will::Keep => '=',
        Will::Skip => '-',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::graph::plan::Why;

    #[test]
    fn a_value_of_a_file_cannot_move_the_cursor() {
        let before = Some("\u{1b}[2J\u{9b}31m".to_string());
        let why = vec![Why::Setting { key: "train.toml x".into(), before, after: None }];
        let planned = Planned { node: "train".into(), will: Will::Run, why, more: 0 };
        let text = table([(&planned, Some(1_500))]);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{9b}') && text.contains("1.5 s"), "{text}");
    }
}
