//! Binning of one column of codes: few bins of the most information value, under what was asked of them, or even ones.
//! Knows no model; a request that cannot be met is said and never silently dropped.

use serde::{Deserialize, Serialize};

use crate::model::trees::CodeColumn;
use crate::train::scorecard::binning::atoms::Atom;
use crate::train::scorecard::binning::chains::{Cutting, Least, Way, cuttings};
use crate::train::scorecard::binning::evidence::{Evidence, Tally};
use crate::train::scorecard::params::{ColumnRequest, ScorecardParams, Trend};

pub mod atoms;
pub mod chains;
pub mod evidence;
#[cfg(test)]
mod tests;

/// Pieces of a column from which its bins are put together.
const ATOMS_MAX: usize = 48;
/// Levels that have bins of their own, even where numbers have fewer.
const EVEN_LEVELS_MIN: usize = 12;

/// A column's bins. The first is always that of the missing code, then come those of special codes, then the others:
/// of an ordered column in the order of its values, of levels by rising evidence, the rare last where nothing joined
/// them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnBins {
    /// Of each code.
    pub bin_of: Vec<u8>,
    pub bins: Vec<Bin>,
    /// The sum of the bins' parts.
    pub iv: f64,
    /// What the bins follow; `Auto` has become one of its two.
    pub trend: Trend,
    pub refusal: Option<Refusal>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    pub kind: BinKind,
    /// Runs of codes, from and to.
    pub codes: Vec<(u8, u8)>,
    /// Weight of the rows, and of those of the positive class.
    pub weight: f64,
    pub events: f64,
    /// Of the positive class; 0 without rows.
    pub rate: f64,
    pub woe: f64,
    pub iv: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinKind {
    Missing,
    Special,
    Values,
    /// Levels of few rows and unknown ones.
    Rare,
}

/// Why a column has no bins of the kind that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("no two bins of enough rows follow the trend {0:?}")]
    Trend(Trend),
    #[error("the given breaks do not follow the trend {0:?}")]
    Breaks(Trend),
}

/// A request that makes no sense for its column.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum RequestError {
    #[error("column {column} has no order: it can follow no trend and have no breaks")]
    NoOrder { column: usize },
    #[error("column {column} has no special code {code}: its codes are 1 to {last}, each named once")]
    Special { column: usize, code: u8, last: usize },
    #[error("column {column} cannot break after code {code}: breaks rise and are 1 to {last}")]
    Break { column: usize, code: u8, last: usize },
    #[error("column {column} has {found} bins given; at most {max} are possible")]
    BreakCount { column: usize, found: usize, max: usize },
}

/// The rows of a column, counted by code.
pub fn tallies(codes: usize, cells: &[u8], labels: &[bool], weights: &[f64]) -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); codes];
    for ((&code, &label), &weight) in cells.iter().zip(labels).zip(weights) {
        if let Some(tally) = tallies.get_mut(usize::from(code)) {
            if label { tally.events += weight } else { tally.others += weight }
        }
    }
    tallies
}

/// Bins of the column that `tallies` counts, one tally a code. Both classes must occur.
pub fn bin_column(
    column: &CodeColumn,
    tallies: &[Tally],
    request: &ColumnRequest,
    params: &ScorecardParams,
) -> Result<ColumnBins, RequestError> {
    bin_by(column, tallies, request, Search { whole: whole(tallies), params, even: None })
}

/// Bins of about the same weight, at most so many, and a bin a level, whatever the outcomes say. Breaks that are given
/// are kept; a trend is none of its business.
pub fn bin_evenly(
    column: &CodeColumn,
    tallies: &[Tally],
    request: &ColumnRequest,
    (params, bins_max): (&ScorecardParams, usize),
) -> Result<ColumnBins, RequestError> {
    bin_by(column, tallies, request, Search { whole: whole(tallies), params, even: Some(bins_max) })
}

fn whole(tallies: &[Tally]) -> Tally {
    let mut whole = Tally::default();
    tallies.iter().for_each(|&tally| whole.add(tally));
    whole
}

fn bin_by(
    column: &CodeColumn,
    tallies: &[Tally],
    request: &ColumnRequest,
    search: Search<'_>,
) -> Result<ColumnBins, RequestError> {
    debug_assert_eq!(column.codes, tallies.len());
    check_request(column, request)?;
    let plain: Vec<(u8, Tally)> = (1..=u8::MAX)
        .zip(tallies.iter().skip(1).copied())
        .filter(|(code, _)| !request.special.contains(code))
        .collect();
    let missing = Atom { codes: vec![0], tally: tallies.first().copied().unwrap_or_default() };
    let mut groups = vec![(BinKind::Missing, missing)];
    for &code in &request.special {
        let tally = tallies.get(usize::from(code)).copied().unwrap_or_default();
        groups.push((BinKind::Special, Atom { codes: vec![code], tally }));
    }
    let (trend, refusal) = if column.ordered {
        let asked = request.trend.unwrap_or(search.params.trend);
        let cut = match &request.breaks {
            Some(lasts) => search.given(&plain, lasts, asked),
            None => search.ordered(&plain, asked),
        };
        groups.extend(cut.atoms.into_iter().map(|atom| (BinKind::Values, atom)));
        (cut.trend, cut.refusal)
    } else {
        groups.extend(search.levels(&plain, u8::try_from(column.codes - 1).unwrap_or(u8::MAX)));
        (Trend::None, None)
    };
    Ok(tabled(column.codes, groups, |tally| search.measure(tally), (trend, refusal)))
}

