//! The swarm: a row of points a field, each point one case, coloured by how high its value ranks.
//! Never draws more points than it is given; the swarm was thinned before.

use crate::evaluate::charts::explain::packed;
use crate::evaluate::charts::frame::{Axis, Frame, Layout, Spelling, WIDE};
use crate::evaluate::charts::style::SCALE_STEPS;
use crate::evaluate::charts::svg::{Anchor, At, Head};
use crate::evaluate::charts::words;
use crate::evaluate::importance::swarm::{Swarm, SwarmField};

const NAMES_WIDTH: f64 = 216.0;
const ROW_HEIGHT: f64 = 34.0;
const REACH: f64 = 14.0;

pub fn draw_swarm(swarm: &Swarm) -> String {
    let plot = ROW_HEIGHT * swarm.fields.len().max(1) as f64;
    let layout = Layout { left: NAMES_WIDTH, height: WIDE.top + plot + WIDE.bottom, ..WIDE };
    let mut frame = Frame::blank(layout, head(swarm));
    paint_scale(&mut frame);
    let all = || swarm.fields.iter().flat_map(|field| &field.points).map(|point| point.contribution);
    let (low, high) = all().fold((0.0, 0.0), |(low, high): (f64, f64), c| (low.min(c), high.max(c)));
    let x = frame.paint_x(&Axis::enclosing(words::CONTRIBUTION, low, high, Spelling::Plain));
    frame.canvas.line("axis", (x(0.0), layout.top), (x(0.0), frame.bottom()));
    for (index, field) in swarm.fields.iter().enumerate() {
        let middle = layout.top + ROW_HEIGHT * (index as f64 + 0.5);
        frame.canvas.text(
            "ink",
            (layout.left - 12.0, middle + 4.0),
            Anchor::End,
            &words::short(&field.field),
        );
        let places =
            packed(&field.points.iter().map(|p| x(p.contribution)).collect::<Vec<_>>(), middle, REACH);
        for (class, points) in by_colour(field, &places) {
            frame.canvas.points(&class, &points);
        }
    }
    frame.finish()
}

/// The points of each colour, the plain ones below all others.
fn by_colour(field: &SwarmField, places: &[At]) -> Vec<(String, Vec<At>)> {
    let step = |rank: f64| ((rank * SCALE_STEPS as f64) as usize).min(SCALE_STEPS - 1);
    let of = |wanted: Option<usize>| -> Vec<At> {
        let pairs = field.points.iter().zip(places);
        pairs.filter(|(point, _)| point.rank.map(step) == wanted).map(|(_, at)| *at).collect()
    };
    let scale = (0..SCALE_STEPS).map(|step| (format!("s{step}"), of(Some(step))));
    std::iter::once(("plain".to_string(), of(None))).chain(scale).collect()
}

/// The colours from low to high, and the one for what has no order, at the right of the title's line.
fn paint_scale(frame: &mut Frame) {
    const SQUARE: f64 = 11.0;
    let y = 34.0;
    let mut right = frame.right() + 6.0;
    // No font is measured: a character is at most about this wide.
    let plain = 6.1 * words::NO_ORDER.chars().count() as f64;
    frame.canvas.text("ink", (right - plain, y), Anchor::Start, words::NO_ORDER);
    frame.canvas.bar("bar plain", (right - plain - 16.0, y - 9.5), 10.0, 10.0);
    right -= plain + 40.0;
    frame.canvas.text("ink", (right, y), Anchor::End, words::HIGH_VALUE);
    right -= 32.0;
    for step in 0..SCALE_STEPS {
        let left = right - SQUARE * (SCALE_STEPS - step) as f64;
        frame.canvas.bar(&format!("bar s{step}"), (left, y - 9.5), SQUARE, 10.0);
    }
    let left = right - SQUARE * SCALE_STEPS as f64 - 6.0;
    frame.canvas.text("ink", (left, y), Anchor::End, words::LOW_VALUE);
}

fn head(swarm: &Swarm) -> Head {
    let shown = swarm.fields.first().map_or(0, |field| field.points.len()) as u64;
    let drawn = if shown < swarm.rows { format!("{} of ", words::count(shown)) } else { String::new() };
    let others = if swarm.others > 0 {
        format!(" · without {}", words::others(swarm.others, "field"))
    } else {
        String::new()
    };
    let note = if shown == 0 {
        words::NO_ROWS.to_string()
    } else {
        format!(
            "{drawn}{} rows, a point each · right of the line the field raises the score{others}",
            words::count(swarm.rows)
        )
    };
    let named: Vec<String> =
        swarm.fields.iter().map(|f| format!("{} {:.3}", f.field, f.mean_absolute)).collect();
    Head {
        kind: "swarm",
        title: words::SWARM,
        figure: None,
        description: format!("{note}. Mean size of the contribution: {}.", named.join(", ")),
        note,
    }
}
