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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::binning::codes::Code;
    use crate::features::recipe::{FieldCode, FittedEncoding, FittedField};
    use crate::model::scorecard::tests::small;
    use crate::model::scorer::Family;
    use crate::model::weights::{parse_safetensors, to_safetensors};

    fn recipe() -> FittedRecipe {
        let field = |(column, of): (usize, Code)| FittedField {
            field: format!("f{column}").into(),
            encoding: FittedEncoding::None {},
            start: 0,
            width: 0,
            known_levels: Vec::new(),
            code: Some(FieldCode { column, of }),
        };
        let bins = |cuts| Code::Bins { cuts, low: 0.0, high: 1.0 };
        let levels = Code::Levels { levels: vec!["a".into(), "b".into()] };
        let codes = [(0, bins(vec![0.1, 0.2])), (1, bins(Vec::new())), (2, levels)];
        FittedRecipe { fields: codes.into_iter().map(field).collect(), width: 0 }
    }

    #[test]
    fn a_scorecard_goes_there_and_back_to_the_bit_also_without_a_scored_column() {
        for parts in [small().parts, Vec::new()] {
            let family = Family::Scorecard(Scorecard { parts, ..small() });
            let bytes = to_safetensors(&family).unwrap();
            assert_eq!(parse_safetensors("scorecard", &recipe(), &bytes).unwrap(), family);
        }
    }

    #[test]
    fn a_tensor_too_many_too_few_or_of_another_column_is_refused() {
        let refusal = |change: &dyn Fn(&mut Scorecard)| {
            let mut card = small();
            change(&mut card);
            parse_safetensors("scorecard", &recipe(), &write(&card).unwrap()).unwrap_err()
        };
        assert!(matches!(refusal(&|card| card.parts[1].place = 3), WeightsError::Name { .. }));
        assert!(matches!(refusal(&|card| card.parts[1].place = 1), WeightsError::Scorecard(_)));
        assert!(matches!(refusal(&|card| card.parts[0].bin_of[3] = 7), WeightsError::Scorecard(_)));
        let good = to_safetensors(&Family::Scorecard(small())).unwrap();
        for (from, to) in [("woe.0002", "wox.0002"), ("bins.0000", "bins.0009"), ("intercept", "interrupt")] {
            let at = good.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
            let mut bad = good.clone();
            bad[at..at + from.len()].copy_from_slice(to.as_bytes());
            assert!(parse_safetensors("scorecard", &recipe(), &bad).is_err(), "{to}");
        }
        for length in 0..good.len() {
            assert!(parse_safetensors("scorecard", &recipe(), &good[..length]).is_err(), "{length}");
        }
    }
}
