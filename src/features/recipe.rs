//! The feature recipe: as `recipe.toml` writes it, as it is once checked against a contract, and the
//! fitted form. The fitted form is data, not code: it is signed into the model and read by the Python reader.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::base::fact::nearest;
use crate::base::ids::FieldName;
use crate::base::limits;
use crate::data::contract::{ColumnSpec, Contract, Role};
use crate::data::table::Kind;
use crate::features::binning::codes::Code;
use crate::features::error::FeatureError;

const BINS_DEFAULT: usize = 16;
const ONE_HOT_ROWS_DEFAULT: usize = 20;

/// How one field is encoded. Numeric encodings fit integers, numbers, booleans and dates (as day
/// counts); the others fit text.
#[derive(Clone, Debug, PartialEq)]
pub enum Encoding {
    /// (x - mean) / deviation.
    Scale,
    /// Position among the training quantiles, 0 to 1, linear between them.
    Quantile { bins: usize },
    /// Piecewise-linear over quantile bins: one column a bin, 0 below it, 1 above it, linear inside.
    Piecewise { bins: usize },
    /// One column a level seen in at least `min_rows` training rows; the rest share one.
    OneHot { min_rows: usize },
    /// The place in a declared order, scaled to 0..1.
    Ordinal { order: Vec<String> },
    /// A fixed number of buckets by hash; unseen levels fall into a bucket like any other level.
    Hash { buckets: usize },
}

impl Encoding {
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Scale => "scale",
            Self::Quantile { .. } => "quantile",
            Self::Piecewise { .. } => "piecewise",
            Self::OneHot { .. } => "one_hot",
            Self::Ordinal { .. } => "ordinal",
            Self::Hash { .. } => "hash",
        }
    }

    fn is_numeric(&self) -> bool {
        matches!(self, Self::Scale | Self::Quantile { .. } | Self::Piecewise { .. })
    }
}

/// One field of `recipe.toml`: `field`, `encode`, and the keys that the encoding has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "FieldKeys", into = "FieldKeys")]
pub struct FieldRecipe {
    pub field: String,
    pub encoding: Encoding,
}

/// `recipe.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRecipe {
    #[serde(default)]
    pub features: Vec<FieldRecipe>,
}

/// A recipe whose fields all are features of its contract, each once and with a fitting encoding.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    features: Vec<FieldRecipe>,
}

impl Recipe {
    pub fn features(&self) -> &[FieldRecipe] {
        &self.features
    }
}

/// The flat keys of one field. What is left over is caught by `unknown` and refused with the nearest
/// key, which serde's own refusal does not name.
#[derive(Default, Serialize, Deserialize)]
struct FieldKeys {
    field: String,
    encode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bins: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_rows: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    buckets: Option<usize>,
    #[serde(flatten, skip_serializing)]
    unknown: BTreeMap<String, IgnoredAny>,
}

const KEYS: [&str; 6] = ["field", "encode", "bins", "min_rows", "order", "buckets"];

/// Each encoding and the one key it may have beside `field` and `encode`.
const ENCODINGS: [(&str, Option<&str>); 6] = [
    ("scale", None),
    ("quantile", Some("bins")),
    ("piecewise", Some("bins")),
    ("one_hot", Some("min_rows")),
    ("ordinal", Some("order")),
    ("hash", Some("buckets")),
];

impl FieldKeys {
    fn refuse_unknown_keys(&self) -> Result<(), FeatureError> {
        match self.unknown.keys().next() {
            None => Ok(()),
            Some(key) => Err(FeatureError::UnknownKey {
                field: self.field.clone(),
                key: key.clone(),
                nearest: nearest(key, KEYS),
            }),
        }
    }

    fn refuse_idle_keys(&self) -> Result<(), FeatureError> {
        let own = ENCODINGS.iter().find(|(name, _)| *name == self.encode).and_then(|(_, key)| *key);
        let given = [
            ("bins", self.bins.is_some()),
            ("min_rows", self.min_rows.is_some()),
            ("order", self.order.is_some()),
            ("buckets", self.buckets.is_some()),
        ];
        match given.into_iter().find(|(key, is_given)| *is_given && own != Some(*key)) {
            None => Ok(()),
            Some((key, _)) => Err(FeatureError::KeyDoesNotApply {
                field: self.field.clone(),
                key,
                encoding: self.encode.clone(),
            }),
        }
    }

