//! A moving bar on a terminal, a line a stage elsewhere, nothing under --json or --quiet.
//! Never on stdout.

use std::collections::BTreeMap;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::base::progress::Progress;
use crate::cli::speak::output::Output;
use crate::pipeline::child::events::Event;

pub struct Bar {
    output: Output,
    bar: ProgressBar,
}

impl Bar {
    pub fn new(output: Output) -> Self {
        let target =
            if output.has_bar() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{msg:<24} [{bar:30}] {pos}/{len} {elapsed}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { output, bar }
    }

    pub fn hear(&self, event: &Event) {
        match event {
            Event::Stage { name, total } => self.stage(name, *total),
            Event::Step { done } => self.step(*done),
            Event::Metric { key, step, value } => self.metric(key, *step, *value),
            Event::Trial { name, settings, figures } => self.trial(name, settings, figures),
            Event::Done { .. } | Event::Failed { .. } => self.finish(),
        }
    }

    /// A line that stays, above the bar where there is one.
    pub fn tell(&self, line: &str) {
        if self.output.has_bar() { self.bar.println(line) } else { self.output.say(line) }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn stage(&self, name: &str, total: u64) {
        if !self.output.has_bar() {
            self.output.say(&format!("  {name}"));
        }
        self.bar.reset();
        self.bar.set_length(total);
        self.bar.set_message(name.to_string());
    }

    fn step(&self, done: u64) {
        self.bar.set_position(done);
    }

    fn metric(&self, key: &str, _step: i64, value: f64) {
        if key == "valid_loss" {
            self.bar.set_message(format!("training, loss {value:.4}"));
        }
    }

    fn trial(&self, name: &str, _settings: &[String], figures: &BTreeMap<String, f64>) {
        let of = |key: &str| figures.get(key).copied().unwrap_or(f64::NAN);
        self.tell(&format!("  {name}: log loss {:.4}, AUC {:.4}", of("cv_log_loss"), of("cv_auc")));
    }
}
