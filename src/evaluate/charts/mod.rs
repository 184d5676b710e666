//! Charts as self-contained SVG: one visual language in light and dark, no script, nothing from outside.
//! Never computes a figure; each chart draws a finished result and says in words what it shows.

pub mod bars;
pub mod calibration;
pub mod choice;
pub mod curves;
pub mod distribution;
pub mod explain;
mod frame;
pub mod loss;
mod style;
mod svg;
pub mod trend;
mod words;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
