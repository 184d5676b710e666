//! The picture for a terminal: a line a node in the order in which they run, with what it waits for and why it runs.
//! Uses plain letters; says everything the drawing says.

use crate::pipeline::graph::picture::{Mark, Picture, told_ms};

pub fn draw(picture: &Picture) -> String {
    let width = |of: &dyn Fn(usize) -> usize| (0..picture.boxes.len()).map(of).max().unwrap_or_default();
    let names = width(&|at| picture.boxes.get(at).map_or(0, |shown| shown.name.chars().count()));
    let marks = width(&|at| picture.boxes.get(at).map_or(0, |shown| shown.mark.as_str().len()));
    let mut text = format!("{}\n", picture.title);
    for (at, shown) in picture.boxes.iter().enumerate() {
        let from: Vec<&str> = picture
            .edges
            .iter()
            .filter(|(_, to, _)| *to == at)
            .filter_map(|(from, _, _)| Some(picture.boxes.get(*from)?.name.as_str()))
            .collect();
        let after = if from.is_empty() { String::new() } else { format!("<- {}", from.join(", ")) };
        let took = shown.took_ms.map_or(String::new(), |ms| format!(" [{}]", told_ms(ms)));
        let line = format!(
            "{} {:names$}  {:marks$}  {after}{took}",
            sign(shown.mark),
            shown.name,
            shown.mark.as_str()
        );
        text += line.trim_end();
        text.push('\n');
        if !shown.why.is_empty() {
            text += &format!("  {:names$}  {:marks$}  {}\n", "", "", shown.why);
        }
    }
    text
}

fn sign(mark: Mark) -> char {
    match mark {
        Mark::Source => 'o',
        Mark::Run => '>',
        Mark::Keep => '=',
        Mark::Skip => '-',
        Mark::Damaged => '!',
    }
}
