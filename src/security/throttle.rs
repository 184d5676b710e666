//! How long the next login has to wait after failures, by account and by address. In memory only.
//! Never locks anyone out for good, never counts an attempt that it refused, and never grows without bound.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::base::limits;

/// Too early: the attempt is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many failed logins; the next attempt is looked at in {} s", self.retry_after_s())]
pub struct Throttled {
    pub wait: Duration,
}

impl Throttled {
    /// Whole seconds, rounded up, as `Retry-After` has them.
    pub fn retry_after_s(&self) -> u64 {
        self.wait.as_secs() + u64::from(self.wait.subsec_nanos() > 0)
    }
}

impl Fact for Throttled {
    fn code(&self) -> &'static str {
        "login.throttled"
    }

    fn class(&self) -> Class {
        Class::Unavailable
    }

    fn next_step(&self) -> Option<String> {
        Some(format!("Wait {} seconds.", self.retry_after_s()))
    }

    fn details(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!({ "retry_after_s": self.retry_after_s() }))
    }
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Duration,
}

impl Failures {
    fn is_forgotten(&self, now: Duration) -> bool {
        now.saturating_sub(self.last) >= Duration::from_secs(limits::LOGIN_MEMORY_S)
    }

    fn wait(&self, now: Duration) -> Duration {
        if self.is_forgotten(now) {
            return Duration::ZERO;
        }
        (self.last + delay_after(self.count)).saturating_sub(now)
    }
}

/// 1, 2, 4, .. seconds from the first failure that is not free, up to the cap.
fn delay_after(failures: u32) -> Duration {
    match failures.checked_sub(limits::LOGIN_FAILURES_FREE + 1) {
        None => Duration::ZERO,
        Some(over) => {
            let seconds = 1u64.checked_shl(over).unwrap_or(u64::MAX);
            Duration::from_secs(seconds.min(limits::LOGIN_WAIT_S_MAX))
        }
    }
}

/// Times are durations since the process started, by the monotonic clock.
#[derive(Debug, Default)]
pub struct Throttle {
    accounts: Tally<Digest>,
    addresses: Tally<IpAddr>,
}

impl Throttle {
    /// Whether an attempt may be looked at now. Unknown accounts are counted like known ones.
    pub fn check(&self, account: &str, address: IpAddr, now: Duration) -> Result<(), Throttled> {
        let (account, address) = (account_of(account), network_of(address));
        let wait = self.accounts.wait(&account, now).max(self.addresses.wait(&address, now));
        if wait.is_zero() { Ok(()) } else { Err(Throttled { wait }) }
    }

    pub fn failed(&mut self, account: &str, address: IpAddr, now: Duration) {
        self.accounts.add(account_of(account), now);
        self.addresses.add(network_of(address), now);
    }

    /// The account's failures are forgiven; the address's are not, or one good account would cover the trying of others.
    pub fn succeeded(&mut self, account: &str) {
        self.accounts.0.remove(&account_of(account));
    }
}

/// A name of any length costs the same memory.
fn account_of(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// An address of version 6 counts by its first 64 bits, of which one machine has the rest to choose from.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let mask = u128::MAX << 64;
            IpAddr::V6((v6.to_bits() & mask).into())
        }
        v4 => v4,
    }
}

