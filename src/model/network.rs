//! A feed-forward network on flat arrays: levels become a few numbers each, then come one or more members, each of
//! layers of rectified units, whose mean is the margin. Sums in f64, each unit's in the order of its inputs; never
//! trains and never draws.

use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::model::scorer::{Method, Prepared, Scorer};
use crate::model::wide::{Wide, widest};

mod path;

/// A linear map from the columns of one field to fewer: for a row that has one level of a text, the numbers of
/// that level.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// Index into the recipe's fields.
    pub field: usize,
    /// The field's columns of the matrix.
    pub start: usize,
    pub width: usize,
    pub size: usize,
    /// `size` numbers a column.
    pub weights: Vec<f32>,
}

/// One layer: `units` sums over `inputs` numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    pub inputs: usize,
    pub units: usize,
    /// `units` numbers an input.
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

/// The first layer of each member reads the columns of no embedding, in order, then the embeddings in order; every
/// layer but the last is rectified, and the last has one unit. All members have the same sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    width: usize,
    embeddings: Vec<Embedding>,
    members: Vec<Vec<Layer>>,
}

/// Parts of a network that do not belong together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    #[error("the network has {found} members; 1 to {max} are allowed", max = limits::NETWORK_MEMBERS_MAX)]
    Members { found: usize },
    #[error("a member of the network has {found} layers; 2 to {max} are allowed", max = limits::NETWORK_LAYERS_MAX)]
    Layers { found: usize },
    #[error("the network's {part} {number} has {what}")]
    Part { part: &'static str, number: usize, what: &'static str },
    #[error("the network's {part} {number} holds a value that is no finite number")]
    NotFinite { part: &'static str, number: usize },
}

impl Fact for NetworkError {
    fn code(&self) -> &'static str {
        match self {
            Self::Members { .. } => "network.members",
            Self::Layers { .. } => "network.layers",
            Self::Part { .. } => "network.shape",
            Self::NotFinite { .. } => "network.not_finite",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn next_step(&self) -> Option<String> {
        Some("Import the release again from its source, or train the model again.".into())
    }
}

impl Network {
    /// For rows of `width` columns.
    pub fn new(
        width: usize,
        embeddings: Vec<Embedding>,
        members: Vec<Vec<Layer>>,
    ) -> Result<Self, NetworkError> {
        let network = Self { width, embeddings, members };
        let mut free = 0;
        for (number, embedding) in network.embeddings.iter().enumerate() {
            check_part("embedding", number, &embedding.weights, embedding.misfit(free, width))?;
            free = embedding.start + embedding.width;
        }
        let found = network.members.len();
        if !(1..=limits::NETWORK_MEMBERS_MAX).contains(&found) {
            return Err(NetworkError::Members { found });
        }
        let layers = network.members[0].len();
        for member in &network.members {
            check_layers(member, network.front_width(), layers)?;
        }
        Ok(network)
    }

    pub fn embeddings(&self) -> &[Embedding] {
        &self.embeddings
    }

    /// The layers of each member.
    pub fn members(&self) -> &[Vec<Layer>] {
        &self.members
    }

    /// How many numbers the first layer reads.
    pub fn front_width(&self) -> usize {
        let embedded: usize = self.embeddings.iter().map(|e| e.width).sum();
        self.width - embedded + self.embeddings.iter().map(|e| e.size).sum::<usize>()
    }

    /// The columns of no embedding, as ranges in order.
    pub fn plain_columns(&self) -> Vec<std::ops::Range<usize>> {
        let mut ranges = Vec::new();
        let mut next = 0;
        for embedding in &self.embeddings {
            ranges.push(next..embedding.start);
            next = embedding.start + embedding.width;
        }
        ranges.push(next..self.width);
        ranges.retain(|range| !range.is_empty());
        ranges
    }

    /// What the first layer reads of a row; linear in the row.
    fn front(&self, row: &[f64]) -> Vec<f64> {
        let mut front = Vec::with_capacity(self.front_width());
        for range in self.plain_columns() {
            front.extend_from_slice(&row[range]);
        }
        for embedding in &self.embeddings {
            let mut sums = vec![0.0; embedding.size];
            let columns = &row[embedding.start..embedding.start + embedding.width];
            add_products(&mut sums, columns, &embedding.weights);
            front.extend_from_slice(&sums);
        }
        front
    }

    /// The margin of what the first layers read: the mean of the members' own, added in their order.
    fn pass(&self, front: &[f64]) -> f64 {
        let sum = self.members.iter().map(|layers| pass(layers, front)).reduce(|sum, margin| sum + margin);
        sum.unwrap_or_default() / self.members.len() as f64
    }

    fn margin_at(&self, row: &[f64]) -> f64 {
        self.pass(&self.front(row))
    }
}

impl Scorer for Network {
    fn width(&self) -> usize {
        self.width
    }

    fn margin(&self, row: &[f32]) -> f64 {
        debug_assert_eq!(row.len(), self.width);
        self.margin_at(&doubles(row))
    }

    /// Each column's share of the straight way from the reference to the row (Aumann and Shapley's values, also
    /// called integrated gradients), walked piece by piece: the margin bends only where a unit turns on or off.
    fn contributions(&self, row: &[f32], reference: &[f64], _: &Prepared) -> (f64, Vec<f64>) {
        debug_assert_eq!(reference.len(), self.width);
        path::walk(self, &doubles(row), reference)
    }

