//! Whether the day's rows came as they used to: how many there were, how many had a value missing or a level that was
//! never seen, field by field beside the reference.
//! Never calls a change one that is only significant or only large: it must be both.

use serde::{Deserialize, Serialize};

use crate::monitor::drift::Change;
use crate::monitor::drift::bank::{FieldCounts, change, check_rate};
use crate::monitor::drift::error::DriftError;
use crate::monitor::limits;
use crate::monitor::statistics::exact::two_shares;
use crate::monitor::verdict::Verdict;

/// What was counted over the day, or over several.
#[derive(Clone, Copy, Debug)]
pub struct DayCounts<'a> {
    pub rows: u64,
    /// Rows decided without all that the model needs.
    pub degraded: u64,
    /// Rows with a value that a default stood in for.
    pub defaulted: u64,
    /// Rows with a level that was never seen.
    pub unseen: u64,
    pub fields: &'a [FieldCounts],
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QualityRules {
    pub rows_min: u64,
    /// Of days on which nothing has changed, the share that is allowed to say otherwise of any field.
    pub alarm_rate: f64,
    /// The change of a share from which on it is worth a look.
    pub watch: f64,
    /// The change of a share from which on the model sees other rows than it was made of.
    pub shifted: f64,
}

impl Default for QualityRules {
    fn default() -> Self {
        Self { rows_min: 30, alarm_rate: 0.01, watch: 0.05, shifted: 0.20 }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayQuality {
    pub rows: u64,
    pub degraded: u64,
    pub defaulted: u64,
    pub unseen: u64,
    pub fields: Vec<FieldQuality>,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldQuality {
    pub field: String,
    pub missing: Change,
    pub unseen: Option<Change>,
    pub verdict: Verdict,
}

pub fn assess(day: &DayCounts<'_>, rules: &QualityRules) -> Result<DayQuality, DriftError> {
    check_rate("alarm_rate", rules.alarm_rate)?;
    check_rate("watch", rules.watch)?;
    check_rate("shifted", rules.shifted)?;
    if day.fields.len() > limits::DRIFT_FIELDS_MAX {
        return Err(DriftError::TooManyFields { fields: day.fields.len(), max: limits::DRIFT_FIELDS_MAX });
    }
    // As many shares as are looked at, so that any one of them is wrong only as often as the rate says.
    let looks: usize = day.fields.iter().map(|field| 1 + usize::from(field.is_text)).sum();
    let tail = rules.alarm_rate / looks.max(1) as f64;
    let fields = day.fields.iter().map(|f| field_quality(f, rules, tail)).collect::<Result<Vec<_>, _>>()?;
    let verdict = Verdict::worst(fields.iter().map(|field| field.verdict));
    let DayCounts { rows, degraded, defaulted, unseen, .. } = *day;
    Ok(DayQuality { rows, degraded, defaulted, unseen, fields, verdict })
}

fn field_quality(counts: &FieldCounts, rules: &QualityRules, tail: f64) -> Result<FieldQuality, DriftError> {
    counts.check()?;
    let rows = counts.rows();
    let shares = [Some(counts.missing()), counts.unseen()];
    let verdict = if rows[0] == 0 || rows[1] < rules.rows_min {
        Verdict::Insufficient
    } else {
        Verdict::worst(shares.into_iter().flatten().map(|hits| judge(hits, rows, rules, tail)))
    };
    Ok(FieldQuality {
        field: counts.field.clone(),
        missing: change(counts.missing(), rows),
        unseen: counts.unseen().map(|unseen| change(unseen, rows)),
        verdict,
    })
}

fn judge(hits: [u64; 2], rows: [u64; 2], rules: &QualityRules, tail: f64) -> Verdict {
    let shares = change(hits, rows);
    let size = (shares.current - shares.reference).abs();
    // A fall as well: a field that stops missing is filled by somebody.
    if size < rules.watch || two_shares(hits, rows) >= tail {
        Verdict::Stable
    } else if size < rules.shifted {
        Verdict::Watch
    } else {
        Verdict::Shifted
    }
}

#[cfg(test)]
mod tests;
