//! One row: a prediction with its contributions, or a decision with its reasons.
//! Keeps no record yet: a decision says of itself that it is not recorded.

use crate::app::home::App;
use crate::app::registry::versions;
use crate::base::fact::Failure;
use crate::data::row::parse_row;
use crate::registry::release::Release;
use crate::registry::version::ModelRef;
use crate::serve::champion::Champion;
use crate::serve::scorer::{Decision, Prediction};

/// An answer and the release that gave it.
pub struct Answered<T> {
    pub answer: T,
    pub release: Release,
    /// The value of the target that the probability is of.
    pub positive: String,
}

pub fn predict(app: &App, model: &ModelRef, row: &str) -> Result<Answered<Prediction>, Failure> {
    let champion = versions::champion(app, model)?;
    let parsed = parse_row(&champion.loaded().content.contract, row)?;
    let answer = champion.score_table(&parsed.table, &[parsed.defaulted])?.predict(0)?;
    Ok(answered(&champion, answer))
}

pub fn decide(app: &App, model: &ModelRef, row: &str) -> Result<Answered<Decision>, Failure> {
    let champion = versions::champion(app, model)?;
    let parsed = parse_row(&champion.loaded().content.contract, row)?;
    let answer = champion.score_table(&parsed.table, &[parsed.defaulted])?.decide(0)?;
    Ok(answered(&champion, answer))
}

fn answered<T>(champion: &Champion, answer: T) -> Answered<T> {
    let positive = champion.loaded().content.training.positive.clone();
    Answered { answer, release: champion.release().release().clone(), positive }
}
