//! The configuration as single values under dotted names, so that a changed one can be named: `train.toml boosting.trees`.
//! Takes checked values, with defaults in place; how a file is spelled changes nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::base::canonical;
use crate::base::digest::Digest;
use crate::base::limits;
use crate::pipeline::graph::error::GraphError;

/// Tables of a list are known by one of these, where each has it and no two the same.
const NAMES: [&str; 3] = ["name", "field", "column"];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Adds a project file, or one part of it under its key.
    pub fn add(&mut self, file: &str, value: &Value) -> Result<(), GraphError> {
        self.flatten(file, value, 0)?;
        match self.0.len() {
            found if found > limits::GRAPH_SETTINGS_MAX => Err(GraphError::TooMany {
                what: "values of configuration".into(),
                found,
                max: limits::GRAPH_SETTINGS_MAX,
            }),
            _ => Ok(()),
        }
    }

    /// Every value under one of the keys.
    pub fn under(&self, keys: &[String]) -> BTreeMap<String, String> {
        let is_read = |name: &str| keys.iter().any(|key| is_below(name, key));
        self.0.iter().filter(|(name, _)| is_read(name)).map(|(n, v)| (n.clone(), v.clone())).collect()
    }

    fn flatten(&mut self, name: &str, value: &Value, depth: usize) -> Result<(), GraphError> {
        match value {
            Value::Object(table) if !table.is_empty() && depth < limits::GRAPH_SETTING_DEPTH_MAX => {
                table.iter().try_for_each(|(key, value)| self.flatten(&below(name, key), value, depth + 1))
            }
            Value::Array(list)
                if list.iter().any(Value::is_object) && depth < limits::GRAPH_SETTING_DEPTH_MAX =>
            {
                let names = names_of(list);
                let order = Value::Array(names.iter().cloned().map(Value::String).collect());
                self.put(format!("{name}[]"), &order)?;
                let mut pairs = names.iter().zip(list);
                pairs.try_for_each(|(own, value)| self.flatten(&below(name, own), value, depth + 1))
            }
            value => self.put(name.to_string(), value),
        }
    }

    fn put(&mut self, name: String, value: &Value) -> Result<(), GraphError> {
        let bytes = canonical::to_bytes(value)?;
        let text = String::from_utf8_lossy(&bytes);
        let kept = match text.chars().nth(limits::GRAPH_SETTING_CHARS_MAX) {
            None => text.into_owned(),
            Some(_) => {
                let start: String = text.chars().take(limits::GRAPH_SETTING_CHARS_MAX).collect();
                format!("{start}… ({})", Digest::of(&bytes))
            }
        };
        self.0.insert(name, kept);
        Ok(())
    }
}

/// A whole file is below its own name, a key below each of its beginnings.
fn is_below(name: &str, key: &str) -> bool {
    let marks: &[char] = if key.contains(' ') { &['.', '['] } else { &[' '] };
    name.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(marks))
}

/// A file and its key stand apart by a space, a key and its parts by dots; parts that could be mistaken are quoted.
fn below(name: &str, key: &str) -> String {
    let mark = if name.contains(' ') { '.' } else { ' ' };
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    match !key.is_empty() && key.chars().all(plain) {
        true => format!("{name}{mark}{key}"),
        false => format!("{name}{mark}{key:?}"),
    }
}

fn names_of(list: &[Value]) -> Vec<String> {
    let by = |key: &&str| -> Option<Vec<String>> {
        let named: Option<Vec<String>> =
            list.iter().map(|one| Some(one.get(key)?.as_str()?.to_string())).collect();
        let mut sorted = named.clone()?;
        sorted.sort();
        sorted.dedup();
        named.filter(|named| named.len() == sorted.len())
    };
    NAMES.iter().find_map(by).unwrap_or_else(|| (0..list.len()).map(|at| at.to_string()).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(file: &str, value: Value) -> Settings {
        let mut settings = Settings::default();
        settings.add(file, &value).unwrap();
        settings
    }

    #[test]
    fn a_value_is_found_by_its_file_and_its_dotted_key() {
        let all = settings("train.toml", json!({"seed": 7, "boosting": {"trees": 200, "rate": 0.1}}));
        let under = |key: &str| all.under(&[key.to_string()]);
        assert_eq!(under("train.toml").len(), 3);
        assert_eq!(under("train.toml boosting").len(), 2);
        assert_eq!(under("train.toml boosting.trees")["train.toml boosting.trees"], "200");
        assert!(under("train.toml boost").is_empty() && under("train").is_empty());
    }

    #[test]
    fn tables_of_a_list_are_known_by_their_name_and_their_order_counts() {
        let column = |name: &str, max: i64| json!({"name": name, "max": max});
        let one = settings("contract.toml", json!({"column": [column("age", 99), column("sum", 5)]}));
        let other = settings("contract.toml", json!({"column": [column("sum", 5), column("age", 99)]}));
        assert_eq!(one.0["contract.toml column.age.max"], "99");
        assert_ne!(one, other);
        assert_eq!(one.0["contract.toml column[]"], r#"["age","sum"]"#);
        let unnamed = settings("policy.toml", json!({"band": [{"upto": 1}, {"upto": 2}]}));
        assert_eq!(unnamed.0["policy.toml band.1.upto"], "2");
    }

    #[test]
    fn a_dot_in_a_key_is_no_level_and_a_long_value_is_told_apart_by_its_digest() {
        let all = settings("x.toml", json!({"a.b": 1, "a": {"b": 2}, "": 3, "none": {}}));
        assert_eq!(all.0.len(), 4);
        let long = |end: &str| settings("x.toml", json!(format!("{}{end}", "k".repeat(500))));
        assert_ne!(long("a"), long("b"));
        assert!(long("a").0["x.toml"].chars().count() < 300);
    }
}
