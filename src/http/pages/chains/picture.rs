//! A chain's steps as a drawing: boxes and the lines between them, once for a wide screen and once for a narrow one.
//! Never holds what is not said in the list of steps beside it.

use serde::Serialize;

use crate::http::pages::chains::marks::Mark;
use crate::schedule::definition::Step;
use crate::schedule::picture::{Layout, Node, layout};

const WIDTH: usize = 184;
const HEIGHT: usize = 60;
/// Between boxes along the lines, and across.
const ALONG: usize = 44;
const ACROSS: usize = 20;
const MARGIN: usize = 4;
/// Signs of a name or a state that fit into a box; the list has the whole.
const SHOWN_CHARS: usize = 19;

/// One step's box.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Boxed {
    pub x: usize,
    pub y: usize,
    pub name: String,
    pub mark: Mark,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Drawing {
    pub width: usize,
    pub height: usize,
    pub boxes: Vec<Boxed>,
    /// The lines from box to box, and their heads, as SVG paths.
    pub lines: Vec<String>,
    pub heads: Vec<String>,
}

/// The same steps from left to right and from top to bottom.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Picture {
    pub wide: Drawing,
    pub tall: Drawing,
}

/// `mark` is how each step stands; without one only its kind is told.
pub fn draw(steps: &[Step], mark: impl Fn(&Step) -> Mark) -> Picture {
    let layout = layout(steps);
    let marks: Vec<Mark> = steps.iter().map(mark).collect();
    Picture { wide: drawing(&layout, &marks, false), tall: drawing(&layout, &marks, true) }
}

fn drawing(layout: &Layout, marks: &[Mark], is_tall: bool) -> Drawing {
    let (columns, rows) = if is_tall { (layout.rows, layout.columns) } else { (layout.columns, layout.rows) };
    let (gap_x, gap_y) = if is_tall { (ACROSS, ALONG) } else { (ALONG, ACROSS) };
    let span =
        |count: usize, size: usize, gap: usize| count * size + count.saturating_sub(1) * gap + 2 * MARGIN;
    let place = |node: &Node| {
        let (column, row) = if is_tall { (node.row, node.column) } else { (node.column, node.row) };
        (MARGIN + column * (WIDTH + gap_x), MARGIN + row * (HEIGHT + gap_y))
    };
    let boxes = layout.nodes.iter().zip(marks).map(|(node, mark)| {
        let (x, y) = place(node);
        let mark = Mark { word: cut(&mark.word), ..mark.clone() };
        Boxed { x, y, name: cut(&node.step), mark }
    });
    let ends = layout.edges.iter().filter_map(|edge| {
        let (from, to) = (place(layout.nodes.get(edge.from)?), place(layout.nodes.get(edge.to)?));
        Some(if is_tall {
            ((from.0 + WIDTH / 2, from.1 + HEIGHT), (to.0 + WIDTH / 2, to.1))
        } else {
            ((from.0 + WIDTH, from.1 + HEIGHT / 2), (to.0, to.1 + HEIGHT / 2))
        })
    });
    let ends: Vec<(At, At)> = ends.collect();
    Drawing {
        width: span(columns, WIDTH, gap_x),
        height: span(rows, HEIGHT, gap_y),
        boxes: boxes.collect(),
        lines: ends.iter().map(|(from, to)| line(*from, *to, is_tall)).collect(),
        heads: ends.iter().map(|(_, to)| head(*to, is_tall)).collect(),
    }
}

type At = (usize, usize);

fn line((x1, y1): At, (x2, y2): At, is_tall: bool) -> String {
    if is_tall {
        let middle = y2.saturating_sub(ALONG / 2);
        format!("M{x1} {y1}C{x1} {middle} {x2} {} {x2} {y2}", y1.max(middle))
    } else {
        let middle = x2.saturating_sub(ALONG / 2);
        format!("M{x1} {y1}C{middle} {y1} {} {y2} {x2} {y2}", x1.max(middle))
    }
}

fn head((x, y): At, is_tall: bool) -> String {
    if is_tall { format!("M{x} {y}l-5 -8h10z") } else { format!("M{x} {y}l-8 -5v10z") }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= SHOWN_CHARS {
        return text.to_string();
    }
    text.chars().take(SHOWN_CHARS - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::raw::RawSchedule;

    fn steps() -> Vec<Step> {
        let schedule = "[[chain]]\nname = \"c\"\n\
            [[chain.step]]\nname = \"train\"\nrun = \"train\"\n\
            [[chain.step]]\nname = \"gate\"\nrun = \"gate\"\n\
            [[chain.step]]\nname = \"a-name-that-is-longer-than-a-box\"\nrun = \"notify\"\nafter = [\"train\"]\n";
        let raw: RawSchedule = toml::from_str(schedule).unwrap();
        raw.check().unwrap().chains()[0].steps.clone()
    }

    #[test]
    fn every_step_is_inside_the_drawing_and_no_two_overlap() {
        let picture = draw(&steps(), |_| Mark::default());
        for drawing in [&picture.wide, &picture.tall] {
            assert_eq!((drawing.boxes.len(), drawing.lines.len()), (3, 2));
            for (at, one) in drawing.boxes.iter().enumerate() {
                assert!(one.x + WIDTH + MARGIN <= drawing.width && one.y + HEIGHT + MARGIN <= drawing.height);
                let apart =
                    |other: &Boxed| one.x.abs_diff(other.x) >= WIDTH || one.y.abs_diff(other.y) >= HEIGHT;
                assert!(drawing.boxes.iter().skip(at + 1).all(apart));
            }
        }
        assert!(picture.tall.width < picture.wide.width);
        assert_eq!(picture.wide.boxes[2].name, "a-name-that-is-lon…");
    }

    #[test]
    fn a_chain_without_steps_is_an_empty_drawing() {
        let picture = draw(&[], |_| Mark::default());
        assert_eq!((picture.wide.width, picture.wide.boxes.len()), (2 * MARGIN, 0));
    }
}
