//! What a fitted recipe says of itself: the width and the names of its columns, and whether it holds
//! together at all, since model files come from outside. Never fits and never transforms.

use std::collections::BTreeSet;

use crate::base::limits;
use crate::features::binning::codes::Code;
use crate::features::error::FeatureError;
use crate::features::recipe::{FittedEncoding, FittedField, FittedRecipe};

mod mean;

/// One column of the matrix, for charts and lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputColumn {
    /// Such as `dti`, `dti[3]`, `dti?missing`, `grade=B`, `grade?unknown` or `city#12`.
    pub name: String,
    /// Index into the fitted recipe's fields.
    pub field: usize,
}

impl FittedRecipe {
    /// The columns of encodings in order, as many as the recipe is wide; codes come behind them.
    pub fn columns(&self) -> Vec<OutputColumn> {
        let named = |(index, field): (usize, &FittedField)| {
            let names = field.encoding.column_names(&field.field);
            names.into_iter().map(move |name| OutputColumn { name, field: index })
        };
        self.fields.iter().enumerate().flat_map(named).collect()
    }

    /// The declared order of a field of texts, where it has one.
    pub fn order_of(&self, field: &str) -> Option<&[String]> {
        let field = self.fields.iter().find(|own| own.field == field)?;
        match (&field.encoding, field.code.as_ref().map(|code| &code.of)) {
            (_, Some(Code::Order { order })) | (FittedEncoding::Ordinal { order }, _) => Some(order),
            _ => None,
        }
    }

    /// The columns of a row of the matrix: those of encodings, then a code for each field that has codes.
    pub fn row_width(&self) -> usize {
        self.width + self.fields.iter().filter(|field| field.code.is_some()).count()
    }

    /// Refuses a fitted recipe that could not have come from `fit`.
    pub fn check(&self) -> Result<(), FeatureError> {
        if self.fields.is_empty() || self.fields.len() > limits::COLUMNS_MAX {
            return Err(FeatureError::FittedLayout { what: "it has no fields, or too many" });
        }
        let mut seen = BTreeSet::new();
        for field in &self.fields {
            if field.field.is_empty() || !seen.insert(&field.field) {
                return Err(malformed(field, "the name is empty or appears twice"));
            }
            check_encoding(&field.encoding)
                .and_then(|()| check_code(field))
                .and_then(|()| check_known(field))
                .map_err(|w| malformed(field, w))?;
        }
        self.check_layout()
    }

    /// The columns are numbered without gap or overlap, and as many as the encodings need.
    pub(crate) fn check_layout(&self) -> Result<(), FeatureError> {
        let mut next = 0;
        for field in &self.fields {
            if field.start != next {
                return Err(malformed(field, "its columns do not begin where those of the field before end"));
            }
            if field.width != field.encoding.width() {
                return Err(malformed(field, "its width is not that of its encoding"));
            }
            next += field.width;
        }
        let codes = self.fields.iter().filter_map(|field| Some((field, field.code.as_ref()?)));
        for (rank, (field, code)) in codes.enumerate() {
            if code.column != next + rank {
                return Err(malformed(
                    field,
                    "its codes are not in the column behind those of the field before",
                ));
            }
        }
        let all = self.row_width();
        if next != self.width || all == 0 || all > limits::MATRIX_WIDTH_MAX {
            return Err(FeatureError::FittedLayout {
                what: "the width is none, too large, or not the sum of its fields",
            });
        }
        Ok(())
    }
}

fn malformed(field: &FittedField, what: &'static str) -> FeatureError {
    FeatureError::FittedMalformed { field: field.field.to_string(), what }
}

fn check_encoding(encoding: &FittedEncoding) -> Result<(), &'static str> {
    match encoding {
        FittedEncoding::Scale { mean, deviation, median, .. } => {
            check_numbers(&[*mean, *deviation, *median])?;
            if *deviation < 0.0 { Err("the deviation is negative") } else { Ok(()) }
        }
        FittedEncoding::Quantile { cuts, median, .. } | FittedEncoding::Piecewise { cuts, median, .. } => {
            check_numbers(&[*median]).and_then(|()| check_cuts(cuts))
        }
        FittedEncoding::OneHot { levels } if levels.len() > limits::ONE_HOT_LEVELS_MAX => {
            Err("it has too many levels")
        }
        FittedEncoding::OneHot { levels } => check_sorted(levels),
        FittedEncoding::Ordinal { order } => check_order(order),
        FittedEncoding::Hash { buckets } if (1..=limits::HASH_BUCKETS_MAX).contains(buckets) => Ok(()),
        FittedEncoding::Hash { .. } => Err("it has no buckets, or too many"),
        FittedEncoding::None {} => Ok(()),
    }
}

/// A field has codes, or columns of an encoding that reads the same kind of cell, or both.
fn check_code(field: &FittedField) -> Result<(), &'static str> {
    match (&field.code, &field.encoding) {
        (None, FittedEncoding::None {}) => Err("it has neither an encoding nor codes"),
        (None, _) => Ok(()),
        (Some(code), FittedEncoding::None {}) => code.of.check(),
        (Some(code), encoding) if code.of.is_numeric() != encoding.is_numeric() => {
            Err("its encoding and its codes read different kinds of cells")
        }
        (Some(code), _) => code.of.check(),
    }
}

