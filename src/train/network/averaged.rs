//! Several networks as one: each holds out its own share of the rows to know when to stop, and their members are put
//! together, which is the mean of their margins. For few rows, where one held-out part says little and is missed.
//! Steps nowhere itself.

use crate::base::cancel::CancelFlag;
use crate::base::limits;
use crate::base::progress::{Progress, Silent};
use crate::base::rng::Random;
use crate::features::matrix::Matrix;
use crate::model::network::{Layer, Network};
use crate::train::course::{Learned, Parts, Start};
use crate::train::examples::{Examples, TrainError};
use crate::train::hold_out::hold_out;
use crate::train::network::trainer::{Plan, train_network};
use crate::train::params::MlpParams;

/// The course that is told is the first network's.
pub fn train_averaged(
    plan: Plan<'_>,
    train: &Examples<'_>,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<Learned<Network>, TrainError> {
    train.check("training")?;
    let models = plan.params.models_for(train.matrix.rows);
    let random = &mut Random::new(plan.start.seed, "train.averaged");
    let held = hold_out(train.labels, models, 1.0 / models as f64, random);
    let params = MlpParams { members: plan.params.members.div_ceil(held.len()), ..plan.params.clone() };
    let (mut networks, mut told) = (Vec::with_capacity(held.len()), None);
    for (number, held) in held.iter().enumerate() {
        let others: Vec<usize> =
            (0..train.matrix.rows).filter(|row| held.binary_search(row).is_err()).collect();
        let (teach, teach_labels) = part(train, &others);
        let (valid, valid_labels) = part(train, held);
        let parts = Parts {
            train: Examples { matrix: &teach, labels: &teach_labels },
            valid: Examples { matrix: &valid, labels: &valid_labels },
        };
        let start = Start { seed: plan.start.seed.wrapping_add(number as u64), ..plan.start };
        let heard: &dyn Progress = if number == 0 { progress } else { &Silent };
        let learned = train_network(Plan { params: &params, start, ..plan }, &parts, cancel, heard)?;
        networks.push(learned.model);
        told.get_or_insert((learned.epochs, learned.best_epoch));
    }
    let (epochs, best_epoch) = told.unwrap_or_default();
    Ok(Learned { model: together(plan.recipe.width, &networks)?, epochs, best_epoch })
}

fn part(train: &Examples<'_>, rows: &[usize]) -> (Matrix, Vec<bool>) {
    (train.matrix.select(rows), rows.iter().map(|&row| train.labels[row]).collect())
}

/// Each network has learned embeddings of its own, so the members read the columns themselves.
fn together(width: usize, networks: &[Network]) -> Result<Network, TrainError> {
    let mut members = Vec::new();
    for network in networks {
        members.extend(network.members().iter().map(|member| unfolded(width, network, member)));
    }
    let found = members.iter().flatten().map(|layer| layer.weights.len() + layer.bias.len()).sum();
    if found > limits::NETWORK_WEIGHTS_MAX {
        return Err(TrainError::Weights { found });
    }
    Ok(Network::new(width, Vec::new(), members)?)
}

/// A member whose first layer has the embeddings multiplied in: a product of two linear maps is one.
fn unfolded(width: usize, network: &Network, member: &[Layer]) -> Vec<Layer> {
    let mut layers = member.to_vec();
    let Some(first) = layers.first_mut() else { return layers };
    let units = first.units;
    let mut weights = vec![0.0; width * units];
    let line = |input: usize| first.weights.get(input * units..(input + 1) * units).unwrap_or_default();
    let mut next = 0;
    for column in network.plain_columns().into_iter().flatten() {
        weights[column * units..(column + 1) * units].copy_from_slice(line(next));
        next += 1;
    }
    for embedding in network.embeddings() {
        for (column, numbers) in embedding.weights.chunks_exact(embedding.size).enumerate() {
            let at = (embedding.start + column) * units;
            for (unit, weight) in weights[at..at + units].iter_mut().enumerate() {
                let terms = numbers.iter().enumerate();
                let sum: f64 =
                    terms.map(|(n, &number)| f64::from(number) * f64::from(line(next + n)[unit])).sum();
                *weight = sum as f32;
            }
        }
        next += embedding.size;
    }
    (first.inputs, first.weights) = (width, weights);
    layers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::progress::Silent;
    use crate::features::recipe::{FittedEncoding, FittedField, FittedRecipe};
    use crate::model::network::Embedding;
    use crate::model::reference::ComputeDevice;
    use crate::model::scorer::Scorer as _;
    use crate::train::monotone::Directions;
    use crate::train::params::{FamilyParams, RawTrainParams};

    #[test]
    fn a_network_without_its_embeddings_says_the_same() {
        let mut random = Random::new(4, "unfolded");
        let mut draw = |count: usize| (0..count).map(|_| random.normal() as f32).collect::<Vec<f32>>();
        let embedding = Embedding { field: 0, start: 1, width: 4, size: 2, weights: draw(8) };
        let first = Layer { inputs: 5, units: 3, weights: draw(15), bias: draw(3) };
        let last = Layer { inputs: 3, units: 1, weights: draw(3), bias: draw(1) };
        let network = Network::new(7, vec![embedding], vec![vec![first, last]]).unwrap();
        let whole = together(7, &[network.clone(), network.clone()]).unwrap();
        assert!(whole.embeddings().is_empty() && whole.members().len() == 2);
        for _ in 0..20 {
            let row = draw(7);
            assert!((network.margin(&row) - whole.margin(&row)).abs() < 1e-5);
        }
    }

    #[test]
    fn few_rows_teach_several_networks_that_share_the_members_and_the_same_seed_gives_the_same_bits() {
        let mut random = Random::new(2, "averaged");
        let encoding = FittedEncoding::OneHot { levels: (0..8).map(|level| level.to_string()).collect() };
        let (width, field) = (encoding.width(), "level".to_string());
        let values: Vec<f32> = (0..600 * width).map(|_| random.unit() as f32).collect();
        let labels: Vec<bool> =
            values.chunks(width).map(|row| random.unit() < 0.1 + 0.8 * f64::from(row[0])).collect();
        let matrix = Matrix { rows: 600, width, values };
        let field = FittedField {
            field: field.into(),
            encoding,
            start: 0,
            width,
            known_levels: Vec::new(),
            code: None,
        };
        let recipe = FittedRecipe { fields: vec![field], width };
        let mut raw = RawTrainParams::default();
        ["family=mlp", "mlp.hidden=[8]", "mlp.epochs=15"].iter().for_each(|set| raw.set(set).unwrap());
        let FamilyParams::Mlp(params) = raw.check().unwrap().family else { panic!() };
        let directions = Directions::default();
        let learn = |seed| {
            let start = Start { seed, device: ComputeDevice::Flex };
            let plan = Plan { params: &params, recipe: &recipe, directions: &directions, start };
            let train = Examples { matrix: &matrix, labels: &labels };
            train_averaged(plan, &train, &CancelFlag::new(), &Silent).unwrap()
        };
        let learned = learn(1);
        assert_eq!(learned.model.members().len(), 10, "five networks of two members");
        assert_eq!(learned, learn(1));
        assert_ne!(learned.model, learn(2).model);
        let of = |low: bool| {
            let rows = (0..600).filter(|&row| (matrix.row(row)[0] < 0.5) == low);
            rows.map(|row| learned.model.margin(matrix.row(row))).sum::<f64>()
        };
        assert!(of(true) < of(false));
    }
}
