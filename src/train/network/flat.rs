//! The gradient of a batch by hand, on flat arrays that are kept from step to step: what burn's autodiff gives (which
//! the tests hold it to), without a graph, a copy or an allocation a step. Draws nothing; takes no step.

use std::ops::Range;

use crate::features::matrix::Matrix;
use crate::model::wide::product::{Factor, Room, Sizes};
use crate::train::network::gradient::{Inputs, MARGIN_ROWS, NetworkBatch};
use crate::train::network::loops::{add_rows, dot, rectify, shade, spread_last, sum_rows};
use crate::train::network::shape::{LayerShape, Shape};

pub struct FlatGradient {
    shape: Shape,
    pass: Pass,
    slopes: Slopes,
}

/// What one pass computes of some rows, and where.
#[derive(Default)]
struct Pass {
    room: Room,
    /// What the first layer reads where there are embeddings; the plain columns come first.
    front: Vec<f32>,
    embedded: Vec<f32>,
    /// The first layer's weights of all members side by side, each with its member's factors; empty for one member.
    first: Vec<f32>,
    /// The rectified values of each layer but the last, every member's beside each other.
    layers: Vec<Vec<f32>>,
    /// One a row and member.
    margins: Vec<f32>,
}

/// The loss's slopes in what the pass computed.
#[derive(Default)]
struct Slopes {
    above: Vec<f32>,
    below: Vec<f32>,
    first: Vec<f32>,
    embedded: Vec<f32>,
}

impl FlatGradient {
    pub fn new(shape: Shape) -> Self {
        Self { shape, pass: Pass::default(), slopes: Slopes::default() }
    }

    /// Writes one number a value of the flat array. Each member is taught as if it were alone.
    pub fn write(&mut self, values: &[f32], batch: &NetworkBatch, gradient: &mut [f32]) {
        let Self { shape, pass, slopes } = self;
        pass.run(shape, values, &batch.inputs, &batch.kept);
        gradient.fill(0.0);
        let errors = errors(&pass.margins, batch, shape.members);
        slopes.write(shape, (values, &errors), (pass, batch), gradient);
    }

    /// The margins of the network that the flat array makes, one a row.
    pub fn margins(&self, values: &[f32], matrix: &Matrix) -> Vec<f64> {
        let mut pass = Pass::default();
        let mut margins = Vec::with_capacity(matrix.rows);
        let members = self.shape.members;
        for start in (0..matrix.rows).step_by(MARGIN_ROWS) {
            let rows = start..matrix.rows.min(start + MARGIN_ROWS);
            pass.run(&self.shape, values, &self.shape.take_apart(matrix, rows), &[]);
            let own = pass.margins.chunks_exact(members);
            margins.extend(own.map(|own| f64::from(own.iter().sum::<f32>() / members as f32)));
        }
        margins
    }
}

/// The mean loss's slope in each margin.
fn errors(margins: &[f32], batch: &NetworkBatch, members: usize) -> Vec<f32> {
    let mut errors = Vec::with_capacity(margins.len());
    let rows = batch.targets.iter().zip(&batch.costs);
    for (own, (target, cost)) in margins.chunks_exact(members).zip(rows) {
        let share = cost / margins.len() as f32;
        errors.extend(own.iter().map(|margin| (1.0 / (1.0 + (-margin).exp()) - target) * share));
    }
    errors
}

/// What the first layer reads: the plain columns as they came where nothing is embedded.
fn front_of<'a>(front: &'a [f32], inputs: &'a Inputs) -> &'a [f32] {
    if inputs.embedded.is_empty() { &inputs.plain } else { front }
}

/// The first layer's weights as they are multiplied by.
fn first_of<'a>(first: &'a [f32], values: &'a [f32], shape: &Shape) -> &'a [f32] {
    match shape.layers.first() {
        Some(layer) if shape.members == 1 => &values[layer.weights.clone()],
        _ => first,
    }
}

/// Room for as many numbers; what they are is not said.
fn lay(table: &mut Vec<f32>, length: usize) {
    table.resize(length, 0.0);
}

