//! A tree laid out for its Shapley values: every edge with what its path asks of the edge's column so far, and how
//! likely the background meets that. Refuses what is no tree; computes no value of a row.

use crate::model::shap::{Background, ExplainError, PATH_BRANCHES_MAX};
use crate::model::trees::{Branch, Child, CodeSet, Leaf, Split, Tree};

/// An edge from a branch to one of its children. Edges stand parents first, left before right.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    /// 1 below the root.
    pub depth: usize,
    pub column: usize,
    pub split: Split,
    pub left: bool,
    /// The codes of the column that meet this edge's condition and all of the path's earlier ones on the column.
    pub holds: CodeSet,
    /// How likely the background meets them all.
    pub chance: f64,
    /// Depth of the path's edge that asked the column before; 0 if none did.
    pub earlier: usize,
    pub leaf: Option<usize>,
}

/// What one leaf asks of one column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Condition {
    pub column: usize,
    pub holds: CodeSet,
    pub chance: f64,
}

/// A leaf and its conditions, one for each distinct column of its path, by column.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub leaf: usize,
    pub value: f64,
    pub conditions: Vec<Condition>,
}

pub(super) fn intersection(a: CodeSet, b: CodeSet) -> CodeSet {
    CodeSet(std::array::from_fn(|word| a.0[word] & b.0[word]))
}

pub(super) fn difference(a: CodeSet, b: CodeSet) -> CodeSet {
    CodeSet(std::array::from_fn(|word| a.0[word] & !b.0[word]))
}

pub(super) const EVERY_CODE: CodeSet = CodeSet([u64::MAX; 4]);

fn going_left(split: Split) -> CodeSet {
    match split {
        Split::Among(set) => set,
        Split::UpTo { .. } => {
            let mut set = CodeSet::default();
            (0..=u8::MAX).filter(|&code| split.is_left(code)).for_each(|code| set.insert(code));
            set
        }
    }
}

/// The edges of tree `number`. The background has been checked against the columns.
pub(super) fn edges_of(
    tree: &Tree,
    number: usize,
    columns: usize,
    background: Background,
) -> Result<Vec<Edge>, ExplainError> {
    if tree.branches.is_empty() {
        return if tree.leaves.len() == 1 {
            Ok(Vec::new())
        } else {
            Err(ExplainError::NotATree { tree: number })
        };
    }
    let rows = rows_below(tree, number)?;
    let mut edges: Vec<Edge> = Vec::with_capacity(2 * tree.branches.len());
    let mut path: Vec<usize> = Vec::new();
    let mut waiting = vec![(0usize, false, 1usize), (0, true, 1)];
    while let Some((at, left, depth)) = waiting.pop() {
        path.truncate(depth - 1);
        if depth > PATH_BRANCHES_MAX {
            return Err(ExplainError::DeepPath { tree: number });
        }
        let branch = &tree.branches[at];
        let column = usize::from(branch.column);
        if column >= columns {
            return Err(ExplainError::UnknownColumn { tree: number, branch: at, column });
        }
        let before = path.iter().rposition(|&edge: &usize| edges[edge].column == column);
        let (held, chance) = before.map_or((EVERY_CODE, 1.0), |place| {
            let edge = &edges[path[place]];
            (edge.holds, edge.chance)
        });
        let lefts = going_left(branch.split);
        let holds = if left { intersection(held, lefts) } else { difference(held, lefts) };
        let chance = match background {
            Background::Cover => chance * share_of(branch, left, &rows, &tree.leaves),
            Background::Marginals(marginals) => chance_of(&marginals[column], holds),
        };
        let earlier = before.map_or(0, |place| place + 1);
        let leaf = match if left { branch.left } else { branch.right } {
            Child::Leaf(leaf) => Some(leaf as usize),
            Child::Branch(next) => {
                waiting.push((next as usize, false, depth + 1));
                waiting.push((next as usize, true, depth + 1));
                None
            }
        };
        path.push(edges.len());
        edges.push(Edge { depth, column, split: branch.split, left, holds, chance, earlier, leaf });
    }
    Ok(edges)
}

/// Training rows under each branch; that every branch but the first and every leaf hangs from exactly one earlier
/// branch is checked on the way.
fn rows_below(tree: &Tree, number: usize) -> Result<Vec<u64>, ExplainError> {
    let broken = ExplainError::NotATree { tree: number };
    let mut rows = vec![0u64; tree.branches.len()];
    let mut met = (vec![false; tree.branches.len()], vec![false; tree.leaves.len()]);
    for (at, branch) in tree.branches.iter().enumerate().rev() {
        for child in [branch.left, branch.right] {
            let (seen, below) = match child {
                Child::Branch(next) if next as usize <= at => return Err(broken),
                Child::Branch(next) => (met.0.get_mut(next as usize), rows.get(next as usize).copied()),
                Child::Leaf(leaf) => {
                    let leaf = leaf as usize;
                    (met.1.get_mut(leaf), tree.leaves.get(leaf).map(|leaf| u64::from(leaf.rows)))
                }
            };
            let (Some(seen), Some(below)) = (seen, below) else { return Err(broken) };
            if std::mem::replace(seen, true) {
                return Err(broken);
            }
            rows[at] += below;
        }
    }
    let whole = met.0.iter().skip(1).chain(&met.1).all(|&met| met);
    if whole { Ok(rows) } else { Err(broken) }
}

/// The share of a branch's training rows that went this way; where none came, both ways are alike.
fn share_of(branch: &Branch, left: bool, rows: &[u64], leaves: &[Leaf]) -> f64 {
    let below = |child| match child {
        Child::Branch(next) => rows[next as usize],
        Child::Leaf(leaf) => u64::from(leaves[leaf as usize].rows),
    };
    let (this, that) = (below(branch.left), below(branch.right));
    let way = if left { this } else { that };
    if this + that == 0 { 0.5 } else { way as f64 / (this + that) as f64 }
}

fn chance_of(marginal: &[f64], holds: CodeSet) -> f64 {
    (0..=u8::MAX).zip(marginal).filter(|&(code, _)| holds.contains(code)).fold(0.0, |sum, (_, p)| sum + p)
}

/// The leaves with their conditions, as they are met.
pub(super) fn paths_of(edges: &[Edge], leaves: &[Leaf]) -> Vec<Path> {
    let mut path: Vec<Condition> = Vec::new();
    let mut found = Vec::with_capacity(leaves.len());
    for edge in edges {
        path.truncate(edge.depth - 1);
        path.push(Condition { column: edge.column, holds: edge.holds, chance: edge.chance });
        if let Some(leaf) = edge.leaf {
            let mut conditions: Vec<Condition> = Vec::with_capacity(path.len());
            for condition in path.iter().rev() {
                if conditions.iter().all(|known| known.column != condition.column) {
                    conditions.push(*condition);
                }
            }
            conditions.sort_unstable_by_key(|condition| condition.column);
            found.push(Path { leaf, value: leaves[leaf].value, conditions });
        }
    }
    found
}
