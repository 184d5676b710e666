//! Figures day by day: what a report leaves behind for years, and the series put together of it.
//! Never judges; a verdict is kept as the report gave it.

use serde::{Deserialize, Serialize};

use crate::base::clock::parse_iso_date;
use crate::monitor::report::Report;
use crate::monitor::trend::error::TrendError;
use crate::monitor::verdict::Verdict;

pub mod csv;
pub mod error;
pub mod names;
pub mod picture;
mod readings;

#[cfg(test)]
mod tests;

mod limits {
    /// Days of one series: ten years and some.
    pub(super) const SERIES_DAYS_MAX: usize = 4_000;
}

/// One day of one figure. Without a value there was too little to tell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Days since 1970, in UTC.
    pub day: u64,
    pub value: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// Rows, decisions or known outcomes behind the value.
    pub n: u64,
    pub verdict: Verdict,
}

/// A point with what it is a point of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// One of `names`, or a figure's own name.
    pub name: String,
    /// The field, attribute or group, where the figure is about one.
    pub about: Option<String>,
    pub point: Point,
}

/// All that one report leaves behind, of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Day {
    pub day: u64,
    pub model: String,
    pub readings: Vec<Reading>,
}

/// One figure over days, the oldest first, each day once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    pub name: String,
    pub about: Option<String>,
    pub points: Vec<Point>,
}

impl Report {
    /// Days since 1970 of the day the report is of.
    pub fn day_number(&self) -> Result<u64, TrendError> {
        let days = parse_iso_date(&self.day).filter(|days| *days >= 0.0);
        days.map(|days| days as u64).ok_or_else(|| TrendError::NoDay { day: self.day.clone() })
    }

    /// Every figure of the report that is worth following.
    pub fn points(&self) -> Result<Day, TrendError> {
        let day = self.day_number()?;
        Ok(Day { day, model: self.model.clone(), readings: readings::of(self, day) })
    }
}

impl Series {
    pub fn empty(name: &str, about: Option<&str>) -> Self {
        Self { name: name.to_string(), about: about.map(str::to_string), points: Vec::new() }
    }

    /// The series of one figure out of what many reports left.
    pub fn gather<'a>(name: &str, about: Option<&str>, days: impl IntoIterator<Item = &'a Day>) -> Self {
        let mut series = Self::empty(name, about);
        for reading in days.into_iter().flat_map(|day| &day.readings) {
            if reading.name == name && reading.about.as_deref() == about {
                series.push(reading.point);
            }
        }
        series
    }

    /// In its place by day; a day that is there already was reported again, and its new point counts.
    /// Past the limit the oldest day goes.
    pub fn push(&mut self, point: Point) {
        match self.points.binary_search_by_key(&point.day, |p| p.day) {
            Ok(place) => {
                self.points.splice(place..=place, [point]);
            }
            Err(place) => self.points.insert(place, point),
        }
        if self.points.len() > limits::SERIES_DAYS_MAX {
            self.points.remove(0);
        }
    }

    /// The days from `first` on.
    pub fn since(mut self, first: u64) -> Self {
        self.points.retain(|p| p.day >= first);
        self
    }
}
