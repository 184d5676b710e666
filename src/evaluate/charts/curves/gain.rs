//! The cumulative gain: how many of the positives the highest rows hold, against chance and a perfect order.
//! Never thins; the table has a point a decile.

use crate::evaluate::charts::frame::{Axis, Frame, SQUARE, places};
use crate::evaluate::charts::svg::{Anchor, At, Head};
use crate::evaluate::charts::words;
use crate::evaluate::tables::GainTable;

pub fn draw_gain(table: &GainTable) -> String {
    let mut frame = Frame::blank(SQUARE, head(table));
    let x = frame.paint_x(&Axis::share(words::SHARE_OF_ROWS));
    let y = frame.paint_y(&Axis::share(words::SHARE_OF_POSITIVES));
    let points = points(table);
    let line = places(points.iter().copied(), &x, &y);
    frame.canvas.area("area first", &line, frame.bottom());
    frame.canvas.line("guide", (x(0.0), y(0.0)), (x(1.0), y(1.0)));
    frame.canvas.turned_text("muted", (x(0.84), y(0.84) + 23.0), -45, words::CHANCE);
    let best = table.base_rate.clamp(0.0, 1.0);
    frame.canvas.path("guide", &places([(0.0, 0.0), (best, 1.0), (1.0, 1.0)], &x, &y));
    frame.canvas.path("line first", &line);
    for (place, (share, captured)) in points.iter().enumerate().skip(1) {
        frame.canvas.dot("dot first", (x(*share), y(*captured)), 4.5);
        if place == 1 || place == 3 {
            let text = words::percent(*captured);
            frame.canvas.text(
                "ink strong number halo",
                (x(*share) + 9.0, y(*captured) + 16.0),
                Anchor::Start,
                &text,
            );
        }
    }
    // Beside the bend, below the line, where no curve of a real model comes.
    if best < 0.5 {
        frame.canvas.text("muted halo", (x(best) + 6.0, y(1.0) + 17.0), Anchor::Start, words::PERFECT_ORDER);
    }
    frame.finish()
}

fn points(table: &GainTable) -> Vec<At> {
    let all = table.rows.iter().map(|row| row.rows).sum::<u64>().max(1) as f64;
    let mut seen = 0;
    let next = |row: &crate::evaluate::tables::GainRow| {
        seen += row.rows;
        (seen as f64 / all, row.captured)
    };
    std::iter::once((0.0, 0.0)).chain(table.rows.iter().map(next)).collect()
}

fn head(table: &GainTable) -> Head {
    let rows: u64 = table.rows.iter().map(|row| row.rows).sum();
    let note =
        format!("{} rows · {} {}", words::count(rows), words::BASE_RATE, words::percent(table.base_rate));
    let named: Vec<String> = table.rows.iter().map(|row| words::percent(row.captured)).collect();
    Head {
        kind: "gain",
        title: words::GAIN,
        figure: table.rows.first().map(|row| format!("top tenth {}", words::percent(row.captured))),
        description: format!(
            "Share of all positives in the highest tenths of rows: {}; {note}.",
            named.join(", ")
        ),
        note,
    }
}
