//! A scorecard's tensors: the intercept, and for each scored column its coefficient, the bin of each code and each
//! bin's evidence. Names say the column's place among the recipe's codes.

use std::collections::BTreeSet;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::base::limits;
use crate::features::recipe::FittedRecipe;
use crate::model::scorecard::{Part, Scorecard};
use crate::model::trees::code_columns;
use crate::model::weights::{WeightsError, read_f64s};

const INTERCEPT: &str = "intercept";
const COEFFICIENTS: &str = "coefficients";

/// A coefficient, a bin a code and a number a bin, for each column there may be.
pub(super) const BYTES_MAX: usize = 8 + limits::COLUMNS_MAX * (8 + limits::CODES_MAX * 9);

fn bins_name(place: usize) -> String {
    format!("bins.{place:04}")
}

fn woe_name(place: usize) -> String {
    format!("woe.{place:04}")
}

pub(super) fn write(card: &Scorecard) -> Result<Vec<u8>, WeightsError> {
    let numbers = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let coefficients: Vec<f64> = card.parts.iter().map(|part| part.coefficient).collect();
    let mut tensors = vec![
        (COEFFICIENTS.to_string(), Dtype::F64, coefficients.len(), numbers(&coefficients)),
        (INTERCEPT.to_string(), Dtype::F64, 1, numbers(&[card.intercept])),
    ];
    for part in &card.parts {
        tensors.push((woe_name(part.place), Dtype::F64, part.woe.len(), numbers(&part.woe)));
        tensors.push((bins_name(part.place), Dtype::U8, part.bin_of.len(), part.bin_of.clone()));
    }
    let mut views = Vec::with_capacity(tensors.len());
    for (name, dtype, length, bytes) in &tensors {
        let view = TensorView::new(*dtype, vec![*length], bytes).map_err(WeightsError::Format)?;
        views.push((name.as_str(), view));
    }
    safetensors::serialize(views, None).map_err(WeightsError::Format)
}

pub(super) fn read(file: &SafeTensors<'_>, recipe: &FittedRecipe) -> Result<Scorecard, WeightsError> {
    let mut left: BTreeSet<String> = file.names().into_iter().map(String::from).collect();
    let columns = code_columns(recipe);
    let mut take = |name: &str| left.remove(name);
    let (intercept, coefficients) = (take(INTERCEPT), take(COEFFICIENTS));
    if !(intercept && coefficients) {
        let found = left.into_iter().collect();
        return Err(WeightsError::Tensors { found, expected: vec![COEFFICIENTS, INTERCEPT] });
    }
    let intercept = read_f64s(file, INTERCEPT)?;
    let [intercept] = intercept[..] else { return Err(WeightsError::Lines { tensor: INTERCEPT }) };
    let mut coefficients = read_f64s(file, COEFFICIENTS)?.into_iter();
    let mut parts = Vec::new();
    for place in 0..columns.len() {
        if !left.remove(&woe_name(place)) {
            continue;
        }
        if !left.remove(&bins_name(place)) {
            return Err(WeightsError::Name { tensor: woe_name(place) });
        }
        let coefficient = coefficients.next().ok_or(WeightsError::Lines { tensor: COEFFICIENTS })?;
        let woe = read_f64s(file, &woe_name(place))?;
        parts.push(Part { place, bin_of: read_bins(file, &bins_name(place))?, woe, coefficient });
    }
    if let Some(tensor) = left.pop_first() {
        return Err(WeightsError::Name { tensor });
    }
    if coefficients.next().is_some() {
        return Err(WeightsError::Lines { tensor: COEFFICIENTS });
    }
    let card = Scorecard { columns, intercept, parts };
    card.check()?;
    Ok(card)
}

fn read_bins(file: &SafeTensors<'_>, tensor: &str) -> Result<Vec<u8>, WeightsError> {
    let view = file.tensor(tensor).map_err(WeightsError::Format)?;
    match (view.dtype(), view.shape()) {
        (Dtype::U8, [_]) => Ok(view.data().to_vec()),
        (dtype, shape) => {
            let found = format!("{dtype} {shape:?}");
            Err(WeightsError::Dimensions { tensor: tensor.to_string(), found })
        }
    }
}
