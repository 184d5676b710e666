//! The values against every subset counted out, under both backgrounds, from tables and from walks.

use super::*;
use crate::base::rng::Random;
use crate::model::trees::{Branch, Child, CodeSet, Leaf, Split, Tree};
use proptest::{prelude::ProptestConfig, prop_assert, proptest};

struct Drawn {
    trees: Trees,
    marginals: Vec<Vec<f64>>,
}

/// Trees over a few columns, half of them of levels, that ask the same columns again and leave leaves without rows.
fn drawn(seed: u64, columns: usize, codes_max: usize, leaves: usize) -> Drawn {
    let mut random = Random::new(seed, "shap");
    let columns: Vec<CodeColumn> = (0..columns)
        .map(|column| CodeColumn { column, codes: 2 + random.below(codes_max - 1), ordered: column % 2 == 0 })
        .collect();
    let trees = (0..1 + random.below(3)).map(|_| tree(&mut random, &columns, leaves)).collect();
    let marginals = columns
        .iter()
        .map(|column| {
            let parts: Vec<usize> = (0..column.codes).map(|_| random.below(4)).collect();
            let sum = parts.iter().sum::<usize>();
            let even = 1.0 / column.codes as f64;
            parts.iter().map(|&part| if sum == 0 { even } else { part as f64 / sum as f64 }).collect()
        })
        .collect();
    Drawn { trees: Trees { columns, base: random.normal(), trees }, marginals }
}

fn tree(random: &mut Random, columns: &[CodeColumn], leaves: usize) -> Tree {
    let mut tree = Tree::default();
    let leaves = 1 + random.below(leaves);
    grow(random, columns, leaves, &mut tree);
    tree
}

fn grow(random: &mut Random, columns: &[CodeColumn], leaves: usize, tree: &mut Tree) -> Child {
    if leaves == 1 {
        tree.leaves.push(Leaf { value: random.normal(), rows: random.below(5) as u32 });
        return Child::Leaf(tree.leaves.len() as u32 - 1);
    }
    let column = random.below(columns.len());
    let at = tree.branches.len();
    let split = if columns[column].ordered {
        Split::UpTo { code: random.below(columns[column].codes) as u8, missing_left: random.below(2) == 0 }
    } else {
        let mut set = CodeSet::default();
        (0..columns[column].codes).filter(|_| random.below(2) == 0).for_each(|code| set.insert(code as u8));
        Split::Among(set)
    };
    tree.branches.push(Branch { column: column as u16, split, left: Child::Leaf(0), right: Child::Leaf(0) });
    let lefts = 1 + random.below(leaves - 1);
    tree.branches[at].left = grow(random, columns, lefts, tree);
    tree.branches[at].right = grow(random, columns, leaves - lefts, tree);
    Child::Branch(at as u32)
}

fn rows(drawn: &Drawn, seed: u64, rows: usize) -> Vec<Vec<u8>> {
    let mut random = Random::new(seed, "rows");
    (0..rows).map(|_| drawn.trees.columns.iter().map(|c| random.below(c.codes) as u8).collect()).collect()
}

/// What a coalition is worth when branches on unknown columns are taken as often as the training rows took them.
fn worth_by_cover(trees: &Trees, codes: &[u8], known: usize) -> f64 {
    fn below(tree: &Tree, at: Child) -> u32 {
        match at {
            Child::Leaf(leaf) => tree.leaves[leaf as usize].rows,
            Child::Branch(b) => {
                below(tree, tree.branches[b as usize].left) + below(tree, tree.branches[b as usize].right)
            }
        }
    }
    fn worth(tree: &Tree, at: Child, codes: &[u8], known: usize) -> f64 {
        let branch = match at {
            Child::Leaf(leaf) => return tree.leaves[leaf as usize].value,
            Child::Branch(branch) => &tree.branches[branch as usize],
        };
        let column = usize::from(branch.column);
        if known >> column & 1 == 1 {
            let left = branch.split.is_left(codes[column]);
            return worth(tree, if left { branch.left } else { branch.right }, codes, known);
        }
        let (left, right) = (f64::from(below(tree, branch.left)), f64::from(below(tree, branch.right)));
        let share = if left + right == 0.0 { 0.5 } else { left / (left + right) };
        share * worth(tree, branch.left, codes, known)
            + (1.0 - share) * worth(tree, branch.right, codes, known)
    }
    let root = |tree: &Tree| if tree.branches.is_empty() { Child::Leaf(0) } else { Child::Branch(0) };
    trees.base + trees.trees.iter().map(|tree| worth(tree, root(tree), codes, known)).sum::<f64>()
}

