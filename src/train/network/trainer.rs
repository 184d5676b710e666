//! A network by small batches: shuffles, leaves units out, steps, and averages what it visits.
//! The same examples, parameters and seed give the same bits; nothing global is read or drawn from.

use crate::base::cancel::CancelFlag;
use crate::base::limits;
use crate::base::progress::Progress;
use crate::base::rng::Random;
use crate::features::matrix::Matrix;
use crate::features::recipe::FittedRecipe;
use crate::model::network::{Network, NetworkError};
use crate::train::course::{ClassCosts, Course, Learned, Learner, Parts, Start, cosine};
use crate::train::examples::{Examples, TrainError};
use crate::train::fit::background;
use crate::train::monotone::Directions;
use crate::train::network::bounds::Bounds;
use crate::train::network::gradient::{NetworkBatch, NetworkGradient};
use crate::train::network::shape::Shape;
use crate::train::optimizer::{AdamW, MovingAverage};
use crate::train::params::MlpParams;

/// What a network is made by: its parameters, over which recipe, from which seed.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    pub params: &'a MlpParams,
    pub recipe: &'a FittedRecipe,
    pub directions: &'a Directions,
    pub start: Start,
}

pub fn train_network(
    plan: Plan<'_>,
    parts: &Parts<'_>,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<Learned<Network>, TrainError> {
    parts.check()?;
    let (train, valid) = (parts.train.matrix.width, plan.recipe.width);
    if train != valid {
        return Err(TrainError::Width { train, valid });
    }
    let costs = ClassCosts::of(&parts.train, plan.params.class_weight)?;
    let trainer = Trainer::new(plan, &parts.train, costs)?;
    let (matrix, labels) = draw_rows(&parts.train, plan.start.seed);
    let seen = Examples { matrix: &matrix, labels: &labels };
    let (epochs, patience) = (plan.params.epochs, plan.params.patience);
    Course { epochs, patience, seen, valid: parts.valid, costs }.follow(trainer, cancel, progress)
}

/// Training rows that stand for all of them where the loss is told: a pass over all would cost as much as it teaches.
fn draw_rows(train: &Examples<'_>, seed: u64) -> (Matrix, Vec<bool>) {
    let mut rows: Vec<usize> = (0..train.matrix.rows).collect();
    if rows.len() > limits::TRAIN_LOSS_ROWS_MAX {
        Random::new(seed, "train.loss_rows").shuffle(&mut rows);
        rows.truncate(limits::TRAIN_LOSS_ROWS_MAX);
        rows.sort_unstable();
    }
    let values = rows.iter().flat_map(|&row| train.matrix.row(row).to_vec()).collect();
    let matrix = Matrix { rows: rows.len(), width: train.matrix.width, values };
    (matrix, rows.iter().map(|&row| train.labels[row]).collect())
}

struct Trainer<'a> {
    params: &'a MlpParams,
    train: &'a Examples<'a>,
    costs: ClassCosts,
    shape: Shape,
    gradient: NetworkGradient,
    optimizer: AdamW,
    bounds: Bounds,
    values: Vec<f32>,
    /// The gradient of the step under way.
    slopes: Vec<f32>,
    average: MovingAverage,
    order: Vec<usize>,
    shuffles: Random,
    dropouts: Dropouts,
    batch_rows: usize,
    epochs: usize,
    steps: usize,
    steps_max: usize,
}

impl<'a> Trainer<'a> {
    fn new(plan: Plan<'a>, train: &'a Examples<'a>, costs: ClassCosts) -> Result<Self, TrainError> {
        let Plan { params, recipe, directions, start } = plan;
        let shape = Shape::of(params, directions, recipe)?;
        let mut draws = Random::new(start.seed, "train.weights");
        let values = shape.first_values(&background(recipe, train.matrix), costs.log_odds, &mut draws);
        let batch_rows = batch_rows(params.batch_rows, train.matrix.rows);
        let batches = train.matrix.rows.div_ceil(batch_rows);
        Ok(Self {
            params,
            train,
            costs,
            gradient: NetworkGradient::new(start.device, shape.clone())?,
            optimizer: AdamW::new(
                shape.decays(),
                params.weight_decay * prior(train.matrix.rows) / batches as f64,
            ),
            bounds: shape.bounds(),
            average: MovingAverage::new(&values),
            slopes: vec![0.0; values.len()],
            values,
            order: (0..train.matrix.rows).collect(),
            shuffles: Random::new(start.seed, "train.shuffle"),
            dropouts: Dropouts::new(start.seed, params.dropout),
            batch_rows,
            epochs: 0,
            steps: 0,
            steps_max: batches * params.epochs,
            shape,
        })
    }

