//! Who puts a version into production: its gates alone, or a second person as well. `[approval]` of gates.toml, checked.
//! Never knows who anybody is.

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::registry::gate::GateError;

/// `[approval]` as it is written; a gates.toml without it leaves the decision to the gates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawApproval {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<By>,
    /// How long a proposal waits, such as `7d` or `36h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// How much depends on the model; `high` asks for a second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
}

/// What puts a version into production.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Gates that hold, and one approver.
    Gate,
    /// Gates that hold, somebody who proposes and somebody else who approves.
    SecondPerson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    Low,
    Medium,
    High,
}

impl Tier {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// An `[approval]` that holds together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    pub by: By,
    pub expires_ms: i64,
    pub tier: Option<Tier>,
}

impl Approval {
    /// Where nothing is written: what gates meant before there was an `[approval]`.
    pub const UNWRITTEN: Self = Self { by: By::Gate, expires_ms: limits::PROPOSAL_MS, tier: None };
    /// Where what was written cannot be read any more: nobody is trusted alone.
    pub const UNREADABLE: Self = Self { by: By::SecondPerson, expires_ms: limits::PROPOSAL_MS, tier: None };

    pub fn needs_second_person(&self) -> bool {
        self.by == By::SecondPerson
    }

    /// What both ask for: the stricter of each part.
    pub fn and(self, other: Self) -> Self {
        Self {
            by: self.by.max(other.by),
            expires_ms: self.expires_ms.min(other.expires_ms),
            tier: self.tier.max(other.tier),
        }
    }
}

impl RawApproval {
    pub fn check(&self) -> Result<Approval, GateError> {
        let is_high = self.tier == Some(Tier::High);
        if is_high && self.by == Some(By::Gate) {
            return Err(GateError::HighByGate);
        }
        let written = if is_high { By::SecondPerson } else { By::Gate };
        let expires_ms = self.expires.as_deref().map_or(Ok(limits::PROPOSAL_MS), parse_expires)?;
        Ok(Approval { by: self.by.unwrap_or(written), expires_ms, tier: self.tier })
    }
}

/// A whole number of days or hours: `7d`, `36h`.
fn parse_expires(text: &str) -> Result<i64, GateError> {
    const HOUR_MS: i64 = 3_600_000;
    let wrong = || GateError::Expires { found: text.to_string() };
    let unit_ms = match text.chars().last() {
        Some('d') => 24 * HOUR_MS,
        Some('h') => HOUR_MS,
        _ => return Err(wrong()),
    };
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let count: i64 = digits.parse().map_err(|_| wrong())?;
    let millis = count.checked_mul(unit_ms).ok_or_else(wrong)?;
    if (HOUR_MS..=limits::PROPOSAL_MS_MAX).contains(&millis) { Ok(millis) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fact::Fact;
    use serde_json::json;

    fn checked(value: serde_json::Value) -> Result<Approval, &'static str> {
        serde_json::from_value::<RawApproval>(value).unwrap().check().map_err(|error| error.code())
    }

    #[test]
    fn nothing_written_means_what_gates_meant_before() {
        assert_eq!(checked(json!({})), Ok(Approval::UNWRITTEN));
        assert!(!Approval::UNWRITTEN.needs_second_person());
    }

    #[test]
    fn much_at_stake_asks_for_a_second_person_and_cannot_be_told_not_to() {
        assert!(checked(json!({"tier": "high"})).unwrap().needs_second_person());
        assert!(!checked(json!({"tier": "medium"})).unwrap().needs_second_person());
        assert!(checked(json!({"tier": "low", "by": "second_person"})).unwrap().needs_second_person());
        assert_eq!(checked(json!({"tier": "high", "by": "gate"})), Err("gate.tier"));
    }

    #[test]
    fn a_proposal_waits_hours_or_days_within_bounds() {
        let expires = |text: &str| checked(json!({ "expires": text })).map(|approval| approval.expires_ms);
        assert_eq!(expires("36h"), Ok(36 * 3_600_000));
        assert_eq!(expires("7d"), Ok(limits::PROPOSAL_MS));
        for wrong in ["", "d", "7", "0d", "-1d", "+1d", "1.5d", "7 d", "91d", "99999999999999999999d", "7ä"]
        {
            assert_eq!(expires(wrong), Err("gate.expires"), "{wrong:?}");
        }
    }

    #[test]
    fn of_two_the_stricter_holds_part_by_part() {
        let strict = Approval { by: By::SecondPerson, expires_ms: 9, tier: None };
        let loose = Approval { by: By::Gate, expires_ms: 5, tier: Some(Tier::Low) };
        let both = Approval { by: By::SecondPerson, expires_ms: 5, tier: Some(Tier::Low) };
        assert_eq!((strict.and(loose), loose.and(strict)), (both, both));
    }
}
