//! What a network's values must keep to so that its margin only goes one way in some of its inputs.
//! Knows inputs and units alone, neither fields nor rows; never takes a step.

use crate::train::network::shape::Shape;

/// What an input of the first layer may do to the margin as it grows; and of a unit, which way it goes where every
/// bound input goes its own.
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

/// One bound a value, or none at all. A quarter of each layer's units goes up with the bound inputs and adds to the
/// margin, a quarter goes down and takes from it: the first can bend the margin upwards, the second downwards. The
/// other half never sees a bound input, not even through the units of the first, and is as free as ever.
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
        let mut inputs = sides.to_vec();
        for (number, layer) in shape.layers.iter().enumerate() {
            let last = number + 1 == shape.layers.len();
            let units = if last { vec![Side::Up] } else { sides_of_units(layer.units) };
            let weights = bounds[layer.weights.clone()].chunks_exact_mut(layer.units);
            // The last layer has a line of inputs for each member.
            for (weights, input) in weights.zip(inputs.iter().cycle()) {
                weights.iter_mut().zip(&units).for_each(|(bound, unit)| *bound = between(*input, *unit));
            }
            inputs = units;
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

fn sides_of_units(units: usize) -> Vec<Side> {
    let (up, bound) = (units.div_ceil(4), units.div_ceil(2));
    let side = |unit| match unit {
        unit if unit < up => Side::Up,
        unit if unit < bound => Side::Down,
        _ => Side::Free,
    };
    (0..units).map(side).collect()
}

/// The bound of the weight from an input to a unit.
fn between(input: Side, unit: Side) -> Bound {
    match (input, unit) {
        (Side::Free, _) => Bound::None,
        (_, Side::Free) => Bound::Zero,
        (Side::Up, Side::Up) | (Side::Down, Side::Down) => Bound::NotBelowZero,
        (Side::Up, Side::Down) | (Side::Down, Side::Up) => Bound::NotAboveZero,
    }
}
