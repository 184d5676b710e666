//! Leaves too deep for a table: one pass down and up a tree carries the product of all factors of a path at the
//! nodes of a quadrature, and every edge takes its column's part of what its leaves are worth. Divides by nothing
//! that can be 0; keeps no number of a row.

use crate::model::shap::paths::Edge;
use crate::model::shap::quadrature::Rule;
use crate::model::trees::{CodeSet, Leaf, Split};

/// Quadratures of growing size; a walk uses the smallest that is exact for its longest path.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    four: Rule<4>,
    eight: Rule<8>,
    sixteen: Rule<16>,
    all: Rule<32>,
}

impl Rules {
    pub fn new() -> Self {
        Self { four: Rule::new(), eight: Rule::new(), sixteen: Rule::new(), all: Rule::new() }
    }
}

#[derive(Clone, Copy, Debug)]
enum Test {
    UpTo {
        code: u8,
        missing_left: bool,
    },
    /// Index into the walk's sets.
    Among(u32),
}

/// An edge of the tree, without the edges that lead to no walked leaf.
#[derive(Clone, Copy, Debug)]
struct Step {
    chance: f64,
    /// Of a leaf.
    value: f64,
    /// The step after all that hang below this one.
    beyond: u32,
    test: Test,
    column: u16,
    depth: u16,
    /// Depth of the path's edge that asked the column before; 0 if none did.
    earlier: u16,
    left: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Walk {
    steps: Vec<Step>,
    sets: Vec<CodeSet>,
    depth: usize,
    /// Distinct columns of the longest path.
    columns: usize,
}

/// An edge on the way down.
#[derive(Clone, Copy, Debug)]
struct Frame<const Q: usize> {
    met: bool,
    column: u16,
    earlier: u16,
    chance: f64,
    /// The product of the factors of the path's columns.
    product: [f64; Q],
    /// (o - z) / (t o + (1 - t) z), by which a column's value differs from the product.
    ratio: [f64; Q],
    /// 1 / (t + (1 - t) z) of a met column.
    inverse: [f64; Q],
    /// Products times values of the leaves below that have been met.
    sum: [f64; Q],
}

impl Walk {
    /// None if no leaf is left for it.
    pub fn new(edges: &[Edge], leaves: &[Leaf], walked: &[bool]) -> Option<Self> {
        let keep = kept(edges, walked);
        let mut walk = Self { steps: Vec::new(), sets: Vec::new(), depth: 0, columns: 0 };
        let mut distinct = vec![0];
        let mut open: Vec<usize> = Vec::new();
        for (edge, _) in edges.iter().zip(keep).filter(|(_, keep)| *keep) {
            while open.len() >= edge.depth {
                let ended = open.pop().unwrap_or_default();
                walk.steps[ended].beyond = walk.steps.len() as u32;
            }
            open.push(walk.steps.len());
            distinct.truncate(edge.depth);
            distinct.push(distinct[edge.depth - 1] + usize::from(edge.earlier == 0));
            walk.columns = walk.columns.max(distinct[edge.depth]);
            walk.depth = walk.depth.max(edge.depth);
            let test = walk.test_of(edge.split);
            walk.steps.push(Step {
                chance: edge.chance,
                value: edge.leaf.map_or(0.0, |leaf| leaves[leaf].value),
                beyond: 0,
                test,
                column: edge.column as u16,
                depth: edge.depth as u16,
                earlier: edge.earlier as u16,
                left: edge.left,
            });
        }
        for ended in open {
            walk.steps[ended].beyond = walk.steps.len() as u32;
        }
        (!walk.steps.is_empty()).then_some(walk)
    }

    /// A set is kept once for both edges of its branch.
    fn test_of(&mut self, split: Split) -> Test {
        match split {
            Split::UpTo { code, missing_left } => Test::UpTo { code, missing_left },
            Split::Among(set) => {
                let at = self.sets.iter().position(|known| *known == set).unwrap_or_else(|| {
                    self.sets.push(set);
                    self.sets.len() - 1
                });
                Test::Among(at as u32)
            }
        }
    }

    pub fn bytes(&self) -> usize {
        self.steps.len() * size_of::<Step>() + self.sets.len() * size_of::<CodeSet>()
    }

