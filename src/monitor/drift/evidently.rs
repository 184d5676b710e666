//! The default rules of the Evidently library (0.7), under its names: up to 1,000 rows of the reference a test at 0.05,
//! above them a distance at 0.1, and a data set has drifted when half of its fields have.
//! Never judges where the rows of today are fewer than asked for, and never calls a distance drift that is not twice
//! what chance is expected to give on so few rows: those rules look at the reference's size only.

use std::collections::{BTreeMap, BTreeSet};

use crate::monitor::drift::bank::{change, check_rate};
use crate::monitor::drift::error::DriftError;
use crate::monitor::drift::shown::{shown, tenths};
use crate::monitor::drift::{BinShare, Change, DriftReport, FieldDrift, Method, RuleSet, report};
use crate::monitor::limits;
use crate::monitor::statistics::Tested;
use crate::monitor::statistics::counts::{
    chi_square, cramers_v, jensen_shannon, jensen_shannon_of_chance, two_proportions,
};
use crate::monitor::statistics::kolmogorov::kolmogorov_smirnov;
use crate::monitor::statistics::sorted::{Sorted, distinct, wasserstein, wasserstein_of_chance};
use crate::monitor::verdict::Verdict;

/// Rows of the reference up to which the samples are tested.
pub const TESTED_ROWS_MAX: u64 = 1_000;
/// Numbers with at most so many distinct values are compared as levels.
const NUMBERS_AS_LEVELS_MAX: usize = 5;
pub const P_VALUE: f64 = 0.05;
pub const DISTANCE: f64 = 0.1;
/// Drift must be this many times what chance is expected to give.
const TIMES_CHANCE: f64 = 2.0;
/// The least that Wasserstein's distance is divided by.
const DEVIATION_MIN: f64 = 0.001;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvidentlyRules {
    /// Rows of today with a value, field by field.
    pub current_rows_min: u64,
    /// The share of fields from which on the data set has drifted.
    pub share: f64,
}

impl Default for EvidentlyRules {
    fn default() -> Self {
        Self { current_rows_min: 100, share: 0.5 }
    }
}

/// Two samples of a field.
#[derive(Clone, Debug)]
pub struct FieldSamples<'a> {
    pub field: String,
    pub samples: Samples<'a>,
}

#[derive(Clone, Debug)]
pub enum Samples<'a> {
    /// A number that is not finite counts as missing.
    Numbers {
        reference: &'a [f64],
        current: &'a [f64],
    },
    Levels {
        reference: &'a LevelCounts,
        current: &'a LevelCounts,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LevelCounts {
    pub levels: BTreeMap<String, u64>,
    pub missing: u64,
}

impl LevelCounts {
    fn rows(&self) -> u64 {
        self.levels.values().fold(0, |sum, n| sum.saturating_add(*n))
    }
}

