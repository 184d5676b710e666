//! Which nodes a run is about. What is asked in several ways must hold in all of them.
//! Says nothing of which of them are stale.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::base::fact::nearest;
use crate::pipeline::graph::error::GraphError;
use crate::pipeline::graph::node::Graph;

/// As it was asked; with nothing asked, it is all nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// These and all that needs them.
    pub from: Vec<String>,
    /// These and all they need.
    pub to: Vec<String>,
    pub nodes: Vec<String>,
    /// Nodes with one of these.
    pub tags: Vec<String>,
    /// `key=value` changes to train.toml; they select nothing, but belong to what was asked.
    pub params: Vec<String>,
    pub only_stale: bool,
}

impl Selection {
    pub fn select<'a>(&self, graph: &'a Graph) -> Result<BTreeSet<&'a str>, GraphError> {
        let mut left: BTreeSet<&str> = graph.nodes().iter().map(|node| node.name.as_str()).collect();
        let mut keep = |asked: BTreeSet<&str>| left.retain(|name| asked.contains(name));
        if !self.from.is_empty() {
            keep(reach(graph, &self.from, Graph::downstream)?);
        }
        if !self.to.is_empty() {
            keep(reach(graph, &self.to, Graph::upstream)?);
        }
        if !self.nodes.is_empty() {
            keep(self.nodes.iter().map(|name| find(graph, name)).collect::<Result<_, _>>()?);
        }
        if !self.tags.is_empty() {
            self.tags.iter().try_for_each(|tag| check_tag(graph, tag))?;
            let is_tagged = |tags: &[String]| tags.iter().any(|tag| self.tags.contains(tag));
            let tagged = graph.nodes().iter().filter(|node| is_tagged(&node.tags));
            keep(tagged.map(|node| node.name.as_str()).collect());
        }
        if left.is_empty() { Err(GraphError::NothingSelected) } else { Ok(left) }
    }
}

fn reach<'a>(
    graph: &'a Graph,
    names: &[String],
    way: impl Fn(&'a Graph, &'a str) -> BTreeSet<&'a str>,
) -> Result<BTreeSet<&'a str>, GraphError> {
    let mut all = BTreeSet::new();
    for name in names {
        all.extend(way(graph, find(graph, name)?));
    }
    Ok(all)
}

fn find<'a>(graph: &'a Graph, name: &str) -> Result<&'a str, GraphError> {
    if let Some(node) = graph.find(name) {
        return Ok(&node.name);
    }
    // Who names an artifact means the node that makes it.
    let maker = graph.maker(name).map(|node| node.name.clone());
    let near = maker.or_else(|| {
        let known = graph.nodes().iter().map(|node| node.name.as_str());
        nearest(name, known).map(str::to_string)
    });
    Err(GraphError::Unknown { what: "node", name: name.to_string(), near })
}

fn check_tag(graph: &Graph, tag: &str) -> Result<(), GraphError> {
    let known = || graph.nodes().iter().flat_map(|node| node.tags.iter().map(String::as_str));
    if known().any(|own| own == tag) {
        return Ok(());
    }
    let near = nearest(tag, known()).map(str::to_string);
    Err(GraphError::Unknown { what: "tag", name: tag.to_string(), near })
}
