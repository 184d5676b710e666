//! Who may do what, and whose signature counts: keys, trust root, signatures, actors, logins, seals.
//! The only room beside base/digest that names aws-lc-rs; there is no unsigned path in it.

pub mod actor;
pub mod api_key;
pub mod base64_text;
pub mod certificate;
pub mod dsse;
pub mod key;
pub mod key_file;
pub mod password;
pub mod seal;
pub mod session;
pub mod throttle;
pub mod trust;