fn check_request(column: &CodeColumn, request: &ColumnRequest) -> Result<(), RequestError> {
    let (number, last) = (column.column, column.codes.saturating_sub(1));
    let is_code = |code: u8| code > 0 && usize::from(code) <= last;
    for (place, &code) in request.special.iter().enumerate() {
        if !is_code(code) || request.special[..place].contains(&code) {
            return Err(RequestError::Special { column: number, code, last });
        }
    }
    let asks_order = request.breaks.is_some() || request.trend.is_some_and(|trend| trend != Trend::None);
    if asks_order && !column.ordered {
        return Err(RequestError::NoOrder { column: number });
    }
    let breaks = request.breaks.as_deref().unwrap_or_default();
    let (found, max) = (breaks.len() + 1 + request.special.len(), crate::model::scorecard::BINS_MAX - 1);
    if found > max {
        return Err(RequestError::BreakCount { column: number, found, max });
    }
    for (place, &code) in breaks.iter().enumerate() {
        if !is_code(code) || usize::from(code) == last || (place > 0 && breaks[place - 1] >= code) {
            return Err(RequestError::Break { column: number, code, last: last.saturating_sub(1) });
        }
    }
    Ok(())
}

struct Search<'a> {
    whole: Tally,
    params: &'a ScorecardParams,
    /// How many even bins there may be, where none are searched for.
    even: Option<usize>,
}

/// An ordered column's bins, in order.
struct Cut {
    atoms: Vec<Atom>,
    trend: Trend,
    refusal: Option<Refusal>,
}

