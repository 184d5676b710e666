//! How a run's child speaks: one event a line on stdout, steps thinned to what a person can see.
//! Decides nothing and stops nothing; a parent that is gone is noticed elsewhere.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::base::progress::Progress;
use crate::pipeline::child::events::Event;

/// Steps come often; a person sees no more than this many a second.
const STEP_PAUSE: Duration = Duration::from_millis(50);

/// Writes events as lines. A parent that is gone is noticed elsewhere, so failed writes are let go.
pub struct EventWriter<W: Write> {
    state: Mutex<WriterState<W>>,
    begun: Instant,
}

struct WriterState<W> {
    out: W,
    last_step: Option<Instant>,
}

impl<W: Write> EventWriter<W> {
    pub fn new(out: W) -> Self {
        Self { state: Mutex::new(WriterState { out, last_step: None }), begun: Instant::now() }
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

impl<W: Write + Send> Progress for EventWriter<W> {
    fn stage(&self, name: &str, total: u64) {
        self.send(&Event::Stage { name: name.to_string(), total });
    }

    fn step(&self, done: u64) {
        self.send_step(done);
    }

    fn metric(&self, key: &str, step: i64, value: f64) {
        self.send(&Event::Metric { key: key.to_string(), step, value });
    }

    fn trial(&self, name: &str, settings: &[String], figures: &BTreeMap<String, f64>) {
        let (name, settings, figures) = (name.to_string(), settings.to_vec(), figures.clone());
        self.send(&Event::Trial { name, settings, figures });
    }

    fn spent_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
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
