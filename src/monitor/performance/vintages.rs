//! Known outcomes sorted into the months their cases were decided in, and whether a month has matured.
//! Never moves a case to the month its outcome came in.

use std::collections::BTreeMap;

use crate::monitor::performance::figures::Rows;
use crate::monitor::performance::month::{DAY_MS, end_of, month_of};
use crate::monitor::performance::settings::PerformanceSettings;
use crate::monitor::performance::{Known, PerformanceError, Window, limits};

pub(super) struct Month {
    end_ms: i64,
    pub(super) decided: u64,
    pub(super) rows: Rows,
}

impl Month {
    /// Once it is over: when the wait is, or when nearly all is known without it.
    pub(super) fn has_matured(&self, now_ms: i64, settings: &PerformanceSettings) -> bool {
        let wait_ms = i64::try_from(settings.maturity_days).unwrap_or(i64::MAX).saturating_mul(DAY_MS);
        let waited = now_ms >= self.end_ms.saturating_add(wait_ms);
        let known = self.rows.known() as f64 >= settings.maturity_share * self.decided as f64;
        now_ms >= self.end_ms && self.decided > 0 && (waited || known)
    }
}

pub(super) fn by_month(window: &Window<'_>) -> Result<BTreeMap<String, Month>, PerformanceError> {
    let mut months = BTreeMap::new();
    if window.decided.len() > limits::MONTHS_MAX {
        return Err(PerformanceError::Months { found: window.decided.len(), max: limits::MONTHS_MAX });
    }
    for (name, decided) in window.decided {
        let end_ms = end_of(name).ok_or_else(|| PerformanceError::NotAMonth { found: name.clone() })?;
        months.insert(name.clone(), Month { end_ms, decided: *decided, rows: Rows::default() });
    }
    let mut day: Option<(i64, String)> = None;
    for (row, known) in in_order(window.known)? {
        let of_known = known.decided_ms.div_euclid(DAY_MS);
        // Sorted by time: the calendar is asked once a day.
        let (_, name) = match day.take().filter(|(last, _)| *last == of_known) {
            Some(same) => day.insert(same),
            None => {
                let decided_ms = known.decided_ms;
                let name = month_of(decided_ms).ok_or(PerformanceError::NoMonth { row, decided_ms })?;
                day.insert((of_known, name))
            }
        };
        let month = months
            .get_mut(name)
            .filter(|month| month.rows.known() < month.decided)
            .ok_or_else(|| more_than_decided(window, name))?;
        month.rows.push(known.bad, known.probability);
    }
    Ok(months)
}

/// By time of decision, not by when outcomes came: sums of floats would tell one order from another in their last bit.
pub(super) fn in_order(known: &[Known]) -> Result<Vec<(usize, &Known)>, PerformanceError> {
    if known.len() > limits::KNOWN_MAX {
        return Err(PerformanceError::TooMany { found: known.len(), max: limits::KNOWN_MAX });
    }
    let probabilities = known.iter().map(|known| known.probability).enumerate();
    if let Some((row, probability)) = probabilities.into_iter().find(|(_, p)| !(0.0..=1.0).contains(p)) {
        return Err(PerformanceError::NotAProbability { row, probability });
    }
    let mut sorted: Vec<(usize, &Known)> = known.iter().enumerate().collect();
    sorted.sort_by(|(_, a), (_, b)| {
        let tie = || a.probability.total_cmp(&b.probability).then(a.bad.cmp(&b.bad));
        a.decided_ms.cmp(&b.decided_ms).then_with(tie)
    });
    Ok(sorted)
}

fn more_than_decided(window: &Window<'_>, month: &str) -> PerformanceError {
    let of_month = |known: &&Known| month_of(known.decided_ms).as_deref() == Some(month);
    let known = window.known.iter().filter(of_month).count() as u64;
    let decided = window.decided.get(month).copied().unwrap_or_default();
    PerformanceError::MoreThanDecided { month: month.into(), known, decided }
}
