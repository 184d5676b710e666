//! Fills a home that has models in production with years of history: training runs, runs of chains, a report a day with
//! its figures, alerts, proposals. `tests/bench/scale/run.py` runs it:
//! `fill_lab HOME [--runs 100000] [--chain-runs 20000] [--days 1095] [--points 5]`.
//! Every row goes through the store's and the use cases' own writes, many to a transaction; no server may have the home.

#![allow(clippy::unwrap_used)] // a filling that cannot be done ends with its reason, as a test does

mod alerts;
mod chains;
mod days;
mod proposals;
mod runs;

use std::path::{Path, PathBuf};
use std::time::Instant;

use tallystick::app::chains::projects::{self, Applied};
use tallystick::app::home::{App, local_person};
use tallystick::base::clock::{Clock, SystemClock};
use tallystick::ledger::checkpoint::Checkpoint;
use tallystick::ledger::tree::TreeHead;
use tallystick::security::key_file;
use tallystick::store::home::Home;
use tallystick::store::open::Store;

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub const DAY_MS: i64 = 86_400_000;

/// How much of everything.
pub struct Wanted {
    pub runs: usize,
    pub chain_runs: usize,
    pub days: u64,
    /// Of each metric's history.
    pub points: usize,
    /// Today, since 1970.
    pub today: u64,
}

impl Wanted {
    pub fn first_ms(&self) -> i64 {
        (self.today - self.days) as i64 * DAY_MS
    }

    /// The `at`th of `of` moments that lie evenly over the years.
    pub fn moment(&self, at: usize, of: usize) -> i64 {
        let whole = self.days as i128 * i128::from(DAY_MS);
        self.first_ms() + (whole * at as i128 / of.max(1) as i128) as i64
    }
}

fn main() {
    let (home, wanted) = arguments();
    let app = App::open(&home, local_person().unwrap(), Box::new(SystemClock)).unwrap();
    let applied: Vec<Applied> = projects::list(&app).unwrap();
    assert!(!applied.is_empty(), "no project's schedule is in force in this home");
    let patterns = runs::patterns(&app, &applied);
    let watched: Vec<days::Watched> = applied.iter().map(|one| days::watched(&app, one)).collect();
    drop(app);
    timed("proposals", || proposals::fill(&home, &wanted, &applied));
    let store = open(&home);
    timed("runs", || runs::fill(&store, &wanted, &patterns));
    timed("runs of chains", || chains::fill(&store, &wanted, &applied));
    timed("days", || watched.iter().map(|one| days::fill(&store, &wanted, one)).sum());
    timed("alerts", || alerts::fill(&store, &home, &wanted, &applied));
}

fn timed(what: &str, work: impl FnOnce() -> usize) {
    let begun = Instant::now();
    let rows = work();
    say(&format!("{rows} {what} in {:.1} s", begun.elapsed().as_secs_f64()));
}

fn arguments() -> (PathBuf, Wanted) {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let home = words.first().filter(|word| !word.starts_with("--")).map(PathBuf::from);
    assert!(home.is_some(), "usage: fill_lab HOME [--runs N] [--chain-runs N] [--days N] [--points N]");
    let number = |name: &str, default: usize| {
        let place = words.iter().position(|word| word == name);
        place.map_or(default, |place| words[place + 1].parse().unwrap())
    };
    let today = (SystemClock.now().millis() / DAY_MS) as u64;
    let wanted = Wanted {
        runs: number("--runs", 100_000),
        chain_runs: number("--chain-runs", 20_000),
        days: number("--days", 1_095) as u64,
        points: number("--points", 5),
        today,
    };
    (home.unwrap(), wanted)
}

/// The store as the program opens it, with the box's own key.
fn open(folder: &Path) -> Store {
    let home = Home::open(folder).unwrap();
    let store_id = home.identity().store_id.clone();
    let key = key_file::load(&home.keys().join("box.key")).unwrap();
    let signer = move |size, root| Ok(Checkpoint::new(&store_id, TreeHead { size, root }).sign(&key));
    Store::open(home, Box::new(signer)).unwrap()
}

pub fn say(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
