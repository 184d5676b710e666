//! A long series week by week, counted back from its last day: a year's weekdays are no line but a block.
//! Never loses a peak: a week reaches from the lowest of its days to the highest.

use crate::base::limits;
use crate::evaluate::charts::trend::{DayPoint, Mark};

/// Days up to here are drawn one by one: there is about a point of the paper for each.
const DAYS_MAX: usize = 400;
const WEEK: u64 = 7;

pub(super) struct Weeks {
    /// Each under the last day of its week.
    pub(super) points: Vec<DayPoint>,
    /// The highest day that was out of bounds of each week that had one, and the last day.
    pub(super) marks: Vec<Mark>,
}

/// The weeks of days in their order; nothing where there is room for the days.
pub(super) fn of(days: &[DayPoint]) -> Option<Weeks> {
    let (first, last) = (days.first()?.day, days.last()?.day);
    if days.len() <= DAYS_MAX {
        return None;
    }
    // Of a century, several weeks together.
    let weeks = (last - first) / WEEK + 1;
    let length = WEEK * weeks.div_ceil(limits::CURVE_POINTS_MAX as u64);
    let together: Vec<&[DayPoint]> =
        days.chunk_by(|a, b| (last - a.day) / length == (last - b.day) / length).collect();
    let end = |week: &&[DayPoint]| week.last().map_or(last, |p| last - (last - p.day) / length * length);
    let points = together.iter().map(|week| week_of(end(week), week)).collect();
    let mut marks: Vec<Mark> = together.iter().filter_map(|week| mark_of(end(week), week)).collect();
    let newest = days.last().and_then(|p| p.value.map(|value| (p.day, value, p.marked)));
    let is_there = marks.last().is_some_and(|mark| mark.0 == last);
    marks.extend(newest.filter(|_| !is_there));
    Some(Weeks { points, marks })
}

fn week_of(day: u64, days: &[DayPoint]) -> DayPoint {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let values: Vec<f64> = days.iter().filter_map(|p| p.value).collect();
    let ends: Vec<(f64, f64)> = days.iter().filter_map(|p| p.interval).collect();
    let value = (!values.is_empty()).then(|| mean(&values));
    // A week of intervals has their mean; it reaches as far as its days do in any case.
    let mut reach = values.iter().fold(None, |reach: Option<(f64, f64)>, value| {
        Some(reach.map_or((*value, *value), |(low, high)| (low.min(*value), high.max(*value))))
    });
    if let (Some((low, high)), false) = (reach, ends.is_empty()) {
        let lows: Vec<f64> = ends.iter().map(|end| end.0).collect();
        let highs: Vec<f64> = ends.iter().map(|end| end.1).collect();
        reach = Some((low.min(mean(&lows)), high.max(mean(&highs))));
    }
    DayPoint { day, value, interval: reach, marked: days.iter().any(|p| p.marked) }
}

fn mark_of(day: u64, days: &[DayPoint]) -> Option<Mark> {
    let marked = days.iter().filter(|p| p.marked).filter_map(|p| p.value);
    marked.reduce(f64::max).map(|value| (day, value, true))
}
