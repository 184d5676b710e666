//! One figure day by day, with its interval as a band and the limits it is held against.
//! Never joins two days across one without a figure, and never names a figure itself.

use crate::base::clock::iso_date;
use crate::evaluate::charts::frame::{Axis, Frame, Layout, Spelling, WIDE, places};
use crate::evaluate::charts::svg::{Anchor, Head};
use crate::evaluate::charts::words;

mod weeks;

#[cfg(test)]
mod tests;

/// How a figure is spelled and where its axis begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// In percent, from zero.
    Share,
    /// Whole numbers, from zero.
    Count,
    /// A size, from zero.
    Size,
    /// Between the values there are.
    Plain,
}

/// One day; without a value the line has a gap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayPoint {
    /// Days since 1970.
    pub day: u64,
    pub value: Option<f64>,
    pub interval: Option<(f64, f64)>,
    /// Drawn in the second colour: a day that was out of bounds.
    pub marked: bool,
}

/// A level the figure is held against, and its words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level<'a> {
    pub value: f64,
    pub words: &'a str,
}

/// What is drawn. `id` is part of the ids in the document, so it is unique on its page.
#[derive(Clone, Copy, Debug)]
pub struct Trend<'a> {
    pub id: &'a str,
    pub title: &'static str,
    /// The field, group or class the figure is about, if about one.
    pub about: Option<&'a str>,
    pub scale: Scale,
    pub points: &'a [DayPoint],
    pub levels: &'a [Level<'a>],
}

/// Days up to here get a dot each.
const DOTTED_DAYS_MAX: usize = 62;
const DOT: f64 = 4.0;
/// Of so many that each would lie on the next.
const SMALL_DOT: f64 = 2.5;
/// Dates below the axis, at most.
const DATES: u64 = 6;
/// Days from one date to the next: as people divide time.
const DATE_STEPS: [u64; 9] = [1, 2, 7, 14, 28, 91, 182, 364, 1_820];
/// Room for half of the last date.
const LAST_DATE_WIDTH: f64 = 48.0;
/// Room for the words of a level beside the plot.
const LEVELS_WIDTH: f64 = 128.0;

/// Of more days than a chart has room for, weeks are drawn: their mean, within the lowest and the highest of their days.
pub fn draw_trend(trend: &Trend<'_>) -> String {
    let days = sorted(trend.points);
    let weeks = weeks::of(&days);
    let points = weeks.as_ref().map_or(days.as_slice(), |weeks| weeks.points.as_slice());
    let right = if trend.levels.is_empty() { LAST_DATE_WIDTH } else { LEVELS_WIDTH };
    let mut frame = Frame::blank(Layout { right, ..WIDE }, head(trend, &days, weeks.is_some()));
    let (first, last) = span(points);
    let y = frame.paint_y(&axis(trend, points));
    let x = paint_days(&mut frame, (first, last), if weeks.is_some() { words::WEEK } else { words::DAY });
    for run in points.chunk_by(|a, b| a.interval.is_some() && b.interval.is_some()) {
        let side = |pick: fn((f64, f64)) -> f64| {
            let ends = run.iter().filter_map(|p| p.interval.map(|ends| (p.day as f64, pick(ends))));
            places(ends, &x, &y)
        };
        frame.canvas.band("area first", &side(|ends| ends.1), &side(|ends| ends.0));
    }
    paint_levels(&mut frame, trend.levels, &y);
    for run in points.chunk_by(|a, b| a.value.is_some() && b.value.is_some()) {
        let line = places(run.iter().filter_map(|p| p.value.map(|value| (p.day as f64, value))), &x, &y);
        if line.len() > 1 {
            frame.canvas.path("line first", &line);
        }
    }
    let marks = weeks.as_ref().map_or_else(|| dots(points), |weeks| weeks.marks.clone());
    let radius = if marks.len() > DOTTED_DAYS_MAX { SMALL_DOT } else { DOT };
    for (day, value, marked) in marks {
        frame.canvas.dot(if marked { "dot second" } else { "dot first" }, (x(day as f64), y(value)), radius);
    }
    frame.finish_as(trend.id)
}

/// A day, its value, and whether it was out of bounds.
type Mark = (u64, f64, bool);

/// All days of a short series; of a long one those that are marked, those alone, and the last.
fn dots(points: &[DayPoint]) -> Vec<Mark> {
    let all = points.len() <= DOTTED_DAYS_MAX;
    let valued = |index: Option<usize>| index.and_then(|i| points.get(i)).is_some_and(|p| p.value.is_some());
    let wanted = |(index, point): &(usize, &DayPoint)| {
        let alone = !valued(index.checked_sub(1)) && !valued(index.checked_add(1));
        all || point.marked || alone || index + 1 == points.len()
    };
    let place = |point: &DayPoint| point.value.map(|value| (point.day, value, point.marked));
    points.iter().enumerate().filter(wanted).filter_map(|(_, point)| place(point)).collect()
}

