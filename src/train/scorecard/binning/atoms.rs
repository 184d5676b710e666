//! The pieces that bins are made of: runs of neighbouring codes, or levels in the order of their evidence.
//! Cuts nothing into bins and judges no direction.

use crate::train::scorecard::binning::evidence::{Evidence, Tally};

/// Codes that stay together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Atom {
    pub codes: Vec<u8>,
    pub tally: Tally,
}

impl Atom {
    fn take(&mut self, code: u8, tally: Tally) {
        self.codes.push(code);
        self.tally.add(tally);
    }
}

/// At most `atoms_max` runs of the codes, in their order and of about the same weight; codes without rows join the
/// run before them.
pub fn runs(codes: &[(u8, Tally)], atoms_max: usize) -> Vec<Atom> {
    let whole: f64 = codes.iter().map(|(_, tally)| tally.weight()).sum();
    let mut atoms: Vec<Atom> = Vec::new();
    let (mut open, mut before) = (Atom::default(), 0.0);
    for &(code, tally) in codes {
        let (weight, next) = (open.tally.weight(), tally.weight());
        // The run ends where its share is reached more nearly than with one more code.
        let left = atoms_max.saturating_sub(atoms.len());
        let share = (whole - before) / left.max(1) as f64;
        if weight > 0.0 && next > 0.0 && left > 1 && weight + next - share > (share - weight).abs() {
            before += weight;
            atoms.push(std::mem::take(&mut open));
        }
        open.take(code, tally);
    }
    if !open.codes.is_empty() {
        atoms.push(open);
    }
    atoms
}

/// Neighbours joined until each has the weight asked for, the lightest first, with the lighter of its two.
pub fn filled(mut atoms: Vec<Atom>, least: f64) -> Vec<Atom> {
    while atoms.len() > 1 {
        let weight = |at: usize| atoms[at].tally.weight();
        let Some(light) = (0..atoms.len()).min_by(|&a, &b| weight(a).total_cmp(&weight(b))) else { break };
        if weight(light) >= least {
            break;
        }
        let last = atoms.len() - 1;
        let before = light == last || (light > 0 && weight(light - 1) <= weight(light + 1));
        let at = if before { light - 1 } else { light };
        let next = atoms.remove(at + 1);
        atoms[at].codes.extend(next.codes);
        atoms[at].tally.add(next.tally);
    }
    atoms
}

/// Codes as given, each run ending with one of `lasts` or at the end; the codes between may have no rows.
pub fn broken(codes: &[(u8, Tally)], lasts: &[u8]) -> Vec<Atom> {
    let mut atoms: Vec<Atom> = Vec::new();
    let mut open = Atom::default();
    for (place, &(code, tally)) in codes.iter().enumerate() {
        open.take(code, tally);
        let next = codes.get(place + 1).map(|(code, _)| *code);
        if next.is_none_or(|next| lasts.iter().any(|&last| code <= last && last < next)) {
            atoms.push(std::mem::take(&mut open));
        }
    }
    atoms
}

/// The levels by rising evidence, those of little weight (and the unknown) as one atom among them; at most `atoms_max`
/// atoms, neighbours joined. Also says which codes are that one.
pub fn levels(
    codes: &[(u8, Tally)],
    unknown: u8,
    (whole, smoothing): (Tally, f64),
    (weight_min, atoms_max): (f64, usize),
) -> (Vec<Atom>, Atom) {
    let (mut common, mut rare) = (Vec::new(), Atom::default());
    for &(code, tally) in codes {
        if code == unknown || tally.weight() < weight_min || tally.weight() <= 0.0 {
            rare.take(code, tally);
        } else {
            common.push(Atom { codes: vec![code], tally });
        }
    }
    if rare.tally.weight() > 0.0 {
        common.push(rare.clone());
    }
    let woe = |atom: &Atom| Evidence::of(atom.tally, whole, smoothing).woe;
    common.sort_by(|a, b| woe(a).total_cmp(&woe(b)).then_with(|| a.codes.cmp(&b.codes)));
    (joined(common, atoms_max), rare)
}

/// Neighbours of the least weight together are joined until few enough are left.
fn joined(mut atoms: Vec<Atom>, atoms_max: usize) -> Vec<Atom> {
    while atoms.len() > atoms_max.max(1) {
        let weight = |at: usize| atoms[at].tally.weight() + atoms[at + 1].tally.weight();
        let least = (0..atoms.len() - 1).min_by(|&a, &b| weight(a).total_cmp(&weight(b)));
        let Some(at) = least else { break };
        let next = atoms.remove(at + 1);
        atoms[at].codes.extend(next.codes);
        atoms[at].tally.add(next.tally);
    }
    atoms
}
