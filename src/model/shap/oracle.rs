//! The values against LightGBM's own; `tests/oracles/shap.py` makes and checks them.

use crate::model::shap::{Background, Explainer, TABLE_BYTES_MAX};
use crate::model::trees::{Branch, Child, CodeColumn, Leaf, Split, Tree, Trees};
use serde::Deserialize;

#[derive(Deserialize)]
struct Oracle {
    codes: Vec<usize>,
    trees: Vec<Node>,
    rows: Vec<Vec<u8>>,
    values: Vec<Vec<f64>>,
    base: f64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Node {
    Branch(u16, u8, bool, Box<Node>, Box<Node>),
    Leaf(f64, u32),
}

fn grow(node: &Node, tree: &mut Tree) -> Child {
    match node {
        Node::Leaf(value, rows) => {
            tree.leaves.push(Leaf { value: *value, rows: *rows });
            Child::Leaf(tree.leaves.len() as u32 - 1)
        }
        Node::Branch(column, code, missing_left, left, right) => {
            let at = tree.branches.len();
            let split = Split::UpTo { code: *code, missing_left: *missing_left };
            let unknown = Child::Leaf(u32::MAX);
            tree.branches.push(Branch { column: *column, split, left: unknown, right: unknown });
            tree.branches[at].left = grow(left, tree);
            tree.branches[at].right = grow(right, tree);
            Child::Branch(at as u32)
        }
    }
}

#[test]
fn under_cover_every_value_and_the_base_are_lightgbms() {
    let oracle: Oracle = serde_json::from_str(include_str!("../../../fixtures/oracles/shap.json")).unwrap();
    let columns = oracle.codes.iter().enumerate();
    let columns = columns.map(|(column, &codes)| CodeColumn { column, codes, ordered: true }).collect();
    let mut trees = Trees { columns, base: 0.0, trees: Vec::new() };
    for node in &oracle.trees {
        let mut tree = Tree::default();
        grow(node, &mut tree);
        trees.trees.push(tree);
    }
    assert_eq!((oracle.rows.len(), oracle.values.len()), (20, 20));
    assert!(oracle.rows.iter().any(|row| row.contains(&0)), "a missing cell");
    for room in [0, TABLE_BYTES_MAX] {
        let explainer = Explainer::within(&trees, Background::Cover, room).unwrap();
        assert!((explainer.base() - oracle.base).abs() < 1e-12);
        for (codes, theirs) in oracle.rows.iter().zip(&oracle.values) {
            let mut ours = vec![f64::NAN; codes.len()];
            explainer.explain(codes, &mut ours);
            assert_eq!(ours.len(), theirs.len());
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert!((ours - theirs).abs() < 1e-12, "ours {ours}, LightGBM's {theirs}");
            }
        }
    }
}
