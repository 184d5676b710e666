//! The texts a person sees, by key: `text/en.toml` flattened to dotted keys.
//! Never decides which text is shown.

use std::collections::BTreeMap;

use toml::Value;

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
