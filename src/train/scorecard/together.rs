//! What each group of each column adds to the margin, found for all columns at once: a logistic regression in which a
//! group is drawn to its neighbours, or to nothing where it has none, and each column by as much as its own rows say
//! that it hardly varies. Knows no field and no request.

use std::ops::Range;

use crate::train::scorecard::solve::Factor;

/// A column's codes as groups that are worth the same.
#[derive(Clone, Debug)]
pub struct Grouped<'a> {
    pub cells: &'a [u8],
    /// Of each code; below `groups`.
    pub group_of: Vec<u8>,
    pub groups: usize,
    /// Groups that stand in the order of their values.
    pub ordered: Range<usize>,
}

#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    pub columns: &'a [Grouped<'a>],
    pub labels: &'a [bool],
    pub weights: &'a [f64],
}

#[derive(Clone, Debug, PartialEq)]
pub struct Together {
    pub intercept: f64,
    /// Of each group of each column.
    pub worths: Vec<Vec<f64>>,
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum TogetherError {
    #[error("the scorecard's evidence did not settle in {steps} steps: raise scorecard.l2")]
    Unsettled { steps: usize },
}

const STEPS_MAX: usize = 60;
const HALVINGS_MAX: usize = 40;
/// A step that small moves no probability that anyone could tell.
const STEP_SMALL: f64 = 1e-9;
/// How often columns are asked anew how much they vary, and the change of that (of its logarithm) that is none.
const ROUNDS_MAX: usize = 15;
const ROUND_SMALL: f64 = 0.02;
/// How many groups' worth of belief says that a column's penalty is the one that was asked for.
const BELIEF: f64 = 2.0;
/// What draws a group of an ordered column to nothing, beside what draws it to its neighbours: it keeps the whole in
/// place where neighbours only say how groups differ.
const TO_NOTHING: f64 = 0.1;

/// The least of the weighted log loss with `penalty / 2` times each column's roughness, the penalties being estimated
/// from the rows: the more a column varies beside what chance makes of it, the less it is held (by expectation and
/// maximization, every worth being a draw from a normal distribution of the column's own spread).
pub fn fit_together(sample: &Sample<'_>, l2: f64) -> Result<Together, TogetherError> {
    let plan = Plan::of(sample);
    let mut penalties = vec![l2; sample.columns.len()];
    let mut at = vec![0.0; plan.count];
    at[0] = sample.log_odds();
    let factor = plan.settle(&mut at, &penalties)?;
    let mut changed = plan.reconsider(&mut penalties, &at, &factor, l2);
    for _ in 0..ROUNDS_MAX {
        if changed < ROUND_SMALL {
            break;
        }
        let bend = plan.bend(&at, &penalties);
        plan.step(&mut at, &bend, &penalties);
        changed = plan.reconsider(&mut penalties, &at, &bend.factor, l2);
    }
    plan.settle(&mut at, &penalties)?;
    let worths = sample.columns.iter().zip(&plan.starts);
    let worths = worths.map(|(column, &start)| at[start..start + column.groups].to_vec()).collect();
    Ok(Together { intercept: at[0], worths })
}

impl Sample<'_> {
    fn log_odds(&self) -> f64 {
        let (mut events, mut others) = (0.0, 0.0);
        for (&label, &weight) in self.labels.iter().zip(self.weights) {
            if label { events += weight } else { others += weight }
        }
        (events / others).ln()
    }
}

/// Where each column's groups stand among all numbers (the intercept is the first), and their roughness.
struct Plan<'a> {
    sample: &'a Sample<'a>,
    starts: Vec<usize>,
    count: usize,
    roughness: Vec<Roughness>,
}

/// Slope of the loss at a point, and its curvature taken apart.
struct Bend {
    slope: Vec<f64>,
    factor: Factor,
    loss: f64,
}

impl<'a> Plan<'a> {
    fn of(sample: &'a Sample<'a>) -> Self {
        let (mut starts, mut count) = (Vec::with_capacity(sample.columns.len()), 1);
        for column in sample.columns {
            starts.push(count);
            count += column.groups;
        }
        let roughness = sample.columns.iter().map(Roughness::of).collect();
        Self { sample, starts, count, roughness }
    }

    /// To where no step is left.
    fn settle(&self, at: &mut [f64], penalties: &[f64]) -> Result<Factor, TogetherError> {
        for _ in 0..STEPS_MAX {
            let bend = self.bend(at, penalties);
            if self.step(at, &bend, penalties) <= STEP_SMALL {
                return Ok(bend.factor);
            }
        }
        Err(TogetherError::Unsettled { steps: STEPS_MAX })
    }

