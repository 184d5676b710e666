//! The sizes of a network over a fitted recipe, its weights as one flat array, and where they begin.
//! Learns nothing.

use std::ops::Range;

use crate::base::limits;
use crate::base::rng::Random;
use crate::features::matrix::Matrix;
use crate::features::recipe::{FittedEncoding, FittedRecipe};
use crate::model::network::{Embedding, Layer, Network};
use crate::train::examples::TrainError;
use crate::train::monotone::Directions;
use crate::train::network::bounds::{Bounds, Side};
use crate::train::network::gradient::Inputs;
use crate::train::params::MlpParams;
use crate::train::trees::codes::Monotone;

/// A field whose columns become fewer numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedField {
    pub field: usize,
    pub start: usize,
    pub width: usize,
    pub size: usize,
    /// Where its weights stand in the flat array.
    pub values: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerShape {
    pub inputs: usize,
    pub units: usize,
    /// Of all members; the last layer's are each member's own, one member after the other.
    pub weights: Range<usize>,
    /// Each member's own, one member after the other.
    pub bias: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    width: usize,
    pub members: usize,
    pub embedded: Vec<EmbeddedField>,
    /// The columns of no embedding, as ranges in order.
    pub plain: Vec<Range<usize>>,
    /// What each member multiplies each input of the first layer by, input by input; none for a single member.
    pub factors: Range<usize>,
    /// With the last, which has one unit.
    pub layers: Vec<LayerShape>,
    length: usize,
    /// What the first layer's inputs may do to the margin.
    sides: Vec<Side>,
}

impl Shape {
    pub fn of(
        params: &MlpParams,
        directions: &Directions,
        recipe: &FittedRecipe,
    ) -> Result<Self, TrainError> {
        let mut next = 0;
        let mut take = |count: usize| {
            next += count;
            next - count..next
        };
        let mut embedded = Vec::new();
        let (mut plain, mut free) = (Vec::new(), 0);
        for (number, field) in recipe.fields.iter().enumerate() {
            let levels =
                matches!(field.encoding, FittedEncoding::OneHot { .. } | FittedEncoding::Hash { .. });
            let size = embedding_size(field.width).min(params.embedding_max);
            if levels && (1..field.width).contains(&size) {
                let (start, width) = (field.start, field.width);
                embedded.push(EmbeddedField {
                    field: number,
                    start,
                    width,
                    size,
                    values: take(width * size),
                });
                plain.push(free..start);
                free = start + width;
            }
        }
        plain.push(free..recipe.width);
        plain.retain(|range| !range.is_empty());
        let plain_width: usize = plain.iter().map(|range| range.len()).sum();
        let mut inputs = plain_width + embedded.iter().map(|field| field.size).sum::<usize>();
        let members = params.members;
        let factors = take(if members > 1 { inputs * members } else { 0 });
        let sides = sides_of(directions, recipe, &plain, inputs);
        let (mut layers, mut handed_over) = (Vec::new(), 0);
        for (number, &units) in params.hidden.iter().chain(&[1]).enumerate() {
            let owners = if number < params.hidden.len() { 1 } else { members };
            let (weights, bias) = (take(inputs * units * owners), take(units * members));
            layers.push(LayerShape { inputs, units, weights, bias });
            handed_over += (inputs + 1) * units * members;
            inputs = units;
        }
        let found = next.max(handed_over);
        if found > limits::NETWORK_WEIGHTS_MAX {
            return Err(TrainError::Weights { found });
        }
        let width = recipe.width;
        Ok(Self { width, members, embedded, plain, factors, layers, length: next, sides })
    }

    /// What a training must keep values within.
    pub fn bounds(&self) -> Bounds {
        Bounds::of(self, &self.sides)
    }

    /// Some rows as the network reads them.
    pub fn take_apart(&self, matrix: &Matrix, rows: impl ExactSizeIterator<Item = usize>) -> Inputs {
        let count = rows.len();
        let width: usize = self.plain.iter().map(|range| range.len()).sum();
        let mut plain = Vec::with_capacity(count * width);
        let mut embedded: Vec<Vec<f32>> =
            self.embedded.iter().map(|field| Vec::with_capacity(count * field.width)).collect();
        for row in rows {
            let columns = matrix.row(row);
            self.plain.iter().for_each(|range| plain.extend_from_slice(&columns[range.clone()]));
            for (out, field) in embedded.iter_mut().zip(&self.embedded) {
                out.extend_from_slice(&columns[field.start..field.start + field.width]);
            }
        }
        Inputs { rows: count, plain, embedded }
    }

