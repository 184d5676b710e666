//! What the series are called, in the store, on the command line and in a table.
//! Never spells a name for people; `report` and `picture` do.

use crate::monitor::drift::Method;

pub const MISSING_RATE: &str = "missing_rate";
pub const UNSEEN_RATE: &str = "unseen_rate";
pub const QUALITY: &str = "quality";
pub const ROWS: &str = "rows";
pub const DEGRADED_RATE: &str = "degraded_rate";
pub const DEFAULTED_RATE: &str = "defaulted_rate";
pub const SHIFTED_FIELDS: &str = "shifted_fields";
pub const PERFORMANCE: &str = "performance";
pub const AUC: &str = "auc";
pub const ECE: &str = "ece";
pub const BAD_RATE: &str = "bad_rate";
pub const MEAN_PROBABILITY: &str = "mean_probability";
pub const AUC_DROP: &str = "auc_drop";
pub const OBSERVED_OVER_EXPECTED: &str = "observed_over_expected";
pub const APPROVAL_RATE: &str = "approval_rate";
pub const BAD_RATE_OF_APPROVED: &str = "bad_rate_of_approved";
pub const PROFIT: &str = "profit";
pub const PROFIT_EXPECTED: &str = "profit_expected";
pub const FAIRNESS: &str = "fairness";
pub const PARITY_DIFFERENCE: &str = "demographic_parity_difference";
/// The verdict on the release in force; before a figure's name, that figure of its own outcomes alone.
pub const RELEASE: &str = "release";
pub const RELEASE_PREFIX: &str = "release_";
/// Before a method's name where the score was judged, not a field.
pub const SCORE_PREFIX: &str = "score_";

/// The series of what a method says of a field.
pub fn of_method(method: Method) -> &'static str {
    match method {
        Method::Psi => "psi",
        Method::KolmogorovSmirnov => "kolmogorov_smirnov",
        Method::ChiSquare => "chi_square",
        Method::ZTest => "z_test",
        Method::Wasserstein => "wasserstein",
        Method::JensenShannon => "jensen_shannon",
    }
}

pub const METHODS: [Method; 6] = [
    Method::Psi,
    Method::KolmogorovSmirnov,
    Method::ChiSquare,
    Method::ZTest,
    Method::Wasserstein,
    Method::JensenShannon,
];

/// Whether a series is of a field's drift, by whatever method.
pub fn is_drift(name: &str) -> bool {
    METHODS.into_iter().any(|method| of_method(method) == name)
}

/// The figure that a series has of the release in force alone.
pub fn of_release(name: &str) -> Option<&str> {
    name.strip_prefix(RELEASE_PREFIX)
}

/// Whether a series is of the release in force alone.
pub fn is_of_release(name: &str) -> bool {
    name == RELEASE || of_release(name).is_some()
}
