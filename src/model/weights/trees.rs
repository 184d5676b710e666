//! Trees as tensors: one line a branch, one a leaf, one a tree. Which columns there are, the recipe says.
//! Believes only what `Trees::check` has seen.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::base::limits;
use crate::features::recipe::FittedRecipe;
use crate::model::trees::{Branch, Child, CodeSet, Leaf, Split, Tree, Trees, code_columns};
use crate::model::weights::{WeightsError, read_f64s};

/// As they are read; the file has them by type, then by name.
const BASE: &str = "base";
const VALUES: &str = "leaf.value";
const SETS: &str = "set";
const LEFT: &str = "branch.left";
const RIGHT: &str = "branch.right";
const TREE_BRANCHES: &str = "tree.branches";
const TREE_LEAVES: &str = "tree.leaves";
const ROWS: &str = "leaf.rows";
const COLUMNS: &str = "branch.column";
const SPLITS: &str = "branch.split";
const NAMES: [&str; 10] =
    [BASE, VALUES, SETS, LEFT, RIGHT, TREE_BRANCHES, TREE_LEAVES, ROWS, COLUMNS, SPLITS];

/// A split's one number: the last code on the left, beside where the missing cell goes; or that a set says it.
const MISSING_LEFT: u32 = 1 << 8;
const AMONG: u32 = 1 << 9;

/// The bytes that one branch, leaf or tree takes at most.
pub(super) const LINE_BYTES_MAX: usize = 48;

/// Everything the file holds, as flat lists.
#[derive(Default)]
struct Lines {
    values: Vec<f64>,
    sets: Vec<u64>,
    left: Vec<i32>,
    right: Vec<i32>,
    tree_branches: Vec<u32>,
    tree_leaves: Vec<u32>,
    rows: Vec<u32>,
    columns: Vec<u32>,
    splits: Vec<u32>,
}

pub(super) fn write(trees: &Trees) -> Result<Vec<u8>, WeightsError> {
    let mut lines = Lines::default();
    trees.trees.iter().for_each(|tree| lines.add(tree));
    let u32s = |values: &[u32]| bytes(values.iter().map(|value| value.to_le_bytes()));
    let i32s = |values: &[i32]| bytes(values.iter().map(|value| value.to_le_bytes()));
    let tensors = [
        (BASE, Dtype::F64, bytes([trees.base.to_le_bytes()])),
        (VALUES, Dtype::F64, bytes(lines.values.iter().map(|value| value.to_le_bytes()))),
        (SETS, Dtype::U64, bytes(lines.sets.iter().map(|value| value.to_le_bytes()))),
        (LEFT, Dtype::I32, i32s(&lines.left)),
        (RIGHT, Dtype::I32, i32s(&lines.right)),
        (TREE_BRANCHES, Dtype::U32, u32s(&lines.tree_branches)),
        (TREE_LEAVES, Dtype::U32, u32s(&lines.tree_leaves)),
        (ROWS, Dtype::U32, u32s(&lines.rows)),
        (COLUMNS, Dtype::U32, u32s(&lines.columns)),
        (SPLITS, Dtype::U32, u32s(&lines.splits)),
    ];
    let mut views = Vec::with_capacity(tensors.len());
    for (name, dtype, bytes) in &tensors {
        let size = if matches!(dtype, Dtype::F64 | Dtype::U64) { 8 } else { 4 };
        let view = TensorView::new(*dtype, vec![bytes.len() / size], bytes).map_err(WeightsError::Format)?;
        views.push((*name, view));
    }
    safetensors::serialize(views, None).map_err(WeightsError::Format)
}

fn bytes<const N: usize>(values: impl IntoIterator<Item = [u8; N]>) -> Vec<u8> {
    values.into_iter().flatten().collect()
}

impl Lines {
    fn add(&mut self, tree: &Tree) {
        self.tree_branches.push(tree.branches.len() as u32);
        self.tree_leaves.push(tree.leaves.len() as u32);
        for branch in &tree.branches {
            self.columns.push(u32::from(branch.column));
            self.left.push(written(branch.left));
            self.right.push(written(branch.right));
            self.splits.push(match branch.split {
                Split::UpTo { code, missing_left } => {
                    u32::from(code) | if missing_left { MISSING_LEFT } else { 0 }
                }
                Split::Among(set) => {
                    self.sets.extend(set.0);
                    AMONG
                }
            });
        }
        self.values.extend(tree.leaves.iter().map(|leaf| leaf.value));
        self.rows.extend(tree.leaves.iter().map(|leaf| leaf.rows));
    }
}

