//! Logistic regression whose coefficients are never below zero, by Newton's method: exact, and small enough to be.
//! A coefficient below zero would turn a column's bins round; the column falls to zero instead.

/// A column as a number for each of its codes.
pub struct Regressor<'a> {
    pub cells: &'a [u8],
    pub value_of: Vec<f64>,
}

pub struct Sample<'a> {
    pub regressors: &'a [Regressor<'a>],
    pub labels: &'a [bool],
    pub weights: &'a [f64],
}

#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    pub intercept: f64,
    pub coefficients: Vec<f64>,
    pub steps: usize,
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum CurveError {
    #[error("the logistic curve did not settle in {steps} steps: raise scorecard.l2 or scorecard.smoothing")]
    Unsettled { steps: usize },
}

const STEPS_MAX: usize = 60;
const SWEEPS_MAX: usize = 4000;
const HALVINGS_MAX: usize = 40;
/// Of the rows' weight: a slope that flat cannot be told from none.
const SLOPE_SMALL: f64 = 1e-10;

/// The least of `sum w log loss + l2 / 2 sum c^2` over an intercept and coefficients of at least 0.
pub fn fit_nonnegative(sample: &Sample<'_>, l2: f64) -> Result<Curve, CurveError> {
    let weight: f64 = sample.weights.iter().sum();
    let events: f64 = sample.labels.iter().zip(sample.weights).filter(|(l, _)| **l).map(|(_, w)| w).sum();
    let mut at = vec![0.0; sample.regressors.len() + 1];
    at[0] = (events / (weight - events)).ln();
    let mut loss = sample.loss(&at, l2);
    for step in 0..STEPS_MAX {
        let bend = sample.bend(&at, l2);
        if bend.steepest(&at) <= SLOPE_SMALL * weight {
            return Ok(curve(at, step));
        }
        let target = bend.least(&at);
        let Some((next, better)) = shortened(sample, (&at, loss), &target, l2) else {
            // No step lowers the loss any more: this is as near as doubles come.
            return Ok(curve(at, step));
        };
        (at, loss) = (next, better);
    }
    Err(CurveError::Unsettled { steps: STEPS_MAX })
}

fn curve(mut at: Vec<f64>, steps: usize) -> Curve {
    let coefficients = at.split_off(1);
    Curve { intercept: at[0], coefficients, steps }
}

/// The point on the way to `target` at which the loss is lower, nearest to it by halving.
fn shortened(
    sample: &Sample<'_>,
    (at, loss): (&[f64], f64),
    target: &[f64],
    l2: f64,
) -> Option<(Vec<f64>, f64)> {
    let mut share = 1.0;
    for _ in 0..HALVINGS_MAX {
        let next: Vec<f64> = at.iter().zip(target).map(|(a, t)| a + share * (t - a)).collect();
        let found = sample.loss(&next, l2);
        if found < loss {
            return Some((next, found));
        }
        share *= 0.5;
    }
    None
}

/// Slope and curvature of the loss at a point; the intercept first.
struct Bend {
    slope: Vec<f64>,
    /// Row by row, symmetric.
    curvature: Vec<f64>,
}

impl Bend {
    /// The steepest way down that the limits leave open.
    fn steepest(&self, at: &[f64]) -> f64 {
        let open = |place: usize| place == 0 || at[place] > 0.0 || self.slope[place] < 0.0;
        self.slope.iter().enumerate().filter(|(place, _)| open(*place)).fold(0.0, |m, (_, s)| m.max(s.abs()))
    }

    /// The least of the quadratic that touches the loss here, coefficients at least 0, by coordinates in turn.
    fn least(&self, at: &[f64]) -> Vec<f64> {
        let count = at.len();
        let (mut point, mut slope) = (at.to_vec(), self.slope.clone());
        for _ in 0..SWEEPS_MAX {
            let mut moved: f64 = 0.0;
            for place in 0..count {
                let row = &self.curvature[place * count..(place + 1) * count];
                if row[place] <= 0.0 {
                    continue;
                }
                let free = point[place] - slope[place] / row[place];
                let next = if place == 0 { free } else { free.max(0.0) };
                let change = next - point[place];
                if change != 0.0 {
                    point[place] = next;
                    slope.iter_mut().zip(row).for_each(|(s, c)| *s += c * change);
                    moved = moved.max(change.abs());
                }
            }
            if moved <= 1e-13 {
                break;
            }
        }
        point
    }
}

impl Sample<'_> {
    fn margin(&self, row: usize, at: &[f64]) -> f64 {
        let terms = self.regressors.iter().zip(&at[1..]);
        terms.fold(at[0], |sum, (r, c)| sum + c * r.value_of[usize::from(r.cells[row])])
    }

    fn loss(&self, at: &[f64], l2: f64) -> f64 {
        let mut sum = 0.5 * l2 * at[1..].iter().map(|c| c * c).sum::<f64>();
        for (row, (&label, &weight)) in self.labels.iter().zip(self.weights).enumerate() {
            let margin = self.margin(row, at);
            let wrong = if label { -margin } else { margin };
            // ln(1 + e^x) without overflow.
            sum += weight * (wrong.max(0.0) + (-wrong.abs()).exp().ln_1p());
        }
        sum
    }

    fn bend(&self, at: &[f64], l2: f64) -> Bend {
        let count = at.len();
        let (mut slope, mut curvature) = (vec![0.0; count], vec![0.0; count * count]);
        let mut values = vec![1.0; count];
        for (row, (&label, &weight)) in self.labels.iter().zip(self.weights).enumerate() {
            for (value, regressor) in values[1..].iter_mut().zip(self.regressors) {
                *value = regressor.value_of[usize::from(regressor.cells[row])];
            }
            let margin = values.iter().zip(at).fold(0.0, |sum, (v, c)| sum + v * c);
            let p = 1.0 / (1.0 + (-margin).exp());
            let miss = weight * (p - f64::from(u8::from(label)));
            let bend = weight * p * (1.0 - p);
            for place in 0..count {
                slope[place] += miss * values[place];
                let scaled = bend * values[place];
                let row = &mut curvature[place * count..=place * count + place];
                row.iter_mut().zip(&values).for_each(|(c, v)| *c += scaled * v);
            }
        }
        for place in 1..count {
            slope[place] += l2 * at[place];
            curvature[place * count + place] += l2;
            for other in 0..place {
                curvature[other * count + place] = curvature[place * count + other];
            }
        }
        Bend { slope, curvature }
    }
}
