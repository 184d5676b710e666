//! Sessions at the counter: of browsers, told by a cookie. They lock themselves when nobody works at them and keep
//! what was being written until its writer comes back. In memory only, and never taken for a session of the API.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::app::home::App;
use crate::app::people::WhoError;
use crate::app::people::sessions::{check_login, note_login};
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::security::actor::Person;
use crate::security::session::{NewSession, parse_token};

/// A form that was being filled in: which one, and what its fields hold.
#[derive(Clone, Debug)]
pub struct Draft {
    pub model: String,
    pub fields: Vec<(String, Zeroizing<String>)>,
}

/// Whose session it is, and how it is with it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub person: Person,
    /// Nobody worked at it for a while: only its password opens it again.
    pub locked: bool,
    /// Before this one.
    pub last_login_ms: Option<i64>,
}

struct CounterSession {
    person: Person,
    opened_ms: i64,
    seen_ms: i64,
    locked: bool,
    last_login_ms: Option<i64>,
    draft: Option<Draft>,
    /// Where it was when it was locked.
    place: Option<String>,
}

impl CounterSession {
    fn is_over(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.opened_ms) >= limits::SESSION_MS_MAX
    }

    fn lock_when_idle(&mut self, now_ms: i64) {
        self.locked |= now_ms.saturating_sub(self.seen_ms) >= limits::COUNTER_LOCK_MS;
    }
}

#[derive(Default)]
pub struct CounterSessions(Mutex<BTreeMap<Digest, CounterSession>>);

impl CounterSessions {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, CounterSession>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        app: &App,
        token: &str,
        work: impl FnOnce(&mut CounterSession, i64) -> T,
    ) -> Result<T, WhoError> {
        let now_ms = app.now().millis();
        let digest = parse_token(token).map_err(|_| WhoError::Unauthenticated)?;
        let mut sessions = self.lock();
        let session = sessions.get_mut(&digest).ok_or(WhoError::Unauthenticated)?;
        if session.is_over(now_ms) {
            sessions.remove(&digest);
            return Err(WhoError::Unauthenticated);
        }
        session.lock_when_idle(now_ms);
        Ok(work(session, now_ms))
    }

    fn keep(&self, token: Digest, session: CounterSession, now_ms: i64) {
        let mut sessions = self.lock();
        sessions.retain(|_, kept| !kept.is_over(now_ms));
        while sessions.len() >= limits::SESSIONS_MAX {
            let idle = sessions.iter().min_by_key(|(_, kept)| kept.seen_ms).map(|(token, _)| *token);
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

/// Checks name and password and opens a session at the counter; answers its token.
pub fn open(app: &App, name: &str, password: &str, address: IpAddr) -> Result<Zeroizing<String>, Failure> {
    let user = check_login(app, name, password, address)?;
    note_login(app, &user, password)?;
    let opened = NewSession::draw()?;
    let now_ms = app.now().millis();
    let session = CounterSession {
        person: Person::of(&user.name, &user.roles)?,
        opened_ms: now_ms,
        seen_ms: now_ms,
        locked: false,
        last_login_ms: user.last_login_ms,
        draft: None,
        place: None,
    };
    app.gatehouse.counter.keep(opened.digest, session, now_ms);
    Ok(opened.text)
}

/// A token for a form of somebody who has not come in yet. It opens nothing.
pub fn draw_visitor() -> Result<Zeroizing<String>, Failure> {
    Ok(NewSession::draw()?.text)
}

/// The session of a request, which keeps it from locking.
pub fn find(app: &App, token: &str) -> Result<Seen, Failure> {
    let seen = app.gatehouse.counter.with(app, token, |session, now_ms| {
        if !session.locked {
            session.seen_ms = session.seen_ms.max(now_ms);
        }
        let (person, locked) = (session.person.clone(), session.locked);
        Seen { person, locked, last_login_ms: session.last_login_ms }
    });
    Ok(seen?)
}

/// Locks a session; what was being written there is kept for whoever unlocks it.
pub fn lock(app: &App, token: &str, place: Option<&str>, draft: Option<Draft>) -> Result<(), Failure> {
    let locked = app.gatehouse.counter.with(app, token, |session, _| {
        session.locked = true;
        // What is half written comes back before whatever was looked at meanwhile.
        if let Some(place) = place.filter(|_| draft.is_some() || session.draft.is_none()) {
            session.place = Some(place.to_string());
        }
        if draft.is_some() {
            session.draft = draft;
        }
    });
    Ok(locked?)
}

/// Opens a locked session by its person's password; answers where it was.
pub fn unlock(app: &App, token: &str, password: &str, address: IpAddr) -> Result<Option<String>, Failure> {
    let name = find(app, token)?.person.name().to_string();
    check_login(app, &name, password, address)?;
    let place = app.gatehouse.counter.with(app, token, |session, now_ms| {
        session.locked = false;
        session.seen_ms = now_ms;
        session.place.take()
    });
    Ok(place?)
}

/// What was being written into this model's form when the session was locked; given once.
pub fn take_draft(app: &App, token: &str, model: &str) -> Result<Option<Draft>, Failure> {
    let draft = app.gatehouse.counter.with(app, token, |session, _| {
        let fits = !session.locked && session.draft.as_ref().is_some_and(|draft| draft.model == model);
        if fits { session.draft.take() } else { None }
    });
    Ok(draft?)
}

/// Ends a session; one that has ended is no error.
pub fn close(app: &App, token: &str) {
    if let Ok(digest) = parse_token(token) {
        app.gatehouse.counter.lock().remove(&digest);
    }
}
