//! A case's record drawn as a tally: one stick, notched, split along its length. The notches are the record's own hash,
//! so that the half that is kept and the half that is handed out can be seen to match.

use serde::Serialize;

use crate::base::digest::Digest;

/// The stick's length and the height of its line of splitting, in the drawing's own units.
const LENGTH: u32 = 640;
const FIRST_NOTCH: u32 = 132;
const NOTCHES: usize = 16;
const STEP: u32 = 30;

/// Outlines of both halves, for an SVG's paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub stock: String,
    pub foil: String,
}

/// Half the width of a notch by two bits of the hash: none, fine, broad, palm.
const WIDTHS: [u32; 4] = [0, 4, 8, 13];
const DEPTH: u32 = 17;

pub fn draw(leaf_hash: &Digest) -> Tally {
    let bits = |at: usize| usize::from(leaf_hash.as_bytes()[at / 4] >> (at % 4 * 2) & 3);
    let notches: Vec<(u32, u32)> = (0..NOTCHES)
        .map(|at| (FIRST_NOTCH + STEP * at as u32, WIDTHS[bits(at)]))
        .filter(|(_, w)| *w > 0)
        .collect();
    // The stock is the longer half: it keeps the handle.
    let mut stock = format!("M8 10H{end}V44", end = LENGTH - 8);
    for (x, width) in notches.iter().rev() {
        stock.push_str(&format!("H{}L{x} {}L{} 44", x + width, 44 - DEPTH, x - width));
    }
    stock.push_str("H8Q2 44 2 38V16Q2 10 8 10Z");
    let mut foil = "M96 52".to_string();
    for (x, width) in &notches {
        foil.push_str(&format!("H{}L{x} {}L{} 52", x - width, 52 + DEPTH, x + width));
    }
    foil.push_str(&format!("H{}V86H100Q96 86 96 82Z", LENGTH - 8));
    Tally { stock, foil }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_have_the_same_notches_and_another_record_has_others() {
        let one = draw(&Digest::of(b"one"));
        assert_eq!(one, draw(&Digest::of(b"one")));
        assert_ne!(one, draw(&Digest::of(b"two")));
        let notches = |path: &str| path.matches('L').count();
        assert_eq!(notches(&one.stock), notches(&one.foil));
        assert!(notches(&one.stock) > 4);
    }
}
