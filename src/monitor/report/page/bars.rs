//! Small drawings inside tables: two bars of shares, and a rate with its interval.
//! Never carries a figure of its own; the cells beside it do, so it is hidden from those who hear the page.

/// Drawn in hundredths of the cell, whatever its width.
fn drawing(body: &str) -> String {
    format!(
        "<svg class=\"bars\" viewBox=\"0 0 100 22\" preserveAspectRatio=\"none\" aria-hidden=\"true\" focusable=\"false\">{body}</svg>"
    )
}

/// The reference above, now below; `largest` fills the cell.
pub(super) fn shares(then: f64, now: f64, largest: f64) -> String {
    let width = |share: f64| if largest > 0.0 { (share / largest).clamp(0.0, 1.0) * 100.0 } else { 0.0 };
    drawing(&format!(
        "<rect class=\"then\" x=\"0\" y=\"2\" width=\"{:.2}\" height=\"8\"/><rect class=\"now\" x=\"0\" y=\"12\" width=\"{:.2}\" height=\"8\"/>",
        width(then),
        width(now)
    ))
}

/// A rate between 0 and 1 and how far it may lie from there.
pub(super) fn reach(value: f64, low: f64, high: f64) -> String {
    let place = |share: f64| share.clamp(0.0, 1.0) * 100.0;
    drawing(&format!(
        "<line class=\"rule\" x1=\"0\" y1=\"11\" x2=\"100\" y2=\"11\"/>\
         <rect class=\"reach\" x=\"{:.2}\" y=\"6\" width=\"{:.2}\" height=\"10\"/>\
         <rect class=\"dot\" x=\"{:.2}\" y=\"2\" width=\"1.4\" height=\"18\"/>",
        place(low),
        (place(high) - place(low)).max(0.0),
        (place(value) - 0.7).clamp(0.0, 98.6)
    ))
}
