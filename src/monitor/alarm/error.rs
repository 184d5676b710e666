//! What can be wrong with the rules of monitor.toml.
//! Never about a report.

use crate::base::fact::{Class, Fact};

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum RuleError {
    #[error("monitor.toml has {found} rules; at most {max} are read")]
    TooMany { found: usize, max: usize },
    #[error("rule {rule:?}: a rule's name is a to z, 0 to 9, '-' and '_', beginning with a letter")]
    Name { rule: String },
    #[error("two rules of monitor.toml are called {rule:?}")]
    Twice { rule: String },
    #[error("rule {rule:?} watches {watch:?}, which takes no `{key}`")]
    NotTaken { rule: String, watch: &'static str, key: &'static str },
    #[error("rule {rule:?}: there is no {key} {found:?}{}", meant(.nearest))]
    Unknown { rule: String, key: &'static str, found: String, nearest: Option<String> },
    #[error("rule {rule:?} has no limit: it needs {needs}")]
    NoLimit { rule: String, needs: &'static str },
    #[error("rule {rule:?} has both `at` and `{key}`; a rule has one kind of limit")]
    TwoKinds { rule: String, key: &'static str },
    #[error("rule {rule:?}: `{key}` is {value}; {needs}")]
    Range { rule: String, key: &'static str, value: f64, needs: &'static str },
    #[error("rule {rule:?}: `below` {below} is not less than `above` {above}, so it would always hold")]
    Always { rule: String, below: f64, above: f64 },
    #[error("rule {rule:?}: `for_days` is {found}; it is 1 to {max}")]
    Days { rule: String, found: u64, max: u64 },
    #[error("rule {rule:?} names the action {action:?} twice")]
    ActionTwice { rule: String, action: &'static str },
    #[error(
        "rule {rule:?} asks for `roll_back` and `fall_back`; only one of them can answer the next applicant"
    )]
    Contradiction { rule: String },
}

fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map_or(String::new(), |word| format!("; {word:?} is near"))
}

impl Fact for RuleError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "alarm.too_many_rules",
            Self::Name { .. } => "alarm.rule_name",
            Self::Twice { .. } => "alarm.rule_twice",
            Self::NotTaken { .. } => "alarm.key_not_taken",
            Self::Unknown { .. } => "alarm.unknown_name",
            Self::NoLimit { .. } => "alarm.no_limit",
            Self::TwoKinds { .. } => "alarm.two_kinds_of_limit",
            Self::Range { .. } => "alarm.limit_range",
            Self::Always { .. } => "alarm.always",
            Self::Days { .. } => "alarm.days",
            Self::ActionTwice { .. } => "alarm.action_twice",
            Self::Contradiction { .. } => "alarm.contradiction",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        Some("Correct monitor.toml and run `tallystick project check`.".into())
    }
}
