//! The ROC curves of several models on the same rows.
//! Never ranks them; the key names each with its AUC, in the order they came.

use crate::evaluate::charts::frame::{Axis, Frame, Layout, SQUARE, places};
use crate::evaluate::charts::style::LINES;
use crate::evaluate::charts::svg::{Anchor, At, Head};
use crate::evaluate::charts::words;
use crate::evaluate::curves::RocCurve;

/// The first of more are drawn.
pub const CURVES_MAX: usize = LINES.len();
const KEY_LINE: f64 = 20.0;
const KEY_WIDTH: f64 = 252.0;

pub fn draw_rocs(curves: &[(&str, &RocCurve)]) -> String {
    let shown: Vec<(&str, &(&str, &RocCurve))> = LINES.into_iter().zip(curves).collect();
    let mut frame = Frame::blank(Layout { ..SQUARE }, head(curves));
    let x = frame.paint_x(&Axis::share(words::FALSE_POSITIVE_RATE));
    let y = frame.paint_y(&Axis::share(words::TRUE_POSITIVE_RATE));
    frame.canvas.line("guide", (x(0.0), y(0.0)), (x(1.0), y(1.0)));
    // The first lies on top.
    for (class, (_, curve)) in shown.iter().rev() {
        let line = places(rates(curve), &x, &y);
        frame.canvas.path(&format!("line {class}"), &line);
    }
    let top = frame.bottom() - 18.0 - KEY_LINE * shown.len() as f64;
    let left = frame.right() - KEY_WIDTH;
    if !shown.is_empty() {
        frame.canvas.bar(
            "surface",
            (left - 14.0, top - 8.0),
            KEY_WIDTH + 8.0,
            KEY_LINE * shown.len() as f64 + 14.0,
        );
    }
    for (place, (class, (name, curve))) in shown.iter().enumerate() {
        let middle = top + KEY_LINE * (place as f64 + 0.5);
        frame.canvas.line(&format!("line {class}"), (left, middle - 4.0), (left + 18.0, middle - 4.0));
        frame.canvas.text("ink", (left + 26.0, middle), Anchor::Start, &words::short(name));
        let auc = format!("{:.3}", curve.auc);
        frame.canvas.text("ink strong number", (frame.right() - 14.0, middle), Anchor::End, &auc);
    }
    frame.finish()
}

fn rates(curve: &RocCurve) -> impl Iterator<Item = At> + '_ {
    curve.points.iter().map(|p| (p.false_positive_rate, p.true_positive_rate))
}

fn head(curves: &[(&str, &RocCurve)]) -> Head {
    let shown = curves.len().min(CURVES_MAX);
    let note = match (curves.first(), curves.len() - shown) {
        (None, _) => words::NO_ROWS.to_string(),
        (Some((_, first)), left_out) => {
            let more = if left_out > 0 {
                format!(" · {}", words::others(left_out as u64, "model"))
            } else {
                String::new()
            };
            let (positives, negatives) = (words::count(first.positives), words::count(first.negatives));
            format!("area under each curve · {positives} positive, {negatives} negative rows{more}")
        }
    };
    let named: Vec<String> =
        curves.iter().take(shown).map(|(name, c)| format!("{name} {:.3}", c.auc)).collect();
    Head {
        kind: "rocs",
        title: words::ROC_OF_MODELS,
        figure: None,
        description: format!(
            "True against false positive rate of {shown} models. AUC: {}. {note}.",
            named.join(", ")
        ),
        note,
    }
}