/// A branch by its number from 0, a leaf by its number from -1 down.
fn written(child: Child) -> i32 {
    match child {
        Child::Branch(branch) => branch as i32,
        Child::Leaf(leaf) => -1 - leaf as i32,
    }
}

fn child(written: i32) -> Child {
    if written >= 0 { Child::Branch(written as u32) } else { Child::Leaf((-1 - written) as u32) }
}

pub(super) fn read(file: &SafeTensors<'_>, recipe: &FittedRecipe) -> Result<Trees, WeightsError> {
    let mut found: Vec<String> = file.names().into_iter().map(String::from).collect();
    found.sort();
    let mut expected = NAMES.to_vec();
    expected.sort_unstable();
    if found != expected {
        return Err(WeightsError::Tensors { found, expected });
    }
    let base = read_f64s(file, BASE)?;
    let [base] = base[..] else { return Err(WeightsError::Lines { tensor: BASE }) };
    let lines = Lines {
        values: read_f64s(file, VALUES)?,
        sets: list(file, SETS, Dtype::U64, u64::from_le_bytes)?,
        left: list(file, LEFT, Dtype::I32, i32::from_le_bytes)?,
        right: list(file, RIGHT, Dtype::I32, i32::from_le_bytes)?,
        tree_branches: u32s(file, TREE_BRANCHES)?,
        tree_leaves: u32s(file, TREE_LEAVES)?,
        rows: u32s(file, ROWS)?,
        columns: u32s(file, COLUMNS)?,
        splits: u32s(file, SPLITS)?,
    };
    let trees = Trees { columns: code_columns(recipe), base, trees: lines.trees()? };
    trees.check(&code_columns(recipe))?;
    Ok(trees)
}

impl Lines {
    fn trees(&self) -> Result<Vec<Tree>, WeightsError> {
        let branches = self.columns.len();
        let short = [(LEFT, self.left.len()), (RIGHT, self.right.len()), (SPLITS, self.splits.len())];
        if let Some((tensor, _)) = short.into_iter().find(|(_, length)| *length != branches) {
            return Err(WeightsError::Lines { tensor });
        }
        if self.rows.len() != self.values.len() {
            return Err(WeightsError::Lines { tensor: ROWS });
        }
        if self.tree_leaves.len() != self.tree_branches.len() || branches > limits::BRANCHES_MAX {
            return Err(WeightsError::Lines { tensor: TREE_LEAVES });
        }
        let sums = |counts: &[u32]| counts.iter().map(|count| u64::from(*count)).sum::<u64>();
        if sums(&self.tree_branches) != branches as u64 {
            return Err(WeightsError::Lines { tensor: TREE_BRANCHES });
        }
        if sums(&self.tree_leaves) != self.values.len() as u64 {
            return Err(WeightsError::Lines { tensor: TREE_LEAVES });
        }
        let mut sets = self.sets.as_chunks::<4>().0.iter();
        let (mut branch, mut leaf) = (0, 0);
        let mut trees = Vec::with_capacity(self.tree_branches.len());
        for (&branches, &leaves) in self.tree_branches.iter().zip(&self.tree_leaves) {
            let own = branch..branch + branches as usize;
            branch = own.end;
            let branches = own.map(|at| self.branch(at, &mut sets)).collect::<Result<_, _>>()?;
            let own = leaf..leaf + leaves as usize;
            leaf = own.end;
            let leaves = own.map(|at| Leaf { value: self.values[at], rows: self.rows[at] }).collect();
            trees.push(Tree { branches, leaves });
        }
        if sets.next().is_some() || !self.sets.len().is_multiple_of(4) {
            return Err(WeightsError::Lines { tensor: SETS });
        }
        Ok(trees)
    }

