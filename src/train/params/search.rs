//! `[search]` of train.toml: which families or settings are tried before one is trained, and by what the pick is made.
//! Tries nothing; every candidate is checked here, so that none fails halfway for what it says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::limits;
use crate::base::rng::Random;
use crate::train::params::ensemble::FOLDS_RANGE;
use crate::train::params::{FamilyName, FamilyParams, ParamsError, RawTrainParams, check_count, check_range};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMethod {
    /// Nothing is tried: the family of train.toml is trained.
    #[default]
    None,
    /// Families against each other, and all of them together.
    Auto,
    /// Every combination of the space's values.
    Grid,
    /// So many draws from the space.
    Random,
    /// So many draws, each on a few rows; the better third goes on with three times as many.
    Halving,
}

/// By what one candidate is picked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// The lowest mean log loss; of families, all together unless one alone is better by more than two standard errors.
    #[default]
    Best,
    /// The simplest that is within one standard error of it.
    OneSe,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawSearch {
    pub method: SearchMethod,
    pub folds: usize,
    /// Seconds after which no further candidate is begun; 0 for no limit.
    pub budget_s: u64,
    /// Draws of `random` and `halving`.
    pub trials: usize,
    pub pick: Pick,
    /// What `auto` tries, cheap ones first.
    pub families: Vec<FamilyName>,
    /// Key of train.toml to its values, or to the range they are drawn from.
    pub space: BTreeMap<String, Choice>,
}

/// What a key may be: one of some values, or a number of a range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Choice {
    OneOf(Vec<Value>),
    Range(Range),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    pub from: f64,
    pub to: f64,
    /// Drawn evenly on a scale of powers.
    #[serde(default)]
    pub log: bool,
}

/// Candidates in the order they are tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchParams {
    pub method: SearchMethod,
    pub folds: usize,
    pub budget_ms: u64,
    pub pick: Pick,
    /// Each trial is a run of its own, so a run that searches does not list them among its parameters.
    #[serde(skip_serializing)]
    pub candidates: Vec<SearchCandidate>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchCandidate {
    /// The family, or what was set for it.
    pub name: String,
    pub settings: Vec<String>,
    pub family: FamilyParams,
}

impl Default for RawSearch {
    fn default() -> Self {
        let families = vec![
            FamilyName::Scorecard,
            FamilyName::Logistic,
            FamilyName::Boosting,
            FamilyName::Forest,
            FamilyName::Mlp,
        ];
        Self {
            method: SearchMethod::None,
            folds: 5,
            budget_s: 0,
            trials: 20,
            pick: Pick::Best,
            families,
            space: BTreeMap::new(),
        }
    }
}

impl SearchMethod {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Auto => "auto",
            Self::Grid => "grid",
            Self::Random => "random",
            Self::Halving => "halving",
        }
    }
}

impl RawSearch {
    /// Of the parameters that every candidate changes.
    pub(super) fn check(&self, raw: &RawTrainParams) -> Result<Option<SearchParams>, ParamsError> {
        check_range("search.folds", self.folds as f64, FOLDS_RANGE)?;
        check_count("search.trials", self.trials, limits::TRIALS_MAX)?;
        let candidates = match self.method {
            SearchMethod::None => return Ok(None),
            SearchMethod::Auto => self.check_families(raw)?,
            SearchMethod::Grid => self.check_settings(raw, self.combinations()?)?,
            SearchMethod::Random | SearchMethod::Halving => {
                self.check_settings(raw, self.draws(raw.seed)?)?
            }
        };
        let budget_ms = self.budget_s.saturating_mul(1_000);
        let (method, folds, pick) = (self.method, self.folds, self.pick);
        Ok(Some(SearchParams { method, folds, budget_ms, pick, candidates }))
    }

    fn check_families(&self, raw: &RawTrainParams) -> Result<Vec<SearchCandidate>, ParamsError> {
        let (found, max) = (self.families.len(), limits::ENSEMBLE_MEMBERS_MAX);
        if found == 0 || found > max {
            return Err(ParamsError::Count { key: "search.families", found, min: 1, max });
        }
        let mut candidates: Vec<SearchCandidate> = Vec::new();
        for &family in &self.families {
            let name = family.as_str();
            if family == FamilyName::Ensemble || candidates.iter().any(|known| known.name == name) {
                return Err(ParamsError::Member { member: name });
            }
            let settings = vec![format!("family={name}")];
            candidates.push(candidate(raw, name.to_string(), settings)?);
        }
        Ok(candidates)
    }

    fn check_settings(
        &self,
        raw: &RawTrainParams,
        tried: Vec<Vec<String>>,
    ) -> Result<Vec<SearchCandidate>, ParamsError> {
        tried.into_iter().map(|settings| candidate(raw, settings.join(" "), settings)).collect()
    }

    fn choices(&self) -> Result<Vec<(&String, &Choice)>, ParamsError> {
        if self.space.is_empty() {
            return Err(ParamsError::Space { key: String::new(), what: "it names nothing to try" });
        }
        for (key, choice) in &self.space {
            let refuse = |what| Err(ParamsError::Space { key: key.clone(), what });
            match choice {
                Choice::OneOf(values) if values.is_empty() => return refuse("it has no values"),
                Choice::Range(range) if !(range.from < range.to && range.from.is_finite()) => {
                    return refuse("its range does not rise");
                }
                Choice::Range(range) if range.log && range.from <= 0.0 => {
                    return refuse("a range of powers begins above 0");
                }
                _ if key.starts_with("search.") || key == "seed" => {
                    return refuse("it cannot be searched");
                }
                _ => {}
            }
        }
        Ok(self.space.iter().collect())
    }

