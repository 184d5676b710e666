//! How long the stages of one answer took: carried along with it, shown to whoever asked, counted now and then.
//! Never changes what is answered, and never on record.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use metrics::Histogram;

use crate::base::figures;
use crate::base::limits;

/// A stretch of the way from a request's head to its answer, each from the end of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Head and body read, who asks, which model, whether it was asked before.
    Read,
    /// The row parsed and checked against the contract.
    Parse,
    /// Scored, with the share of every field.
    Score,
    /// The policy, its rules and the reasons; the body of the record.
    Decide,
    /// Sealed and drawn up as a record.
    Seal,
    /// Waited for its place in the log and for the disk.
    Durable,
    /// Written as the answer.
    Answer,
}

const COUNT: usize = 7;

/// In the order in which an answer passes them, by the words they are told in.
pub const STAGES: [(Stage, &str); COUNT] = [
    (Stage::Read, "read"),
    (Stage::Parse, "parse"),
    (Stage::Score, "score"),
    (Stage::Decide, "decide"),
    (Stage::Seal, "seal"),
    (Stage::Durable, "durable"),
    (Stage::Answer, "answer"),
];

/// The time of each stage so far; of one that was not passed, none.
#[derive(Clone, Copy, Debug)]
pub struct Stages {
    last: Instant,
    spent: [Duration; COUNT],
}

impl Stages {
    pub fn since(started: Instant) -> Self {
        Self { last: started, spent: [Duration::ZERO; COUNT] }
    }

    /// Ends a stage now.
    pub fn mark(&mut self, stage: Stage) {
        let now = Instant::now();
        self.spent[stage as usize] += now.saturating_duration_since(self.last);
        self.last = now;
    }

    pub fn each(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        STAGES.into_iter().zip(self.spent).map(|((_, word), spent)| (word, spent))
    }

    /// As the header `Server-Timing` has it, in milliseconds; the sum last.
    pub fn header(&self) -> String {
        let entry = |(word, spent): (&str, Duration)| format!("{word};dur={:.3}", spent.as_secs_f64() * 1e3);
        let sum = ("total", self.spent.iter().sum());
        self.each().chain([sum]).map(entry).collect::<Vec<_>>().join(", ")
    }

    /// Counts one answer in so many for operators: a clock that is read is cheap, seven histograms are not.
    pub fn count(&self) {
        static SEEN: AtomicU64 = AtomicU64::new(0);
        static FIGURES: OnceLock<[Histogram; COUNT]> = OnceLock::new();
        if !SEEN.fetch_add(1, Ordering::Relaxed).is_multiple_of(limits::STAGES_COUNTED_EACH) {
            return;
        }
        let found = || STAGES.map(|(_, word)| metrics::histogram!(figures::STAGE_SECONDS, "stage" => word));
        for (figure, spent) in FIGURES.get_or_init(found).iter().zip(self.spent) {
            figure.record(spent.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_stands_in_its_own_place_and_the_sum_is_theirs() {
        assert!(STAGES.iter().enumerate().all(|(place, (stage, _))| *stage as usize == place));
        let mut stages = Stages::since(Instant::now());
        stages.mark(Stage::Read);
        stages.mark(Stage::Score);
        stages.spent = std::array::from_fn(|place| Duration::from_micros(1 << place));
        let wanted = "read;dur=0.001, parse;dur=0.002, score;dur=0.004, decide;dur=0.008, seal;dur=0.016, \
                      durable;dur=0.032, answer;dur=0.064, total;dur=0.127";
        assert_eq!(stages.header(), wanted);
    }

    #[test]
    fn a_stage_is_as_long_as_it_took_since_the_one_before() {
        let mut stages = Stages::since(Instant::now() - Duration::from_millis(40));
        stages.mark(Stage::Read);
        stages.mark(Stage::Durable);
        let spent: Vec<Duration> = stages.each().map(|(_, spent)| spent).collect();
        assert!(spent[0] >= Duration::from_millis(40), "{spent:?}");
        assert!(spent[5] < spent[0] && spent[1] == Duration::ZERO, "{spent:?}");
    }
}
