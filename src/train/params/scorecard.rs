//! `[binning]` of train.toml: what a field's bins are asked, in the field's own values.
//! Knows no codes until a recipe is fitted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::features::binning::codes::{Code, CodeRules};
use crate::features::recipe::FittedRecipe;
use crate::train::monotone::Directions;
use crate::train::params::ParamsError;
use crate::train::scorecard::params::{ColumnRequest, ScorecardParams, Trend};
use crate::train::trees::codes::Monotone;

/// What one field is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldBinning {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
    /// Where one bin ends and the next begins; the bins are then not searched for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<f64>,
    /// Numbers that mean something of their own and get a bin each, such as -1 for "never".
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub special: Vec<f64>,
}

/// How a scorecard is made: its own section, and what single fields are asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScorecardSettings {
    pub params: ScorecardParams,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub binning: BTreeMap<String, FieldBinning>,
}

impl ScorecardSettings {
    pub(super) fn check(
        params: ScorecardParams,
        binning: BTreeMap<String, FieldBinning>,
    ) -> Result<Self, ParamsError> {
        for (field, asked) in &binning {
            let bad = |what| Err(ParamsError::Binning { field: field.clone(), what });
            let numbers = || asked.breaks.iter().chain(&asked.special);
            if numbers().any(|x| !(x.abs() <= limits::NUMBER_MAGNITUDE_MAX)) {
                return bad("a number of it is not finite, or too large");
            }
            if asked.breaks.windows(2).any(|pair| pair[0] >= pair[1]) {
                return bad("its breaks do not rise");
            }
            if numbers().count() > limits::BREAKS_MAX {
                return bad("it has too many breaks and special numbers");
            }
        }
        Ok(Self { params, binning })
    }

    /// Codes in which every break and every special number can be told.
    pub fn rules(&self) -> CodeRules {
        let mut edges = BTreeMap::new();
        for (field, asked) in &self.binning {
            let own = asked.special.iter().flat_map(|&x| [x.next_down(), x]);
            let own: Vec<f64> = own.chain(asked.breaks.iter().copied()).collect();
            if !own.is_empty() {
                edges.insert(field.clone(), own);
            }
        }
        CodeRules { edges, ..CodeRules::default() }
    }

    /// One request for each of the recipe's codes.
    pub fn requests(&self, recipe: &FittedRecipe, directions: &Directions) -> Vec<ColumnRequest> {
        let fields = recipe.fields.iter().filter_map(|field| Some((field, field.code.as_ref()?)));
        fields
            .map(|(field, code)| {
                let asked = self.binning.get(&field.field).cloned().unwrap_or_default();
                let trend = match directions.of(&field.field) {
                    Monotone::Free => asked.trend,
                    Monotone::Rising => Some(Trend::Rising),
                    Monotone::Falling => Some(Trend::Falling),
                };
                let codes = |numbers: &[f64]| numbers.iter().map(|&x| code_of(&code.of, x)).collect();
                let breaks = (!asked.breaks.is_empty()).then(|| codes(&asked.breaks));
                ColumnRequest { trend, special: codes(&asked.special), breaks }
            })
            .collect()
    }

    /// Refuses a question to a field that the recipe does not have, or numbers asked of one without numbers.
    pub fn check_fields(&self, recipe: &FittedRecipe) -> Result<(), ParamsError> {
        for (name, asked) in &self.binning {
            let refuse = |what| Err(ParamsError::Binning { field: name.clone(), what });
            let Some(field) = recipe.fields.iter().find(|field| field.field == *name) else {
                return refuse("it is no field of the recipe");
            };
            if !field.is_numeric() && !(asked.breaks.is_empty() && asked.special.is_empty()) {
                return refuse("it holds texts, which have no breaks or special numbers");
            }
        }
        Ok(())
    }
}

fn code_of(code: &Code, number: f64) -> u8 {
    u8::try_from(code.of_number(number)).unwrap_or(u8::MAX)
}
