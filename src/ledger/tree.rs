//! The Merkle tree of RFC 6962 over stored full subtrees: growth, roots, proofs, and their verifiers.
//! By hand, since inner nodes live in the store and SHA-256 is aws-lc-rs; the field's crate has its own of both.

use crate::base::digest::{Digest, Hasher};

/// Where the hashes of full subtrees are kept. Node (level, index) covers the 2^level leaves from
/// index * 2^level on; level 0 is the leaf hash itself.
pub trait Nodes {
    type Error;

    fn find_node(&self, level: u8, index: u64) -> Result<Option<Digest>, Self::Error>;
}

/// A full subtree to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    pub level: u8,
    pub index: u64,
    pub hash: Digest,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError<E> {
    #[error("node level {level} index {index} is missing")]
    MissingNode { level: u8, index: u64 },
    #[error("record {index} is not in a log of {size}")]
    NoSuchRecord { index: u64, size: u64 },
    #[error("a log of {new} does not continue one of {old}")]
    NotLater { old: u64, new: u64 },
    #[error(transparent)]
    Store(#[from] E),
}

/// The right edge of a tree: the roots of its full subtrees, largest first, one for each bit of the size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The edge of the stored tree of that size.
    pub fn load<N: Nodes>(nodes: &N, size: u64) -> Result<Self, TreeError<N::Error>> {
        Ok(Self { size, peaks: peaks_of(nodes, 0, size)? })
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf; the answer is what to store: the leaf and every subtree it completes, upwards.
    pub fn append(&mut self, leaf_hash: Digest) -> Vec<Node> {
        let mut node = Node { level: 0, index: self.size, hash: leaf_hash };
        let mut completed = vec![node];
        while node.index & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            node = Node { level: node.level + 1, index: node.index >> 1, hash: node_hash(&left, &node.hash) };
            completed.push(node);
        }
        self.peaks.push(node.hash);
        self.size += 1;
        completed
    }

    pub fn root(&self) -> Digest {
        root_of(&self.peaks)
    }
}

/// RFC 6962, section 2.1: an inner node can never be taken for a leaf.
fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut hasher = Hasher::new();
    hasher.update(&[1]);
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    hasher.finish()
}

/// The root over full subtrees, largest first; of nothing it is the digest of nothing.
fn root_of(peaks: &[Digest]) -> Digest {
    let joined = peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
    joined.unwrap_or_else(|| Digest::of(b""))
}

/// The full subtrees that make up `size` leaves from `start` on. `start` must be a multiple of a power
/// of two that is at least `size`, or 0, as it is wherever RFC 6962 splits a tree.
fn peaks_of<N: Nodes>(nodes: &N, start: u64, size: u64) -> Result<Vec<Digest>, TreeError<N::Error>> {
    let mut next = start;
    let mut peaks = Vec::new();
    for level in (0..64u8).rev().filter(|level| size >> level & 1 == 1) {
        let index = next >> level;
        peaks.push(nodes.find_node(level, index)?.ok_or(TreeError::MissingNode { level, index })?);
        next += 1 << level;
    }
    Ok(peaks)
}

fn range_root<N: Nodes>(nodes: &N, start: u64, end: u64) -> Result<Digest, TreeError<N::Error>> {
    Ok(root_of(&peaks_of(nodes, start, end - start)?))
}

/// The root of the stored tree at that size.
pub fn root<N: Nodes>(nodes: &N, size: u64) -> Result<Digest, TreeError<N::Error>> {
    range_root(nodes, 0, size)
}

/// RFC 6962, section 2.1: the largest power of two below `size`, which must be at least 2.
fn split(size: u64) -> u64 {
    1 << (63 - (size - 1).leading_zeros())
}

