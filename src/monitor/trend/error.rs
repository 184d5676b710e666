//! What can be wrong with a report's day.
//! Never about a figure: one that is missing is a gap, not a fault.

use crate::base::fact::{Class, Fact};

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum TrendError {
    #[error("the report's day {day:?} is no date since 1970 (such as 2026-03-14)")]
    NoDay { day: String },
}

impl Fact for TrendError {
    fn code(&self) -> &'static str {
        "trend.no_day"
    }

    fn class(&self) -> Class {
        Class::DataRefused
    }

    fn next_step(&self) -> Option<String> {
        Some("Make the report again.".into())
    }
}
