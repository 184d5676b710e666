//! The exact gradient of the weighted log loss of one batch through a network, by burn's autodiff on a chosen device.
//! Draws no numbers: which units a step leaves out it is told.

use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use crate::model::reference::ComputeDevice;
use crate::train::examples::TrainError;
use crate::train::network::shape::Shape;

/// The rows of a step, taken apart as the network reads them.
pub struct NetworkBatch {
    pub rows: usize,
    /// The columns of no embedding, row by row.
    pub plain: Vec<f32>,
    /// The columns of each embedded field, row by row.
    pub embedded: Vec<Vec<f32>>,
    pub targets: Vec<f32>,
    /// What each row counts; 1 on average over the training rows.
    pub costs: Vec<f32>,
    /// For each layer but the last, row by row, what each unit is multiplied by: 0 where it is left out. None
    /// where nothing is.
    pub kept: Vec<Vec<f32>>,
}

/// A gradient machine on one device.
pub struct NetworkGradient {
    device: Device,
    shape: Shape,
}

/// The tensors of a pass that have a gradient, each with its place in the flat array.
type Learned = Vec<(std::ops::Range<usize>, Tensor<2>)>;

impl NetworkGradient {
    pub fn new(device: ComputeDevice, shape: Shape) -> Result<Self, TrainError> {
        Ok(Self { device: device.open()?, shape })
    }

    /// One number a value of the flat array.
    pub fn at(&self, values: &[f32], batch: NetworkBatch) -> Result<Vec<f32>, TrainError> {
        let rows = batch.rows;
        let (targets, costs) =
            (self.constant(batch.targets, [rows, 1]), self.constant(batch.costs, [rows, 1]));
        let mut learned = Learned::new();
        let mut front = Vec::new();
        if !batch.plain.is_empty() {
            let width = batch.plain.len() / rows;
            front.push(self.constant(batch.plain, [rows, width]));
        }
        for (field, columns) in self.shape.embedded.iter().zip(batch.embedded) {
            let weights = self.learned(values, field.values.clone(), [field.width, field.size], &mut learned);
            front.push(self.constant(columns, [rows, field.width]).matmul(weights));
        }
        let mut kept = batch.kept.into_iter();
        let mut sums = Tensor::cat(front, 1);
        for (number, layer) in self.shape.layers.iter().enumerate() {
            if number > 0 {
                sums = relu(sums);
                if let Some(kept) = kept.next() {
                    sums = sums * self.constant(kept, [rows, layer.inputs]);
                }
            }
            let weights =
                self.learned(values, layer.weights.clone(), [layer.inputs, layer.units], &mut learned);
            let bias = self.learned(values, layer.bias.clone(), [1, layer.units], &mut learned);
            sums = sums.matmul(weights) + bias;
        }
        // As for the linear model: a surrogate of the same gradient and fewer operations.
        let error = sigmoid(sums.clone().without_autodiff()) - targets;
        collect((sums * (error * costs)).mean().backward(), learned, values.len())
    }

    fn constant(&self, numbers: Vec<f32>, shape: [usize; 2]) -> Tensor<2> {
        Tensor::from_data(TensorData::new(numbers, shape), &self.device)
    }

    fn learned(
        &self,
        values: &[f32],
        place: std::ops::Range<usize>,
        shape: [usize; 2],
        learned: &mut Learned,
    ) -> Tensor<2> {
        let tensor = self.constant(values[place.clone()].to_vec(), shape).autodiff().require_grad();
        learned.push((place, tensor.clone()));
        tensor
    }
}