#[derive(Debug)]
struct Tally<K>(HashMap<K, Failures>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Copy + Eq + Hash> Tally<K> {
    fn wait(&self, key: &K, now: Duration) -> Duration {
        self.0.get(key).map_or(Duration::ZERO, |failures| failures.wait(now))
    }

    fn add(&mut self, key: K, now: Duration) {
        if let Some(failures) = self.0.get_mut(&key) {
            let count = if failures.is_forgotten(now) { 0 } else { failures.count };
            *failures = Failures { count: count.saturating_add(1), last: now };
            return;
        }
        if self.0.len() >= limits::LOGIN_ENTRIES_MAX {
            self.make_room(now);
        }
        self.0.insert(key, Failures { count: 1, last: now });
    }

    /// Drops what is forgotten; if nothing is, the one with the fewest failures, the oldest of these.
    fn make_room(&mut self, now: Duration) {
        self.0.retain(|_, failures| !failures.is_forgotten(now));
        if self.0.len() >= limits::LOGIN_ENTRIES_MAX {
            let least = self.0.iter().min_by_key(|(_, failures)| (failures.count, failures.last));
            if let Some(key) = least.map(|(key, _)| *key) {
                self.0.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert, proptest};

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn wait(throttle: &Throttle, account: &str, address: IpAddr, now: u64) -> u64 {
        throttle.check(account, address, at(now)).map_or_else(|refused| refused.retry_after_s(), |()| 0)
    }

    #[test]
    fn four_failures_are_free_and_each_further_one_doubles_the_wait_up_to_a_quarter_of_an_hour() {
        let mut throttle = Throttle::default();
        let mut waits = Vec::new();
        for failure in 0..17 {
            throttle.failed("anna", HERE, at(failure));
            waits.push(wait(&throttle, "anna", THERE, failure));
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(wait(&throttle, "anna", THERE, 16 + 899), 1);
        assert_eq!(wait(&throttle, "anna", THERE, 16 + 900), 0);
        let refused = throttle.check("anna", THERE, Duration::from_millis(16_500)).unwrap_err();
        assert_eq!(refused.retry_after_s(), 900);
        assert_eq!(refused.class(), Class::Unavailable);
    }

    #[test]
    fn an_address_that_tries_many_accounts_waits_and_other_addresses_do_not() {
        let mut throttle = Throttle::default();
        for n in 0..5 {
            throttle.failed(&format!("user{n}"), HERE, at(0));
        }
        assert_eq!(wait(&throttle, "somebody", HERE, 0), 1);
        assert_eq!(wait(&throttle, "somebody", THERE, 0), 0);
        let host = |n: u16| IpAddr::from([0xfd00, 1, 2, 3, 0, 0, 0, n]);
        for n in 0..5 {
            throttle.failed(&format!("guest{n}"), host(n), at(0));
        }
        assert_eq!(wait(&throttle, "somebody", host(99), 0), 1);
        assert_eq!(wait(&throttle, "somebody", IpAddr::from([0xfd00, 1, 2, 4, 0, 0, 0, 1]), 0), 0);
    }

    #[test]
    fn a_good_login_forgives_the_account_but_not_the_address() {
        let mut throttle = Throttle::default();
        for _ in 0..6 {
            throttle.failed("anna", HERE, at(0));
        }
        throttle.succeeded("anna");
        assert_eq!(wait(&throttle, "anna", THERE, 0), 0);
        assert_eq!(wait(&throttle, "anna", HERE, 0), 2);
    }

    #[test]
    fn failures_are_forgotten_after_an_hour_without_one() {
        let mut throttle = Throttle::default();
        for _ in 0..20 {
            throttle.failed("anna", HERE, at(0));
        }
        throttle.failed("anna", HERE, at(limits::LOGIN_MEMORY_S));
        assert_eq!(wait(&throttle, "anna", HERE, limits::LOGIN_MEMORY_S), 0);
    }

    #[test]
    fn a_flood_of_names_takes_bounded_memory_and_does_not_free_who_has_to_wait() {
        let mut throttle = Throttle::default();
        for _ in 0..10 {
            throttle.failed("anna", THERE, at(0));
        }
        for n in 0..3 * limits::LOGIN_ENTRIES_MAX as u32 {
            throttle.failed(&format!("nobody{n}"), IpAddr::V4(n.into()), at(1));
        }
        assert_eq!(throttle.accounts.0.len(), limits::LOGIN_ENTRIES_MAX);
        assert_eq!(throttle.addresses.0.len(), limits::LOGIN_ENTRIES_MAX);
        assert!(wait(&throttle, "anna", THERE, 1) > 0);
    }

    proptest! {
        #[test]
        fn nobody_ever_waits_longer_than_the_cap(failures in 0..200u32, gap in 0..2_000u64) {
            let mut throttle = Throttle::default();
            for n in 0..failures {
                throttle.failed("anna", HERE, at(u64::from(n) * gap));
            }
            let now = u64::from(failures.saturating_sub(1)) * gap;
            prop_assert!(wait(&throttle, "anna", HERE, now) <= limits::LOGIN_WAIT_S_MAX);
        }
    }
}
