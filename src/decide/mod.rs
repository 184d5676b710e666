//! From a probability to a named outcome: the policy, its rules before the score, and the reasons.
//! Never scores, and never knows how a model came to its number.

pub mod outcome;
pub mod policy;
pub mod reasons;
pub mod resolved;
pub mod rules;
pub mod texts;
