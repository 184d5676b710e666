//! The rules of monitor.toml, as written and as checked, and the rules of a project that wrote none.
//! Never meets a report.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::base::fact::nearest;
use crate::base::ids::check_name;
use crate::monitor::alarm::error::RuleError;
use crate::monitor::alarm::watch::Watch;
use crate::monitor::alarm::{Reaction, Severity, limits};
use crate::monitor::verdict::Verdict;

/// The `[[rule]]` tables as they are written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRules {
    #[serde(default)]
    pub rule: Vec<RawRule>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRule {
    pub name: String,
    pub watch: Watch,
    /// Absent: every field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Absent: every attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// Absent: every model of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Which figure of calibration or fairness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_days: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<Reaction>>,
}

/// The verdict from which a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    Watch,
    Shifted,
}

/// What a project has that a rule may name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Named<'a> {
    pub fields: &'a [String],
    pub attributes: &'a [String],
    pub models: &'a [String],
}

/// Rules that hold together: each name once, each with limits that fit what it watches.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) watch: Watch,
    /// The field or attribute; none is any.
    pub(super) about: Option<String>,
    pub(super) model: Option<String>,
    pub(super) figure: Option<String>,
    pub(super) when: When,
    pub(super) for_days: u64,
    pub(super) severity: Severity,
    pub(super) actions: Vec<Reaction>,
}

/// When a rule holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum When {
    /// From this verdict on.
    At(Verdict),
    /// Beyond one of the limits; at a limit it does not hold.
    Beyond { below: Option<f64>, above: Option<f64> },
}

impl Rules {
    /// For a project without rules of its own: any field or the score has shifted.
    pub fn standard() -> Self {
        let rule = |name: &str, watch| Rule {
            name: name.to_string(),
            watch,
            about: None,
            model: None,
            figure: None,
            when: When::At(Verdict::Shifted),
            for_days: 1,
            severity: Severity::Warning,
            actions: vec![Reaction::Notify],
        };
        Self { rules: vec![rule("field-shifted", Watch::Drift), rule("score-shifted", Watch::ScoreDrift)] }
    }

    pub(super) fn list(&self) -> &[Rule] {
        &self.rules
    }

    /// How many days before today a judgement may look at.
    pub fn days_needed(&self) -> u64 {
        self.rules.iter().map(|rule| rule.reach() - 1).max().unwrap_or_default()
    }

    /// Whether a rule can hold only where the AUC of the release is known.
    pub fn needs_released_auc(&self) -> bool {
        self.rules.iter().any(|rule| rule.watch == Watch::AucDrop)
    }
}

impl Rule {
    /// Days, with today, within which all days of the row must lie.
    pub(super) fn reach(&self) -> u64 {
        if self.for_days == 1 { 1 } else { 2 * self.for_days + limits::SILENT_DAYS_MAX }
    }
}

impl RawRules {
    pub fn check(self, named: &Named<'_>) -> Result<Rules, RuleError> {
        let found = self.rule.len();
        if found > limits::RULES_MAX {
            return Err(RuleError::TooMany { found, max: limits::RULES_MAX });
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = self.rule.iter().find(|raw| !names.insert(raw.name.as_str())) {
            return Err(RuleError::Twice { rule: twice.name.clone() });
        }
        let rules = self.rule.iter().map(|raw| raw.check(named)).collect::<Result<_, _>>()?;
        Ok(Rules { rules })
    }
}

impl RawRule {
    fn check(&self, named: &Named<'_>) -> Result<Rule, RuleError> {
        check_name(&self.name).map_err(|_| RuleError::Name { rule: self.name.clone() })?;
        let about = self.check_about(named)?;
        self.check_known("model", self.model.as_deref(), named.models.iter().map(String::as_str))?;
        let figures = self.watch.figures();
        if self.figure.is_some() && figures.is_empty() {
            return Err(self.not_taken("figure"));
        }
        self.check_known("figure", self.figure.as_deref(), figures.iter().copied())?;
        let for_days = self.for_days.unwrap_or(1);
        if !(1..=limits::RULE_DAYS_MAX).contains(&for_days) {
            return Err(RuleError::Days {
                rule: self.name.clone(),
                found: for_days,
                max: limits::RULE_DAYS_MAX,
            });
        }
        Ok(Rule {
            name: self.name.clone(),
            watch: self.watch,
            about,
            model: self.model.clone(),
            figure: self.figure.clone().or_else(|| figures.first().map(|f| (*f).to_string())),
            when: self.check_when()?,
            for_days,
            severity: self.severity.unwrap_or(Severity::Warning),
            actions: self.check_actions()?,
        })
    }