    pub fn add(&self, rules: &Rules, codes: &[u8], out: &mut [f64]) {
        match self.columns {
            0..=8 => self.run(&rules.four, codes, out),
            9..=16 => self.run(&rules.eight, codes, out),
            17..=32 => self.run(&rules.sixteen, codes, out),
            _ => self.run(&rules.all, codes, out),
        }
    }

    fn run<const Q: usize>(&self, rule: &Rule<Q>, codes: &[u8], out: &mut [f64]) {
        let root = Frame {
            met: true,
            column: 0,
            earlier: 0,
            chance: 1.0,
            product: rule.weight,
            ratio: [0.0; Q],
            inverse: [1.0; Q],
            sum: [0.0; Q],
        };
        let mut frames = vec![root; self.depth + 1];
        let (mut at, mut top) = (0, 0);
        while let Some(step) = self.steps.get(at) {
            let depth = usize::from(step.depth);
            while top >= depth {
                fold(&mut frames, top, out);
                top -= 1;
            }
            let earlier = usize::from(step.earlier);
            let met = frames[earlier].met && self.goes(step, codes[usize::from(step.column)]);
            // Neither the row nor the background comes here: no coalition is worth anything.
            if !met && step.chance == 0.0 {
                at = step.beyond as usize;
                continue;
            }
            descend(&mut frames, step, met, rule);
            top = depth;
            at += 1;
        }
        while top > 0 {
            fold(&mut frames, top, out);
            top -= 1;
        }
    }

    fn goes(&self, step: &Step, code: u8) -> bool {
        let left = match step.test {
            Test::UpTo { code: last, missing_left } => Split::UpTo { code: last, missing_left }.is_left(code),
            Test::Among(set) => self.sets[set as usize].contains(code),
        };
        left == step.left
    }
}

/// Whether any walked leaf lies below each edge.
fn kept(edges: &[Edge], walked: &[bool]) -> Vec<bool> {
    let mut keep = vec![false; edges.len()];
    let mut path: Vec<usize> = Vec::new();
    for (at, edge) in edges.iter().enumerate() {
        path.truncate(edge.depth - 1);
        path.push(at);
        if edge.leaf.is_some_and(|leaf| walked[leaf]) {
            path.iter().for_each(|&edge| keep[edge] = true);
        }
    }
    keep
}

fn descend<const Q: usize>(frames: &mut [Frame<Q>], step: &Step, met: bool, rule: &Rule<Q>) {
    let depth = usize::from(step.depth);
    let (above, below) = frames.split_at_mut(depth);
    let (parent, earlier) = (&above[depth - 1], &above[usize::from(step.earlier)]);
    let frame = &mut below[0];
    frame.met = met;
    frame.column = step.column;
    frame.earlier = step.earlier;
    frame.chance = step.chance;
    let z = step.chance;
    if met {
        for q in 0..Q {
            let factor = rule.node[q] + rule.rest[q] * z;
            frame.product[q] = parent.product[q] * factor * earlier.inverse[q];
            frame.inverse[q] = 1.0 / factor;
            frame.ratio[q] = (1.0 - z) * frame.inverse[q];
        }
    } else if earlier.met {
        for q in 0..Q {
            frame.product[q] = parent.product[q] * rule.rest[q] * z * earlier.inverse[q];
            frame.ratio[q] = -1.0 / rule.rest[q];
        }
    } else {
        // Already unmet above: only the chance shrinks, and it was above 0 or this would not have been reached.
        let shrink = z / earlier.chance;
        for q in 0..Q {
            frame.product[q] = parent.product[q] * shrink;
            frame.ratio[q] = -1.0 / rule.rest[q];
        }
    }
    for q in 0..Q {
        frame.sum[q] = step.value * frame.product[q];
    }
}

/// Takes the column's part of what lies below an edge, and hands it on to the edge above.
fn fold<const Q: usize>(frames: &mut [Frame<Q>], at: usize, out: &mut [f64]) {
    let (above, below) = frames.split_at_mut(at);
    let frame = &below[0];
    let earlier = &above[usize::from(frame.earlier)];
    if frame.met || earlier.met {
        let mut value = 0.0;
        for q in 0..Q {
            value += frame.sum[q] * (frame.ratio[q] - earlier.ratio[q]);
        }
        out[usize::from(frame.column)] += value;
    }
    let parent = &mut above[at - 1];
    for q in 0..Q {
        parent.sum[q] += frame.sum[q];
    }
}