    fn combinations(&self) -> Result<Vec<Vec<String>>, ParamsError> {
        let mut all: Vec<Vec<String>> = vec![Vec::new()];
        for (key, choice) in self.choices()? {
            let Choice::OneOf(values) = choice else {
                let key = key.clone();
                return Err(ParamsError::Space { key, what: "a grid needs values, not a range" });
            };
            let add = |before: &Vec<String>, value: &Value| {
                let mut settings = before.clone();
                settings.push(format!("{key}={}", plain(value)));
                settings
            };
            all = all.iter().flat_map(|before| values.iter().map(move |value| add(before, value))).collect();
            if all.len() > limits::TRIALS_MAX {
                let (found, max) = (all.len(), limits::TRIALS_MAX);
                return Err(ParamsError::Count { key: "search.space", found, min: 1, max });
            }
        }
        Ok(all)
    }

    /// The same draw twice is one trial.
    fn draws(&self, seed: u64) -> Result<Vec<Vec<String>>, ParamsError> {
        let choices = self.choices()?;
        let mut random = Random::new(seed, "search.draws");
        let mut all: Vec<Vec<String>> = Vec::new();
        for _ in 0..self.trials {
            let mut draw = |(key, choice): &(&String, &Choice)| match choice {
                Choice::OneOf(values) => format!("{key}={}", plain(&values[random.below(values.len())])),
                Choice::Range(range) => format!("{key}={}", range.draw(&mut random)),
            };
            let settings: Vec<String> = choices.iter().map(&mut draw).collect();
            if !all.contains(&settings) {
                all.push(settings);
            }
        }
        Ok(all)
    }
}

impl Range {
    /// Whole where both ends are and are not close; else of four digits.
    fn draw(&self, random: &mut Random) -> f64 {
        let share = random.unit();
        let x = if self.log {
            (self.from.ln() + share * (self.to.ln() - self.from.ln())).exp()
        } else {
            self.from + share * (self.to - self.from)
        };
        if self.from.fract() == 0.0 && self.to.fract() == 0.0 && self.to - self.from >= 2.0 {
            return x.round();
        }
        let digits = 3 - x.abs().log10().floor() as i32;
        let scale = 10f64.powi(digits.clamp(-300, 300));
        (x * scale).round() / scale
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

fn candidate(
    raw: &RawTrainParams,
    name: String,
    settings: Vec<String>,
) -> Result<SearchCandidate, ParamsError> {
    let mut own = raw.clone();
    own.search.method = SearchMethod::None;
    for setting in &settings {
        own.set(setting)?;
    }
    Ok(SearchCandidate { name, settings, family: own.check()?.family })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(settings: &[&str]) -> Result<SearchParams, ParamsError> {
        let mut raw = RawTrainParams::default();
        settings.iter().try_for_each(|setting| raw.set(setting))?;
        Ok(raw.check()?.search.unwrap())
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        let found = check(&[
            "family=boosting",
            "search.method=grid",
            "search.space.boosting.leaves=[4,8]",
            "search.space.boosting.learning_rate=[0.1,0.05,0.02]",
        ])
        .unwrap();
        assert_eq!(found.candidates.len(), 6);
        assert_eq!(found.candidates[1].settings, ["boosting.learning_rate=0.1", "boosting.leaves=8"]);
    }

    #[test]
    fn draws_stay_in_their_range_and_come_again_with_the_seed() {
        let settings = [
            "family=boosting",
            "search.method=random",
            "search.trials=30",
            r#"search.space.boosting.leaves={"from":4,"to":32}"#,
            r#"search.space.boosting.learning_rate={"from":0.01,"to":0.2,"log":true}"#,
        ];
        let found = check(&settings).unwrap();
        assert_eq!(check(&settings).unwrap(), found);
        assert!(found.candidates.len() > 25, "{}", found.candidates.len());
        for candidate in &found.candidates {
            let number =
                |at: usize| -> f64 { candidate.settings[at].split_once('=').unwrap().1.parse().unwrap() };
            assert!((4.0..=32.0).contains(&number(1)) && number(1).fract() == 0.0);
            assert!((0.01..=0.2).contains(&number(0)));
        }
    }

    #[test]
    fn what_cannot_be_tried_is_refused_before_anything_is() {
        let code = |settings: &[&str]| {
            use crate::base::fact::Fact as _;
            check(settings).unwrap_err().code()
        };
        assert_eq!(code(&["search.method=grid"]), "train_params.space");
        let range = r#"search.space.boosting.leaves={"from":4,"to":32}"#;
        assert_eq!(code(&["search.method=grid", range]), "train_params.space");
        let nonsense = "search.space.boosting.leafs=[1]";
        assert_eq!(code(&["search.method=grid", nonsense]), "train_params.unknown_key");
        let out = "search.space.logistic.epochs=[0]";
        assert_eq!(code(&["search.method=grid", out]), "train_params.range");
        let twice = r#"search.families=["forest","forest"]"#;
        assert_eq!(code(&["search.method=auto", twice]), "train_params.member");
    }
}