    /// Down by Newton's step, halved until it lowers the loss; says how far.
    fn step(&self, at: &mut [f64], bend: &Bend, penalties: &[f64]) -> f64 {
        let whole = bend.factor.solve(&bend.slope);
        let mut share = 1.0;
        for _ in 0..HALVINGS_MAX {
            let next: Vec<f64> = at.iter().zip(&whole).map(|(a, step)| a - share * step).collect();
            let far = whole.iter().fold(0.0f64, |most, step| most.max((share * step).abs()));
            if far <= STEP_SMALL || self.loss(&next, penalties) < bend.loss {
                at.copy_from_slice(&next);
                return far;
            }
            share *= 0.5;
        }
        // No step lowers the loss any more: this is as near as doubles come.
        0.0
    }

    /// The places of a row's groups, the intercept's first.
    fn find_places(&self, row: usize, places: &mut [usize]) {
        for ((place, column), start) in places[1..].iter_mut().zip(self.sample.columns).zip(&self.starts) {
            *place = start + usize::from(column.group_of[usize::from(column.cells[row])]);
        }
    }

    fn loss(&self, at: &[f64], penalties: &[f64]) -> f64 {
        let mut loss = self.rough(at, penalties);
        let mut places = vec![0; self.starts.len() + 1];
        for (row, (&label, &weight)) in self.sample.labels.iter().zip(self.sample.weights).enumerate() {
            self.find_places(row, &mut places);
            let margin: f64 = places.iter().map(|&place| at[place]).sum();
            loss += weight * wrong(margin, label);
        }
        loss
    }

    fn rough(&self, at: &[f64], penalties: &[f64]) -> f64 {
        let own = self.roughness.iter().zip(&self.starts).zip(penalties);
        own.map(|((rough, &start), penalty)| 0.5 * penalty * rough.of_worths(&at[start..])).sum()
    }

    fn bend(&self, at: &[f64], penalties: &[f64]) -> Bend {
        let count = self.count;
        let (mut slope, mut curvature) = (vec![0.0; count], vec![0.0; count * count]);
        let mut loss = self.rough(at, penalties);
        let mut places = vec![0; self.starts.len() + 1];
        for (row, (&label, &weight)) in self.sample.labels.iter().zip(self.sample.weights).enumerate() {
            self.find_places(row, &mut places);
            let margin: f64 = places.iter().map(|&place| at[place]).sum();
            loss += weight * wrong(margin, label);
            let chance = 1.0 / (1.0 + (-margin).exp());
            let miss = weight * (chance - f64::from(u8::from(label)));
            let bend = weight * chance * (1.0 - chance);
            // Places rise, so that only the lower half is filled.
            for (number, &place) in places.iter().enumerate() {
                slope[place] += miss;
                places[..=number].iter().for_each(|other| curvature[place * count + other] += bend);
            }
        }
        for ((rough, &start), penalty) in self.roughness.iter().zip(&self.starts).zip(penalties) {
            rough.each(|group, other, by| {
                slope[start + group] += penalty * by * at[start + other];
                if other <= group {
                    curvature[(start + group) * count + start + other] += penalty * by;
                }
            });
        }
        Bend { slope, factor: Factor::of(curvature, count), loss }
    }

    /// The penalties that the worths, and how unsure they are, make likeliest; says how far they moved.
    fn reconsider(&self, penalties: &mut [f64], at: &[f64], factor: &Factor, l2: f64) -> f64 {
        let inverse = factor.inverse();
        let mut changed = 0.0f64;
        for ((rough, &start), penalty) in self.roughness.iter().zip(&self.starts).zip(penalties.iter_mut()) {
            let mut expected = rough.of_worths(&at[start..]);
            rough.each(|group, other, by| expected += by * inverse.covariance(start + group, start + other));
            let next = (rough.groups as f64 + BELIEF) / (expected + BELIEF / l2);
            changed = changed.max((next / *penalty).ln().abs());
            *penalty = next;
        }
        changed
    }
}

/// `ln(1 + e^x)` of the margin against the label, without overflow.
fn wrong(margin: f64, label: bool) -> f64 {
    let against = if label { -margin } else { margin };
    against.max(0.0) + (-against.abs()).exp().ln_1p()
}

/// A quadratic form of a column's worths: squares of the steps between neighbours, and of each worth itself.
struct Roughness {
    groups: usize,
    ordered: Range<usize>,
    /// What a step between neighbours counts: the more groups there are, the smaller steps should be.
    neighbours: f64,
}

