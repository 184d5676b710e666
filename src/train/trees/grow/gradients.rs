//! First and second derivatives of the log loss, as whole numbers in one word a row, so that sums of them are exact
//! in any order. Knows nothing of trees.

/// The upper half holds the gradient, signed; the lower half the hessian, never negative.
pub type Packed = u64;

/// What one step of each half is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Units {
    pub gradient: f64,
    pub hessian: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    pub gradient: f64,
    pub hessian: f64,
}

impl Units {
    #[inline(always)]
    pub fn sums(&self, packed: Packed) -> Sums {
        Sums {
            gradient: f64::from((packed >> 32) as u32 as i32) * self.gradient,
            hessian: f64::from(packed as u32) * self.hessian,
        }
    }
}

/// Derivatives of every row, and their units.
#[derive(Debug)]
pub struct Gradients {
    pub packed: Vec<Packed>,
    pub units: Units,
    gradient: Vec<f32>,
    hessian: Vec<f32>,
}

/// Sums of one half stay below 2^30 plus half a step a row; a part has at most 2^28 rows.
const SUM_MAX: f64 = (1u64 << 30) as f64;
/// Adding and taking away rounds to a whole number, whose low bits are then the mantissa's.
const ROUNDING: f64 = 6_755_399_441_055_744.0;

impl Gradients {
    pub fn new(rows: usize) -> Self {
        Self {
            packed: vec![0; rows],
            units: Units { gradient: 1.0, hessian: 1.0 },
            gradient: vec![0.0; rows],
            hessian: vec![0.0; rows],
        }
    }

    /// At the margins given. `order` names the rows that will be summed, as often as each will be.
    pub fn take(&mut self, margins: &[f64], labels: &[bool], weights: &[f32], order: &[u32]) {
        let outcomes = self.gradient.iter_mut().zip(&mut self.hessian).zip(margins);
        for (((gradient, hessian), &margin), (&label, &weight)) in outcomes.zip(labels.iter().zip(weights)) {
            let probability = sigmoid(margin as f32);
            *gradient = weight * (probability - f32::from(u8::from(label)));
            *hessian = weight * (probability * (1.0 - probability)).max(1e-7);
        }
        let (mut gradients, mut hessians) = ([0.0; 2], [0.0; 2]);
        for pair in order.chunks(2) {
            for (lane, &row) in pair.iter().enumerate() {
                gradients[lane] += f64::from(self.gradient[row as usize].abs());
                hessians[lane] += f64::from(self.hessian[row as usize]);
            }
        }
        let (gradients, hessians) = (gradients[0] + gradients[1], hessians[0] + hessians[1]);
        let scale = |sum: f64| if sum > 0.0 { SUM_MAX / sum } else { 1.0 };
        let (by_gradient, by_hessian) = (scale(gradients), scale(hessians));
        self.units = Units { gradient: 1.0 / by_gradient, hessian: 1.0 / by_hessian };
        for (packed, (gradient, hessian)) in
            self.packed.iter_mut().zip(self.gradient.iter().zip(&self.hessian))
        {
            let gradient = (f64::from(*gradient) * by_gradient + ROUNDING).to_bits() << 32;
            let hessian = (f64::from(*hessian) * by_hessian + ROUNDING).to_bits() & 0xffff_ffff;
            *packed = gradient.wrapping_add(hessian);
        }
    }
}

/// Within 2e-7 of the true one, and the same bits on every processor, which the platform's `exp` does not promise.
#[inline(always)]
pub fn sigmoid(margin: f32) -> f32 {
    1.0 / (1.0 + exp(-margin))
}

#[inline(always)]
fn exp(x: f32) -> f32 {
    const WHOLE: f32 = 12_582_912.0;
    let scaled = x.clamp(-80.0, 80.0) * std::f32::consts::LOG2_E;
    let shifted = scaled + WHOLE;
    let part = (scaled - (shifted - WHOLE)) * std::f32::consts::LN_2;
    let series = 1.0 / 720.0;
    let series = series * part + 1.0 / 120.0;
    let series = series * part + 1.0 / 24.0;
    let series = series * part + 1.0 / 6.0;
    let series = series * part + 0.5;
    let series = (series * part + 1.0) * part + 1.0;
    let power = (shifted.to_bits() << 23).wrapping_add(0x3f80_0000);
    series * f32::from_bits(power)
}

#[cfg(test)]
mod tests {
    use super::{Gradients, sigmoid};

    #[test]
    fn the_quick_sigmoid_is_the_sigmoid() {
        for step in -4000..=4000 {
            let margin = f64::from(step) / 100.0;
            let truth = 1.0 / (1.0 + (-margin).exp());
            let quick = f64::from(sigmoid(margin as f32));
            assert!((quick - truth).abs() < 2e-7, "{margin}: {quick} {truth}");
        }
    }

    #[test]
    fn packed_sums_are_the_sums_of_both_halves() {
        let margins: Vec<f64> = (0..1000).map(|row| f64::from(row % 17) / 4.0 - 2.0).collect();
        let labels: Vec<bool> = (0..1000).map(|row| row % 3 == 0).collect();
        let weights = vec![1.5_f32; 1000];
        let order: Vec<u32> = (0..1000).collect();
        let mut gradients = Gradients::new(1000);
        gradients.take(&margins, &labels, &weights, &order);
        let packed = gradients.packed.iter().fold(0u64, |sum, packed| sum.wrapping_add(*packed));
        let sums = gradients.units.sums(packed);
        let (mut gradient, mut hessian) = (0.0, 0.0);
        for (margin, label) in margins.iter().zip(&labels) {
            let probability = 1.0 / (1.0 + (-margin).exp());
            gradient += 1.5 * (probability - f64::from(u8::from(*label)));
            hessian += 1.5 * probability * (1.0 - probability);
        }
        assert!((sums.gradient - gradient).abs() < 1e-3, "{} {gradient}", sums.gradient);
        assert!((sums.hessian - hessian).abs() < 1e-3, "{} {hessian}", sums.hessian);
    }
}
