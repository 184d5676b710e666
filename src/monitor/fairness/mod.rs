//! Whether the groups of a protected attribute are treated alike: rates by group, and how far they lie apart.
//! Never says why they do, and never sees a person: a group, what was decided, what came of it.

mod counts;
mod gaps;
pub mod settings;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::monitor::fairness::counts::Counts;
use crate::monitor::fairness::gaps::Gaps;
use crate::monitor::fairness::settings::FairnessSettings;
use crate::monitor::performance::{Figure, Known};
use crate::monitor::verdict::Verdict;

pub mod limits {
    //! What bounds this room's input.
    //! Nothing else here holds a bare number that does.

    /// Groups of one attribute: more are no groups but values.
    pub const GROUPS_MAX: usize = 50;
    /// Decisions that are counted for one attribute.
    pub const DECIDED_MAX: usize = 10_000_000;
    /// The largest whole number in a setting.
    pub const SETTING_MAX: u64 = 1_000_000;
}

/// One decision about a member of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decided<'a> {
    pub group: &'a str,
    pub outcome: &'a str,
    /// Whether the event happened; nothing while that is not known.
    pub bad: Option<bool>,
}

impl<'a> Decided<'a> {
    /// Nothing where the attribute of the case is not known.
    pub fn of_known(known: &'a Known, attribute: &str) -> Option<Self> {
        let group = known.groups.get(attribute)?;
        Some(Self { group, outcome: &known.outcome, bad: Some(known.bad) })
    }
}

/// `selection_rate` is of all decided. `tpr` and `fnr` are of those known to be good: selected, and passed over; `fpr` and
/// `tnr` are of those known to be bad. `accuracy`: good and selected, or bad and not. `base_rate`: good of all known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupFigures {
    pub group: String,
    /// Decided, known or not.
    pub n: u64,
    pub figures: Vec<Figure>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fairness {
    pub attribute: String,
    /// By name; those too small are among them, and have no figures of what they have too little of.
    pub groups: Vec<GroupFigures>,
    /// Groups with too few decisions to be compared.
    pub too_small: Vec<String>,
    /// As Fairlearn defines them, between the highest and the lowest group. The intervals hold in 95 % of cases for
    /// whichever pair is furthest apart.
    pub differences: Vec<Figure>,
    pub verdict: Verdict,
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum FairnessError {
    #[error("{attribute:?} has more than {max} groups")]
    Groups { attribute: String, max: usize },
    #[error("{attribute:?}: {found} decisions are to be compared; at most {max} are")]
    TooMany { attribute: String, found: usize, max: usize },
}

impl Fact for FairnessError {
    fn code(&self) -> &'static str {
        match self {
            Self::Groups { .. } => "monitor.fairness_groups",
            Self::TooMany { .. } => "monitor.fairness_rows",
        }
    }

    fn class(&self) -> Class {
        Class::DataRefused
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Groups { .. } => Some("Watch an attribute with few values, such as an age band.".into()),
            Self::TooMany { .. } => Some("Report on a shorter window.".into()),
        }
    }
}

/// `favourable` says which outcomes count as selected. Where outcomes became known only for the selected (or only for
/// the others), the rates by outcome would be 1 (or 0) in every group by themselves, and are not given.
pub fn measure(
    attribute: &str,
    decided: &[Decided<'_>],
    favourable: impl Fn(&str) -> bool,
    settings: &FairnessSettings,
) -> Result<Fairness, FairnessError> {
    let groups = count(attribute, decided, favourable)?;
    let known: u64 = groups.values().map(Counts::known).sum();
    let selected: u64 = groups.values().map(Counts::known_selected).sum();
    let by_outcome = selected > 0 && selected < known;
    let (large, small): (Vec<_>, Vec<_>) =
        groups.iter().partition(|(_, counts)| counts.selected.of >= settings.min_group);
    let compared: Vec<Counts> = large.into_iter().map(|(_, counts)| *counts).collect();
    let gaps = Gaps::between(&compared, by_outcome, settings);
    let figures = |(group, counts): (&&str, &Counts)| GroupFigures {
        group: group.to_string(),
        n: counts.selected.of,
        figures: counts.figures(by_outcome, settings),
    };
    Ok(Fairness {
        attribute: attribute.into(),
        groups: groups.iter().map(figures).collect(),
        too_small: small.into_iter().map(|(group, _)| group.to_string()).collect(),
        differences: gaps.figures(),
        verdict: gaps.judge(settings),
    })
}

fn count<'a>(
    attribute: &str,
    decided: &[Decided<'a>],
    favourable: impl Fn(&str) -> bool,
) -> Result<BTreeMap<&'a str, Counts>, FairnessError> {
    let attribute = || attribute.to_string();
    if decided.len() > limits::DECIDED_MAX {
        let found = decided.len();
        return Err(FairnessError::TooMany { attribute: attribute(), found, max: limits::DECIDED_MAX });
    }
    let mut groups: BTreeMap<&str, Counts> = BTreeMap::new();
    for case in decided {
        groups.entry(case.group).or_default().add(favourable(case.outcome), case.bad);
        if groups.len() > limits::GROUPS_MAX {
            return Err(FairnessError::Groups { attribute: attribute(), max: limits::GROUPS_MAX });
        }
    }
    Ok(groups)
}
