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
use crate::train::network::gradient::{NetworkBatch, NetworkGradient};
use crate::train::network::shape::Shape;
use crate::train::optimizer::{AdamW, MovingAverage};
use crate::train::params::MlpParams;

/// What a network is made by: its parameters, over which recipe, from which seed.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    pub params: &'a MlpParams,
    pub recipe: &'a FittedRecipe,
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
    values: Vec<f32>,
    average: MovingAverage,
    order: Vec<usize>,
    shuffles: Random,
    dropouts: Random,
    epochs: usize,
    steps: usize,
    steps_max: usize,
}

impl<'a> Trainer<'a> {
    fn new(plan: Plan<'a>, train: &'a Examples<'a>, costs: ClassCosts) -> Result<Self, TrainError> {
        let Plan { params, recipe, start } = plan;
        let shape = Shape::of(params, recipe)?;
        let mut draws = Random::new(start.seed, "train.weights");
        let values = shape.first_values(&background(recipe, train.matrix), costs.log_odds, &mut draws);
        let batches = train.matrix.rows.div_ceil(params.batch_rows);
        Ok(Self {
            params,
            train,
            costs,
            gradient: NetworkGradient::new(start.device, shape.clone())?,
            optimizer: AdamW::new(shape.decays(), params.weight_decay / batches as f64),
            average: MovingAverage::new(&values),
            values,
            order: (0..train.matrix.rows).collect(),
            shuffles: Random::new(start.seed, "train.shuffle"),
            dropouts: Random::new(start.seed, "train.dropout"),
            epochs: 0,
            steps: 0,
            steps_max: batches * params.epochs,
            shape,
        })
    }

    fn gather(&mut self, rows: &[usize]) -> NetworkBatch {
        let matrix = self.train.matrix;
        let mut plain = Vec::new();
        let mut embedded: Vec<Vec<f32>> = vec![Vec::new(); self.shape.embedded.len()];
        for &row in rows {
            let columns = matrix.row(row);
            self.shape.plain.iter().for_each(|range| plain.extend_from_slice(&columns[range.clone()]));
            for (out, field) in embedded.iter_mut().zip(&self.shape.embedded) {
                out.extend_from_slice(&columns[field.start..field.start + field.width]);
            }
        }
        let labels = || rows.iter().map(|&row| self.train.labels[row]);
        let targets = labels().map(|label| f32::from(u8::from(label))).collect();
        let costs = labels().map(|label| self.costs.of_label(label) as f32).collect();
        NetworkBatch { rows: rows.len(), plain, embedded, targets, costs, kept: self.draw_kept(rows.len()) }
    }

    /// The units that stay are worth more, so that a layer's sum keeps its mean.
    fn draw_kept(&mut self, rows: usize) -> Vec<Vec<f32>> {
        let out = self.params.dropout;
        if out == 0.0 {
            return Vec::new();
        }
        let worth = (1.0 / (1.0 - out)) as f32;
        let random = &mut self.dropouts;
        let mut draw = |count: usize| {
            (0..count).map(|_| if random.unit() < out { 0.0 } else { worth }).collect::<Vec<f32>>()
        };
        self.params.hidden.iter().map(|units| draw(rows * units)).collect()
    }
}

impl Learner for Trainer<'_> {
    type Model = Network;

    fn run_epoch(&mut self, cancel: &CancelFlag) -> Result<(), TrainError> {
        self.epochs += 1;
        self.shuffles.shuffle(&mut self.order);
        let order = std::mem::take(&mut self.order);
        for rows in order.chunks(self.params.batch_rows) {
            cancel.check()?;
            let rate = cosine(self.params.learning_rate, self.steps as f64 / self.steps_max as f64);
            let batch = self.gather(rows);
            let gradient = self.gradient.at(&self.values, batch)?;
            self.optimizer.step(&mut self.values, &gradient, rate);
            self.average.add(&self.values);
            self.steps += 1;
        }
        self.order = order;
        Ok(())
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
