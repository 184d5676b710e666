//! The confusion matrix: four counts, each with its share of the rows that came so.
//! Never names the classes itself; the project does.

use crate::evaluate::charts::distribution::ClassNames;
use crate::evaluate::charts::frame::{Frame, Layout, SQUARE};
use crate::evaluate::charts::svg::{Anchor, Head};
use crate::evaluate::charts::words;
use crate::evaluate::tables::{ConfusionRow, ConfusionTable};

const NAMES_WIDTH: f64 = 132.0;
const CELL_HEIGHT: f64 = 132.0;
const GAP: f64 = 6.0;
/// Steps of depth a cell's colour has.
const DEPTHS: f64 = 5.0;

pub fn draw_confusion(table: &ConfusionTable, names: ClassNames<'_>) -> String {
    let layout = Layout { left: NAMES_WIDTH, top: 128.0, height: 128.0 + 2.0 * CELL_HEIGHT + 44.0, ..SQUARE };
    let mut frame = Frame::blank(layout, head(table, names));
    let width = (frame.right() - layout.left) / 2.0;
    let middle = |column: f64| layout.left + width * (column + 0.5);
    frame.canvas.text("muted", (middle(0.5), layout.top - 30.0), Anchor::Middle, words::PREDICTED);
    let class_names = [names.negative, names.positive].map(words::short);
    for (column, name) in class_names.iter().enumerate() {
        frame.canvas.text("ink strong", (middle(column as f64), layout.top - 10.0), Anchor::Middle, name);
    }
    for (index, row) in table.rows.iter().enumerate() {
        let top = layout.top + CELL_HEIGHT * index as f64;
        let centre = top + CELL_HEIGHT / 2.0;
        let name = class_names.get(usize::from(row.label)).map_or("", String::as_str);
        // A long name takes two lines beside its row.
        for (line, part) in wrapped(name).iter().enumerate() {
            let y = centre - 4.0 + 15.0 * line as f64;
            frame.canvas.text("ink strong", (layout.left - 14.0, y), Anchor::End, part);
        }
        let rows = format!("{} rows", words::count(row.rows));
        let below = centre + 14.0 + 15.0 * (wrapped(name).len() as f64 - 1.0);
        frame.canvas.text("muted number", (layout.left - 14.0, below), Anchor::End, &rows);
        paint_cells(&mut frame, row, top, width);
    }
    let (left, y) = (layout.left, layout.top + 2.0 * CELL_HEIGHT + 24.0);
    frame.canvas.text("muted", (left, y), Anchor::Start, "shares are of the rows that came so");
    frame.finish()
}

fn paint_cells(frame: &mut Frame, row: &ConfusionRow, top: f64, width: f64) {
    for (column, count) in [row.predicted_negative, row.predicted_positive].into_iter().enumerate() {
        let left = frame.layout.left + width * column as f64;
        let share = if row.rows == 0 { 0.0 } else { count as f64 / row.rows as f64 };
        let right = row.label == (column == 1);
        let colour = if right { "first" } else { "second" };
        let depth = (share * (DEPTHS - 1.0)).round();
        let class = format!("bar {colour} d{depth:.0}");
        frame.canvas.bar(&class, (left + GAP / 2.0, top + GAP / 2.0), width - GAP, CELL_HEIGHT - GAP);
        let centre = (left + width / 2.0, top + CELL_HEIGHT / 2.0);
        frame.canvas.text(
            "ink large number",
            (centre.0, centre.1 + 2.0),
            Anchor::Middle,
            &words::count(count),
        );
        frame.canvas.text("ink number", (centre.0, centre.1 + 22.0), Anchor::Middle, &words::percent(share));
    }
}

/// At most two lines, broken at a space or an underscore near the middle.
fn wrapped(name: &str) -> Vec<String> {
    const LINE_CHARS: usize = 14;
    if name.chars().count() <= LINE_CHARS {
        return vec![name.to_string()];
    }
    let breaks = name.char_indices().filter(|(at, c)| matches!(c, ' ' | '_' | '-') && *at > 0);
    let middle = name.len() / 2;
    match breaks.min_by_key(|(at, _)| at.abs_diff(middle)) {
        Some((at, c)) => {
            let after = at + c.len_utf8();
            let (first, second) = name.split_at(if c == ' ' { at } else { after });
            vec![first.to_string(), second.trim_start().to_string()]
        }
        None => {
            vec![name.chars().take(LINE_CHARS + 1).collect(), name.chars().skip(LINE_CHARS + 1).collect()]
        }
    }
}

fn head(table: &ConfusionTable, names: ClassNames<'_>) -> Head {
    let all: u64 = table.rows.iter().map(|row| row.rows).sum();
    let right = table.rows[0].predicted_negative + table.rows[1].predicted_positive;
    let share = if all == 0 { 0.0 } else { right as f64 / all as f64 };
    let note = format!("{} {:.3} · {} rows", words::THRESHOLD, table.threshold, words::count(all));
    let line = |row: &ConfusionRow, name: &str| {
        format!(
            "Of {} {} rows {} were predicted {} and {} {}.",
            words::count(row.rows),
            words::short(name),
            words::count(row.predicted_negative),
            words::short(names.negative),
            words::count(row.predicted_positive),
            words::short(names.positive)
        )
    };
    let description =
        format!("{note}. {} {}", line(&table.rows[0], names.negative), line(&table.rows[1], names.positive));
    Head {
        kind: "confusion",
        title: words::CONFUSION,
        figure: Some(format!("{} right", words::percent(share))),
        note,
        description,
    }
}