fn check_numbers(numbers: &[f64]) -> Result<(), &'static str> {
    // A NaN is not within the bound either.
    if numbers.iter().all(|x| x.abs() <= limits::NUMBER_MAGNITUDE_MAX) {
        Ok(())
    } else {
        Err("a number of it is not finite, or too large")
    }
}

fn check_cuts(cuts: &[f64]) -> Result<(), &'static str> {
    check_numbers(cuts)?;
    if cuts.is_empty() || cuts.len() > limits::BINS_MAX + 1 {
        return Err("it has no cuts, or too many");
    }
    if cuts.windows(2).all(|pair| pair[0] < pair[1]) { Ok(()) } else { Err("its cuts do not increase") }
}

fn check_sorted(levels: &[String]) -> Result<(), &'static str> {
    if levels.windows(2).all(|pair| pair[0] < pair[1]) { Ok(()) } else { Err("its levels are not sorted") }
}

fn check_order(order: &[String]) -> Result<(), &'static str> {
    if order.is_empty() || order.len() > limits::ONE_HOT_LEVELS_MAX {
        return Err("its order is empty, or too long");
    }
    let distinct: BTreeSet<&String> = order.iter().collect();
    if distinct.len() == order.len() { Ok(()) } else { Err("its order names a level twice") }
}

fn check_known(field: &FittedField) -> Result<(), &'static str> {
    check_sorted(&field.known_levels)?;
    let is_order = |order: &[String]| {
        let mut sorted = order.to_vec();
        sorted.sort();
        field.known_levels == sorted
    };
    let fits = match &field.encoding {
        FittedEncoding::OneHot { levels } => field.known_levels == *levels,
        FittedEncoding::Ordinal { order } => is_order(order),
        FittedEncoding::None {} => match field.code.as_ref().map(|code| &code.of) {
            Some(Code::Levels { levels }) => field.known_levels == *levels,
            Some(Code::Order { order }) => is_order(order),
            Some(Code::Bins { .. }) | None => field.known_levels.is_empty(),
        },
        FittedEncoding::Hash { .. } => field.known_levels.len() <= limits::KNOWN_LEVELS_MAX,
        FittedEncoding::Scale { .. } | FittedEncoding::Quantile { .. } | FittedEncoding::Piecewise { .. } => {
            field.known_levels.is_empty()
        }
    };
    if fits { Ok(()) } else { Err("its known levels are not those of its encoding") }
}

impl FittedField {
    /// Whether its cells are numbers, not texts.
    pub fn is_numeric(&self) -> bool {
        match (&self.encoding, &self.code) {
            (FittedEncoding::None {}, Some(code)) => code.of.is_numeric(),
            (encoding, _) => encoding.is_numeric(),
        }
    }

    /// Where a numeric field of a row (or of a mean row) lies, for comparing two: each of its columns
    /// rises with the value, but for the indicator of a missing cell, which is the last of the encoding's.
    pub fn place(&self, column: impl Fn(usize) -> Option<f64>) -> f64 {
        let indicator = match self.encoding {
            FittedEncoding::Scale { indicator, .. }
            | FittedEncoding::Quantile { indicator, .. }
            | FittedEncoding::Piecewise { indicator, .. } => usize::from(indicator),
            FittedEncoding::OneHot { .. } | FittedEncoding::Ordinal { .. } | FittedEncoding::Hash { .. } => 0,
            FittedEncoding::None {} => {
                return self.code.as_ref().and_then(|code| column(code.column)).unwrap_or_default();
            }
        };
        let columns = self.start..self.start + self.width.saturating_sub(indicator);
        columns.filter_map(column).fold(0.0, |sum, x| sum + x)
    }
}

/// What a value of a mean row stands for, as a person reads the field.
#[derive(Clone, Debug, PartialEq)]
pub enum Typical {
    Number(f64),
    /// The most frequent level, or the one in the middle of an order.
    Level(String),
}

impl FittedField {
    /// The value that a mean row has in this field, about; nothing where its columns do not keep one.
    pub fn typical(&self, column: impl Fn(usize) -> Option<f64>) -> Option<Typical> {
        match &self.encoding {
            FittedEncoding::Scale { mean, deviation, .. } => {
                Some(Typical::Number(mean + self.place(column) * deviation))
            }
            FittedEncoding::Quantile { cuts, .. } => {
                let steps = cuts.len().saturating_sub(1) as f64;
                among(cuts, self.place(column) * steps).map(Typical::Number)
            }
            FittedEncoding::Piecewise { cuts, .. } => among(cuts, self.place(column)).map(Typical::Number),
            FittedEncoding::OneHot { levels } => {
                let shares = levels.iter().enumerate().map(|(at, level)| (column(self.start + at), level));
                let most =
                    shares.max_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
                most.map(|(_, level)| Typical::Level(level.clone()))
            }
            FittedEncoding::Ordinal { order } => {
                let place = column(self.start)? * order.len().saturating_sub(1) as f64;
                order.get(place.round().max(0.0) as usize).cloned().map(Typical::Level)
            }
            FittedEncoding::Hash { .. } => None,
            FittedEncoding::None {} => {
                let code = self.code.as_ref()?;
                code.of.typical(column(code.column)?)
            }
        }
    }
}