    fn missing(&self, key: &'static str) -> FeatureError {
        FeatureError::KeyMissing { field: self.field.clone(), key, encoding: self.encode.clone() }
    }

    fn encoding(&self) -> Result<Encoding, FeatureError> {
        Ok(match self.encode.as_str() {
            "scale" => Encoding::Scale,
            "quantile" => Encoding::Quantile { bins: self.bins.unwrap_or(BINS_DEFAULT) },
            "piecewise" => Encoding::Piecewise { bins: self.bins.unwrap_or(BINS_DEFAULT) },
            "one_hot" => Encoding::OneHot { min_rows: self.min_rows.unwrap_or(ONE_HOT_ROWS_DEFAULT) },
            "ordinal" => {
                Encoding::Ordinal { order: self.order.clone().ok_or_else(|| self.missing("order"))? }
            }
            "hash" => Encoding::Hash { buckets: self.buckets.ok_or_else(|| self.missing("buckets"))? },
            found => {
                return Err(FeatureError::UnknownEncoding {
                    field: self.field.clone(),
                    found: found.to_string(),
                    nearest: nearest(found, ENCODINGS.map(|(name, _)| name)),
                });
            }
        })
    }
}

impl TryFrom<FieldKeys> for FieldRecipe {
    type Error = FeatureError;

    fn try_from(keys: FieldKeys) -> Result<Self, FeatureError> {
        keys.refuse_unknown_keys()?;
        let encoding = keys.encoding()?;
        keys.refuse_idle_keys()?;
        Ok(Self { field: keys.field, encoding })
    }
}

impl From<FieldRecipe> for FieldKeys {
    fn from(feature: FieldRecipe) -> Self {
        let encode = feature.encoding.as_str().to_string();
        let keys = Self { field: feature.field, encode, ..Self::default() };
        match feature.encoding {
            Encoding::Scale => keys,
            Encoding::Quantile { bins } | Encoding::Piecewise { bins } => Self { bins: Some(bins), ..keys },
            Encoding::OneHot { min_rows } => Self { min_rows: Some(min_rows), ..keys },
            Encoding::Ordinal { order } => Self { order: Some(order), ..keys },
            Encoding::Hash { buckets } => Self { buckets: Some(buckets), ..keys },
        }
    }
}

impl RawRecipe {
    /// Holds the recipe against the contract; a field that is no feature there is refused by its role.
    pub fn check(self, contract: &Contract) -> Result<Recipe, FeatureError> {
        let found = self.features.len();
        if found == 0 {
            return Err(FeatureError::RecipeEmpty);
        }
        if found > limits::COLUMNS_MAX {
            return Err(FeatureError::RecipeTooLong { found, max: limits::COLUMNS_MAX });
        }
        let mut seen = BTreeSet::new();
        for feature in &self.features {
            if !seen.insert(feature.field.as_str()) {
                return Err(FeatureError::Twice { field: feature.field.clone() });
            }
            check_feature(feature, contract)?;
        }
        Ok(Recipe { features: self.features })
    }
}

fn check_feature(feature: &FieldRecipe, contract: &Contract) -> Result<(), FeatureError> {
    let field = || feature.field.clone();
    let Some(column) = contract.find(&feature.field) else {
        let names = contract.with_role(Role::Feature).map(|c| c.name.as_str());
        let nearest = nearest(&feature.field, names).map(String::from);
        return Err(FeatureError::UnknownField { field: field(), nearest });
    };
    if column.role != Role::Feature {
        return Err(FeatureError::RoleRefused { field: field(), role: column.role });
    }
    if feature.encoding.is_numeric() == (column.kind == Kind::Text) {
        let encoding = feature.encoding.as_str();
        return Err(FeatureError::EncodingKind { field: field(), encoding, kind: column.kind.as_str() });
    }
    check_bounds(feature)?;
    match &feature.encoding {
        Encoding::Ordinal { order } => check_order(order, column),
        _ => Ok(()),
    }
}

