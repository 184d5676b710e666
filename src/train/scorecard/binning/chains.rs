//! The best way to cut a row of atoms into bins, by dynamic programming: exact, and the same for the same atoms.
//! Knows no code and no column.

use crate::train::scorecard::binning::evidence::{Evidence, Tally};

/// What each bin must have.
#[derive(Clone, Copy, Debug)]
pub struct Least {
    /// Of the column's weight.
    pub weight: f64,
    /// Of either class.
    pub events: f64,
}

/// How the weight of evidence may go from a bin to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Any,
    Up,
    Down,
    /// Up, then down.
    Peak,
    /// Down, then up.
    Valley,
}

/// Bins of neighbouring atoms: the last atom of each, and what they are worth together.
#[derive(Clone, Debug, PartialEq)]
pub struct Cutting {
    pub lasts: Vec<usize>,
    pub value: f64,
}

/// A bin of the atoms from one to another.
#[derive(Clone, Copy)]
struct Span {
    rate: f64,
    evidence: Evidence,
}

/// Every allowed bin of neighbouring atoms.
struct Spans {
    atoms: usize,
    spans: Vec<Option<Span>>,
}

impl Spans {
    fn of(atoms: &[Tally], measure: impl Fn(Tally) -> Evidence, least: Least) -> Self {
        let count = atoms.len();
        let mut spans = vec![None; count * count];
        for first in 0..count {
            let mut sum = Tally::default();
            for last in first..count {
                sum.add(atoms[last]);
                if sum.weight() >= least.weight && sum.events.min(sum.others) >= least.events {
                    let rate = sum.events / sum.weight();
                    spans[first * count + last] = Some(Span { rate, evidence: measure(sum) });
                }
            }
        }
        Self { atoms: count, spans }
    }

    fn at(&self, first: usize, last: usize) -> Option<Span> {
        self.spans[first * self.atoms + last]
    }

    fn reversed(&self) -> Self {
        let spans =
            (0..self.atoms)
                .flat_map(|first| (0..self.atoms).map(move |last| (first, last)))
                .map(|(first, last)| {
                    if first <= last { self.at(self.atoms - 1 - last, self.atoms - 1 - first) } else { None }
                })
                .collect();
        Self { atoms: self.atoms, spans }
    }
}

/// The best chains of bins from the first atom on, by their number of bins and their last bin.
struct Chains {
    atoms: usize,
    /// By number of bins less one, then by the last bin's first and last atom.
    best: Vec<Vec<f64>>,
    /// Where the bin before the last one starts.
    before: Vec<Vec<usize>>,
}

impl Chains {
    /// `sign` 1: up, -1: down, 0: as it likes.
    fn of(spans: &Spans, sign: f64, bins_max: usize) -> Self {
        let count = spans.atoms;
        let mut best = vec![vec![f64::NEG_INFINITY; count * count]; bins_max];
        let mut before = vec![vec![0; count * count]; bins_max];
        for (last, value) in best[0].iter_mut().take(count).enumerate() {
            *value = spans.at(0, last).map_or(f64::NEG_INFINITY, |span| span.evidence.iv);
        }
        for bins in 1..bins_max {
            let (done, open) = best.split_at_mut(bins);
            for first in 1..count {
                for last in first..count {
                    let Some(span) = spans.at(first, last) else { continue };
                    let Some((start, value)) = best_before(spans, &done[bins - 1], (first, span), sign)
                    else {
                        continue;
                    };
                    open[0][first * count + last] = value + span.evidence.iv;
                    before[bins][first * count + last] = start;
                }
            }
        }
        Self { atoms: count, best, before }
    }

    fn value(&self, bins: usize, first: usize, last: usize) -> f64 {
        self.best[bins - 1][first * self.atoms + last]
    }

