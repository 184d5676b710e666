//! `[mlp]` of train.toml: the sizes of a network and how it is trained.
//! Knows no data: whether a network fits into memory shows when the recipe is fitted.

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::train::params::{
    ClassWeight, LEARNING_RATE_RANGE, ParamsError, WATCHED_ROWS_MIN, WEIGHT_DECAY_RANGE, check_count,
    check_range,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawMlp {
    /// Units of each layer before the last.
    pub hidden: Vec<usize>,
    /// Networks trained at once whose mean margin is the model's: they share the weights of their layers and differ
    /// by a factor for each input, their biases and their last layer.
    pub members: usize,
    /// The share of units that a training step leaves out, drawn anew for each row.
    pub dropout: f64,
    /// The most numbers that a level of a text becomes; 0 gives every level a column of the first layer. A field
    /// of n columns gets 1.6 n^0.56 of them, where that is fewer than n.
    pub embedding_max: usize,
    pub learning_rate: f64,
    /// Rows of one step; fewer where a pass over the rows would otherwise have less than 24 steps.
    pub batch_rows: usize,
    /// Passes over the training rows at most; the learning rate falls to zero over as many.
    pub epochs: usize,
    /// Epochs without a worthwhile gain in validation loss after which training stops.
    pub patience: usize,
    /// As in `[logistic]`: times the learning rate, the share of a weight lost in one pass over the rows; more of it
    /// where there are fewer than 5,000, as the root of 5,000 over their number.
    pub weight_decay: f64,
    /// How many networks are averaged, each stopped by rows of its own, with the members shared out among them; what
    /// is not written follows from the rows: one from 3,000 on, five below.
    pub models: Option<usize>,
    pub class_weight: ClassWeight,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MlpParams {
    pub hidden: Vec<usize>,
    pub members: usize,
    pub dropout: f64,
    pub embedding_max: usize,
    pub learning_rate: f64,
    pub batch_rows: usize,
    pub epochs: usize,
    pub patience: usize,
    pub weight_decay: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<usize>,
    pub class_weight: ClassWeight,
}

impl MlpParams {
    /// How many networks are averaged over so many training rows.
    pub fn models_for(&self, rows: usize) -> usize {
        self.models.unwrap_or(if rows < WATCHED_ROWS_MIN { AVERAGED } else { 1 })
    }
}

/// Networks that hold out a fifth of the rows each, so that every row stops one and teaches the others.
const AVERAGED: usize = 5;
const DROPOUT_RANGE: (f64, f64) = (0.0, 0.9);

/// Chosen on seven public credit, churn and enrolment sets of 600 to 42,000 rows, by their folds' mean AUC and log loss.
impl Default for RawMlp {
    fn default() -> Self {
        Self {
            hidden: vec![64, 64, 32],
            members: 8,
            dropout: 0.3,
            embedding_max: 8,
            learning_rate: 0.003,
            batch_rows: 256,
            epochs: 60,
            patience: 8,
            weight_decay: 10.0,
            models: None,
            class_weight: ClassWeight::None,
        }
    }
}

impl RawMlp {
    pub(super) fn check(self) -> Result<MlpParams, ParamsError> {
        let (found, max) = (self.hidden.len(), limits::NETWORK_LAYERS_MAX - 1);
        if found == 0 || found > max {
            return Err(ParamsError::Count { key: "mlp.hidden", found, min: 1, max });
        }
        self.hidden
            .iter()
            .try_for_each(|&units| check_count("mlp.hidden", units, limits::NETWORK_UNITS_MAX))?;
        check_count("mlp.members", self.members, limits::NETWORK_MEMBERS_MAX)?;
        check_range("mlp.dropout", self.dropout, DROPOUT_RANGE)?;
        let widest = limits::EMBEDDING_SIZE_MAX as f64;
        check_range("mlp.embedding_max", self.embedding_max as f64, (0.0, widest))?;
        check_range("mlp.learning_rate", self.learning_rate, LEARNING_RATE_RANGE)?;
        check_range("mlp.weight_decay", self.weight_decay, WEIGHT_DECAY_RANGE)?;
        check_count("mlp.batch_rows", self.batch_rows, limits::BATCH_ROWS_MAX)?;
        check_count("mlp.epochs", self.epochs, limits::EPOCHS_MAX)?;
        check_count("mlp.patience", self.patience, limits::EPOCHS_MAX)?;
        if let Some(models) = self.models {
            check_count("mlp.models", models, 20)?;
        }
        self.class_weight.check("mlp.class_weight.positive")?;
        Ok(MlpParams {
            hidden: self.hidden,
            members: self.members,
            dropout: self.dropout,
            embedding_max: self.embedding_max,
            learning_rate: self.learning_rate,
            batch_rows: self.batch_rows,
            epochs: self.epochs,
            patience: self.patience,
            weight_decay: self.weight_decay,
            models: self.models,
            class_weight: self.class_weight,
        })
    }
}
