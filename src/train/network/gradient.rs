//! The exact gradient of the weighted log loss of one batch through a network, and the margins of many rows: by the
//! flat pass, or by burn on one of its backends. Draws no numbers: which units a step leaves out it is told.

use crate::features::matrix::Matrix;
use crate::model::reference::ComputeDevice;
use crate::train::examples::TrainError;
use crate::train::network::burned::BurnGradient;
use crate::train::network::flat::FlatGradient;
use crate::train::network::shape::Shape;

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
pub(super) const MARGIN_ROWS: usize = 2_048;

/// A gradient machine of a device.
pub enum NetworkGradient {
    /// Burn moves every number in and out of tensors at each step; this keeps them where they are.
    Flat(Box<FlatGradient>),
    Burn(Box<BurnGradient>),
}

impl NetworkGradient {
    pub fn new(device: ComputeDevice, shape: Shape) -> Result<Self, TrainError> {
        match device {
            ComputeDevice::Flat => Ok(Self::Flat(Box::new(FlatGradient::new(shape)))),
            ComputeDevice::Flex | ComputeDevice::Ndarray => {
                Ok(Self::Burn(Box::new(BurnGradient::new(device, shape)?)))
            }
        }
    }

    /// Writes one number a value of the flat array. Each member is taught as if it were alone.
    pub fn write(
        &mut self,
        values: &[f32],
        batch: NetworkBatch,
        gradient: &mut [f32],
    ) -> Result<(), TrainError> {
        match self {
            Self::Flat(flat) => flat.write(values, &batch, gradient),
            Self::Burn(burn) => burn.write(values, batch, gradient)?,
        }
        Ok(())
    }

    /// The margins of the network that the flat array makes, one a row.
    pub fn margins(&self, values: &[f32], matrix: &Matrix) -> Result<Vec<f64>, TrainError> {
        match self {
            Self::Flat(flat) => Ok(flat.margins(values, matrix)),
            Self::Burn(burn) => burn.margins(values, matrix),
        }
    }
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

    fn flat(shape: Shape) -> NetworkGradient {
        NetworkGradient::new(ComputeDevice::Flat, shape).unwrap()
    }

    fn flex(shape: Shape) -> NetworkGradient {
        NetworkGradient::new(ComputeDevice::Flex, shape).unwrap()
    }

    fn check_gradient(machine: impl Fn(Shape) -> NetworkGradient) {
        check_gradient_of(1, &machine);
        check_gradient_of(3, &machine);
    }

    fn check_gradient_of(members: usize, machine: impl Fn(Shape) -> NetworkGradient) {
        let (shape, sample) = (shape(members), sample(members));
        let values = shape.first_values(&[0.1; 12], -0.4, &mut Random::new(3, "values"));
        let mut found = vec![f32::NAN; values.len()];
        let mut machine = machine(shape.clone());
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
            let network = shape.network(&values).unwrap();
            for machine in [flat(shape.clone()), flex(shape.clone())] {
                let found = machine.margins(&values, &matrix).unwrap();
                assert_eq!(found.len(), matrix.rows);
                for (row, found) in found.into_iter().enumerate() {
                    let own = network.margin(matrix.row(row));
                    assert!((found - own).abs() < 1e-5, "{members} {row}: {found} {own}");
                }
            }
        }
    }

    #[test]
    fn the_gradient_by_hand_is_the_slope_of_the_loss_with_units_left_out() {
        check_gradient(flat);
    }

    #[test]
    fn the_gradient_on_flex_is_the_slope_of_the_loss_with_units_left_out() {
        check_gradient(flex);
    }

    #[cfg(feature = "ndarray")]
    #[test]
    fn the_gradient_on_ndarray_is_the_slope_of_the_loss_with_units_left_out() {
        check_gradient(|shape| NetworkGradient::new(ComputeDevice::Ndarray, shape).unwrap());
    }

    #[test]
    fn the_gradient_by_hand_is_burns_and_a_second_step_finds_nothing_of_the_first() {
        for members in [1, 3] {
            let (shape, sample) = (shape(members), sample(members));
            let values = shape.first_values(&[0.1; 12], -0.4, &mut Random::new(3, "values"));
            let (mut flat, mut flex) = (flat(shape.clone()), flex(shape.clone()));
            let (mut by_hand, mut by_burn) = (vec![f32::NAN; values.len()], vec![f32::NAN; values.len()]);
            flat.write(&values, batch(&sample), &mut by_hand).unwrap();
            let first = by_hand.clone();
            flat.write(&values, NetworkBatch { kept: Vec::new(), ..batch(&sample) }, &mut by_hand).unwrap();
            assert_ne!(by_hand, first, "{members}");
            flat.write(&values, batch(&sample), &mut by_hand).unwrap();
            assert_eq!(by_hand, first, "{members}");
            flex.write(&values, batch(&sample), &mut by_burn).unwrap();
            for (at, (hand, burn)) in by_hand.iter().zip(&by_burn).enumerate() {
                assert!((hand - burn).abs() < 1e-6, "{members} {at}: {hand} {burn}");
            }
        }
    }
}