/// What a coalition is worth on average over every row the background can draw.
fn worth_by_marginals(drawn: &Drawn, codes: &[u8], known: usize) -> f64 {
    fn worth(drawn: &Drawn, row: &mut Vec<u8>, codes: &[u8], known: usize) -> f64 {
        let column = row.len();
        if column == codes.len() {
            return drawn.trees.margin_of(row);
        }
        let mut sum = 0.0;
        for (code, &chance) in drawn.marginals[column].iter().enumerate() {
            let kept = known >> column & 1 == 1;
            if chance > 0.0 && !kept || kept && code == usize::from(codes[column]) {
                row.push(code as u8);
                sum += if kept { 1.0 } else { chance } * worth(drawn, row, codes, known);
                row.pop();
            }
        }
        sum
    }
    worth(drawn, &mut Vec::new(), codes, known)
}

/// The definition: what a column adds, averaged over the orders in which columns become known.
fn counted_out(columns: usize, worth: impl Fn(usize) -> f64) -> Vec<f64> {
    let worths: Vec<f64> = (0..1usize << columns).map(worth).collect();
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    let all = columns as u32;
    (0..columns)
        .map(|column| {
            (0..worths.len())
                .filter(|known| known >> column & 1 == 0)
                .map(|known| {
                    let size = known.count_ones();
                    let weight = factorial(size) * factorial(all - size - 1) / factorial(all);
                    weight * (worths[known | 1 << column] - worths[known])
                })
                .sum()
        })
        .collect()
}

fn explained(explainer: &Explainer, codes: &[u8]) -> Vec<f64> {
    let mut out = vec![f64::NAN; codes.len()];
    explainer.explain(codes, &mut out);
    out
}

fn furthest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, |most, gap| if gap <= most { most } else { gap })
}

/// No tables, so few that some leaves are walked, and as many as are wanted.
const ROOMS: [usize; 3] = [0, 6_000, TABLE_BYTES_MAX];