/// The score, where given, is judged like a field but does not count among them.
pub fn compare(
    fields: &[FieldSamples<'_>],
    score: Option<&FieldSamples<'_>>,
    rules: &EvidentlyRules,
) -> Result<DriftReport, DriftError> {
    check_rate("share", rules.share)?;
    if fields.len() > limits::DRIFT_FIELDS_MAX {
        return Err(DriftError::TooManyFields { fields: fields.len(), max: limits::DRIFT_FIELDS_MAX });
    }
    let drifts = fields.iter().map(|f| field_drift(f, rules)).collect::<Result<_, _>>()?;
    let score = score.map(|s| field_drift(s, rules)).transpose()?;
    let mut report = report(RuleSet::Evidently, drifts, score);
    // A field or two beyond the threshold are no drift of the data set by these rules, but are worth a look.
    if report.verdict == Verdict::Shifted && report.share_shifted < rules.share {
        report.verdict = Verdict::Watch;
    }
    Ok(report)
}

fn field_drift(field: &FieldSamples<'_>, rules: &EvidentlyRules) -> Result<FieldDrift, DriftError> {
    check_size(field)?;
    Ok(match field.samples {
        Samples::Numbers { reference, current } => numbers_drift(&field.field, [reference, current], rules),
        Samples::Levels { reference, current } => levels_drift(&field.field, [reference, current], rules),
    })
}

fn check_size(field: &FieldSamples<'_>) -> Result<(), DriftError> {
    let (rows, bins) = match &field.samples {
        Samples::Numbers { reference, current } => (reference.len().max(current.len()) as u64, 0),
        Samples::Levels { reference, current } => {
            (reference.rows().max(current.rows()), reference.levels.len().max(current.levels.len()))
        }
    };
    let field = || field.field.clone();
    if rows > limits::DRIFT_ROWS_MAX {
        return Err(DriftError::TooManyRows { field: field(), rows, max: limits::DRIFT_ROWS_MAX });
    }
    if bins > limits::DRIFT_BINS_MAX {
        return Err(DriftError::TooManyBins { field: field(), bins, max: limits::DRIFT_BINS_MAX });
    }
    Ok(())
}

/// What a rule found: a verdict and the figures behind it.
struct Found {
    method: Method,
    statistic: Option<f64>,
    p_value: Option<f64>,
    effect: Option<(&'static str, f64)>,
    threshold: f64,
    verdict: Verdict,
}

/// What is told of a field whatever the rule found.
struct Seen<'a> {
    field: &'a str,
    rows: [u64; 2],
    missing: Change,
    unseen: Option<Change>,
    bins: Vec<BinShare>,
}

impl Seen<'_> {
    /// Without figures where the rows are too few.
    fn with(self, found: Found, rules: &EvidentlyRules) -> FieldDrift {
        let enough =
            self.rows[0] > 0 && self.rows[1] >= rules.current_rows_min.max(1) && found.verdict.is_judged();
        let effect = found.effect.filter(|_| enough);
        FieldDrift {
            field: self.field.to_string(),
            method: found.method,
            reference_rows: self.rows[0],
            current_rows: self.rows[1],
            statistic: found.statistic.filter(|x| enough && x.is_finite()),
            p_value: found.p_value.filter(|_| enough),
            effect: effect.map(|(_, value)| value),
            effect_name: effect.map(|(name, _)| name.to_string()),
            threshold: found.threshold,
            verdict: if enough { found.verdict } else { Verdict::Insufficient },
            missing: self.missing,
            unseen: self.unseen,
            bins: self.bins,
        }
    }
}

