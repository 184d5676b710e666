//! From matrix rows to margins, probabilities and reasons: the trained families as flat arrays.
//! Never trains; burn is named in `reference` alone, safetensors in `weights` alone.

pub mod baseline;
pub mod calibrate;
pub mod explain;
pub mod linear;
pub mod network;
pub mod reference;
pub mod scorer;
pub mod shap;
pub mod trained;
pub mod trees;
pub mod weights;