impl Search<'_> {
    fn measure(&self, tally: Tally) -> Evidence {
        Evidence::of(tally, self.whole, self.params.smoothing)
    }

    fn ordered(&self, codes: &[(u8, Tally)], asked: Trend) -> Cut {
        if let Some(bins_max) = self.even {
            let least = self.params.level_weight_min.max(self.params.share_min * self.whole.weight());
            let atoms = atoms::filled(atoms::runs(codes, bins_max), least);
            return Cut { atoms, trend: Trend::None, refusal: None };
        }
        let atoms = atoms::runs(codes, ATOMS_MAX);
        let ways: &[(Way, Trend)] = match asked {
            Trend::None => &[(Way::Any, Trend::None)],
            Trend::Auto => &[(Way::Up, Trend::Rising), (Way::Down, Trend::Falling)],
            Trend::Rising => &[(Way::Up, Trend::Rising)],
            Trend::Falling => &[(Way::Down, Trend::Falling)],
            Trend::Peak => &[(Way::Peak, Trend::Peak)],
            Trend::Valley => &[(Way::Valley, Trend::Valley)],
        };
        let mut found: Option<(Cutting, f64, Trend)> = None;
        for &(way, trend) in ways {
            let Some((cutting, worth)) = self.best(&atoms, way) else { continue };
            if found.as_ref().is_none_or(|(_, most, _)| worth > *most) {
                found = Some((cutting, worth, trend));
            }
        }
        let whole = Cutting { lasts: vec![atoms.len().saturating_sub(1)], value: 0.0 };
        let (cutting, _, trend) = found.unwrap_or((whole, 0.0, asked));
        // One bin follows every trend and none: where a trend was asked for, it is refused instead.
        let could = cutting.lasts.len() > 1 || asked == Trend::None;
        let refusal = if could { None } else { Some(Refusal::Trend(asked)) };
        Cut { atoms: grouped(atoms, &cutting.lasts), trend, refusal }
    }

    fn given(&self, codes: &[(u8, Tally)], lasts: &[u8], asked: Trend) -> Cut {
        let atoms = atoms::broken(codes, lasts);
        let filled: Vec<Tally> = atoms.iter().map(|a| a.tally).filter(|t| t.weight() > 0.0).collect();
        let follows = |signs: &[f64]| {
            let steps = filled.windows(2).map(|two| self.measure(two[1]).woe - self.measure(two[0]).woe);
            let mut at = 0;
            steps.into_iter().all(|step| {
                while at < signs.len() && signs[at] * step < 0.0 {
                    at += 1;
                }
                at < signs.len()
            })
        };
        let (trend, met) = match asked {
            Trend::None => (asked, true),
            Trend::Auto if follows(&[1.0]) => (Trend::Rising, true),
            Trend::Auto => (Trend::Falling, follows(&[-1.0])),
            Trend::Rising => (asked, follows(&[1.0])),
            Trend::Falling => (asked, follows(&[-1.0])),
            Trend::Peak => (asked, follows(&[1.0, -1.0])),
            Trend::Valley => (asked, follows(&[-1.0, 1.0])),
        };
        let refusal = if met { None } else { Some(Refusal::Breaks(asked)) };
        Cut { atoms, trend, refusal }
    }

    fn levels(&self, codes: &[(u8, Tally)], unknown: u8) -> Vec<(BinKind, Atom)> {
        let rule =
            (self.params.level_weight_min, self.even.map_or(ATOMS_MAX, |even| even.max(EVEN_LEVELS_MIN)));
        let (atoms, rare) = atoms::levels(codes, unknown, (self.whole, self.params.smoothing), rule);
        let found = if self.even.is_some() { None } else { self.best(&atoms, Way::Any) };
        let lasts = match found {
            _ if self.even.is_some() => (0..atoms.len()).collect(),
            Some((cutting, _)) => cutting.lasts,
            None => vec![atoms.len().saturating_sub(1)],
        };
        let mut bins: Vec<(BinKind, Atom)> =
            grouped(atoms, &lasts).into_iter().map(|atom| (BinKind::Values, atom)).collect();
        for (kind, atom) in &mut bins {
            atom.codes.sort_unstable();
            // A bin of rare levels and nothing else is one by name.
            if !rare.codes.is_empty() && atom.codes == rare.codes {
                *kind = BinKind::Rare;
            }
        }
        if rare.tally.weight() <= 0.0 && !rare.codes.is_empty() {
            bins.push((BinKind::Rare, rare));
        }
        bins
    }

    /// The number of bins is where one more is not worth its price; the second is free: whether the column is worth
    /// having at all is not decided here.
    fn best(&self, atoms: &[Atom], way: Way) -> Option<(Cutting, f64)> {
        let tallies: Vec<Tally> = atoms.iter().map(|atom| atom.tally).collect();
        let weight = self.whole.weight();
        let least = Least { weight: self.params.share_min * weight, events: self.params.events_min };
        let price = self.params.gain_min * weight / (self.whole.events * self.whole.others);
        let found = cuttings(&tallies, |t| self.measure(t), least, (way, self.params.bins_max));
        let mut best: Option<(Cutting, f64)> = None;
        for cutting in found {
            let worth = cutting.value - price * cutting.lasts.len().saturating_sub(2) as f64;
            if best.as_ref().is_none_or(|(_, most)| worth > *most) {
                best = Some((cutting, worth));
            }
        }
        best
    }
}

fn grouped(atoms: Vec<Atom>, lasts: &[usize]) -> Vec<Atom> {
    let mut groups = Vec::with_capacity(lasts.len());
    let mut open = Atom::default();
    for (place, atom) in atoms.into_iter().enumerate() {
        open.codes.extend(atom.codes);
        open.tally.add(atom.tally);
        if lasts.contains(&place) {
            groups.push(std::mem::take(&mut open));
        }
    }
    groups
}

fn tabled(
    codes: usize,
    groups: Vec<(BinKind, Atom)>,
    measure: impl Fn(Tally) -> Evidence,
    (trend, refusal): (Trend, Option<Refusal>),
) -> ColumnBins {
    let mut bin_of = vec![0u8; codes];
    let mut bins = Vec::with_capacity(groups.len());
    for (number, (kind, atom)) in (0..=u8::MAX).zip(groups) {
        for &code in &atom.codes {
            if let Some(bin) = bin_of.get_mut(usize::from(code)) {
                *bin = number;
            }
        }
        let (evidence, weight) = (measure(atom.tally), atom.tally.weight());
        bins.push(Bin {
            kind,
            codes: code_runs(&atom.codes),
            weight,
            events: atom.tally.events,
            rate: if weight > 0.0 { atom.tally.events / weight } else { 0.0 },
            woe: evidence.woe,
            iv: evidence.iv,
        });
    }
    let iv = bins.iter().map(|bin| bin.iv).sum();
    ColumnBins { bin_of, bins, iv, trend, refusal }
}

/// Rising codes as runs without gaps.
fn code_runs(codes: &[u8]) -> Vec<(u8, u8)> {
    let mut runs: Vec<(u8, u8)> = Vec::new();
    for &code in codes {
        match runs.last_mut() {
            Some((_, to)) if to.checked_add(1) == Some(code) => *to = code,
            _ => runs.push((code, code)),
        }
    }
    runs
}