fn check_bounds(feature: &FieldRecipe) -> Result<(), FeatureError> {
    let (key, found, min, max) = match &feature.encoding {
        Encoding::Scale => return Ok(()),
        Encoding::Quantile { bins } | Encoding::Piecewise { bins } => {
            ("bins", *bins, limits::BINS_MIN, limits::BINS_MAX)
        }
        Encoding::OneHot { min_rows } => ("min_rows", *min_rows, 1, limits::ROWS_MAX),
        Encoding::Ordinal { order } => {
            ("the length of the order", order.len(), 1, limits::ONE_HOT_LEVELS_MAX)
        }
        Encoding::Hash { buckets } => ("buckets", *buckets, 1, limits::HASH_BUCKETS_MAX),
    };
    if (min..=max).contains(&found) {
        Ok(())
    } else {
        Err(FeatureError::OutOfBounds { field: feature.field.clone(), key, found, min, max })
    }
}

fn check_order(order: &[String], column: &ColumnSpec) -> Result<(), FeatureError> {
    let mut seen = BTreeSet::new();
    for level in order {
        let field = || column.name.clone();
        if !seen.insert(level) {
            return Err(FeatureError::OrderTwice { field: field(), level: level.clone() });
        }
        if let Some(levels) = column.levels.as_ref().filter(|levels| !levels.contains(level)) {
            let nearest = nearest(level, levels.iter().map(String::as_str)).map(String::from);
            return Err(FeatureError::OrderLevel { field: field(), level: level.clone(), nearest });
        }
    }
    Ok(())
}

/// A field's fitted encoding. Numeric fields impute the training median and, where training
/// rows had gaps, carry an indicator column of their own, always the last of the field's columns.
/// A numeric field that was constant in training has no column but that indicator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "encode", rename_all = "snake_case", deny_unknown_fields)]
pub enum FittedEncoding {
    /// (x - mean) / deviation, held within ±8; a `deviation` of 0 says that the field was constant.
    Scale { mean: f64, deviation: f64, median: f64, indicator: bool },
    /// The place among the cuts, 0 at the first and 1 at the last, linear between two neighbours.
    Quantile { cuts: Vec<f64>, median: f64, indicator: bool },
    /// One column a pair of neighbouring cuts; a single cut says that the field was constant.
    Piecewise { cuts: Vec<f64>, median: f64, indicator: bool },
    /// One column a level in this order (sorted), then one for missing, then one for unknown or rare.
    OneHot { levels: Vec<String> },
    /// One column for the scaled place (0.5 where there is none) and one indicator for missing or unknown.
    Ordinal { order: Vec<String> },
    /// No column but the field's code.
    None {},
    /// `buckets` columns, then one for missing. The bucket of a level: SHA-256 of field name, a zero
    /// byte and level, its first eight bytes as a little-endian number, modulo `buckets`.
    Hash { buckets: usize },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedField {
    pub field: FieldName,
    pub encoding: FittedEncoding,
    /// First column of this field in the matrix, and how many it has; a constant field may have none.
    pub start: usize,
    pub width: usize,
    /// Levels with enough training rows to be known, sorted; what is not here is `unseen`. A hashed
    /// field with none here (none frequent enough, or too many to remember) reports nothing unseen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_levels: Vec<String>,
    /// Where the family reads codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<FieldCode>,
}

/// A field's codes, and the column of the matrix that holds them: behind the columns of all encodings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldCode {
    pub column: usize,
    pub of: Code,
}

/// The recipe after fitting: all a transform needs, fields in order, columns numbered. What is read
/// from a file has passed `check`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "UncheckedRecipe")]
pub struct FittedRecipe {
    pub fields: Vec<FittedField>,
    /// Columns of encodings; codes come behind them.
    pub width: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UncheckedRecipe {
    fields: Vec<FittedField>,
    width: usize,
}

impl TryFrom<UncheckedRecipe> for FittedRecipe {
    type Error = FeatureError;

    fn try_from(raw: UncheckedRecipe) -> Result<Self, FeatureError> {
        let recipe = Self { fields: raw.fields, width: raw.width };
        recipe.check().map(|()| recipe)
    }
}
