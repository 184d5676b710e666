//! The same margins computed by burn on a chosen device, to check the flat forward pass against.
//! Never serves a prediction; the only file of this room that names burn.

use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData, TensorReadError};
use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::features::matrix::Matrix;
use crate::model::linear::Linear;
use crate::model::network::{Layer, Network};

/// What training computes on: loops of our own, or a backend of burn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComputeDevice {
    /// The flat pass of a family that has one for training, checked against burn; another family is on burn's flex.
    Flat,
    Flex,
    /// The reference backend; present where the program was built with the feature `ndarray`.
    Ndarray,
}

#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    #[error("the device \"ndarray\" is not part of this program")]
    NotBuiltIn,
    #[error("the device {device:?} failed: {source}")]
    Failed { device: ComputeDevice, source: TensorReadError },
}

impl Fact for DeviceError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotBuiltIn => "device.not_built_in",
            Self::Failed { .. } => "device.failed",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::NotBuiltIn => Class::Usage,
            Self::Failed { .. } => Class::Failed,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::NotBuiltIn => Some(
                "Set `device = \"flex\"`, or build the program with `cargo build --release --features ndarray`."
                    .into(),
            ),
            Self::Failed { .. } => None,
        }
    }
}

impl ComputeDevice {
    pub fn is_built_in(self) -> bool {
        match self {
            Self::Flat | Self::Flex => true,
            Self::Ndarray => cfg!(feature = "ndarray"),
        }
    }

    pub fn open(self) -> Result<Device, DeviceError> {
        match self {
            Self::Flat | Self::Flex => Ok(Device::flex()),
            Self::Ndarray => open_ndarray(),
        }
    }
}

#[cfg(feature = "ndarray")]
fn open_ndarray() -> Result<Device, DeviceError> {
    // Deprecated upstream, and wanted for that very reason: a second, unrelated opinion.
    #[allow(deprecated)]
    Ok(Device::ndarray())
}

#[cfg(not(feature = "ndarray"))]
fn open_ndarray() -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuiltIn)
}

/// The margins of all rows as one matrix product in f32.
pub fn margins(linear: &Linear, matrix: &Matrix, device: ComputeDevice) -> Result<Vec<f64>, DeviceError> {
    let on = device.open()?;
    let rows =
        Tensor::<2>::from_data(TensorData::new(matrix.values.clone(), [matrix.rows, matrix.width]), &on);
    let weights =
        Tensor::<2>::from_data(TensorData::new(linear.weights.clone(), [linear.weights.len(), 1]), &on);
    let margins = rows.matmul(weights).add_scalar(linear.bias);
    let values: Vec<f32> =
        margins.try_into_vec_as().map_err(|source| DeviceError::Failed { device, source })?;
    Ok(values.into_iter().map(f64::from).collect())
}

/// A network's margins of all rows, layer by layer in f32.
pub fn network_margins(
    network: &Network,
    matrix: &Matrix,
    device: ComputeDevice,
) -> Result<Vec<f64>, DeviceError> {
    let on = device.open()?;
    let table = |values: Vec<f32>, shape| Tensor::<2>::from_data(TensorData::new(values, shape), &on);
    let columns = |from: usize, to: usize| {
        let rows = (0..matrix.rows).flat_map(|row| matrix.row(row)[from..to].iter().copied());
        table(rows.collect(), [matrix.rows, to - from])
    };
    let mut front: Vec<Tensor<2>> =
        network.plain_columns().into_iter().map(|range| columns(range.start, range.end)).collect();
    for embedding in network.embeddings() {
        let weights = table(embedding.weights.clone(), [embedding.width, embedding.size]);
        front.push(columns(embedding.start, embedding.start + embedding.width).matmul(weights));
    }
    let through = |values: Tensor<2>, layer: &Layer| {
        let weights = table(layer.weights.clone(), [layer.inputs, layer.units]);
        values.matmul(weights) + table(layer.bias.clone(), [1, layer.units])
    };
    let front = Tensor::cat(front, 1);
    let member = |layers: &Vec<Layer>| {
        let mut values = front.clone();
        for (number, layer) in layers.iter().enumerate() {
            values = through(if number == 0 { values } else { relu(values) }, layer);
        }
        values
    };
    let all = Tensor::cat(network.members().iter().map(member).collect(), 1).mean_dim(1);
    let margins: Vec<f32> = all.try_into_vec_as().map_err(|source| DeviceError::Failed { device, source })?;
    Ok(margins.into_iter().map(f64::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;
    use crate::model::network::tests::drawn_members;
    use crate::model::scorer::Scorer;

    fn check_parity(device: ComputeDevice) {
        for seed in 0..20 {
            let mut random = Random::new(seed, "parity");
            let (rows, width) = (64, 200);
            let values = (0..rows * width).map(|_| random.unit() as f32).collect();
            let matrix = Matrix { rows, width, values };
            let weights = (0..width).map(|_| (4.0 * random.unit() - 2.0) as f32).collect();
            let linear = Linear { weights, bias: random.normal() as f32 };
            let burned = margins(&linear, &matrix, device).unwrap();
            for (row, margin) in burned.into_iter().enumerate() {
                let flat = linear.margin(matrix.row(row));
                // f32 sums are good to a share of what was added up, not of what is left of it.
                let terms = linear.weights.iter().zip(matrix.row(row)).map(|(w, x)| f64::from((w * x).abs()));
                let tolerance = 1e-6 * (f64::from(linear.bias.abs()) + terms.sum::<f64>());
                assert!((margin - flat).abs() <= tolerance, "seed {seed} row {row}: {margin} {flat}");
            }
        }
    }

    fn check_network_parity(device: ComputeDevice) {
        for seed in 0..5 {
            let network = drawn_members(seed, 1 + seed as usize, &[30, 12, 40, 9], &[24, 12]);
            let mut random = Random::new(seed, "network parity");
            let (rows, width) = (40, 91);
            let values = (0..rows * width).map(|_| random.unit() as f32).collect();
            let matrix = Matrix { rows, width, values };
            let burned = network_margins(&network, &matrix, device).unwrap();
            for (row, margin) in burned.into_iter().enumerate() {
                let flat = network.margin(matrix.row(row));
                // About a hundred terms a layer, each of a size that the layers before multiply.
                assert!((margin - flat).abs() <= 3e-5 * (1.0 + flat.abs()), "{seed} {row}: {margin} {flat}");
            }
        }
    }

    #[test]
    fn flex_and_the_flat_pass_agree() {
        check_parity(ComputeDevice::Flex);
        check_network_parity(ComputeDevice::Flex);
    }

    #[cfg(feature = "ndarray")]
    #[test]
    fn ndarray_and_the_flat_pass_agree() {
        check_parity(ComputeDevice::Ndarray);
        check_network_parity(ComputeDevice::Ndarray);
    }

    #[cfg(not(feature = "ndarray"))]
    #[test]
    fn a_backend_that_was_not_built_in_is_refused_by_name() {
        assert!(matches!(ComputeDevice::Ndarray.open(), Err(DeviceError::NotBuiltIn)));
    }
}
