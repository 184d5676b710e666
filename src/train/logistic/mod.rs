//! Logistic regression: the gradient of its loss, its steps, and several lines averaged where rows are few.
//! Knows no other family.

pub mod averaged;
pub mod gradient;
pub mod trainer;
