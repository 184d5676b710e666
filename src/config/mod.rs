//! What the configuration files may say, raw and checked. The only room that reads TOML.
//! Checks once; what it hands out is proof.

pub mod alerting;
pub mod project;
pub mod scaffold;
pub mod settings;
pub mod steps;
pub mod text;
pub mod toml_file;
pub mod watching;
