//! The texts a person sees, by key: `text/en.toml` flattened to dotted keys.
//! Never decides which text is shown.

use std::collections::BTreeMap;

use toml::Value;

use crate::base::fact::{Class, Fact};

/// A text file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("the texts are no TOML: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("the key {0:?} is neither a text nor a table of texts")]
    Shape(String),
}

impl Fact for TextError {
    fn code(&self) -> &'static str {
        "text.malformed"
    }

    fn class(&self) -> Class {
        Class::Failed
    }
}

/// A whole file, flattened.
pub fn parse(text: &str) -> Result<BTreeMap<String, String>, TextError> {
    flatten(&text.parse::<toml::Table>()?).map_err(TextError::Shape)
}

/// `[label] dti = "..."` becomes `label.dti`; anything but tables and strings is named as wrong.
pub fn flatten(table: &toml::Table) -> Result<BTreeMap<String, String>, String> {
    let mut out = BTreeMap::new();
    add(&mut out, "", table)?;
    Ok(out)
}

fn add(out: &mut BTreeMap<String, String>, prefix: &str, table: &toml::Table) -> Result<(), String> {
    for (key, value) in table {
        let full = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::String(text) => {
                out.insert(full, text.clone());
            }
            Value::Table(inner) => add(out, &full, inner)?,
            _ => return Err(full),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::flatten;

    #[test]
    fn tables_become_dotted_keys_and_numbers_are_refused_by_name() {
        let table: toml::Table = "[reason]\ndti = \"High\"\n".parse().unwrap();
        assert_eq!(flatten(&table).unwrap()["reason.dti"], "High");
        let table: toml::Table = "[reason]\ndti = 3\n".parse().unwrap();
        assert_eq!(flatten(&table).unwrap_err(), "reason.dti");
    }
}
