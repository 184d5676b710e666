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
