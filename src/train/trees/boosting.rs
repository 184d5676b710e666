//! Gradient boosting of the weighted log loss: a tree a round, until the validation loss stops falling.
//! Grows no tree itself and codes nothing.

use crate::base::cancel::CancelFlag;
use crate::base::progress::Progress;
use crate::base::rng::Random;
use crate::model::trees::batch::TreeRun;
use crate::model::trees::{Tree, Trees};
use crate::train::trees::codes::{CheckedPart, CodedPart, CodedShape};
use crate::train::trees::error::TreesError;
use crate::train::trees::grow::gradients::Gradients;
use crate::train::trees::grow::{Ground, Grower, Offer, draw};
use crate::train::trees::params::BoostingParams;

/// The rows that teach and, where there are any, those that say when to stop.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    pub train: CodedPart<'a>,
    pub valid: Option<CodedPart<'a>>,
}

/// Who may stop a training and who hears of it.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    pub cancel: &'a CancelFlag,
    pub progress: &'a dyn Progress,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Boosted {
    /// As it was after the best round; after the last where nothing was held out.
    pub trees: Trees,
    pub best_round: usize,
    /// The mean validation loss after each round.
    pub valid_losses: Vec<f64>,
}

/// What a course of one or more models came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    pub best_round: usize,
    pub valid_losses: Vec<f64>,
}

pub fn boost(
    parts: Parts<'_>,
    shape: CodedShape<'_>,
    params: &BoostingParams,
    seed: u64,
    watch: Watch<'_>,
) -> Result<Boosted, TreesError> {
    params.check()?;
    shape.check()?;
    let train = parts.train.check("the training part", &shape)?;
    let valid = parts.valid.map(|part| part.check("the validation part", &shape)).transpose()?;
    let mut courses = [Course::new(&train, valid.as_ref(), (shape, params), seed)?];
    let followed = follow(&mut courses, params, watch)?;
    let [course] = courses;
    let Followed { best_round, valid_losses } = followed;
    Ok(Boosted { trees: course.trees(), best_round, valid_losses })
}