fn collect(mut gradients: Gradients, learned: Learned, length: usize) -> Result<Vec<f32>, TrainError> {
    let mut gradient = vec![0.0; length];
    for (place, tensor) in learned {
        let own = tensor.grad_remove(&mut gradients).ok_or(TrainError::NoGradient)?;
        let own: Vec<f32> = own.try_into_vec_as().map_err(TrainError::Gradient)?;
        gradient[place].copy_from_slice(&own);
    }
    Ok(gradient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;
    use crate::features::recipe::{FittedEncoding, FittedField, FittedRecipe};
    use crate::train::params::RawMlp;
    use crate::train::params::{FamilyName, FamilyParams, RawTrainParams};

    fn shape() -> Shape {
        let hash = FittedEncoding::Hash { buckets: 9 };
        let scale = FittedEncoding::Scale { mean: 0.0, deviation: 1.0, median: 0.0, indicator: false };
        let field = |name: &str, encoding: FittedEncoding, start| {
            let width = encoding.width();
            FittedField { field: name.into(), encoding, start, width, known_levels: vec![], code: None }
        };
        let fields = vec![field("a", scale.clone(), 0), field("b", hash, 1), field("c", scale, 11)];
        let mlp = RawMlp { hidden: vec![5, 4], embedding_max: 3, ..RawMlp::default() };
        let raw = RawTrainParams { family: FamilyName::Mlp, mlp, ..RawTrainParams::default() };
        let FamilyParams::Mlp(params) = raw.check().unwrap().family else { panic!() };
        Shape::of(&params, &FittedRecipe { fields, width: 12 }).unwrap()
    }

    struct Sample {
        rows: Vec<[f32; 12]>,
        targets: Vec<f32>,
        costs: Vec<f32>,
        kept: Vec<Vec<f32>>,
    }

    fn sample() -> Sample {
        let mut random = Random::new(8, "sample");
        let rows: Vec<[f32; 12]> = (0..9).map(|_| std::array::from_fn(|_| random.normal() as f32)).collect();
        let mut kept = |units: usize| -> Vec<f32> {
            (0..9 * units).map(|_| if random.unit() < 0.3 { 0.0 } else { 1.0 / 0.7 }).collect()
        };
        let kept = vec![kept(5), kept(4)];
        let targets = (0..9).map(|row| f32::from(row % 3 == 0)).collect();
        Sample { rows, targets, costs: (0..9).map(|row| 0.5 + row as f32 / 9.0).collect(), kept }
    }

    fn batch(sample: &Sample) -> NetworkBatch {
        NetworkBatch {
            rows: 9,
            plain: sample.rows.iter().flat_map(|row| [row[0], row[11]]).collect(),
            embedded: vec![sample.rows.iter().flat_map(|row| row[1..11].to_vec()).collect()],
            targets: sample.targets.clone(),
            costs: sample.costs.clone(),
            kept: sample.kept.clone(),
        }
    }

    /// The weighted log loss by hand, in f64.
    fn loss(shape: &Shape, values: &[f64], sample: &Sample) -> f64 {
        let mut loss = 0.0;
        for (row, columns) in sample.rows.iter().enumerate() {
            let mut front = vec![f64::from(columns[0]), f64::from(columns[11])];
            let field = &shape.embedded[0];
            for number in 0..field.size {
                let weight = |column: usize| values[field.values.start + column * field.size + number];
                front.push((0..10).map(|c| weight(c) * f64::from(columns[1 + c])).sum());
            }
            for (number, layer) in shape.layers.iter().enumerate() {
                let mut sums: Vec<f64> = values[layer.bias.clone()].to_vec();
                for (unit, sum) in sums.iter_mut().enumerate() {
                    let weight = |input: usize| values[layer.weights.start + input * layer.units + unit];
                    *sum += front.iter().enumerate().map(|(input, x)| weight(input) * x).sum::<f64>();
                    if number + 1 < shape.layers.len() {
                        *sum = sum.max(0.0) * f64::from(sample.kept[number][row * layer.units + unit]);
                    }
                }
                front = sums;
            }
            let against = if sample.targets[row] > 0.5 { -front[0] } else { front[0] };
            loss += f64::from(sample.costs[row]) * (against.max(0.0) + (-against.abs()).exp().ln_1p()) / 9.0;
        }
        loss
    }

    fn check_gradient(device: ComputeDevice) {
        let (shape, sample) = (shape(), sample());
        let values = shape.first_values(&[0.1; 12], -0.4, &mut Random::new(3, "values"));
        let found = NetworkGradient::new(device, shape.clone()).unwrap().at(&values, batch(&sample)).unwrap();
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
    fn the_gradient_on_flex_is_the_slope_of_the_loss_with_units_left_out() {
        check_gradient(ComputeDevice::Flex);
    }

    #[cfg(feature = "ndarray")]
    #[test]
    fn the_gradient_on_ndarray_is_the_slope_of_the_loss_with_units_left_out() {
        check_gradient(ComputeDevice::Ndarray);
    }
}
