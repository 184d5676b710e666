//! API keys: made, listed, revoked, and the services behind them told apart.
//! Never keeps a key: its text is shown once, to whoever made it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::json;
use zeroize::Zeroizing;

use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::app::people::WhoError;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::ledger::leaf::Kind;
use crate::security::actor::{Act, Actor, Person, Role};
use crate::security::api_key::{NewApiKey, PresentedKey, check_new, is_in_force};
use crate::store::error::StoreError;
use crate::store::lane::Urgency;
use crate::store::rows::people::ApiKeyRow;

/// What may be shown of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    pub id: String,
    pub name: String,
    pub role: Role,
    pub created_ms: i64,
    pub created_by: String,
    pub expires_ms: i64,
    pub revoked_ms: Option<i64>,
    pub last_used_ms: Option<i64>,
}

/// A key just made, with the text that is never shown again.
pub struct MadeKey {
    pub key: ApiKey,
    pub secret: Zeroizing<String>,
}

impl From<&ApiKeyRow> for ApiKey {
    fn from(row: &ApiKeyRow) -> Self {
        Self {
            id: row.id.clone(),
            name: row.name.clone(),
            role: row.role,
            created_ms: row.created_ms,
            created_by: row.created_by.clone(),
            expires_ms: row.expires_ms,
            revoked_ms: row.revoked_ms,
            last_used_ms: row.last_used_ms,
        }
    }
}

/// Keys that were asked for since the start, so that a request need not read them again.
#[derive(Default)]
pub struct KnownKeys(RwLock<BTreeMap<String, Arc<Known>>>);

struct Known {
    row: ApiKeyRow,
    person: Person,
    /// When its last use was written down.
    noted_ms: AtomicI64,
}

/// Makes a key for a service; its records carry the name.
pub fn create(app: &App, name: &str, role: Role, days: Option<u32>) -> Result<MadeKey, Failure> {
    let actor = app.may(Act::ManageKeys)?;
    Actor::new(name, role)?;
    let now = app.now();
    let expires_ms = check_new(role, days, now.millis())?;
    let made = NewApiKey::draw()?;
    let row = ApiKeyRow {
        id: made.id.to_string(),
        name: name.to_string(),
        role,
        secret_sha256: made.digest,
        created_ms: now.millis(),
        created_by: actor.name().to_string(),
        expires_ms,
        revoked_ms: None,
        last_used_ms: None,
    };
    let body = json!({"id": row.id, "name": name, "role": role, "expires_ms": expires_ms});
    let entry = App::entry(&actor, Kind::KeyMade, format!("key/{}", row.id), &body)?;
    let kept = row.clone();
    app.store.write_ledger(move |ledger| {
        ledger.add_api_key(&kept)?;
        ledger.append_record(entry.clone(), now)?;
        Ok::<_, StoreError>(())
    })?;
    Ok(MadeKey { key: ApiKey::from(&row), secret: made.text })
}

pub fn list(app: &App, after: Option<&str>, limit: usize) -> Result<Vec<ApiKey>, Failure> {
    app.may(Act::ReadPeople)?;
    let rows = app.store.read_ledger(|ledger| ledger.list_api_keys(after, limit))?;
    Ok(rows.iter().map(ApiKey::from).collect())
}

pub fn find(app: &App, id: &str) -> Result<ApiKey, Failure> {
    app.may(Act::ReadPeople)?;
    Ok(ApiKey::from(&find_row(app, id)?))
}

fn find_row(app: &App, id: &str) -> Result<ApiKeyRow, Failure> {
    let found = app.store.read_ledger(|ledger| ledger.find_api_key(id))?;
    Ok(found.ok_or_else(|| UseCaseError::NoKey { id: id.to_string() })?)
}

/// Ends a key for good; a key that was ended before stays as it is.
pub fn revoke(app: &App, id: &str) -> Result<ApiKey, Failure> {
    let actor = app.may(Act::ManageKeys)?;
    let mut row = find_row(app, id)?;
    if row.revoked_ms.is_none() {
        let now = app.now();
        row.revoked_ms = Some(now.millis());
        let body = json!({"id": row.id, "name": row.name});
        let entry = App::entry(&actor, Kind::KeyRevoked, format!("key/{}", row.id), &body)?;
        let kept = row.clone();
        app.store.write_ledger(move |ledger| {
            ledger.put_api_key(&kept)?;
            ledger.append_record(entry.clone(), now)?;
            Ok::<_, StoreError>(())
        })?;
    }
    let mut known = app.gatehouse.keys.0.write().unwrap_or_else(PoisonError::into_inner);
    known.remove(&row.id);
    Ok(ApiKey::from(&row))
}

/// The service that a key belongs to.
pub(in crate::app::people) fn find_person(app: &App, token: &str) -> Result<Person, Failure> {
    let refused = || Failure::from(WhoError::Unauthenticated);
    let presented = PresentedKey::parse(token).map_err(|_| refused())?;
    let known = know(app, presented.id.as_str())?;
    let digest = known.as_ref().map(|known| &known.row.secret_sha256);
    let now_ms = app.now().millis();
    match known.as_ref().filter(|_| presented.matches(digest)) {
        Some(known) if is_in_force(known.row.expires_ms, known.row.revoked_ms, now_ms) => {
            note_use(app, known, now_ms);
            Ok(known.person.clone())
        }
        _ => Err(refused()),
    }
}

fn know(app: &App, id: &str) -> Result<Option<Arc<Known>>, Failure> {
    let keys = &app.gatehouse.keys.0;
    if let Some(known) = keys.read().unwrap_or_else(PoisonError::into_inner).get(id) {
        return Ok(Some(Arc::clone(known)));
    }
    let Some(row) = app.store.read_ledger(|ledger| ledger.find_api_key(id))? else { return Ok(None) };
    let person = Person::of(&row.name, &[row.role])?;
    let noted_ms = AtomicI64::new(row.last_used_ms.unwrap_or(i64::MIN));
    let known = Arc::new(Known { row, person, noted_ms });
    let mut keys = keys.write().unwrap_or_else(PoisonError::into_inner);
    while keys.len() >= limits::KNOWN_KEYS_MAX {
        keys.pop_first();
    }
    keys.insert(id.to_string(), Arc::clone(&known));
    Ok(Some(known))
}

/// Writes a use down once an hour; it is not worth a request's time, nor its failure.
fn note_use(app: &App, known: &Known, now_ms: i64) {
    let noted = known.noted_ms.load(Ordering::Relaxed);
    let due = now_ms.saturating_sub(noted) >= limits::LAST_USED_MS;
    let mine =
        || known.noted_ms.compare_exchange(noted, now_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    if due && mine() {
        let id = known.row.id.clone();
        let note = move |ledger: &crate::store::views::LedgerWrite<'_>| {
            if let Some(mut row) = ledger.find_api_key(&id)? {
                row.last_used_ms = Some(now_ms);
                ledger.put_api_key(&row)?;
            }
            Ok::<_, StoreError>(())
        };
        drop(app.store.submit_ledger(Urgency::Bulk, note));
    }
}