impl Pass {
    fn run(&mut self, shape: &Shape, values: &[f32], inputs: &Inputs, kept: &[Vec<f32>]) {
        self.embed(shape, values, inputs);
        self.lay_first(shape, values);
        let hidden = shape.layers.len().saturating_sub(1);
        self.layers.resize_with(hidden, Vec::new);
        for (number, layer) in shape.layers.iter().take(hidden).enumerate() {
            let (done, rest) = self.layers.split_at_mut(number);
            let Some(sums) = rest.first_mut() else { return };
            let width = shape.members * layer.units;
            add_rows(sums, &values[layer.bias.clone()], inputs.rows);
            let (sizes, left, right) = match done.last() {
                None => {
                    let sizes = Sizes { rows: inputs.rows, columns: width, depth: layer.inputs };
                    (sizes, front_of(&self.front, inputs), first_of(&self.first, values, shape))
                }
                Some(before) => {
                    let rows = inputs.rows * shape.members;
                    let sizes = Sizes { rows, columns: layer.units, depth: layer.inputs };
                    (sizes, before.as_slice(), &values[layer.weights.clone()])
                }
            };
            self.room.add(sizes, Factor::AsIs(left), Factor::AsIs(right), sums);
            rectify(sums, kept.get(number).map(Vec::as_slice));
        }
        self.end(shape, values);
    }

    fn embed(&mut self, shape: &Shape, values: &[f32], inputs: &Inputs) {
        let Some(first) = shape.layers.first().filter(|_| !shape.embedded.is_empty()) else { return };
        let plain = inputs.plain.len() / inputs.rows.max(1);
        lay(&mut self.front, inputs.rows * first.inputs);
        for (row, own) in self.front.chunks_exact_mut(first.inputs).enumerate() {
            own[..plain].copy_from_slice(&inputs.plain[row * plain..(row + 1) * plain]);
        }
        let mut start = plain;
        for (field, columns) in shape.embedded.iter().zip(&inputs.embedded) {
            lay(&mut self.embedded, inputs.rows * field.size);
            let sizes = Sizes { rows: inputs.rows, columns: field.size, depth: field.width };
            let weights = Factor::AsIs(&values[field.values.clone()]);
            self.room.write(sizes, Factor::AsIs(columns), weights, &mut self.embedded);
            let rows = self.front.chunks_exact_mut(first.inputs);
            for (row, own) in rows.zip(self.embedded.chunks_exact(field.size)) {
                row[start..start + field.size].copy_from_slice(own);
            }
            start += field.size;
        }
    }

    fn lay_first(&mut self, shape: &Shape, values: &[f32]) {
        let Some(layer) = shape.layers.first().filter(|_| shape.members > 1) else { return };
        lay(&mut self.first, layer.inputs * layer.units * shape.members);
        let factors = values[shape.factors.clone()].iter();
        let shared = values[layer.weights.clone()].chunks_exact(layer.units);
        let shared = shared.flat_map(|line| std::iter::repeat_n(line, shape.members));
        for (own, (line, factor)) in self.first.chunks_exact_mut(layer.units).zip(shared.zip(factors)) {
            own.iter_mut().zip(line).for_each(|(own, weight)| *own = weight * factor);
        }
    }

    /// The last layer, of which each member has its own.
    fn end(&mut self, shape: &Shape, values: &[f32]) {
        let (Some(last), Some(before)) = (shape.layers.last(), self.layers.last()) else { return };
        let weights = values[last.weights.clone()].chunks_exact(last.inputs);
        let own = weights.zip(&values[last.bias.clone()]).cycle();
        let margin = |(units, (weights, bias)): (&[f32], (&[f32], &f32))| bias + dot(units, weights);
        self.margins.clear();
        self.margins.extend(before.chunks_exact(last.inputs).zip(own).map(margin));
    }
}

