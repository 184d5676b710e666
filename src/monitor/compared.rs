//! What a verdict on drift was held against: the value that was compared, and the limit it passed or comes to next.
//! Never judges anew.

use crate::monitor::drift::bank::PSI_SHIFTED;
use crate::monitor::drift::{FieldDrift, Method};
use crate::monitor::verdict::Verdict;

/// Whether the verdict came from the p-value, not from the statistic.
pub fn is_by_p(drift: &FieldDrift) -> bool {
    matches!(drift.method, Method::KolmogorovSmirnov | Method::ChiSquare | Method::ZTest)
}

pub fn value(drift: &FieldDrift) -> Option<f64> {
    if is_by_p(drift) { drift.p_value } else { drift.statistic }
}

/// The report names where a field ceases to be stable; an index has a second limit, where it has shifted.
pub fn limit(drift: &FieldDrift) -> f64 {
    match (drift.method, drift.verdict) {
        (Method::Psi, Verdict::Shifted) => PSI_SHIFTED,
        _ => drift.threshold,
    }
}

/// How far on the way to the threshold, or beyond it: the larger the worse, within one verdict.
pub fn severity(drift: &FieldDrift) -> f64 {
    match value(drift) {
        Some(p) if is_by_p(drift) => 1.0 - p,
        Some(statistic) if drift.threshold > 0.0 => statistic / drift.threshold,
        found => found.unwrap_or(0.0),
    }
}
