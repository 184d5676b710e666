//! What a graph looks like: nodes in layers from left to right, each with what a run would do with it, in words and by
//! its shape. Computes places; text, SVG and a page are written from the same places.

use std::collections::BTreeMap;

use crate::pipeline::graph::node::{Graph, Node};
use crate::pipeline::graph::plan::{Planned, Why, Will};
use crate::pipeline::graph::record::Recorded;

pub mod html;
mod layers;
pub mod svg;
pub mod text;

#[cfg(test)]
mod tests;

/// How a box is drawn; told by a word and by the shape of its edge, not by colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Given from outside.
    Source,
    Run,
    Keep,
    Skip,
    /// What was kept of it is gone or damaged, so that it runs again.
    Damaged,
}

impl Mark {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "given",
            Self::Run => "run",
            Self::Keep => "keep",
            Self::Skip => "skip",
            Self::Damaged => "damaged",
        }
    }

    fn of(planned: &Planned) -> Self {
        let is_broken =
            |why: &Why| matches!(why, Why::Damaged { .. } | Why::Missing { .. } | Why::Unreadable);
        match planned.will {
            Will::Run if planned.why.iter().any(is_broken) => Self::Damaged,
            Will::Run => Self::Run,
            Will::Keep => Self::Keep,
            Will::Skip => Self::Skip,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub name: String,
    pub mark: Mark,
    pub why: String,
    /// How long it took when it last ran.
    pub took_ms: Option<u64>,
}

/// Boxes and what goes from one to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub title: String,
    /// Sources first, then nodes in the order in which they run.
    pub boxes: Vec<Shown>,
    /// From a box to a later one: their places in `boxes`, and the artifacts between them.
    pub edges: Vec<(usize, usize, Vec<String>)>,
}

impl Picture {
    /// A node without a plan is shown as left out.
    pub fn of(title: &str, graph: &Graph, planned: &[Planned], recorded: &Recorded) -> Self {
        let source = |name: &String| Shown {
            name: name.clone(),
            mark: Mark::Source,
            why: String::new(),
            took_ms: None,
        };
        let node = |node: &Node| {
            let own = planned.iter().find(|planned| planned.node == node.name);
            let record = recorded.get(&node.name).and_then(|kept| kept.record());
            Shown {
                name: node.name.clone(),
                mark: own.map_or(Mark::Skip, Mark::of),
                why: own.map_or_else(String::new, Planned::text),
                took_ms: record.map(|record| record.took_ms),
            }
        };
        let boxes = graph.sources().iter().map(source).chain(graph.nodes().iter().map(node)).collect();
        Self { title: title.to_string(), boxes, edges: edges(graph) }
    }

    /// In words, for those who do not see it.
    pub fn description(&self) -> String {
        let count = |mark: Mark| self.boxes.iter().filter(|shown| shown.mark == mark).count();
        let parts: Vec<String> = [Mark::Run, Mark::Damaged, Mark::Keep, Mark::Skip]
            .into_iter()
            .filter(|mark| count(*mark) > 0)
            .map(|mark| format!("{} {}", count(mark), mark.as_str()))
            .collect();
        let nodes: Vec<String> = self.boxes.iter().map(|shown| self.told(shown)).collect();
        format!("{} nodes: {}. {}", self.nodes(), parts.join(", "), nodes.join(" "))
    }

    fn nodes(&self) -> usize {
        self.boxes.iter().filter(|shown| shown.mark != Mark::Source).count()
    }

    fn told(&self, shown: &Shown) -> String {
        let why = if shown.why.is_empty() { String::new() } else { format!(" ({})", shown.why) };
        let to = self.boxes.iter().position(|own| own == shown);
        let from: Vec<&str> = self
            .edges
            .iter()
            .filter(|(_, end, _)| Some(*end) == to)
            .filter_map(|(begin, _, _)| Some(self.boxes.get(*begin)?.name.as_str()))
            .collect();
        let after = if from.is_empty() { String::new() } else { format!(" after {}", from.join(", ")) };
        format!("{}{after}: {}{why}.", shown.name, shown.mark.as_str())
    }
}

fn edges(graph: &Graph) -> Vec<(usize, usize, Vec<String>)> {
    let first = graph.sources().len();
    let place = |name: &str| graph.nodes().iter().position(|node| node.name == name).map(|at| at + first);
    let mut found: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    for (at, node) in graph.nodes().iter().enumerate() {
        for input in &node.inputs {
            let source = graph.sources().iter().position(|source| source == input);
            let from = source.or_else(|| graph.maker(input).and_then(|maker| place(&maker.name)));
            if let Some(from) = from {
                found.entry((from, at + first)).or_default().push(input.clone());
            }
        }
    }
    found.into_iter().map(|((from, to), artifacts)| (from, to, artifacts)).collect()
}

/// As people say it: 85 ms, 2.4 s, 3 min 5 s.
pub fn told_ms(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{:.1} s", ms as f64 / 1_000.0),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}