    fn check_about(&self, named: &Named<'_>) -> Result<Option<String>, RuleError> {
        if self.field.is_some() && !self.watch.takes_field() {
            return Err(self.not_taken("field"));
        }
        if self.attribute.is_some() && !self.watch.takes_attribute() {
            return Err(self.not_taken("attribute"));
        }
        self.check_known("field", self.field.as_deref(), named.fields.iter().map(String::as_str))?;
        let attributes = named.attributes.iter().map(String::as_str);
        self.check_known("attribute", self.attribute.as_deref(), attributes)?;
        Ok(self.field.clone().or_else(|| self.attribute.clone()))
    }

    fn check_known<'a>(
        &self,
        key: &'static str,
        word: Option<&str>,
        known: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<(), RuleError> {
        match word {
            Some(word) if !known.clone().any(|k| k == word) => Err(RuleError::Unknown {
                rule: self.name.clone(),
                key,
                found: word.to_string(),
                nearest: nearest(word, known).map(str::to_string),
            }),
            _ => Ok(()),
        }
    }

    fn check_when(&self) -> Result<When, RuleError> {
        let limits = [
            ("above", self.above, self.watch.takes_above()),
            ("below", self.below, self.watch.takes_below()),
        ];
        for (key, value, taken) in limits {
            let Some(value) = value else { continue };
            if self.at.is_some() {
                return Err(RuleError::TwoKinds { rule: self.name.clone(), key });
            }
            if !taken {
                return Err(self.not_taken(key));
            }
            self.check_range(key, value)?;
        }
        if let (Some(below), Some(above)) = (self.below, self.above)
            && below >= above
        {
            return Err(RuleError::Always { rule: self.name.clone(), below, above });
        }
        match (self.at, self.above.or(self.below)) {
            (Some(_), _) if !self.watch.has_verdict() => Err(self.not_taken("at")),
            (Some(At::Watch), _) => Ok(When::At(Verdict::Watch)),
            (Some(At::Shifted), _) => Ok(When::At(Verdict::Shifted)),
            (None, Some(_)) => Ok(When::Beyond { below: self.below, above: self.above }),
            (None, None) => Err(RuleError::NoLimit { rule: self.name.clone(), needs: self.needs() }),
        }
    }

    fn needs(&self) -> &'static str {
        match (self.watch.has_verdict(), self.watch.takes_below(), self.watch.takes_above()) {
            (true, _, false) => "`at`",
            (true, true, _) => "`at`, `above` or `below`",
            (true, false, _) => "`at` or `above`",
            (false, true, _) => "`above` or `below`",
            (false, false, _) => "`above`",
        }
    }

    fn check_range(&self, key: &'static str, value: f64) -> Result<(), RuleError> {
        let refused = |needs| Err(RuleError::Range { rule: self.name.clone(), key, value, needs });
        if !value.is_finite() {
            return refused("a limit is a finite number");
        }
        if self.watch.is_share() && !(0.0..=1.0).contains(&value) {
            return refused("here a limit is a share from 0 to 1, so 5 % is 0.05");
        }
        let may_be_negative = self.watch == Watch::Calibration;
        if value < 0.0 && !may_be_negative {
            return refused("here a limit is not negative");
        }
        Ok(())
    }

    fn check_actions(&self) -> Result<Vec<Reaction>, RuleError> {
        let Some(actions) = &self.actions else { return Ok(vec![Reaction::Notify]) };
        let mut seen = BTreeSet::new();
        if let Some(twice) = actions.iter().find(|action| !seen.insert(**action)) {
            return Err(RuleError::ActionTwice { rule: self.name.clone(), action: twice.as_str() });
        }
        if seen.contains(&Reaction::RollBack) && seen.contains(&Reaction::FallBack) {
            return Err(RuleError::Contradiction { rule: self.name.clone() });
        }
        Ok(actions.clone())
    }

    fn not_taken(&self, key: &'static str) -> RuleError {
        RuleError::NotTaken { rule: self.name.clone(), watch: self.watch.as_str(), key }
    }
}
