//! The gradient of a batch and the margins of rows by burn, its autodiff and a device of its own: what the flat pass is
//! held to, and what a training on the device "ndarray" goes by. Draws no numbers.

use std::ops::Range;

use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use crate::features::matrix::Matrix;
use crate::model::reference::ComputeDevice;
use crate::train::examples::TrainError;
use crate::train::network::gradient::{Inputs, MARGIN_ROWS, NetworkBatch};
use crate::train::network::shape::{LayerShape, Shape};

/// A gradient machine on one of burn's devices.
pub struct BurnGradient {
    device: Device,
    shape: Shape,
}

/// The tensors of a pass that have a gradient, each with its place in the flat array.
type Learned = Vec<(Range<usize>, Tensor<2>)>;

/// Gives a part of the flat array as a table of this shape.
type Take<'a> = dyn FnMut(&Range<usize>, [usize; 2]) -> Tensor<2> + 'a;

impl BurnGradient {
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
