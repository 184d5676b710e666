//! The picture as a self-contained SVG in light and dark: no script, nothing from outside, words beside every shape.
//! Never decides where a box stands.

use std::fmt::Write;

use crate::base::limits;
use crate::pipeline::graph::picture::layers::{BOX_UNITS, Layout, Place, lay};
use crate::pipeline::graph::picture::{Mark, Picture, Shown, told_ms};

const BOX: (f64, f64) = (176.0, 64.0);
/// From one layer to the next, and from one unit of height.
const STEP: (f64, f64) = (252.0, 30.0);
const MARGIN: f64 = 24.0;
const HEAD: f64 = 84.0;
const FOOT: f64 = 56.0;
/// How far a corner of a damaged box is cut.
const CUT: f64 = 12.0;

const SHAPES: &str = "\
.flow text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;font-size:12px}\
.flow .title{font-size:18px;font-weight:600}.flow .name{font-size:14px;font-weight:600}\
.flow .edge{fill:none;stroke-width:1.6}.flow .shape{stroke-width:1.4}\
.flow .run .shape{stroke-width:2.6}.flow .damaged .shape{stroke-width:2.6}\
.flow .skip .shape{stroke-dasharray:6 4}.flow .inner{fill:none;stroke-width:1}\
.flow .halo{paint-order:stroke;stroke-width:4;stroke-linejoin:round}";

const LIGHT: [&str; 8] =
    ["#ffffff", "#1a1f26", "#5a6572", "#a3adb9", "#1f5fa8", "#1d7d5f", "#c05a12", "#f5f7f9"];
const DARK: [&str; 8] =
    ["#13171c", "#e9edf2", "#9ba7b5", "#596573", "#74aef0", "#5fc7a1", "#f29b57", "#1b2128"];

pub fn draw(picture: &Picture) -> String {
    let layout = lay(picture);
    let units = layout.heights.iter().copied().max().unwrap_or(1).max(BOX_UNITS);
    let width = (2.0 * MARGIN + STEP.0 * (layout.heights.len().max(1) - 1) as f64 + BOX.0).max(560.0);
    let height = HEAD + STEP.1 * units as f64 + FOOT;
    let mut body = String::new();
    push(&mut body, format_args!("<rect class=\"surface\" width=\"{width:.0}\" height=\"{height:.0}\"/>"));
    text(&mut body, "title", (MARGIN, 36.0), &picture.title);
    text(&mut body, "muted", (MARGIN, 58.0), &summary(picture));
    for (edge, passes) in picture.edges.iter().zip(&layout.passes) {
        draw_edge(&mut body, &layout, (edge.0, edge.1), passes);
    }
    for (shown, place) in picture.boxes.iter().zip(&layout.places) {
        draw_box(&mut body, shown, corner(&layout, *place));
    }
    draw_legend(&mut body, height - FOOT / 2.0);
    let (title, description) = (escape(&picture.title), escape(&picture.description()));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"flow\" role=\"img\" \
         aria-labelledby=\"flow-title flow-desc\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\">\
         <title id=\"flow-title\">{title}</title><desc id=\"flow-desc\">{description}</desc>\
         <style>{SHAPES}{}@media (prefers-color-scheme:dark){{{}}}</style>\
         <defs><marker id=\"flow-tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" \
         markerHeight=\"7\" orient=\"auto\"><path class=\"tip\" d=\"M0 0L8 4L0 8Z\"/></marker></defs>\
         {body}</svg>\n",
        colours(&LIGHT),
        colours(&DARK)
    )
}

/// What a run would do, in numbers.
pub fn summary(picture: &Picture) -> String {
    let count = |mark: Mark| picture.boxes.iter().filter(|shown| shown.mark == mark).count();
    let told = |(mark, words): (Mark, &str)| match count(mark) {
        0 => None,
        1 => Some(format!("1 node {}", words.replacen("have", "has", 1).replacen("are", "is", 1))),
        many => Some(format!("{many} nodes {words}")),
    };
    let all = [
        (Mark::Run, "are to run"),
        (Mark::Damaged, "have a damaged output and are to run"),
        (Mark::Keep, "are kept"),
        (Mark::Skip, "are skipped"),
    ];
    all.into_iter().filter_map(told).collect::<Vec<_>>().join(", ")
}

fn colours(palette: &[&str; 8]) -> String {
    let [surface, ink, muted, edge, run, keep, damaged, ground] = palette;
    format!(
        ".flow .surface{{fill:{surface}}}.flow .title,.flow .name{{fill:{ink}}}.flow .muted{{fill:{muted}}}\
         .flow .edge{{stroke:{edge}}}.flow .tip{{fill:{edge}}}.flow .shape{{fill:{ground};stroke:{muted}}}\
         .flow .run .shape{{stroke:{run}}}.flow .run .word{{fill:{run}}}\
         .flow .keep .shape,.flow .keep .inner{{stroke:{keep}}}.flow .keep .word{{fill:{keep}}}\
         .flow .damaged .shape{{stroke:{damaged}}}.flow .damaged .word{{fill:{damaged}}}\
         .flow .skip .word,.flow .given .word{{fill:{muted}}}.flow .halo{{stroke:{surface}}}"
    )
}

/// The upper left corner of a place; a layer that is less high stands in the middle.
fn corner(layout: &Layout, place: Place) -> (f64, f64) {
    let most = layout.heights.iter().copied().max().unwrap_or(BOX_UNITS) as f64;
    let own = layout.heights.get(place.layer).copied().unwrap_or(BOX_UNITS) as f64;
    let down = (most - own) / 2.0 + place.down as f64;
    (MARGIN + STEP.0 * place.layer as f64, HEAD + STEP.1 * down)
}

