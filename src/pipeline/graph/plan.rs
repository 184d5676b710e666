//! What a run would do with each node, and why. Compares what is recorded with what is there now.
//! Runs nothing and reads no file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::base::limits;
use crate::pipeline::graph::error::GraphError;
use crate::pipeline::graph::node::{Graph, Node};
use crate::pipeline::graph::record::{Basis, Kept, NodeRecord, Recorded};
use crate::pipeline::graph::select::Selection;
use crate::pipeline::graph::settings::Settings;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Will {
    Run,
    /// Its outputs stand.
    Keep,
    /// It is not asked for.
    Skip,
}

impl Will {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Keep => "keep",
            Self::Skip => "skip",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case", deny_unknown_fields)]
pub enum Why {
    NeverRun,
    Unreadable,
    Missing {
        output: String,
    },
    Damaged {
        output: String,
    },
    Code {
        before: String,
        after: String,
    },
    Input {
        input: String,
    },
    /// Its maker runs first; where the same comes out, this node stands after all.
    Remade {
        input: String,
        by: String,
    },
    Setting {
        key: String,
        before: Option<String>,
        after: Option<String>,
    },
    Outputs,
    /// Nothing has changed, but it was not asked to spare that.
    Asked,
    Unchanged,
    /// The interrupted run has done it.
    Done,
    NotSelected,
}

impl Why {
    pub fn text(&self) -> String {
        match self {
            Self::NeverRun => "never run".into(),
            Self::Unreadable => "its record cannot be read".into(),
            Self::Missing { output } => format!("its output {output} is gone"),
            Self::Damaged { output } => format!("its output {output} is damaged"),
            Self::Code { before, after } => format!("its code: {before} -> {after}"),
            Self::Input { input } => format!("input {input} changed"),
            Self::Remade { input, by } => format!("input {input} is made again by {by}"),
            Self::Setting { key, before, after } => {
                let told = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".into());
                format!("{key}: {} -> {}", told(before), told(after))
            }
            Self::Outputs => "it makes other outputs now".into(),
            Self::Asked => "asked for; nothing changed".into(),
            Self::Unchanged => "nothing changed".into(),
            Self::Done => "done by the interrupted run".into(),
            Self::NotSelected => "not selected".into(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    pub node: String,
    pub will: Will,
    pub why: Vec<Why>,
    /// Reasons beyond those that are told.
    pub more: u64,
}

impl Planned {
    fn new(node: &Node, will: Will, mut why: Vec<Why>) -> Self {
        let more = why.len().saturating_sub(limits::GRAPH_REASONS_MAX) as u64;
        why.truncate(limits::GRAPH_REASONS_MAX);
        Self { node: node.name.clone(), will, why, more }
    }

    pub fn text(&self) -> String {
        let why: Vec<String> = self.why.iter().map(Why::text).collect();
        match self.more {
            0 => why.join("; "),
            more => format!("{}; and {more} more", why.join("; ")),
        }
    }
}

/// What a plan is made from.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub graph: &'a Graph,
    pub recorded: &'a Recorded,
    pub settings: &'a Settings,
    /// The digests of what is given from outside.
    pub sources: &'a BTreeMap<String, Digest>,
    /// The interrupted run that is resumed: what it has done stays done.
    pub resumed: Option<&'a str>,
}

/// What a node will find as one of its inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coming {
    Is(Digest),
    /// A node has yet to make it, and this may be another than before.
    Remade(String),
}

/// Every node in the order in which they run.
pub fn plan(known: &Known<'_>, wanted: &Selection) -> Result<Vec<Planned>, GraphError> {
    let selected = wanted.select(known.graph)?;
    let sources = known.sources.iter().map(|(name, digest)| (name.clone(), Coming::Is(*digest)));
    let mut coming: BTreeMap<String, Coming> = sources.collect();
    let mut planned = Vec::new();
    for node in known.graph.nodes() {
        let kept = known.kept(node);
        let own = if selected.contains(node.name.as_str()) {
            known.decide(node, &known.inputs(node, &coming)?, wanted.only_stale)
        } else {
            Planned::new(node, Will::Skip, known.why_skipped(node, &coming))
        };
        match (own.will, kept.whole()) {
            (Will::Run, _) => coming.extend(remade(node)),
            (_, Some(record)) => coming.extend(outputs(record)),
            _ => (),
        }
        planned.push(own);
    }
    Ok(planned)
}

pub fn outputs(record: &NodeRecord) -> impl Iterator<Item = (String, Coming)> + '_ {
    record.outputs.iter().map(|(name, digest)| (name.clone(), Coming::Is(*digest)))
}

fn remade(node: &Node) -> impl Iterator<Item = (String, Coming)> + '_ {
    node.outputs.iter().map(|output| (output.clone(), Coming::Remade(node.name.clone())))
}

