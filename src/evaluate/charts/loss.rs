//! The loss of training and validation by epoch, with the best epoch marked.
//! Never smooths; a loss that is no number is left out.

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::evaluate::charts::frame::{Axis, Frame, Layout, Spelling, WIDE, places};
use crate::evaluate::charts::svg::{Anchor, At, Head};
use crate::evaluate::charts::words;

/// What one epoch measured. Training without a held-out part has no `valid`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochLoss {
    pub step: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<f64>,
    pub valid: Option<f64>,
}

/// Of more than `CURVE_POINTS_MAX` epochs an even selection is drawn, with the first, the best and the last.
pub fn draw_loss(epochs: &[EpochLoss]) -> String {
    let train = finite(epochs, |e| e.train);
    let valid = finite(epochs, |e| e.valid);
    let best = lowest(&valid);
    let layout = Layout { right: 96.0, ..WIDE };
    let mut frame = Frame::blank(layout, head(&train, &valid, best));
    let all = || train.iter().chain(&valid);
    let range = |pick: fn(&At) -> f64| {
        let low = all().map(pick).fold(f64::INFINITY, f64::min);
        let high = all().map(pick).fold(f64::NEG_INFINITY, f64::max);
        if low <= high { (low, high) } else { (0.0, 1.0) }
    };
    let (first, last) = range(|p| p.0);
    let (low, high) = range(|p| p.1);
    let x =
        frame.paint_x(&Axis::exact(words::EPOCH, first, last, Spelling::Plain).with_step_of_at_least(1.0));
    let y = frame.paint_y(&Axis::enclosing(words::LOSS_AXIS, low, high, Spelling::Plain));
    if let Some((step, loss)) = best {
        frame.canvas.line("guide", (x(step), y(loss)), (x(step), frame.bottom()));
    }
    let lines = [("second", words::TRAIN, &train), ("first", words::VALID, &valid)];
    let mut labels = Vec::new();
    for (class, name, points) in lines {
        let line = places(selected(points, best), &x, &y);
        frame.canvas.path(&format!("line {class}"), &line);
        labels.extend(line.last().map(|end| (class, name, *end)));
    }
    if let Some((step, loss)) = best {
        frame.canvas.dot("dot first", (x(step), y(loss)), 5.0);
    }
    for (class, name, at) in apart(labels) {
        frame.canvas.text(&format!("strong {class}"), (at.0 + 9.0, at.1 + 4.0), Anchor::Start, name);
    }
    frame.finish()
}

fn finite(epochs: &[EpochLoss], pick: impl Fn(&EpochLoss) -> Option<f64>) -> Vec<At> {
    let point = |e: &EpochLoss| Some((e.step as f64, pick(e).filter(|loss| loss.is_finite())?));
    epochs.iter().filter_map(point).collect()
}

/// The first of the lowest points.
fn lowest(points: &[At]) -> Option<At> {
    points.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1))
}

fn selected(points: &[At], best: Option<At>) -> Vec<At> {
    let stride = points.len().div_ceil(limits::CURVE_POINTS_MAX - 2).max(1);
    let wanted = |(index, point): &(usize, &At)| {
        index % stride == 0 || index + 1 == points.len() || Some(**point) == best
    };
    points.iter().enumerate().filter(wanted).map(|(_, point)| *point).collect()
}

type EndLabel = (&'static str, &'static str, At);

/// Two labels at the lines' ends, moved apart where they would touch.
fn apart(mut labels: Vec<EndLabel>) -> Vec<EndLabel> {
    const LINE_HEIGHT: f64 = 16.0;
    labels.sort_by(|a, b| a.2.1.total_cmp(&b.2.1));
    if let [upper, lower] = labels.as_mut_slice() {
        let missing = (LINE_HEIGHT - (lower.2.1 - upper.2.1)).max(0.0);
        upper.2.1 -= missing / 2.0;
        lower.2.1 += missing / 2.0;
    }
    labels
}

fn head(train: &[At], valid: &[At], best: Option<At>) -> Head {
    let figure = best.map(|(step, loss)| format!("best {} at {step:.0}", words::loss(loss)));
    let last = |points: &[At]| points.last().map(|(_, loss)| words::loss(*loss));
    let note = match (last(train), last(valid)) {
        (Some(train), Some(valid)) => {
            format!("at the end {} {train}, {} {valid}", words::TRAIN, words::VALID)
        }
        (Some(train), None) => format!("at the end {} {train}", words::TRAIN),
        (None, Some(valid)) => format!("at the end {} {valid}", words::VALID),
        (None, None) => words::NO_EPOCHS.to_string(),
    };
    let best = figure.as_ref().map_or(String::new(), |figure| format!(" {}: {figure}.", words::VALID));
    Head {
        kind: "loss",
        title: words::LOSS,
        description: format!("{} by {}; {note}.{best}", words::LOSS_AXIS, words::EPOCH),
        figure,
        note,
    }
}
