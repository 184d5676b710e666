//! Exact Shapley values of a row's margin under trees, one a coded column. A model and its background are prepared
//! once: small leaves become tables that a row's codes point into, the rest is walked. Draws nothing, samples
//! nothing and knows no field by name.
//!
//! A leaf that asks something of the columns D is worth, to a coalition S of known columns, its value times the
//! product of o over D within S and of z over D without S: o is 1 where the row meets all that the leaf asks of the
//! column, z is the chance that the background meets it. Both backgrounds are of this form, and no step
//! divides by a z that can be 0.

use crate::base::fact::{Class, Fact};
use crate::model::trees::{CodeColumn, Trees};

mod paths;
mod quadrature;
mod table;
mod walk;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

use paths::{edges_of, paths_of};
use table::Group;
use walk::{Rules, Walk};

/// What an explainer's tables may take, unless it is told otherwise.
pub const TABLE_BYTES_MAX: usize = 16 << 20;

/// Distinct columns that one path may ask.
pub const PATH_COLUMNS_MAX: usize = 64;

/// Branches on one path, those that ask a column again included.
pub const PATH_BRANCHES_MAX: usize = 1024;

/// Rows that are explained together, so that a table stays in the cache for all of them.
const BLOCK_ROWS: usize = 128;

/// How far a column's probabilities may add up from 1.
const SUM_TOLERANCE: f64 = 1e-9;

/// What a column is when it is not known.
#[derive(Clone, Copy, Debug)]
pub enum Background<'a> {
    /// Each branch is taken as often as the training rows took it, whatever is known of the row: what LightGBM and
    /// XGBoost compute.
    Cover,
    /// Every column is drawn by itself, with these probabilities of its codes: one vector of length
    /// `CodeColumn::codes` a column.
    Marginals(&'a [Vec<f64>]),
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExplainError {
    #[error("tree {tree} is no tree: a branch or leaf hangs from none, from two, or from a later branch")]
    NotATree { tree: usize },
    #[error("branch {branch} of tree {tree} asks column {column}, which is none of the model's")]
    UnknownColumn { tree: usize, branch: usize, column: usize },
    #[error("a path of tree {tree} has more than {PATH_BRANCHES_MAX} branches")]
    DeepPath { tree: usize },
    #[error("a path of tree {tree} asks {columns} columns, more than {PATH_COLUMNS_MAX}")]
    LongPath { tree: usize, columns: usize },
    #[error("the background has {found} columns, the model {expected}")]
    MarginalColumns { expected: usize, found: usize },
    #[error("the background of column {column} has {found} codes, the column {expected}")]
    MarginalCodes { column: usize, expected: usize, found: usize },
    #[error("the background of column {column} holds no probabilities that add up to 1")]
    NoProbabilities { column: usize },
}

impl Fact for ExplainError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotATree { .. } => "explain.not_a_tree",
            Self::UnknownColumn { .. } => "explain.unknown_column",
            Self::DeepPath { .. } => "explain.deep_path",
            Self::LongPath { .. } => "explain.long_path",
            Self::MarginalColumns { .. } => "explain.marginal_columns",
            Self::MarginalCodes { .. } => "explain.marginal_codes",
            Self::NoProbabilities { .. } => "explain.no_probabilities",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }
}

/// Trees and a background, prepared.
#[derive(Clone, Debug)]
pub struct Explainer {
    columns: usize,
    base: f64,
    groups: Vec<Group>,
    walks: Vec<Walk>,
    rules: Rules,
}

impl Explainer {
    pub fn new(trees: &Trees, background: Background) -> Result<Self, ExplainError> {
        Self::within(trees, background, TABLE_BYTES_MAX)
    }