impl Code {
    /// What a code of a mean row stands for: the middle of its bin, or its level.
    fn typical(&self, code: f64) -> Option<Typical> {
        let place = (code.round() - 1.0).max(0.0) as usize;
        match self {
            Self::Bins { cuts, low, high } => {
                let edges: Vec<f64> = [*low].into_iter().chain(cuts.iter().copied()).chain([*high]).collect();
                among(&edges, code - 0.5).map(Typical::Number)
            }
            Self::Order { order: levels } | Self::Levels { levels } => {
                levels.get(place).cloned().map(Typical::Level)
            }
        }
    }
}

/// The value at a place among cuts, linear between two neighbours.
fn among(cuts: &[f64], place: f64) -> Option<f64> {
    let last = cuts.len().checked_sub(1)?;
    let place = place.clamp(0.0, last as f64);
    let below = place.floor() as usize;
    let (low, high) = (cuts[below], cuts[(below + 1).min(last)]);
    Some(low + (high - low) * (place - below as f64))
}

impl FittedEncoding {
    /// Numeric encodings read a column of numbers, the others one of text.
    pub fn is_numeric(&self) -> bool {
        matches!(self, Self::Scale { .. } | Self::Quantile { .. } | Self::Piecewise { .. })
    }

    /// How many columns the field has; 0 for a field that was constant and never missing.
    pub fn width(&self) -> usize {
        match self {
            Self::Scale { deviation, indicator, .. } => {
                usize::from(*deviation > 0.0) + usize::from(*indicator)
            }
            Self::Quantile { cuts, indicator, .. } => usize::from(cuts.len() > 1) + usize::from(*indicator),
            Self::Piecewise { cuts, indicator, .. } => cuts.len().saturating_sub(1) + usize::from(*indicator),
            Self::OneHot { levels } => levels.len() + 2,
            Self::Ordinal { .. } => 2,
            Self::Hash { buckets } => buckets + 1,
            Self::None {} => 0,
        }
    }

    fn column_names(&self, field: &str) -> Vec<String> {
        let missing = format!("{field}?missing");
        match self {
            Self::Scale { indicator, .. } | Self::Quantile { indicator, .. } => {
                let varies = self.width() > usize::from(*indicator);
                let place = varies.then(|| field.to_string());
                place.into_iter().chain(indicator.then_some(missing)).collect()
            }
            Self::Piecewise { indicator, .. } => {
                let bins = self.width() - usize::from(*indicator);
                let names = (0..bins).map(|bin| format!("{field}[{bin}]"));
                names.chain(indicator.then_some(missing)).collect()
            }
            Self::OneHot { levels } => {
                let names = levels.iter().map(|level| format!("{field}={level}"));
                names.chain([missing, format!("{field}?unknown")]).collect()
            }
            Self::Ordinal { .. } => vec![field.to_string(), missing],
            Self::Hash { buckets } => {
                (0..*buckets).map(|bucket| format!("{field}#{bucket}")).chain([missing]).collect()
            }
            Self::None {} => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(encoding: FittedEncoding) -> FittedField {
        let width = encoding.width();
        FittedField { field: "f".into(), encoding, start: 0, width, known_levels: Vec::new(), code: None }
    }

    fn typical(encoding: FittedEncoding, columns: &[f64]) -> Option<Typical> {
        field(encoding).typical(|at| columns.get(at).copied())
    }

    #[test]
    fn a_mean_row_is_told_in_the_fields_own_values() {
        let (median, indicator) = (0.0, true);
        let scale = FittedEncoding::Scale { mean: 10.0, deviation: 2.0, median, indicator };
        assert_eq!(typical(scale, &[0.5, 0.9]), Some(Typical::Number(11.0)));
        let cuts = vec![0.0, 10.0, 100.0];
        let quantile = FittedEncoding::Quantile { cuts: cuts.clone(), median, indicator };
        assert_eq!(typical(quantile, &[0.75, 0.9]), Some(Typical::Number(55.0)));
        let piecewise = FittedEncoding::Piecewise { cuts, median, indicator };
        assert_eq!(typical(piecewise, &[1.0, 0.5, 0.9]), Some(Typical::Number(55.0)));
        let levels = vec!["A".to_string(), "B".to_string()];
        let one_hot = FittedEncoding::OneHot { levels };
        assert_eq!(typical(one_hot, &[0.4, 0.5, 0.1, 0.9]), Some(Typical::Level("B".into())));
        assert_eq!(typical(FittedEncoding::Hash { buckets: 2 }, &[0.4, 0.5, 0.1]), None);
    }
}
