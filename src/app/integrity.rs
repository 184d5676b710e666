//! Checking what is kept: the stores page by page, the tally log leaf by leaf, and its export.
//! Repairs nothing.

use std::path::Path;

use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::base::digest::Digest;
use crate::base::fact::{Fact, Failure};
use crate::base::files;
use crate::base::limits;
use crate::ledger::leaf::Header;
use crate::ledger::verify::{AuditReport, StoredRecord, audit};
use crate::registry::content::ModelContent;
use crate::security::actor::Act;
use crate::security::base64_text::to_base64;
use crate::store::check::{CheckReport, check_home};
use crate::store::error::StoreError;
use crate::store::tables::LOG_RECORDS;

/// Checks a home that no process holds. Any finding is an integrity error that lists them all.
pub fn check_store(folder: &Path) -> Result<CheckReport, Failure> {
    let report = check_home(folder, &list_inner_blobs)?;
    let Some(first) = report.findings.first() else { return Ok(report) };
    let list: Vec<_> = report
        .findings
        .iter()
        .map(|f| serde_json::json!({"code": f.code(), "message": f.to_string()}))
        .collect();
    Err(UseCaseError::Damaged {
        problems: report.found,
        first: first.to_string(),
        report: serde_json::json!({ "problems": list }),
    }
    .into())
}

/// The blobs that a model.json names: its weights, its reference, its golden rows.
fn list_inner_blobs(bytes: &[u8]) -> Result<Vec<Digest>, String> {
    match serde_json::from_slice::<ModelContent>(bytes) {
        Ok(content) => Ok(content.blobs().map(|blob| blob.digest).to_vec()),
        Err(error) => Err(format!("it is no model.json: {error}")),
    }
}

/// Recomputes the log from its records and holds every stored hash and checkpoint against it.
pub fn verify_log(app: &App) -> Result<AuditReport, Failure> {
    app.may(Act::ReadAudit)?;
    app.store.read_ledger(|ledger| {
        let checkpoints = ledger.list_checkpoints(0)?;
        let records = (0..ledger.log_size()?).map(|seq| {
            let record = ledger.find_record(seq)?.ok_or_else(|| missing(seq))?;
            Ok(StoredRecord { seq, header: record.leaf_data().to_vec(), body: record.body().to_vec() })
        });
        let notes = checkpoints.into_iter().map(|(_, text)| Ok(text.into_bytes()));
        Ok(audit::<StoreError, _>(records, ledger, notes, &app.trust)?)
    })
}

/// A record or checkpoint that the log's own count says is there.
fn missing(seq: u64) -> StoreError {
    StoreError::NotFound { table: LOG_RECORDS, key: seq.to_string() }
}

pub fn list_records(app: &App, from: u64, limit: usize) -> Result<Vec<Header>, Failure> {
    app.may(Act::ReadAudit)?;
    let records = app.store.read_ledger(|ledger| ledger.list_records(from, limit))?;
    Ok(records.iter().map(|record| record.header().clone()).collect())
}

/// Writes checkpoint.txt, leaves.txt and trust.json; answers how many leaves.
pub fn export_log(app: &App, folder: &Path) -> Result<u64, Failure> {
    app.may(Act::ReadAudit)?;
    if folder.exists() {
        return Err(UseCaseError::Exists(folder.display().to_string()).into());
    }
    let (size, note) = app.store.read_ledger(|ledger| ledger.find_checkpoint_last())?.ok_or(missing(0))?;
    files::create_folder(folder)?;
    let mut leaves = String::new();
    let mut from = 0;
    while from < size {
        let records = app.store.read_ledger(|ledger| ledger.list_records(from, limits::LIST_MAX))?;
        if records.is_empty() {
            return Err(missing(from).into());
        }
        from += records.len() as u64;
        for record in records.iter().filter(|r| r.header().seq < size) {
            leaves.push_str(&to_base64(record.leaf_data()));
            leaves.push('\n');
        }
    }
    files::write_atomic(&folder.join("leaves.txt"), leaves.as_bytes(), 0o644)?;
    files::write_atomic(&folder.join("trust.json"), &app.trust.to_bytes()?, 0o644)?;
    files::write_atomic(&folder.join("checkpoint.txt"), note.as_bytes(), 0o644)?;
    Ok(size)
}