    /// Tables of at most this many bytes; what finds no room in them takes longer and comes out the same.
    pub fn within(
        trees: &Trees,
        background: Background,
        table_bytes_max: usize,
    ) -> Result<Self, ExplainError> {
        check(background, &trees.columns)?;
        let columns = trees.columns.len();
        let mut explainer =
            Self { columns, base: trees.base, groups: Vec::new(), walks: Vec::new(), rules: Rules::new() };
        let mut room = table_bytes_max;
        for (number, tree) in trees.trees.iter().enumerate() {
            let edges = edges_of(tree, number, columns, background)?;
            if edges.is_empty() {
                explainer.base += tree.leaves.first().map_or(0.0, |leaf| leaf.value);
                continue;
            }
            let paths = paths_of(&edges, &tree.leaves);
            let longest = paths.iter().map(|path| path.conditions.len()).max().unwrap_or(0);
            if longest > PATH_COLUMNS_MAX {
                return Err(ExplainError::LongPath { tree: number, columns: longest });
            }
            explainer.base += paths
                .iter()
                .fold(0.0, |sum, path| sum + path.conditions.iter().fold(path.value, |v, c| v * c.chance));
            let (groups, walked) = table::grouped(&paths, room / (trees.trees.len() - number));
            room -= groups.iter().map(Group::bytes).sum::<usize>();
            explainer.groups.extend(groups);
            explainer.walks.extend(Walk::new(&edges, &tree.leaves, &walked));
        }
        Ok(explainer)
    }

    /// The margin of a row of which nothing is known.
    pub fn base(&self) -> f64 {
        self.base
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Memory that the prepared tables and walks take.
    pub fn bytes(&self) -> usize {
        self.groups.iter().map(Group::bytes).sum::<usize>()
            + self.walks.iter().map(Walk::bytes).sum::<usize>()
    }

    /// Writes each column's value over `out`; with the base they add up to the margin. `codes` and `out` have one
    /// place a coded column.
    pub fn explain(&self, codes: &[u8], out: &mut [f64]) {
        out.fill(0.0);
        for group in &self.groups {
            group.add(codes, out);
        }
        for walk in &self.walks {
            walk.add(&self.rules, codes, out);
        }
    }

    /// `explain` for many rows, row after row in both slices: the same bits in less time.
    pub fn explain_rows(&self, codes: &[u8], out: &mut [f64]) {
        out.fill(0.0);
        let width = self.columns.max(1);
        for (codes, out) in codes.chunks(BLOCK_ROWS * width).zip(out.chunks_mut(BLOCK_ROWS * width)) {
            for group in &self.groups {
                for (codes, out) in codes.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
                    group.add(codes, out);
                }
            }
            for walk in &self.walks {
                for (codes, out) in codes.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
                    walk.add(&self.rules, codes, out);
                }
            }
        }
    }

    /// The mean absolute value of each column over rows that stand one after the other; zeros if there is none.
    pub fn importance(&self, codes: &[u8]) -> Vec<f64> {
        let width = self.columns.max(1);
        let mut sums = vec![0.0; self.columns];
        let mut block = vec![0.0; BLOCK_ROWS * width];
        for codes in codes.chunks(BLOCK_ROWS * width) {
            let Some(values) = block.get_mut(..codes.len()) else { continue };
            self.explain_rows(codes, values);
            for row in values.chunks_exact(width) {
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value.abs());
            }
        }
        let rows = (codes.len() / width).max(1) as f64;
        sums.iter().map(|sum| sum / rows).collect()
    }
}

fn check(background: Background, columns: &[CodeColumn]) -> Result<(), ExplainError> {
    let Background::Marginals(marginals) = background else { return Ok(()) };
    if marginals.len() != columns.len() {
        return Err(ExplainError::MarginalColumns { expected: columns.len(), found: marginals.len() });
    }
    for (column, (marginal, known)) in marginals.iter().zip(columns).enumerate() {
        if marginal.len() != known.codes {
            return Err(ExplainError::MarginalCodes { column, expected: known.codes, found: marginal.len() });
        }
        let sum = marginal.iter().fold(0.0, |sum, p| sum + p);
        // Not so of a sum that is no number, either.
        let whole = (sum - 1.0f64).abs() <= SUM_TOLERANCE;
        if !whole || marginal.iter().any(|p| *p < 0.0) {
            return Err(ExplainError::NoProbabilities { column });
        }
    }
    Ok(())
}
