//! The common ground of a chart: title, gridlines, ticks, axis labels, and the scales from values to places.
//! Never knows what is drawn on it.

use crate::evaluate::charts::svg::{Anchor, At, Canvas, Head};
use crate::evaluate::charts::words;

/// Outer size and margins.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// For two axes of one measure: the plot is a square.
pub(super) const SQUARE: Layout =
    Layout { width: 560.0, height: 604.0, left: 70.0, right: 30.0, top: 84.0, bottom: 60.0 };
pub(super) const WIDE: Layout =
    Layout { width: 720.0, height: 420.0, left: 70.0, right: 30.0, top: 84.0, bottom: 60.0 };

/// Where a chart's title and its note begin.
const TITLE_X: f64 = 22.0;
const TITLE_Y: f64 = 34.0;
const NOTE_Y: f64 = 55.0;
/// Where a key ends, from the right.
const KEY_RIGHT: f64 = 24.0;

/// Steps from here on are spelled with an exponent.
const LONG_NUMBER: f64 = 1e9;

/// And steps below here.
const SHORT_NUMBER: f64 = 1e-6;
/// An axis that reaches this far groups its digits; a year is below it.
const GROUPED_NUMBER: f64 = 1e4;
const MILLION: f64 = 1e6;

/// How ticks are spelled.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Spelling {
    Plain,
    Percent,
}

/// One axis: its words, and the values at its two ends.
pub(super) struct Axis {
    pub(super) label: &'static str,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
    pub(super) spelling: Spelling,
}

impl Axis {
    /// From 0 to 100 %.
    pub(super) fn share(label: &'static str) -> Self {
        Self { label, low: 0.0, high: 1.0, step: 0.2, spelling: Spelling::Percent }
    }

    /// From exactly `low` to exactly `high`, with ticks at round values between them.
    pub(super) fn exact(label: &'static str, low: f64, high: f64, spelling: Spelling) -> Self {
        // A span that is lost in rounding counts as none.
        let size = low.abs().max(high.abs());
        let high = if high - low > 1e-9 * size { high } else { low + size.max(1.0) };
        Self { label, low, high, step: round_step((high - low) / 6.0), spelling }
    }

    /// Between the round values that enclose `low` and `high`.
    pub(super) fn enclosing(label: &'static str, low: f64, high: f64, spelling: Spelling) -> Self {
        let size = low.abs().max(high.abs());
        // A span that is lost in rounding counts as none.
        let step = match high - low {
            span if span > 1e-9 * size => round_step(span / 5.0),
            _ if size > 1e-9 => round_step(size / 5.0),
            _ => 1.0,
        };
        let (below, above) = ((low / step).floor() * step, (high / step).ceil() * step);
        Self { label, low: below, high: above.max(below + step), step, spelling }
    }

    pub(super) fn with_step_of_at_least(mut self, least: f64) -> Self {
        self.step = self.step.max(least);
        self
    }

    fn ticks(&self) -> Vec<f64> {
        // The slack admits an end that was missed by rounding.
        let first = (self.low / self.step - 1e-9).ceil() as i64;
        let last = (self.high / self.step + 1e-9).floor() as i64;
        (first..=last).map(|k| k as f64 * self.step).collect()
    }

    fn spell(&self, tick: f64) -> String {
        let (factor, sign) = if self.spelling == Spelling::Percent { (100.0, "%") } else { (1.0, "") };
        if self.step * factor >= LONG_NUMBER {
            return format!("{:.1e}{sign}", tick * factor + 0.0);
        }
        let (size, largest) = ((tick * factor).abs(), factor * self.low.abs().max(self.high.abs()));
        let minus = if tick < 0.0 { "-" } else { "" };
        if largest >= MILLION && self.step * factor >= MILLION / 10.0 {
            if size == 0.0 {
                return format!("0{sign}");
            }
            // A tenth of a million is the smallest step here.
            let decimals = usize::from(self.step * factor < MILLION);
            return format!("{minus}{:.decimals$}M{sign}", size / MILLION);
        }
        if largest >= GROUPED_NUMBER && self.step * factor >= 1.0 {
            return format!("{minus}{}{sign}", words::count(size.round() as u64));
        }
        if self.step * factor < SHORT_NUMBER {
            return format!("{:.1e}{sign}", tick * factor + 0.0);
        }
        let decimals = (-(self.step * factor).log10() - 1e-9).ceil().max(0.0) as usize;
        // Adding zero makes -0 a plain 0.
        format!("{:.decimals$}{sign}", tick * factor + 0.0)
    }
}

/// The next of 1, 2, 5 times a power of ten that is no less.
fn round_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let factor =
        [1.0, 2.0, 5.0, 10.0].into_iter().find(|f| f * power >= rough * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * power
}

/// A chart with its ground painted, ready for shapes.
pub(super) struct Frame {
    pub(super) canvas: Canvas,
    pub(super) layout: Layout,
    head: Head,
}

impl Frame {
    /// Paper and title only.
    pub(super) fn blank(layout: Layout, head: Head) -> Self {
        let mut canvas = Canvas::default();
        canvas.bar("surface", (0.0, 0.0), layout.width, layout.height);
        canvas.title((TITLE_X, TITLE_Y), &head);
        canvas.text("muted number", (TITLE_X, NOTE_Y), Anchor::Start, &head.note);
        Self { canvas, layout, head }
    }

    pub(super) fn bottom(&self) -> f64 {
        self.layout.height - self.layout.bottom
    }

    pub(super) fn right(&self) -> f64 {
        self.layout.width - self.layout.right
    }