impl Known<'_> {
    pub fn kept(&self, node: &Node) -> &Kept {
        self.recorded.get(&node.name).unwrap_or(&Kept::Never)
    }

    /// A selected node must find each input: given, kept, or made by a node that is selected too.
    pub fn inputs(
        &self,
        node: &Node,
        coming: &BTreeMap<String, Coming>,
    ) -> Result<BTreeMap<String, Coming>, GraphError> {
        let find = |input: &String| match coming.get(input) {
            Some(found) => Ok((input.clone(), found.clone())),
            None => Err(match self.graph.maker(input) {
                Some(by) => {
                    let (node, by) = (node.name.clone(), by.name.clone());
                    GraphError::NotMade { node, input: input.clone(), by }
                }
                None => GraphError::NoSource { node: node.name.clone(), input: input.clone() },
            }),
        };
        node.inputs.iter().map(find).collect()
    }

    /// One selected node, by what it will find.
    pub fn decide(&self, node: &Node, inputs: &BTreeMap<String, Coming>, only_stale: bool) -> Planned {
        let kept = self.kept(node);
        let stale = self.find_stale(node, inputs);
        let is_done = kept.whole().is_some_and(|record| self.resumed == Some(record.run.as_str()));
        match (stale.is_empty(), only_stale) {
            (false, _) => Planned::new(node, Will::Run, stale),
            (true, _) if is_done => Planned::new(node, Will::Keep, vec![Why::Done]),
            (true, true) => Planned::new(node, Will::Keep, vec![Why::Unchanged]),
            (true, false) => Planned::new(node, Will::Run, vec![Why::Asked]),
        }
    }

    /// That a node is left out is said first, then what it would have had to do.
    fn why_skipped(&self, node: &Node, coming: &BTreeMap<String, Coming>) -> Vec<Why> {
        let stale = match self.inputs(node, coming) {
            Ok(inputs) => self.find_stale(node, &inputs),
            Err(_) => Vec::new(),
        };
        [Why::NotSelected].into_iter().chain(stale).collect()
    }

    /// Why what is kept of a node does not stand; nothing where it does.
    fn find_stale(&self, node: &Node, inputs: &BTreeMap<String, Coming>) -> Vec<Why> {
        let kept = self.kept(node);
        let mut why = match kept {
            Kept::Never => return vec![Why::NeverRun],
            Kept::Unreadable => return vec![Why::Unreadable],
            Kept::Whole(_) => Vec::new(),
            Kept::Missing { output, .. } => vec![Why::Missing { output: output.clone() }],
            Kept::Damaged { output, .. } => vec![Why::Damaged { output: output.clone() }],
        };
        if let Some(record) = kept.record() {
            why.extend(self.find_changes(node, inputs, &record.basis));
        }
        why
    }

    fn find_changes(&self, node: &Node, inputs: &BTreeMap<String, Coming>, before: &Basis) -> Vec<Why> {
        let mut why = Vec::new();
        if node.code != before.code {
            why.push(Why::Code { before: before.code.clone(), after: node.code.clone() });
        }
        for (input, coming) in inputs {
            match coming {
                Coming::Remade(by) => why.push(Why::Remade { input: input.clone(), by: by.clone() }),
                Coming::Is(digest) if before.inputs.get(input) != Some(digest) => {
                    why.push(Why::Input { input: input.clone() });
                }
                Coming::Is(_) => (),
            }
        }
        let gone = before.inputs.keys().filter(|input| !inputs.contains_key(*input));
        why.extend(gone.map(|input| Why::Input { input: input.clone() }));
        why.extend(find_settings(&before.settings, &self.settings.under(&node.reads)));
        if node.outputs != before.outputs {
            why.push(Why::Outputs);
        }
        why
    }
}

fn find_settings(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<Why> {
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    let changed = keys.into_iter().filter(|key| before.get(*key) != after.get(*key));
    changed
        .map(|key| Why::Setting {
            key: key.clone(),
            before: before.get(key).cloned(),
            after: after.get(key).cloned(),
        })
        .collect()
}
