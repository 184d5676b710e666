//! The exact gradient of the weighted log loss of one batch, by burn's autodiff on a chosen device.
//! Draws no numbers from burn, whose generator is global to the process.

use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};

use crate::model::reference::ComputeDevice;
use crate::train::examples::TrainError;

/// Rows with a closing column of ones, so that the bias is one more weight.
pub struct Batch {
    pub rows: usize,
    pub inputs: Vec<f32>,
    pub targets: Vec<f32>,
    /// What each row counts; 1 on average over the training rows.
    pub costs: Vec<f32>,
}

/// A gradient machine on one device.
pub struct LossGradient(Device);

impl LossGradient {
    pub fn new(device: ComputeDevice) -> Result<Self, TrainError> {
        Ok(Self(device.open()?))
    }

    /// One number a value: weights in column order, then the bias.
    pub fn at(&self, values: &[f32], batch: Batch) -> Result<Vec<f32>, TrainError> {
        let (rows, width) = (batch.rows, values.len());
        let constant =
            |numbers, width| Tensor::<2>::from_data(TensorData::new(numbers, [rows, width]), &self.0);
        let weights = TensorData::new(values.to_vec(), [width, 1]);
        let weights = Tensor::<2>::from_data(weights, &self.0).autodiff().require_grad();
        let logits = constant(batch.inputs, width).matmul(weights.clone());
        // The log loss has the gradient sigmoid(logit) - target in the logit. As a constant factor
        // of the logit it gives the same gradient in the weights for fewer operations.
        let error = sigmoid(logits.clone().without_autodiff()) - constant(batch.targets, 1);
        let surrogate = (logits * (error * constant(batch.costs, 1))).mean();
        let mut gradients = surrogate.backward();
        let gradient = weights.grad_remove(&mut gradients).ok_or(TrainError::NoGradient)?;
        gradient.try_into_vec_as().map_err(TrainError::Gradient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;

    /// The formula by hand, in f64.
    fn expected(values: &[f32], batch: &Batch) -> Vec<f64> {
        let mut gradient = vec![0.0; values.len()];
        for (row, input) in batch.inputs.chunks_exact(values.len()).enumerate() {
            let logit: f64 = input.iter().zip(values).map(|(&x, &w)| f64::from(x) * f64::from(w)).sum();
            let error = 1.0 / (1.0 + (-logit).exp()) - f64::from(batch.targets[row]);
            let share = f64::from(batch.costs[row]) * error / batch.rows as f64;
            gradient.iter_mut().zip(input).for_each(|(g, &x)| *g += share * f64::from(x));
        }
        gradient
    }

    fn check_gradient(device: ComputeDevice) {
        let mut random = Random::new(4, "gradient");
        let (rows, width) = (37, 11);
        let values: Vec<f32> = (0..width).map(|_| random.normal() as f32).collect();
        let inputs = (0..rows * width).map(|_| random.unit() as f32).collect();
        let targets = (0..rows).map(|_| random.below(2) as f32).collect();
        let costs = (0..rows).map(|_| 0.5 + random.unit() as f32).collect();
        let batch = Batch { rows, inputs, targets, costs };
        let by_hand = expected(&values, &batch);
        let found = LossGradient::new(device).unwrap().at(&values, batch).unwrap();
        assert_eq!(found.len(), width);
        for (found, by_hand) in found.iter().zip(by_hand) {
            assert!((f64::from(*found) - by_hand).abs() < 1e-6, "{found} {by_hand}");
        }
    }

    #[test]
    fn the_gradient_on_flex_is_the_one_the_formula_gives() {
        check_gradient(ComputeDevice::Flex);
    }

    #[cfg(feature = "ndarray")]
    #[test]
    fn the_gradient_on_ndarray_is_the_one_the_formula_gives() {
        check_gradient(ComputeDevice::Ndarray);
    }
}
