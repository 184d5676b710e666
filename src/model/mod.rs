//! From matrix rows to margins, probabilities and reasons: the trained families as flat arrays.
//! Never trains; burn is named in `reference` alone, safetensors in `weights` alone.

pub mod baseline;
pub mod calibrate;
pub mod ensemble;
pub mod explain;
pub mod export;
pub mod linear;
pub mod network;
pub mod reference;
pub mod scorecard;
pub mod scorer;
pub mod shap;
pub mod trained;
pub mod trees;
pub mod weights;
pub mod wide;