fn paint_levels(frame: &mut Frame, levels: &[Level<'_>], y: impl Fn(f64) -> f64) {
    let (left, right) = (frame.layout.left, frame.right());
    let mut below = f64::INFINITY;
    let mut sorted: Vec<&Level<'_>> = levels.iter().filter(|level| level.value.is_finite()).collect();
    sorted.sort_by(|a, b| a.value.total_cmp(&b.value));
    for level in sorted {
        let height = y(level.value);
        frame.canvas.line("thin second dashed", (left, height), (right, height));
        // Two levels may be closer than their words are high.
        let words_at = (height + 4.0).min(below - 15.0).max(12.0);
        below = words_at;
        frame.canvas.text(
            "second number",
            (right + 8.0, words_at),
            Anchor::Start,
            &words::short(level.words),
        );
    }
}

/// Paints dates below the axis, the last day's among them, and returns the scale.
fn paint_days(frame: &mut Frame, (first, last): (u64, u64), name: &str) -> impl Fn(f64) -> f64 + use<> {
    let (left, right, bottom, top) = (frame.layout.left, frame.right(), frame.bottom(), frame.layout.top);
    let days = last.saturating_sub(first);
    let width = if days == 0 { 1.0 } else { days as f64 };
    // One day alone stands in the middle.
    let start = if days == 0 { last as f64 - 0.5 } else { first as f64 };
    let scale = move |day: f64| left + (day - start) / width * (right - left);
    let step = DATE_STEPS.into_iter().find(|step| days / step < DATES).unwrap_or(days);
    let mut date = Some(last);
    while let Some(day) = date.filter(|day| *day >= first) {
        let place = scale(day as f64);
        frame.canvas.line("grid", (place, top), (place, bottom));
        let spelled = iso_date(day as f64).unwrap_or_else(|| day.to_string());
        frame.canvas.text("muted number", (place, bottom + 19.0), Anchor::Middle, &spelled);
        date = day.checked_sub(step.max(1));
    }
    frame.canvas.line("axis", (left, bottom), (right, bottom));
    frame.x_label(name, bottom + 43.0);
    scale
}

fn axis(trend: &Trend<'_>, points: &[DayPoint]) -> Axis {
    let ends = points.iter().filter_map(|p| p.interval).flat_map(|(low, high)| [low, high]);
    let values = points.iter().filter_map(|p| p.value);
    let levels = finite_levels(trend).map(|level| level.value);
    let (low, high) = values
        .chain(ends)
        .chain(levels)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
    let floor = if trend.scale == Scale::Plain { low } else { low.min(0.0) };
    let spelling = if trend.scale == Scale::Share { Spelling::Percent } else { Spelling::Plain };
    let axis = Axis::enclosing(trend.title, floor, high, spelling);
    if trend.scale == Scale::Count { axis.with_step_of_at_least(1.0) } else { axis }
}

fn finite_levels<'a>(trend: &Trend<'a>) -> impl Iterator<Item = &'a Level<'a>> {
    trend.levels.iter().filter(|level| level.value.is_finite())
}

fn span(points: &[DayPoint]) -> (u64, u64) {
    let days = || points.iter().map(|p| p.day);
    (days().min().unwrap_or(0), days().max().unwrap_or(0))
}

/// In the order of their days, without numbers that are none.
fn sorted(points: &[DayPoint]) -> Vec<DayPoint> {
    let finite = |p: &DayPoint| DayPoint {
        value: p.value.filter(|v| v.is_finite()),
        interval: p.interval.filter(|(low, high)| low.is_finite() && high.is_finite()),
        ..*p
    };
    let mut sorted: Vec<DayPoint> = points.iter().map(finite).collect();
    sorted.sort_by_key(|p| p.day);
    sorted
}

fn head(trend: &Trend<'_>, points: &[DayPoint], by_week: bool) -> Head {
    let newest = points.iter().rev().find_map(|p| p.value.map(|value| (p.day, value)));
    let spelled = |value: f64| match trend.scale {
        Scale::Share => words::percent(value),
        Scale::Count => words::amount(value),
        Scale::Size | Scale::Plain => format!("{value:.3}"),
    };
    let days = points.iter().filter(|p| p.value.is_some()).count() as u64;
    let about = trend.about.map(|about| format!("{} · ", words::short(about))).unwrap_or_default();
    let note = match newest {
        None => format!("{about}{}", words::NO_DAYS),
        Some((day, _)) => {
            let date = iso_date(day as f64).unwrap_or_else(|| day.to_string());
            let plural = if days == 1 { "" } else { "s" };
            format!("{about}{} day{plural} with a figure, the last {date}", words::count(days))
        }
    };
    let held: Vec<String> =
        finite_levels(trend).map(|l| format!("{} at {}", l.words, spelled(l.value))).collect();
    let held = if held.is_empty() { String::new() } else { format!(" Held against: {}.", held.join(", ")) };
    let weeks = if by_week { format!(" {}", words::BY_WEEK) } else { String::new() };
    let last = newest.map_or(String::new(), |(_, value)| format!(" The last is {}.", spelled(value)));
    Head {
        kind: "trend",
        title: trend.title,
        figure: newest.map(|(_, value)| spelled(value)),
        description: format!("{} day by day: {note}.{last}{held}{weeks}", trend.title),
        note,
    }
}
