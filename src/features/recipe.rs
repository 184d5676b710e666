//! The feature recipe: as `recipe.toml` writes it, and as it is once fitted to training rows.
//! The fitted form is data, not code: it is signed into the model and read by the Python reader.

use serde::{Deserialize, Serialize};

/// How one field is encoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "encode", rename_all = "snake_case", deny_unknown_fields)]
pub enum Encoding {
    /// (x - mean) / deviation.
    Scale,
    /// Position among the training quantiles, 0 to 1, linear between them.
    Quantile {
        #[serde(default = "default_bins")]
        bins: usize,
    },
    /// Piecewise-linear over quantile bins: one column a bin, 0 below it, 1 above it, linear inside.
    Piecewise {
        #[serde(default = "default_bins")]
        bins: usize,
    },
    /// One column a level seen in at least `min_rows` training rows; the rest share one.
    OneHot {
        #[serde(default = "default_min_rows")]
        min_rows: usize,
    },
    /// The place in a declared order, scaled to 0..1.
    Ordinal { order: Vec<String> },
    /// A fixed number of buckets by hash; unseen levels fall into a bucket like any other level.
    Hash { buckets: usize },
}

fn default_bins() -> usize {
    16
}

fn default_min_rows() -> usize {
    20
}

/// One field of `recipe.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldRecipe {
    pub field: String,
    #[serde(flatten)]
    pub encoding: Encoding,
}

/// `recipe.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRecipe {
    #[serde(default)]
    pub features: Vec<FieldRecipe>,
}

/// A field's fitted encoding. Numeric fields impute the training median and, where training
/// rows had gaps, carry an indicator column of their own, always the last of the field's columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "encode", rename_all = "snake_case", deny_unknown_fields)]
pub enum FittedEncoding {
    Scale {
        mean: f64,
        deviation: f64,
        median: f64,
        indicator: bool,
    },
    Quantile {
        cuts: Vec<f64>,
        median: f64,
        indicator: bool,
    },
    Piecewise {
        cuts: Vec<f64>,
        median: f64,
        indicator: bool,
    },
    /// One column a level in this order, then one for missing, then one for unknown or rare.
    OneHot {
        levels: Vec<String>,
    },
    /// One column for the scaled place and one indicator for missing or unknown.
    Ordinal {
        order: Vec<String>,
    },
    /// `buckets` columns, then one for missing; level text is hashed by SHA-256.
    Hash {
        buckets: usize,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedField {
    pub field: String,
    pub encoding: FittedEncoding,
    /// First column of this field in the matrix, and how many it has.
    pub start: usize,
    pub width: usize,
    /// Levels with enough training rows to be known; what is not here is `unseen`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_levels: Vec<String>,
}

/// The recipe after fitting: all a transform needs, fields in order, columns numbered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedRecipe {
    pub fields: Vec<FittedField>,
    pub width: usize,
}
