//! Every way features can fail: a recipe that is refused, data that cannot be fitted or encoded,
//! and a fitted recipe or reference from outside that does not hold together.

use crate::base::fact::{Class, Fact};
use crate::data::contract::Role;

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FeatureError {
    #[error("the recipe has no features")]
    RecipeEmpty,
    #[error("the recipe has {found} features; at most {max} are allowed")]
    RecipeTooLong { found: usize, max: usize },
    #[error("feature {field:?}: unknown key {key:?}{hint}", hint = did_you_mean(nearest))]
    UnknownKey { field: String, key: String, nearest: Option<&'static str> },
    #[error("feature {field:?}: unknown encoding {found:?}{hint}", hint = did_you_mean(nearest))]
    UnknownEncoding { field: String, found: String, nearest: Option<&'static str> },
    #[error("feature {field:?}: the key {key:?} does not apply to the encoding {encoding:?}")]
    KeyDoesNotApply { field: String, key: &'static str, encoding: String },
    #[error("feature {field:?}: the encoding {encoding:?} needs the key {key:?}")]
    KeyMissing { field: String, key: &'static str, encoding: String },
    #[error("feature {field:?} is not a column of the contract{hint}", hint = did_you_mean(nearest))]
    UnknownField { field: String, nearest: Option<String> },
    #[error("feature {field:?} appears twice in the recipe")]
    Twice { field: String },
    #[error("feature {field:?} has the role `{role}` in the contract; only the role `feature` may reach a model",
        role = role_word(*role))]
    RoleRefused { field: String, role: Role },
    #[error("feature {field:?}: the encoding {encoding:?} does not fit a column of kind {kind}")]
    EncodingKind { field: String, encoding: &'static str, kind: &'static str },
    #[error("feature {field:?}: {key} is {found}; it must be from {min} to {max}")]
    OutOfBounds { field: String, key: &'static str, found: usize, min: usize, max: usize },
    #[error("feature {field:?}: the order names {level:?} twice")]
    OrderTwice { field: String, level: String },
    #[error("feature {field:?}: the order names {level:?}, which the contract does not allow{hint}",
        hint = did_you_mean(nearest))]
    OrderLevel { field: String, level: String, nearest: Option<String> },
    #[error("{found} golden rows were asked for; at most {max} are drawn")]
    TooManyGoldenRows { found: usize, max: usize },

    #[error("the table has no column {field:?}, which the recipe needs")]
    MissingColumn { field: String },
    #[error("column {field:?} is of kind {found} where the recipe needs {expected}")]
    ColumnKind { field: String, found: &'static str, expected: &'static str },
    #[error("column {field:?} has no value in any of the {rows} training rows")]
    NoValues { field: String, rows: usize },
    #[error("column {field:?}, row {row}: {value} is beyond what can be encoded (±{max})")]
    Magnitude { field: String, row: usize, value: f64, max: f64 },
    #[error("column {field:?} has {found} levels to encode one by one; at most {max} are allowed")]
    TooManyLevels { field: String, found: usize, max: usize },
    #[error("column {field:?}: no training row holds a level of the declared order")]
    OrderUnmatched { field: String },
    #[error("the matrix grows to {found} columns at field {field:?}; at most {max} are allowed")]
    TooWide { field: String, found: usize, max: usize },
    #[error("every field of the recipe is constant in the {rows} training rows; nothing can be learned")]
    NothingVaries { rows: usize },
    #[error("{rows} rows times {width} columns are more than the {max} cells of one matrix")]
    TooManyCells { rows: usize, width: usize, max: usize },

    #[error("the fitted recipe is malformed at field {field:?}: {what}")]
    FittedMalformed { field: String, what: &'static str },
    #[error("the fitted recipe is malformed: {what}")]
    FittedLayout { what: &'static str },
    #[error("the reference is malformed at field {field:?}: {what}")]
    ReferenceMalformed { field: String, what: &'static str },
    #[error("the reference does not list the fields of its fitted recipe in order")]
    ReferenceFields,
}

impl Fact for FeatureError {
    fn code(&self) -> &'static str {
        match self {
            Self::RecipeEmpty => "recipe.empty",
            Self::RecipeTooLong { .. } => "recipe.too_long",
            Self::UnknownKey { .. } => "recipe.unknown_key",
            Self::UnknownEncoding { .. } => "recipe.unknown_encoding",
            Self::KeyDoesNotApply { .. } => "recipe.key_does_not_apply",
            Self::KeyMissing { .. } => "recipe.key_missing",
            Self::UnknownField { .. } => "recipe.unknown_field",
            Self::Twice { .. } => "recipe.duplicate_field",
            Self::RoleRefused { role, .. } => role_code(*role),
            Self::EncodingKind { .. } => "recipe.encoding_kind",
            Self::OutOfBounds { .. } => "recipe.out_of_bounds",
            Self::OrderTwice { .. } => "recipe.order_duplicate",
            Self::OrderLevel { .. } => "recipe.order_level",
            Self::TooManyGoldenRows { .. } => "features.too_many_golden_rows",
            Self::MissingColumn { .. } => "features.missing_column",
            Self::ColumnKind { .. } => "features.column_kind",
            Self::NoValues { .. } => "features.no_values",
            Self::Magnitude { .. } => "features.magnitude",
            Self::TooManyLevels { .. } => "features.too_many_levels",
            Self::OrderUnmatched { .. } => "features.order_unmatched",
            Self::TooWide { .. } => "features.too_wide",
            Self::NothingVaries { .. } => "features.nothing_varies",
            Self::TooManyCells { .. } => "features.too_many_cells",
            Self::FittedMalformed { .. } | Self::FittedLayout { .. } => "features.fitted_malformed",
            Self::ReferenceMalformed { .. } | Self::ReferenceFields => "features.reference_malformed",
        }
    }

    fn class(&self) -> Class {
        match self.code() {
            "features.fitted_malformed" | "features.reference_malformed" => Class::Integrity,
            code if code.starts_with("recipe.") => Class::Usage,
            "features.too_many_golden_rows" | "features.too_many_cells" => Class::Usage,
            _ => Class::DataRefused,
        }
    }

    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::TooManyLevels { .. } => "Encode the field with encode = \"hash\", or raise its min_rows.",
            Self::TooWide { .. } => "Use fewer bins, buckets or one-hot levels in recipe.toml.",
            Self::NoValues { .. } => "Take the field out of recipe.toml, or train on rows that have it.",
            Self::OrderUnmatched { .. } => "Spell the order in recipe.toml as the data spells its levels.",
            Self::Magnitude { .. } => "Give the column a min and a max in contract.toml.",
            Self::TooManyCells { .. } => "Encode the rows in smaller pieces.",
            Self::FittedMalformed { .. }
            | Self::FittedLayout { .. }
            | Self::ReferenceMalformed { .. }
            | Self::ReferenceFields => "Do not use this model; fetch the release again from its source.",
            _ if self.class() == Class::Usage => "Correct recipe.toml and run `tallystick project check`.",
            _ => return None,
        };
        Some(step.into())
    }
}

fn role_code(role: Role) -> &'static str {
    match role {
        Role::Leak => "recipe.leak",
        Role::Protected => "recipe.protected",
        Role::Id => "recipe.id",
        Role::Pii => "recipe.pii",
        Role::Target => "recipe.target",
        Role::Split => "recipe.split",
        Role::Ignored | Role::Feature => "recipe.ignored",
    }
}

fn role_word(role: Role) -> &'static str {
    role_code(role).trim_start_matches("recipe.")
}

fn did_you_mean<T: std::fmt::Display>(nearest: &Option<T>) -> String {
    nearest.as_ref().map(|word| format!("; did you mean \"{word}\"?")).unwrap_or_default()
}