/// Takes all courses on together, a round at a time, until the loss over all their held-out rows stops falling, and
/// back to where it was least.
pub fn follow(
    courses: &mut [Course<'_>],
    params: &BoostingParams,
    watch: Watch<'_>,
) -> Result<Followed, TreesError> {
    let (mut valid_losses, mut idle) = (Vec::new(), 0);
    let mut best = (mean_loss(courses).unwrap_or(f64::INFINITY), 0);
    watch.progress.stage("boosting", params.rounds_max as u64);
    for round in 1..=params.rounds_max {
        watch.cancel.check()?;
        let mut grew = false;
        for course in courses.iter_mut() {
            grew |= course.round();
        }
        idle = if grew { 0 } else { idle + 1 };
        if idle >= params.patience {
            break;
        }
        watch.progress.step(round as u64);
        let Some(loss) = mean_loss(courses) else { continue };
        if !loss.is_finite() {
            return Err(TreesError::Diverged { round });
        }
        watch.progress.metric("valid_loss", round as i64, loss);
        valid_losses.push(loss);
        if loss < best.0 {
            best = (loss, round);
        }
        if round - best.1 >= params.patience {
            break;
        }
    }
    let held = courses.iter().any(|course| course.held.is_some());
    let best_round = if held { best.1 } else { courses.first().map_or(0, |course| course.trees.len()) };
    courses.iter_mut().for_each(|course| course.trees.truncate(best_round));
    Ok(Followed { best_round, valid_losses })
}

/// Over the held-out rows of all courses; none where none holds any.
fn mean_loss(courses: &[Course<'_>]) -> Option<f64> {
    let held = || courses.iter().filter_map(|course| course.held.as_ref());
    let (loss, weight) =
        held().fold((0.0, 0.0), |(loss, weight), held| (loss + held.loss(), weight + held.weight));
    (weight > 0.0).then(|| loss / weight)
}

/// One training under way.
pub struct Course<'a> {
    train: &'a CheckedPart<'a>,
    shape: CodedShape<'a>,
    params: &'a BoostingParams,
    grower: Grower<'a>,
    gradients: Gradients,
    base: f64,
    margins: Vec<f64>,
    held: Option<Held<'a>>,
    trees: Vec<Tree>,
    random: Random,
    order: Vec<u32>,
}

impl<'a> Course<'a> {
    /// All that is given must have been checked.
    pub fn new(
        train: &'a CheckedPart<'a>,
        valid: Option<&'a CheckedPart<'a>>,
        (shape, params): (CodedShape<'a>, &'a BoostingParams),
        seed: u64,
    ) -> Result<Self, TreesError> {
        let base = train.log_odds("the training part")?;
        Ok(Self {
            train,
            shape,
            params,
            grower: Grower::new(Ground { part: train, shape, params: &params.grow }),
            gradients: Gradients::new(train.rows()),
            base,
            margins: vec![base; train.rows()],
            held: valid.map(|valid| Held::new(valid, base)).transpose()?,
            trees: Vec::new(),
            random: Random::new(seed, "trees.boosting"),
            order: Vec::new(),
        })
    }

    /// Whether anything was found to split. A round that was not counts, but its tree would say nothing.
    fn round(&mut self) -> bool {
        draw_rows(self.train.rows(), self.params.row_share, &mut self.random, &mut self.order);
        let width = self.shape.columns.len();
        let count = ((self.params.column_share * width as f64).round() as usize).max(self.params.columns_min);
        let mut offer = Offer::Fixed(draw(width, count, &mut self.random));
        self.gradients.take(&self.margins, self.train.labels, self.train.weights, &self.order);
        let grown = self.grower.grow(&mut self.order, &self.gradients, &mut offer);
        let tree = grown.tree(|leaf| grown.nodes[leaf].value * self.params.learning_rate);
        if tree.branches.is_empty() {
            self.trees.push(Tree::default());
            return false;
        }
        let run = TreeRun::of(&tree);
        run.add(&self.train.table.columns, &mut self.margins);
        if let Some(held) = &mut self.held {
            run.add(&held.part.table.columns, &mut held.margins);
        }
        self.trees.push(tree);
        true
    }

    pub fn trees(mut self) -> Trees {
        self.trees.retain(|tree| !tree.branches.is_empty());
        Trees { columns: self.shape.columns.to_vec(), base: self.base, trees: self.trees }
    }
}

/// Each row by itself with the probability given, in their order.
pub fn draw_rows(rows: usize, share: f64, random: &mut Random, drawn: &mut Vec<u32>) {
    drawn.clear();
    drawn.resize(rows, 0);
    // Three rows a draw, each with 16 bits of it.
    let below = (share * 65_536.0).round() as usize;
    let (mut bits, mut count) = (0, 0);
    for row in 0..rows {
        if row % 3 == 0 {
            bits = random.below(1 << 48);
        }
        drawn[count] = row as u32;
        count += usize::from(bits & 0xffff < below);
        bits >>= 16;
    }
    drawn.truncate(count);
}

/// The validation part and its margins so far.
struct Held<'a> {
    part: &'a CheckedPart<'a>,
    margins: Vec<f64>,
    weight: f64,
}

impl<'a> Held<'a> {
    fn new(part: &'a CheckedPart<'a>, base: f64) -> Result<Self, TreesError> {
        part.log_odds("the validation part")?;
        let weight = part.weights.iter().map(|&weight| f64::from(weight)).sum();
        Ok(Self { part, margins: vec![base; part.rows()], weight })
    }

    /// Summed over the rows, each by its weight.
    fn loss(&self) -> f64 {
        let rows = self.margins.iter().zip(self.part.labels).zip(self.part.weights);
        let losses = rows.map(|((&margin, &label), &weight)| {
            let wrong = if label { -margin } else { margin };
            f64::from(weight) * (wrong.max(0.0) + (-wrong.abs()).exp().ln_1p())
        });
        losses.sum()
    }
}
