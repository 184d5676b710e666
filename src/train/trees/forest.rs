//! The bagged forest: each tree on a draw of rows with repetition, each split on a draw of columns. Its margin is the
//! mean of the leaves' log-odds, so that it adds up as boosted trees do. Grows no tree itself.

use crate::base::rng::Random;
use crate::model::trees::batch::TreeRun;
use crate::model::trees::{Tree, Trees};
use crate::train::trees::boosting::Watch;
use crate::train::trees::codes::{CheckedPart, CodedPart, CodedShape, Monotone};
use crate::train::trees::error::TreesError;
use crate::train::trees::grow::gradients::Gradients;
use crate::train::trees::grow::split::Bounds;
use crate::train::trees::grow::{Ground, Grower, Grown, GrownNode, Offer};
use crate::train::trees::params::ForestParams;
use crate::train::trees::recalibrate::Line;

/// No leaf is surer than this, whatever its rows.
const RATE_MIN: f64 = 1e-6;

#[derive(Clone, Debug, PartialEq)]
pub struct Bagged {
    pub trees: Trees,
    /// Each training row's margin by the trees that did not see it; none where all did.
    pub out_of_bag: Vec<Option<f64>>,
}

pub fn bag(
    part: CodedPart<'_>,
    shape: CodedShape<'_>,
    params: &ForestParams,
    seed: u64,
    watch: Watch<'_>,
) -> Result<Bagged, TreesError> {
    params.check()?;
    shape.check()?;
    let train = part.check("the training part", &shape)?;
    let base = train.log_odds("the training part")?;
    let mut grower = Grower::new(Ground { part: &train, shape, params: &params.grow });
    let mut gradients = Gradients::new(train.rows());
    let mut random = Random::new(seed, "trees.forest");
    let columns = shape.columns.len();
    let count = ((params.root_share * (columns as f64).sqrt()).round() as usize).max(1);
    let mut offer = Offer::Drawn { count, random: Box::new(Random::new(seed, "trees.forest.columns")) };
    let margins = vec![base; train.rows()];
    let rates = Rates { base: 1.0 / (1.0 + (-base).exp()), smoothing: params.smoothing };
    let mut out_of_bag = OutOfBag::new(train.rows());
    let mut trees = Vec::with_capacity(params.trees);
    watch.progress.stage("forest", params.trees as u64);
    for done in 1..=params.trees {
        watch.cancel.check()?;
        let mut order = out_of_bag.draw(&mut random);
        gradients.take(&margins, train.labels, train.weights, &order);
        let grown = grower.grow(&mut order, &gradients, &mut offer);
        let rates = rates.of(&grown, shape.monotone);
        let tree = grown.tree(|leaf| (log_odds(rates[leaf]) - base) / params.trees as f64);
        out_of_bag.add(&tree, &train);
        trees.push(tree);
        watch.progress.step(done as u64);
    }
    let mut trees = Trees { columns: shape.columns.to_vec(), base, trees };
    let mut out_of_bag = out_of_bag.margins(base, params.trees);
    settle(&mut trees, &mut out_of_bag, &train);
    Ok(Bagged { trees, out_of_bag })
}

/// A mean of log-odds leans to the rarer side and is not as sure as it should be; rows out of the bag say by how much.
fn settle(trees: &mut Trees, out_of_bag: &mut [Option<f64>], train: &CheckedPart<'_>) {
    let judged = out_of_bag.iter().zip(train.labels).zip(train.weights);
    let rows = judged.filter_map(|((margin, &label), &weight)| Some(((*margin)?, label, f64::from(weight))));
    let line = Line::fit(&rows.collect::<Vec<_>>());
    trees.base = line.at(trees.base);
    trees.trees.iter_mut().flat_map(|tree| &mut tree.leaves).for_each(|leaf| leaf.value *= line.slope);
    out_of_bag.iter_mut().flatten().for_each(|margin| *margin = line.at(*margin));
}

fn log_odds(rate: f64) -> f64 {
    (rate / (1.0 - rate)).ln()
}

/// The rate of each node, drawn towards its parent's and that towards the whole.
struct Rates {
    base: f64,
    smoothing: f64,
}

impl Rates {
    fn of(&self, grown: &Grown, monotone: &[Monotone]) -> Vec<f64> {
        let mut rates = vec![self.base; grown.nodes.len()];
        let mut bounds = vec![Bounds { low: RATE_MIN, high: 1.0 - RATE_MIN }; grown.nodes.len()];
        // A parent stands before its children.
        for (at, node) in grown.nodes.iter().enumerate() {
            let Some((column, _)) = node.split else { continue };
            let children = node.children.map(|child| child as usize);
            let [left, right] =
                children.map(|child| bounds[at].held(self.drawn(&grown.nodes[child], rates[at])));
            let (low, high) = bounds[at].parted(monotone[usize::from(column)], left, right);
            for (child, rate, within) in [(children[0], left, low), (children[1], right, high)] {
                rates[child] = within.held(rate);
                bounds[child] = within;
            }
        }
        rates
    }

    /// All derivatives were taken at the base, so the weights of both classes follow from their sums.
    fn drawn(&self, node: &GrownNode, towards: f64) -> f64 {
        let weight = node.node.sums.hessian / (self.base * (1.0 - self.base));
        let positive = self.base * weight - node.node.sums.gradient;
        (positive + self.smoothing * towards) / (weight + self.smoothing)
    }
}

/// Which rows a tree has not seen, and what such trees say of them.
struct OutOfBag {
    times: Vec<u32>,
    sums: Vec<f64>,
    trees: Vec<u32>,
    scratch: Vec<f64>,
}

impl OutOfBag {
    fn new(rows: usize) -> Self {
        Self { times: vec![0; rows], sums: vec![0.0; rows], trees: vec![0; rows], scratch: vec![0.0; rows] }
    }

    /// As many rows as there are, with repetition, in their order.
    fn draw(&mut self, random: &mut Random) -> Vec<u32> {
        let rows = self.times.len();
        self.times.fill(0);
        for _ in 0..rows {
            self.times[random.below(rows)] += 1;
        }
        let repeated = self.times.iter().enumerate();
        repeated.flat_map(|(row, times)| std::iter::repeat_n(row as u32, *times as usize)).collect()
    }

    fn add(&mut self, tree: &Tree, train: &CheckedPart<'_>) {
        self.scratch.fill(0.0);
        TreeRun::of(tree).add(&train.table.columns, &mut self.scratch);
        for (row, times) in self.times.iter().enumerate() {
            if *times == 0 {
                self.sums[row] += self.scratch[row];
                self.trees[row] += 1;
            }
        }
    }

    /// Leaves hold their share of the mean over all trees; here it is the mean over some.
    fn margins(&self, base: f64, all: usize) -> Vec<Option<f64>> {
        let rows = self.sums.iter().zip(&self.trees);
        rows.map(|(sum, &trees)| (trees > 0).then(|| base + sum * all as f64 / f64::from(trees))).collect()
    }
}
