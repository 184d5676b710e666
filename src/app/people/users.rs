//! People with a password: added, listed, locked, given another password or other roles.
//! Never keeps a password, and has none to begin with: whoever owns the home adds the first user.

use serde_json::json;

use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::ids::check_name;
use crate::ledger::leaf::{Entry, Kind};
use crate::security::actor::{Act, Role};
use crate::security::api_key::find_scope;
use crate::security::password;
use crate::store::error::StoreError;
use crate::store::rows::people::UserRow;

/// What may be shown of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub roles: Vec<Role>,
    pub locked: bool,
    pub created_ms: i64,
    pub created_by: String,
    pub password_changed_ms: i64,
    pub last_login_ms: Option<i64>,
}

impl From<&UserRow> for User {
    fn from(row: &UserRow) -> Self {
        Self {
            name: row.name.clone(),
            roles: row.roles.clone(),
            locked: row.locked,
            created_ms: row.created_ms,
            created_by: row.created_by.clone(),
            password_changed_ms: row.password_changed_ms,
            last_login_ms: row.last_login_ms,
        }
    }
}

/// A change of one user, as the log tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Locked,
    Unlocked,
    Password,
    Roles,
}

impl Change {
    fn as_str(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
            Self::Password => "password",
            Self::Roles => "roles",
        }
    }
}

pub fn add(app: &App, name: &str, roles: &[Role], password: &str) -> Result<User, Failure> {
    let actor = app.may(Act::ManageUsers)?;
    check_name(name)?;
    let roles = check_roles(roles)?;
    if app.store.read_ledger(|ledger| ledger.find_user(name))?.is_some() {
        return Err(UseCaseError::UserExists { name: name.to_string() }.into());
    }
    password::check_new(password, name)?;
    let now = app.now();
    let row = UserRow {
        name: name.to_string(),
        roles,
        password: password::hash(password)?,
        locked: false,
        created_ms: now.millis(),
        created_by: actor.name().to_string(),
        password_changed_ms: now.millis(),
        last_login_ms: None,
    };
    let body = json!({"name": name, "roles": row.roles});
    let entry = App::entry(&actor, Kind::UserAdded, format!("user/{name}"), &body)?;
    let kept = row.clone();
    app.store.write_ledger(move |ledger| {
        ledger.add_user(&kept)?;
        ledger.append_record(entry.clone(), now)?;
        Ok::<_, StoreError>(())
    })?;
    Ok(User::from(&row))
}

/// Roles of people, in their order and each once.
fn check_roles(roles: &[Role]) -> Result<Vec<Role>, UseCaseError> {
    if let Some(role) = roles.iter().find(|role| find_scope(**role).is_some()) {
        return Err(UseCaseError::ServiceRole { role: role.to_string() });
    }
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() { Err(UseCaseError::NoRoles) } else { Ok(roles) }
}

pub fn list(app: &App, after: Option<&str>, limit: usize) -> Result<Vec<User>, Failure> {
    app.may(Act::ReadPeople)?;
    let rows = app.store.read_ledger(|ledger| ledger.list_users(after, limit))?;
    Ok(rows.iter().map(User::from).collect())
}

pub fn find(app: &App, name: &str) -> Result<User, Failure> {
    app.may(Act::ReadPeople)?;
    Ok(User::from(&find_row(app, name)?))
}

fn find_row(app: &App, name: &str) -> Result<UserRow, Failure> {
    let found = app.store.read_ledger(|ledger| ledger.find_user(name))?;
    Ok(found.ok_or_else(|| UseCaseError::NoUser { name: name.to_string() })?)
}

/// Shuts a user out, or lets them in again. Nobody shuts themselves out.
pub fn set_locked(app: &App, name: &str, locked: bool) -> Result<User, Failure> {
    let actor = app.may(Act::ManageUsers)?;
    if locked && actor.name() == name {
        return Err(UseCaseError::OwnAccount.into());
    }
    let what = if locked { Change::Locked } else { Change::Unlocked };
    change(app, name, what, move |row| row.locked = locked)
}

pub fn set_roles(app: &App, name: &str, roles: &[Role]) -> Result<User, Failure> {
    let actor = app.may(Act::ManageUsers)?;
    if actor.name() == name {
        return Err(UseCaseError::OwnAccount.into());
    }
    let roles = check_roles(roles)?;
    change(app, name, Change::Roles, move |row| row.roles = roles.clone())
}

/// A new password set by an admin; the user's sessions end.
pub fn set_password(app: &App, name: &str, password: &str) -> Result<User, Failure> {
    app.may(Act::ManageUsers)?;
    find_row(app, name)?;
    password::check_new(password, name)?;
    let (hash, now_ms) = (password::hash(password)?, app.now().millis());
    change(app, name, Change::Password, move |row| {
        row.password = hash.clone();
        row.password_changed_ms = now_ms;
    })
}

fn change(
    app: &App,
    name: &str,
    what: Change,
    edit: impl Fn(&mut UserRow) + Send + 'static,
) -> Result<User, Failure> {
    let actor = app.may(Act::ManageUsers)?;
    let mut edited = find_row(app, name)?;
    edit(&mut edited);
    let body = json!({"name": name, "change": what.as_str(), "roles": edited.roles});
    let entry: Entry = App::entry(&actor, Kind::UserChanged, format!("user/{name}"), &body)?;
    let (now, name) = (app.now(), name.to_string());
    let missing = StoreError::no_user;
    let row = app.store.write_ledger({
        let name = name.clone();
        move |ledger| {
            // Read again inside the transaction: a login may have written its time meanwhile.
            let mut row = ledger.find_user(&name)?.ok_or_else(|| missing(&name))?;
            edit(&mut row);
            ledger.put_user(&row)?;
            ledger.append_record(entry.clone(), now)?;
            Ok::<_, StoreError>(row)
        }
    })?;
    app.gatehouse.sessions.end_all_of(&name);
    app.gatehouse.counter.end_all_of(&name);
    Ok(User::from(&row))
}
