//! Binary trees over coded columns, one form for boosting and forest alike: a row's margin is the base and one leaf
//! of each tree, added in order. Learns nothing and knows no field by name.

use crate::base::limits;
pub use crate::base::limits::CODES_MAX;
use crate::features::matrix::Matrix;
use crate::features::recipe::FittedRecipe;
use crate::model::scorer::{Method, Prepared, Scorer};
use crate::model::shap::{Background, ExplainError, Explainer, TABLE_BYTES_MAX};
use crate::model::trees::batch::TreesRun;

pub mod batch;
pub mod check;

/// A column of codes. Code 0 is the missing cell; an ordered column's other codes rise with its value, a column of
/// levels has one code a level (and a last one for levels that are unknown or rare).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeColumn {
    /// Its place in a row of the matrix.
    pub column: usize,
    /// 1 to 256.
    pub codes: usize,
    pub ordered: bool,
}

/// Which codes of a column go left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Codes 1 to `code`; the missing one as it says.
    UpTo { code: u8, missing_left: bool },
    /// Exactly these; of a column of levels.
    Among(CodeSet),
}

/// A set of codes, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeSet(pub [u64; 4]);

impl CodeSet {
    pub fn insert(&mut self, code: u8) {
        self.0[usize::from(code >> 6)] |= 1 << (code & 63);
    }

    pub fn contains(&self, code: u8) -> bool {
        self.0[usize::from(code >> 6)] >> (code & 63) & 1 == 1
    }
}

impl Split {
    pub fn is_left(&self, code: u8) -> bool {
        match self {
            Self::UpTo { code: last, missing_left } => {
                if code == 0 {
                    *missing_left
                } else {
                    code <= *last
                }
            }
            Self::Among(set) => set.contains(code),
        }
    }
}

/// Where a branch leads, within its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    Branch(u32),
    Leaf(u32),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Branch {
    /// Which of `Trees::columns` is asked.
    pub column: u16,
    pub split: Split,
    pub left: Child,
    pub right: Child,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Leaf {
    pub value: f64,
    /// Training rows that ended here (of those the tree was grown on).
    pub rows: u32,
}

/// Branches in the order they are met going down, left before right; a tree without branches is one leaf.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    pub branches: Vec<Branch>,
    pub leaves: Vec<Leaf>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Trees {
    pub columns: Vec<CodeColumn>,
    /// The margin before any tree.
    pub base: f64,
    pub trees: Vec<Tree>,
}

impl Tree {
    /// The leaf that a row of codes (one for each of `Trees::columns`) ends in.
    pub fn leaf(&self, codes: &[u8]) -> usize {
        let mut at = if self.branches.is_empty() { Child::Leaf(0) } else { Child::Branch(0) };
        loop {
            match at {
                Child::Leaf(leaf) => return leaf as usize,
                Child::Branch(branch) => {
                    let branch = &self.branches[branch as usize];
                    let left = branch.split.is_left(codes[usize::from(branch.column)]);
                    at = if left { branch.left } else { branch.right };
                }
            }
        }
    }
}

/// A tree of no more leaves is explained from tables, at the cost of so many however many there are.
const TABLED_LEAVES: usize = 64;
const TABLED_COST: usize = 16;

impl Trees {
    /// What an explanation takes, in leaves that are looked up or walked to.
    fn explained_leaves(&self) -> usize {
        let cost = |leaves: usize| if leaves <= TABLED_LEAVES { leaves.min(TABLED_COST) } else { leaves };
        self.trees.iter().map(|tree| cost(tree.leaves.len())).sum()
    }

    pub fn margin_of(&self, codes: &[u8]) -> f64 {
        self.trees.iter().fold(self.base, |sum, tree| sum + tree.leaves[tree.leaf(codes)].value)
    }
}

/// The columns of codes that a recipe gives, in its order.
pub fn code_columns(recipe: &FittedRecipe) -> Vec<CodeColumn> {
    let codes = recipe.fields.iter().filter_map(|field| field.code.as_ref());
    codes
        .map(|code| CodeColumn { column: code.column, codes: code.of.count(), ordered: code.of.is_ordered() })
        .collect()
}

/// The codes of a row of the matrix. What is no code of its column, which no recipe gives, counts as the nearest one.
pub fn read_codes(columns: &[CodeColumn], row: &[f32]) -> Vec<u8> {
    columns.iter().map(|column| column.read(row)).collect()
}

/// The codes of all rows of the matrix, column by column.
pub fn read_columns(columns: &[CodeColumn], matrix: &Matrix) -> Vec<Vec<u8>> {
    let read = |column: &CodeColumn| (0..matrix.rows).map(|row| column.read(matrix.row(row))).collect();
    columns.iter().map(read).collect()
}

/// The shares of codes at the end of a mean row, one list a column.
pub fn code_shares(columns: &[CodeColumn], mean: &[f64]) -> Vec<Vec<f64>> {
    let mut start = columns.last().map_or(0, |column| column.column + 1);
    let mut take = |codes: usize| {
        start += codes;
        mean.get(start - codes..start).map(<[f64]>::to_vec).unwrap_or_default()
    };
    columns.iter().map(|column| take(column.codes)).collect()
}

impl CodeColumn {
    pub fn read(&self, row: &[f32]) -> u8 {
        let code = row.get(self.column).copied().unwrap_or_default() as usize;
        u8::try_from(code.min(self.codes.saturating_sub(1))).unwrap_or(u8::MAX)
    }
}

impl Scorer for Trees {
    fn width(&self) -> usize {
        self.columns.last().map_or(0, |column| column.column + 1)
    }

    fn margin(&self, row: &[f32]) -> f64 {
        self.margin_of(&read_codes(&self.columns, row))
    }

    fn margins(&self, matrix: &Matrix) -> Vec<f64> {
        let mut margins = vec![0.0; matrix.rows];
        TreesRun::of(self).margins(&read_columns(&self.columns, matrix), &mut margins);
        margins
    }

    fn prepare(&self, reference: &[f64]) -> Result<Prepared, ExplainError> {
        let shares = code_shares(&self.columns, reference);
        let room = if self.explained_leaves() > limits::EXPLAINED_LEAVES_MAX { 0 } else { TABLE_BYTES_MAX };
        Ok(Prepared::Trees(Box::new(Explainer::within(self, Background::Marginals(&shares), room)?)))
    }

    fn contributions(&self, row: &[f32], _reference: &[f64], prepared: &Prepared) -> (f64, Vec<f64>) {
        let mut columns = vec![0.0; row.len()];
        let Prepared::Trees(explainer) = prepared else { return (self.base, columns) };
        let mut values = vec![0.0; self.columns.len()];
        explainer.explain(&read_codes(&self.columns, row), &mut values);
        for (column, value) in self.columns.iter().zip(values) {
            columns[column.column] = value;
        }
        (explainer.base(), columns)
    }

    /// A leaf of a small tree is looked up, one of a large tree is walked to; the latter are what takes time.
    fn explained_rows_max(&self) -> usize {
        (limits::IMPORTANCE_LEAVES_MAX / self.explained_leaves().max(1)).clamp(1, limits::IMPORTANCE_ROWS_MAX)
    }

    fn method(&self) -> Method {
        Method::Coalitions
    }
}
