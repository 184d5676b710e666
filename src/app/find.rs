//! Naming a thing by the beginning of its digest or id: exactly one may match.
//! Never guesses between two.

use crate::app::error::UseCaseError;
use crate::base::fact::Failure;

/// The one that matches `wanted`; none is `missing`, several are an error of their own.
pub fn only_one<T>(mut matching: Vec<T>, wanted: &str, missing: UseCaseError) -> Result<T, Failure> {
    let found = matching.len();
    match matching.pop() {
        _ if wanted.is_empty() => Err(missing.into()),
        Some(one) if found == 1 => Ok(one),
        Some(_) => Err(UseCaseError::Ambiguous { wanted: wanted.to_string(), found }.into()),
        None => Err(missing.into()),
    }
}
