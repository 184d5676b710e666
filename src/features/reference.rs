//! How each field was distributed over the training rows: the baseline of drift, and the marginals
//! from which synthetic rows are drawn. Never holds a level or an edge that fewer than 20 rows share.

pub mod score;

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::data::table::{Cell, Kind, Table};
use crate::features::binning::Present;
use crate::features::error::FeatureError;
use crate::features::fit::{present_levels, present_numbers};
use crate::features::recipe::{FittedField, FittedRecipe};
use crate::features::reference::score::ScoreReference;

/// About as many bins as a stability index is computed over.
pub(in crate::features::reference) const BINS: usize = 10;
/// Numbers with more printed decimals than this are drawn with this many.
const DECIMALS_MAX: u32 = 6;

/// One marginal a field of the recipe, in its order. What is read from a file has passed `check`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedReference")]
pub struct Reference {
    /// Training rows.
    pub rows: u64,
    pub fields: Vec<ReferenceField>,
    /// Margins over rows that nothing was learned from; none where they were too few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<ScoreReference>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedReference {
    rows: u64,
    fields: Vec<ReferenceField>,
    score: Option<ScoreReference>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReferenceField {
    pub field: String,
    pub kind: Kind,
    /// Rows without a value.
    pub missing: u64,
    pub marginal: Marginal,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum Marginal {
    /// Bin `i` has `rows[i]` rows: those above `edges[i]` and at most `edges[i + 1]`; the first and the
    /// last bin hold what lies beyond the outer edges as well. Where fewer than 20 rows have a value
    /// there is one bin without edges. `decimals` is how many decimals nearly all numbers are printed with.
    Numbers { edges: Vec<f64>, rows: Vec<u64>, decimals: u32 },
    /// Levels of at least 20 rows, sorted by text; the rest are counted in `other`.
    Text { levels: Vec<LevelRows>, other: u64 },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelRows {
    pub level: String,
    pub rows: u64,
}

impl Reference {
    /// Counts the rows that `recipe` was fitted to.
    pub fn fit(recipe: &FittedRecipe, table: &Table) -> Result<Self, FeatureError> {
        let fields = recipe.fields.iter().map(|f| fit_field(f, table)).collect::<Result<_, _>>()?;
        Ok(Self { rows: table.rows() as u64, fields, score: None })
    }

    pub fn with_score(self, margins: &[f64]) -> Self {
        Self { score: ScoreReference::fit(margins), ..self }
    }

    /// Refuses a reference whose counts, edges or levels do not hold together.
    pub fn check(&self) -> Result<(), FeatureError> {
        let malformed = |field: &ReferenceField, what| {
            let field = field.field.clone();
            FeatureError::ReferenceMalformed { field, what }
        };
        self.fields.iter().try_for_each(|f| check_field(f, self.rows).map_err(|what| malformed(f, what)))?;
        let score = self.score.as_ref().map_or(Ok(()), ScoreReference::check);
        score.map_err(|what| FeatureError::ReferenceMalformed { field: "the score".into(), what })
    }

    /// Refuses a reference of another recipe.
    pub fn check_fits(&self, recipe: &FittedRecipe) -> Result<(), FeatureError> {
        let is_pair = |(own, fitted): (&ReferenceField, &FittedField)| {
            own.field == fitted.field && (own.kind != Kind::Text) == fitted.is_numeric()
        };
        let same = self.fields.len() == recipe.fields.len();
        if same && self.fields.iter().zip(&recipe.fields).all(is_pair) {
            Ok(())
        } else {
            Err(FeatureError::ReferenceFields)
        }
    }
}

impl TryFrom<UncheckedReference> for Reference {
    type Error = FeatureError;

    fn try_from(raw: UncheckedReference) -> Result<Self, FeatureError> {
        let reference = Self { rows: raw.rows, fields: raw.fields, score: raw.score };
        reference.check().map(|()| reference)
    }
}

impl ReferenceField {
    /// Training rows a bin: the bins of numbers or the levels in order, then `other` where the field
    /// is text, then missing. Counters of live rows have this length and order.
    pub fn bin_rows(&self) -> Vec<u64> {
        let mut bins: Vec<u64> = match &self.marginal {
            Marginal::Numbers { rows, .. } => rows.clone(),
            Marginal::Text { levels, other } => levels.iter().map(|l| l.rows).chain([*other]).collect(),
        };
        bins.push(self.missing);
        bins
    }

    /// How many bins `bin_rows` has.
    pub fn bins(&self) -> usize {
        match &self.marginal {
            Marginal::Numbers { rows, .. } => rows.len() + 1,
            Marginal::Text { levels, .. } => levels.len() + 2,
        }
    }

    /// Whether a row counts to the same bin of both: then rows that were counted by one can be held against the other.
    pub fn has_bins_of(&self, other: &Self) -> bool {
        self.field == other.field
            && match (&self.marginal, &other.marginal) {
                (
                    Marginal::Numbers { edges, rows, .. },
                    Marginal::Numbers { edges: theirs, rows: others, .. },
                ) => rows.len() == others.len() && inner_edges(edges) == inner_edges(theirs),
                (Marginal::Text { levels, .. }, Marginal::Text { levels: theirs, .. }) => {
                    levels.iter().map(|level| &level.level).eq(theirs.iter().map(|level| &level.level))
                }
                _ => false,
            }
    }

    /// The index among `bin_rows` that a cell counts to; a cell of the other kind counts as missing.
    pub fn bin_of(&self, cell: Cell<'_>) -> usize {
        match (&self.marginal, cell) {
            (Marginal::Numbers { edges, rows, .. }, Cell::Number(x)) if !x.is_nan() => {
                inner_edges(edges).partition_point(|edge| *edge < x).min(rows.len().saturating_sub(1))
            }
            (Marginal::Text { levels, .. }, Cell::Text(text)) => {
                levels.binary_search_by(|known| known.level.as_str().cmp(text)).unwrap_or(levels.len())
            }
            (Marginal::Numbers { rows, .. }, _) => rows.len(),
            (Marginal::Text { levels, .. }, _) => levels.len() + 1,
        }
    }
}

pub(in crate::features::reference) fn inner_edges(edges: &[f64]) -> &[f64] {
    edges.get(1..edges.len().saturating_sub(1)).unwrap_or_default()
}

fn fit_field(field: &FittedField, table: &Table) -> Result<ReferenceField, FeatureError> {
    let (present, marginal) = if field.is_numeric() {
        let (present, _) = present_numbers(&field.field, table)?;
        (present.sorted().len(), numbers_marginal(&present))
    } else {
        text_marginal(&field.field, table)?
    };
    Ok(ReferenceField {
        field: field.field.to_string(),
        kind: table.find_column(&field.field).map_or(Kind::Text, |column| column.kind),
        missing: (table.rows() - present) as u64,
        marginal,
    })
}

fn numbers_marginal(present: &Present) -> Marginal {
    let (edges, rows) = present.shared_bins(BINS);
    Marginal::Numbers { edges, rows, decimals: shared_decimals(present.sorted()) }
}

/// The fewest decimals that all but fewer than 20 numbers are printed with: what one row alone is
/// precise to is not told.
fn shared_decimals(numbers: &[f64]) -> u32 {
    let needs_more = |x: &&f64, decimals: u32| {
        let scale = 10f64.powi(decimals as i32);
        (**x * scale).round() / scale != **x
    };
    let mut left: Vec<&f64> = numbers.iter().collect();
    for decimals in 0..DECIMALS_MAX {
        left.retain(|x| needs_more(x, decimals));
        if left.len() < limits::SHARED_LEVEL_ROWS_MIN {
            return decimals;
        }
    }
    DECIMALS_MAX
}

/// How many rows have a level, and the levels that enough of them share.
fn text_marginal(field: &str, table: &Table) -> Result<(usize, Marginal), FeatureError> {
    let counts = present_levels(field, table)?;
    let present: usize = counts.values().sum();
    let mut shared: Vec<(&str, usize)> =
        counts.into_iter().filter(|(_, rows)| *rows >= limits::SHARED_LEVEL_ROWS_MIN).collect();
    shared.sort_by_key(|(level, rows)| (std::cmp::Reverse(*rows), *level));
    shared.truncate(limits::REFERENCE_LEVELS_MAX);
    shared.sort_unstable();
    let told: usize = shared.iter().map(|(_, rows)| rows).sum();
    let level_rows = |(level, rows): (&str, usize)| LevelRows { level: level.to_string(), rows: rows as u64 };
    let levels = shared.into_iter().map(level_rows).collect();
    Ok((present, Marginal::Text { levels, other: (present - told) as u64 }))
}

fn check_field(field: &ReferenceField, rows: u64) -> Result<(), &'static str> {
    match &field.marginal {
        Marginal::Numbers { .. } if field.kind == Kind::Text => return Err("text has no bins of numbers"),
        Marginal::Text { .. } if field.kind != Kind::Text => return Err("numbers have no levels"),
        Marginal::Numbers { edges, rows, decimals } => check_bins(edges, rows, *decimals)?,
        Marginal::Text { levels, .. } => check_levels(levels)?,
    }
    let total = field.bin_rows().into_iter().try_fold(0u64, u64::checked_add);
    if total == Some(rows) { Ok(()) } else { Err("its counts are not the training rows") }
}

fn check_bins(edges: &[f64], rows: &[u64], decimals: u32) -> Result<(), &'static str> {
    if decimals > DECIMALS_MAX || rows.len() > limits::REFERENCE_BINS_MAX {
        return Err("it has too many decimals or bins");
    }
    if edges.is_empty() {
        let hidden = rows.len() == 1 && is_rare(rows[0]);
        return if hidden { Ok(()) } else { Err("bins of 20 rows need edges") };
    }
    if rows.is_empty() || edges.len() != rows.len() + 1 || rows.iter().any(|count| is_rare(*count)) {
        return Err("its bins and edges do not match, or a bin has fewer than 20 rows");
    }
    let in_bounds = edges.iter().all(|edge| edge.abs() <= limits::NUMBER_MAGNITUDE_MAX);
    // Only the first bin may be a single value, which is then both of its edges.
    if in_bounds && edges[0] <= edges[1] && edges[1..].windows(2).all(|pair| pair[0] < pair[1]) {
        Ok(())
    } else {
        Err("its edges are not finite and increasing")
    }
}

fn check_levels(levels: &[LevelRows]) -> Result<(), &'static str> {
    if levels.len() > limits::REFERENCE_LEVELS_MAX || levels.iter().any(|l| is_rare(l.rows)) {
        return Err("it has too many levels, or one of fewer than 20 rows");
    }
    let sorted = levels.windows(2).all(|pair| pair[0].level < pair[1].level);
    if sorted { Ok(()) } else { Err("its levels are not sorted") }
}

pub(in crate::features::reference) fn is_rare(rows: u64) -> bool {
    rows < limits::SHARED_LEVEL_ROWS_MIN as u64
}