impl Slopes {
    /// From the last layer to the first.
    fn write(
        &mut self,
        shape: &Shape,
        (values, errors): (&[f32], &[f32]),
        (pass, batch): (&mut Pass, &NetworkBatch),
        gradient: &mut [f32],
    ) {
        let (Some(last), hidden) = (shape.layers.last(), pass.layers.len()) else { return };
        let Some(units) = pass.layers.last() else { return };
        lay(&mut self.above, units.len());
        let weights = (&values[last.weights.clone()], &mut gradient[last.weights.clone()]);
        spread_last(errors, units, weights, &mut self.above);
        sum_rows(errors, &mut gradient[last.bias.clone()]);
        for number in (0..hidden).rev() {
            let layer = &shape.layers[number];
            let (done, own) = pass.layers.split_at(number);
            shade(&mut self.above, &own[0], batch.kept.get(number).map(Vec::as_slice));
            sum_rows(&self.above, &mut gradient[layer.bias.clone()]);
            let Some(before) = done.last() else { break };
            let rows = batch.inputs.rows * shape.members;
            let (left, slopes) = (Factor::Turned(before), Factor::AsIs(&self.above));
            let sizes = Sizes { rows: layer.inputs, columns: layer.units, depth: rows };
            pass.room.write(sizes, left, slopes, &mut gradient[layer.weights.clone()]);
            lay(&mut self.below, rows * layer.inputs);
            let weights = Factor::Turned(&values[layer.weights.clone()]);
            let sizes = Sizes { rows, columns: layer.inputs, depth: layer.units };
            pass.room.write(sizes, slopes, weights, &mut self.below);
            std::mem::swap(&mut self.above, &mut self.below);
        }
        if let Some(first) = shape.layers.first() {
            self.write_first((shape, first), values, (pass, &batch.inputs), gradient);
        }
    }

    fn write_first(
        &mut self,
        (shape, layer): (&Shape, &LayerShape),
        values: &[f32],
        (pass, inputs): (&mut Pass, &Inputs),
        gradient: &mut [f32],
    ) {
        let Pass { room, front, first, .. } = pass;
        let columns = shape.members * layer.units;
        let sizes = Sizes { rows: layer.inputs, columns, depth: inputs.rows };
        let (left, slopes) = (Factor::Turned(front_of(front, inputs)), Factor::AsIs(&self.above));
        if shape.members == 1 {
            room.write(sizes, left, slopes, &mut gradient[layer.weights.clone()]);
        } else {
            lay(&mut self.first, layer.inputs * columns);
            room.write(sizes, left, slopes, &mut self.first);
            share(shape, layer, (values, &self.first), gradient);
        }
        let first = first_of(first, values, shape);
        let mut start = inputs.plain.len() / inputs.rows.max(1);
        for (field, own) in shape.embedded.iter().zip(&inputs.embedded) {
            lay(&mut self.embedded, inputs.rows * field.size);
            let lines: Range<usize> = start * columns..(start + field.size) * columns;
            let sizes = Sizes { rows: inputs.rows, columns: field.size, depth: columns };
            room.write(sizes, slopes, Factor::Turned(&first[lines]), &mut self.embedded);
            let sizes = Sizes { rows: field.width, columns: field.size, depth: inputs.rows };
            let (left, right) = (Factor::Turned(own), Factor::AsIs(&self.embedded));
            room.write(sizes, left, right, &mut gradient[field.values.clone()]);
            start += field.size;
        }
    }
}

/// From the slopes in every member's first weights to those in the shared ones and in the factors.
fn share(shape: &Shape, layer: &LayerShape, (values, slopes): (&[f32], &[f32]), gradient: &mut [f32]) {
    let (units, members) = (layer.units, shape.members);
    let factors = values[shape.factors.clone()].chunks_exact(members);
    let shared = values[layer.weights.clone()].chunks_exact(units);
    let lines = slopes.chunks_exact(members * units);
    for (input, ((slopes, factors), shared)) in lines.zip(factors).zip(shared).enumerate() {
        for (member, (slopes, factor)) in slopes.chunks_exact(units).zip(factors).enumerate() {
            gradient[shape.factors.start + input * members + member] = dot(slopes, shared);
            let own = &mut gradient[layer.weights.start + input * units..][..units];
            own.iter_mut().zip(slopes).for_each(|(own, slope)| *own += slope * factor);
        }
    }
}
