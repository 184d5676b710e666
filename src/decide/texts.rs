//! Which reason texts a field needs, and under which keys they are found.
//! Never chooses a reason.

use std::collections::BTreeMap;

use crate::data::contract::{ColumnSpec, Contract};
use crate::data::table::Kind;

/// What a text says about a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Above the reference.
    High,
    /// Below the reference.
    Low,
    /// A text value, which has no above and below.
    Value,
    /// The cell was missing.
    Missing,
}

impl Variant {
    pub fn key(self, stem: &str) -> String {
        let suffix = match self {
            Self::High => "high",
            Self::Low => "low",
            Self::Value => "value",
            Self::Missing => "missing",
        };
        [stem, ".", suffix].concat()
    }
}

/// The keys a field's reasons may need. A required cell and one with a default are never missing.
pub fn needed_keys(column: &ColumnSpec, stem: &str) -> Vec<String> {
    let told: &[Variant] =
        if column.kind == Kind::Text { &[Variant::Value] } else { &[Variant::High, Variant::Low] };
    let missing = (!column.required && column.default.is_none()).then_some(Variant::Missing);
    told.iter().copied().chain(missing).map(|variant| variant.key(stem)).collect()
}

/// All keys of the given fields that `texts` does not have, in order; fields of no contract are skipped.
pub fn missing_keys<'a>(
    contract: &Contract,
    fields: impl IntoIterator<Item = &'a str>,
    stems: &BTreeMap<String, String>,
    texts: &BTreeMap<String, String>,
) -> Vec<String> {
    let columns = fields.into_iter().filter_map(|field| contract.find(field));
    let keys = columns.flat_map(|column| {
        let stem = stems.get(&column.name).unwrap_or(&column.name);
        needed_keys(column, stem)
    });
    keys.filter(|key| !texts.contains_key(key)).collect()
}
