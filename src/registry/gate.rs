//! Promotion rules: gates.toml checked, and a judgement that shows both numbers of every rule.
//! Never computes a metric.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact, nearest};
use crate::base::limits;
use crate::registry::content::Purpose;
use crate::registry::gate::approval::{Approval, RawApproval};

pub mod approval;

/// `gates.toml` as it is written: `[[gate]]` with `metric`, `min` or `max` or both, and `at`; `[approval]` says who else
/// is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawGates {
    #[serde(default)]
    pub gate: Vec<RawGate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<RawApproval>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawGate {
    pub metric: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Where a metric that depends on a threshold is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
}

/// The threshold a metric is taken at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// The policy's cut-off.
    Policy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    Min,
    Max,
}

/// Rules that hold together: each has one finite bound and none is there twice.
#[derive(Clone, Debug, PartialEq)]
pub struct Gates {
    raw: RawGates,
    rules: Vec<Rule>,
    approval: Approval,
}

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    key: String,
    bound: Bound,
    limit: f64,
}

/// One rule and how it went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleResult {
    pub metric: String,
    pub bound: Bound,
    pub limit: f64,
    /// Null where the run has no such metric, or no finite value of it.
    pub value: Option<f64>,
    pub passed: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateReport {
    pub rules: Vec<RuleResult>,
    pub passed: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum GateError {
    #[error("gates.toml has no [[gate]]")]
    Empty,
    #[error("gates.toml has {found} rules; at most {max} are read")]
    TooMany { found: usize, max: usize },
    #[error("gate {metric:?} has neither `min` nor `max`")]
    NoBound { metric: String },
    #[error("gate {metric:?}: {bound} is not a finite number")]
    NotFinite { metric: String, bound: &'static str },
    #[error("gate {metric:?}: min {min} is above max {max}")]
    Bounds { metric: String, min: f64, max: f64 },
    #[error("gate {metric:?} has its {bound} twice")]
    Twice { metric: String, bound: &'static str },
    #[error("[approval]: expires = {found:?} is no whole number of hours or days, such as \"7d\", from 1h to {max}d",
        max = limits::PROPOSAL_MS_MAX / (24 * 3_600_000))]
    Expires { found: String },
    #[error(
        "[approval]: tier = \"high\" asks for a second person, and by = \"gate\" says that none is needed"
    )]
    HighByGate,
    #[error(
        "the gate refuses the model: a decision about credit needs reasons that the score itself is made of, and those of the family {family:?} are not ({known} have them)",
        known = EXPLAINED_FAMILIES.join(", ")
    )]
    Unexplained { family: String },
    #[error("the gate refuses the model: {0}")]
    Refused(GateReport),
}

impl Fact for GateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "gate.empty",
            Self::TooMany { .. } => "gate.too_many",
            Self::NoBound { .. } => "gate.no_bound",
            Self::NotFinite { .. } => "gate.not_finite",
            Self::Bounds { .. } => "gate.bounds",
            Self::Twice { .. } => "gate.duplicate",
            Self::Expires { .. } => "gate.expires",
            Self::HighByGate => "gate.tier",
            Self::Unexplained { .. } => "gate.unexplained_family",
            Self::Refused(_) => "gate.refused",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Refused(_) | Self::Unexplained { .. } => Class::GateRefused,
            _ => Class::Usage,
        }
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Unexplained { .. } => {
                Some("Promote a version of another family: `tallystick train DIR --family logistic`.".into())
            }
            Self::Refused(_) => Some("Train a better model; the gates are changed by approval only.".into()),
            _ => Some("Correct gates.toml and run `tallystick project check`.".into()),
        }
    }

    fn details(&self) -> Option<serde_json::Value> {
        match self {
            Self::Refused(report) => serde_json::to_value(report).ok(),
            _ => None,
        }
    }
}

/// Families whose reasons are exact: a sum with a term for each field, or over trees all that each field adds. A sum of such
/// models has reasons as exact.
pub const EXPLAINED_FAMILIES: [&str; 5] = ["baseline", "logistic", "scorecard", "boosting", "forest"];

