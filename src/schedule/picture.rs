//! A chain's steps as a picture: a tree of lines for a terminal, columns and rows for a page to draw.
//! The same chain is the same picture. Never says how a run goes; the caller may write that beside each step.

use serde::Serialize;

use crate::schedule::definition::{Rule, Step};

/// Where each step stands; a column holds what can begin at the same time at the earliest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Layout {
    pub columns: usize,
    pub rows: usize,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    pub step: String,
    pub column: usize,
    pub row: usize,
}

/// From one step to another that waits for it, by their places in `nodes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
}

/// `steps` in an order in which each comes after what it waits for, as a checked chain has them.
pub fn layout(steps: &[Step]) -> Layout {
    let mut nodes: Vec<Node> = Vec::with_capacity(steps.len());
    let mut edges = Vec::new();
    for (to, step) in steps.iter().enumerate() {
        let before = places_before(steps, step);
        let placed = |from: &usize| nodes.get(*from).map(|node| (node.column, node.row));
        let columns = before.iter().filter_map(placed).map(|(column, _)| column);
        let column = columns.max().map_or(0, |column| column + 1);
        // As near as may be to the first it waits for, so that a line of steps is a straight line.
        let wanted = before.first().and_then(placed).map_or(0, |(_, row)| row);
        let taken = |row: &usize| nodes.iter().any(|node| node.column == column && node.row == *row);
        let row = (wanted..).find(|row| !taken(row)).unwrap_or(wanted);
        edges.extend(before.into_iter().map(|from| Edge { from, to }));
        nodes.push(Node { step: step.name.clone(), column, row });
    }
    let columns = nodes.iter().map(|node| node.column + 1).max().unwrap_or(0);
    let rows = nodes.iter().map(|node| node.row + 1).max().unwrap_or(0);
    Layout { columns, rows, nodes, edges }
}

/// One line a step, under the last of those it waits for; the others are named. `beside` is written after each.
pub fn text(steps: &[Step], beside: impl Fn(&Step) -> Option<String>) -> String {
    let parent = |step: &Step| places_before(steps, step).into_iter().max();
    let parents: Vec<Option<usize>> = steps.iter().map(parent).collect();
    let mut lines = Vec::with_capacity(steps.len());
    let mut open: Vec<(usize, String)> =
        children(&parents, None).into_iter().rev().map(|root| (root, String::new())).collect();
    while let Some((place, lead)) = open.pop() {
        let Some(step) = steps.get(place) else { continue };
        let parent = parents.get(place).copied().flatten();
        let last = children(&parents, parent).last() == Some(&place);
        let (branch, below) = match parent {
            None => ("", ""),
            Some(_) if last => ("└─ ", "   "),
            Some(_) => ("├─ ", "│  "),
        };
        lines.push(line(steps, step, &format!("{lead}{branch}"), beside(step)));
        let lead = format!("{lead}{below}");
        open.extend(children(&parents, Some(place)).into_iter().rev().map(|child| (child, lead.clone())));
    }
    lines.join("\n")
}

fn line(steps: &[Step], step: &Step, lead: &str, beside: Option<String>) -> String {
    let mut line = format!("{lead}{}", step.name);
    if step.run.as_str() != step.name {
        line.push_str(&format!(" ({})", step.run.as_str()));
    }
    let parent = places_before(steps, step).into_iter().max();
    let others: Vec<&str> = places_before(steps, step)
        .into_iter()
        .filter(|place| Some(*place) != parent)
        .filter_map(|place| steps.get(place).map(|step| step.name.as_str()))
        .collect();
    if !others.is_empty() {
        line.push_str(&format!(", also after {}", others.join(", ")));
    }
    if step.when != Rule::AllSuccess {
        line.push_str(&format!(", when {}", step.when.as_str()));
    }
    if let Some(beside) = beside {
        line.push_str(&format!(": {beside}"));
    }
    line
}

fn places_before(steps: &[Step], step: &Step) -> Vec<usize> {
    let place = |name: &String| steps.iter().position(|other| other.name == *name);
    step.after.iter().filter_map(place).collect()
}

fn children(parents: &[Option<usize>], of: Option<usize>) -> Vec<usize> {
    let places = parents.iter().enumerate();
    places.filter(|(_, parent)| **parent == of).map(|(place, _)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::{Edge, layout, text};
    use crate::schedule::definition::Step;
    use crate::schedule::raw::{RawChain, RawSchedule};

    fn steps(toml: &str) -> Vec<Step> {
        let chain: RawChain = toml::from_str(toml).unwrap();
        let raw = RawSchedule { timezone: None, chain: vec![chain] };
        raw.check().unwrap().chains().first().unwrap().steps.clone()
    }

    const LOOP: &str = r#"
        name = "weekly"
        step = [
            { name = "train", run = "train" },
            { name = "gate", run = "gate" },
            { name = "stage", run = "stage" },
            { name = "tell", run = "notify", after = ["train", "gate"], when = "one_failed" },
            { name = "report", run = "monitor", after = [] },
            { name = "close", run = "notify", after = ["stage", "report"], when = "all_done" },
        ]
    "#;

    #[test]
    fn a_chain_is_a_tree_of_lines() {
        let drawn = text(&steps(LOOP), |step| (step.name == "gate").then(|| "running".to_string()));
        let wanted = [
            "train",
            "└─ gate: running",
            "   ├─ stage",
            "   └─ tell (notify), also after train, when one_failed",
            "report (monitor)",
            "└─ close (notify), also after stage, when all_done",
        ];
        assert_eq!(drawn.lines().collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn no_two_steps_stand_on_one_place_and_every_edge_goes_to_the_right() {
        let layout = layout(&steps(LOOP));
        let places: Vec<(&str, usize, usize)> =
            layout.nodes.iter().map(|node| (node.step.as_str(), node.column, node.row)).collect();
        let wanted = [
            ("train", 0, 0),
            ("gate", 1, 0),
            ("stage", 2, 0),
            ("tell", 2, 1),
            ("report", 0, 1),
            ("close", 3, 0),
        ];
        assert_eq!(places, wanted);
        assert_eq!((layout.columns, layout.rows), (4, 2));
        assert!(layout.edges.contains(&Edge { from: 4, to: 5 }));
        let column = |place: usize| layout.nodes.get(place).map(|node| node.column);
        assert!(layout.edges.iter().all(|edge| column(edge.from) < column(edge.to)));
    }
}