    /// The length of the flat array.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Which weights a step may shrink: all but the biases and the members' factors.
    pub fn decays(&self) -> Vec<bool> {
        let mut decays = vec![true; self.length];
        decays[self.factors.clone()].fill(false);
        self.layers.iter().for_each(|layer| decays[layer.bias.clone()].fill(false));
        decays
    }

    /// Drawn evenly within 1 / sqrt(inputs), as is usual for rectified units, and a member's factors from 1 and -1;
    /// the first layer's biases put its units at rest for a row of `means`, and the last one makes `log_odds` of it.
    pub fn first_values(&self, means: &[f64], log_odds: f64, random: &mut Random) -> Vec<f32> {
        let mut values = vec![0.0f32; self.length];
        let mut fill = |slots: &mut [f32], bound: f64| {
            slots.iter_mut().for_each(|slot| *slot = (bound * (2.0 * random.unit() - 1.0)) as f32);
        };
        for field in &self.embedded {
            fill(&mut values[field.values.clone()], 0.5);
        }
        fill(&mut values[self.factors.clone()], 1.0);
        values[self.factors.clone()].iter_mut().for_each(|factor| *factor = factor.signum());
        for layer in &self.layers {
            let bound = 1.0 / (layer.inputs as f64).sqrt();
            fill(&mut values[layer.weights.clone()], bound);
            fill(&mut values[layer.bias.clone()], bound);
        }
        self.bounds().turn(&mut values);
        let front = self.front_of(&values, means);
        if let Some(first) = self.layers.first() {
            for (place, at) in first.bias.clone().enumerate() {
                let (member, unit) = (place / first.units, place % first.units);
                let weight = |(input, x)| self.first_weight(&values, (input, unit), member) * x;
                let sum: f64 = front.iter().enumerate().map(weight).sum();
                values[at] -= sum as f32;
            }
        }
        if let Some(last) = self.layers.last() {
            values[last.bias.clone()].fill(log_odds as f32);
        }
        values
    }

    /// A weight of the first layer as a member has it.
    fn first_weight(&self, values: &[f32], (input, unit): (usize, usize), member: usize) -> f64 {
        let Some(first) = self.layers.first() else { return 0.0 };
        let shared = values[first.weights.start + input * first.units + unit];
        let factors = &values[self.factors.clone()];
        let factor = factors.get(input * self.members + member).copied().unwrap_or(1.0);
        f64::from(shared * factor)
    }

    fn front_of(&self, values: &[f32], row: &[f64]) -> Vec<f64> {
        let mut front: Vec<f64> = self.plain.iter().flat_map(|range| row[range.clone()].to_vec()).collect();
        for field in &self.embedded {
            let columns = &row[field.start..field.start + field.width];
            let weights = &values[field.values.clone()];
            front.extend((0..field.size).map(|number| {
                let own = weights.iter().skip(number).step_by(field.size);
                own.zip(columns).map(|(&w, x)| f64::from(w) * x).sum::<f64>()
            }));
        }
        front
    }

    pub fn network(&self, values: &[f32]) -> Result<Network, TrainError> {
        let take = |range: &Range<usize>| values[range.clone()].to_vec();
        let embedding = |field: &EmbeddedField| {
            let EmbeddedField { field: number, start, width, size, values } = field;
            Embedding { field: *number, start: *start, width: *width, size: *size, weights: take(values) }
        };
        let embeddings = self.embedded.iter().map(embedding).collect();
        let members = (0..self.members).map(|member| self.member(values, member)).collect();
        Ok(Network::new(self.width, embeddings, members)?)
    }

    /// One member's layers, with every factor multiplied in.
    fn member(&self, values: &[f32], member: usize) -> Vec<Layer> {
        let mut layers = Vec::with_capacity(self.layers.len());
        for (number, shape) in self.layers.iter().enumerate() {
            let LayerShape { inputs, units, .. } = *shape;
            let own = member * inputs * units;
            let mut weights = values[shape.weights.clone()].to_vec();
            if number == 0 && self.members > 1 {
                let factors = values[self.factors.clone()].iter().skip(member).step_by(self.members);
                for (line, factor) in weights.chunks_exact_mut(units).zip(factors) {
                    line.iter_mut().for_each(|weight| *weight *= factor);
                }
            } else if number + 1 == self.layers.len() {
                weights = weights[own..own + inputs * units].to_vec();
            }
            let bias = values[shape.bias.clone()][member * units..(member + 1) * units].to_vec();
            layers.push(Layer { inputs, units, weights, bias });
        }
        layers
    }
}

