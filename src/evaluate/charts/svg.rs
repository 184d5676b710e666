//! Writes SVG: escaped text, numbers with two decimals, classes instead of styles.
//! Never writes a script, an event, a link or an inline style.

use std::fmt::Write;

use crate::evaluate::charts::style;

/// A point of the drawing, x to the right and y down.
pub(super) type At = (f64, f64);

#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// What a chart is called, and what it shows in words for those who do not see it.
pub(super) struct Head {
    /// Part of the ids; unique among the charts.
    pub(super) kind: &'static str,
    pub(super) title: &'static str,
    /// The figure that belongs to the title, if one does.
    pub(super) figure: Option<String>,
    /// The line below the title.
    pub(super) note: String,
    pub(super) description: String,
}

/// Shapes in the order they are painted. Writing to a `String` cannot fail, so results are dropped here only.
#[derive(Default)]
pub(super) struct Canvas {
    body: String,
}

impl Canvas {
    pub(super) fn line(&mut self, class: &str, from: At, to: At) {
        let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(number);
        let _ =
            write!(self.body, "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>");
    }

    pub(super) fn path(&mut self, class: &str, points: &[At]) {
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{}\"/>", moves(points));
    }

    /// The area between the points and the horizontal at `floor`.
    pub(super) fn area(&mut self, class: &str, points: &[At], floor: f64) {
        if let (Some(first), Some(last)) = (points.first(), points.last()) {
            let (left, right, floor) = (number(first.0), number(last.0), number(floor));
            let _ = write!(
                self.body,
                "<path class=\"{class}\" d=\"{}L{right} {floor}L{left} {floor}Z\"/>",
                moves(points)
            );
        }
    }

    /// The area between two lines that go the same way.
    pub(super) fn band(&mut self, class: &str, upper: &[At], lower: &[At]) {
        if upper.is_empty() || lower.is_empty() {
            return;
        }
        let around: Vec<At> = upper.iter().chain(lower.iter().rev()).copied().collect();
        let _ = write!(self.body, "<path class=\"{class}\" d=\"{}Z\"/>", moves(&around));
    }

    /// A bar from its upper left corner.
    pub(super) fn bar(&mut self, class: &str, at: At, width: f64, height: f64) {
        let [x, y, width, height] = [at.0, at.1, width, height].map(number);
        let _ = write!(
            self.body,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
        );
    }

    pub(super) fn dot(&mut self, class: &str, at: At, radius: f64) {
        let [x, y, radius] = [at.0, at.1, radius].map(number);
        let _ = write!(self.body, "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>");
    }

    /// Many round points of one class in one path: each is a line of no length with round ends.
    pub(super) fn points(&mut self, class: &str, points: &[At]) {
        if points.is_empty() {
            return;
        }
        let _ = write!(self.body, "<path class=\"points {class}\" d=\"");
        for (x, y) in points {
            let _ = write!(self.body, "M{} {}h0", coarse(*x), coarse(*y));
        }
        self.body.push_str("\"/>");
    }

    pub(super) fn text(&mut self, class: &str, at: At, anchor: Anchor, text: &str) {
        let (x, y, anchor, text) = (number(at.0), number(at.1), anchor.as_str(), escape(text));
        let _ = write!(
            self.body,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"
        );
    }

    /// Text turned around its anchor by whole degrees.
    pub(super) fn turned_text(&mut self, class: &str, at: At, degrees: i32, text: &str) {
        let (x, y, text) = (number(at.0), number(at.1), escape(text));
        let _ = write!(
            self.body,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" \
             transform=\"rotate({degrees} {x} {y})\">{text}</text>"
        );
    }

    pub(super) fn title(&mut self, at: At, head: &Head) {
        let (x, y, title) = (number(at.0), number(at.1), escape(head.title));
        let figure = head.figure.as_ref().map_or(String::new(), |figure| {
            format!("<tspan class=\"figure number\" dx=\"12\">{}</tspan>", escape(figure))
        });
        let _ = write!(self.body, "<text class=\"title\" x=\"{x}\" y=\"{y}\">{title}{figure}</text>");
    }

    /// The finished document.
    pub(super) fn finish(self, head: &Head, width: f64, height: f64) -> String {
        self.finish_as(head.kind, head, (width, height))
    }

    /// With ids of its own, for several charts of one kind on one page.
    pub(super) fn finish_as(self, id: &str, head: &Head, (width, height): (f64, f64)) -> String {
        let (kind, title, description) = (escape(id), escape(head.title), escape(&head.description));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tally\" role=\"img\" \
             aria-labelledby=\"{kind}-title {kind}-desc\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\">\
             <title id=\"{kind}-title\">{title}</title><desc id=\"{kind}-desc\">{description}</desc>\
             <style>{}</style>{}</svg>\n",
            style::sheet(),
            self.body
        )
    }
}

fn moves(points: &[At]) -> String {
    let mut text = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let _ = write!(text, "{}{} {}", if index == 0 { 'M' } else { 'L' }, number(*x), number(*y));
    }
    text
}

/// Two decimals, and no negative zero.
fn number(value: f64) -> String {
    format!("{:.2}", (value * 100.0).round() / 100.0 + 0.0)
}

/// One decimal: enough for a point among many.
fn coarse(value: f64) -> String {
    let tenths = (value * 10.0).round() / 10.0 + 0.0;
    if tenths.fract() == 0.0 { format!("{tenths:.0}") } else { format!("{tenths:.1}") }
}

/// Text as XML can hold it: what XML 1.0 forbids becomes a replacement character.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_element() {
        assert_eq!(escape("<a b='c'>\"&\u{0}"), "&lt;a b=&#39;c&#39;&gt;&quot;&amp;\u{FFFD}");
    }

    #[test]
    fn a_number_has_two_decimals_and_zero_no_sign() {
        assert_eq!([1.0, -0.001, 2.345_678, -3.5].map(number), ["1.00", "0.00", "2.35", "-3.50"]);
    }
}
