//! Sums of packed derivatives by code, for some columns at once. Exact, so a sibling is its parent less the other.

use crate::model::trees::CODES_MAX;
use crate::train::trees::grow::gradients::Packed;

/// A little more than the codes, so that the first codes of two columns do not share cache sets.
pub type Bins = [Packed; CODES_MAX + 8];

/// One `Bins` for each column offered, in the order of the offer.
#[derive(Clone, Debug, Default)]
pub struct Histogram(pub Vec<Bins>);

/// Rows of codes, `width` apart.
#[derive(Clone, Copy, Debug)]
pub struct RowCodes<'a> {
    pub by_row: &'a [u8],
    pub width: usize,
}

impl Histogram {
    /// `offered` are places within a row.
    pub fn fill(&mut self, codes: RowCodes<'_>, packed: &[Packed], rows: &[u32], offered: &[u16]) {
        self.0.clear();
        self.0.resize(offered.len(), [0; CODES_MAX + 8]);
        for &row in rows {
            let row = row as usize;
            let derivative = packed[row];
            let at = row * codes.width;
            let cells = &codes.by_row[at..at + codes.width];
            for (bins, &place) in self.0.iter_mut().zip(offered) {
                let bin = &mut bins[usize::from(cells[usize::from(place)])];
                *bin = bin.wrapping_add(derivative);
            }
        }
    }

    /// From a parent's sums to those of the child whose sibling is given.
    pub fn take_away(&mut self, sibling: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&sibling.0) {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine = mine.wrapping_sub(*theirs);
            }
        }
    }
}
