//! Logging in and out. Sessions live in memory: after a restart people log in again, services notice nothing.
//! Never tells a wrong name from a wrong password, by its words or by its time.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::app::home::App;
use crate::app::people::WhoError;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::security::actor::{Person, Role};
use crate::security::password;
use crate::security::session::{NewSession, SessionTimes, parse_token};
use crate::security::throttle::Throttle;
use crate::store::error::StoreError;
use crate::store::rows::people::UserRow;

/// A session just opened, with the token that is never shown again.
pub struct Opened {
    pub token: Zeroizing<String>,
    pub name: String,
    pub roles: Vec<Role>,
    /// When it ends if nothing is asked meanwhile.
    pub ends_ms: i64,
    pub last_login_ms: Option<i64>,
}

struct Session {
    person: Person,
    times: SessionTimes,
}

#[derive(Default)]
pub struct Sessions(Mutex<BTreeMap<Digest, Session>>);

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The person of a session that has not ended; this request keeps it alive.
    fn find(&self, token: &Digest, now_ms: i64) -> Result<Person, WhoError> {
        let mut sessions = self.lock();
        let session = sessions.get_mut(token).ok_or(WhoError::Unauthenticated)?;
        if session.times.check(now_ms).is_err() {
            sessions.remove(token);
            return Err(WhoError::Unauthenticated);
        }
        session.times.seen_ms = session.times.seen_ms.max(now_ms);
        Ok(session.person.clone())
    }

    fn keep(&self, token: Digest, session: Session, now_ms: i64) {
        let mut sessions = self.lock();
        sessions.retain(|_, kept| kept.times.check(now_ms).is_ok());
        while sessions.len() >= limits::SESSIONS_MAX {
            // The one that was longest without a request gives way.
            let idle = sessions.iter().min_by_key(|(_, kept)| kept.times.seen_ms).map(|(token, _)| *token);
            let Some(idle) = idle else { break };
            sessions.remove(&idle);
        }
        sessions.insert(token, session);
    }

    /// Ends every session of a user, whose account changed.
    pub(in crate::app::people) fn end_all_of(&self, name: &str) {
        self.lock().retain(|_, session| session.person.name() != name);
    }
}

/// Hashing a password costs 19 MiB and a core: two at a time, a few wait, more are refused.
#[derive(Default)]
pub struct Turns {
    counts: Mutex<Counts>,
    free: Condvar,
}

#[derive(Default)]
struct Counts {
    working: usize,
    waiting: usize,
}

impl Turns {
    fn take<T>(&self, work: impl FnOnce() -> T) -> Result<T, WhoError> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.waiting >= limits::LOGINS_WAITING_MAX {
            return Err(WhoError::Busy { waiting: counts.waiting });
        }
        counts.waiting += 1;
        while counts.working >= limits::LOGINS_AT_A_TIME {
            counts = self.free.wait(counts).unwrap_or_else(PoisonError::into_inner);
        }
        counts.waiting -= 1;
        counts.working += 1;
        drop(counts);
        let done = work();
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).working -= 1;
        self.free.notify_one();
        Ok(done)
    }
}

/// Checks name and password and opens a session.
pub fn open(app: &App, name: &str, password: &str, address: IpAddr) -> Result<Opened, Failure> {
    let user = check_login(app, name, password, address)?;
    welcome(app, user, password)
}

/// Whose name and password these are. Failures slow down, by account and by address; they never lock.
pub(in crate::app::people) fn check_login(
    app: &App,
    name: &str,
    password: &str,
    address: IpAddr,
) -> Result<UserRow, Failure> {
    let house = &app.gatehouse;
    let throttle = || house.throttle.lock().unwrap_or_else(PoisonError::into_inner);
    throttle().check(name, address, since_start())?;
    let user = app.store.read_ledger(|ledger| ledger.find_user(name))?;
    let kept = user.as_ref().map(|user| user.password.as_str());
    let good = house.hashing.take(|| password::verify(password, kept))??;
    match user.filter(|user| good && !user.locked) {
        Some(user) => {
            throttle().succeeded(name);
            Ok(user)
        }
        None => {
            refuse(&mut throttle(), name, address);
            Err(WhoError::WrongLogin.into())
        }
    }
}

fn refuse(throttle: &mut Throttle, name: &str, address: IpAddr) {
    throttle.failed(name, address, since_start());
    tracing::warn!(code = "security.wrong_login", "a login failed");
}

fn since_start() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

fn welcome(app: &App, user: UserRow, password: &str) -> Result<Opened, Failure> {
    let now_ms = app.now().millis();
    note_login(app, &user, password)?;
    let opened = NewSession::draw()?;
    let times = SessionTimes { opened_ms: now_ms, seen_ms: now_ms };
    let person = Person::of(&user.name, &user.roles)?;
    app.gatehouse.sessions.keep(opened.digest, Session { person, times }, now_ms);
    Ok(Opened {
        token: opened.text,
        name: user.name,
        roles: user.roles,
        ends_ms: times.ends_ms(),
        last_login_ms: user.last_login_ms,
    })
}

/// Writes down that the user came in, and their password's hash anew where it costs too little by now.
pub(in crate::app::people) fn note_login(app: &App, user: &UserRow, password: &str) -> Result<(), Failure> {
    let now_ms = app.now().millis();
    let renewed = if password::needs_rehash(&user.password) { Some(password::hash(password)?) } else { None };
    let name = user.name.clone();
    app.store.write_ledger(move |ledger| {
        if let Some(mut row) = ledger.find_user(&name)? {
            row.last_login_ms = Some(now_ms);
            if let Some(hash) = &renewed {
                row.password = hash.clone();
            }
            ledger.put_user(&row)?;
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(())
}

/// Ends the session of this token; one that has ended is no error.
pub fn close(app: &App, token: &str) -> Result<(), Failure> {
    let digest = parse_token(token).map_err(|_| WhoError::Unauthenticated)?;
    app.gatehouse.sessions.lock().remove(&digest);
    Ok(())
}

pub(in crate::app::people) fn find_person(app: &App, token: &str) -> Result<Person, Failure> {
    let digest = parse_token(token).map_err(|_| WhoError::Unauthenticated)?;
    Ok(app.gatehouse.sessions.find(&digest, app.now().millis())?)
}
