//! Logistic regression by small batches: shuffles, steps, watches the validation loss, keeps the best.
//! The same examples, parameters and seed give the same bits; nothing global is read or drawn from.

use crate::base::cancel::CancelFlag;
use crate::base::progress::Progress;
use crate::base::rng::Random;
use crate::model::linear::Linear;
use crate::train::course::{ClassCosts, Course, EpochLoss, Learner, Parts, Start, cosine};
use crate::train::examples::{Examples, TrainError};
use crate::train::logistic::gradient::{Batch, LossGradient};
use crate::train::optimizer::{AdamW, MovingAverage};
use crate::train::params::LogisticParams;
use crate::train::trees::codes::Monotone;

#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// As it was after the best epoch.
    pub linear: Linear,
    pub epochs: Vec<EpochLoss>,
    pub best_epoch: usize,
}

/// What a line is made by: its parameters, and which way each column may move its margin. A column beyond the list is free.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    pub params: &'a LogisticParams,
    pub directions: &'a [Monotone],
    pub start: Start,
}

pub fn train_logistic(
    plan: Plan<'_>,
    parts: &Parts<'_>,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<Fit, TrainError> {
    parts.check()?;
    let params = plan.params;
    let costs = ClassCosts::of(&parts.train, params.class_weight)?;
    let trainer = Trainer::new(plan, &parts.train, costs)?;
    let (epochs, patience) = (params.epochs, params.patience);
    let course = Course { epochs, patience, seen: parts.train, valid: parts.valid, costs };
    let learned = course.follow(trainer, cancel, progress)?;
    Ok(Fit { linear: learned.model, epochs: learned.epochs, best_epoch: learned.best_epoch })
}

/// Weights, then the bias, in one flat array, on their way down.
struct Trainer<'a> {
    params: &'a LogisticParams,
    directions: &'a [Monotone],
    train: &'a Examples<'a>,
    costs: ClassCosts,
    gradient: LossGradient,
    optimizer: AdamW,
    values: Vec<f32>,
    average: MovingAverage,
    random: Random,
    order: Vec<usize>,
    steps: usize,
    steps_max: usize,
}

impl<'a> Trainer<'a> {
    fn new(plan: Plan<'a>, train: &'a Examples<'a>, costs: ClassCosts) -> Result<Self, TrainError> {
        let Plan { params, directions, start } = plan;
        // The loss is convex: from zero there is no symmetry to break and no draw to depend on.
        let mut values = vec![0.0; train.matrix.width];
        values.push(costs.log_odds as f32);
        let mut decays = vec![true; train.matrix.width];
        decays.push(false);
        let batches = train.matrix.rows.div_ceil(params.batch_rows);
        let decay = params.weight_decay / batches as f64;
        Ok(Self {
            params,
            directions,
            train,
            costs,
            gradient: LossGradient::new(start.device)?,
            optimizer: AdamW::new(decays, decay),
            average: MovingAverage::new(&values),
            values,
            random: Random::new(start.seed, "train.shuffle"),
            order: (0..train.matrix.rows).collect(),
            steps: 0,
            steps_max: batches * params.epochs,
        })
    }
}

impl Learner for Trainer<'_> {
    type Model = Linear;

    fn run_epoch(&mut self, cancel: &CancelFlag) -> Result<(), TrainError> {
        self.random.shuffle(&mut self.order);
        for batch in self.order.chunks(self.params.batch_rows) {
            cancel.check()?;
            let rate = cosine(self.params.learning_rate, self.steps as f64 / self.steps_max as f64);
            let gradient = self.gradient.at(&self.values, gather(self.train, self.costs, batch))?;
            self.optimizer.step(&mut self.values, &gradient, rate);
            hold(&mut self.values, self.directions);
            self.average.add(&self.values);
            self.steps += 1;
        }
        Ok(())
    }

    fn model(&self) -> Result<Linear, TrainError> {
        let (weights, bias) = self.average.values().split_at(self.train.matrix.width);
        Ok(Linear { weights: weights.to_vec(), bias: bias.first().copied().unwrap_or_default() })
    }
}

/// Brings weights within their directions by the shortest way; a mean of such weights is within them too.
fn hold(values: &mut [f32], directions: &[Monotone]) {
    for (value, direction) in values.iter_mut().zip(directions) {
        match direction {
            Monotone::Free => {}
            Monotone::Rising => *value = value.max(0.0),
            Monotone::Falling => *value = value.min(0.0),
        }
    }
}

fn gather(train: &Examples<'_>, costs: ClassCosts, rows: &[usize]) -> Batch {
    let mut inputs = Vec::with_capacity(rows.len() * (train.matrix.width + 1));
    for &row in rows {
        inputs.extend_from_slice(train.matrix.row(row));
        inputs.push(1.0);
    }
    let labels = || rows.iter().map(|&row| train.labels[row]);
    let targets = labels().map(|label| f32::from(u8::from(label))).collect();
    let costs = labels().map(|label| costs.of_label(label) as f32).collect();
    Batch { rows: rows.len(), inputs, targets, costs }
}

#[cfg(test)]
mod tests;