/// Refuses families that may not decide about credit: a model's own, or every member's of one of several. Elsewhere
/// every family may, and says how its reasons were found.
pub fn check_families(purpose: Purpose, families: &[&str]) -> Result<(), GateError> {
    match families.iter().find(|family| !EXPLAINED_FAMILIES.contains(family)) {
        Some(family) if purpose == Purpose::Credit => {
            Err(GateError::Unexplained { family: (*family).to_string() })
        }
        _ => Ok(()),
    }
}

impl Bound {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
        }
    }

    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::Min => value >= limit,
            Self::Max => value <= limit,
        }
    }
}

impl RawGates {
    pub fn check(self) -> Result<Gates, GateError> {
        if self.gate.is_empty() {
            return Err(GateError::Empty);
        }
        let found = self.gate.len();
        if found > limits::GATES_MAX {
            return Err(GateError::TooMany { found, max: limits::GATES_MAX });
        }
        let approval = self.approval.as_ref().map_or(Ok(Approval::UNWRITTEN), RawApproval::check)?;
        let mut rules: Vec<Rule> = Vec::new();
        for rule in self.gate.iter().map(check_gate).collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
            if rules.iter().any(|r| r.key == rule.key && r.bound == rule.bound) {
                return Err(GateError::Twice { metric: rule.key, bound: rule.bound.as_str() });
            }
            rules.push(rule);
        }
        Ok(Gates { raw: self, rules, approval })
    }
}

fn check_gate(raw: &RawGate) -> Result<Vec<Rule>, GateError> {
    let metric = || raw.metric.clone();
    if let (Some(min), Some(max)) = (raw.min, raw.max)
        && min > max
    {
        return Err(GateError::Bounds { metric: metric(), min, max });
    }
    let bounds = [(Bound::Min, raw.min), (Bound::Max, raw.max)];
    let rules: Vec<Rule> = bounds
        .into_iter()
        .filter_map(|(bound, limit)| limit.map(|limit| Rule { key: raw.key(), bound, limit }))
        .collect();
    match rules.iter().find(|r| !r.limit.is_finite()) {
        Some(rule) => Err(GateError::NotFinite { metric: metric(), bound: rule.bound.as_str() }),
        None if rules.is_empty() => Err(GateError::NoBound { metric: metric() }),
        None => Ok(rules),
    }
}

/// Before the key of a metric that was taken at the policy's cut-off.
pub const POLICY_PREFIX: &str = "policy.";

impl RawGate {
    /// The key the rule reads in the map of metrics.
    fn key(&self) -> String {
        match self.at {
            None => self.metric.clone(),
            Some(At::Policy) => format!("{POLICY_PREFIX}{}", self.metric),
        }
    }
}

impl Gates {
    /// As they were written; a release keeps them beside its figures.
    pub fn raw(&self) -> &RawGates {
        &self.raw
    }

    /// Who else is asked before a version goes into production.
    pub fn approval(&self) -> Approval {
        self.approval
    }

    /// Judges every rule, also after one has failed.
    pub fn judge(&self, metrics: &BTreeMap<String, f64>) -> GateReport {
        let rules: Vec<RuleResult> = self.rules.iter().map(|rule| rule.judge(metrics)).collect();
        let passed = rules.iter().all(|r| r.passed);
        GateReport { rules, passed }
    }

    /// Rule metrics that no run produces, each with the nearest known key.
    pub fn unknown_metrics<'a>(&self, known: &[&'a str]) -> Vec<(String, Option<&'a str>)> {
        let unknown = self.rules.iter().filter(|r| !known.contains(&r.key.as_str()));
        unknown.map(|r| (r.key.clone(), nearest(&r.key, known.iter().copied()))).collect()
    }
}

impl Rule {
    fn judge(&self, metrics: &BTreeMap<String, f64>) -> RuleResult {
        let value = metrics.get(&self.key).copied().filter(|v| v.is_finite());
        let passed = value.is_some_and(|v| self.bound.holds(v, self.limit));
        RuleResult { metric: self.key.clone(), bound: self.bound, limit: self.limit, value, passed }
    }
}

impl GateReport {
    /// Both reports in one: it has passed if both have.
    pub fn and(mut self, other: Self) -> Self {
        self.passed &= other.passed;
        self.rules.extend(other.rules);
        self
    }

    /// The report itself where it passed, the refusal with every rule where it did not.
    pub fn into_result(self) -> Result<Self, GateError> {
        if self.passed { Ok(self) } else { Err(GateError::Refused(self)) }
    }
}

