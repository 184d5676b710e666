//! An ensemble's tensors: its bias and weights, and each member's own file as bytes, named by number and kind.
//! Reads a member as that family alone is read.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::base::limits;
use crate::features::recipe::FittedRecipe;
use crate::model::ensemble::{Ensemble, Member};
use crate::model::weights::{WeightsError, parse_safetensors, read_f64s, to_safetensors};

const BIAS: &str = "bias";
const WEIGHTS: &str = "weights";

pub(super) fn write(ensemble: &Ensemble) -> Result<Vec<u8>, WeightsError> {
    let numbers = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let weights: Vec<f64> = ensemble.members.iter().map(|member| member.weight).collect();
    let mut tensors = vec![
        (BIAS.to_string(), Dtype::F64, 1, numbers(&[ensemble.bias])),
        (WEIGHTS.to_string(), Dtype::F64, weights.len(), numbers(&weights)),
    ];
    for (number, member) in ensemble.members.iter().enumerate() {
        let bytes = to_safetensors(&member.family)?;
        tensors.push((member_name(number, member.family.kind()), Dtype::U8, bytes.len(), bytes));
    }
    let mut views = Vec::with_capacity(tensors.len());
    for (name, dtype, length, bytes) in &tensors {
        let view = TensorView::new(*dtype, vec![*length], bytes).map_err(WeightsError::Format)?;
        views.push((name.as_str(), view));
    }
    safetensors::serialize(views, None).map_err(WeightsError::Format)
}

fn member_name(number: usize, kind: &str) -> String {
    format!("member.{number:02}.{kind}")
}

pub(super) fn read(file: &SafeTensors<'_>, recipe: &FittedRecipe) -> Result<Ensemble, WeightsError> {
    let mut names: Vec<String> = file.names().into_iter().map(String::from).collect();
    names.sort();
    let bias = read_f64s(file, BIAS)?;
    let weights = read_f64s(file, WEIGHTS)?;
    let [bias] = bias[..] else { return Err(WeightsError::Lines { tensor: BIAS }) };
    let counts = |weight: &f64| *weight > 0.0;
    if weights.len() + 2 != names.len()
        || !(1..=limits::ENSEMBLE_MEMBERS_MAX).contains(&weights.len())
        || !weights.iter().all(counts)
    {
        return Err(WeightsError::Lines { tensor: WEIGHTS });
    }
    let own = names.iter().filter(|name| *name != BIAS && *name != WEIGHTS);
    let mut members = Vec::with_capacity(weights.len());
    for ((number, name), weight) in own.enumerate().zip(weights) {
        let kind = name.rsplit('.').next().unwrap_or_default();
        if *name != member_name(number, kind) || kind == "ensemble" {
            return Err(WeightsError::Name { tensor: name.clone() });
        }
        let view = file.tensor(name).map_err(WeightsError::Format)?;
        if view.dtype() != Dtype::U8 {
            let found = format!("{} {:?}", view.dtype(), view.shape());
            return Err(WeightsError::Dimensions { tensor: name.clone(), found });
        }
        members.push(Member { weight, family: parse_safetensors(kind, recipe, view.data())? });
    }
    Ok(Ensemble { bias, members })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::binning::codes::Code;
    use crate::features::recipe::{FieldCode, FittedEncoding, FittedField};
    use crate::model::ensemble::tests::three;
    use crate::model::scorer::Family;

    fn recipe() -> FittedRecipe {
        let field = |(column, of): (usize, Code)| FittedField {
            field: format!("f{column}").into(),
            encoding: FittedEncoding::Hash { buckets: 1 },
            start: 0,
            width: 2,
            known_levels: Vec::new(),
            code: Some(FieldCode { column, of }),
        };
        let bins = Code::Bins { cuts: vec![0.1], low: 0.0, high: 1.0 };
        let levels = Code::Levels { levels: vec!["a".into(), "b".into()] };
        FittedRecipe { fields: [(2, bins), (3, levels)].into_iter().map(field).collect(), width: 2 }
    }

    #[test]
    fn an_ensemble_goes_there_and_back_to_the_bit_with_its_members() {
        let family = Family::Ensemble(three());
        let bytes = to_safetensors(&family).unwrap();
        assert_eq!(parse_safetensors("ensemble", &recipe(), &bytes).unwrap(), family);
        for length in 0..bytes.len() {
            assert!(parse_safetensors("ensemble", &recipe(), &bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn members_that_are_not_what_their_names_say_and_weights_that_count_nothing_are_refused() {
        let good = to_safetensors(&Family::Ensemble(three())).unwrap();
        for (from, to) in [
            ("member.01.scorecard", "member.04.scorecard"),
            ("member.02.boosting", "member.02.ensemble"),
            ("member.00.logistic", "member.00.baseline"),
            ("member.00.logistic", "member_00.logistic"),
        ] {
            let at = good.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
            let mut bad = good.clone();
            bad[at..at + from.len()].copy_from_slice(to.as_bytes());
            assert!(parse_safetensors("ensemble", &recipe(), &bad).is_err(), "{to}");
        }
        for weight in [0.0, -0.5] {
            let mut idle = three();
            idle.members[1].weight = weight;
            let refused = parse_safetensors("ensemble", &recipe(), &write(&idle).unwrap()).unwrap_err();
            assert!(matches!(refused, WeightsError::Lines { tensor: WEIGHTS }), "{refused}");
        }
        let none = Ensemble { members: Vec::new(), ..three() };
        assert!(parse_safetensors("ensemble", &recipe(), &write(&none).unwrap()).is_err());
        let inside = Member { weight: 1.0, family: Family::Ensemble(three()) };
        let nested = Ensemble { bias: 0.0, members: vec![inside] };
        let refused = parse_safetensors("ensemble", &recipe(), &write(&nested).unwrap()).unwrap_err();
        assert!(matches!(refused, WeightsError::Name { .. }), "{refused}");
    }
}
