//! One tree: the leaf that gains most is split next, until none gains or there are leaves enough; or all leaves of a
//! level by one question, see `symmetric`. Knows nothing of margins or rounds.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::base::rng::Random;
use crate::model::trees::{Branch, Child, Leaf, Split, Tree};
use crate::train::trees::codes::{CheckedPart, CodedShape};
use crate::train::trees::grow::gradients::{Gradients, Packed};
use crate::train::trees::grow::histogram::{Histogram, RowCodes};
use crate::train::trees::grow::levels::Ranked;
use crate::train::trees::grow::split::{Asked, Bounds, Found, Judge, Node, value};
use crate::train::trees::params::{GrowParams, Growth, LevelOrder};

pub mod gradients;
pub mod histogram;
pub mod levels;
pub mod question;
pub mod split;
pub mod symmetric;

/// What every tree of a training is grown on.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    pub part: &'a CheckedPart<'a>,
    pub shape: CodedShape<'a>,
    pub params: &'a GrowParams,
}

/// Which columns a tree, or a split, may ask.
pub enum Offer {
    Fixed(Vec<u16>),
    /// So many, drawn anew for every split.
    Drawn {
        count: usize,
        random: Box<Random>,
    },
}

/// Grows trees one after the other and keeps the space between them.
#[derive(Debug)]
pub struct Grower<'a> {
    ground: Ground<'a>,
    spare: Vec<Histogram>,
    right: Vec<u32>,
    /// By column, where levels keep one order in the whole tree.
    ranked: Vec<Option<Ranked>>,
}

/// A node as it was grown; `children` are places in `Grown::nodes`.
#[derive(Clone, Debug)]
pub struct GrownNode {
    pub node: Node,
    pub value: f64,
    pub split: Option<(u16, Split)>,
    pub children: [u32; 2],
    /// Where its rows stand in the order, once it is grown.
    pub begin: usize,
    depth: usize,
}

/// Nodes in the order they were made, the root first.
#[derive(Debug, Default)]
pub struct Grown {
    pub nodes: Vec<GrownNode>,
}

/// A leaf that could be split.
#[derive(Debug)]
struct Waiting {
    at: u32,
    found: Found,
    /// Kept where the children's sums will come from it.
    histogram: Option<Histogram>,
}

impl<'a> Grower<'a> {
    pub fn new(ground: Ground<'a>) -> Self {
        Self { ground, spare: Vec::new(), right: Vec::new(), ranked: Vec::new() }
    }

    /// On the rows in `order`, a row as often as it stands there; `order` ends up sorted by leaf.
    pub fn grow(&mut self, order: &mut [u32], gradients: &Gradients, offer: &mut Offer) -> Grown {
        if self.ground.params.growth == Growth::Symmetric {
            return self.grow_symmetric(order, gradients, offer);
        }
        let mut grown = self.root(order, gradients);
        self.rank(&grown, order, gradients);
        let mut waiting = BinaryHeap::new();
        if self.can_split(&grown, 0) {
            let filled = self.filled(&grown.nodes[0], order, gradients, offer);
            waiting.extend(self.waiting(&grown, 0, gradients, filled));
        }
        let mut leaves = 1;
        while let Some(mut next) = waiting.pop() {
            let Some(children) = self.part(&mut grown, (next.at, &next.found), order, gradients) else {
                self.spare.extend(next.histogram);
                continue;
            };
            leaves += 1;
            if leaves == self.ground.params.leaves_max {
                self.spare.extend(
                    next.histogram.into_iter().chain(waiting.drain().filter_map(|other| other.histogram)),
                );
                break;
            }
            let whole = next.histogram.take();
            for (child, filled) in self.histograms(&grown, children, whole, order, (gradients, offer)) {
                waiting.extend(self.waiting(&grown, child, gradients, filled));
            }
        }
        grown
    }

