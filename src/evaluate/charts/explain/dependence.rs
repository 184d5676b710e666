//! A field's contribution along its values: points and their mean for a number, a strip for each level.
//! Never calls it an effect; it is what the model gives.

use crate::evaluate::charts::explain::packed;
use crate::evaluate::charts::frame::{Axis, Frame, Layout, Spelling, WIDE, places};
use crate::evaluate::charts::svg::{Anchor, At, Head};
use crate::evaluate::charts::words;
use crate::evaluate::importance::dependence::{Dependence, Group, LevelGroup, Shape, TrendPart};

const NAMES_WIDTH: f64 = 216.0;
const COUNTS_WIDTH: f64 = 74.0;
const ROW_HEIGHT: f64 = 34.0;
const REACH: f64 = 12.0;
const MISSING_WIDTH: f64 = 76.0;
/// An axis leaves out the outermost hundredth of points where they would take more than two thirds of it.
const OUTER: f64 = 0.01;

pub fn draw_dependence(dependence: &Dependence) -> String {
    match &dependence.shape {
        Shape::Numbers { points, trend } => draw_numbers(dependence, points, trend),
        Shape::Levels { levels, others } => draw_levels(dependence, levels, others.as_ref()),
    }
}

fn draw_numbers(dependence: &Dependence, points: &[At], trend: &[TrendPart]) -> String {
    let missing = dependence.missing.as_ref();
    let right = WIDE.right + if missing.is_some() { MISSING_WIDTH } else { 0.0 };
    let steps = Steps::of(points, trend);
    let (low, high) = if steps.few { steps.ends } else { shown_values(points) };
    let beyond = points.iter().filter(|p| p.0 < low || p.0 > high).count() as u64;
    let mut frame = Frame::blank(Layout { right, height: 460.0, ..WIDE }, head(dependence, beyond));
    frame.paint_key(&[("bar first", words::ONE_ROW.into()), ("bar second", words::MEAN.into())]);
    // Means are over all rows, so they may lie beyond those that were drawn.
    let means = trend.iter().map(|part| part.contribution_mean);
    let (least, most) =
        range(points.iter().map(|p| p.1).chain(means).chain(missing.into_iter().flat_map(heights)));
    let axis = Axis::exact("", low, high, Spelling::Plain);
    let x = frame.paint_x(&if steps.whole { axis.with_step_of_at_least(1.0) } else { axis });
    let middle = frame.bottom() + 43.0;
    frame.x_label(&words::short(&dependence.field), middle);
    let y = frame.paint_y(&Axis::enclosing(words::CONTRIBUTION, least, most, Spelling::Plain));
    frame.canvas.line("axis", (frame.layout.left, y(0.0)), (frame.right(), y(0.0)));
    // Values beyond the axis lie on its border.
    let inside = |value: f64| value.clamp(low, high);
    if steps.few {
        let reach = (x(low + steps.gap) - x(low)).abs() * 0.32;
        for part in trend {
            let here = points.iter().filter(|p| p.0 == part.value_mean);
            let along: Vec<f64> = here.map(|p| y(p.1)).collect();
            let spread = packed(&along, x(part.value_mean), reach.min(REACH));
            frame.canvas.points("fine first", &spread.into_iter().map(|(y, x)| (x, y)).collect::<Vec<_>>());
        }
    } else {
        frame.canvas.points("fine first", &places(points.iter().map(|p| (inside(p.0), p.1)), &x, &y));
    }
    let means = trend.iter().filter(|t| (low..=high).contains(&t.value_mean));
    let line = places(means.map(|t| (t.value_mean, t.contribution_mean)), &x, &y);
    match line.as_slice() {
        [one] => frame.canvas.dot("dot second", *one, 5.0),
        _ => frame.canvas.path("line second", &line),
    }
    if let Some(group) = missing {
        paint_missing(&mut frame, group, &y);
    }
    frame.finish()
}

/// Whether a number takes few values, each with a part of its own.
struct Steps {
    few: bool,
    /// All values are whole.
    whole: bool,
    /// The narrowest distance between two of them.
    gap: f64,
    /// Where an axis begins and ends that leaves room for the points beside them.
    ends: (f64, f64),
}

impl Steps {
    fn of(points: &[At], trend: &[TrendPart]) -> Self {
        let whole = points.iter().all(|p| p.0.fract() == 0.0 && p.0.abs() < 1e9);
        let gap = trend.windows(2).map(|w| w[1].value_mean - w[0].value_mean).fold(f64::INFINITY, f64::min);
        let ends = match trend {
            [first, .., last] => (first.value_mean - gap / 2.0, last.value_mean + gap / 2.0),
            _ => (0.0, 1.0),
        };
        // Every drawn value must be the one value of a part, and the parts must not lie too close to be told apart.
        let own = |p: &At| trend.binary_search_by(|t| t.value_mean.total_cmp(&(p.0 + 0.0))).is_ok();
        let few = trend.len() > 1 && gap > (ends.1 - ends.0) / 60.0 && points.iter().all(own);
        Self { few, whole, gap, ends }
    }
}

