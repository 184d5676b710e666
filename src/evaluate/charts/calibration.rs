//! The reliability curve: what was predicted against what came.
//! Never hides how few rows a bin has; each carries its interval.

use crate::base::limits;
use crate::evaluate::calibration::Reliability;
use crate::evaluate::calibration::isotonic::{Isotonic, IsotonicBlock};
use crate::evaluate::charts::frame::{Axis, Frame, SQUARE, Spelling, places};
use crate::evaluate::charts::svg::{At, Head};
use crate::evaluate::charts::words;

pub fn draw_calibration(reliability: &Reliability) -> String {
    draw(reliability, None)
}

/// With the isotonic steps of the same scores beside the bins.
pub fn draw_calibration_with(reliability: &Reliability, isotonic: &Isotonic) -> String {
    draw(reliability, Some(isotonic))
}

fn draw(reliability: &Reliability, isotonic: Option<&Isotonic>) -> String {
    let bins = &reliability.bins;
    let top = bins.iter().map(|b| b.rate_high.max(b.probability_mean)).fold(0.0, f64::max);
    let mut frame = Frame::blank(SQUARE, head(reliability));
    let axis = |label| Axis::enclosing(label, 0.0, top.min(1.0), Spelling::Percent);
    let high = axis(words::PROMISED).high;
    let x = frame.paint_x(&axis(words::PROMISED));
    let y = frame.paint_y(&axis(words::CAME));
    frame.canvas.line("guide", (x(0.0), y(0.0)), (x(high), y(high)));
    if let Some(isotonic) = isotonic {
        let steps = places(stairs(isotonic, high), &x, &y);
        frame.canvas.path("line dashed second", &steps);
        frame.paint_key(&[("bar first", words::BINS.into()), ("bar second", words::WITH_ISOTONIC.into())]);
    }
    frame.canvas.turned_text("muted halo", (x(high * 0.84), y(high * 0.84) + 23.0), -45, words::PERFECT);
    for bin in bins {
        let place = x(bin.probability_mean);
        frame.canvas.line("thin first", (place, y(bin.rate_low)), (place, y(bin.rate_high)));
    }
    let line = places(bins.iter().map(|b| (b.probability_mean, b.positive_rate)), &x, &y);
    frame.canvas.path("line first", &line);
    line.iter().for_each(|at| frame.canvas.dot("dot first", *at, 5.0));
    frame.finish()
}

/// The steps as far as the axes reach, from block to block; of very many an even selection.
fn stairs(isotonic: &Isotonic, high: f64) -> Vec<At> {
    let stride = isotonic.blocks.len().div_ceil(limits::CURVE_POINTS_MAX / 2).max(1);
    let inside = |b: &&IsotonicBlock| b.probability_min <= high && b.rate <= high;
    let ends = |b: &IsotonicBlock| [(b.probability_min, b.rate), (b.probability_max.min(high), b.rate)];
    isotonic.blocks.iter().step_by(stride).take_while(inside).flat_map(ends).collect()
}

fn head(reliability: &Reliability) -> Head {
    let rows: u64 = reliability.bins.iter().map(|b| b.rows).sum();
    let note = format!(
        "{} bins of equal count, {} rows · bars: 95% interval of the share",
        reliability.bins.len(),
        words::count(rows)
    );
    Head {
        kind: "calibration",
        title: words::CALIBRATION,
        figure: Some(format!("ECE {:.3}", reliability.ece)),
        description: format!(
            "Share that was positive against the mean predicted probability. Expected calibration error {:.3}; {note}.",
            reliability.ece
        ),
        note,
    }
}
