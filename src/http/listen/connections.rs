//! Which connections are open, what each is doing, and which one leaves when there is no room.
//! Never touches a socket: a connection is asked to leave and closes itself.
//!
//! A new connection over a limit takes the place of an idle one: first of those that never asked anything,
//! then of the one idle longest. Idle is all that is not in a request, so neither a thousand silent clients nor
//! clients that send a byte a minute keep anybody out, and who is closed loses a handshake, not an answer.
//! Where every connection is in a request the new one is closed: work under way is worth more than work not begun.
//! Over the limit of one address only that address's own connections give way.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use crate::app::people::LocalSocket;
use crate::base::limits;

/// Where a connection comes from, as far as limits are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    Address(IpAddr),
    Socket(LocalSocket),
}

impl Source {
    /// One IPv6 network is one source: who has it has all of its addresses.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self::Address(IpAddr::V6((u128::from(v6) >> 64 << 64).into())),
            v4 => Self::Address(v4),
        }
    }
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Handshake,
    /// Between requests; an answer may still be on its way out.
    Idle,
    /// A request's head has begun.
    Head,
    /// A request is being answered.
    Busy,
}

impl Phase {
    const ALL: [Self; 4] = [Self::Handshake, Self::Idle, Self::Head, Self::Busy];

    /// How long it may last; a request's own limits are elsewhere.
    fn limit_ms(self) -> Option<u64> {
        match self {
            Self::Handshake => Some(limits::HANDSHAKE_MS),
            Self::Idle => Some(limits::KEEP_ALIVE_MS),
            Self::Head => Some(limits::REQUEST_HEAD_MS),
            Self::Busy => None,
        }
    }
}

/// Why a connection is asked to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Its place is needed, or it was idle too long.
    Idle = 1,
    /// The head of its request takes too long.
    SlowHead = 2,
    /// The server stops: the request in flight is finished first.
    Drain = 3,
}

/// How many may be open.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    pub all: usize,
    pub of_source: usize,
}

pub struct Connections {
    room: Room,
    begun: Instant,
    table: Mutex<Table>,
    next: AtomicU64,
    /// Those whose task has not ended, also where their place is taken already.
    live: AtomicUsize,
    ended: Notify,
}

#[derive(Default)]
struct Table {
    open: HashMap<u64, Arc<Connection>>,
    of_source: HashMap<Source, usize>,
    draining: bool,
}

impl Table {
    fn remove(&mut self, id: u64) -> Option<Arc<Connection>> {
        let gone = self.open.remove(&id)?;
        if let Some(count) = self.of_source.get_mut(&gone.source) {
            *count -= 1;
            if *count == 0 {
                self.of_source.remove(&gone.source);
            }
        }
        Some(gone)
    }

    /// The connection that gives way: never asked before, then longest idle.
    fn find_idle(&self, of: Option<Source>) -> Option<u64> {
        let idle = self.open.values().filter(|c| of.is_none_or(|source| c.source == source));
        let idle = idle.map(|c| (c, c.state())).filter(|(_, (phase, _))| *phase != Phase::Busy);
        let first = idle.min_by_key(|(c, (_, since))| (c.has_asked.load(Ordering::Relaxed), *since, c.id));
        first.map(|(c, _)| c.id)
    }
}

pub struct Connection {
    id: u64,
    source: Source,
    begun: Instant,
    /// The phase in the lowest two bits, above them since when in milliseconds.
    state: AtomicU64,
    has_asked: AtomicBool,
    leave: Notify,
    why: AtomicU8,
}

impl Connection {
    fn new(id: u64, source: Source, begun: Instant) -> Self {
        let leave = Notify::new();
        let (state, has_asked, why) = (AtomicU64::new(0), AtomicBool::new(false), AtomicU8::new(0));
        let new = Self { id, source, begun, state, has_asked, leave, why };
        new.enter(Phase::Handshake);
        new
    }

    pub fn enter(&self, phase: Phase) {
        let since = self.begun.elapsed().as_millis() as u64;
        self.state.store(since << 2 | phase as u64, Ordering::Relaxed);
        if phase == Phase::Busy {
            self.has_asked.store(true, Ordering::Relaxed);
        }
    }

    pub fn phase(&self) -> Phase {
        self.state().0
    }

    fn state(&self) -> (Phase, u64) {
        let state = self.state.load(Ordering::Relaxed);
        (Phase::ALL[(state & 3) as usize], state >> 2)
    }

    fn ask_to_leave(&self, why: Leave) {
        self.why.store(why as u8, Ordering::Release);
        self.leave.notify_one();
    }

    /// Ends when this connection is asked to leave.
    pub async fn asked_to_leave(&self) -> Leave {
        self.leave.notified().await;
        match self.why.load(Ordering::Acquire) {
            2 => Leave::SlowHead,
            3 => Leave::Drain,
            _ => Leave::Idle,
        }
    }
}

/// A connection's place; given back when it is dropped.
pub struct Place {
    all: Arc<Connections>,
    pub connection: Arc<Connection>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.lock().remove(self.connection.id);
        self.all.live.fetch_sub(1, Ordering::AcqRel);
        self.all.ended.notify_waiters();
    }
}

