//! The exact gradient of the weighted log loss of one batch through a network, by burn's autodiff on a chosen device,
//! and the margins of many rows on the same device. Draws no numbers: which units a step leaves out it is told.

use std::ops::Range;

use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use crate::features::matrix::Matrix;
use crate::model::reference::ComputeDevice;
use crate::train::examples::TrainError;
use crate::train::network::shape::{LayerShape, Shape};

/// The rows of a pass, taken apart as the network reads them.
pub struct Inputs {
    pub rows: usize,
    /// The columns of no embedding, row by row.
    pub plain: Vec<f32>,
    /// The columns of each embedded field, row by row.
    pub embedded: Vec<Vec<f32>>,
}

/// The rows of a step.
pub struct NetworkBatch {
    pub inputs: Inputs,
    pub targets: Vec<f32>,
    /// What each row counts; 1 on average over the training rows.
    pub costs: Vec<f32>,
    /// For each layer but the last, row by row, what each unit of each member is multiplied by: 0 where it is left
    /// out. None where nothing is.
    pub kept: Vec<Vec<f32>>,
}

/// Rows whose margins are computed at once.
const MARGIN_ROWS: usize = 2_048;

/// A gradient machine on one device.
pub struct NetworkGradient {
    device: Device,
    shape: Shape,
}

/// The tensors of a pass that have a gradient, each with its place in the flat array.
type Learned = Vec<(Range<usize>, Tensor<2>)>;

/// Gives a part of the flat array as a table of this shape.
type Take<'a> = dyn FnMut(&Range<usize>, [usize; 2]) -> Tensor<2> + 'a;

impl NetworkGradient {
    pub fn new(device: ComputeDevice, shape: Shape) -> Result<Self, TrainError> {
        Ok(Self { device: device.open()?, shape })
    }

    /// Writes one number a value of the flat array. Each member is taught as if it were alone.
    pub fn write(&self, values: &[f32], batch: NetworkBatch, gradient: &mut [f32]) -> Result<(), TrainError> {
        let rows = batch.inputs.rows;
        let (targets, costs) =
            (self.constant(batch.targets, [rows, 1]), self.constant(batch.costs, [rows, 1]));
        let mut learned = Learned::new();
        let mut take = |place: &Range<usize>, shape: [usize; 2]| {
            let tensor = self.constant(values[place.clone()].to_vec(), shape).autodiff().require_grad();
            learned.push((place.clone(), tensor.clone()));
            tensor
        };
        let sums = self.pass(batch.inputs, batch.kept, &mut take);
        // As for the linear model: a surrogate of the same gradient and fewer operations.
        let error = sigmoid(sums.clone().without_autodiff()) - targets;
        collect((sums * (error * costs)).mean().backward(), learned, gradient)
    }

    /// The margins of the network that the flat array makes, one a row.
    pub fn margins(&self, values: &[f32], matrix: &Matrix) -> Result<Vec<f64>, TrainError> {
        let mut take =
            |place: &Range<usize>, shape: [usize; 2]| self.constant(values[place.clone()].to_vec(), shape);
        let mut margins = Vec::with_capacity(matrix.rows);
        for start in (0..matrix.rows).step_by(MARGIN_ROWS) {
            let rows = start..matrix.rows.min(start + MARGIN_ROWS);
            let sums = self.pass(self.shape.take_apart(matrix, rows), Vec::new(), &mut take);
            let own: Vec<f32> = sums.mean_dim(1).try_into_vec_as().map_err(TrainError::Gradient)?;
            margins.extend(own.into_iter().map(f64::from));
        }
        Ok(margins)
    }

    /// One margin a row and member.
    fn pass(&self, inputs: Inputs, kept: Vec<Vec<f32>>, take: &mut Take<'_>) -> Tensor<2> {
        let (rows, members) = (inputs.rows, self.shape.members);
        let mut front = Vec::new();
        if !inputs.plain.is_empty() {
            let width = inputs.plain.len() / rows;
            front.push(self.constant(inputs.plain, [rows, width]));
        }
        for (field, columns) in self.shape.embedded.iter().zip(inputs.embedded) {
            let weights = take(&field.values, [field.width, field.size]);
            front.push(self.constant(columns, [rows, field.width]).matmul(weights));
        }
        let mut kept = kept.into_iter();
        let mut sums = Tensor::cat(front, 1);
        for (number, layer) in self.shape.layers.iter().enumerate() {
            if number == 0 {
                let weights = self.first_weights(layer, take);
                sums = sums.matmul(weights);
            } else {
                sums = relu(sums);
                if let Some(kept) = kept.next() {
                    sums = sums * self.constant(kept, [rows, layer.inputs * members]);
                }
                sums = self.later_sums(sums, number, take);
            }
            sums = sums + take(&layer.bias, [1, members * layer.units]);
        }
        sums
    }

