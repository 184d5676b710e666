//! Whether what a model sees has moved away from what it was made of, field by field, by one of two sets of rules.
//! Never says why, and never judges on fewer rows than the rules ask for.

pub mod bank;
pub mod error;
pub mod evidently;
mod shown;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::monitor::verdict::Verdict;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Psi,
    KolmogorovSmirnov,
    ChiSquare,
    ZTest,
    Wasserstein,
    JensenShannon,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleSet {
    /// The stability index over bins fixed when the model was made.
    Bank,
    /// The default rules of the library of that name.
    Evidently,
}

/// A share of the rows, from 0 to 1, then and now.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub reference: f64,
    pub current: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinShare {
    /// Such as `1200 to 2500`, a level, `other`, `missing`.
    pub bin: String,
    pub reference: f64,
    pub current: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldDrift {
    pub field: String,
    pub method: Method,
    /// Rows that were compared: all of them by the bank's rules, where missing is a bin; those with a value by the other's.
    pub reference_rows: u64,
    pub current_rows: u64,
    /// Nothing where the rows were too few, or where it is endless: a chi-square with a level that the reference lacks.
    pub statistic: Option<f64>,
    pub p_value: Option<f64>,
    /// Beside every p-value; `effect_name` says which.
    pub effect: Option<f64>,
    pub effect_name: Option<String>,
    /// What the statistic, or for tests the p-value, is held against: where the field begins not to be stable.
    pub threshold: f64,
    pub verdict: Verdict,
    pub missing: Change,
    /// Rows with a level that the reference does not tell of, for fields of text.
    pub unseen: Option<Change>,
    pub bins: Vec<BinShare>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DriftReport {
    pub rules: RuleSet,
    pub fields: Vec<FieldDrift>,
    pub score: Option<FieldDrift>,
    /// Of `fields`; the score is not among them.
    pub shifted: u64,
    pub judged: u64,
    /// Of all fields: one that is not judged has not shifted.
    pub share_shifted: f64,
    /// Present where the release in force had too few rows of its own, and others answered in the same days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<CountedOver>,
    pub verdict: Verdict,
}

/// What the rows of the fields were counted over. The score is the release's own and never among it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountedOver {
    /// Rows of the release in force, and how many a judgement needs.
    pub own_rows: u64,
    pub needed: u64,
    /// The others that answered, the newest first.
    pub releases: Vec<CountedRelease>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountedRelease {
    pub version: u64,
    pub rows: u64,
    /// Fields whose bins are those of the release in force, so that its rows count as well.
    pub fields: u64,
    /// Why the others stay with their own rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Counts the verdicts; the report's own is the worst of them, which a set of rules may soften.
fn report(rules: RuleSet, fields: Vec<FieldDrift>, score: Option<FieldDrift>) -> DriftReport {
    let count = |keep: fn(Verdict) -> bool| fields.iter().filter(|f| keep(f.verdict)).count() as u64;
    let shifted = count(|verdict| verdict == Verdict::Shifted);
    let judged = count(Verdict::is_judged);
    let share_shifted = share(shifted, fields.len() as u64);
    let verdict = Verdict::worst(fields.iter().chain(&score).map(|field| field.verdict));
    DriftReport { rules, fields, score, shifted, judged, share_shifted, over: None, verdict }
}

fn share(rows: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { rows as f64 / of as f64 }
}
