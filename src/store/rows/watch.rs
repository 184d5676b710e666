//! Rows of what is watched: a report a day, what each leaves behind, the same figure by figure, and what rules have done
//! to a model.

pub mod outcomes;

use serde::{Deserialize, Serialize};

use crate::monitor::report::Report;
use crate::monitor::trend::{Day, Point};
use crate::store::rows::JsonRow;
use crate::store::rows::key::Key;
use crate::store::tables::{MODEL_HOLDS, REPORTS, TRENDS, Table, WATCHED_DAYS};

/// The report of one model on one day, the latest that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportRow {
    pub day: u64,
    pub report: Report,
}

impl ReportRow {
    pub fn key_of(model: &str, day: u64) -> Vec<u8> {
        Key::new().text(model).number(day).finish()
    }

    pub fn prefix(model: &str) -> Vec<u8> {
        Key::new().text(model).finish()
    }
}

impl JsonRow for ReportRow {
    const TABLE: Table = REPORTS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.report.model, self.day)
    }
}

/// All figures that a report left behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayRow {
    /// The version that was in production.
    pub version: u64,
    pub left: Day,
}

impl DayRow {
    pub fn key_of(model: &str, day: u64) -> Vec<u8> {
        Key::new().text(model).number(day).finish()
    }

    pub fn prefix(model: &str) -> Vec<u8> {
        Key::new().text(model).finish()
    }
}

impl JsonRow for DayRow {
    const TABLE: Table = WATCHED_DAYS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.left.model, self.left.day)
    }
}

/// One figure of one day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrendRow {
    pub model: String,
    pub name: String,
    /// Empty where the figure is about the model as a whole.
    pub about: String,
    pub point: Point,
}

impl TrendRow {
    pub fn prefix(model: &str, name: &str, about: &str) -> Vec<u8> {
        Key::new().text(model).text(name).text(about).finish()
    }

    pub fn key_of(model: &str, name: &str, about: &str, day: u64) -> Vec<u8> {
        Key::new().text(model).text(name).text(about).number(day).finish()
    }
}

impl JsonRow for TrendRow {
    const TABLE: Table = TRENDS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.model, &self.name, &self.about, self.point.day)
    }
}

/// A model that a rule holds back until a person says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldRow {
    pub model: String,
    pub rule: String,
    pub why: String,
    pub since_ms: i64,
}

impl HoldRow {
    pub fn key_of(model: &str) -> Vec<u8> {
        Key::new().text(model).finish()
    }
}

impl JsonRow for HoldRow {
    const TABLE: Table = MODEL_HOLDS;

    fn key(&self) -> Vec<u8> {
        Self::key_of(&self.model)
    }
}