impl Found {
    fn tested(method: Method, tested: Option<Tested>, effect: Option<(&'static str, f64)>) -> Self {
        let verdict = match tested {
            None => Verdict::Insufficient,
            // The library counts a p-value of exactly 0.05 for this test, and for no other.
            Some(t) if method == Method::KolmogorovSmirnov && t.p_value <= P_VALUE => Verdict::Shifted,
            Some(t) if t.p_value < P_VALUE => Verdict::Shifted,
            Some(_) => Verdict::Stable,
        };
        let (statistic, p_value) = (tested.map(|t| t.statistic), tested.map(|t| t.p_value));
        Self { method, statistic, p_value, effect, threshold: P_VALUE, verdict }
    }

    /// `chance`: the distance that is expected where nothing has changed.
    fn distance(method: Method, distance: Option<f64>, chance: f64) -> Self {
        let verdict = match distance {
            Some(distance) if distance < DISTANCE => Verdict::Stable,
            Some(distance) if distance >= TIMES_CHANCE * chance => Verdict::Shifted,
            _ => Verdict::Insufficient,
        };
        Self { method, statistic: distance, p_value: None, effect: None, threshold: DISTANCE, verdict }
    }
}

fn numbers_drift(field: &str, sides: [&[f64]; 2], rules: &EvidentlyRules) -> FieldDrift {
    let [reference, current] = sides.map(Sorted::of);
    let rows = [reference.rows(), current.rows()];
    let all = sides.map(|side| side.len() as u64);
    let few = distinct(&reference, &current, NUMBERS_AS_LEVELS_MAX);
    let tested = rows[0] <= TESTED_ROWS_MAX;
    let found = match &few {
        Some(levels) => {
            let counts = |side: usize| -> Vec<u64> { levels.iter().map(|(_, rows)| rows[side]).collect() };
            by_counts(&counts(0), &counts(1), rows)
        }
        // What will be called insufficient is not reckoned first.
        None if rows[1] < rules.current_rows_min => too_few(tested),
        None if tested => {
            let tested = kolmogorov_smirnov(&reference, &current);
            Found::tested(Method::KolmogorovSmirnov, tested, tested.map(|t| ("ks_distance", t.statistic)))
        }
        None => by_wasserstein(&reference, &current),
    };
    let bins = match few {
        Some(levels) => {
            let names: Vec<String> = levels.iter().map(|(value, _)| value.to_string()).collect();
            let counts = |side: usize| -> Vec<u64> { levels.iter().map(|(_, rows)| rows[side]).collect() };
            shown(&names, &counts(0), &counts(1))
        }
        None => tenths(&reference, &current),
    };
    let missing = change([all[0] - rows[0], all[1] - rows[1]], all);
    Seen { field, rows, missing, unseen: None, bins }.with(found, rules)
}

fn too_few(tested: bool) -> Found {
    if tested {
        Found::tested(Method::KolmogorovSmirnov, None, None)
    } else {
        Found::distance(Method::Wasserstein, None, f64::INFINITY)
    }
}

fn by_wasserstein(reference: &Sorted, current: &Sorted) -> Found {
    let norm = reference.deviation().map(|deviation| deviation.max(DEVIATION_MIN));
    let over = |area: f64| norm.map(|norm| area / norm).filter(|distance| distance.is_finite());
    let chance = over(wasserstein_of_chance(reference, current.rows())).unwrap_or(f64::INFINITY);
    Found::distance(Method::Wasserstein, wasserstein(reference, current).and_then(over), chance)
}

fn levels_drift(field: &str, sides: [&LevelCounts; 2], rules: &EvidentlyRules) -> FieldDrift {
    let names: BTreeSet<&String> = sides.iter().flat_map(|side| side.levels.keys()).collect();
    let counts = sides.map(|side| -> Vec<u64> {
        names.iter().map(|name| side.levels.get(*name).copied().unwrap_or(0)).collect()
    });
    let rows = sides.map(LevelCounts::rows);
    let all = sides.map(|side| side.rows().saturating_add(side.missing));
    let [reference, current] = &counts;
    let new: u64 = reference.iter().zip(current).filter(|(r, _)| **r == 0).map(|(_, c)| *c).sum();
    let seen = Seen {
        field,
        rows,
        missing: change(sides.map(|side| side.missing), all),
        unseen: Some(change([0, new], all)),
        bins: shown(&names.into_iter().cloned().collect::<Vec<_>>(), reference, current),
    };
    seen.with(by_counts(reference, current, rows), rules)
}

/// The rules for levels, and for numbers with few distinct values.
fn by_counts(reference: &[u64], current: &[u64], rows: [u64; 2]) -> Found {
    let used: Vec<(u64, u64)> =
        reference.iter().copied().zip(current.iter().copied()).filter(|(r, c)| r + c > 0).collect();
    if rows[0] > TESTED_ROWS_MAX {
        let chance = jensen_shannon_of_chance(used.len(), rows);
        return Found::distance(Method::JensenShannon, jensen_shannon(reference, current), chance);
    }
    if used.len() > 2 {
        let effect = cramers_v(reference, current).map(|v| ("cramers_v", v));
        return Found::tested(Method::ChiSquare, chi_square(reference, current), effect);
    }
    // All but the first level are hits; with one level there are none.
    let first = used.first().copied().unwrap_or((0, 0));
    let hits = [rows[0] - first.0, rows[1] - first.1];
    let shares = change(hits, rows);
    let effect = Some(("difference_of_shares", shares.current - shares.reference));
    Found::tested(Method::ZTest, two_proportions(hits, rows), effect)
}
