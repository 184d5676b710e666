//! What a run's child tells its parent: one JSON object a line on stdout.
//! Never carries data of a person; only names, counts, metrics and the end.

use std::io::{self, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::progress::Progress;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    Stage {
        name: String,
        total: u64,
    },
    Step {
        done: u64,
    },
    Metric {
        key: String,
        step: i64,
        value: f64,
    },
    /// The candidate folder is whole; its model has this digest.
    Done {
        model: Digest,
    },
    Failed {
        code: String,
        exit_code: u8,
        message: String,
        next_step: Option<String>,
    },
}

impl Event {
    pub fn failed(error: &Failure) -> Self {
        Self::Failed {
            code: error.code().to_string(),
            exit_code: error.class().exit_code(),
            message: error.to_string(),
            next_step: error.next_step(),
        }
    }
}

/// Steps come often; a person sees no more than this many a second.
const STEP_PAUSE: Duration = Duration::from_millis(50);

/// Writes events as lines. A parent that is gone is noticed elsewhere, so failed writes are let go.
pub struct EventWriter<W: Write> {
    state: Mutex<WriterState<W>>,
}

struct WriterState<W> {
    out: W,
    last_step: Option<Instant>,
}

impl<W: Write> EventWriter<W> {
    pub fn new(out: W) -> Self {
        Self { state: Mutex::new(WriterState { out, last_step: None }) }
    }

    pub fn send(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _ = write_line(&mut state.out, event);
    }

    fn send_step(&self, done: u64) {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if state.last_step.is_some_and(|at| at.elapsed() < STEP_PAUSE) {
            return;
        }
        state.last_step = Some(Instant::now());
        let _ = write_line(&mut state.out, &Event::Step { done });
    }
}

fn write_line(out: &mut impl Write, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

impl<W: Write> Progress for EventWriter<W> {
    fn stage(&self, name: &str, total: u64) {
        self.send(&Event::Stage { name: name.to_string(), total });
    }

    fn step(&self, done: u64) {
        self.send_step(done);
    }

    fn metric(&self, key: &str, step: i64, value: f64) {
        self.send(&Event::Metric { key: key.to_string(), step, value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines_that_read_back() {
        let mut bytes = Vec::new();
        let event = Event::Metric { key: "valid_loss".into(), step: 3, value: 0.1 + 0.2 };
        EventWriter::new(&mut bytes).send(&event);
        assert_eq!(bytes.last(), Some(&b'\n'));
        assert_eq!(serde_json::from_slice::<Event>(&bytes).unwrap(), event);
    }

    #[test]
    fn steps_in_quick_succession_are_thinned() {
        let mut bytes = Vec::new();
        {
            let writer = EventWriter::new(&mut bytes);
            (0..1000).for_each(|i| writer.step(i));
        }
        assert!(bytes.iter().filter(|&&b| b == b'\n').count() < 100);
    }
}
