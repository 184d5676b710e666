//! Nodes and the artifacts between them, checked once: every input has one maker and nothing waits for itself.
//! Never runs a node.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::fact::nearest;
use crate::base::limits;
use crate::pipeline::graph::error::GraphError;

/// One step of the flow. Artifacts are named; where they lie is the state's business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    pub name: String,
    pub tags: Vec<String>,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    /// What of the configuration it depends on: a project file (`recipe.toml`), or a key of one and all below it
    /// (`train.toml split`).
    pub reads: Vec<String>,
    /// Another version gives other outputs from the same inputs.
    pub code: String,
}

/// Nodes in an order in which they can run. Holding one is the proof that there is such an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    nodes: Vec<Node>,
    sources: Vec<String>,
    /// Artifact to the place of the node that makes it.
    makers: BTreeMap<String, usize>,
}

impl Graph {
    /// `sources` are artifacts that are given from outside.
    pub fn check(nodes: Vec<Node>, sources: &[&str]) -> Result<Self, GraphError> {
        check_sizes(&nodes)?;
        check_names(&nodes, sources)?;
        let makers = find_makers(&nodes, sources)?;
        check_inputs(&nodes, sources, &makers)?;
        let order = order(&nodes, &makers)?;
        let mut placed: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
        let nodes: Vec<Node> = order.iter().filter_map(|&at| placed.get_mut(at)?.take()).collect();
        let made = |(at, node): (usize, &Node)| node.outputs.iter().map(move |o| (o.clone(), at)).collect();
        let makers = nodes.iter().enumerate().flat_map::<Vec<_>, _>(made).collect();
        Ok(Self { nodes, sources: sources.iter().map(ToString::to_string).collect(), makers })
    }

    /// In the order in which they run.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    pub fn find(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// The node that makes an artifact; none for one that is given from outside.
    pub fn maker(&self, artifact: &str) -> Option<&Node> {
        self.makers.get(artifact).and_then(|&at| self.nodes.get(at))
    }

    /// The nodes whose outputs a node reads, each once.
    pub fn before(&self, node: &Node) -> Vec<&Node> {
        let names: BTreeSet<&str> =
            node.inputs.iter().filter_map(|input| self.maker(input)).map(|n| n.name.as_str()).collect();
        self.nodes.iter().filter(|node| names.contains(node.name.as_str())).collect()
    }

    /// A node and all that it needs.
    pub fn upstream<'a>(&'a self, name: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::from([name]);
        for node in self.nodes.iter().rev() {
            if found.contains(node.name.as_str()) {
                found.extend(self.before(node).into_iter().map(|node| node.name.as_str()));
            }
        }
        found
    }

    /// A node and all that needs it.
    pub fn downstream<'a>(&'a self, name: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::from([name]);
        for node in &self.nodes {
            if self.before(node).iter().any(|before| found.contains(before.name.as_str())) {
                found.insert(&node.name);
            }
        }
        found
    }
}

fn check_sizes(nodes: &[Node]) -> Result<(), GraphError> {
    let check = |what: String, found: usize, max: usize| {
        if found > max { Err(GraphError::TooMany { what, found, max }) } else { Ok(()) }
    };
    check("nodes".into(), nodes.len(), limits::GRAPH_NODES_MAX)?;
    nodes.iter().try_for_each(|node| {
        let found = node.inputs.len() + node.outputs.len();
        check(format!("inputs and outputs of {:?}", node.name), found, limits::GRAPH_NODE_ARTIFACTS_MAX)
    })
}

/// Names become names of files, so they have no dots and no slashes.
fn check_names(nodes: &[Node], sources: &[&str]) -> Result<(), GraphError> {
    let is_name = |name: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(plain)
            && name.len() <= limits::GRAPH_NAME_CHARS_MAX
    };
    let own = nodes.iter().flat_map(|node| {
        [&node.name]
            .into_iter()
            .chain(&node.tags)
            .chain(&node.inputs)
            .chain(&node.outputs)
            .map(String::as_str)
    });
    if let Some(name) = own.chain(sources.iter().copied()).find(|name| !is_name(name)) {
        return Err(GraphError::Name { name: name.to_string() });
    }
    let mut seen = BTreeSet::new();
    match nodes.iter().find(|node| !seen.insert(node.name.as_str())) {
        Some(node) => Err(GraphError::SameName { name: node.name.clone() }),
        None => Ok(()),
    }
}

fn find_makers(nodes: &[Node], sources: &[&str]) -> Result<BTreeMap<String, usize>, GraphError> {
    let mut makers: BTreeMap<String, usize> = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate() {
        for artifact in &node.outputs {
            if sources.contains(&artifact.as_str()) {
                let (node, artifact) = (node.name.clone(), artifact.clone());
                return Err(GraphError::ProducesSource { node, artifact });
            }
            if let Some(first) = makers.insert(artifact.clone(), at) {
                let first = nodes.get(first).map_or(String::new(), |node| node.name.clone());
                let (artifact, second) = (artifact.clone(), node.name.clone());
                return Err(GraphError::TwoProducers { artifact, first, second });
            }
        }
    }
    Ok(makers)
}

fn check_inputs(
    nodes: &[Node],
    sources: &[&str],
    makers: &BTreeMap<String, usize>,
) -> Result<(), GraphError> {
    for node in nodes {
        let is_missing = |input: &&String| !makers.contains_key(*input) && !sources.contains(&input.as_str());
        if let Some(input) = node.inputs.iter().find(is_missing) {
            let known = makers.keys().map(String::as_str).chain(sources.iter().copied());
            let near = nearest(input, known).map(str::to_string);
            return Err(GraphError::MissingInput { node: node.name.clone(), input: input.clone(), near });
        }
    }
    Ok(())
}

/// Places of nodes so that each comes after those it needs; the given order otherwise.
fn order(nodes: &[Node], makers: &BTreeMap<String, usize>) -> Result<Vec<usize>, GraphError> {
    let needs: Vec<BTreeSet<usize>> = nodes
        .iter()
        .map(|node| node.inputs.iter().filter_map(|input| makers.get(input).copied()).collect())
        .collect();
    let mut placed: Vec<usize> = Vec::new();
    let mut done: BTreeSet<usize> = BTreeSet::new();
    while placed.len() < nodes.len() {
        let ready = needs.iter().enumerate().find(|(at, own)| !done.contains(at) && own.is_subset(&done));
        let Some((at, _)) = ready else {
            return Err(GraphError::Cycle { nodes: cycle(nodes, &needs, &done) });
        };
        placed.push(at);
        done.insert(at);
    }
    Ok(placed)
}

/// Every node that is left waits for another that is left, so that going back from one of them must come round.
/// Told from the node that was given first.
fn cycle(nodes: &[Node], needs: &[BTreeSet<usize>], done: &BTreeSet<usize>) -> Vec<String> {
    let mut way: Vec<usize> = Vec::new();
    let mut at = (0..nodes.len()).find(|at| !done.contains(at));
    while let Some(here) = at {
        if let Some(begin) = way.iter().position(|&seen| seen == here) {
            way.drain(..begin);
            break;
        }
        way.push(here);
        at = needs.get(here).and_then(|own| own.iter().find(|need| !done.contains(need)).copied());
    }
    way.reverse();
    let first = (0..way.len()).min_by_key(|&place| way.get(place)).unwrap_or_default();
    way.rotate_left(first);
    way.extend(way.first().copied());
    way.iter().filter_map(|&at| nodes.get(at)).map(|node| node.name.clone()).collect()
}
