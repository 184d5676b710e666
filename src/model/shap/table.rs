//! Leaves whose values are known beforehand: leaves of one tree that ask about the same columns share a table with
//! one entry for every combination of what they can tell apart. A row costs one look-up a column and one addition a
//! column, however many leaves there are. Holds no more bytes than it is given.

use crate::model::shap::paths::{EVERY_CODE, Path, difference, intersection};
use crate::model::shap::quadrature::Rule;
use crate::model::trees::CodeSet;

/// Numbers in the largest table, tried first; a half of it at a time is tried until a tree's tables find room. Below
/// `u16::MAX`, which the offsets are made of.
const NUMBERS_MAX: usize = 8192;
const NUMBERS_MIN: usize = 64;

/// Quadrature nodes: exact for twice as many columns, more than a table of `NUMBERS_MAX` can have.
const NODES: usize = 8;

/// Groups that a leaf may still join: those made last, which lie nearest in the tree.
const OPEN_GROUPS: usize = 16;

#[derive(Clone, Debug)]
pub(super) struct Group {
    columns: Vec<u16>,
    /// A column's part of the place of an entry, by code.
    offsets: Vec<[u16; 256]>,
    /// `columns.len()` values an entry.
    values: Vec<f64>,
}

impl Group {
    pub fn bytes(&self) -> usize {
        self.values.len() * 8 + self.columns.len() * BYTES_A_COLUMN
    }

    pub fn add(&self, codes: &[u8], out: &mut [f64]) {
        let mut place = 0;
        for (&column, offsets) in self.columns.iter().zip(&self.offsets) {
            place += usize::from(offsets[usize::from(codes[usize::from(column)])]);
        }
        for (&column, value) in self.columns.iter().zip(&self.values[place..]) {
            out[usize::from(column)] += value;
        }
    }
}

const BYTES_A_COLUMN: usize = size_of::<u16>() + size_of::<[u16; 256]>();

/// A column and the sets of codes that a group's leaves can tell apart.
#[derive(Clone, Debug)]
struct Parted {
    column: usize,
    classes: Vec<CodeSet>,
}

#[derive(Clone, Debug, Default)]
struct Draft<'a> {
    columns: Vec<Parted>,
    paths: Vec<&'a Path>,
}

impl<'a> Draft<'a> {
    fn numbers(&self) -> usize {
        self.columns
            .iter()
            .fold(self.columns.len(), |product, parted| product.saturating_mul(parted.classes.len()))
    }

    fn bytes(&self) -> usize {
        self.numbers() * 8 + self.columns.len() * BYTES_A_COLUMN
    }

    /// The numbers of the table with this leaf too.
    fn numbers_with(&self, path: &Path) -> usize {
        let new =
            path.conditions.iter().filter(|c| self.columns.iter().all(|known| known.column != c.column));
        let (mut width, mut cells) = (self.columns.len(), 1usize);
        for condition in new {
            width += 1;
            cells = cells.saturating_mul(split(&[EVERY_CODE], condition.holds).count());
        }
        for known in &self.columns {
            let asked = path.conditions.iter().find(|c| c.column == known.column);
            let classes = asked.map_or(known.classes.len(), |c| split(&known.classes, c.holds).count());
            cells = cells.saturating_mul(classes);
        }
        cells.saturating_mul(width)
    }

    fn join(&mut self, path: &'a Path) {
        for condition in &path.conditions {
            let place = self.columns.iter().position(|known| known.column == condition.column);
            let known = place.map_or(vec![EVERY_CODE], |place| self.columns[place].classes.clone());
            let parted =
                Parted { column: condition.column, classes: split(&known, condition.holds).collect() };
            match place {
                Some(place) => self.columns[place] = parted,
                None => self.columns.push(parted),
            }
        }
        self.paths.push(path);
    }

    fn build(mut self, rule: &Rule<NODES>) -> Group {
        self.columns.sort_unstable_by_key(|parted| parted.column);
        let width = self.columns.len();
        let mut offsets = Vec::with_capacity(width);
        let mut stride = width;
        for parted in &self.columns {
            let mut places = [0; 256];
            for (class, codes) in parted.classes.iter().enumerate() {
                for code in (0..=u8::MAX).filter(|&code| codes.contains(code)) {
                    places[usize::from(code)] = (class * stride) as u16;
                }
            }
            offsets.push(places);
            stride *= parted.classes.len();
        }
        let mut values = vec![0.0; stride];
        for path in &self.paths {
            self.add(path, &shares(path, rule), &mut values);
        }
        let columns = self.columns.iter().map(|parted| parted.column as u16).collect();
        Group { columns, offsets, values }
    }

