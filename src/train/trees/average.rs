//! Several boosted models as one: each holds out another share of the rows to know when to stop, and their margins are
//! averaged, so that every row teaches most of them. Grows no tree itself.

use crate::base::rng::Random;
use crate::model::trees::Trees;
use crate::model::trees::batch::TreesRun;
use crate::train::hold_out::hold_out;
use crate::train::trees::boosting::{Course, Followed, Watch, follow};
use crate::train::trees::codes::{CodeTable, CodedPart, CodedShape};
use crate::train::trees::error::TreesError;
use crate::train::trees::params::{AverageParams, BoostingParams};

#[derive(Clone, Debug, PartialEq)]
pub struct Averaged {
    pub trees: Trees,
    /// Of every model alike.
    pub best_round: usize,
    /// The mean loss over all held-out rows after each round.
    pub valid_losses: Vec<f64>,
    /// A row's margin by the model that held it out; none for rows that none did.
    pub held_out: Vec<Option<f64>>,
}

/// Rows of a part, copied out.
struct Taken {
    table: CodeTable,
    labels: Vec<bool>,
    weights: Vec<f32>,
}

pub fn boost_average(
    part: CodedPart<'_>,
    shape: CodedShape<'_>,
    (params, average): (&BoostingParams, &AverageParams),
    seed: u64,
    watch: Watch<'_>,
) -> Result<Averaged, TreesError> {
    average.check()?;
    shape.check()?;
    part.check_shape("the training part", &shape)?;
    params.check()?;
    let random = &mut Random::new(seed, "trees.average");
    let held = hold_out(part.labels, average.models, average.held_share, random);
    let taken: Vec<[Taken; 2]> = held.iter().map(|rows| Taken::both(&part, rows)).collect();
    let mut checked = Vec::with_capacity(taken.len());
    for [teach, valid] in &taken {
        let teach = teach.part().check("the training part", &shape)?;
        checked.push((teach, valid.part().check("the held-out part", &shape)?));
    }
    let mut courses = Vec::with_capacity(checked.len());
    for (model, (teach, valid)) in checked.iter().enumerate() {
        courses.push(Course::new(teach, Some(valid), (shape, params), seed.wrapping_add(model as u64))?);
    }
    let Followed { best_round, valid_losses } = follow(&mut courses, params, watch)?;
    let models: Vec<Trees> = courses.into_iter().map(Course::trees).collect();
    let mut held_out = vec![None; part.table.rows];
    for ((model, [_, valid]), rows) in models.iter().zip(&taken).zip(&held) {
        let mut margins = vec![0.0; rows.len()];
        TreesRun::of(model).margins(&valid.table.columns, &mut margins);
        rows.iter().zip(margins).for_each(|(&row, margin)| held_out[row] = Some(margin));
    }
    Ok(Averaged { trees: merged(models, &shape), best_round, valid_losses, held_out })
}

/// The mean of the models' margins is the sum of their leaves, each worth its share.
fn merged(models: Vec<Trees>, shape: &CodedShape<'_>) -> Trees {
    let share = 1.0 / models.len().max(1) as f64;
    let mut merged = Trees { columns: shape.columns.to_vec(), base: 0.0, trees: Vec::new() };
    for model in models {
        merged.base += model.base * share;
        for mut tree in model.trees {
            tree.leaves.iter_mut().for_each(|leaf| leaf.value *= share);
            merged.trees.push(tree);
        }
    }
    merged
}

impl Taken {
    /// The rows that are not named, and those that are.
    fn both(part: &CodedPart<'_>, named: &[usize]) -> [Self; 2] {
        let mut is_named = vec![false; part.table.rows];
        named.iter().for_each(|&row| is_named[row] = true);
        let others: Vec<usize> = (0..part.table.rows).filter(|&row| !is_named[row]).collect();
        [Self::of(part, &others), Self::of(part, named)]
    }

    fn of(part: &CodedPart<'_>, rows: &[usize]) -> Self {
        let take = |codes: &Vec<u8>| rows.iter().map(|&row| codes[row]).collect();
        Self {
            table: CodeTable { rows: rows.len(), columns: part.table.columns.iter().map(take).collect() },
            labels: rows.iter().map(|&row| part.labels[row]).collect(),
            weights: rows.iter().map(|&row| part.weights[row]).collect(),
        }
    }

    fn part(&self) -> CodedPart<'_> {
        CodedPart { table: &self.table, labels: &self.labels, weights: &self.weights }
    }
}
