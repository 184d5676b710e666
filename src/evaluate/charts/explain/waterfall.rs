//! One decision as a walk from the base to its margin, a bar a field.
//! Never adds steps up itself; the walk was checked before.

use crate::evaluate::charts::frame::{Axis, Frame, Layout, Spelling, WIDE};
use crate::evaluate::charts::svg::{Anchor, Head};
use crate::evaluate::charts::words;
use crate::evaluate::importance::waterfall::Waterfall;

const NAMES_WIDTH: f64 = 226.0;
const ROW_HEIGHT: f64 = 38.0;
const BAR_HEIGHT: f64 = 20.0;
/// The narrowest bar that is still seen.
const BAR_MIN: f64 = 1.5;

/// A row of the chart.
struct Row {
    name: String,
    value: String,
    by: f64,
}

pub fn draw_waterfall(walk: &Waterfall) -> String {
    let rows = rows_of(walk);
    let plot = ROW_HEIGHT * (rows.len() + 2) as f64;
    let layout = Layout { left: NAMES_WIDTH, right: 66.0, height: WIDE.top + plot + WIDE.bottom, ..WIDE };
    let mut frame = Frame::blank(layout, head(walk));
    frame.paint_key(&[("bar second", words::RAISES.into()), ("bar first", words::LOWERS.into())]);
    let mut at = walk.base;
    let stops = rows.iter().map(|row| {
        at += row.by;
        at
    });
    let (low, high) = stops
        .chain([walk.margin])
        .fold((walk.base, walk.base), |(low, high), stop| (low.min(stop), high.max(stop)));
    let room = (high - low) * 0.04;
    let x = frame.paint_x(&Axis::enclosing(words::CONTRIBUTION_TO, low - room, high + room, Spelling::Plain));
    paint_end(&mut frame, 0.0, (words::BASE, walk.base), &x);
    let mut at = walk.base;
    for (index, row) in rows.iter().enumerate() {
        let middle = layout.top + ROW_HEIGHT * (index as f64 + 1.5);
        let (from, to) = (x(at), x(at + row.by));
        frame.canvas.line(
            "guide",
            (from, middle - ROW_HEIGHT + BAR_HEIGHT / 2.0),
            (from, middle - BAR_HEIGHT / 2.0),
        );
        paint_names(&mut frame, row, middle);
        let class = if row.by < 0.0 { "first" } else { "second" };
        let width = (to - from).abs().max(BAR_MIN);
        frame.canvas.bar(
            &format!("bar {class}"),
            (from.min(to), middle - BAR_HEIGHT / 2.0),
            width,
            BAR_HEIGHT,
        );
        let (edge, anchor) = if row.by < 0.0 {
            (from.min(to) - 6.0, Anchor::End)
        } else {
            (from.max(to) + 6.0, Anchor::Start)
        };
        let text = words::signed(row.by);
        // Where the words would leave the plot they go to the bar's other end.
        let (edge, anchor) = if row.by < 0.0 && edge - 46.0 < layout.left {
            (from.max(to) + 6.0, Anchor::Start)
        } else {
            (edge, anchor)
        };
        frame.canvas.text("ink strong number halo", (edge, middle + 4.0), anchor, &text);
        at += row.by;
    }
    let last = rows.len() as f64 + 1.0;
    let middle = layout.top + ROW_HEIGHT * (last + 0.5);
    frame.canvas.line(
        "guide",
        (x(at), middle - ROW_HEIGHT + BAR_HEIGHT / 2.0),
        (x(at), middle - BAR_HEIGHT / 2.0),
    );
    paint_end(&mut frame, last, (words::MARGIN, walk.margin), &x);
    frame.finish()
}

fn rows_of(walk: &Waterfall) -> Vec<Row> {
    let step = |step: &crate::evaluate::importance::waterfall::Step| Row {
        name: words::short(&step.field),
        value: if step.value.is_empty() { words::MISSING.to_string() } else { words::short(&step.value) },
        by: step.contribution,
    };
    let others =
        walk.others.map(|(count, by)| Row { name: words::others(count, "field"), value: String::new(), by });
    walk.steps.iter().map(step).chain(others).collect()
}

fn paint_names(frame: &mut Frame, row: &Row, middle: f64) {
    let right = frame.layout.left - 14.0;
    if row.value.is_empty() {
        frame.canvas.text("muted", (right, middle + 4.0), Anchor::End, &row.name);
        return;
    }
    frame.canvas.text("ink", (right, middle - 3.0), Anchor::End, &row.name);
    frame.canvas.text("muted number", (right, middle + 12.0), Anchor::End, &row.value);
}

/// Where the walk begins or ends: a mark with its name and number.
fn paint_end(frame: &mut Frame, row: f64, (name, value): (&str, f64), x: impl Fn(f64) -> f64) {
    let middle = frame.layout.top + ROW_HEIGHT * (row + 0.5);
    let half = BAR_HEIGHT / 2.0;
    frame.canvas.line("mark end", (x(value), middle - half), (x(value), middle + half));
    frame.canvas.text("ink strong", (frame.layout.left - 14.0, middle + 4.0), Anchor::End, name);
    frame.canvas.text(
        "ink strong number halo",
        (x(value) + 8.0, middle + 4.0),
        Anchor::Start,
        &words::signed(value),
    );
}

fn head(walk: &Waterfall) -> Head {
    let figure = walk.probability.map(words::percent);
    let fields = walk.steps.len() as u64 + walk.others.map_or(0, |(count, _)| count);
    let note = format!(
        "from the {} {} by {} fields to the {} {}",
        words::BASE,
        words::signed(walk.base),
        words::count(fields),
        words::MARGIN,
        words::signed(walk.margin)
    );
    let named: Vec<String> =
        walk.steps.iter().map(|s| format!("{} {}", s.field, words::signed(s.contribution))).collect();
    let probability = figure.as_ref().map_or(String::new(), |p| format!(" The probability is {p}."));
    Head {
        kind: "waterfall",
        title: words::WATERFALL,
        figure,
        description: format!("In log-odds, {note}: {}.{probability}", named.join(", ")),
        note,
    }
}