    /// Adds a leaf's values to every entry.
    fn add(&self, path: &Path, shares: &[f64], values: &mut [f64]) {
        // By column of the group: where the leaf keeps it, and the bit of the classes that meet its condition.
        let met: Vec<Vec<usize>> = self.columns.iter().map(|parted| bits(path, parted)).collect();
        let places: Vec<usize> = path
            .conditions
            .iter()
            .map(|c| self.columns.iter().take_while(|parted| parted.column != c.column).count())
            .collect();
        let mut digits = vec![0usize; self.columns.len()];
        for entry in values.chunks_exact_mut(self.columns.len()) {
            let mask: usize = met.iter().zip(&digits).map(|(bits, &digit)| bits[digit]).sum();
            let known = shares[mask * places.len()..].iter();
            places.iter().zip(known).for_each(|(&place, share)| entry[place] += share);
            for (digit, bits) in digits.iter_mut().zip(&met) {
                *digit += 1;
                if *digit < bits.len() {
                    break;
                }
                *digit = 0;
            }
        }
    }
}

/// Each class in its parts within and without a set.
fn split(classes: &[CodeSet], set: CodeSet) -> impl Iterator<Item = CodeSet> {
    classes
        .iter()
        .flat_map(move |&class| [intersection(class, set), difference(class, set)])
        .filter(|part| part.0 != [0; 4])
}

fn bits(path: &Path, parted: &Parted) -> Vec<usize> {
    let asked = path.conditions.iter().enumerate().find(|(_, c)| c.column == parted.column);
    let bit = |class: &CodeSet| {
        asked.map_or(0, |(bit, c)| usize::from(intersection(*class, c.holds).0 != [0; 4]) << bit)
    };
    parted.classes.iter().map(bit).collect()
}

/// The values of a leaf's columns by which of its conditions a row meets, one bit a condition.
///
/// With o for met and z for the chance, a column's value is the leaf's times (o - z) times the integral over t from 0
/// to 1 of the product over the other columns of t o + (1 - t) z. Every factor is at least 0, so nothing cancels.
fn shares(path: &Path, rule: &Rule<NODES>) -> Vec<f64> {
    let conditions = &path.conditions;
    let mut shares = vec![0.0; conditions.len() << conditions.len()];
    for (mask, shares) in shares.chunks_exact_mut(conditions.len()).enumerate() {
        let met = |bit: usize| mask >> bit & 1 == 1;
        for q in 0..NODES {
            let (t, rest) = (rule.node[q], rule.rest[q]);
            let factor = |chance: f64| t + rest * chance;
            let product =
                conditions.iter().enumerate().fold(path.value * rule.weight[q], |product, (bit, c)| {
                    product * if met(bit) { factor(c.chance) } else { rest * c.chance }
                });
            for (bit, (share, c)) in shares.iter_mut().zip(conditions).enumerate() {
                // Of an unmet column, z cancels: what is left is the same for all of them.
                *share +=
                    if met(bit) { (1.0 - c.chance) * product / factor(c.chance) } else { -product / rest };
            }
        }
    }
    shares
}

/// Tables of a tree's leaves within this many bytes, and whether each leaf was left to be walked.
pub(super) fn grouped(paths: &[Path], bytes_max: usize) -> (Vec<Group>, Vec<bool>) {
    let mut numbers_max = NUMBERS_MAX;
    while numbers_max >= NUMBERS_MIN {
        if let Some((drafts, walked)) = drafted(paths, numbers_max, bytes_max) {
            // A walk passes the leaves that are left over a tree's branches anyway.
            if walked.iter().filter(|&&walked| walked).count() * 4 > paths.len() {
                break;
            }
            let rule = Rule::new();
            return (drafts.into_iter().map(|draft| draft.build(&rule)).collect(), walked);
        }
        numbers_max /= 2;
    }
    (Vec::new(), vec![true; paths.len()])
}

/// Each leaf in the group that it makes grow least; None if that takes too many bytes.
fn drafted(paths: &[Path], numbers_max: usize, bytes_max: usize) -> Option<(Vec<Draft<'_>>, Vec<bool>)> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut walked = vec![false; paths.len()];
    let mut bytes = 0;
    for path in paths {
        if Draft::default().numbers_with(path) > numbers_max {
            walked[path.leaf] = true;
            continue;
        }
        let first_open = drafts.len().saturating_sub(OPEN_GROUPS);
        let mut best = None;
        for (at, draft) in drafts.iter().enumerate().skip(first_open) {
            let numbers = draft.numbers_with(path);
            let growth = numbers - draft.numbers();
            if numbers <= numbers_max && best.is_none_or(|(least, _)| growth < least) {
                best = Some((growth, at));
            }
        }
        let at = best.map_or(drafts.len(), |(_, at)| at);
        if at == drafts.len() {
            drafts.push(Draft::default());
        }
        bytes -= drafts[at].bytes();
        drafts[at].join(path);
        bytes += drafts[at].bytes();
        if bytes > bytes_max {
            return None;
        }
    }
    Some((drafts, walked))
}
