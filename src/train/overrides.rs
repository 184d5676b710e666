//! One key of the training parameters changed by a `key=value` text, as a command line gives it.
//! Checks no range: that is the whole set's `check` afterwards.

use serde_json::Value;

use crate::base::fact::nearest;
use crate::train::params::{ParamsError, RawTrainParams};

impl RawTrainParams {
    /// Overrides one key, as in `logistic.epochs=20`. The value is read as JSON where it is JSON
    /// that fits, else as plain text.
    pub fn set(&mut self, assignment: &str) -> Result<(), ParamsError> {
        let Some((key, text)) = assignment.split_once('=') else {
            return Err(ParamsError::NotAnAssignment { text: assignment.to_string() });
        };
        let (key, text) = (key.trim(), text.trim());
        let plain = Value::String(text.to_string());
        *self = match serde_json::from_str(text) {
            // A column may be called 2020. The complaint about the number is the better one, though.
            Ok(value) => self.with(key, value).or_else(|error| match error {
                ParamsError::Value { .. } => self.with(key, plain).map_err(|_| error),
                _ => Err(error),
            }),
            Err(_) => self.with(key, plain),
        }?;
        Ok(())
    }

    /// A copy with one key changed.
    fn with(&self, key: &str, value: Value) -> Result<Self, ParamsError> {
        let shown = value.to_string();
        let misfit = |source| ParamsError::Value { key: key.to_string(), value: shown, source };
        let mut all = match serde_json::to_value(self) {
            Ok(all) => all,
            Err(source) => return Err(misfit(source)),
        };
        let known = known_keys(&all);
        // The keys of these sections are the project's fields, or keys themselves: none is known beforehand.
        let open = [("monotone.", "/monotone"), ("binning.", "/binning"), ("search.space.", "/search/space")];
        for (prefix, place) in open {
            let section = all.pointer_mut(place).and_then(Value::as_object_mut);
            if let (Some(name), Some(section)) = (key.strip_prefix(prefix).filter(|n| !n.is_empty()), section)
            {
                section.insert(name.to_string(), value);
                return serde_json::from_value(all).map_err(misfit);
            }
        }
        match all.pointer_mut(&format!("/{}", key.replace('.', "/"))) {
            Some(place) if known.iter().any(|k| k == key) => *place = value,
            _ => {
                let meant = nearest(key, known.iter().map(String::as_str)).map(String::from);
                return Err(ParamsError::UnknownKey { key: key.to_string(), meant });
            }
        }
        serde_json::from_value(all).map_err(misfit)
    }
}

/// Every key that takes a value, as `seed` or `logistic.epochs`.
fn known_keys(all: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    for (key, value) in all.as_object().into_iter().flatten() {
        match value.as_object() {
            Some(section) => keys.extend(section.keys().map(|inner| format!("{key}.{inner}"))),
            None => keys.push(key.clone()),
        }
    }
    keys
}
