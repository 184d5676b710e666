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
    six: Rule<6>,
    eight: Rule<8>,
    sixteen: Rule<16>,
    all: Rule<32>,
}

impl Rules {
    pub fn new() -> Self {
        Self {
            four: Rule::new(),
            six: Rule::new(),
            eight: Rule::new(),
            sixteen: Rule::new(),
            all: Rule::new(),
        }
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

/// An edge on the way down. The factor of a column is t o + (1 - t) z, with o for met and z for the chance.
#[derive(Clone, Copy, Debug)]
struct Frame<const Q: usize> {
    met: bool,
    column: u16,
    earlier: u16,
    chance: f64,
    /// The product of the factors of the path's columns.
    product: [f64; Q],
    /// By what this edge multiplies the product: its column's factor, over the one the column had before.
    growth: [f64; Q],
    /// One over the factor the column had before, 1 if it was not asked; only where it was met.
    inverse: [f64; Q],
    /// The leaves below that have been met: their values times all growth below this edge.
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
            9..=12 => self.run(&rules.six, codes, out),
            13..=16 => self.run(&rules.eight, codes, out),
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
            growth: [1.0; Q],
            inverse: [1.0; Q],
            sum: [0.0; Q],
        };
        let mut frames = vec![root; self.depth + 1];
        let (mut at, mut top) = (0, 0);
        while let Some(step) = self.steps.get(at) {
            let depth = usize::from(step.depth);
            while top >= depth {
                let (above, below) = frames.split_at_mut(top);
                fold(&below[0], above, top - 1, out);
                top -= 1;
            }
            let earlier = usize::from(step.earlier);
            let met = frames[earlier].met && self.goes(step, codes[usize::from(step.column)]);
            // Neither the row nor the background comes here: no coalition is worth anything.
            if !met && step.chance == 0.0 {
                at = step.beyond as usize;
                continue;
            }
            at += 1;
            let frame = below(&frames[depth - 1], &frames[earlier], step, met, rule);
            // A leaf is folded at once.
            if at == step.beyond as usize {
                fold(&frame, &mut frames, depth - 1, out);
                top = depth - 1;
            } else {
                frames[depth] = frame;
                top = depth;
            }
        }
        while top > 0 {
            let (above, below) = frames.split_at_mut(top);
            fold(&below[0], above, top - 1, out);
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

/// What an edge adds to the path above it.
#[inline(always)]
fn below<const Q: usize>(
    parent: &Frame<Q>,
    earlier: &Frame<Q>,
    step: &Step,
    met: bool,
    rule: &Rule<Q>,
) -> Frame<Q> {
    let row = f64::from(u8::from(met));
    let mut inverse = [0.0; Q];
    // Unmet before: only the chance shrinks, and it was above 0 or this would not have been reached.
    let mut growth = [step.chance / earlier.chance; Q];
    // A column that was not asked before had the factor 1; to ask whether it was costs more than to divide by it.
    if earlier.met {
        inverse = std::array::from_fn(|q| 1.0 / (rule.node[q] + rule.rest[q] * earlier.chance));
        growth = std::array::from_fn(|q| (row * rule.node[q] + rule.rest[q] * step.chance) * inverse[q]);
    }
    let product = std::array::from_fn(|q| parent.product[q] * growth[q]);
    let sum = [step.value; Q];
    Frame {
        met,
        column: step.column,
        earlier: step.earlier,
        chance: step.chance,
        product,
        growth,
        inverse,
        sum,
    }
}

/// Takes the column's part of what lies below an edge, and hands the sum on to the edge above.
#[inline(always)]
fn fold<const Q: usize>(frame: &Frame<Q>, frames: &mut [Frame<Q>], above: usize, out: &mut [f64]) {
    let earlier = &frames[usize::from(frame.earlier)];
    let product = &frames[above].product;
    if earlier.met {
        let gap = f64::from(u8::from(frame.met)) - frame.chance;
        // What the column's factor gives in place of the factor it had.
        let gap_before = 1.0 - earlier.chance;
        let parts: [f64; Q] = std::array::from_fn(|q| {
            product[q] * frame.sum[q] * ((gap - frame.growth[q] * gap_before) * frame.inverse[q])
        });
        out[usize::from(frame.column)] += total(parts);
    }
    let sum = frames[above].sum;
    frames[above].sum = std::array::from_fn(|q| sum[q] + frame.growth[q] * frame.sum[q]);
}

/// Halves added first: shorter chains of additions than one after the other.
#[inline(always)]
fn total<const Q: usize>(mut parts: [f64; Q]) -> f64 {
    let mut left = Q;
    while left > 1 {
        let half = left / 2;
        for q in 0..half {
            parts[q] += parts[left - half + q];
        }
        left -= half;
    }
    parts[0]
}