    fn branch<'a>(
        &self,
        at: usize,
        sets: &mut impl Iterator<Item = &'a [u64; 4]>,
    ) -> Result<Branch, WeightsError> {
        let split = match self.splits[at] {
            AMONG => {
                let set = sets.next().ok_or(WeightsError::Lines { tensor: SETS })?;
                Split::Among(CodeSet(*set))
            }
            up_to if up_to < AMONG => {
                Split::UpTo { code: (up_to & 255) as u8, missing_left: up_to & MISSING_LEFT != 0 }
            }
            _ => return Err(WeightsError::Lines { tensor: SPLITS }),
        };
        let column = u16::try_from(self.columns[at]).map_err(|_| WeightsError::Lines { tensor: COLUMNS })?;
        Ok(Branch { column, split, left: child(self.left[at]), right: child(self.right[at]) })
    }
}

fn u32s(file: &SafeTensors<'_>, tensor: &'static str) -> Result<Vec<u32>, WeightsError> {
    list(file, tensor, Dtype::U32, u32::from_le_bytes)
}

fn list<T, const N: usize>(
    file: &SafeTensors<'_>,
    tensor: &'static str,
    dtype: Dtype,
    from: fn([u8; N]) -> T,
) -> Result<Vec<T>, WeightsError> {
    let view = file.tensor(tensor).map_err(WeightsError::Format)?;
    if view.dtype() != dtype || view.shape().len() != 1 {
        let found = format!("{} {:?}", view.dtype(), view.shape());
        return Err(WeightsError::Shape { tensor, found, expected: format!("{dtype} [n]") });
    }
    Ok(view.data().as_chunks::<N>().0.iter().map(|&bytes| from(bytes)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::binning::codes::Code;
    use crate::features::recipe::{FieldCode, FittedEncoding, FittedField};
    use crate::model::scorer::Family;
    use crate::model::weights::{parse_safetensors, to_safetensors};

    fn recipe() -> FittedRecipe {
        let bins = Code::Bins { cuts: vec![1.0, 2.0, 3.0], low: 0.0, high: 4.0 };
        let levels = Code::Levels { levels: vec!["A".into()] };
        let field = |column, name: &str, of| FittedField {
            field: name.into(),
            encoding: FittedEncoding::None {},
            start: 0,
            width: 0,
            known_levels: vec![],
            code: Some(FieldCode { column, of }),
        };
        FittedRecipe { fields: vec![field(0, "a", bins), field(1, "b", levels)], width: 0 }
    }

    fn trees() -> Trees {
        let leaf = |value, rows| Leaf { value, rows };
        let first = Tree {
            branches: vec![
                Branch {
                    column: 0,
                    split: Split::UpTo { code: 2, missing_left: true },
                    left: Child::Leaf(0),
                    right: Child::Branch(1),
                },
                Branch {
                    column: 1,
                    split: Split::Among(CodeSet([0b110, 0, 0, 0])),
                    left: Child::Leaf(1),
                    right: Child::Leaf(2),
                },
            ],
            leaves: vec![leaf(0.25, 9), leaf(-0.5, 4), leaf(1.0 / 3.0, 1)],
        };
        let last = Tree { branches: vec![], leaves: vec![leaf(0.125, 14)] };
        Trees { columns: code_columns(&recipe()), base: -1.75, trees: vec![first, last] }
    }

    #[test]
    fn trees_go_there_and_back_to_the_bit_as_either_family() {
        for (kind, family) in [("boosting", Family::Boosting(trees())), ("forest", Family::Forest(trees()))] {
            let bytes = to_safetensors(&family).unwrap();
            assert_eq!(parse_safetensors(kind, &recipe(), &bytes).unwrap(), family);
        }
    }

    #[test]
    fn lines_that_do_not_fit_together_are_refused_and_nothing_panics() {
        let good = to_safetensors(&Family::Boosting(trees())).unwrap();
        for length in 0..good.len() {
            assert!(parse_safetensors("boosting", &recipe(), &good[..length]).is_err(), "{length}");
        }
        let mut accepted = 0;
        for at in 8..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x11;
            // A changed value or count of rows is another model, which its digest tells; a changed shape is none.
            accepted += usize::from(parse_safetensors("boosting", &recipe(), &bad).is_ok());
        }
        assert!(accepted < good.len() / 2, "{accepted}");
        let mut circle = trees();
        circle.trees[0].branches[1].left = Child::Branch(0);
        let bytes = write(&circle).unwrap();
        assert!(matches!(parse_safetensors("boosting", &recipe(), &bytes), Err(WeightsError::Trees(_))));
    }
}
