//! Figures over days as drawings: a small line beside a number, and the charts of a report in the house's colours.
//! Never computes a figure; a day without one is a gap.

use serde::Serialize;

use crate::http::pages::text::Texts;
use crate::monitor::trend::picture::{draw_series, fixed_levels};
use crate::monitor::trend::{Point, Series};
use crate::monitor::words;

const WIDTH: f64 = 152.0;
const HEIGHT: f64 = 40.0;
const MARGIN: f64 = 4.0;

/// A small line without axes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Spark {
    pub name: String,
    /// The newest value, as it is read.
    pub value: Option<String>,
    /// What the line shows, in words; nothing where there are no two days to draw.
    pub label: Option<String>,
    pub path: String,
    /// Where the newest value is.
    pub x: String,
    pub y: String,
}

/// A chart with axes, as it stands in the page.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Chart {
    pub label: String,
    pub svg: String,
}

/// `spell` is how the figure is read.
pub fn spark(texts: &Texts, key: &str, series: &Series, spell: impl Fn(f64) -> String) -> Spark {
    let name = texts.say(key);
    let valued: Vec<(&Point, f64)> =
        series.points.iter().filter_map(|p| Some((p, p.value.filter(|v| v.is_finite())?))).collect();
    let Some((_, newest)) = valued.last() else { return Spark { name, ..Spark::default() } };
    let value = Some(spell(*newest));
    if valued.len() < 2 {
        return Spark { name, value, ..Spark::default() };
    }
    let values = || valued.iter().map(|(_, value)| *value);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let first = series.points.first().map_or(0, |p| p.day);
    let last = series.points.last().map_or(first, |p| p.day);
    let days = last.saturating_sub(first).max(1) as f64;
    let x = |day: u64| MARGIN + day.saturating_sub(first) as f64 / days * (WIDTH - 2.0 * MARGIN);
    let span = if high > low { high - low } else { 1.0 };
    let lift = if high > low { 0.0 } else { 0.5 };
    let y = |value: f64| HEIGHT - MARGIN - ((value - low) / span + lift) * (HEIGHT - 2.0 * MARGIN);
    let label = texts.fill(
        "monitoring.spark",
        &[
            ("figure", &name),
            ("days", &valued.len().to_string()),
            ("low", &spell(low)),
            ("high", &spell(high)),
            ("last", &spell(*newest)),
        ],
    );
    let end = valued.last().map_or((0.0, 0.0), |(point, value)| (x(point.day), y(*value)));
    Spark {
        name,
        value,
        label: Some(label),
        path: path(&series.points, x, y),
        x: format!("{:.1}", end.0),
        y: format!("{:.1}", end.1),
    }
}

/// A day without a value breaks the line.
fn path(points: &[Point], x: impl Fn(u64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let mut is_open = false;
    for point in points {
        match point.value.filter(|value| value.is_finite()) {
            None => is_open = false,
            Some(value) => {
                let letter = if is_open { 'L' } else { 'M' };
                path.push_str(&format!("{letter}{:.1} {:.1}", x(point.day), y(value)));
                is_open = true;
            }
        }
    }
    path
}

/// The chart of a series, its colours taken out: a page's own style sheet has them, and lets no other in.
pub fn chart(id: &str, series: &Series) -> Chart {
    let svg = draw_series(id, series, fixed_levels(&series.name));
    let name = words::figure_name(&series.name);
    let label = match &series.about {
        Some(about) => format!("{name}: {}", words::shown(about)),
        None => name,
    };
    Chart { label, svg: without_style(&svg) }
}

fn without_style(svg: &str) -> String {
    let (open, close) = ("<style>", "</style>");
    match svg.split_once(open).and_then(|(head, rest)| Some((head, rest.split_once(close)?.1))) {
        Some((head, tail)) => format!("{head}{tail}"),
        None => svg.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::verdict::Verdict;

    fn series(values: &[Option<f64>]) -> Series {
        let mut series = Series::empty("rows", None);
        for (day, value) in (100_u64..).zip(values) {
            let (low, high, n, verdict) = (None, None, 1, Verdict::Stable);
            series.push(Point { day, value: *value, low, high, n, verdict });
        }
        series
    }

    fn drawn(values: &[Option<f64>]) -> Spark {
        spark(&Texts::load().unwrap(), "monitoring.figure.rows", &series(values), |value| format!("{value}"))
    }

    #[test]
    fn a_day_without_a_value_breaks_the_line_and_one_day_draws_none() {
        let broken = drawn(&[Some(1.0), Some(3.0), None, Some(2.0), Some(2.0)]);
        assert_eq!(broken.path.matches('M').count(), 2, "{}", broken.path);
        assert!(broken.label.unwrap().contains('3'));
        let one = drawn(&[Some(7.0)]);
        assert_eq!((one.value.as_deref(), one.label, one.path.as_str()), (Some("7"), None, ""));
        assert_eq!(drawn(&[None, None]).value, None);
        let level = drawn(&[Some(2.0), Some(2.0)]);
        assert_eq!(level.y, "20.0", "a level line stands in the middle");
    }

    #[test]
    fn a_chart_in_a_page_has_no_style_of_its_own() {
        let chart = chart("c", &series(&[Some(1.0), Some(2.0)]));
        assert!(chart.svg.starts_with("<svg") && chart.svg.trim_end().ends_with("</svg>"));
        assert!(!chart.svg.contains("<style") && chart.svg.contains("c-title"), "{}", chart.svg);
    }
}
