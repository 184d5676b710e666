//! How the scores of each class spread, as shares of the class, with the threshold between them.
//! Never names the classes itself; the project does.

use crate::evaluate::calibration::Distribution;
use crate::evaluate::charts::frame::{Axis, Frame, Spelling, WIDE, places};
use crate::evaluate::charts::svg::{Anchor, At, Head};
use crate::evaluate::charts::words;

/// What the project calls its two classes.
#[derive(Clone, Copy, Debug)]
pub struct ClassNames<'a> {
    pub positive: &'a str,
    pub negative: &'a str,
}

/// With the threshold as an upright line, if one was chosen.
pub fn draw_distribution(bars: &Distribution, names: ClassNames<'_>, threshold: Option<f64>) -> String {
    let threshold = threshold.filter(|cut| cut.is_finite());
    let (positives, negatives) = (shares(&bars.positives), shares(&bars.negatives));
    let top = positives.iter().chain(&negatives).copied().fold(0.0, f64::max);
    let mut frame = Frame::blank(WIDE, head(bars, names, threshold));
    frame.paint_key(&[
        ("bar first", words::short(names.negative)),
        ("bar second", words::short(names.positive)),
    ]);
    let x = frame.paint_x(&Axis::exact(words::PROBABILITY, bars.low, bars.high, Spelling::Percent));
    let y = frame.paint_y(&Axis::enclosing(words::SHARE_OF_CLASS, 0.0, top, Spelling::Percent));
    let bottom = frame.bottom();
    for (class, shares) in [("first", &negatives), ("second", &positives)] {
        let outline = places(outline(shares, bars.low, bars.high), &x, &y);
        frame.canvas.area(&format!("area {class}"), &outline, bottom);
        frame.canvas.path(&format!("line {class}"), &outline);
    }
    if let Some(cut) = threshold.filter(|cut| (bars.low..=bars.high).contains(cut)) {
        frame.canvas.line("guide", (x(cut), frame.layout.top), (x(cut), bottom));
        let label = format!("{} {cut:.3}", words::THRESHOLD);
        // On the side with more room.
        let beyond = cut - bars.low > 0.7 * (bars.high - bars.low);
        let (shift, anchor) = if beyond { (-7.0, Anchor::End) } else { (7.0, Anchor::Start) };
        frame.canvas.text("ink number", (x(cut) + shift, frame.layout.top + 14.0), anchor, &label);
    }
    frame.finish()
}

fn shares(counts: &[u64]) -> Vec<f64> {
    let all = counts.iter().sum::<u64>().max(1) as f64;
    counts.iter().map(|count| *count as f64 / all).collect()
}

/// The bars' upper edge, from the floor and back to it.
fn outline(shares: &[f64], low: f64, high: f64) -> Vec<At> {
    let border = |index: usize| low + (high - low) * index as f64 / shares.len() as f64;
    let tops = shares
        .iter()
        .enumerate()
        .flat_map(|(index, share)| [(border(index), *share), (border(index + 1), *share)]);
    std::iter::once((low, 0.0)).chain(tops).chain([(high, 0.0)]).collect()
}

fn head(bars: &Distribution, names: ClassNames<'_>, threshold: Option<f64>) -> Head {
    let rows = |counts: &[u64]| words::count(counts.iter().sum());
    let note = format!(
        "{} {} and {} {} rows",
        rows(&bars.negatives),
        words::short(names.negative),
        rows(&bars.positives),
        words::short(names.positive)
    );
    let cut = threshold.map_or(String::new(), |cut| format!(" The threshold is {cut:.3}."));
    Head {
        kind: "distribution",
        title: words::DISTRIBUTION,
        figure: None,
        description: format!("Predicted probabilities of {note}.{cut}"),
        note,
    }
}