    /// The last atom of each bin of the best chain that ends with this bin.
    fn lasts(&self, bins: usize, mut first: usize, mut last: usize) -> Vec<usize> {
        let mut lasts = vec![last];
        for number in (1..bins).rev() {
            let start = self.before[number][first * self.atoms + last];
            (first, last) = (start, first - 1);
            lasts.push(last);
        }
        lasts.reverse();
        lasts
    }
}

/// The best chain that the bin starting at `first` may follow, and where that chain's last bin starts.
fn best_before(
    spans: &Spans,
    chains: &[f64],
    (first, next): (usize, Span),
    sign: f64,
) -> Option<(usize, f64)> {
    let mut found: Option<(usize, f64)> = None;
    for start in 0..first {
        let value = chains[start * spans.atoms + first - 1];
        if value == f64::NEG_INFINITY || found.is_some_and(|(_, most)| value <= most) {
            continue;
        }
        let Some(span) = spans.at(start, first - 1) else { continue };
        // The rate is what people look at, the smoothed evidence what scores: both go the asked way.
        let evidence = sign * (next.evidence.woe - span.evidence.woe);
        if sign == 0.0 || (evidence > 0.0 && sign * (next.rate - span.rate) >= 0.0) {
            found = Some((start, value));
        }
    }
    found
}

/// The most valuable cutting for each number of bins that is possible, fewest first.
pub fn cuttings(
    atoms: &[Tally],
    measure: impl Fn(Tally) -> Evidence,
    least: Least,
    (way, bins_max): (Way, usize),
) -> Vec<Cutting> {
    let spans = Spans::of(atoms, measure, least);
    if atoms.is_empty() || bins_max == 0 {
        return Vec::new();
    }
    match way {
        Way::Any => straight(&Chains::of(&spans, 0.0, bins_max)),
        Way::Up => straight(&Chains::of(&spans, 1.0, bins_max)),
        Way::Down => straight(&Chains::of(&spans, -1.0, bins_max)),
        Way::Peak => turning(&spans, 1.0, bins_max),
        Way::Valley => turning(&spans, -1.0, bins_max),
    }
}

fn straight(chains: &Chains) -> Vec<Cutting> {
    let (count, mut found) = (chains.atoms, Vec::new());
    for bins in 1..=chains.best.len() {
        let mut most: Option<(usize, f64)> = None;
        for first in 0..count {
            let value = chains.value(bins, first, count - 1);
            if value > most.map_or(f64::NEG_INFINITY, |(_, value)| value) {
                most = Some((first, value));
            }
        }
        if let Some((first, value)) = most {
            found.push(Cutting { lasts: chains.lasts(bins, first, count - 1), value });
        }
    }
    found
}

/// Two chains that meet in the bin where the way turns.
fn turning(spans: &Spans, sign: f64, bins_max: usize) -> Vec<Cutting> {
    let count = spans.atoms;
    let left = Chains::of(spans, sign, bins_max);
    let right = Chains::of(&spans.reversed(), sign, bins_max);
    let mut found: Vec<Option<(Cutting, f64)>> = vec![None; bins_max];
    for (first, last) in (0..count).flat_map(|first| (first..count).map(move |last| (first, last))) {
        let Some(span) = spans.at(first, last) else { continue };
        for (before, after) in (1..=bins_max).flat_map(|b| (1..=bins_max + 1 - b).map(move |a| (b, a))) {
            let other = right.value(after, count - 1 - last, count - 1 - first);
            let value = left.value(before, first, last) + other - span.evidence.iv;
            let bins = before + after - 1;
            if value > found[bins - 1].as_ref().map_or(f64::NEG_INFINITY, |(_, most)| *most) {
                let mut lasts = left.lasts(before, first, last);
                let mirrored = right.lasts(after, count - 1 - last, count - 1 - first);
                lasts.extend(mirrored.iter().rev().skip(1).map(|&end| count - 2 - end));
                lasts.push(count - 1);
                lasts.dedup();
                found[bins - 1] = Some((Cutting { lasts, value }, value));
            }
        }
    }
    found.into_iter().flatten().map(|(cutting, _)| cutting).collect()
}
