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
            // Below it, not at it: the edge before a special number is the next one down.
            // A NaN is within no bound.
            if !numbers().all(|x| x.abs() < limits::NUMBER_MAGNITUDE_MAX) {
                return bad("a number of it is not finite, or too large");
            }
            if asked.breaks.windows(2).any(|pair| pair[0] >= pair[1]) {
                return bad("its breaks do not rise");
            }
            if asked.special.iter().enumerate().any(|(at, x)| asked.special[..at].contains(x)) {
                return bad("it names a special number twice");
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
                let asked = self.binning.get(field.field.as_str()).cloned().unwrap_or_default();
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
            let has_numbers = !(asked.breaks.is_empty() && asked.special.is_empty());
            if has_numbers && !field.is_numeric() {
                return refuse("it holds texts, which have no breaks or special numbers");
            }
        }
        Ok(())
    }
}

fn code_of(code: &Code, number: f64) -> u8 {
    u8::try_from(code.of_number(number)).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::data::table::{Column, Kind, Table, Values};
    use crate::features::binning::codes::fit_code;
    use crate::features::recipe::{Encoding, FieldCode, FieldRecipe, FittedEncoding, FittedField};
    use crate::train::params::RawTrainParams;

    fn settings(breaks: &[f64], special: &[f64]) -> Result<ScorecardSettings, ParamsError> {
        let asked = FieldBinning { trend: None, breaks: breaks.to_vec(), special: special.to_vec() };
        let params = RawTrainParams::default().scorecard.check().unwrap();
        ScorecardSettings::check(params, BTreeMap::from([("x".to_string(), asked)]))
    }

    #[test]
    fn a_break_is_exactly_where_a_bin_ends_and_a_special_number_is_alone_in_its() {
        let settings = settings(&[10.0, 20.5], &[-1.0, 15.0]).unwrap();
        let values = (0..500).map(|row| f64::from(row % 40) - 1.0).collect();
        let column = Column { name: "x".into(), kind: Kind::Number, values: Values::Number(values) };
        let field = FieldRecipe { field: "x".into(), encoding: Encoding::Scale };
        let of = fit_code(&field, &settings.rules(), &Table::new(vec![column]).unwrap()).unwrap();
        let recipe = FittedRecipe {
            fields: vec![FittedField {
                field: "x".into(),
                encoding: FittedEncoding::None {},
                start: 0,
                width: 0,
                known_levels: Vec::new(),
                code: Some(FieldCode { column: 0, of: of.clone() }),
            }],
            width: 0,
        };
        let [request] = &settings.requests(&recipe, &Directions::default())[..] else { panic!() };
        let code = |x: f64| u8::try_from(of.of_number(x)).unwrap();
        for (at, &x) in request.breaks.as_ref().unwrap().iter().zip(&[10.0, 20.5]) {
            assert_eq!((*at, *at + 1), (code(x), code(f64::next_up(x))));
        }
        for (own, &x) in request.special.iter().zip(&[-1.0, 15.0]) {
            assert_eq!(*own, code(x));
            let around = [f64::next_down(x), f64::next_up(x)].map(code);
            assert!(around[0] < *own && around[1] > *own, "{around:?} around {own}");
        }
        let all: BTreeSet<u8> = (0..500).map(|row| code(f64::from(row % 40) - 1.0)).collect();
        assert!(all.len() >= 40, "what was asked takes no bin from the rest: {}", all.len());
    }

    #[test]
    fn questions_that_make_no_sense_are_refused_by_their_field() {
        for (breaks, special, words) in [
            (&[2.0, 1.0][..], &[][..], "do not rise"),
            (&[1.0, 1.0], &[], "do not rise"),
            (&[f64::NAN], &[], "not finite"),
            (&[], &[f64::INFINITY], "not finite"),
            (&[], &[limits::NUMBER_MAGNITUDE_MAX], "too large"),
            (&[], &[3.0, 3.0], "twice"),
            (&[0.5; 0], &[1.0; 0], ""),
        ] {
            match settings(breaks, special) {
                Ok(_) => assert_eq!(words, ""),
                Err(refused) => {
                    let said = refused.to_string();
                    assert!(
                        said.starts_with("binning.x: ") && said.contains(words) && !words.is_empty(),
                        "{said}"
                    );
                }
            }
        }
        let many: Vec<f64> = (0..=limits::BREAKS_MAX).map(|x| x as f64).collect();
        assert!(settings(&many, &[]).unwrap_err().to_string().contains("too many"));
        let none = FittedRecipe { fields: Vec::new(), width: 0 };
        let refused = settings(&[1.0], &[]).unwrap().check_fields(&none).unwrap_err();
        assert_eq!(refused.to_string(), "binning.x: it is no field of the recipe");
    }
}
