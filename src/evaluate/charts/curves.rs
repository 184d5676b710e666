//! The ROC curve and the precision-recall curve.
//! Never thins or smooths; what the result holds is what is drawn.

pub mod gain;
pub mod several;

use crate::evaluate::charts::frame::{Axis, Frame, SQUARE, places};
use crate::evaluate::charts::svg::{Anchor, At, Head};
use crate::evaluate::charts::words;
use crate::evaluate::curves::{PrCurve, RocCurve, RocPoint};
use crate::evaluate::intervals::Interval;

/// With the interval of the AUC, if one was drawn.
pub fn draw_roc(curve: &RocCurve, auc: Option<&Interval>) -> String {
    let mut frame = Frame::blank(SQUARE, roc_head(curve, auc));
    let x = frame.paint_x(&Axis::share(words::FALSE_POSITIVE_RATE));
    let y = frame.paint_y(&Axis::share(words::TRUE_POSITIVE_RATE));
    let line = places(curve.points.iter().map(|p| (p.false_positive_rate, p.true_positive_rate)), &x, &y);
    frame.canvas.area("area first", &line, frame.bottom());
    frame.canvas.line("guide", (x(0.0), y(0.0)), (x(1.0), y(1.0)));
    frame.canvas.turned_text("muted", (x(0.84), y(0.84) + 23.0), -45, words::CHANCE);
    frame.canvas.path("line first", &line);
    if let Some((point, threshold)) = widest(&curve.points) {
        let (fpr, tpr) = (point.false_positive_rate, point.true_positive_rate);
        frame.canvas.line("guide", (x(fpr), y(fpr)), (x(fpr), y(tpr)));
        frame.canvas.dot("dot first", (x(fpr), y(tpr)), 5.0);
        let text = format!("KS {:.3} at {threshold:.3}", (tpr - fpr).abs());
        frame.canvas.text("ink number", (x(fpr) + 10.0, y(tpr) + 22.0), Anchor::Start, &text);
    }
    frame.finish()
}

fn roc_head(curve: &RocCurve, auc: Option<&Interval>) -> Head {
    let rows = format!(
        "{} positive, {} negative rows",
        words::count(curve.positives),
        words::count(curve.negatives)
    );
    let note = auc.map_or(rows.clone(), |auc| format!("{} · {rows}", words::interval(auc)));
    Head {
        kind: "roc",
        title: words::ROC,
        figure: Some(format!("AUC {:.3}", curve.auc)),
        description: format!("True against false positive rate. AUC {:.3}; {note}.", curve.auc),
        note,
    }
}

/// The real point with the widest gap to the diagonal, and its threshold.
fn widest(points: &[RocPoint]) -> Option<(&RocPoint, f64)> {
    let gap = |p: &RocPoint| (p.true_positive_rate - p.false_positive_rate).abs();
    let real = points.iter().filter_map(|p| p.threshold.map(|threshold| (p, threshold)));
    real.max_by(|a, b| gap(a.0).total_cmp(&gap(b.0)))
}

/// With the interval of the average precision, if one was drawn.
pub fn draw_precision_recall(curve: &PrCurve, pr_auc: Option<&Interval>) -> String {
    let mut frame = Frame::blank(SQUARE, pr_head(curve, pr_auc));
    let x = frame.paint_x(&Axis::share(words::RECALL));
    let y = frame.paint_y(&Axis::share(words::PRECISION));
    let line = places(stairs(curve), &x, &y);
    frame.canvas.area("area first", &line, frame.bottom());
    frame.canvas.line("guide", (x(0.0), y(curve.base_rate)), (x(1.0), y(curve.base_rate)));
    frame.canvas.path("line first", &line);
    let label = format!("{} {}", words::BASE_RATE, words::percent(curve.base_rate));
    // Below the guide unless that would touch the axis.
    let shift = if curve.base_rate > 0.06 { 16.0 } else { -7.0 };
    frame.canvas.text("muted number", (x(0.0) + 8.0, y(curve.base_rate) + shift), Anchor::Start, &label);
    frame.finish()
}

/// The steps whose area is the average precision: each at the precision of its end.
fn stairs(curve: &PrCurve) -> Vec<At> {
    let rising = curve.points.windows(2).filter(|w| w[1].recall > w[0].recall);
    rising.flat_map(|w| [(w[0].recall, w[1].precision), (w[1].recall, w[1].precision)]).collect()
}

fn pr_head(curve: &PrCurve, pr_auc: Option<&Interval>) -> Head {
    let base = format!("{} {}", words::BASE_RATE, words::percent(curve.base_rate));
    let note = pr_auc.map_or(base.clone(), |interval| format!("{} · {base}", words::interval(interval)));
    Head {
        kind: "precision-recall",
        title: words::PRECISION_RECALL,
        figure: Some(format!("AP {:.3}", curve.pr_auc)),
        description: format!("Precision against recall. Average precision {:.3}; {note}.", curve.pr_auc),
        note,
    }
}
