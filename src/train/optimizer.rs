//! AdamW on one flat array, fused into a single pass, and the moving average of what it visits.
//! Knows nothing of models; which values are biases and so never decayed, it is told.

use crate::model::wide::{Wide, widest};

const BETA_1: f64 = 0.9;
/// Below the usual 0.999: gradients shrink fast from the first steps on, and a shorter memory of
/// their size measurably speeds up badly scaled sets.
const BETA_2: f64 = 0.99;
const EPSILON: f64 = 1e-8;

pub struct AdamW {
    decay: f64,
    decays: Vec<bool>,
    step: i32,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl AdamW {
    /// `decay` times the rate is the share of a value lost in one step, where the value `decays` at all.
    pub fn new(decays: Vec<bool>, decay: f64) -> Self {
        let zeros = vec![0.0; decays.len()];
        Self { decay, decays, step: 0, first: zeros.clone(), second: zeros }
    }

    /// Moves the values one step against the gradient.
    pub fn step(&mut self, values: &mut [f32], gradient: &[f32], rate: f64) {
        self.step = self.step.saturating_add(1);
        widest(Step {
            size: (rate / (1.0 - BETA_1.powi(self.step))) as f32,
            second_scale: (1.0 / (1.0 - BETA_2.powi(self.step))) as f32,
            keep: (1.0 - rate * self.decay).max(0.0) as f32,
            decays: &self.decays,
            moments: (&mut self.first, &mut self.second),
            gradient,
            values,
        });
    }
}

struct Step<'a> {
    size: f32,
    second_scale: f32,
    /// What stays of a value that decays.
    keep: f32,
    decays: &'a [bool],
    moments: (&'a mut [f32], &'a mut [f32]),
    gradient: &'a [f32],
    values: &'a mut [f32],
}

impl Wide for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (b1, b2) = (BETA_1 as f32, BETA_2 as f32);
        let moments = self.moments.0.iter_mut().zip(self.moments.1).zip(self.decays);
        for ((value, &g), ((m, v), decays)) in self.values.iter_mut().zip(self.gradient).zip(moments) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            let kept = if *decays { self.keep * *value } else { *value };
            *value = kept - self.size * *m / ((*v * self.second_scale).sqrt() + EPSILON as f32);
        }
    }
}

/// How much of the average one step keeps: about the last hundred steps count.
const KEEP: f64 = 0.99;

/// An exponential moving average that starts as a plain one. It takes out the noise of small
/// batches without waiting for the learning rate to fall, so that early stopping sees a smooth curve.
pub struct MovingAverage {
    steps: u64,
    values: Vec<f32>,
}

impl MovingAverage {
    pub fn new(values: &[f32]) -> Self {
        Self { steps: 0, values: values.to_vec() }
    }

    pub fn add(&mut self, values: &[f32]) {
        self.steps += 1;
        let steps = self.steps as f64;
        let keep = KEEP.min(steps / (steps + 9.0)) as f32;
        widest(Average { keep, averages: &mut self.values, values });
    }

    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

struct Average<'a> {
    keep: f32,
    averages: &'a mut [f32],
    values: &'a [f32],
}

impl Wide for Average<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (average, &value) in self.averages.iter_mut().zip(self.values) {
            *average = self.keep * *average + (1.0 - self.keep) * value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_the_rate_against_the_sign_of_the_gradient() {
        let mut values = [1.0f32, -1.0, 0.5];
        AdamW::new(vec![true; 3], 0.0).step(&mut values, &[0.3, -20.0, 1e-3], 0.1);
        for (value, expected) in values.iter().zip([0.9, -0.9, 0.4]) {
            assert!((value - expected).abs() < 1e-5, "{values:?}");
        }
    }

    #[test]
    fn decay_shrinks_every_value_but_the_bias() {
        let mut values = [2.0f32, -2.0, 2.0];
        AdamW::new(vec![true, true, false], 0.5).step(&mut values, &[0.0; 3], 0.1);
        assert_eq!(values, [1.9, -1.9, 2.0]);
    }

    #[test]
    fn a_parabola_is_walked_to_its_bottom() {
        let mut values = [5.0f32, -3.0];
        let mut optimizer = AdamW::new(vec![true; 2], 0.0);
        for step in 0..2_000 {
            let gradient = [values[0] - 1.0, 10.0 * (values[1] - 2.0)];
            optimizer.step(&mut values, &gradient, 0.05 * (1.0 - f64::from(step) / 2_000.0));
        }
        assert!((values[0] - 1.0).abs() < 1e-3 && (values[1] - 2.0).abs() < 1e-3, "{values:?}");
    }

    #[test]
    fn the_average_of_a_constant_is_that_constant_and_of_a_swing_its_middle() {
        let mut average = MovingAverage::new(&[0.0]);
        for step in 0..2_000 {
            average.add(&[if step % 2 == 0 { 3.0 } else { 5.0 }]);
        }
        assert!((average.values()[0] - 4.0).abs() < 0.02, "{:?}", average.values());
    }
}
