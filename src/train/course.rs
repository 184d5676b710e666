//! The course of a training that goes in epochs, whatever learns: true losses, the best epoch, when to stop.
//! Never takes a step itself.

use serde::{Deserialize, Serialize};

use crate::base::cancel::CancelFlag;
use crate::base::progress::Progress;
use crate::model::reference::ComputeDevice;
use crate::model::scorer::Scorer;
use crate::train::baseline::train_baseline;
use crate::train::examples::{Examples, TrainError};
use crate::train::params::ClassWeight;

/// Where a training computes and what its draws are drawn from.
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochLoss {
    /// From 1.
    pub epoch: usize,
    /// Of families that look at it.
    pub train: Option<f64>,
    pub valid: f64,
}

/// What learns, an epoch at a time.
pub trait Learner {
    type Model: Scorer;

    fn run_epoch(&mut self, cancel: &CancelFlag) -> Result<(), TrainError>;

    /// As it stands after the epochs so far.
    fn model(&self) -> Result<Self::Model, TrainError>;

    /// The margins of that model, which may be computed faster than one by one where the last digit is of no matter.
    fn margins(&self, examples: &Examples<'_>) -> Result<Vec<f64>, TrainError> {
        let model = self.model()?;
        Ok((0..examples.matrix.rows).map(|row| model.margin(examples.matrix.row(row))).collect())
    }
}

/// How long a course may be, what it is measured on, and how rows count.
pub struct Course<'a> {
    pub epochs: usize,
    pub patience: usize,
    /// Rows that tell the training loss; all of them, or a fixed draw where they are many.
    pub seen: Examples<'a>,
    pub valid: Examples<'a>,
    pub costs: ClassCosts,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Learned<M> {
    /// As it was after the best epoch.
    pub model: M,
    pub epochs: Vec<EpochLoss>,
    pub best_epoch: usize,
}

impl Course<'_> {
    pub fn follow<L: Learner>(
        &self,
        mut learner: L,
        cancel: &CancelFlag,
        progress: &dyn Progress,
    ) -> Result<Learned<L::Model>, TrainError> {
        let mut best = Best::of(learner.model()?);
        let mut epochs = Vec::new();
        progress.stage("train", self.epochs as u64);
        for epoch in 1..=self.epochs {
            learner.run_epoch(cancel)?;
            let model = learner.model()?;
            let train = self.costs.mean_loss(&learner.margins(&self.seen)?, self.seen.labels);
            let valid = self.costs.mean_loss(&learner.margins(&self.valid)?, self.valid.labels);
            if !(train.is_finite() && valid.is_finite()) {
                return Err(TrainError::Diverged { epoch });
            }
            epochs.push(EpochLoss { epoch, train: Some(train), valid });
            progress.metric("train_loss", epoch as i64, train);
            progress.metric("valid_loss", epoch as i64, valid);
            progress.step(epoch as u64);
            best.offer(epoch, valid, model);
            if epoch - best.gained_epoch >= self.patience {
                break;
            }
        }
        Ok(Learned { model: best.model, epochs, best_epoch: best.epoch })
    }
}

impl Parts<'_> {
    pub fn check(&self) -> Result<(), TrainError> {
        self.train.check("training")?;
        self.valid.check("validation")?;
        let (train, valid) = (self.train.matrix.width, self.valid.matrix.width);
        if train == valid { Ok(()) } else { Err(TrainError::Width { train, valid }) }
    }
}

/// What a row of each class counts; 1 on average over the training rows.
#[derive(Clone, Copy, Debug)]
pub struct ClassCosts {
    pub(super) negative: f64,
    pub(super) positive: f64,
    /// The log-odds of the weighted positive share: the best bias before anything is learned.
    pub(super) log_odds: f64,
}

impl ClassCosts {
    pub fn of(train: &Examples<'_>, weight: ClassWeight) -> Result<Self, TrainError> {
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

    pub fn of_label(&self, label: bool) -> f64 {
        if label { self.positive } else { self.negative }
    }

    pub fn mean_loss(&self, margins: &[f64], labels: &[bool]) -> f64 {
        let (mut loss, mut costs) = (0.0, 0.0);
        for (&margin, &label) in margins.iter().zip(labels) {
            let against = if label { -margin } else { margin };
            let cost = self.of_label(label);
            loss += cost * (against.max(0.0) + (-against.abs()).exp().ln_1p());
            costs += cost;
        }
        loss / costs
    }
}

/// A gain in validation loss below this is worth keeping, but not worth waiting for more of it.
pub(super) const GAIN_MIN: f64 = 1e-4;

/// The epoch of lowest validation loss so far (the earlier one where two are equal), and the
/// last epoch that gained enough to be worth going on.
pub(super) struct Best<M> {
    pub(super) epoch: usize,
    loss: f64,
    pub(super) model: M,
    pub(super) gained_epoch: usize,
    gained_loss: f64,
}

impl<M> Best<M> {
    /// Before any epoch.
    pub(super) fn of(model: M) -> Self {
        Self { epoch: 0, loss: f64::INFINITY, model, gained_epoch: 0, gained_loss: f64::INFINITY }
    }

    pub(super) fn offer(&mut self, epoch: usize, loss: f64, model: M) {
        if loss < self.loss {
            (self.epoch, self.loss, self.model) = (epoch, loss, model);
        }
        if loss < self.gained_loss - GAIN_MIN {
            (self.gained_epoch, self.gained_loss) = (epoch, loss);
        }
    }
}

/// From the full rate to none along half a cosine, over all epochs that may be run.
pub fn cosine(rate: f64, done: f64) -> f64 {
    rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
}
