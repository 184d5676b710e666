//! Whether branches and leaves from a file make trees: every branch and leaf met once going down, in order.
//! Believes no number of theirs before.

use crate::base::limits;
use crate::model::trees::{Branch, Child, CodeColumn, CodeSet, Split, Tree, Trees};

/// Branches and leaves that are no trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTrees {
    #[error("{found} trees; at most {max} are read", max = limits::TREES_MAX)]
    Many { found: usize },
    #[error("tree {tree} has a branch or leaf that is met twice, never, or out of order")]
    Order { tree: usize },
    #[error("tree {tree} asks a column that there is not, or of which it asks what cannot be")]
    Column { tree: usize },
    #[error("tree {tree} is deeper than {max} branches", max = limits::TREE_DEPTH_MAX)]
    Depth { tree: usize },
    #[error("tree {tree} has a leaf whose value is no finite number")]
    NotFinite { tree: usize },
    #[error("the trees' columns are not those of the recipe's codes")]
    Columns,
}

impl Trees {
    pub fn check(&self, columns: &[CodeColumn]) -> Result<(), BadTrees> {
        if self.columns != columns {
            return Err(BadTrees::Columns);
        }
        let found = self.trees.len();
        if found > limits::TREES_MAX {
            return Err(BadTrees::Many { found });
        }
        self.trees.iter().enumerate().try_for_each(|(number, tree)| check_tree(number, tree, columns))
    }
}

fn check_tree(number: usize, tree: &Tree, columns: &[CodeColumn]) -> Result<(), BadTrees> {
    if tree.leaves.iter().any(|leaf| !leaf.value.is_finite()) {
        return Err(BadTrees::NotFinite { tree: number });
    }
    if !tree.branches.iter().all(|branch| asks_what_is(branch, columns)) {
        return Err(BadTrees::Column { tree: number });
    }
    // Going down left first, every branch and every leaf must be the next one of its kind.
    let (mut branches, mut leaves) = (0, 0);
    let root = if tree.branches.is_empty() { Child::Leaf(0) } else { Child::Branch(0) };
    let mut waiting = vec![(root, 0)];
    while let Some((child, depth)) = waiting.pop() {
        if depth > limits::TREE_DEPTH_MAX {
            return Err(BadTrees::Depth { tree: number });
        }
        match child {
            Child::Leaf(leaf) if leaf as usize == leaves && leaves < tree.leaves.len() => leaves += 1,
            Child::Branch(branch) if branch as usize == branches => {
                let Some(branch) = tree.branches.get(branches) else {
                    return Err(BadTrees::Order { tree: number });
                };
                branches += 1;
                waiting.push((branch.right, depth + 1));
                waiting.push((branch.left, depth + 1));
            }
            Child::Leaf(_) | Child::Branch(_) => return Err(BadTrees::Order { tree: number }),
        }
    }
    if (branches, leaves) == (tree.branches.len(), tree.leaves.len()) {
        Ok(())
    } else {
        Err(BadTrees::Order { tree: number })
    }
}

fn asks_what_is(branch: &Branch, columns: &[CodeColumn]) -> bool {
    let Some(column) = columns.get(usize::from(branch.column)) else { return false };
    match branch.split {
        Split::UpTo { code, .. } => column.ordered && usize::from(code) < column.codes,
        Split::Among(set) => !column.ordered && set.is_below(column.codes),
    }
}

impl CodeSet {
    fn is_below(&self, codes: usize) -> bool {
        let highest = (0..4).rev().find(|word| self.0[*word] != 0);
        highest.is_none_or(|word| word * 64 + 63 - (self.0[word].leading_zeros() as usize) < codes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::trees::Leaf;

    const COLUMNS: [CodeColumn; 2] = [
        CodeColumn { column: 0, codes: 5, ordered: true },
        CodeColumn { column: 1, codes: 3, ordered: false },
    ];

    fn tree() -> Tree {
        let (leaf, set) = (|value| Leaf { value, rows: 1 }, CodeSet([0b101, 0, 0, 0]));
        let up_to = |code| Split::UpTo { code, missing_left: false };
        let branch = |column, split, left, right| Branch { column, split, left, right };
        Tree {
            branches: vec![
                branch(0, up_to(2), Child::Branch(1), Child::Leaf(2)),
                branch(1, Split::Among(set), Child::Leaf(0), Child::Leaf(1)),
            ],
            leaves: vec![leaf(0.5), leaf(-1.0), leaf(2.0)],
        }
    }

    fn refusal(change: impl Fn(&mut Tree)) -> BadTrees {
        let mut tree = tree();
        change(&mut tree);
        Trees { columns: COLUMNS.to_vec(), base: 0.0, trees: vec![tree] }.check(&COLUMNS).unwrap_err()
    }

    #[test]
    fn a_tree_met_in_order_is_a_tree() {
        let trees = Trees { columns: COLUMNS.to_vec(), base: 0.1, trees: vec![tree(), tree()] };
        assert_eq!(trees.check(&COLUMNS), Ok(()));
        assert_eq!(trees.check(&COLUMNS[..1]), Err(BadTrees::Columns));
        assert_eq!(trees.margin_of(&[1, 0]), 0.1 + 0.5 + 0.5);
        assert_eq!(trees.margin_of(&[0, 1]), 0.1 + 2.0 + 2.0);
    }

    #[test]
    fn circles_strays_and_what_cannot_be_asked_are_no_trees() {
        let order = BadTrees::Order { tree: 0 };
        assert_eq!(refusal(|t| t.branches[1].left = Child::Branch(0)), order);
        assert_eq!(refusal(|t| t.branches[1].left = Child::Branch(7)), order);
        assert_eq!(refusal(|t| t.branches[1].left = Child::Leaf(1)), order);
        assert_eq!(refusal(|t| t.branches[0].right = Child::Leaf(3)), order);
        assert_eq!(refusal(|t| t.leaves.push(Leaf { value: 0.0, rows: 0 })), order);
        assert_eq!(refusal(|t| t.leaves.clear()), order);
        assert_eq!(refusal(|t| t.branches[0].column = 2), BadTrees::Column { tree: 0 });
        assert_eq!(refusal(|t| t.branches[0].column = 1), BadTrees::Column { tree: 0 });
        assert_eq!(
            refusal(|t| t.branches[1].split = Split::Among(CodeSet([0b1000, 0, 0, 0]))),
            BadTrees::Column { tree: 0 }
        );
        assert_eq!(refusal(|t| t.leaves[1].value = f64::NAN), BadTrees::NotFinite { tree: 0 });
    }
}
