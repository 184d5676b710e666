//! Invented data for demonstrations and fixtures, made from a seed.
//! Never touches a real record, and nothing here is used outside a demo or a test.

pub mod borrower;
pub mod draw;
pub mod loan;
pub mod loan_default;
pub mod project;
pub mod words;
