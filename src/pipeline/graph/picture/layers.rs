//! Where boxes stand: a layer for how many come before, an order within it that keeps lines short, and a free lane for a
//! line that passes a layer. The same graph always stands the same way.

use crate::pipeline::graph::picture::Picture;

/// Times the order within layers is put right by the neighbours, to and fro.
const SWEEPS: usize = 8;

/// Units of height: a box, and a line that passes.
pub const BOX_UNITS: usize = 3;
const PASS_UNITS: usize = 1;

/// A box, or a line that passes a layer: its layer, and its upper edge in units from the layer's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub layer: usize,
    pub down: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Of each box.
    pub places: Vec<Place>,
    /// Of each edge: what it passes between its ends. Edges of one box share their way as far as they have the same.
    pub passes: Vec<Vec<Place>>,
    /// Units of each layer.
    pub heights: Vec<usize>,
}

/// What stands in a layer: a box, or the lines of a box that pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Box(usize),
    Pass(usize),
}

pub fn lay(picture: &Picture) -> Layout {
    let depths = depths(picture);
    let mut layers: Vec<Vec<Item>> = vec![Vec::new(); depths.iter().max().map_or(0, |deepest| deepest + 1)];
    for (at, &depth) in depths.iter().enumerate() {
        if let Some(layer) = layers.get_mut(depth) {
            layer.push(Item::Box(at));
        }
    }
    for (from, begin) in depths.iter().enumerate() {
        let own = picture.edges.iter().filter(|(begin, _, _)| *begin == from);
        let end = own.map(|(_, to, _)| depth_of(&depths, *to)).max().unwrap_or_default();
        layers.iter_mut().take(end).skip(begin + 1).for_each(|layer| layer.push(Item::Pass(from)));
    }
    for sweep in 0..SWEEPS {
        let order: Vec<usize> = match sweep % 2 {
            0 => (1..layers.len()).collect(),
            _ => (0..layers.len().saturating_sub(1)).rev().collect(),
        };
        for layer in order {
            let beside = if sweep % 2 == 0 { layer - 1 } else { layer + 1 };
            put_right(picture, &mut layers, layer, beside);
        }
    }
    place(picture, &depths, &layers)
}

/// The longest way to each box. Edges lead to later boxes only.
fn depths(picture: &Picture) -> Vec<usize> {
    let mut depths = vec![0; picture.boxes.len()];
    for at in 0..depths.len() {
        let before = picture.edges.iter().filter(|(_, to, _)| *to == at);
        let deepest = before.map(|(from, _, _)| depth_of(&depths, *from) + 1).max();
        if let Some(depth) = depths.get_mut(at) {
            *depth = deepest.unwrap_or_default();
        }
    }
    depths
}

fn depth_of(depths: &[usize], at: usize) -> usize {
    depths.get(at).copied().unwrap_or_default()
}

/// Orders a layer by the middle of where its neighbours in the layer beside it stand.
fn put_right(picture: &Picture, layers: &mut [Vec<Item>], layer: usize, beside: usize) {
    let Some(neighbours) = layers.get(beside).cloned() else { return };
    let lane = |item: Item| neighbours.iter().position(|own| *own == item);
    // What comes from a box stands beside it as the box itself or as its line that passes.
    let of_box = |from: usize| lane(Item::Pass(from)).or_else(|| lane(Item::Box(from)));
    let middle = |at: usize, item: &Item| {
        let mut lanes: Vec<usize> = Vec::new();
        match item {
            Item::Pass(from) => {
                let to = picture.edges.iter().filter(|(begin, _, _)| begin == from).map(|(_, to, _)| *to);
                lanes.extend(of_box(*from).into_iter().chain(to.filter_map(|to| lane(Item::Box(to)))));
            }
            Item::Box(here) => {
                let from = picture.edges.iter().filter(|(_, to, _)| to == here).map(|(from, _, _)| *from);
                let to = picture.edges.iter().filter(|(from, _, _)| from == here).map(|(_, to, _)| *to);
                lanes.extend(from.filter_map(of_box).chain(to.filter_map(|to| lane(Item::Box(to)))));
                lanes.extend(lane(Item::Pass(*here)));
            }
        }
        match lanes.len() {
            0 => at as f64,
            count => lanes.iter().sum::<usize>() as f64 / count as f64,
        }
    };
    let Some(own) = layers.get_mut(layer) else { return };
    let mut placed: Vec<(f64, Item)> = own.iter().enumerate().map(|(at, i)| (middle(at, i), *i)).collect();
    placed.sort_by(|a, b| a.0.total_cmp(&b.0));
    *own = placed.into_iter().map(|(_, item)| item).collect();
}

fn place(picture: &Picture, depths: &[usize], layers: &[Vec<Item>]) -> Layout {
    let mut places = vec![Place { layer: 0, down: 0 }; picture.boxes.len()];
    let mut lines: Vec<Vec<Place>> = vec![Vec::new(); picture.boxes.len()];
    let mut heights = Vec::new();
    for (layer, items) in layers.iter().enumerate() {
        let mut down = 0;
        for item in items {
            let place = Place { layer, down };
            match item {
                Item::Box(at) => {
                    places.iter_mut().skip(*at).take(1).for_each(|own| *own = place);
                    down += BOX_UNITS;
                }
                Item::Pass(from) => {
                    lines.iter_mut().skip(*from).take(1).for_each(|own| own.push(place));
                    down += PASS_UNITS;
                }
            }
        }
        heights.push(down);
    }
    let passes = picture.edges.iter().map(|(from, to, _)| {
        let own = lines.get(*from).into_iter().flatten();
        own.filter(|place| place.layer < depth_of(depths, *to)).copied().collect()
    });
    Layout { places, passes: passes.collect(), heights }
}