#[test]
fn cover_gives_what_counting_out_every_subset_gives() {
    for seed in 0..60 {
        let drawn = drawn(seed, 6, 9, 24);
        for room in ROOMS {
            let explainer = Explainer::within(&drawn.trees, Background::Cover, room).unwrap();
            for codes in rows(&drawn, seed, 6) {
                let exact = counted_out(6, |known| worth_by_cover(&drawn.trees, &codes, known));
                let gap = furthest(&explained(&explainer, &codes), &exact);
                assert!(gap < 1e-12, "seed {seed}, {room} bytes: {gap}");
                assert!((explainer.base() - worth_by_cover(&drawn.trees, &codes, 0)).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn marginals_give_what_counting_out_every_subset_and_background_row_gives() {
    for seed in 0..60 {
        let drawn = drawn(seed, 4, 5, 16);
        for room in ROOMS {
            let explainer =
                Explainer::within(&drawn.trees, Background::Marginals(&drawn.marginals), room).unwrap();
            for codes in rows(&drawn, seed, 6) {
                let exact = counted_out(4, |known| worth_by_marginals(&drawn, &codes, known));
                let gap = furthest(&explained(&explainer, &codes), &exact);
                assert!(gap < 1e-12, "seed {seed}, {room} bytes: {gap}");
                assert!((explainer.base() - worth_by_marginals(&drawn, &codes, 0)).abs() < 1e-12);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn base_and_values_add_up_to_the_margin(seed in 0u64..1 << 40, columns in 1usize..40, leaves in 1usize..200) {
        let drawn = drawn(seed, columns, 256, leaves);
        for background in [Background::Cover, Background::Marginals(&drawn.marginals)] {
            for room in [0, 30_000, TABLE_BYTES_MAX] {
                let explainer = Explainer::within(&drawn.trees, background, room).unwrap();
                for codes in rows(&drawn, seed, 4) {
                    let sum = explained(&explainer, &codes).iter().fold(explainer.base(), |sum, value| sum + value);
                    let margin = drawn.trees.margin_of(&codes);
                    prop_assert!((sum - margin).abs() < 1e-10, "{sum} {margin} {background:?} {room}");
                }
            }
        }
    }

    #[test]
    fn tables_and_walks_agree_on_every_column(seed in 0u64..1 << 40, columns in 1usize..70, leaves in 1usize..300) {
        let drawn = drawn(seed, columns, 40, leaves);
        for background in [Background::Cover, Background::Marginals(&drawn.marginals)] {
            let [walks, some, tables] = ROOMS.map(|room| Explainer::within(&drawn.trees, background, room).unwrap());
            prop_assert!(walks.groups.is_empty());
            for codes in rows(&drawn, seed, 4) {
                let values = explained(&walks, &codes);
                prop_assert!(furthest(&values, &explained(&some, &codes)) < 1e-12);
                prop_assert!(furthest(&values, &explained(&tables, &codes)) < 1e-12);
            }
        }
    }
}

/// A tree whose every branch asks another column and ends in a leaf on the left.
fn chain(columns: usize) -> Trees {
    let branches = (0..columns)
        .map(|at| Branch {
            column: at as u16,
            split: Split::UpTo { code: 1, missing_left: false },
            left: Child::Leaf(at as u32),
            right: if at + 1 == columns { Child::Leaf(columns as u32) } else { Child::Branch(at as u32 + 1) },
        })
        .collect();
    let leaves = (0..=columns).map(|at| Leaf { value: (at as f64).sin(), rows: 1 + at as u32 }).collect();
    let columns = (0..columns).map(|column| CodeColumn { column, codes: 3, ordered: true }).collect();
    Trees { columns, base: 0.5, trees: vec![Tree { branches, leaves }] }
}

#[test]
fn the_longest_path_adds_up_and_a_longer_one_is_refused() {
    let trees = chain(PATH_COLUMNS_MAX);
    let even = vec![vec![0.25, 0.25, 0.5]; PATH_COLUMNS_MAX];
    for background in [Background::Cover, Background::Marginals(&even)] {
        let explainer = Explainer::new(&trees, background).unwrap();
        for code in 0..3 {
            let codes = [code; PATH_COLUMNS_MAX];
            let sum = explained(&explainer, &codes).iter().sum::<f64>() + explainer.base();
            assert!((sum - trees.margin_of(&codes)).abs() < 1e-12, "{sum}");
        }
    }
    let refused = Explainer::new(&chain(65), Background::Cover).unwrap_err();
    assert_eq!(refused, ExplainError::LongPath { tree: 0, columns: 65 });
    let mut deep = chain(PATH_BRANCHES_MAX + 1);
    deep.trees[0].branches.iter_mut().for_each(|branch| branch.column = 0);
    assert_eq!(Explainer::new(&deep, Background::Cover).unwrap_err(), ExplainError::DeepPath { tree: 0 });
}

#[test]
fn a_code_the_background_never_draws_keeps_the_values_exact() {
    let trees = chain(5);
    for first in [0.0, 1e-300, 1.0] {
        let marginals: Vec<Vec<f64>> = (0..5).map(|_| vec![0.0, first, 1.0 - first]).collect();
        let drawn = Drawn { trees: trees.clone(), marginals };
        for room in [0, TABLE_BYTES_MAX] {
            let explainer = Explainer::within(&trees, Background::Marginals(&drawn.marginals), room).unwrap();
            for codes in rows(&drawn, 3, 40) {
                let exact = counted_out(5, |known| worth_by_marginals(&drawn, &codes, known));
                assert!(furthest(&explained(&explainer, &codes), &exact) < 1e-13);
            }
        }
    }
}

#[test]
fn many_rows_at_once_have_the_bits_of_each_alone_and_importance_their_mean() {
    let drawn = drawn(11, 9, 30, 120);
    for room in ROOMS {
        let explainer = Explainer::within(&drawn.trees, Background::Cover, room).unwrap();
        let rows = rows(&drawn, 5, 300);
        let mut together = vec![f64::NAN; rows.len() * 9];
        explainer.explain_rows(&rows.concat(), &mut together);
        let alone: Vec<f64> = rows.iter().flat_map(|codes| explained(&explainer, codes)).collect();
        assert!(together.iter().zip(&alone).all(|(a, b)| a.to_bits() == b.to_bits()));
        let importance = explainer.importance(&rows.concat());
        for (column, ours) in importance.iter().enumerate() {
            let mean = alone.iter().skip(column).step_by(9).map(|v| v.abs()).sum::<f64>() / 300.0;
            assert!((ours - mean).abs() < 1e-12);
        }
        assert!(importance.iter().any(|&value| value > 0.01));
    }
}

#[test]
fn tables_stay_within_their_bytes() {
    let mut taken = Vec::new();
    for room in [0, 40_000, 4_000_000] {
        let explainer = Explainer::within(&drawn(4, 12, 50, 100).trees, Background::Cover, room).unwrap();
        taken.push(explainer.groups.iter().map(Group::bytes).sum::<usize>());
        assert!(taken.iter().all(|bytes| *bytes <= room), "{taken:?} of {room}");
    }
    assert!(taken.is_sorted() && taken[2] > taken[0], "{taken:?}");
}

#[test]
fn trees_without_branches_and_rows_without_columns_are_their_base() {
    let stump = Tree { branches: Vec::new(), leaves: vec![Leaf { value: 2.0, rows: 0 }] };
    let trees = Trees { columns: Vec::new(), base: 1.0, trees: vec![stump] };
    let explainer = Explainer::new(&trees, Background::Marginals(&[])).unwrap();
    assert_eq!(
        (explainer.base(), explained(&explainer, &[]), explainer.importance(&[])),
        (3.0, vec![], vec![])
    );
}

#[test]
fn what_is_no_tree_is_refused() {
    let broken = Err(ExplainError::NotATree { tree: 0 });
    let refused = |change: &dyn Fn(&mut Tree)| {
        let mut trees = chain(3);
        change(&mut trees.trees[0]);
        Explainer::new(&trees, Background::Cover).map(|_| ())
    };
    assert_eq!(refused(&|_| ()), Ok(()));
    assert_eq!(refused(&|tree| tree.branches[2].right = Child::Branch(1)), broken, "a circle");
    assert_eq!(refused(&|tree| tree.branches[0].left = Child::Branch(2)), broken, "two ways to a branch");
    assert_eq!(refused(&|tree| tree.branches[0].left = Child::Leaf(1)), broken, "two ways to a leaf");
    assert_eq!(refused(&|tree| tree.branches[0].left = Child::Leaf(9)), broken, "no such leaf");
    assert_eq!(refused(&|tree| tree.branches[0].left = Child::Branch(9)), broken, "no such branch");
    assert_eq!(refused(&|tree| tree.branches[0].right = Child::Leaf(3)), broken, "a branch hangs from none");
    assert_eq!(refused(&|tree| tree.branches.clear()), broken, "leaves without branches");
    assert_eq!(refused(&|tree| tree.leaves.clear()), broken, "branches without leaves");
    let unknown = ExplainError::UnknownColumn { tree: 0, branch: 1, column: 7 };
    assert_eq!(refused(&|tree| tree.branches[1].column = 7), Err(unknown));
}

#[test]
fn a_background_that_is_no_distribution_of_the_codes_is_refused() {
    let refused = |marginals: &[Vec<f64>]| {
        Explainer::new(&chain(2), Background::Marginals(marginals)).map(|_| ()).unwrap_err()
    };
    let fine = vec![0.5, 0.5, 0.0];
    assert_eq!(refused(std::slice::from_ref(&fine)), ExplainError::MarginalColumns { expected: 2, found: 1 });
    let short = ExplainError::MarginalCodes { column: 1, expected: 3, found: 2 };
    assert_eq!(refused(&[fine.clone(), vec![0.5, 0.5]]), short);
    for wrong in [[0.5, 0.4, 0.0], [1.5, -0.5, 0.0], [f64::NAN, 0.5, 0.5]] {
        assert_eq!(refused(&[wrong.to_vec(), fine.clone()]), ExplainError::NoProbabilities { column: 0 });
    }
}