/// PATH(index, D[size]) of RFC 6962, section 2.1.1.
pub fn inclusion_proof<N: Nodes>(
    nodes: &N,
    index: u64,
    size: u64,
) -> Result<Vec<Digest>, TreeError<N::Error>> {
    if index >= size {
        return Err(TreeError::NoSuchRecord { index, size });
    }
    let (mut start, mut end, mut proof) = (0, size, Vec::new());
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(range_root(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(range_root(nodes, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// PROOF(old, D[new]) of RFC 6962, section 2.1.2; empty where there is nothing to prove.
pub fn consistency_proof<N: Nodes>(
    nodes: &N,
    old: u64,
    new: u64,
) -> Result<Vec<Digest>, TreeError<N::Error>> {
    if old > new {
        return Err(TreeError::NotLater { old, new });
    }
    let (mut start, mut end, mut proof) = (0, new, Vec::new());
    while old != 0 && old != end {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(range_root(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(range_root(nodes, start, middle)?);
            start = middle;
        }
    }
    // What remains is a whole subtree of the old tree; when it is the old tree, the verifier has its root.
    if start != 0 {
        proof.push(range_root(nodes, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error("the proof does not show record {index} in the log of {size}")]
    NotIncluded { index: u64, size: u64 },
    #[error("the proof does not show that the log of {new} continues the log of {old}")]
    NotConsistent { old: u64, new: u64 },
}

/// A tree's size and root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    pub size: u64,
    pub root: Digest,
}

/// RFC 9162, section 2.1.3.2 (RFC 6962's proofs, with the verifier spelled out).
pub fn verify_inclusion(
    leaf_hash: &Digest,
    index: u64,
    head: &TreeHead,
    proof: &[Digest],
) -> Result<(), ProofError> {
    let refused = ProofError::NotIncluded { index, size: head.size };
    if index >= head.size {
        return Err(refused);
    }
    let mut climb = Climb { node: index, last: head.size - 1 };
    let mut hash = *leaf_hash;
    for sibling in proof {
        let side = climb.step().ok_or(refused)?;
        hash = match side {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    if climb.last == 0 && hash == head.root { Ok(()) } else { Err(refused) }
}

/// RFC 9162, section 2.1.4.2. Every log continues the empty one, and each continues itself.
pub fn verify_consistency(old: &TreeHead, new: &TreeHead, proof: &[Digest]) -> Result<(), ProofError> {
    let refused = ProofError::NotConsistent { old: old.size, new: new.size };
    let holds = if old.size == 0 {
        proof.is_empty() && old.root == root_of(&[])
    } else if old.size == new.size {
        proof.is_empty() && old.root == new.root
    } else {
        old.size < new.size && grows(old, new, proof)
    };
    if holds { Ok(()) } else { Err(refused) }
}

/// The general case of a consistency proof, 0 < old < new.
fn grows(old: &TreeHead, new: &TreeHead, proof: &[Digest]) -> bool {
    // An old tree that is one full subtree is where the proof starts; else the proof brings the start.
    let whole = old.size.is_power_of_two();
    let (seed, rest) = match proof.split_first() {
        _ if whole => (old.root, proof),
        Some((first, rest)) => (*first, rest),
        None => return false,
    };
    let shift = (old.size - 1).trailing_ones();
    let mut climb = Climb { node: (old.size - 1) >> shift, last: (new.size - 1) >> shift };
    let (mut old_hash, mut new_hash) = (seed, seed);
    for sibling in rest {
        match climb.step() {
            Some(Side::Left) => {
                old_hash = node_hash(sibling, &old_hash);
                new_hash = node_hash(sibling, &new_hash);
            }
            Some(Side::Right) => new_hash = node_hash(&new_hash, sibling),
            None => return false,
        }
    }
    climb.last == 0 && old_hash == old.root && new_hash == new.root
}

/// On which side of the climbing node the next sibling lies.
enum Side {
    Left,
    Right,
}

/// A way from a node up to the root: `fn` and `sn` of RFC 9162.
struct Climb {
    node: u64,
    last: u64,
}

impl Climb {
    /// One sibling upwards; nothing when the root is reached already.
    fn step(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let side = if self.node & 1 == 1 || self.node == self.last { Side::Left } else { Side::Right };
        if matches!(side, Side::Left) {
            // At the ragged right edge a node has no sibling for some levels and rises unhashed.
            let unpaired = self.node.trailing_zeros().min(63);
            self.node >>= unpaired;
            self.last >>= unpaired;
        }
        self.node >>= 1;
        self.last >>= 1;
        Some(side)
    }
}

#[cfg(test)]
mod tests;
