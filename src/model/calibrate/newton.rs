//! Newton's method for a logistic curve of three coefficients, of which the first two have a lower bound.
//! Never draws and never depends on anything but the order of rows.

use crate::model::calibrate::sigmoid;

/// Two slopes and an intercept, or what a row has for each.
type Coefficients = [f64; 3];

pub(super) struct Bounds {
    pub(super) slope_min: f64,
    pub(super) start: Coefficients,
}

/// Newton needs about ten steps; more means that it is not getting anywhere.
const STEPS_MAX: usize = 100;
const GRADIENT_SMALL: f64 = 1e-10;
/// A trace of pull towards slopes of 1, which decides where the rows leave a slope open. It is lost beside any
/// information they have, and the intercept is free of it, so the mean is met exactly.
const PULL: f64 = 1e-6;

/// The coefficients of least loss within the bounds. The loss is convex, so the best of the four faces on which the
/// slopes are free or at their bound is the minimum.
pub(super) fn minimise(rows: &[Coefficients], targets: &[f64], bounds: Bounds) -> Coefficients {
    let problem = Problem { rows, targets };
    let least = bounds.slope_min;
    let free = problem.descend(bounds.start, [true, true, true]);
    if free[0] >= least && free[1] >= least {
        return free;
    }
    let [a, b, c] = bounds.start;
    let faces =
        [([least, b, c], [false, true]), ([a, least, c], [true, false]), ([least, least, c], [false, false])];
    let mut best = (f64::INFINITY, [least, least, c]);
    for (start, [first, second]) in faces {
        let found = problem.descend(start, [first, second, true]);
        let loss = problem.loss(&found);
        if found[0] >= least && found[1] >= least && loss < best.0 {
            best = (loss, found);
        }
    }
    best.1
}

struct Problem<'a> {
    rows: &'a [Coefficients],
    targets: &'a [f64],
}

impl Problem<'_> {
    fn loss(&self, at: &Coefficients) -> f64 {
        let one = |(row, &target): (&Coefficients, &f64)| {
            let z = dot(row, at);
            z.max(0.0) - target * z + (-z.abs()).exp().ln_1p()
        };
        let pull = ((at[0] - 1.0).powi(2) + (at[1] - 1.0).powi(2)) * PULL / 2.0;
        self.rows.iter().zip(self.targets).map(one).sum::<f64>() + pull
    }

    /// Newton's method with step halving over the coefficients that are free.
    fn descend(&self, start: Coefficients, free: [bool; 3]) -> Coefficients {
        let mut at = start;
        let mut value = self.loss(&at);
        for _ in 0..STEPS_MAX {
            let (gradient, curvature) = self.derivatives(&at);
            let step = solve(curvature, gradient, free);
            let slope = dot(&gradient, &step);
            if slope.abs() < GRADIENT_SMALL {
                break;
            }
            let Some((next, lower)) = (0..40).find_map(|halvings| {
                let scale = 0.5f64.powi(halvings);
                let next = [0, 1, 2].map(|k| at[k] + scale * step[k]);
                let lower = self.loss(&next);
                (lower <= value + 1e-4 * scale * slope).then_some((next, lower))
            }) else {
                break;
            };
            (at, value) = (next, lower);
        }
        at
    }

    fn derivatives(&self, at: &Coefficients) -> (Coefficients, [Coefficients; 3]) {
        let (mut gradient, mut curvature) = ([0.0; 3], [[0.0; 3]; 3]);
        for (row, &target) in self.rows.iter().zip(self.targets) {
            let p = sigmoid(dot(row, at));
            let weight = p * (1.0 - p);
            for i in 0..3 {
                gradient[i] += (p - target) * row[i];
                for j in 0..=i {
                    curvature[i][j] += weight * row[i] * row[j];
                }
            }
        }
        for i in 0..2 {
            gradient[i] += PULL * (at[i] - 1.0);
            curvature[i][i] += PULL;
        }
        (gradient, curvature)
    }
}

fn dot(one: &Coefficients, other: &Coefficients) -> f64 {
    one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
}

/// The step of `curvature * step = -gradient` by Cholesky's method, 0 where a coefficient is not free. `curvature` is
/// the lower triangle; a trace of ridge holds where it has run out.
fn solve(curvature: [Coefficients; 3], gradient: Coefficients, free: [bool; 3]) -> Coefficients {
    let ridge = 1e-12 * (1.0 + curvature[0][0] + curvature[1][1] + curvature[2][2]);
    let mut lower = [[0.0; 3]; 3];
    for i in 0..3 {
        for j in 0..=i {
            let cell = if free[i] && free[j] { curvature[i][j] } else { 0.0 };
            let known: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            lower[i][j] = match (i == j, free[i]) {
                (true, true) => (cell + ridge - known).max(ridge).sqrt(),
                (true, false) => 1.0,
                (false, _) => (cell - known) / lower[j][j],
            };
        }
    }
    let mut half = [0.0; 3];
    for i in 0..3 {
        let known: f64 = (0..i).map(|k| lower[i][k] * half[k]).sum();
        half[i] = if free[i] { (-gradient[i] - known) / lower[i][i] } else { 0.0 };
    }
    let mut step = [0.0; 3];
    for i in (0..3).rev() {
        let known: f64 = (i + 1..3).map(|k| lower[k][i] * step[k]).sum();
        step[i] = if free[i] { (half[i] - known) / lower[i][i] } else { 0.0 };
    }
    step
}