/// A smooth line from right edge to left edge; a layer it passes is crossed level, in its own lane.
fn draw_edge(body: &mut String, layout: &Layout, (from, to): (usize, usize), passes: &[Place]) {
    let (Some(begin), Some(end)) = (layout.places.get(from), layout.places.get(to)) else { return };
    let middle = |place: &Place, height: f64| {
        let (x, y) = corner(layout, *place);
        (x, y + height / 2.0)
    };
    let (mut x, mut y) = middle(begin, BOX.1);
    x += BOX.0;
    let mut path = format!("M{x:.1} {y:.1}");
    let mut bend = |path: &mut String, (left, down): (f64, f64)| {
        let half = (left - x) / 2.0;
        push(path, format_args!("C{:.1} {y:.1} {:.1} {down:.1} {left:.1} {down:.1}", x + half, left - half));
        (x, y) = (left, down);
    };
    for pass in passes {
        let (left, down) = middle(pass, STEP.1);
        bend(&mut path, (left, down));
        bend(&mut path, (left + BOX.0, down));
    }
    bend(&mut path, middle(end, BOX.1));
    push(body, format_args!("<path class=\"edge\" marker-end=\"url(#flow-tip)\" d=\"{path}\"/>"));
}

fn draw_box(body: &mut String, shown: &Shown, at: (f64, f64)) {
    let why = if shown.why.is_empty() { String::new() } else { format!(": {}", shown.why) };
    let told = escape(&format!("{}, {}{why}", shown.name, shown.mark.as_str()));
    push(body, format_args!("<g class=\"{}\"><title>{told}</title>", shown.mark.as_str()));
    draw_shape(body, shown.mark, at, BOX);
    text(body, "name", (at.0 + 14.0, at.1 + 22.0), &cut(&shown.name, 18));
    let took = shown.took_ms.map_or(String::new(), |ms| format!(" · {}", told_ms(ms)));
    text(body, "word", (at.0 + 14.0, at.1 + 39.0), &format!("{}{took}", shown.mark.as_str()));
    text(body, "muted", (at.0 + 14.0, at.1 + 55.0), &cut(&shown.why, limits::GRAPH_PICTURE_CHARS_MAX));
    body.push_str("</g>");
}

/// Round for what is given, a doubled edge for what is kept, dashes for what is skipped, cut corners for what is damaged.
fn draw_shape(body: &mut String, mark: Mark, (x, y): (f64, f64), (width, height): (f64, f64)) {
    let (right, down) = (x + width, y + height);
    if mark == Mark::Damaged {
        push(
            body,
            format_args!(
                "<path class=\"shape\" d=\"M{:.1} {y:.1}L{:.1} {y:.1}L{right:.1} {:.1}L{right:.1} {:.1}L{:.1} {down:.1}\
                 L{:.1} {down:.1}L{x:.1} {:.1}L{x:.1} {:.1}Z\"/>",
                x + CUT,
                right - CUT,
                y + CUT,
                down - CUT,
                right - CUT,
                x + CUT,
                down - CUT,
                y + CUT
            ),
        );
        return;
    }
    let round = if mark == Mark::Source { height / 2.0 } else { 6.0 };
    rect(body, "shape", (x, y, width, height), round);
    if mark == Mark::Keep {
        rect(body, "inner", (x + 3.0, y + 3.0, width - 6.0, height - 6.0), 4.0);
    }
}

fn draw_legend(body: &mut String, y: f64) {
    let all = [
        (Mark::Run, "to run"),
        (Mark::Keep, "kept"),
        (Mark::Skip, "skipped"),
        (Mark::Damaged, "damaged"),
        (Mark::Source, "given"),
    ];
    for (place, (mark, word)) in all.into_iter().enumerate() {
        let x = MARGIN + 100.0 * place as f64;
        push(body, format_args!("<g class=\"{}\">", mark.as_str()));
        let cut = (x, y - 9.0);
        match mark {
            Mark::Damaged => draw_small_cut(body, cut),
            _ => draw_shape(body, mark, cut, (28.0, 18.0)),
        }
        text(body, "muted", (x + 36.0, y + 4.0), word);
        body.push_str("</g>");
    }
}

fn draw_small_cut(body: &mut String, (x, y): (f64, f64)) {
    push(
        body,
        format_args!("<path class=\"shape\" d=\"M{:.1} {y:.1}h16l6 6v6l-6 6h-16l-6 -6v-6Z\"/>", x + 6.0),
    );
}

fn rect(body: &mut String, class: &str, (x, y, width, height): (f64, f64, f64, f64), round: f64) {
    push(
        body,
        format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{round:.1}\"/>"
        ),
    );
}

fn text(body: &mut String, class: &str, (x, y): (f64, f64), words: &str) {
    push(body, format_args!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(words)));
}

/// Writing to a `String` cannot fail.
fn push(body: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = body.write_fmt(arguments);
}

fn cut(words: &str, most: usize) -> String {
    match words.chars().nth(most) {
        None => words.to_string(),
        Some(_) => words.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Text as XML can hold it: what XML 1.0 forbids becomes a replacement character.
pub(super) fn escape(words: &str) -> String {
    let mut escaped = String::with_capacity(words.len());
    for c in words.chars() {
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