    /// The first layer's weights of all members side by side: each member's are the shared ones, with its own factor
    /// for each input.
    fn first_weights(&self, layer: &LayerShape, take: &mut Take<'_>) -> Tensor<2> {
        let (inputs, units, members) = (layer.inputs, layer.units, self.shape.members);
        let shared = take(&layer.weights, [inputs, units]);
        if members == 1 {
            return shared;
        }
        let factors = take(&self.shape.factors, [inputs, members]);
        let all = shared.reshape([inputs, 1, units]) * factors.reshape([inputs, members, 1]);
        all.reshape([inputs, members * units])
    }

    /// Every member's sums by the shared weights, but the last layer's by its own.
    fn later_sums(&self, values: Tensor<2>, number: usize, take: &mut Take<'_>) -> Tensor<2> {
        let (layer, members) = (&self.shape.layers[number], self.shape.members);
        let rows = values.dims()[0];
        if number + 1 < self.shape.layers.len() || members == 1 {
            let weights = take(&layer.weights, [layer.inputs, layer.units]);
            let sums = values.reshape([rows * members, layer.inputs]).matmul(weights);
            return sums.reshape([rows, members * layer.units]);
        }
        let weighted = values * take(&layer.weights, [1, members * layer.inputs]);
        weighted.reshape([rows, members, layer.inputs]).sum_dim(2).reshape([rows, members])
    }

    fn constant(&self, numbers: Vec<f32>, shape: [usize; 2]) -> Tensor<2> {
        Tensor::from_data(TensorData::new(numbers, shape), &self.device)
    }
}

