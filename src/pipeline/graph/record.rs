//! What is known of a node's last success: what it was made from and what came out.
//! Holds digests and configuration, never a row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::canonical;
use crate::base::digest::Digest;
use crate::pipeline::graph::error::GraphError;
use crate::pipeline::graph::node::Node;

pub const FORMAT: &str = "tallystick.node.v1";

/// All that a node's outputs follow from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    pub node: String,
    pub code: String,
    /// Artifact to the digest of its content.
    pub inputs: BTreeMap<String, Digest>,
    pub settings: BTreeMap<String, String>,
    /// The names of what it makes.
    pub outputs: Vec<String>,
}

impl Basis {
    pub fn of(node: &Node, inputs: BTreeMap<String, Digest>, settings: BTreeMap<String, String>) -> Self {
        let (name, code, outputs) = (node.name.clone(), node.code.clone(), node.outputs.clone());
        Self { node: name, code, inputs, settings, outputs }
    }

    pub fn fingerprint(&self) -> Result<Digest, GraphError> {
        Ok(canonical::digest_of(self)?)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRecord {
    pub format: String,
    pub basis: Basis,
    /// Of the basis; a record that was changed by hand has another.
    pub fingerprint: Digest,
    pub outputs: BTreeMap<String, Digest>,
    /// The run that made it.
    pub run: String,
    pub made_ms: i64,
    pub took_ms: u64,
}

/// What has become of a node's record and of what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    Never,
    /// There is a record, but it cannot be read.
    Unreadable,
    /// Every output is there and has its digest.
    Whole(NodeRecord),
    Missing {
        record: NodeRecord,
        output: String,
    },
    Damaged {
        record: NodeRecord,
        output: String,
    },
}

impl Kept {
    pub fn record(&self) -> Option<&NodeRecord> {
        match self {
            Self::Never | Self::Unreadable => None,
            Self::Whole(record) | Self::Missing { record, .. } | Self::Damaged { record, .. } => Some(record),
        }
    }

    pub fn whole(&self) -> Option<&NodeRecord> {
        match self {
            Self::Whole(record) => Some(record),
            _ => None,
        }
    }
}

/// Every node of a graph by its name.
pub type Recorded = BTreeMap<String, Kept>;
