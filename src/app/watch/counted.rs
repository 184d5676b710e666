//! What was counted of live rows over some days, beside what was counted of those that were learned from.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::app::home::App;
use crate::base::clock::millis_to_text;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::features::reference::score::ScoreReference;
use crate::features::reference::{Marginal, Reference, ReferenceField};
use crate::monitor::drift::bank::FieldCounts;
use crate::monitor::performance::Known;
use crate::monitor::performance::month::month_of;
use crate::schedule::limits::DAY_MS;
use crate::store::error::StoreError;
use crate::store::rows::answers::Counts;

/// The counts of a release over days, the last with them.
pub(in crate::app::watch) fn counts(
    app: &App,
    release: &Digest,
    (first, last): (u64, u64),
) -> Result<Counts, Failure> {
    let mut sum = Counts::default();
    app.store.read_ledger(|ledger| {
        for day in first..=last {
            if let Some(counts) = ledger.find_counts(release, day)? {
                sum.add(&counts);
            }
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(sum)
}

/// Each field of the reference, with both counts bin by bin.
pub(in crate::app::watch) fn fields(reference: &Reference, counts: &Counts) -> Vec<FieldCounts> {
    let field = |(at, field): (usize, &ReferenceField)| {
        let mut current = counts.bins.get(at).cloned().unwrap_or_default();
        current.resize(field.bins(), 0);
        FieldCounts {
            field: field.field.clone(),
            bins: bin_names(field),
            reference: field.bin_rows(),
            current,
            is_text: matches!(field.marginal, Marginal::Text { .. }),
        }
    };
    reference.fields.iter().enumerate().map(field).collect()
}

/// The score's counts stand behind those of all fields.
pub(in crate::app::watch) fn score(reference: &Reference, counts: &Counts) -> Option<FieldCounts> {
    let score = reference.score.as_ref()?;
    let mut current = counts.bins.get(reference.fields.len()).cloned().unwrap_or_default();
    current.resize(score.bins(), 0);
    let mut names = score_names(score);
    // No score is missing: a bin without rows on either side says nothing.
    names.push("missing".to_string());
    current.push(0);
    let mut rows = score.rows.clone();
    rows.push(0);
    Some(FieldCounts { field: "score".into(), bins: names, reference: rows, current, is_text: false })
}

fn bin_names(field: &ReferenceField) -> Vec<String> {
    let mut names = match &field.marginal {
        Marginal::Numbers { edges, rows, decimals } => span_names(edges, rows.len(), *decimals as usize),
        Marginal::Text { levels, .. } => {
            levels.iter().map(|level| level.level.clone()).chain(["other".to_string()]).collect()
        }
    };
    names.push("missing".to_string());
    names
}

fn score_names(score: &ScoreReference) -> Vec<String> {
    span_names(&score.edges, score.rows.len(), 3)
}

/// The first and the last bin are open: what lies beyond the outer edges is in them.
fn span_names(edges: &[f64], bins: usize, decimals: usize) -> Vec<String> {
    let show = |edge: f64| format!("{edge:.decimals$}");
    let name = |bin: usize| match (bin == 0, bin + 1 == bins) {
        (true, true) => "any".to_string(),
        (true, false) => edges.get(1).map_or("any".into(), |edge| format!("up to {}", show(*edge))),
        (false, true) => edges.get(bin).map_or("any".into(), |edge| format!("above {}", show(*edge))),
        (false, false) => match (edges.get(bin), edges.get(bin + 1)) {
            (Some(low), Some(high)) => format!("{} to {}", show(*low), show(*high)),
            _ => "any".into(),
        },
    };
    (0..bins).map(name).collect()
}

/// A name of `named` counts, such as `flag:degraded`.
pub(in crate::app::watch) fn named(counts: &Counts, name: &str) -> u64 {
    counts.named.get(name).copied().unwrap_or_default()
}

/// How many of each outcome were decided.
pub(in crate::app::watch) fn outcomes(counts: &Counts) -> Vec<(String, u64)> {
    let of = |(name, count): (&String, &u64)| Some((name.strip_prefix("outcome:")?.to_string(), *count));
    counts.named.iter().filter_map(of).collect()
}

/// Every decision of a model whose outcome is known, turned so that the event is the bad one; and how many were decided
/// in each month.
pub(in crate::app::watch) struct History {
    pub known: Vec<Known>,
    pub decided: BTreeMap<String, u64>,
    own: BTreeMap<Digest, OwnPlace>,
}

/// Where the outcomes of one release lie, and how many it decided on each day.
struct OwnPlace {
    known: Range<usize>,
    decided: BTreeMap<u64, u64>,
}

impl History {
    /// What one release decided, and what is known of it.
    pub(in crate::app::watch) fn own(&self, release: &Digest) -> Option<(&[Known], &BTreeMap<u64, u64>)> {
        let place = self.own.get(release)?;
        Some((self.known.get(place.known.clone())?, &place.decided))
    }
}

pub(in crate::app::watch) fn history(
    app: &App,
    model: &str,
    (from_day, last_day): (u64, u64),
    good_is_event: bool,
) -> Result<History, Failure> {
    let mut releases = Vec::new();
    app.store.read_ledger(|ledger| {
        ledger.each_version(&mut |version| {
            if version.name == model {
                releases.push(version.release);
            }
            Ok(())
        })
    })?;
    let (mut known, mut decided, mut own) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let before_ms = i64::try_from((last_day + 1) * DAY_MS.unsigned_abs()).unwrap_or(i64::MAX);
    let since_ms = i64::try_from(from_day * DAY_MS.unsigned_abs()).unwrap_or_default();
    app.store.read_ledger(|ledger| {
        for release in &releases {
            let (first, mut by_day) = (known.len(), BTreeMap::new());
            for day in from_day..=last_day {
                let Some(counts) = ledger.find_counts(release, day)? else { continue };
                let month = month_of(i64::try_from(day).unwrap_or_default().saturating_mul(DAY_MS));
                let count = named(&counts, "decisions");
                *decided.entry(month.unwrap_or_default()).or_default() += count;
                by_day.insert(day, count);
            }
            ledger.each_outcome(release, &mut |row| {
                let within = (since_ms..before_ms).contains(&row.decided_ms);
                if let Some(outcome) = row.outcome.filter(|_| within) {
                    let probability = if good_is_event { 1.0 - row.probability } else { row.probability };
                    let bad = row.happened != good_is_event;
                    let (decided_ms, groups) = (row.decided_ms, row.groups);
                    known.push(Known { decided_ms, probability, bad, outcome, groups });
                }
                Ok(())
            })?;
            own.insert(*release, OwnPlace { known: first..known.len(), decided: by_day });
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(History { known, decided, own })
}

/// The day as an ISO date.
pub fn day_text(day: u64) -> String {
    let millis = i64::try_from(day).unwrap_or_default().saturating_mul(DAY_MS);
    millis_to_text(millis)[..10].to_string()
}
