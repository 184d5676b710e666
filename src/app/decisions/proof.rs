//! Receipts: what proves, without this box, that an answer was recorded as it was.
//! Never hands out what would not verify.

use crate::app::decisions::found::find_record;
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::ledger::checkpoint::SignedCheckpoint;
use crate::ledger::leaf::Record;
use crate::ledger::receipt::Receipt;
use crate::security::actor::Act;

/// The other half of the tally: what proves without this box that the answer was recorded so.
pub fn receipt(app: &App, wanted: &str) -> Result<Receipt, Failure> {
    app.may(Act::ReadDecisions)?;
    let record = find_record(app, wanted)?;
    receipt_of(app, &record)
}

pub(in crate::app) fn receipt_of(app: &App, record: &Record) -> Result<Receipt, Failure> {
    let (note, proof) = app.store.read_ledger(|ledger| ledger.prove(record.header().seq))?;
    // What is handed out is what verifies: a checkpoint that this box's own trust root refuses is damage.
    SignedCheckpoint::parse(note.as_bytes())?.verify(&app.trust)?;
    Ok(Receipt::new(record.leaf_data(), proof, &note)?)
}
