//! Everything one sheet of paper says of a case: the answer, what was entered, the model and its words, the receipt.
//! Read from the record; never decides and never asks the model anew.

use std::sync::Arc;

use crate::app::decisions::found::{
    Answered, Content, content_of, facts_of, find_record, open_body, version_of,
};
use crate::app::decisions::lineup::{self, Standing};
use crate::app::decisions::proof::receipt_of;
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::decide::reasons::shown_cell;
use crate::ledger::receipt::{Anchor, Receipt, VerifiedReceipt};
use crate::security::actor::Act;

/// One input as it was scored.
pub struct Entered {
    pub field: String,
    /// Nothing where it was missing.
    pub value: Option<String>,
}

/// The version that scored a case.
pub struct ScoredBy {
    pub standing: Arc<Standing>,
    pub created_ms: i64,
}

pub struct Sheet {
    pub answered: Answered,
    pub entered: Vec<Entered>,
    /// Nothing where no version could score.
    pub scored_by: Option<ScoredBy>,
    pub receipt: Receipt,
    /// What the receipt proves, looked at now.
    pub proved: VerifiedReceipt,
}

pub fn open(app: &App, wanted: &str) -> Result<Sheet, Failure> {
    app.may(Act::ReadDecisions)?;
    let record = find_record(app, wanted)?;
    let facts = facts_of(&record)?;
    let receipt = receipt_of(app, &record)?;
    let proved = receipt.clone().verify(Anchor::Trust(&app.trust))?;
    let header = record.header().clone();
    let Some(version) = version_of(app, facts)? else {
        let content = Content::Unscored;
        let answered = Answered { header, content, positive: None, explained: None, replayed: false };
        return Ok(Sheet { answered, entered: Vec::new(), scored_by: None, receipt, proved });
    };
    let body = open_body(app, &record)?;
    let standing = lineup::of_record(app, &version, &facts.policy.unwrap_or(version.policy))?;
    let champion = &standing.champion;
    let table = body.to_table(champion)?;
    let mut entered = Vec::new();
    for column in table.columns() {
        let value = shown_cell(&table, 0, &column.name)?;
        entered.push(Entered { field: column.name.to_string(), value });
    }
    let positive = Some(champion.loaded().content.training.positive.clone());
    let content = content_of(&body, facts, champion)?;
    let explained = Some(champion.explained());
    let answered = Answered { header, content, positive, explained, replayed: false };
    let scored_by = Some(ScoredBy { created_ms: version.created_ms, standing });
    Ok(Sheet { answered, entered, scored_by, receipt, proved })
}
