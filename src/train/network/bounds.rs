//! What a network's values must keep to so that its margin only goes one way in some of its inputs.
//! Knows inputs and units alone, neither fields nor rows; never takes a step.

use crate::train::network::shape::Shape;

/// What an input of the first layer may do to the margin as it grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Free,
    Up,
    Down,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    None,
    NotBelowZero,
    NotAboveZero,
    Zero,
}

/// One bound a value, or none at all. The first half of each layer's units sees the bound inputs, by weights of
/// their sign, and adds to what follows by weights not below zero; the other half never sees them, not even
/// through the units of the first half, and is as free as ever.
pub struct Bounds(Vec<Bound>);

impl Bounds {
    pub(super) fn of(shape: &Shape, sides: &[Side]) -> Self {
        if sides.iter().all(|side| *side == Side::Free) {
            return Self(Vec::new());
        }
        let mut bounds = vec![Bound::None; shape.length()];
        let factors = bounds[shape.factors.clone()].chunks_exact_mut(shape.members);
        for (factors, side) in factors.zip(sides) {
            factors.fill(if *side == Side::Free { Bound::None } else { Bound::NotBelowZero });
        }
        for (number, layer) in shape.layers.iter().enumerate() {
            let watched = layer.units.div_ceil(2);
            let weights = bounds[layer.weights.clone()].chunks_exact_mut(layer.units);
            for (place, weights) in weights.enumerate() {
                let input = place % layer.inputs;
                let side = match number {
                    0 => sides[input],
                    _ if input < layer.inputs.div_ceil(2) => Side::Up,
                    _ => Side::Free,
                };
                let (seen, unseen) = weights.split_at_mut(watched);
                seen.fill(match side {
                    Side::Free => Bound::None,
                    Side::Up => Bound::NotBelowZero,
                    Side::Down => Bound::NotAboveZero,
                });
                unseen.fill(if side == Side::Free { Bound::None } else { Bound::Zero });
            }
        }
        Self(bounds)
    }

    /// Brings first draws within their bounds by their sign, so that none of them begins at the bound itself.
    pub fn turn(&self, values: &mut [f32]) {
        for (value, bound) in values.iter_mut().zip(&self.0) {
            match bound {
                Bound::None => {}
                Bound::NotBelowZero => *value = value.abs(),
                Bound::NotAboveZero => *value = -value.abs(),
                Bound::Zero => *value = 0.0,
            }
        }
    }

    /// Brings values within their bounds by the shortest way.
    pub fn hold(&self, values: &mut [f32]) {
        for (value, bound) in values.iter_mut().zip(&self.0) {
            match bound {
                Bound::None => {}
                Bound::NotBelowZero => *value = value.max(0.0),
                Bound::NotAboveZero => *value = value.min(0.0),
                Bound::Zero => *value = 0.0,
            }
        }
    }
}
