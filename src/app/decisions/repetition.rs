//! A request sent twice under one key is one answer. Who comes second gets what the first one got, is told that the
//! first is still under way, or that the key was another request's.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::store::rows::answers::IdempotencyRow;
use crate::store::views::answers::NewRepetition;

pub(in crate::app::decisions) const DAY_MS: i64 = 86_400_000;

/// Keys whose first request has not been answered yet.
#[derive(Clone, Default)]
pub struct UnderWay(Arc<Mutex<BTreeSet<(String, String)>>>);

/// Holds a key while its request is under way; let go of, it is free again.
pub struct Held {
    under_way: UnderWay,
    entry: (String, String),
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut keys = self.under_way.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.remove(&self.entry);
    }
}

/// What a key leads to.
pub enum Claim {
    /// The first request of this key; the answer's record is to carry the row.
    First(Held, NewRepetition),
    /// It was answered by this record.
    Seen(u64),
}

/// Takes a key for a request of this principal. `request` names the request whole: route, model and body.
pub fn claim(app: &App, principal: &str, key: &str, request: [u8; 32]) -> Result<Claim, Failure> {
    check_key(key)?;
    let held = hold(&app.answering.under_way, principal, key)?;
    let now_ms = app.now().millis();
    let day = u64::try_from(now_ms / DAY_MS).unwrap_or_default();
    if let Some(row) = find(app, day, principal, key, now_ms)? {
        return if row.request == request {
            Ok(Claim::Seen(row.seq))
        } else {
            Err(UseCaseError::KeyReused { key: key.to_string() }.into())
        };
    }
    let (principal, key) = (principal.to_string(), key.to_string());
    Ok(Claim::First(held, NewRepetition { day, principal, key, request, at_ms: now_ms }))
}

/// Whether a request of this principal came with this key before, answered by now or not.
pub fn is_known(app: &App, principal: &str, key: &str) -> Result<bool, Failure> {
    check_key(key)?;
    let entry = (principal.to_string(), key.to_string());
    let under_way = app.answering.under_way.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&entry);
    let now_ms = app.now().millis();
    let day = u64::try_from(now_ms / DAY_MS).unwrap_or_default();
    Ok(under_way || find(app, day, principal, key, now_ms)?.is_some())
}

fn check_key(key: &str) -> Result<(), UseCaseError> {
    let fits = (1..=limits::IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.len());
    if fits && key.bytes().all(|b| b.is_ascii_graphic()) { Ok(()) } else { Err(UseCaseError::BadKey) }
}

fn hold(under_way: &UnderWay, principal: &str, key: &str) -> Result<Held, UseCaseError> {
    let entry = (principal.to_string(), key.to_string());
    let mut keys = under_way.0.lock().unwrap_or_else(PoisonError::into_inner);
    if !keys.insert(entry.clone()) {
        return Err(UseCaseError::KeyUnderWay { key: key.to_string() });
    }
    drop(keys);
    Ok(Held { under_way: under_way.clone(), entry })
}

/// The row of this key that has not run out: of today, or of yesterday.
fn find(
    app: &App,
    day: u64,
    principal: &str,
    key: &str,
    now_ms: i64,
) -> Result<Option<IdempotencyRow>, Failure> {
    let row = app.store.read_ledger(|ledger| match ledger.find_repetition(day, principal, key)? {
        Some(row) => Ok::<_, crate::store::error::StoreError>(Some(row)),
        None => ledger.find_repetition(day.saturating_sub(1), principal, key),
    })?;
    Ok(row.filter(|row| now_ms - row.at_ms < limits::IDEMPOTENCY_MS))
}

/// Forgets keys that have run out; a little at a time, so that no decision waits for it.
pub fn forget_old(app: &App) -> Result<usize, Failure> {
    let today = u64::try_from(app.now().millis() / DAY_MS).unwrap_or_default();
    let mut forgotten = 0;
    loop {
        let most = limits::REPETITIONS_DROPPED_MAX;
        let dropped =
            app.store.write_ledger(move |ledger| ledger.drop_repetitions(today.saturating_sub(1), most))?;
        forgotten += dropped;
        if dropped < most {
            return Ok(forgotten);
        }
    }
}