    fn gather(&mut self, rows: &[usize]) -> NetworkBatch {
        let inputs = self.shape.take_apart(self.train.matrix, rows.iter().copied());
        let labels = || rows.iter().map(|&row| self.train.labels[row]);
        let targets = labels().map(|label| f32::from(u8::from(label))).collect();
        let costs = labels().map(|label| self.costs.of_label(label) as f32).collect();
        let mut kept = Vec::new();
        if self.params.dropout > 0.0 {
            let count = |units: &usize| rows.len() * self.params.members * units;
            kept.extend(self.params.hidden.iter().map(|units| self.dropouts.draw(count(units))));
        }
        NetworkBatch { inputs, targets, costs, kept }
    }
}

/// Steps that a pass over the rows has at least, and rows that a step has all the same: a small set learns by as
/// many steps as a large one of a few thousand rows.
const EPOCH_STEPS_MIN: usize = 24;
const STEP_ROWS_MIN: usize = 16;

fn batch_rows(most: usize, rows: usize) -> usize {
    (rows / EPOCH_STEPS_MIN).max(STEP_ROWS_MIN).min(most)
}

/// How much more a weight is shrunk where rows are few, as a prior weighs more: by the root of how many times fewer they
/// are than this.
const PRIOR_ROWS: f64 = 5_000.0;

fn prior(rows: usize) -> f64 {
    (PRIOR_ROWS / rows.max(1) as f64).sqrt().max(1.0)
}

/// Which units a step leaves out. One number of the run's generator begins a plain sequence of its own (splitmix64),
/// since as many draws as there are units and rows would else cost more than the step.
struct Dropouts {
    state: u64,
    /// Of 65,536, how many draws leave a unit out.
    out: u64,
    /// The units that stay are worth more, so that a layer's sum keeps its mean.
    worth: f32,
}

impl Dropouts {
    fn new(seed: u64, share: f64) -> Self {
        let state = Random::new(seed, "train.dropout").below(usize::MAX) as u64;
        Self { state, out: (share * 65_536.0).round() as u64, worth: (1.0 / (1.0 - share)) as f32 }
    }

    fn draw(&mut self, count: usize) -> Vec<f32> {
        let mut kept = vec![0.0; count];
        for slots in kept.chunks_mut(4) {
            let bits = self.advance();
            for (number, slot) in slots.iter_mut().enumerate() {
                let draw = (bits >> (16 * number)) & 0xffff;
                *slot = if draw < self.out { 0.0 } else { self.worth };
            }
        }
        kept
    }

    fn advance(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}

impl Learner for Trainer<'_> {
    type Model = Network;

    fn run_epoch(&mut self, cancel: &CancelFlag) -> Result<(), TrainError> {
        self.epochs += 1;
        self.shuffles.shuffle(&mut self.order);
        let order = std::mem::take(&mut self.order);
        for rows in order.chunks(self.batch_rows) {
            cancel.check()?;
            let rate = cosine(self.params.learning_rate, self.steps as f64 / self.steps_max as f64);
            let batch = self.gather(rows);
            self.gradient.write(&self.values, batch, &mut self.slopes)?;
            self.optimizer.step(&mut self.values, &self.slopes, rate);
            self.bounds.hold(&mut self.values);
            self.average.add(&self.values);
            self.steps += 1;
        }
        self.order = order;
        Ok(())
    }

    fn margins(&self, examples: &Examples<'_>) -> Result<Vec<f64>, TrainError> {
        self.gradient.margins(self.average.values(), examples.matrix)
    }

    fn model(&self) -> Result<Network, TrainError> {
        self.shape.network(self.average.values()).map_err(|error| match error {
            TrainError::Network(NetworkError::NotFinite { .. }) => {
                TrainError::Diverged { epoch: self.epochs }
            }
            other => other,
        })
    }
}

#[cfg(test)]
mod tests;