    /// Puts the levels of each column in order by all rows of the tree, where that is how they are split.
    fn rank(&mut self, grown: &Grown, order: &[u32], gradients: &Gradients) {
        let Ground { part, shape, params } = self.ground;
        if params.levels.order == LevelOrder::Node {
            return;
        }
        let of_levels = (0..part.width as u16).filter(|&place| !shape.columns[usize::from(place)].ordered);
        let places: Vec<u16> = of_levels.collect();
        let mut histogram = self.spare.pop().unwrap_or_default();
        let codes = RowCodes { by_row: &part.by_row, width: part.width };
        histogram.fill(codes, &gradients.packed, order, &places);
        let judge = Judge::new(params, gradients.units, grown.nodes[0].node);
        self.ranked = vec![None; part.width];
        for (&place, bins) in places.iter().zip(&histogram.0) {
            let place = usize::from(place);
            self.ranked[place] = Some(Ranked::of(&judge, &bins[..shape.columns[place].codes]));
        }
        self.spare.push(histogram);
    }

    fn root(&self, order: &[u32], gradients: &Gradients) -> Grown {
        let packed =
            order.iter().fold(0, |sum: Packed, &row| sum.wrapping_add(gradients.packed[row as usize]));
        let root =
            Node { packed, sums: gradients.units.sums(packed), rows: order.len(), bounds: Bounds::NONE };
        Grown { nodes: vec![GrownNode::new(root, self.ground.params.lambda, 0, 0)] }
    }

    fn can_split(&self, grown: &Grown, at: u32) -> bool {
        let (node, params) = (&grown.nodes[at as usize], self.ground.params);
        node.node.rows >= 2 * params.rows_min && node.depth < params.depth_max
    }

    /// Of the children that can be split. The smaller one is summed, the other is what is left of the parent.
    fn histograms(
        &mut self,
        grown: &Grown,
        [left, right]: [u32; 2],
        whole: Option<Histogram>,
        order: &[u32],
        (gradients, offer): (&Gradients, &mut Offer),
    ) -> Vec<(u32, Filled)> {
        let rows = |child: u32| grown.nodes[child as usize].node.rows;
        let (few, many) = if rows(left) <= rows(right) { (left, right) } else { (right, left) };
        if !self.can_split(grown, many) {
            self.spare.extend(whole);
            return Vec::new();
        }
        let (few_can, few_node) = (self.can_split(grown, few), &grown.nodes[few as usize]);
        let Some(mut whole) = whole else {
            let can = [(few, few_can), (many, true)].into_iter().filter(|(_, can)| *can);
            return can
                .map(|(at, _)| (at, self.filled(&grown.nodes[at as usize], order, gradients, offer)))
                .collect();
        };
        let first = self.filled(few_node, order, gradients, offer);
        whole.take_away(&first.histogram);
        let second = Filled { histogram: whole, columns: first.columns.clone(), keep: true };
        if few_can {
            vec![(few, first), (many, second)]
        } else {
            self.spare.push(first.histogram);
            vec![(many, second)]
        }
    }

    fn filled(
        &mut self,
        node: &GrownNode,
        order: &[u32],
        gradients: &Gradients,
        offer: &mut Offer,
    ) -> Filled {
        let part = self.ground.part;
        let mut histogram = self.spare.pop().unwrap_or_default();
        let (columns, keep) = match offer {
            Offer::Fixed(columns) => (columns.clone(), true),
            Offer::Drawn { count, random } => (draw(part.width, *count, random), false),
        };
        let rows = &order[node.begin..node.begin + node.node.rows];
        let codes = RowCodes { by_row: &part.by_row, width: part.width };
        histogram.fill(codes, &gradients.packed, rows, &columns);
        Filled { histogram, columns, keep }
    }

    fn waiting(&mut self, grown: &Grown, at: u32, gradients: &Gradients, filled: Filled) -> Option<Waiting> {
        let shape = self.ground.shape;
        let judge = Judge::new(self.ground.params, gradients.units, grown.nodes[at as usize].node);
        let mut best: Option<Found> = None;
        for (&place, bins) in filled.columns.iter().zip(&filled.histogram.0) {
            let (column, direction) = (shape.columns[usize::from(place)], shape.monotone[usize::from(place)]);
            let asked = Asked { place, column, direction, bins };
            let found = match self.ranked.get(usize::from(place)) {
                Some(Some(ranked)) => levels::best_in(&judge, &asked, ranked),
                _ => judge.best(&asked),
            };
            if found.is_some_and(|found| best.is_none_or(|best| found.gain > best.gain)) {
                best = found;
            }
        }
        let keep = filled.keep && best.is_some();
        let histogram = if keep {
            Some(filled.histogram)
        } else {
            self.spare.push(filled.histogram);
            None
        };
        best.map(|found| Waiting { at, found, histogram })
    }

