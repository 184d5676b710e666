//! A bank's rules: the stability index over the bins that were fixed when the model was made, for each field (CSI) and
//! for the score (PSI), with 0.10 and 0.25 as its borders.
//! Never calls the noise of a sample a shift: beyond a border must also be beyond chance. In at most `alarm_rate` of the
//! reports on unchanged applications is anything but stable.

use crate::monitor::drift::error::DriftError;
use crate::monitor::drift::shown::shown;
use crate::monitor::drift::{Change, DriftReport, FieldDrift, Method, RuleSet, report, share};
use crate::monitor::limits;
use crate::monitor::statistics::chance::p_value_of_counts;
use crate::monitor::statistics::psi::psi;
use crate::monitor::verdict::Verdict;

pub const PSI_WATCH: f64 = 0.10;
pub const PSI_SHIFTED: f64 = 0.25;

/// Rows by bin: the bins of numbers or the levels, then `other` where the field is text, then missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldCounts {
    pub field: String,
    pub bins: Vec<String>,
    pub reference: Vec<u64>,
    pub current: Vec<u64>,
    pub is_text: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BankRules {
    pub reference_rows_min: u64,
    pub current_rows_min: u64,
    /// Of reports where nothing has changed, the share that is allowed to say otherwise of any field or the score.
    pub alarm_rate: f64,
}

impl Default for BankRules {
    fn default() -> Self {
        Self { reference_rows_min: 100, current_rows_min: 100, alarm_rate: 0.01 }
    }
}

/// The score is one more such field.
pub fn compare(
    fields: &[FieldCounts],
    score: Option<&FieldCounts>,
    rules: &BankRules,
) -> Result<DriftReport, DriftError> {
    check_rate("alarm_rate", rules.alarm_rate)?;
    if fields.len() > limits::DRIFT_FIELDS_MAX {
        return Err(DriftError::TooManyFields { fields: fields.len(), max: limits::DRIFT_FIELDS_MAX });
    }
    // Bonferroni: with each of them wrong this often, any of them is wrong at most so often as was asked for.
    let tail = rules.alarm_rate / (fields.len() + usize::from(score.is_some())).max(1) as f64;
    let drifts = fields.iter().map(|f| field_drift(f, rules, tail)).collect::<Result<_, _>>()?;
    let score = score.map(|s| field_drift(s, rules, tail)).transpose()?;
    Ok(report(RuleSet::Bank, drifts, score))
}

pub(in crate::monitor) fn check_rate(name: &'static str, rate: f64) -> Result<(), DriftError> {
    if rate > 0.0 && rate < 1.0 {
        Ok(())
    } else {
        Err(DriftError::Rule { name, value: rate, allowed: "above 0 and below 1" })
    }
}

impl FieldCounts {
    /// Refuses counts that do not stand beside each other bin by bin.
    pub fn check(&self) -> Result<(), DriftError> {
        let bins = self.bins.len();
        let field = || self.field.clone();
        if self.reference.len() != bins || self.current.len() != bins {
            let (reference, current) = (self.reference.len(), self.current.len());
            return Err(DriftError::Uneven { field: field(), bins, reference, current });
        }
        if bins < 1 + usize::from(self.is_text) {
            return Err(DriftError::TooFewBins { field: field(), bins });
        }
        if bins > limits::DRIFT_BINS_MAX {
            return Err(DriftError::TooManyBins { field: field(), bins, max: limits::DRIFT_BINS_MAX });
        }
        Ok(())
    }

    /// Rows of the reference and of today.
    pub fn rows(&self) -> [u64; 2] {
        [&self.reference, &self.current]
            .map(|counts| counts.iter().fold(0u64, |sum, n| sum.saturating_add(*n)))
    }

    /// Rows without a value.
    pub fn missing(&self) -> [u64; 2] {
        self.counted_last(0)
    }

    /// Rows with a level that the reference does not tell of; nothing for numbers.
    pub fn unseen(&self) -> Option<[u64; 2]> {
        self.is_text.then(|| self.counted_last(1))
    }

    fn counted_last(&self, place: usize) -> [u64; 2] {
        [&self.reference, &self.current].map(|counts| counts.iter().rev().nth(place).copied().unwrap_or(0))
    }
}

pub(in crate::monitor) fn change(counts: [u64; 2], rows: [u64; 2]) -> Change {
    Change { reference: share(counts[0], rows[0]), current: share(counts[1], rows[1]) }
}

fn field_drift(counts: &FieldCounts, rules: &BankRules, tail: f64) -> Result<FieldDrift, DriftError> {
    counts.check()?;
    let rows = counts.rows();
    let enough = rows[0] >= rules.reference_rows_min && rows[1] >= rules.current_rows_min;
    let statistic = psi(&counts.reference, &counts.current).filter(|_| enough);
    let p_value = p_value_of_counts(&counts.reference, &counts.current).filter(|_| enough);
    let verdict = match (statistic, p_value) {
        (Some(psi), Some(p)) if psi < PSI_WATCH || p >= tail => Verdict::Stable,
        (Some(psi), Some(_)) if psi < PSI_SHIFTED => Verdict::Watch,
        (Some(_), Some(_)) => Verdict::Shifted,
        _ => Verdict::Insufficient,
    };
    Ok(FieldDrift {
        field: counts.field.clone(),
        method: Method::Psi,
        reference_rows: rows[0],
        current_rows: rows[1],
        statistic,
        p_value,
        effect: statistic,
        effect_name: statistic.map(|_| "psi".into()),
        threshold: PSI_WATCH,
        verdict,
        missing: change(counts.missing(), rows),
        unseen: counts.unseen().map(|unseen| change(unseen, rows)),
        bins: shown(&counts.bins, &counts.reference, &counts.current),
    })
}
