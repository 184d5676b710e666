//! Checking what is kept: the stores page by page, the tally log leaf by leaf, and its export.
//! Repairs nothing.

use std::io::Write as _;
use std::path::Path;

use crate::app::error::{UseCaseError, check_absent};
use crate::app::home::{App, inner_blobs};
use crate::base::fact::{Fact, Failure};
use crate::base::files::{self, PendingFile};
use crate::base::limits;
use crate::ledger::checkpoint::SignedCheckpoint;
use crate::ledger::leaf::Header;
use crate::ledger::verify::{AuditReport, audit};
use crate::security::actor::Act;
use crate::security::base64_text::to_base64;
use crate::security::trust::TrustRoot;
use crate::store::check::{CheckReport, check_home};
use crate::store::error::StoreError;
use crate::store::tables::{LOG_CHECKPOINTS, LOG_RECORDS};

/// Checks a home that no process holds. Any finding is an integrity error that lists them all.
pub fn check_store(folder: &Path) -> Result<CheckReport, Failure> {
    let report = check_home(folder, &inner_blobs)?;
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

/// Recomputes the log from its records and holds every stored hash and checkpoint against it.
pub fn verify_log(app: &App) -> Result<AuditReport, Failure> {
    app.may(Act::ReadAudit)?;
    app.store.read_ledger(|ledger| {
        let records = paged(|from| {
            let page = ledger.list_stored(from)?;
            Ok(page.into_iter().map(|record| (record.seq, record)).collect())
        });
        let checkpoints = paged(|from| ledger.list_checkpoints(from));
        let checkpoints = checkpoints.map(|kept| kept.and_then(|(size, note)| check_place(size, note)));
        let records = records.map(|kept| kept.map(|(_, record)| record));
        Ok(audit::<StoreError, _>(records, &ledger.nodes_in_order(), checkpoints, &app.trust)?)
    })
}

/// Reads on from the number after the last one, page by page, up to an empty one.
fn paged<T>(
    read: impl Fn(u64) -> Result<Vec<(u64, T)>, StoreError>,
) -> impl Iterator<Item = Result<(u64, T), StoreError>> {
    let (mut page, mut from) = (Vec::new().into_iter(), Some(0));
    std::iter::from_fn(move || {
        if page.len() == 0 {
            match read(from?) {
                Ok(next) => page = next.into_iter(),
                Err(error) => {
                    from = None;
                    return Some(Err(error));
                }
            }
        }
        let next = page.next();
        from = next.as_ref().and_then(|(number, _)| number.checked_add(1));
        next.map(Ok)
    })
}

/// A checkpoint is kept under the size it says; the audit reads what it says alone.
fn check_place(size: u64, note: String) -> Result<Vec<u8>, StoreError> {
    match SignedCheckpoint::parse(note.as_bytes()) {
        Ok(signed) if signed.claimed_size() != size => {
            let (table, claimed) = (LOG_CHECKPOINTS.name.to_string(), signed.claimed_size());
            let why = format!("checkpoint at size {size}: it says that it is the one at size {claimed}");
            Err(StoreError::Corrupt { store: LOG_CHECKPOINTS.store, table, key: size.to_string(), why })
        }
        // What cannot be read at all is the audit's to name.
        _ => Ok(note.into_bytes()),
    }
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

/// What this home's receipts are believed by.
pub fn trust_root(app: &App) -> Result<TrustRoot, Failure> {
    app.may(Act::ReadAudit)?;
    Ok(app.trust.clone())
}

/// Writes checkpoint.txt, leaves.txt and trust.json; answers how many leaves.
pub fn export_log(app: &App, folder: &Path) -> Result<u64, Failure> {
    app.may(Act::ReadAudit)?;
    check_absent(folder)?;
    let (size, note) = app.store.read_ledger(|ledger| ledger.find_checkpoint_last())?.ok_or(missing(0))?;
    let partial = files::partial_of(folder);
    files::remove_folder(&partial)?;
    files::create_folder(&partial)?;
    write_leaves(app, size, &partial.join("leaves.txt"))?;
    files::write_atomic(&partial.join("trust.json"), &app.trust.to_bytes()?, 0o644)?;
    files::write_atomic(&partial.join("checkpoint.txt"), note.as_bytes(), 0o644)?;
    files::rename_durably(&partial, folder)?;
    Ok(size)
}

fn write_leaves(app: &App, size: u64, path: &Path) -> Result<(), Failure> {
    let mut file = PendingFile::create(path, 0o644)?;
    let mut from = 0;
    while from < size {
        let records = app.store.read_ledger(|ledger| ledger.list_records(from, limits::LIST_MAX))?;
        if records.is_empty() {
            return Err(missing(from).into());
        }
        from += records.len() as u64;
        for record in records.iter().filter(|r| r.header().seq < size) {
            writeln!(file, "{}", to_base64(record.leaf_data())).map_err(files::at(path))?;
        }
    }
    file.finish()?;
    Ok(())
}
