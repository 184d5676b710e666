//! Statistics of two samples, each one's definition beside it, and the special functions they rest on. They equal
//! scipy's on the fixtures that `tests/oracles/drift.py` makes.
//! Never judges: what a value means is a rule of `drift` or `quality`. Nothing here draws a random number.

pub mod chance;
pub mod counts;
pub mod density;
pub mod exact;
pub mod kolmogorov;
pub mod psi;
pub mod smirnov;
pub mod sorted;
pub mod tails;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod oracle;

/// A statistic and the probability of one at least as large where nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tested {
    pub statistic: f64,
    pub p_value: f64,
}