impl Roughness {
    fn of(column: &Grouped<'_>) -> Self {
        let ordered = if column.ordered.len() > 1 { column.ordered.clone() } else { 0..0 };
        Self { groups: column.groups, neighbours: ordered.len() as f64 / 4.0, ordered }
    }

    /// Every entry of its matrix that is not zero: place, place, number.
    fn each(&self, mut found: impl FnMut(usize, usize, f64)) {
        for group in 0..self.groups {
            found(group, group, if self.ordered.contains(&group) { TO_NOTHING } else { 1.0 });
        }
        for (group, next) in self.ordered.clone().zip(self.ordered.clone().skip(1)) {
            found(group, group, self.neighbours);
            found(next, next, self.neighbours);
            found(group, next, -self.neighbours);
            found(next, group, -self.neighbours);
        }
    }

    /// `worths` begin with this column's.
    fn of_worths(&self, worths: &[f64]) -> f64 {
        let mut sum = 0.0;
        self.each(|group, other, by| sum += by * worths[group] * worths[other]);
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;

    const ROWS: usize = 3_000;

    /// Twenty groups that rise, and twenty that say nothing.
    fn drawn(seed: u64) -> ([Vec<u8>; 2], Vec<bool>) {
        let mut random = Random::new(seed, "together");
        let mut cells = [Vec::new(), Vec::new()];
        let mut labels = Vec::new();
        for _ in 0..ROWS {
            let (rising, nothing) = (random.below(20), random.below(20));
            cells[0].push(rising as u8);
            cells[1].push(nothing as u8);
            labels.push(random.unit() < 1.0 / (1.0 + (1.5 - 0.15 * rising as f64).exp()));
        }
        (cells, labels)
    }

    fn grouped(cells: &[u8], ordered: Range<usize>) -> Grouped<'_> {
        Grouped { cells, group_of: (0..20).collect(), groups: 20, ordered }
    }

    fn spread(worths: &[f64]) -> f64 {
        let mean = worths.iter().sum::<f64>() / worths.len() as f64;
        (worths.iter().map(|w| (w - mean) * (w - mean)).sum::<f64>() / worths.len() as f64).sqrt()
    }

    #[test]
    fn a_column_that_says_nothing_is_held_and_one_that_rises_keeps_its_slope() {
        let (cells, labels) = drawn(1);
        let weights = vec![1.0; ROWS];
        for ordered in [0..20, 0..0] {
            let columns = [grouped(&cells[0], ordered.clone()), grouped(&cells[1], ordered)];
            let sample = Sample { columns: &columns, labels: &labels, weights: &weights };
            let found = fit_together(&sample, 10.0).unwrap();
            // The truth's spread is 0.15 times the deviation of 0 to 19: 0.865.
            assert!((spread(&found.worths[0]) - 0.865).abs() < 0.15, "{}", spread(&found.worths[0]));
            assert!(spread(&found.worths[1]) < 0.1, "{}", spread(&found.worths[1]));
            assert_eq!(found, fit_together(&sample, 10.0).unwrap());
        }
    }

    #[test]
    fn neighbours_are_nearer_to_the_truth_than_groups_without_an_order() {
        let (cells, labels) = drawn(2);
        let weights = vec![1.0; ROWS];
        let miss = |ordered: Range<usize>| {
            let columns = [grouped(&cells[0], ordered)];
            let sample = Sample { columns: &columns, labels: &labels, weights: &weights };
            let found = fit_together(&sample, 10.0).unwrap();
            let own = |group: usize| found.intercept + found.worths[0][group] + 1.5 - 0.15 * group as f64;
            (0..20).map(|group| own(group) * own(group)).sum::<f64>()
        };
        assert!(miss(0..20) < 0.7 * miss(0..0), "{} {}", miss(0..20), miss(0..0));
    }

    #[test]
    fn no_worth_can_be_moved_without_raising_the_loss() {
        let (cells, labels) = drawn(3);
        let weights: Vec<f64> = (0..ROWS).map(|row| 0.5 + (row % 3) as f64).collect();
        let columns = [grouped(&cells[0], 0..20), grouped(&cells[1], 0..0)];
        let sample = Sample { columns: &columns, labels: &labels, weights: &weights };
        let plan = Plan::of(&sample);
        let mut at = vec![0.0; plan.count];
        let penalties = [3.0, 20.0];
        plan.settle(&mut at, &penalties).unwrap();
        let least = plan.loss(&at, &penalties);
        for place in 0..at.len() {
            for step in [1e-3, -1e-3] {
                let mut moved = at.clone();
                moved[place] += step;
                assert!(plan.loss(&moved, &penalties) > least, "{place} {step}");
            }
        }
    }
}
