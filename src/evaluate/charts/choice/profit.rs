//! The profit at every cut-off with the best one marked, and the sweep of any other rule.
//! Never names a currency.

use crate::evaluate::charts::frame::{Axis, Frame, Layout, Spelling, WIDE, places};
use crate::evaluate::charts::svg::{Anchor, At, Head};
use crate::evaluate::charts::words;
use crate::evaluate::thresholds::profit::{ProfitCurve, ProfitPoint};
use crate::evaluate::thresholds::{Choice, Rule};

const LAYOUT: Layout = Layout { left: 92.0, ..WIDE };

/// With the cut-off that is in force, if it is another one.
pub fn draw_profit(curve: &ProfitCurve, in_force: Option<&ProfitPoint>) -> String {
    let line: Vec<At> = curve.points.iter().map(|p| (p.flagged, p.profit)).collect();
    let mut frame = Frame::blank(LAYOUT, profit_head(curve));
    let marked = (curve.best.flagged, curve.best.profit);
    let in_force = in_force.filter(|p| p.profit.is_finite()).map(|p| (p.flagged, p.profit));
    let (low, high) = range(line.iter().chain(&in_force).map(|p| p.1).chain([0.0]));
    let x = frame.paint_x(&Axis::share(words::FLAGGED_SHARE));
    // Room for the label above the highest point.
    let y =
        frame.paint_y(&Axis::enclosing(words::PROFIT_AXIS, low, high + (high - low) * 0.06, Spelling::Plain));
    frame.canvas.line("axis", (x(0.0), y(0.0)), (x(1.0), y(0.0)));
    frame.canvas.path("line first", &places(line.iter().copied(), &x, &y));
    frame.canvas.line("guide", (x(marked.0), y(marked.1)), (x(marked.0), frame.bottom()));
    if let Some(at) = in_force {
        frame.canvas.dot("dot second", (x(at.0), y(at.1)), 5.0);
        let text = format!("in force {}", words::amount(at.1));
        paint_label(&mut frame, ("second", at.0), (x(at.0), y(at.1) + 22.0), &text);
    }
    frame.canvas.dot("dot first", (x(marked.0), y(marked.1)), 5.0);
    let text = format!("best {} at {:.3}", words::amount(marked.1), curve.best.threshold);
    paint_label(&mut frame, ("ink", marked.0), (x(marked.0), y(marked.1) - 10.0), &text);
    frame.finish()
}

/// A label on the side of its point that has more room.
fn paint_label(frame: &mut Frame, (class, share): (&str, f64), at: At, text: &str) {
    let (shift, anchor) = if share > 0.6 { (-4.0, Anchor::End) } else { (4.0, Anchor::Start) };
    frame.canvas.text(&format!("{class} strong number halo"), (at.0 + shift, at.1), anchor, text);
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((0.0, 0.0), |(low, high): (f64, f64), value| (low.min(value), high.max(value)))
}

fn profit_head(curve: &ProfitCurve) -> Head {
    let best = &curve.best;
    let note = format!(
        "best with {} of {} rows at or above {:.3} · none {} · all {}",
        words::percent(best.flagged),
        words::count(curve.rows),
        best.threshold,
        words::amount(curve.flag_none.profit),
        words::amount(curve.flag_all.profit)
    );
    Head {
        kind: "profit",
        title: words::PROFIT,
        figure: Some(words::amount(best.profit)),
        description: format!(
            "Profit against the share of rows at or above the threshold. The highest is {}: {note}.",
            words::amount(best.profit)
        ),
        note,
    }
}

/// What every candidate gives by the rule it was chosen by.
pub fn draw_choice(choice: &Choice) -> String {
    let line: Vec<At> = choice.sweep.iter().map(|p| (p.flagged, p.value)).collect();
    let rows = choice.confusion.rows().max(1) as f64;
    let marked = (choice.confusion.flagged() as f64 / rows, choice.value);
    let (label, spelling) = spelled(&choice.rule);
    let mut frame = Frame::blank(LAYOUT, choice_head(choice, label, marked.0));
    let (low, high) = range(line.iter().map(|p| p.1));
    let x = frame.paint_x(&Axis::share(words::FLAGGED_SHARE));
    // Room for the label above the highest point; shares end at 100 %.
    let room = if spelling == Spelling::Percent { 0.0 } else { (high - low) * 0.08 };
    let y = frame.paint_y(&Axis::enclosing(label, low, high + room, spelling));
    frame.canvas.path("line first", &places(line.iter().copied(), &x, &y));
    frame.canvas.line("guide", (x(marked.0), y(marked.1)), (x(marked.0), frame.bottom()));
    frame.canvas.dot("dot first", (x(marked.0), y(marked.1)), 5.0);
    let text = format!("{} {:.3}", words::THRESHOLD, choice.threshold);
    // Above the point unless that would leave the plot.
    let above = y(marked.1) - 12.0;
    let at = if above < frame.layout.top + 12.0 { y(marked.1) + 20.0 } else { above };
    paint_label(&mut frame, ("ink", marked.0), (x(marked.0), at), &text);
    frame.finish()
}

fn spelled(rule: &Rule) -> (&'static str, Spelling) {
    match rule {
        Rule::Cost { .. } => ("Total cost", Spelling::Plain),
        Rule::Rate { .. } => ("Share of rows", Spelling::Percent),
        Rule::FBeta { .. } => ("F-score", Spelling::Plain),
        Rule::Profit(_) => (words::PROFIT_AXIS, Spelling::Plain),
    }
}

fn choice_head(choice: &Choice, label: &str, flagged: f64) -> Head {
    let why = match choice.rule {
        Rule::Cost { missed_positive, flagged_negative } => {
            format!(
                "a missed positive costs {}, a flagged negative {}",
                words::amount(missed_positive),
                words::amount(flagged_negative)
            )
        }
        Rule::Rate { at_most } => format!("at most {} of the rows", words::percent(at_most)),
        Rule::FBeta { beta } => format!("beta {beta}"),
        Rule::Profit(_) => "highest profit".to_string(),
    };
    let note = format!("{why} · {} of the rows are at or above the threshold", words::percent(flagged));
    let value = match choice.rule {
        Rule::Rate { .. } => words::percent(choice.value),
        Rule::FBeta { .. } => format!("{:.3}", choice.value),
        Rule::Cost { .. } | Rule::Profit(_) => words::amount(choice.value),
    };
    Head {
        kind: "choice",
        title: words::CHOICE,
        figure: Some(value.clone()),
        description: format!(
            "{label} by share of rows at or above the threshold; chosen {:.4} with {value}; {note}.",
            choice.threshold
        ),
        note,
    }
}
