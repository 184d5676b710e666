//! What may be logged: names, lengths and the texts MLflow's clients match on.
//! Never stores anything; every refusal quotes the value it refuses.

use crate::base::fact::{Class, Fact};
use crate::base::ids::RunId;
use crate::base::limits;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrackingError {
    #[error(
        "Invalid value \"{name}\" for parameter '{parameter}' supplied: Names may only contain alphanumerics, \
         underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
    )]
    NameCharacters { parameter: &'static str, name: String },
    #[error(
        "Invalid value \"{name}\" for parameter '{parameter}' supplied: Names may be treated as files in certain \
         cases, and must not resolve to other names when treated as such. This name would resolve to '{resolved}'"
    )]
    NameResolves { parameter: &'static str, name: String, resolved: String },
    #[error("'{what}' exceeds the maximum length of {max} characters")]
    TooLong { what: &'static str, max: usize },
    #[error(
        "Changing param values is not allowed. Param with key='{key}' was already logged with value='{old}' \
         for run ID='{run_id}'. Attempted logging new value '{new}'."
    )]
    ParamChanged { run_id: RunId, key: String, old: String, new: String },
    #[error("The run {run_id} must be in the 'active' state. Current state is deleted.")]
    RunDeleted { run_id: RunId },
    #[error(
        "Invalid value {timestamp} for parameter 'timestamp' supplied: metric '{key}' (value={value:?}). \
         Timestamp must be a nonnegative long (64-bit integer) "
    )]
    MetricTime { key: String, value: f64, timestamp: i64 },
    #[error("Invalid experiment ID '{id}'. Experiment ID must be a valid integer.")]
    ExperimentId { id: String },
    #[error("Invalid value for experiment name: it must not be empty.")]
    ExperimentNameEmpty,
}

impl Fact for TrackingError {
    fn code(&self) -> &'static str {
        match self {
            Self::NameCharacters { .. } => "tracking.name_characters",
            Self::NameResolves { .. } => "tracking.name_resolves",
            Self::TooLong { .. } => "tracking.too_long",
            Self::ParamChanged { .. } => "tracking.param_changed",
            Self::RunDeleted { .. } => "tracking.run_deleted",
            Self::MetricTime { .. } => "tracking.metric_time",
            Self::ExperimentId { .. } => "tracking.experiment_id",
            Self::ExperimentNameEmpty => "tracking.experiment_name_empty",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::ParamChanged { .. } => Some("Start a new run for another value of a param.".to_string()),
            Self::RunDeleted { run_id } => Some(format!("Restore run {run_id} first.")),
            _ => None,
        }
    }
}

pub fn check_param_key(key: &str) -> Result<(), TrackingError> {
    check_name("key", key)?;
    check_length("Param key", key, limits::TRACKED_KEY_CHARS_MAX)
}

pub fn check_metric_key(key: &str) -> Result<(), TrackingError> {
    check_name("name", key)?;
    check_length("Metric name", key, limits::TRACKED_KEY_CHARS_MAX)
}

pub fn check_tag_key(key: &str) -> Result<(), TrackingError> {
    check_name("key", key)?;
    check_length("key", key, limits::TRACKED_KEY_CHARS_MAX)
}

pub fn check_length(what: &'static str, text: &str, max: usize) -> Result<(), TrackingError> {
    if text.chars().nth(max).is_some() { Err(TrackingError::TooLong { what, max }) } else { Ok(()) }
}

/// Long values are cut and not refused, as MLflow's server does by default.
pub fn cut(value: &str, chars_max: usize) -> &str {
    match value.char_indices().nth(chars_max) {
        Some((end, _)) => &value[..end],
        None => value,
    }
}

fn check_name(parameter: &'static str, name: &str) -> Result<(), TrackingError> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | ':' | '/');
    if !name.chars().all(allowed) {
        return Err(TrackingError::NameCharacters { parameter, name: name.to_string() });
    }
    let resolved = posix_normal(name);
    let same =
        resolved == name && resolved != "." && !resolved.starts_with("..") && !resolved.starts_with('/');
    if same {
        Ok(())
    } else {
        Err(TrackingError::NameResolves { parameter, name: name.to_string(), resolved })
    }
}

/// What POSIX (and Python's `normpath`) makes of a path: no empty part, no `.`, `..` resolved.
fn posix_normal(path: &str) -> String {
    // Exactly two leading slashes are kept as two by POSIX; more are one.
    let root = if path.starts_with("//") && !path.starts_with("///") {
        "//"
    } else if path.starts_with('/') {
        "/"
    } else {
        ""
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        let climbs = part == ".." && (parts.last().is_none_or(|last| *last == ".."));
        if part != ".." || (climbs && root.is_empty()) {
            parts.push(part);
        } else {
            parts.pop();
        }
    }
    let joined = format!("{root}{}", parts.join("/"));
    if joined.is_empty() { ".".to_string() } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_stand_for_another_file_are_refused() {
        for (name, resolved) in [
            ("a//b", "a/b"),
            ("a/./b", "a/b"),
            ("a/../b", "b"),
            ("../a", "../a"),
            ("..", ".."),
            ("/a", "/a"),
            ("//a", "//a"),
            ("///a", "/a"),
            ("/..", "/"),
            ("a/", "a"),
            (".", "."),
            ("", "."),
        ] {
            assert_eq!(posix_normal(name), resolved, "{name}");
            assert!(matches!(check_param_key(name), Err(TrackingError::NameResolves { .. })), "{name}");
        }
        for good in ["lr", "a/b", "loss: train 1.5", "größe_2", "mlflow.source.name", ".a", "a..b"] {
            assert_eq!(check_param_key(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn refusals_have_the_texts_clients_match_on() {
        assert_eq!(
            check_metric_key("a$b").unwrap_err().to_string(),
            "Invalid value \"a$b\" for parameter 'name' supplied: Names may only contain alphanumerics, \
             underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/)."
        );
        let long = "ä".repeat(251);
        assert_eq!(
            check_metric_key(&long).unwrap_err().to_string(),
            "'Metric name' exceeds the maximum length of 250 characters"
        );
        assert_eq!(check_tag_key(&long[2..]), Ok(()));
    }

    #[test]
    fn a_cut_counts_characters_and_never_splits_one() {
        assert_eq!(cut("äöü", 2), "äö");
        assert_eq!(cut("äöü", 3), "äöü");
    }
}