/// A column of its own at the right of the plot.
fn paint_missing(frame: &mut Frame, group: &Group, y: impl Fn(f64) -> f64) {
    let (left, bottom, top) = (frame.right() + 18.0, frame.bottom(), frame.layout.top);
    let width = MISSING_WIDTH - 18.0;
    let middle = left + width / 2.0;
    frame.canvas.bar("band", (left, top), width, bottom - top);
    // The packing is along an axis; here it lies on its side.
    let along: Vec<f64> = group.contributions.iter().map(|c| y(*c)).collect();
    let points: Vec<At> =
        packed(&along, middle, width / 2.0 - 5.0).into_iter().map(|(y, x)| (x, y)).collect();
    frame.canvas.points("fine first", &points);
    let mean = y(group.contribution_mean);
    frame.canvas.line("mark second", (left + 5.0, mean), (left + width - 5.0, mean));
    frame.canvas.text("muted", (middle, bottom + 19.0), Anchor::Middle, words::MISSING);
    frame.canvas.text("muted number", (middle, bottom + 35.0), Anchor::Middle, &words::count(group.rows));
}

fn draw_levels(dependence: &Dependence, levels: &[LevelGroup], others: Option<&(u64, Group)>) -> String {
    let mut strips: Vec<(String, &Group)> =
        levels.iter().map(|l| (words::short(&l.level), &l.group)).collect();
    strips.extend(others.map(|(count, group)| (words::others(*count, "level"), group)));
    strips.extend(dependence.missing.as_ref().map(|group| (words::MISSING.to_string(), group)));
    let plot = ROW_HEIGHT * strips.len().max(1) as f64;
    let layout =
        Layout { left: NAMES_WIDTH, right: COUNTS_WIDTH, height: WIDE.top + plot + WIDE.bottom, ..WIDE };
    let mut frame = Frame::blank(layout, head(dependence, 0));
    frame.paint_key(&[("bar first", words::ONE_ROW.into()), ("bar second", words::MEAN.into())]);
    let (low, high) = range(strips.iter().flat_map(|(_, group)| heights(group)));
    let x = frame.paint_x(&Axis::enclosing(words::CONTRIBUTION, low, high, Spelling::Plain));
    frame.canvas.line("axis", (x(0.0), layout.top), (x(0.0), frame.bottom()));
    for (index, (name, group)) in strips.iter().enumerate() {
        let middle = layout.top + ROW_HEIGHT * (index as f64 + 0.5);
        frame.canvas.text("ink", (layout.left - 12.0, middle + 4.0), Anchor::End, name);
        let xs: Vec<f64> = group.contributions.iter().map(|c| x(*c)).collect();
        frame.canvas.points("fine first", &packed(&xs, middle, REACH));
        let mean = x(group.contribution_mean);
        frame.canvas.line("mark second", (mean, middle - REACH), (mean, middle + REACH));
        let rows = words::count(group.rows);
        frame.canvas.text("muted number", (layout.width - 20.0, middle + 4.0), Anchor::End, &rows);
    }
    frame.canvas.text("muted", (layout.width - 20.0, layout.top - 8.0), Anchor::End, "rows");
    frame.finish()
}

/// Everything a group draws: its rows and their mean.
fn heights(group: &Group) -> impl Iterator<Item = f64> + '_ {
    group.contributions.iter().copied().chain([group.contribution_mean])
}

/// With 0, which is where a field neither raises nor lowers.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((0.0, 0.0), |(low, high): (f64, f64), value| (low.min(value), high.max(value)))
}

/// The ends of the axis of values.
fn shown_values(points: &[At]) -> (f64, f64) {
    let mut sorted: Vec<f64> = points.iter().map(|p| p.0).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else { return (0.0, 1.0) };
    let cut = (sorted.len() as f64 * OUTER) as usize;
    let inner = (
        sorted.get(cut).copied().unwrap_or(first),
        sorted.get(sorted.len() - 1 - cut).copied().unwrap_or(last),
    );
    // A half of each: the whole span of values may be more than a float can hold.
    let (whole, span) = (last / 2.0 - first / 2.0, inner.1 / 2.0 - inner.0 / 2.0);
    if span > 0.0 && whole > 3.0 * span { inner } else { (first, last) }
}

fn head(dependence: &Dependence, beyond: u64) -> Head {
    let missing = dependence.missing.as_ref().map_or(0, |group| group.rows);
    let mut parts = vec![format!("{} rows", words::count(dependence.rows))];
    if dependence.rows == 0 {
        parts = vec![words::NO_ROWS.to_string()];
    }
    if missing > 0 {
        parts.push(format!("{} {}", words::count(missing), words::MISSING));
    }
    if beyond > 0 {
        parts.push(format!("{} points beyond the axis lie on its border", words::count(beyond)));
    }
    let note = parts.join(" · ");
    let told: Vec<String> = match &dependence.shape {
        Shape::Numbers { trend, .. } => trend
            .iter()
            .step_by(trend.len().div_ceil(8).max(1))
            .map(|t| format!("{} at {}", words::signed(t.contribution_mean), words::amount(t.value_mean)))
            .collect(),
        Shape::Levels { levels, .. } => levels
            .iter()
            .map(|l| format!("{} for {}", words::signed(l.group.contribution_mean), words::short(&l.level)))
            .collect(),
    };
    Head {
        kind: "dependence",
        title: words::DEPENDENCE,
        figure: Some(words::short(&dependence.field)),
        description: format!(
            "What {} adds to the margin by its value; {note}. Mean: {}.",
            dependence.field,
            told.join(", ")
        ),
        note,
    }
}
