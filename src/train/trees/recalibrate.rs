//! The slope and the shift that make margins probable: logistic regression on one column, drawn towards leaving all as
//! it is. Knows nothing of trees.

/// `slope * margin + shift`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub slope: f64,
    pub shift: f64,
}

impl Line {
    pub const SAME: Self = Self { slope: 1.0, shift: 0.0 };

    pub fn at(&self, margin: f64) -> f64 {
        self.slope * margin + self.shift
    }

    /// By Newton's method. Rows are (margin, label, weight). What has no sensible answer leaves all as it is.
    pub fn fit(rows: &[(f64, bool, f64)]) -> Self {
        let mut line = Self::SAME;
        for _ in 0..STEPS {
            let [slope, shift] = line.step(rows);
            line = Self { slope: line.slope + slope, shift: line.shift + shift };
            if slope.abs() + shift.abs() < 1e-10 {
                break;
            }
        }
        let sensible = line.shift.is_finite() && (SLOPES.0..=SLOPES.1).contains(&line.slope);
        if sensible { line } else { Self::SAME }
    }

    fn step(&self, rows: &[(f64, bool, f64)]) -> [f64; 2] {
        let mut gradient = [PRIOR * (self.slope - 1.0), PRIOR * self.shift];
        let mut hessian = [PRIOR, 0.0, PRIOR];
        for &(margin, label, weight) in rows {
            let probability = 1.0 / (1.0 + (-self.at(margin)).exp());
            let error = weight * (probability - f64::from(u8::from(label)));
            let spread = weight * probability * (1.0 - probability);
            gradient[0] += error * margin;
            gradient[1] += error;
            hessian[0] += spread * margin * margin;
            hessian[1] += spread * margin;
            hessian[2] += spread;
        }
        let determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1];
        [
            (hessian[1] * gradient[1] - hessian[2] * gradient[0]) / determinant,
            (hessian[1] * gradient[0] - hessian[0] * gradient[1]) / determinant,
        ]
    }
}

const STEPS: usize = 30;
/// How many rows' worth of information says that nothing need change.
const PRIOR: f64 = 1.0;
/// A slope outside of these is no correction any more.
const SLOPES: (f64, f64) = (0.1, 10.0);

#[cfg(test)]
mod tests {
    use super::Line;
    use crate::base::rng::Random;

    #[test]
    fn margins_that_are_twice_too_sure_are_halved() {
        let mut random = Random::new(1, "test.line");
        let rows: Vec<(f64, bool, f64)> = (0..20_000)
            .map(|_| {
                let odds = 2.0 * random.normal() - 1.0;
                (2.0 * odds + 0.6, random.unit() < 1.0 / (1.0 + (-odds).exp()), 1.0)
            })
            .collect();
        let line = Line::fit(&rows);
        assert!((line.slope - 0.5).abs() < 0.02 && (line.shift + 0.3).abs() < 0.05, "{line:?}");
    }

    #[test]
    fn no_rows_change_nothing() {
        assert_eq!(Line::fit(&[]), Line::SAME);
    }
}
