//! Logistic regression by small batches: shuffles, steps, watches the validation loss, keeps the best.
//! The same examples, parameters and seed give the same bits; nothing global is read or drawn from.

use crate::base::cancel::CancelFlag;
use crate::base::progress::Progress;
use crate::base::rng::Random;
use crate::model::linear::Linear;
use crate::model::reference::ComputeDevice;
use crate::model::scorer::Scorer;
use crate::train::baseline::train_baseline;
use crate::train::examples::{Examples, TrainError};
use crate::train::gradient::{Batch, LossGradient};
use crate::train::optimizer::{AdamW, MovingAverage};
use crate::train::params::{ClassWeight, LogisticParams};

/// Where a training computes and what its shuffles are drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    pub seed: u64,
    pub device: ComputeDevice,
}

/// The rows that teach, and the rows that say when to stop.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    pub train: Examples<'a>,
    pub valid: Examples<'a>,
}

/// The true losses after an epoch: mean log loss, each row counted by its class weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochLoss {
    /// From 1.
    pub epoch: usize,
    pub train: f64,
    pub valid: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// As it was after the best epoch.
    pub linear: Linear,
    pub epochs: Vec<EpochLoss>,
    pub best_epoch: usize,
}

pub fn train_logistic(
    params: &LogisticParams,
    start: Start,
    parts: &Parts<'_>,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<Fit, TrainError> {
    parts.check()?;
    let costs = ClassCosts::of(&parts.train, params.class_weight)?;
    let mut trainer = Trainer::new(params, start, &parts.train, costs)?;
    let mut best = Best::default();
    let mut epochs = Vec::new();
    progress.stage("train", params.epochs as u64);
    for epoch in 1..=params.epochs {
        trainer.run_epoch(cancel)?;
        let linear = trainer.linear();
        let train = costs.mean_loss(&linear, &parts.train);
        let valid = costs.mean_loss(&linear, &parts.valid);
        if !(train.is_finite() && valid.is_finite()) {
            return Err(TrainError::Diverged { epoch });
        }
        epochs.push(EpochLoss { epoch, train, valid });
        progress.metric("train_loss", epoch as i64, train);
        progress.metric("valid_loss", epoch as i64, valid);
        progress.step(epoch as u64);
        best.offer(epoch, valid, linear);
        if epoch - best.gained_epoch >= params.patience {
            break;
        }
    }
    Ok(Fit { linear: best.linear, epochs, best_epoch: best.epoch })
}

impl Parts<'_> {
    fn check(&self) -> Result<(), TrainError> {
        self.train.check("training")?;
        self.valid.check("validation")?;
        let (train, valid) = (self.train.matrix.width, self.valid.matrix.width);
        if train == valid { Ok(()) } else { Err(TrainError::Width { train, valid }) }
    }
}

/// What a row of each class counts; 1 on average over the training rows.
#[derive(Clone, Copy, Debug)]
struct ClassCosts {
    negative: f64,
    positive: f64,
    /// The log-odds of the weighted positive share: the best bias before anything is learned.
    log_odds: f64,
}

impl ClassCosts {
    fn of(train: &Examples<'_>, weight: ClassWeight) -> Result<Self, TrainError> {
        let base_rate = train_baseline(train)?;
        let rows = train.matrix.rows as f64;
        let positives = train.positives() as f64;
        let ratio = match weight {
            ClassWeight::None => 1.0,
            ClassWeight::Balanced => (rows - positives) / positives,
            ClassWeight::Positive(ratio) => ratio,
        };
        let negative = rows / (rows - positives + ratio * positives);
        Ok(Self { negative, positive: ratio * negative, log_odds: base_rate.log_odds + ratio.ln() })
    }

    fn of_label(&self, label: bool) -> f64 {
        if label { self.positive } else { self.negative }
    }

    fn mean_loss(&self, linear: &Linear, examples: &Examples<'_>) -> f64 {
        let (mut loss, mut costs) = (0.0, 0.0);
        for (row, &label) in examples.labels.iter().enumerate() {
            let margin = linear.margin(examples.matrix.row(row));
            let against = if label { -margin } else { margin };
            let cost = self.of_label(label);
            loss += cost * (against.max(0.0) + (-against.abs()).exp().ln_1p());
            costs += cost;
        }
        loss / costs
    }
}

/// A gain in validation loss below this is worth keeping, but not worth waiting for more of it.
const GAIN_MIN: f64 = 1e-4;

/// The epoch of lowest validation loss so far (the earlier one where two are equal), and the
/// last epoch that gained enough to be worth going on.
struct Best {
    epoch: usize,
    loss: f64,
    linear: Linear,
    gained_epoch: usize,
    gained_loss: f64,
}

impl Default for Best {
    fn default() -> Self {
        let linear = Linear { weights: Vec::new(), bias: 0.0 };
        Self { epoch: 0, loss: f64::INFINITY, linear, gained_epoch: 0, gained_loss: f64::INFINITY }
    }
}

impl Best {
    fn offer(&mut self, epoch: usize, loss: f64, linear: Linear) {
        if loss < self.loss {
            (self.epoch, self.loss, self.linear) = (epoch, loss, linear);
        }
        if loss < self.gained_loss - GAIN_MIN {
            (self.gained_epoch, self.gained_loss) = (epoch, loss);
        }
    }
}

/// Weights, then the bias, in one flat array, on their way down.
struct Trainer<'a> {
    params: &'a LogisticParams,
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
    fn new(
        params: &'a LogisticParams,
        start: Start,
        train: &'a Examples<'a>,
        costs: ClassCosts,
    ) -> Result<Self, TrainError> {
        // The loss is convex: from zero there is no symmetry to break and no draw to depend on.
        let mut values = vec![0.0; train.matrix.width];
        values.push(costs.log_odds as f32);
        let batches = train.matrix.rows.div_ceil(params.batch_rows);
        let decay = params.weight_decay / batches as f64;
        Ok(Self {
            params,
            train,
            costs,
            gradient: LossGradient::new(start.device)?,
            optimizer: AdamW::new(values.len(), decay),
            average: MovingAverage::new(&values),
            values,
            random: Random::new(start.seed, "train.shuffle"),
            order: (0..train.matrix.rows).collect(),
            steps: 0,
            steps_max: batches * params.epochs,
        })
    }

    fn run_epoch(&mut self, cancel: &CancelFlag) -> Result<(), TrainError> {
        self.random.shuffle(&mut self.order);
        for batch in self.order.chunks(self.params.batch_rows) {
            cancel.check()?;
            let rate = cosine(self.params.learning_rate, self.steps as f64 / self.steps_max as f64);
            let gradient = self.gradient.at(&self.values, gather(self.train, self.costs, batch))?;
            self.optimizer.step(&mut self.values, &gradient, rate);
            self.average.add(&self.values);
            self.steps += 1;
        }
        Ok(())
    }

    fn linear(&self) -> Linear {
        let (weights, bias) = self.average.values().split_at(self.train.matrix.width);
        Linear { weights: weights.to_vec(), bias: bias.first().copied().unwrap_or_default() }
    }
}

/// From the full rate to none along half a cosine, over all epochs that may be run.
fn cosine(rate: f64, done: f64) -> f64 {
    rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
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
