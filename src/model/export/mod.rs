//! Models as text that other programs run: SQL, PMML 4.4, tables of points. Pure functions; nothing is read or written.
//! Exports what the model computes from raw values, and refuses what it could not say exactly.

pub mod conditions;
pub mod fields;
pub mod pmml;
pub mod points_csv;
pub mod sql;
#[cfg(test)]
mod tests;
