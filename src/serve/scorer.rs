//! Rows to scores, predictions and decisions: one code path for a single row and for a chunk of a file.
//! Never keeps anything; `recorded` is false until whoever keeps records says otherwise.

use serde::Serialize;

use crate::base::digest::Digest;
use crate::base::ids::FieldName;
use crate::data::table::Table;
use crate::decide::outcome::{DecidedBy, decide};
use crate::decide::reasons::{DecidedRow, Reasons, find_reasons};
use crate::decide::rules::hits;
use crate::features::matrix::Matrix;
use crate::features::notes::RowNotes;
use crate::features::transform::BoundRecipe;
use crate::model::explain::Contribution;
use crate::serve::champion::Champion;
use crate::serve::error::ServeError;

/// What a person must know of a row beside its score.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Notes {
    pub missing: Vec<String>,
    pub unseen: Vec<UnseenLevel>,
    pub out_of_range: Vec<String>,
    /// Columns in which the contract's default stands in for a missing cell.
    pub defaulted: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnseenLevel {
    pub field: String,
    pub level: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    pub margin: f64,
    pub probability: f64,
    pub notes: Notes,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldShare {
    pub field: FieldName,
    pub value: f64,
}

/// A score with what each field adds to the margin of the population; `base` and all shares sum to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    pub probability: f64,
    pub margin: f64,
    pub base: f64,
    /// The largest first, whichever way it points.
    pub contributions: Vec<FieldShare>,
    pub notes: Notes,
    pub model: Digest,
    pub release: Digest,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    pub outcome: String,
    pub by: DecidedBy,
    /// The ids of all rules that held, in the policy's order.
    pub rules: Vec<String>,
    pub band: usize,
    pub probability: f64,
    pub margin: f64,
    pub reasons: Reasons,
    pub notes: Notes,
    pub model: Digest,
    pub release: Digest,
    pub policy: Digest,
    /// The margin of what reasons are measured from.
    #[serde(skip)]
    pub base: f64,
    /// What each field adds to it, in the recipe's order; with `base` they sum to the margin.
    #[serde(skip)]
    pub shares: Vec<FieldShare>,
    pub recorded: bool,
}

/// A row's score and what each field adds to it, measured from what reasons are measured from; not yet decided.
pub struct Measured {
    scored: Scored,
    base: f64,
    shares: Vec<Contribution>,
}

/// A table as the model sees it, ready to answer for each of its rows.
pub struct ScoredTable<'a> {
    champion: &'a Champion,
    table: &'a Table,
    defaulted: &'a [Vec<String>],
    encoded: Matrix,
    bound: BoundRecipe<'a>,
}

impl Champion {
    /// Encodes a table of scoring columns; `defaulted` names, for each row, the columns a default stands in.
    pub fn score_table<'a>(
        &'a self,
        table: &'a Table,
        defaulted: &'a [Vec<String>],
    ) -> Result<ScoredTable<'a>, ServeError> {
        let bound = self.model().recipe.bind(table)?;
        let encoded = bound.encode()?;
        Ok(ScoredTable { champion: self, table, defaulted, encoded, bound })
    }
}

impl ScoredTable<'_> {
    pub fn score(&self, row: usize) -> Result<Scored, ServeError> {
        let model = self.champion.model();
        let margin = model.margin(self.encoded_row(row)?);
        let probability = model.probability(margin);
        if !margin.is_finite() || !probability.is_finite() {
            return Err(ServeError::NotFinite { margin });
        }
        let defaulted = self.defaulted.get(row).cloned().unwrap_or_default();
        Ok(Scored { margin, probability, notes: Notes::of(self.bound.notes(row), defaulted) })
    }

    pub fn predict(&self, row: usize) -> Result<Prediction, ServeError> {
        let Scored { margin, probability, notes } = self.score(row)?;
        let model = self.champion.model();
        let (base, fields) = model.shares(self.encoded_row(row)?, self.champion.population());
        let contributions = largest_first(shares_of(fields));
        Ok(Prediction {
            probability,
            margin,
            base,
            contributions,
            notes,
            model: self.champion.loaded().digest,
            release: self.champion.release().digest(),
        })
    }

    pub fn decide(&self, row: usize) -> Result<Decision, ServeError> {
        self.decide_measured(row, self.measure(row)?)
    }

    /// All that the model says of a row, for a policy to decide by.
    pub fn measure(&self, row: usize) -> Result<Measured, ServeError> {
        let scored = self.score(row)?;
        let (base, shares) = self.champion.model().shares(self.encoded_row(row)?, self.champion.reasoner());
        Ok(Measured { scored, base, shares })
    }

    pub fn decide_measured(&self, row: usize, measured: Measured) -> Result<Decision, ServeError> {
        let signed = self.champion.deciding_policy()?;
        let policy = signed.policy();
        let Measured { scored: Scored { margin, probability, notes }, base, shares: fields } = measured;
        let hits = hits(&policy.object().rules, self.table, row)?;
        let outcome = decide(policy, probability, &hits)?;
        let (model, encoded) = (self.champion.model(), self.encoded_row(row)?);
        let decided = DecidedRow { table: self.table, row, encoded, shares: &fields, hits: &hits };
        let reasons = find_reasons(policy, model, &outcome, &decided)?;
        Ok(Decision {
            outcome: outcome.outcome,
            by: outcome.by,
            rules: hits.iter().map(|rule| rule.id.clone()).collect(),
            band: outcome.band,
            probability,
            margin,
            reasons,
            notes,
            model: self.champion.loaded().digest,
            release: self.champion.release().digest(),
            policy: signed.digest(),
            base,
            shares: shares_of(fields),
            recorded: false,
        })
    }

    fn encoded_row(&self, row: usize) -> Result<&[f32], ServeError> {
        let rows = self.encoded.rows;
        if row < rows { Ok(self.encoded.row(row)) } else { Err(ServeError::NoRow { row, rows }) }
    }
}

fn shares_of(fields: Vec<Contribution>) -> Vec<FieldShare> {
    fields.into_iter().map(|c| FieldShare { field: c.field, value: c.value }).collect()
}

/// As a person reads them: the largest share first, whichever way it points.
pub fn largest_first(mut shares: Vec<FieldShare>) -> Vec<FieldShare> {
    shares.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()).then_with(|| a.field.cmp(&b.field)));
    shares
}

impl Notes {
    fn of(notes: RowNotes, defaulted: Vec<String>) -> Self {
        let unseen = notes.unseen.into_iter().map(|(field, level)| UnseenLevel { field, level }).collect();
        Self { missing: notes.missing, unseen, out_of_range: notes.out_of_range, defaulted }
    }
}

#[cfg(test)]
mod tests;
