//! From a matrix with labels and checked parameters to a fitted family, its calibration and its
//! reference vectors. Burn lives here; nothing that serves a prediction may import this room.

pub mod baseline;
pub mod course;
pub mod cross;
pub mod examples;
pub mod fit;
pub mod hold_out;
pub mod logistic;
pub mod monotone;
pub mod network;
pub mod optimizer;
pub mod overrides;
pub mod params;
pub mod sampling;
pub mod scorecard;
pub mod trees;
