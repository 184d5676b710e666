//! The scorecard: a row's margin is the intercept and, for each scored column, its coefficient times its bin's weight
//! of evidence, added in order. Learns nothing and knows no field by name.

use crate::model::scorer::{Prepared, Scorer};
use crate::model::trees::{CODES_MAX, CodeColumn, code_shares, read_codes};

pub mod points;
#[cfg(test)]
pub(crate) mod tests;

/// How many bins a column may have: one a code.
pub const BINS_MAX: usize = CODES_MAX;

#[derive(Clone, Debug, PartialEq)]
pub struct Scorecard {
    /// All columns of a row of codes, the unscored too.
    pub columns: Vec<CodeColumn>,
    pub intercept: f64,
    /// By rising place.
    pub parts: Vec<Part>,
}

/// What a column adds to the margin.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Which of `Scorecard::columns` it is.
    pub place: usize,
    /// The bin of each code.
    pub bin_of: Vec<u8>,
    /// Of each bin.
    pub woe: Vec<f64>,
    /// Above zero: a bin of more evidence never scores less.
    pub coefficient: f64,
}

/// Numbers that are no scorecard.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum ScorecardError {
    #[error("the scorecard's intercept is no finite number")]
    Intercept,
    #[error("column {column} has {codes} codes; 2 to {max} are possible", max = CODES_MAX)]
    Codes { column: usize, codes: usize },
    #[error("part {part} scores column {place}, which is not after the one before it among {columns}")]
    Place { part: usize, place: usize, columns: usize },
    #[error("part {part} names bins for {found} codes where its column has {codes}")]
    BinOf { part: usize, found: usize, codes: usize },
    #[error("part {part} has {bins} bins; 1 to {max} are possible", max = BINS_MAX)]
    Bins { part: usize, bins: usize },
    #[error("part {part} puts code {code} into bin {bin}, and has {bins}")]
    Bin { part: usize, code: usize, bin: u8, bins: usize },
    #[error("part {part} has no finite evidence for bin {bin}")]
    Evidence { part: usize, bin: usize },
    #[error("part {part} has the coefficient {coefficient}: it must be finite and above 0")]
    Coefficient { part: usize, coefficient: f64 },
    #[error(
        "the reference has probabilities for {found} columns of {columns}, or not one a code in column {column}"
    )]
    Reference { found: usize, columns: usize, column: usize },
}

impl Part {
    /// What this code adds.
    pub fn worth(&self, code: u8) -> f64 {
        self.bin_worth(self.bin_of[usize::from(code)])
    }

    /// What this bin adds.
    pub fn bin_worth(&self, bin: u8) -> f64 {
        self.coefficient * self.woe[usize::from(bin)]
    }
}

impl Scorecard {
    /// Refuses lengths that do not fit, numbers that are none, and bins that are not there.
    pub fn check(&self) -> Result<(), ScorecardError> {
        if !self.intercept.is_finite() {
            return Err(ScorecardError::Intercept);
        }
        for (number, &CodeColumn { codes, .. }) in self.columns.iter().enumerate() {
            if !(2..=CODES_MAX).contains(&codes) {
                return Err(ScorecardError::Codes { column: number, codes });
            }
        }
        let mut next = 0;
        for (number, part) in self.parts.iter().enumerate() {
            let place = part.place;
            let column = self.columns.get(place).filter(|_| place >= next);
            let Some(column) = column else {
                return Err(ScorecardError::Place { part: number, place, columns: self.columns.len() });
            };
            check_part(number, part, column.codes)?;
            next = place + 1;
        }
        Ok(())
    }

    /// Of a row of codes, one for each of `columns`.
    pub fn margin_of(&self, codes: &[u8]) -> f64 {
        debug_assert_eq!(codes.len(), self.columns.len());
        self.parts.iter().fold(self.intercept, |sum, part| sum + part.worth(codes[part.place]))
    }

    /// The margin's expectation over the reference, and what each of `columns` adds to it: exact Shapley values, as
    /// the margin is a sum over columns. The reference gives each column's probability of each code.
    pub fn contributions(
        &self,
        codes: &[u8],
        reference: &[Vec<f64>],
    ) -> Result<(f64, Vec<f64>), ScorecardError> {
        let columns = self.columns.len();
        let uneven = |column: usize| ScorecardError::Reference { found: reference.len(), columns, column };
        if reference.len() != columns {
            return Err(uneven(0));
        }
        let (mut base, mut values) = (self.intercept, vec![0.0; columns]);
        for part in &self.parts {
            let chances = &reference[part.place];
            if chances.len() != part.bin_of.len() {
                return Err(uneven(part.place));
            }
            let worths = part.bin_of.iter().map(|&bin| part.bin_worth(bin));
            let expected = worths.zip(chances).fold(0.0, |sum, (worth, chance)| sum + worth * chance);
            base += expected;
            values[part.place] = part.worth(codes[part.place]) - expected;
        }
        Ok((base, values))
    }
}

impl Scorer for Scorecard {
    fn width(&self) -> usize {
        self.columns.last().map_or(0, |column| column.column + 1)
    }

    fn margin(&self, row: &[f32]) -> f64 {
        self.margin_of(&read_codes(&self.columns, row))
    }

    /// A sum over columns, so that the shares of codes are all that a reference needs.
    fn contributions(&self, row: &[f32], reference: &[f64], _: &Prepared) -> (f64, Vec<f64>) {
        let mut columns = vec![0.0; row.len()];
        let shares = code_shares(&self.columns, reference);
        let codes = read_codes(&self.columns, row);
        let Ok((base, values)) = Self::contributions(self, &codes, &shares) else {
            return (self.intercept, columns);
        };
        self.columns.iter().zip(values).for_each(|(column, value)| columns[column.column] = value);
        (base, columns)
    }
}

fn check_part(number: usize, part: &Part, codes: usize) -> Result<(), ScorecardError> {
    let bins = part.woe.len();
    if part.bin_of.len() != codes {
        return Err(ScorecardError::BinOf { part: number, found: part.bin_of.len(), codes });
    }
    if !(1..=BINS_MAX).contains(&bins) {
        return Err(ScorecardError::Bins { part: number, bins });
    }
    if let Some(code) = part.bin_of.iter().position(|&bin| usize::from(bin) >= bins) {
        return Err(ScorecardError::Bin { part: number, code, bin: part.bin_of[code], bins });
    }
    if let Some(bin) = part.woe.iter().position(|woe| !woe.is_finite()) {
        return Err(ScorecardError::Evidence { part: number, bin });
    }
    if !(part.coefficient.is_finite() && part.coefficient > 0.0) {
        return Err(ScorecardError::Coefficient { part: number, coefficient: part.coefficient });
    }
    Ok(())
}
