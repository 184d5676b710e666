//! Proposals to promote, two a week: most are rejected by a second person or withdrawn, the last ones wait.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tallystick::app::chains::projects::Applied;
use tallystick::app::home::{App, local_person};
use tallystick::app::registry::approvals::{self, ProposeRequest};
use tallystick::base::clock::{Clock, Stamp, TimeQuality};
use tallystick::registry::version::{Alias, ModelRef, Which};
use tallystick::security::actor::Person;

use crate::{DAY_MS, Wanted};

const DAYS_BETWEEN: u64 = 4;

/// The past, day by day.
#[derive(Clone)]
struct PastClock(Arc<AtomicI64>);

impl Clock for PastClock {
    fn now(&self) -> Stamp {
        let wall = jiff::Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap();
        Stamp { wall, quality: TimeQuality::Simulated }
    }
}

pub fn fill(home: &Path, wanted: &Wanted, applied: &[Applied]) -> usize {
    let clock = PastClock(Arc::new(AtomicI64::new(wanted.first_ms())));
    let app = App::open(home, local_person().unwrap(), Box::new(clock.clone())).unwrap();
    let second = app.as_person(Person::owner("second").unwrap());
    let mut made = 0;
    for day in (wanted.today - wanted.days..wanted.today).step_by(DAYS_BETWEEN as usize) {
        let is_last = day + DAYS_BETWEEN >= wanted.today;
        for one in applied {
            clock.0.store(day as i64 * DAY_MS + 30_000_000 + made as i64, Ordering::SeqCst);
            let row = approvals::propose(&app, &request_of(&one.row.name, day)).unwrap();
            made += 1;
            match row.id % 3 {
                _ if is_last => {}
                0 => drop(approvals::withdraw(&app, row.id).unwrap()),
                _ => drop(approvals::reject(&second, row.id, "not before the feed is repaired").unwrap()),
            }
        }
    }
    made
}

fn request_of(name: &str, day: u64) -> ProposeRequest {
    ProposeRequest {
        model: ModelRef { name: name.to_string(), which: Which::Number(1) },
        to: Alias::Staging,
        why: format!("the candidate of day {day} is better by its test part"),
        policy: None,
    }
}
