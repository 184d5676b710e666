//! What each family's margin should count in a sum of them: a logistic regression on out-of-fold margins, with no
//! weight below 0 and each drawn towards an equal share. Fits no family.

/// As good as this many rows of evidence for equal shares: of few rows, held-out folds are foretold better than with
/// less; with more, the weights of some thousand rows come out too equal.
const PRIOR: f64 = 30.0;
/// A member that counts less is left out.
const WEIGHT_MIN: f64 = 0.02;
const STEPS_MAX: usize = 200;
const GRADIENT_SMALL: f64 = 1e-9;

#[derive(Clone, Debug, PartialEq)]
pub struct Stacked {
    pub bias: f64,
    /// One a family, in their order; 0 for one that is left out.
    pub weights: Vec<f64>,
}

impl Stacked {
    pub fn margin(&self, margins: impl Iterator<Item = f64>) -> f64 {
        margins.zip(&self.weights).fold(self.bias, |sum, (margin, weight)| sum + weight * margin)
    }
}

/// `margins` are one list a family, each as long as `labels`.
pub fn stack(margins: &[&[f64]], labels: &[bool]) -> Stacked {
    let mut used: Vec<usize> = (0..margins.len()).collect();
    loop {
        let own: Vec<&[f64]> = used.iter().map(|&family| margins[family]).collect();
        let found = fit(&own, labels);
        let kept: Vec<usize> =
            used.iter().zip(&found.weights).filter(|(_, w)| **w >= WEIGHT_MIN).map(|(f, _)| *f).collect();
        let mut weights = vec![0.0; margins.len()];
        if kept.is_empty() {
            // Where no margin says anything, the one that says it best still makes the model: somebody must.
            let best = (0..used.len())
                .reduce(|best, at| if found.weights[at] > found.weights[best] { at } else { best });
            if let Some(best) = best {
                weights[used[best]] = WEIGHT_MIN;
            }
            return Stacked { bias: found.bias, weights };
        }
        if kept.len() == used.len() {
            used.iter().zip(found.weights).for_each(|(&family, weight)| weights[family] = weight);
            return Stacked { bias: found.bias, weights };
        }
        used = kept;
    }
}

/// Newton's method one coordinate at a time: the loss is convex and the weights are few.
fn fit(margins: &[&[f64]], labels: &[bool]) -> Stacked {
    let share = 1.0 / margins.len().max(1) as f64;
    let mut found = Stacked { bias: 0.0, weights: vec![share; margins.len()] };
    let mut sums: Vec<f64> =
        (0..labels.len()).map(|row| found.margin(margins.iter().map(|own| own[row]))).collect();
    for _ in 0..STEPS_MAX {
        let mut moved = 0.0f64;
        for coordinate in 0..=margins.len() {
            let own = margins.get(coordinate).copied();
            let (mut slope, mut bend) = slopes(own, &sums, labels);
            let now = own.map_or(found.bias, |_| found.weights[coordinate]);
            if own.is_some() {
                slope += PRIOR * (now - share);
                bend += PRIOR;
            }
            let next = now - slope / bend.max(f64::MIN_POSITIVE);
            let next = if own.is_some() { next.max(0.0) } else { next };
            let step = next - now;
            if step == 0.0 || !step.is_finite() {
                continue;
            }
            moved = moved.max(step.abs());
            match own {
                Some(own) => {
                    found.weights[coordinate] = next;
                    sums.iter_mut().zip(own).for_each(|(sum, margin)| *sum += step * margin);
                }
                None => {
                    found.bias = next;
                    sums.iter_mut().for_each(|sum| *sum += step);
                }
            }
        }
        if moved < GRADIENT_SMALL {
            break;
        }
    }
    found
}

/// The loss's first and second derivative in one weight (or in the bias).
fn slopes(own: Option<&[f64]>, sums: &[f64], labels: &[bool]) -> (f64, f64) {
    let (mut slope, mut bend) = (0.0, 0.0);
    for (row, (&sum, &label)) in sums.iter().zip(labels).enumerate() {
        let x = own.map_or(1.0, |own| own[row]);
        let p = 1.0 / (1.0 + (-sum).exp());
        slope += (p - f64::from(u8::from(label))) * x;
        bend += p * (1.0 - p) * x * x;
    }
    (slope, bend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;

    fn sample(rows: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>, Vec<bool>) {
        let mut random = Random::new(3, "stack");
        let truth: Vec<f64> = (0..rows).map(|_| 1.5 * random.normal()).collect();
        let labels = truth.iter().map(|m| random.unit() < 1.0 / (1.0 + (-m).exp())).collect();
        let mut noisy = |size: f64| truth.iter().map(|m| m + size * random.normal()).collect();
        (noisy(0.3), noisy(1.0), noisy(20.0), labels)
    }

    #[test]
    fn the_better_margin_counts_more_and_noise_is_left_out() {
        let (good, worse, noise, labels) = sample(4_000);
        let found = stack(&[&good, &worse, &noise], &labels);
        assert!(found.weights[0] > found.weights[1] && found.weights[1] >= 0.0, "{found:?}");
        assert!(found.weights[2] == 0.0, "{found:?}");
        assert!((found.weights.iter().sum::<f64>() - 1.0).abs() < 0.2, "{found:?}");
    }

    #[test]
    fn a_margin_that_points_the_wrong_way_counts_next_to_nothing() {
        let (good, _, _, labels) = sample(1_000);
        let turned: Vec<f64> = good.iter().map(|m| -m).collect();
        let found = stack(&[&good, &turned], &labels);
        assert!(found.weights[0] > 0.9 && found.weights[1] < 0.1, "{found:?}");
    }

    #[test]
    fn margins_that_all_point_the_wrong_way_still_leave_one_member() {
        let (good, worse, _, labels) = sample(2_000);
        let turned = |margins: &[f64]| margins.iter().map(|m| -m).collect::<Vec<f64>>();
        let found = stack(&[&turned(&good), &turned(&worse)], &labels);
        assert_eq!(found.weights.iter().filter(|weight| **weight > 0.0).count(), 1, "{found:?}");
        assert!(found.bias.is_finite());
    }

    #[test]
    fn few_rows_leave_the_shares_nearly_equal() {
        let (good, worse, _, labels) = sample(12);
        let found = stack(&[&good, &worse], &labels);
        assert!((found.weights[0] - found.weights[1]).abs() < 0.5, "{found:?}");
    }
}