impl fmt::Display for GateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, rule) in self.rules.iter().enumerate() {
            if n > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{rule}")?;
        }
        Ok(())
    }
}

impl fmt::Display for RuleResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed { "passed" } else { "failed" };
        let Self { metric, limit, .. } = self;
        let bound = self.bound.as_str();
        match self.value {
            Some(value) => write!(f, "{metric} is {value}, {bound} {limit}: {verdict}"),
            None => write!(f, "{metric} has no value, {bound} {limit}: {verdict}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn gates(rules: serde_json::Value) -> Result<Gates, GateError> {
        serde_json::from_value::<RawGates>(json!({ "gate": rules })).unwrap().check()
    }

    fn metrics() -> BTreeMap<String, f64> {
        [("auc", 0.74), ("ece", 0.02), ("policy.precision", 0.4), ("ks", f64::NAN)]
            .map(|(key, value)| (key.to_string(), value))
            .into()
    }

    #[test]
    fn a_refusal_lists_every_rule_with_both_numbers() {
        let rules = json!([
            {"metric": "auc", "min": 0.75},
            {"metric": "ece", "max": 0.05},
            {"metric": "precision", "min": 0.3, "at": "policy"},
            {"metric": "gini", "min": 0.5},
            {"metric": "ks", "min": 0.1, "max": 1.0},
        ]);
        let report = gates(rules).unwrap().judge(&metrics());
        assert!(!report.passed);
        let error = report.into_result().unwrap_err();
        assert_eq!((error.code(), error.class().exit_code()), ("gate.refused", 4));
        assert_eq!(
            error.to_string(),
            "the gate refuses the model: auc is 0.74, min 0.75: failed; ece is 0.02, max 0.05: passed; \
             policy.precision is 0.4, min 0.3: passed; gini has no value, min 0.5: failed; \
             ks has no value, min 0.1: failed; ks has no value, max 1: failed"
        );
    }

    #[test]
    fn a_value_on_its_bound_passes() {
        let report = gates(json!([{"metric": "auc", "min": 0.74, "max": 0.74}])).unwrap().judge(&metrics());
        assert!(report.passed && report.rules.len() == 2);
        assert!(report.into_result().is_ok());
    }

    #[test]
    fn rules_that_do_not_hold_together_are_refused() {
        let code = |rules| gates(rules).unwrap_err().code();
        assert_eq!(code(json!([])), "gate.empty");
        assert_eq!(code(json!([{"metric": "auc"}])), "gate.no_bound");
        assert_eq!(code(json!([{"metric": "auc", "min": 2, "max": 1}])), "gate.bounds");
        assert_eq!(code(json!([{"metric": "auc", "min": 0}, {"metric": "auc", "min": 1}])), "gate.duplicate");
        let raw = RawGate { metric: "auc".into(), min: Some(f64::NAN), max: None, at: None };
        assert_eq!(
            RawGates { gate: vec![raw], approval: None }.check().unwrap_err().code(),
            "gate.not_finite"
        );
        assert!(
            gates(json!([{"metric": "f1", "min": 0}, {"metric": "f1", "min": 0, "at": "policy"}])).is_ok()
        );
    }

    #[test]
    fn credit_is_decided_by_families_with_exact_reasons_only() {
        let refused = check_families(Purpose::Credit, &["boosting", "mlp"]).unwrap_err();
        assert_eq!((refused.code(), refused.class().exit_code()), ("gate.unexplained_family", 4));
        assert!(
            refused.to_string().contains("\"mlp\"") && refused.to_string().contains("logistic"),
            "{refused}"
        );
        for family in EXPLAINED_FAMILIES {
            assert!(check_families(Purpose::Credit, &[family]).is_ok());
        }
        assert!(
            check_families(Purpose::Marketing, &["mlp"]).is_ok()
                && check_families(Purpose::Education, &["mlp"]).is_ok()
        );
    }

    #[test]
    fn a_mistyped_metric_is_found_before_any_run() {
        let gates = gates(json!([{"metric": "aucc", "min": 0.5}, {"metric": "ece", "max": 1}])).unwrap();
        assert_eq!(gates.unknown_metrics(&["auc", "ece"]), [("aucc".to_string(), Some("auc"))]);
    }
}