    fn explained_rows_max(&self) -> usize {
        limits::IMPORTANCE_ROWS_PATH_MAX
    }

    fn method(&self) -> Method {
        Method::Path
    }
}

impl Embedding {
    fn misfit(&self, free: usize, width: usize) -> Option<&'static str> {
        let end = self.start.checked_add(self.width);
        if self.start < free || end.is_none_or(|end| end > width) || self.width == 0 {
            Some("columns that another has, that the rows do not have, or none")
        } else if self.size == 0 || self.size > limits::EMBEDDING_SIZE_MAX {
            Some("no numbers a level, or too many")
        } else if self.weights.len() != self.width * self.size {
            Some("more or fewer weights than its sizes say")
        } else {
            None
        }
    }
}

impl Layer {
    fn misfit(&self, inputs: usize, last: bool) -> Option<&'static str> {
        let most = if last { 1 } else { limits::NETWORK_UNITS_MAX };
        if self.inputs != inputs || inputs == 0 {
            Some("other inputs than the layer before has units")
        } else if self.units == 0 || self.units > most {
            Some("no units, or too many")
        } else if self.weights.len() != inputs * self.units || self.bias.len() != self.units {
            Some("more or fewer weights than its sizes say")
        } else {
            None
        }
    }

    /// One sum a unit: its bias, then weight times value for each input in order.
    fn sums(&self, inputs: &[f64]) -> Vec<f64> {
        let mut sums = doubles(&self.bias);
        add_products(&mut sums, inputs, &self.weights);
        sums
    }
}

/// `count` layers that follow on each other, the first of `inputs` inputs.
fn check_layers(layers: &[Layer], mut inputs: usize, count: usize) -> Result<(), NetworkError> {
    let found = layers.len();
    if found != count || !(2..=limits::NETWORK_LAYERS_MAX).contains(&found) {
        return Err(NetworkError::Layers { found });
    }
    for (number, layer) in layers.iter().enumerate() {
        check_part("layer", number, &layer.weights, layer.misfit(inputs, number + 1 == found))?;
        check_part("bias", number, &layer.bias, None)?;
        inputs = layer.units;
    }
    Ok(())
}

/// One member's margin.
fn pass(layers: &[Layer], front: &[f64]) -> f64 {
    let mut values = Vec::new();
    for (number, layer) in layers.iter().enumerate() {
        values = layer.sums(if number == 0 { front } else { &values });
        if number + 1 < layers.len() {
            rectify(&mut values);
        }
    }
    values.first().copied().unwrap_or_default()
}

fn check_part(
    part: &'static str,
    number: usize,
    values: &[f32],
    misfit: Option<&'static str>,
) -> Result<(), NetworkError> {
    match misfit {
        Some(what) => Err(NetworkError::Part { part, number, what }),
        None if values.iter().all(|value| value.is_finite()) => Ok(()),
        None => Err(NetworkError::NotFinite { part, number }),
    }
}

/// So many units are summed side by side: as many as stay in registers, and fewer of what is left over.
const BLOCK: usize = 64;
const HALF: usize = 32;
const QUARTER: usize = 16;

/// All units of a block side by side, each in the order of its inputs. An input of zero would add zero; most are.
fn add_products(sums: &mut [f64], inputs: &[f64], weights: &[f32]) {
    let pairs = inputs.iter().copied().zip(weights.chunks_exact(sums.len()));
    let mut lines: Vec<(f64, &[f32])> = Vec::with_capacity(inputs.len());
    lines.extend(pairs.filter(|(input, _)| *input != 0.0));
    widest(Products { sums, lines: &lines });
}

/// To each unit's sum, in order, what every line adds: an input and its weights, one a unit.
struct Products<'a> {
    sums: &'a mut [f64],
    lines: &'a [(f64, &'a [f32])],
}

impl Wide for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (rest, done) = add_blocks::<BLOCK>(self.sums, self.lines, 0);
        let (rest, done) = add_blocks::<HALF>(rest, self.lines, done);
        let (rest, done) = add_blocks::<QUARTER>(rest, self.lines, done);
        for (input, line) in self.lines {
            add_line(rest, *input, &line[done..]);
        }
    }
}

/// To as many blocks of units as there are; gives what is left, and which unit it begins with.
#[inline(always)]
fn add_blocks<'a, const SIZE: usize>(
    sums: &'a mut [f64],
    lines: &[(f64, &[f32])],
    first: usize,
) -> (&'a mut [f64], usize) {
    let (blocks, rest) = sums.as_chunks_mut::<SIZE>();
    let done = first + blocks.len() * SIZE;
    for (number, block) in blocks.iter_mut().enumerate() {
        let mut held = *block;
        for (input, line) in lines {
            if let Some((weights, _)) = line[first + number * SIZE..].split_first_chunk::<SIZE>() {
                add_line(&mut held, *input, weights);
            }
        }
        *block = held;
    }
    (rest, done)
}

#[inline(always)]
fn add_line(sums: &mut [f64], input: f64, line: &[f32]) {
    for (sum, &weight) in sums.iter_mut().zip(line) {
        *sum += f64::from(weight) * input;
    }
}

fn rectify(values: &mut [f64]) {
    for value in values {
        *value = if *value > 0.0 { *value } else { 0.0 };
    }
}

fn doubles(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

#[cfg(test)]
pub(crate) mod tests;