/// What each input of the first layer may do: the columns of a monotone field go its way, but for the one that says
/// that the number is missing, which has no order among numbers.
fn sides_of(
    directions: &Directions,
    recipe: &FittedRecipe,
    plain: &[Range<usize>],
    inputs: usize,
) -> Vec<Side> {
    let side = |direction: Monotone| match direction {
        Monotone::Free => Side::Free,
        Monotone::Rising => Side::Up,
        Monotone::Falling => Side::Down,
    };
    let columns: Vec<Side> = directions.of_columns(recipe).into_iter().map(side).collect();
    let mut sides: Vec<Side> = plain.iter().flat_map(|range| columns[range.clone()].to_vec()).collect();
    sides.resize(inputs, Side::Free);
    sides
}

/// A rule of thumb for how many numbers tell `width` levels apart.
fn embedding_size(width: usize) -> usize {
    (1.6 * (width as f64).powf(0.56)).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::recipe::FittedField;
    use crate::model::scorer::Scorer as _;
    use crate::train::params::{FamilyParams, RawTrainParams};

    fn params(settings: &[&str]) -> MlpParams {
        let mut raw = RawTrainParams::default();
        raw.set("family=mlp").unwrap();
        settings.iter().for_each(|setting| raw.set(setting).unwrap());
        match raw.check().unwrap().family {
            FamilyParams::Mlp(mlp) => mlp,
            other => panic!("{other:?}"),
        }
    }

    /// A number of four bins, a text of thirty levels, a number in one column, a text of two levels.
    fn recipe() -> FittedRecipe {
        let piecewise = FittedEncoding::Piecewise {
            cuts: (0..5).map(f64::from).collect(),
            median: 2.0,
            indicator: false,
        };
        let levels = |count| (0..count).map(|n| format!("{n:02}")).collect::<Vec<String>>();
        let scale = FittedEncoding::Scale { mean: 0.0, deviation: 1.0, median: 0.0, indicator: false };
        let encodings = [
            piecewise,
            FittedEncoding::OneHot { levels: levels(30) },
            scale,
            FittedEncoding::OneHot { levels: levels(2) },
        ];
        let mut start = 0;
        let mut fields = Vec::new();
        for (number, encoding) in encodings.into_iter().enumerate() {
            let width = encoding.width();
            fields.push(FittedField {
                field: format!("f{number}").into(),
                encoding,
                start,
                width,
                known_levels: vec![],
                code: None,
            });
            start += width;
        }
        FittedRecipe { fields, width: start }
    }

    #[test]
    fn texts_of_many_levels_are_embedded_and_numbers_are_not() {
        let shape = Shape::of(&params(&["mlp.hidden=[7,3]"]), &Directions::default(), &recipe()).unwrap();
        // 32 columns become 8 numbers at most; 4 columns stay, since the rule gives them as many.
        let sizes: Vec<(usize, usize)> = shape.embedded.iter().map(|e| (e.field, e.size)).collect();
        assert_eq!(sizes, [(1, 8)]);
        assert_eq!(shape.plain, [0..4, 36..41]);
        let layers: Vec<(usize, usize)> = shape.layers.iter().map(|l| (l.inputs, l.units)).collect();
        assert_eq!(layers, [(17, 7), (7, 3), (3, 1)]);
        // Eight members: a factor for each input, biases and a last layer of their own.
        assert_eq!(shape.length(), 32 * 8 + 8 * 17 + 17 * 7 + 8 * 7 + 7 * 3 + 8 * 3 + 8 * 3 + 8);
        assert_eq!(shape.decays().iter().filter(|decays| !**decays).count(), 8 * (17 + 7 + 3 + 1));
        let none = Shape::of(&params(&["mlp.embedding_max=0"]), &Directions::default(), &recipe()).unwrap();
        assert!(none.embedded.is_empty() && none.plain.into_iter().flatten().eq(0..41));
    }

    #[test]
    fn a_mean_row_begins_near_the_base_rate_and_the_seed_decides_where() {
        let shape = Shape::of(&params(&[]), &Directions::default(), &recipe()).unwrap();
        let means = vec![0.5; 41];
        let first = |seed| shape.first_values(&means, -1.5, &mut Random::new(seed, "weights"));
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
        let row = vec![0.5f32; 41];
        let margin = shape.network(&first(1)).unwrap().margin(&row);
        assert!((margin + 1.5).abs() < 0.5, "{margin}");
    }

    #[test]
    fn more_weights_than_are_trained_are_refused_before_they_are_made() {
        let wide = FittedRecipe { fields: Vec::new(), width: 20_000 };
        let refused =
            Shape::of(&params(&["mlp.hidden=[1024]", "mlp.members=1"]), &Directions::default(), &wide);
        assert!(matches!(refused, Err(TrainError::Weights { found: 20_482_049 })), "{refused:?}");
    }
}
