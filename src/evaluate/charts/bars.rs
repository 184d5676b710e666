//! Bars: lift by decile and importance of fields.
//! Never sorts or sums but for the fields that share the last bar.

use crate::base::limits;
use crate::evaluate::charts::frame::{Axis, Frame, Layout, Spelling, WIDE};
use crate::evaluate::charts::svg::{Anchor, Head};
use crate::evaluate::charts::words;
use crate::evaluate::importance::{FieldImportance, Importance};
use crate::evaluate::tables::GainTable;

pub fn draw_lift(table: &GainTable) -> String {
    let top = table.rows.iter().map(|r| r.lift).fold(1.0, f64::max);
    let mut frame = Frame::blank(Layout { height: 440.0, bottom: 80.0, ..WIDE }, lift_head(table));
    // Room for a label above the highest bar.
    let y = frame.paint_y(&Axis::enclosing(words::LIFT_AXIS, 0.0, top * 1.08, Spelling::Plain));
    let (left, right, bottom) = (frame.layout.left, frame.right(), frame.bottom());
    let slot = (right - left) / table.rows.len().max(1) as f64;
    let mut labels = Vec::new();
    for (index, row) in table.rows.iter().enumerate() {
        let middle = left + (index as f64 + 0.5) * slot;
        let width = slot * 0.68;
        frame.canvas.bar("bar first", (middle - width / 2.0, y(row.lift)), width, bottom - y(row.lift));
        let lift = format!("{:.2}×", row.lift);
        labels.push(((middle, y(row.lift) - 7.0), lift));
        frame.canvas.text("ink number", (middle, bottom + 19.0), Anchor::Middle, &row.decile.to_string());
        let captured = words::percent(row.captured);
        frame.canvas.text("muted number", (middle, bottom + 37.0), Anchor::Middle, &captured);
    }
    frame.canvas.line("guide", (left, y(1.0)), (right, y(1.0)));
    frame.canvas.text("muted halo", (right, y(1.0) - 8.0), Anchor::End, words::AVERAGE);
    // After the guide, which passes below them.
    for (at, lift) in labels {
        frame.canvas.text("ink strong number halo", at, Anchor::Middle, &lift);
    }
    frame.canvas.text("muted", (left - 4.0, bottom + 37.0), Anchor::End, words::CAPTURED);
    frame.canvas.line("axis", (left, bottom), (right, bottom));
    frame.x_label(words::DECILE, bottom + 63.0);
    frame.finish()
}

fn lift_head(table: &GainTable) -> Head {
    let first = table.rows.first();
    let figure = first.map(|row| format!("top {:.2}×", row.lift));
    let captured = first.map_or(0.0, |row| row.captured);
    let note = format!(
        "{} {} · the first decile holds {} of the positives",
        words::BASE_RATE,
        words::percent(table.base_rate),
        words::percent(captured)
    );
    let lifts: Vec<String> = table.rows.iter().map(|row| format!("{:.2}", row.lift)).collect();
    Head {
        kind: "lift",
        title: words::LIFT,
        figure,
        description: format!("Lift from the highest decile to the lowest: {}. {note}.", lifts.join(", ")),
        note,
    }
}

const ROW_HEIGHT: f64 = 27.0;
const NAMES_WIDTH: f64 = 216.0;
const SHARES_WIDTH: f64 = 74.0;

pub fn draw_importance(importance: &Importance) -> String {
    let rows = bars_of(importance);
    let plot = ROW_HEIGHT * rows.len() as f64;
    let layout = Layout { left: NAMES_WIDTH, right: SHARES_WIDTH, height: WIDE.top + plot + 20.0, ..WIDE };
    let mut frame = Frame::blank(layout, importance_head(importance));
    let key = [("bar second", words::RAISES), ("bar first", words::LOWERS)];
    frame.paint_key(&key.map(|(class, name)| (class, name.to_string())));
    let longest = rows.iter().map(|row| row.mean_absolute).fold(0.0, f64::max);
    let unit = if longest > 0.0 { (frame.right() - layout.left) / longest } else { 0.0 };
    for (index, row) in rows.iter().enumerate() {
        let top = layout.top + ROW_HEIGHT * index as f64;
        let middle = top + ROW_HEIGHT / 2.0 + 4.0;
        let (up, down) = (row.raises * unit, row.lowers * unit);
        frame.canvas.text("ink", (layout.left - 12.0, middle), Anchor::End, &words::short(&row.field));
        frame.canvas.bar("bar second", (layout.left, top + 4.0), up, ROW_HEIGHT - 8.0);
        frame.canvas.bar("bar first", (layout.left + up, top + 4.0), down, ROW_HEIGHT - 8.0);
        let share = words::percent(row.share);
        frame.canvas.text("muted number", (layout.left + up + down + 8.0, middle), Anchor::Start, &share);
    }
    frame.canvas.line("axis", (layout.left, layout.top), (layout.left, layout.top + plot));
    frame.finish()
}

/// The first fields, and one bar for all others.
fn bars_of(importance: &Importance) -> Vec<FieldImportance> {
    let (shown, rest) = importance.fields.split_at(importance.fields.len().min(limits::IMPORTANCE_BARS_MAX));
    let mut bars = shown.to_vec();
    if !rest.is_empty() {
        bars.push(FieldImportance {
            field: format!("{} other fields", words::count(rest.len() as u64)),
            share: rest.iter().map(|f| f.share).sum(),
            mean_absolute: rest.iter().map(|f| f.mean_absolute).sum(),
            raises: rest.iter().map(|f| f.raises).sum(),
            lowers: rest.iter().map(|f| f.lowers).sum(),
        });
    }
    bars
}

fn importance_head(importance: &Importance) -> Head {
    let named: Vec<String> = importance
        .fields
        .iter()
        .take(limits::IMPORTANCE_BARS_MAX)
        .map(|f| format!("{} {}", f.field, words::percent(f.share)))
        .collect();
    Head {
        kind: "importance",
        title: words::IMPORTANCE,
        figure: None,
        note: words::IMPORTANCE_NOTE.to_string(),
        description: format!("{}: {}.", words::IMPORTANCE_NOTE, named.join(", ")),
    }
}
