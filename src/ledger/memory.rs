//! Nodes in memory, for tests of this room and of those above it.
//! Never part of the program: a home keeps its nodes in its store.

use std::collections::BTreeMap;
use std::convert::Infallible;

use crate::base::digest::Digest;
use crate::ledger::tree::{Frontier, Node, Nodes};

#[derive(Clone, Default)]
pub struct MemoryNodes(pub BTreeMap<(u8, u64), Digest>);

impl MemoryNodes {
    /// The tree over these leaf hashes.
    pub fn grow(leaf_hashes: &[Digest]) -> Self {
        let (mut nodes, mut frontier) = (Self::default(), Frontier::default());
        leaf_hashes.iter().for_each(|leaf| nodes.put(&frontier.append(*leaf)));
        nodes
    }

    pub fn put(&mut self, nodes: &[Node]) {
        self.0.extend(nodes.iter().map(|node| ((node.level, node.index), node.hash)));
    }
}

impl Nodes for MemoryNodes {
    type Error = Infallible;

    fn find_node(&self, level: u8, index: u64) -> Result<Option<Digest>, Infallible> {
        Ok(self.0.get(&(level, index)).copied())
    }
}
