//! Who may do what, and whose signature counts: keys, trust root, DSSE signatures, actors.
//! The only room beside base/digest that names aws-lc-rs; there is no unsigned path in it.

pub mod actor;
pub mod base64_text;
pub mod dsse;
pub mod key;
pub mod key_file;
pub mod seal;
pub mod trust;