impl Connections {
    pub fn new(room: Room) -> Arc<Self> {
        Arc::new(Self {
            room,
            begun: Instant::now(),
            table: Mutex::default(),
            next: AtomicU64::new(0),
            live: AtomicUsize::new(0),
            ended: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn open(&self) -> usize {
        self.lock().open.len()
    }

    /// A place for a new connection, if need be that of an idle one; none where all are at work.
    pub fn admit(self: &Arc<Self>, source: Source) -> Option<Place> {
        let mut table = self.lock();
        if table.draining {
            return None;
        }
        if table.of_source.get(&source).is_some_and(|count| *count >= self.room.of_source) {
            let oldest = table.find_idle(Some(source))?;
            give_way(&mut table, oldest, Leave::Idle);
        }
        if table.open.len() >= self.room.all {
            let oldest = table.find_idle(None)?;
            give_way(&mut table, oldest, Leave::Idle);
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection::new(id, source, self.begun));
        table.open.insert(id, Arc::clone(&connection));
        *table.of_source.entry(source).or_default() += 1;
        self.live.fetch_add(1, Ordering::AcqRel);
        Some(Place { all: Arc::clone(self), connection })
    }

    /// Asks those to leave whose time is over.
    pub fn sweep(&self) {
        let now = self.begun.elapsed().as_millis() as u64;
        let mut table = self.lock();
        let late = |connection: &Connection| {
            let (phase, since) = connection.state();
            phase.limit_ms().is_some_and(|limit| now.saturating_sub(since) > limit).then_some(phase)
        };
        let late: Vec<_> = table.open.values().filter_map(|c| Some((c.id, late(c)?))).collect();
        for (id, phase) in late {
            let why = if phase == Phase::Head { Leave::SlowHead } else { Leave::Idle };
            give_way(&mut table, id, why);
        }
    }

    /// Lets nobody in any more and asks everybody to finish.
    pub fn drain(&self) {
        let mut table = self.lock();
        table.draining = true;
        table.open.values().for_each(|connection| connection.ask_to_leave(Leave::Drain));
    }

    /// Ends when the last connection has ended.
    pub async fn all_ended(&self) {
        loop {
            let ended = self.ended.notified();
            if self.live.load(Ordering::Acquire) == 0 {
                return;
            }
            ended.await;
        }
    }
}

fn give_way(table: &mut Table, id: u64, why: Leave) {
    if let Some(connection) = table.remove(id) {
        connection.ask_to_leave(why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Duration, timeout};

    const ROOM: Room = Room { all: 3, of_source: 2 };

    fn from(last: u8) -> Source {
        Source::of(IpAddr::from([10, 0, 0, last]))
    }

    async fn is_asked(place: &Place) -> bool {
        timeout(Duration::ZERO, place.connection.asked_to_leave()).await.is_ok()
    }

    #[tokio::test]
    async fn over_the_limit_of_an_address_its_own_oldest_idle_connection_gives_way() {
        let all = Connections::new(ROOM);
        let other = all.admit(from(1)).unwrap();
        let (first, second) = (all.admit(from(2)).unwrap(), all.admit(from(2)).unwrap());
        let third = all.admit(from(2)).unwrap();
        assert!(is_asked(&first).await && !is_asked(&second).await);
        assert!(!is_asked(&other).await && !is_asked(&third).await);
        assert_eq!(all.open(), 3);
    }

    #[tokio::test]
    async fn one_that_asked_before_stays_longer_than_one_that_never_did() {
        let all = Connections::new(ROOM);
        let first = all.admit(from(1)).unwrap();
        first.connection.enter(Phase::Busy);
        first.connection.enter(Phase::Idle);
        let (silent, _third) = (all.admit(from(2)).unwrap(), all.admit(from(3)).unwrap());
        let _new = all.admit(from(4)).unwrap();
        assert!(is_asked(&silent).await && !is_asked(&first).await);
    }

    #[tokio::test]
    async fn where_all_are_at_work_the_new_one_is_turned_away() {
        let all = Connections::new(ROOM);
        let places: Vec<Place> = (1..=3).map(|n| all.admit(from(n)).unwrap()).collect();
        places.iter().for_each(|place| place.connection.enter(Phase::Busy));
        assert!(all.admit(from(4)).is_none());
        places[1].connection.enter(Phase::Idle);
        assert!(all.admit(from(4)).is_some());
        assert!(is_asked(&places[1]).await);
    }

    #[tokio::test]
    async fn draining_asks_everybody_and_ends_with_the_last() {
        let all = Connections::new(ROOM);
        let place = all.admit(from(1)).unwrap();
        all.drain();
        assert_eq!(place.connection.asked_to_leave().await, Leave::Drain);
        assert!(all.admit(from(2)).is_none());
        assert!(timeout(Duration::ZERO, all.all_ended()).await.is_err());
        drop(place);
        all.all_ended().await;
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_source_and_a_mapped_one_is_ipv4() {
        let of = |text: &str| Source::of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }
}