fn collect(mut gradients: Gradients, learned: Learned, gradient: &mut [f32]) -> Result<(), TrainError> {
    for (place, tensor) in learned {
        let own = tensor.grad_remove(&mut gradients).ok_or(TrainError::NoGradient)?;
        let own = own.try_into_data().map_err(|error| TrainError::Gradient(error.into()))?;
        let own = own.as_slice::<f32>().map_err(|error| TrainError::Gradient(error.into()))?;
        gradient[place].copy_from_slice(own);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;
    use crate::features::recipe::{FittedEncoding, FittedField, FittedRecipe};
    use crate::model::scorer::Scorer as _;
    use crate::train::monotone::Directions;
    use crate::train::params::RawMlp;
    use crate::train::params::{FamilyName, FamilyParams, RawTrainParams};

    fn shape(members: usize) -> Shape {
        let hash = FittedEncoding::Hash { buckets: 9 };
        let scale = FittedEncoding::Scale { mean: 0.0, deviation: 1.0, median: 0.0, indicator: false };
        let field = |name: &str, encoding: FittedEncoding, start| {
            let width = encoding.width();
            FittedField { field: name.into(), encoding, start, width, known_levels: vec![], code: None }
        };
        let fields = vec![field("a", scale.clone(), 0), field("b", hash, 1), field("c", scale, 11)];
        let mlp = RawMlp { hidden: vec![5, 4], members, embedding_max: 3, ..RawMlp::default() };
        let raw = RawTrainParams { family: FamilyName::Mlp, mlp, ..RawTrainParams::default() };
        let FamilyParams::Mlp(params) = raw.check().unwrap().family else { panic!() };
        Shape::of(&params, &Directions::default(), &FittedRecipe { fields, width: 12 }).unwrap()
    }

    struct Sample {
        rows: Vec<[f32; 12]>,
        targets: Vec<f32>,
        costs: Vec<f32>,
        kept: Vec<Vec<f32>>,
    }

    fn sample(members: usize) -> Sample {
        let mut random = Random::new(8, "sample");
        let rows: Vec<[f32; 12]> = (0..9).map(|_| std::array::from_fn(|_| random.normal() as f32)).collect();
        let mut kept = |units: usize| -> Vec<f32> {
            (0..9 * members * units).map(|_| if random.unit() < 0.3 { 0.0 } else { 1.0 / 0.7 }).collect()
        };
        let kept = vec![kept(5), kept(4)];
        let targets = (0..9).map(|row| f32::from(row % 3 == 0)).collect();
        Sample { rows, targets, costs: (0..9).map(|row| 0.5 + row as f32 / 9.0).collect(), kept }
    }

    fn batch(sample: &Sample) -> NetworkBatch {
        NetworkBatch {
            inputs: Inputs {
                rows: 9,
                plain: sample.rows.iter().flat_map(|row| [row[0], row[11]]).collect(),
                embedded: vec![sample.rows.iter().flat_map(|row| row[1..11].to_vec()).collect()],
            },
            targets: sample.targets.clone(),
            costs: sample.costs.clone(),
            kept: sample.kept.clone(),
        }
    }

    /// One member's margin of a row by hand, in f64.
    fn margin(shape: &Shape, values: &[f64], sample: &Sample, row: usize, member: usize) -> f64 {
        let columns = &sample.rows[row];
        let mut front = vec![f64::from(columns[0]), f64::from(columns[11])];
        let field = &shape.embedded[0];
        for number in 0..field.size {
            let weight = |column: usize| values[field.values.start + column * field.size + number];
            front.push((0..10).map(|c| weight(c) * f64::from(columns[1 + c])).sum());
        }
        let last = shape.layers.len() - 1;
        for (number, layer) in shape.layers.iter().enumerate() {
            let bias = layer.bias.start + member * layer.units;
            let mut sums: Vec<f64> = values[bias..bias + layer.units].to_vec();
            for (unit, sum) in sums.iter_mut().enumerate() {
                for (input, x) in front.iter().enumerate() {
                    let own = if number == last { member * layer.inputs } else { 0 };
                    let mut weight = values[layer.weights.start + (own + input) * layer.units + unit];
                    if number == 0 && shape.members > 1 {
                        weight *= values[shape.factors.start + input * shape.members + member];
                    }
                    *sum += weight * x;
                }
                if number < last {
                    let at = (row * shape.members + member) * layer.units + unit;
                    *sum = sum.max(0.0) * f64::from(sample.kept[number][at]);
                }
            }
            front = sums;
        }
        front[0]
    }

    /// The weighted log loss by hand.
    fn loss(shape: &Shape, values: &[f64], sample: &Sample) -> f64 {
        let mut loss = 0.0;
        for row in 0..9 {
            for member in 0..shape.members {
                let margin = margin(shape, values, sample, row, member);
                let against = if sample.targets[row] > 0.5 { -margin } else { margin };
                loss += f64::from(sample.costs[row]) * (against.max(0.0) + (-against.abs()).exp().ln_1p());
            }
        }
        loss / (9 * shape.members) as f64
    }

    fn check_gradient(device: ComputeDevice) {
        check_gradient_of(1, device);
        check_gradient_of(3, device);
    }

    fn check_gradient_of(members: usize, device: ComputeDevice) {
        let (shape, sample) = (shape(members), sample(members));
        let values = shape.first_values(&[0.1; 12], -0.4, &mut Random::new(3, "values"));
        let mut found = vec![f32::NAN; values.len()];
        let machine = NetworkGradient::new(device, shape.clone()).unwrap();
        machine.write(&values, batch(&sample), &mut found).unwrap();
        let exact: Vec<f64> = values.iter().map(|&value| f64::from(value)).collect();
        for (at, found) in found.iter().enumerate() {
            let moved = |by: f64| {
                let mut moved = exact.clone();
                moved[at] += by;
                loss(&shape, &moved, &sample)
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{at}: {found} {expected}");
        }
        assert!(found.iter().filter(|g| **g != 0.0).count() > found.len() / 2);
    }

    #[test]
    fn the_margins_are_those_of_the_network_that_is_handed_over() {
        for members in [1, 3] {
            let (shape, sample) = (shape(members), sample(members));
            let values = shape.first_values(&[0.1; 12], -0.4, &mut Random::new(3, "values"));
            let rows = sample.rows.iter().cycle().take(MARGIN_ROWS + 40);
            let values_of_rows: Vec<f32> = rows.flatten().copied().collect();
            let matrix = Matrix { rows: MARGIN_ROWS + 40, width: 12, values: values_of_rows };
            let machine = NetworkGradient::new(ComputeDevice::Flex, shape.clone()).unwrap();
            let network = shape.network(&values).unwrap();
            let found = machine.margins(&values, &matrix).unwrap();
            assert_eq!(found.len(), matrix.rows);
            for (row, found) in found.into_iter().enumerate() {
                let flat = network.margin(matrix.row(row));
                assert!((found - flat).abs() < 1e-5, "{members} {row}: {found} {flat}");
            }
        }
    }

    #[test]
    fn the_gradient_on_flex_is_the_slope_of_the_loss_with_units_left_out() {
        check_gradient(ComputeDevice::Flex);
    }

    #[cfg(feature = "ndarray")]
    #[test]
    fn the_gradient_on_ndarray_is_the_slope_of_the_loss_with_units_left_out() {
        check_gradient(ComputeDevice::Ndarray);
    }
}