    /// Paints the horizontal axis and returns its scale.
    pub(super) fn paint_x(&mut self, axis: &Axis) -> impl Fn(f64) -> f64 + use<> {
        let (left, right, bottom, top) = (self.layout.left, self.right(), self.bottom(), self.layout.top);
        let (low, high) = (axis.low, axis.high);
        let scale = move |value: f64| left + (value - low) / (high - low) * (right - left);
        for tick in axis.ticks() {
            self.canvas.line("grid", (scale(tick), top), (scale(tick), bottom));
            self.canvas.text("muted number", (scale(tick), bottom + 19.0), Anchor::Middle, &axis.spell(tick));
        }
        self.canvas.line("axis", (left, bottom), (right, bottom));
        self.x_label(axis.label, bottom + 43.0);
        scale
    }

    pub(super) fn x_label(&mut self, label: &str, y: f64) {
        self.canvas.text("ink", ((self.layout.left + self.right()) / 2.0, y), Anchor::Middle, label);
    }

    /// Paints the vertical axis and returns its scale.
    pub(super) fn paint_y(&mut self, axis: &Axis) -> impl Fn(f64) -> f64 + use<> {
        let (left, right, bottom, top) = (self.layout.left, self.right(), self.bottom(), self.layout.top);
        let (low, high) = (axis.low, axis.high);
        let scale = move |value: f64| bottom - (value - low) / (high - low) * (bottom - top);
        for tick in axis.ticks() {
            self.canvas.line("grid", (left, scale(tick)), (right, scale(tick)));
            self.canvas.text(
                "muted number",
                (left - 10.0, scale(tick) + 4.0),
                Anchor::End,
                &axis.spell(tick),
            );
        }
        self.canvas.turned_text("ink", (22.0, (top + bottom) / 2.0), -90, axis.label);
        scale
    }

    /// Coloured squares with their names, ending at the right in the title's line.
    pub(super) fn paint_key(&mut self, entries: &[(&str, String)]) {
        let mut x = self.layout.width - KEY_RIGHT;
        for (class, name) in entries.iter().rev() {
            // No font is measured: a character is at most about this wide.
            x -= 7.2 * name.chars().count() as f64;
            self.canvas.text("ink", (x, TITLE_Y), Anchor::Start, name);
            self.canvas.bar(class, (x - 16.0, TITLE_Y - 9.5), 10.0, 10.0);
            x -= 34.0;
        }
    }

    pub(super) fn finish(self) -> String {
        self.canvas.finish(&self.head, self.layout.width, self.layout.height)
    }

    /// With ids of its own, for several charts of one kind on one page.
    pub(super) fn finish_as(self, id: &str) -> String {
        self.canvas.finish_as(id, &self.head, (self.layout.width, self.layout.height))
    }
}

/// The points a value-space line passes, as places.
pub(super) fn places(
    points: impl IntoIterator<Item = At>,
    x: impl Fn(f64) -> f64,
    y: impl Fn(f64) -> f64,
) -> Vec<At> {
    points.into_iter().map(|(a, b)| (x(a), y(b))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_both_ends() {
        let axis = Axis::enclosing("", 0.0, 0.37, Spelling::Percent);
        let spelled: Vec<String> = axis.ticks().iter().map(|t| axis.spell(*t)).collect();
        assert_eq!(spelled, ["0%", "10%", "20%", "30%", "40%"]);
        let axis = Axis::enclosing("", 0.312, 0.348, Spelling::Plain);
        let spelled: Vec<String> = axis.ticks().iter().map(|t| axis.spell(*t)).collect();
        assert_eq!(spelled, ["0.31", "0.32", "0.33", "0.34", "0.35"]);
    }

    #[test]
    fn large_ticks_are_grouped_and_larger_ones_counted_in_millions() {
        let spelled = |low, high| {
            let axis = Axis::enclosing("", low, high, Spelling::Plain);
            axis.ticks().iter().map(|t| axis.spell(*t)).collect::<Vec<_>>()
        };
        assert_eq!(spelled(0.0, 42_000.0), ["0", "10,000", "20,000", "30,000", "40,000", "50,000"]);
        assert_eq!(spelled(-900_000.0, 300_000.0), ["-1.0M", "-0.5M", "0", "0.5M"]);
        assert_eq!(spelled(0.0, 9_000.0), ["0", "2,000", "4,000", "6,000", "8,000", "10,000"]);
        assert_eq!(spelled(2_018.0, 2_026.0), ["2018", "2020", "2022", "2024", "2026"]);
        assert_eq!(spelled(0.0, 9e6), ["0", "2M", "4M", "6M", "8M", "10M"]);
    }

    #[test]
    fn an_axis_without_extent_still_has_one() {
        let enclosing = |low, high| Axis::enclosing("", low, high, Spelling::Plain);
        let nearly = 0.4f64;
        for axis in [
            enclosing(3.0, 3.0),
            enclosing(0.0, 0.0),
            enclosing(nearly, nearly.next_up()),
            enclosing(1e30, 1e30),
            enclosing(-1e-300, 1e-300),
            Axis::exact("", 1.0, 1.0, Spelling::Plain),
            Axis::exact("", 1.4e299, 1.4e299, Spelling::Plain),
            Axis::exact("", -1e-300, 1e-300, Spelling::Plain),
        ] {
            let ticks = axis.ticks().len();
            assert!(axis.low < axis.high && (1..20).contains(&ticks), "{} {}", axis.low, axis.high);
            assert!(axis.ticks().iter().all(|tick| axis.spell(*tick).len() < 12));
        }
    }
}
