//! The words every layer speaks: digests, names, times, limits, errors, files, the one random generator.
//! Imports nothing of ours and knows nothing of loans.

pub mod cancel;
pub mod canonical;
pub mod clock;
pub mod digest;
pub mod fact;
pub mod fault;
pub mod figures;
pub mod files;
pub mod ids;
pub mod limits;
pub mod progress;
pub mod rng;
