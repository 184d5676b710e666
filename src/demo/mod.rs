//! Invented data for demonstrations and fixtures, made from a seed.
//! Never touches a real record, and nothing here is used outside a demo or a test.

pub mod bank_churn;
pub mod borrower;
pub mod course_completion;
pub mod draw;
pub mod loan;
pub mod loan_approval;
pub mod loan_default;
pub mod project;
pub mod sheet;
pub mod subscription_churn;
pub mod words;