    /// Rows of the left child first, each side in the order it had. Sides were judged by their share of the
    /// hessian; one that turns out too small leaves the node unsplit.
    fn part(
        &mut self,
        grown: &mut Grown,
        (at, found): (u32, &Found),
        order: &mut [u32],
        gradients: &Gradients,
    ) -> Option<[u32; 2]> {
        let parent = grown.nodes[at as usize].clone();
        let codes = &self.ground.part.table.columns[usize::from(found.column)];
        let goes_left: [bool; 256] = std::array::from_fn(|code| found.split.is_left(code as u8));
        let rows = &mut order[parent.begin..parent.begin + parent.node.rows];
        self.right.resize(self.right.len().max(rows.len()), 0);
        let (mut lefts, mut rights) = (0, 0);
        for place in 0..rows.len() {
            let row = rows[place];
            let left = goes_left[usize::from(codes[row as usize])];
            rows[lefts] = row;
            self.right[rights] = row;
            lefts += usize::from(left);
            rights += usize::from(!left);
        }
        rows[lefts..].copy_from_slice(&self.right[..rights]);
        let params = self.ground.params;
        if lefts.min(rights) < params.rows_min {
            return None;
        }
        let direction = self.ground.shape.monotone[usize::from(found.column)];
        let packed = [found.left, parent.node.packed.wrapping_sub(found.left)];
        let sums = packed.map(|packed| gradients.units.sums(packed));
        let [l, r] = sums.map(|sums| value(sums, params.lambda, parent.node.bounds));
        let (low, high) = parent.node.bounds.parted(direction, l, r);
        let first = grown.nodes.len() as u32;
        for (side, (bounds, rows)) in [(low, lefts), (high, rights)].into_iter().enumerate() {
            let node = Node { packed: packed[side], sums: sums[side], rows, bounds };
            let begin = parent.begin + side * lefts;
            grown.nodes.push(GrownNode::new(node, params.lambda, begin, parent.depth + 1));
        }
        let parent = &mut grown.nodes[at as usize];
        parent.split = Some((found.column, found.split));
        parent.children = [first, first + 1];
        Some(parent.children)
    }
}

/// Sums by code of the columns named.
struct Filled {
    histogram: Histogram,
    columns: Vec<u16>,
    keep: bool,
}

/// `count` of the places below `width`, rising.
pub fn draw(width: usize, count: usize, random: &mut Random) -> Vec<u16> {
    let mut places: Vec<u16> = (0..width as u16).collect();
    let count = count.clamp(1.min(width), width);
    for at in 0..count {
        places.swap(at, at + random.below(width - at));
    }
    places.truncate(count);
    places.sort_unstable();
    places
}

impl GrownNode {
    fn new(node: Node, lambda: f64, begin: usize, depth: usize) -> Self {
        Self {
            node,
            value: value(node.sums, lambda, node.bounds),
            split: None,
            children: [0; 2],
            begin,
            depth,
        }
    }
}

impl Grown {
    /// As a tree, each leaf worth what is said of its place in `nodes`.
    pub fn tree(&self, worth: impl Fn(usize) -> f64) -> Tree {
        let mut tree = Tree::default();
        self.add(0, &worth, &mut tree);
        tree
    }

    fn add(&self, at: u32, worth: &impl Fn(usize) -> f64, tree: &mut Tree) -> Child {
        let node = &self.nodes[at as usize];
        let Some((column, split)) = node.split else {
            let rows = node.node.rows as u32;
            tree.leaves.push(Leaf { value: worth(at as usize), rows });
            return Child::Leaf(tree.leaves.len() as u32 - 1);
        };
        let branch = tree.branches.len();
        tree.branches.push(Branch { column, split, left: Child::Leaf(0), right: Child::Leaf(0) });
        let [left, right] = node.children;
        let left = self.add(left, worth, tree);
        let right = self.add(right, worth, tree);
        tree.branches[branch].left = left;
        tree.branches[branch].right = right;
        Child::Branch(branch as u32)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By gain; of equals the one that was made first is the greater.
impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.found.gain.total_cmp(&other.found.gain).then(other.at.cmp(&self.at))
    }
}
