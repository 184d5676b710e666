//! A family's numbers as safetensors: one sequence of bytes a family, and a strict way back.
//! The only safetensors code; never reads a file.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::features::recipe::FittedRecipe;
use crate::model::baseline::Baseline;
use crate::model::linear::Linear;
use crate::model::network::NetworkError;
use crate::model::scorecard::ScorecardError;
use crate::model::scorer::Family;
use crate::model::trees::check::BadTrees;

mod ensemble;
mod network;
mod scorecard;
mod trees;

#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error(
        "the weights are of kind {kind:?}, which this program does not know (baseline, logistic, mlp, boosting, forest, scorecard, ensemble)"
    )]
    Kind { kind: String },
    #[error("{width} columns of weights; at most {max} are allowed", max = limits::MATRIX_WIDTH_MAX)]
    Width { width: usize },
    #[error("the weights are {found} bytes; a {kind} model of {width} columns has at most {max}")]
    Size { kind: String, width: usize, found: usize, max: usize },
    #[error("the weights are no safetensors file: {0}")]
    Format(#[source] SafeTensorError),
    #[error("the weights hold the tensors {found:?} where {expected:?} are needed")]
    Tensors { found: Vec<String>, expected: Vec<&'static str> },
    #[error("tensor {tensor:?} is {found} where {expected} is needed")]
    Shape { tensor: &'static str, found: String, expected: String },
    #[error("tensor {tensor:?} holds a value at {index} that is no finite number")]
    NotFinite { tensor: String, index: usize },
    #[error("the weights hold the tensor {tensor:?}, which is none of a network's, or not in its place")]
    Name { tensor: String },
    #[error("tensor {tensor:?} is {found}, which this family's are not")]
    Dimensions { tensor: String, found: String },
    #[error(
        "tensor {tensor:?} has more or fewer numbers than the trees have lines, or one that means nothing"
    )]
    Lines { tensor: &'static str },
    #[error(transparent)]
    Trees(#[from] BadTrees),
    #[error(transparent)]
    Scorecard(#[from] ScorecardError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("the weights' header is not in its one canonical form (metadata, order or spacing)")]
    NotCanonical,
}

impl Fact for WeightsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Kind { .. } => "weights.kind",
            Self::Width { .. } => "weights.width",
            Self::Size { .. } => "weights.size",
            Self::Format(_) => "weights.format",
            Self::Tensors { .. } => "weights.tensors",
            Self::Shape { .. } => "weights.shape",
            Self::NotFinite { .. } => "weights.not_finite",
            Self::Name { .. } => "weights.tensors",
            Self::Dimensions { .. } => "weights.shape",
            Self::Lines { .. } => "weights.shape",
            Self::Trees(_) => "weights.trees",
            Self::Scorecard(_) => "weights.scorecard",
            Self::Network(inner) => inner.code(),
            Self::NotCanonical => "weights.not_canonical",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn next_step(&self) -> Option<String> {
        Some("Import the release again from its source, or train the model again.".into())
    }
}

const BASELINE: [&str; 1] = ["log_odds"];
/// In the order of the file.
const LOGISTIC: [&str; 2] = ["bias", "weights"];

/// The same family gives the same bytes: no metadata, tensors in a fixed order.
pub fn to_safetensors(family: &Family) -> Result<Vec<u8>, WeightsError> {
    match family {
        Family::Baseline(baseline) => {
            let bytes = baseline.log_odds.to_le_bytes();
            write(&[(BASELINE[0], Dtype::F64, 1, &bytes)])
        }
        Family::Logistic(linear) => {
            let bias = linear.bias.to_le_bytes();
            let weights: Vec<u8> = linear.weights.iter().flat_map(|w| w.to_le_bytes()).collect();
            let width = linear.weights.len();
            write(&[(LOGISTIC[0], Dtype::F32, 1, &bias), (LOGISTIC[1], Dtype::F32, width, &weights)])
        }
        Family::Network(network) => network::write(network),
        Family::Boosting(trees) | Family::Forest(trees) => trees::write(trees),
        Family::Scorecard(card) => scorecard::write(card),
        Family::Ensemble(ensemble) => ensemble::write(ensemble),
    }
}

/// Reads the bytes `to_safetensors` writes for a model of this kind over this recipe, and no others.
pub fn parse_safetensors(kind: &str, recipe: &FittedRecipe, bytes: &[u8]) -> Result<Family, WeightsError> {
    let width = recipe.width;
    if width > limits::MATRIX_WIDTH_MAX {
        return Err(WeightsError::Width { width });
    }
    let (header, numbers): (usize, usize) = match kind {
        "baseline" => (limits::WEIGHTS_HEADER_BYTES_MAX, size_of::<f64>()),
        "logistic" => (limits::WEIGHTS_HEADER_BYTES_MAX, (width + 1) * size_of::<f32>()),
        "mlp" => (limits::NETWORK_HEADER_BYTES_MAX, limits::NETWORK_WEIGHTS_MAX * size_of::<f32>()),
        "boosting" | "forest" => {
            let lines = 2 * limits::BRANCHES_MAX + 2 * limits::TREES_MAX;
            (limits::WEIGHTS_HEADER_BYTES_MAX, lines * trees::LINE_BYTES_MAX)
        }
        "scorecard" => (limits::NETWORK_HEADER_BYTES_MAX, scorecard::BYTES_MAX),
        "ensemble" => (limits::WEIGHTS_HEADER_BYTES_MAX, limits::ENSEMBLE_BYTES_MAX),
        _ => return Err(WeightsError::Kind { kind: kind.to_string() }),
    };
    let max = header + numbers;
    if bytes.len() > max {
        return Err(WeightsError::Size { kind: kind.to_string(), width, found: bytes.len(), max });
    }
    let file = SafeTensors::deserialize(bytes).map_err(WeightsError::Format)?;
    let family = match kind {
        "baseline" => Family::Baseline(read_baseline(&file)?),
        "logistic" => Family::Logistic(read_linear(&file, width)?),
        "boosting" => Family::Boosting(trees::read(&file, recipe)?),
        "scorecard" => Family::Scorecard(scorecard::read(&file, recipe)?),
        "ensemble" => Family::Ensemble(ensemble::read(&file, recipe)?),
        "forest" => Family::Forest(trees::read(&file, recipe)?),
        _ => Family::Network(network::read(&file, recipe)?),
    };
    // Whatever else a header may say or repeat would give the same numbers a second digest.
    if to_safetensors(&family)? == bytes { Ok(family) } else { Err(WeightsError::NotCanonical) }
}

fn write(tensors: &[(&str, Dtype, usize, &[u8])]) -> Result<Vec<u8>, WeightsError> {
    let mut views = Vec::with_capacity(tensors.len());
    for &(name, dtype, length, bytes) in tensors {
        views.push((name, TensorView::new(dtype, vec![length], bytes).map_err(WeightsError::Format)?));
    }
    safetensors::serialize(views, None).map_err(WeightsError::Format)
}

fn check_names(file: &SafeTensors<'_>, expected: &[&'static str]) -> Result<(), WeightsError> {
    let mut found: Vec<String> = file.names().into_iter().map(String::from).collect();
    found.sort();
    if found == expected { Ok(()) } else { Err(WeightsError::Tensors { found, expected: expected.to_vec() }) }
}

fn read_baseline(file: &SafeTensors<'_>) -> Result<Baseline, WeightsError> {
    check_names(file, &BASELINE)?;
    Ok(Baseline { log_odds: read_f64(file, BASELINE[0])? })
}

fn read_linear(file: &SafeTensors<'_>, width: usize) -> Result<Linear, WeightsError> {
    check_names(file, &LOGISTIC)?;
    let bias = read_f32s(file, LOGISTIC[0], 1)?.into_iter().next().unwrap_or_default();
    Ok(Linear { bias, weights: read_f32s(file, LOGISTIC[1], width)? })
}

fn read_f32s(file: &SafeTensors<'_>, tensor: &'static str, length: usize) -> Result<Vec<f32>, WeightsError> {
    let bytes = tensor_bytes(file, tensor, Dtype::F32, length)?;
    let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(WeightsError::NotFinite { tensor: tensor.to_string(), index }),
        None => Ok(values),
    }
}

fn read_f64s(file: &SafeTensors<'_>, tensor: &str) -> Result<Vec<f64>, WeightsError> {
    let view = file.tensor(tensor).map_err(WeightsError::Format)?;
    let name = || tensor.to_string();
    if view.dtype() != Dtype::F64 || view.shape().len() != 1 {
        let found = format!("{} {:?}", view.dtype(), view.shape());
        return Err(WeightsError::Dimensions { tensor: name(), found });
    }
    let values: Vec<f64> = view.data().as_chunks::<8>().0.iter().map(|&b| f64::from_le_bytes(b)).collect();
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(WeightsError::NotFinite { tensor: name(), index }),
        None => Ok(values),
    }
}

fn read_f64(file: &SafeTensors<'_>, tensor: &'static str) -> Result<f64, WeightsError> {
    let bytes = tensor_bytes(file, tensor, Dtype::F64, 1)?;
    let value = bytes.first_chunk::<8>().map_or(f64::NAN, |&b| f64::from_le_bytes(b));
    if value.is_finite() {
        Ok(value)
    } else {
        Err(WeightsError::NotFinite { tensor: tensor.to_string(), index: 0 })
    }
}

fn tensor_bytes<'a>(
    file: &SafeTensors<'a>,
    tensor: &'static str,
    dtype: Dtype,
    length: usize,
) -> Result<&'a [u8], WeightsError> {
    let view = file.tensor(tensor).map_err(WeightsError::Format)?;
    if view.dtype() == dtype && view.shape() == [length] {
        return Ok(view.data());
    }
    let found = format!("{} {:?}", view.dtype(), view.shape());
    Err(WeightsError::Shape { tensor, found, expected: format!("{dtype} [{length}]") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logistic() -> Family {
        Family::Logistic(Linear { weights: vec![0.5, -1.25, 3e-20], bias: -0.75 })
    }

    /// A file written by hand: header text, then numbers.
    fn file(header: &str, numbers: &[f32]) -> Vec<u8> {
        let padded = header.len().next_multiple_of(8);
        let mut bytes = (padded as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.resize(8 + padded, b' ');
        bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
        bytes
    }

    const BIAS: &str = r#""bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    const WEIGHTS: &str = r#""weights":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}"#;

    fn wide(width: usize) -> FittedRecipe {
        FittedRecipe { fields: Vec::new(), width }
    }

    fn refusal(bytes: &[u8]) -> WeightsError {
        parse_safetensors("logistic", &wide(3), bytes).unwrap_err()
    }

    #[test]
    fn weights_go_there_and_back_to_the_bit() {
        let bytes = to_safetensors(&logistic()).unwrap();
        assert_eq!(parse_safetensors("logistic", &wide(3), &bytes).unwrap(), logistic());
        let base = Family::Baseline(Baseline { log_odds: -1.734_567_890_123 });
        let bytes = to_safetensors(&base).unwrap();
        assert_eq!(parse_safetensors("baseline", &wide(3), &bytes).unwrap(), base);
    }

    #[test]
    fn the_bytes_are_those_the_format_page_describes() {
        let expected = file(&format!("{{{BIAS},{WEIGHTS}}}"), &[-0.75, 0.5, -1.25, 3e-20]);
        assert_eq!(to_safetensors(&logistic()).unwrap(), expected);
    }

    #[test]
    fn a_second_header_for_the_same_numbers_is_refused() {
        let numbers = [-0.75, 0.5, -1.25, 3e-20];
        for header in [
            format!("{{\"__metadata__\":{{\"a\":\"b\"}},{BIAS},{WEIGHTS}}}"),
            format!("{{{WEIGHTS},{BIAS}}}"),
            format!("{{ {BIAS}, {WEIGHTS}}}"),
            format!("{{{BIAS},{BIAS},{WEIGHTS}}}"),
        ] {
            assert!(parse_safetensors("logistic", &wide(3), &file(&header, &numbers)).is_err(), "{header}");
        }
        let metadata = format!("{{\"__metadata__\":{{\"a\":\"b\"}},{BIAS},{WEIGHTS}}}");
        assert!(matches!(refusal(&file(&metadata, &numbers)), WeightsError::NotCanonical));
    }

    #[test]
    fn a_wrong_shape_type_or_set_of_tensors_is_refused_by_name() {
        let bytes = to_safetensors(&logistic()).unwrap();
        assert!(matches!(
            parse_safetensors("logistic", &wide(4), &bytes),
            Err(WeightsError::Shape { tensor: "weights", .. })
        ));
        assert!(matches!(parse_safetensors("baseline", &wide(3), &bytes), Err(WeightsError::Tensors { .. })));
        assert!(matches!(parse_safetensors("trees", &wide(3), &bytes), Err(WeightsError::Kind { .. })));
        let integers = WEIGHTS.replace("F32", "I32");
        let wrong = file(&format!("{{{BIAS},{integers}}}"), &[0.0; 4]);
        assert!(matches!(refusal(&wrong), WeightsError::Shape { tensor: "weights", .. }));
        let extra = r#""x":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}"#;
        let more = file(&format!("{{{BIAS},{WEIGHTS},{extra}}}"), &[0.0; 5]);
        assert!(matches!(refusal(&more), WeightsError::Tensors { .. }));
    }

    #[test]
    fn cut_lengthened_and_oversized_files_are_refused() {
        let bytes = to_safetensors(&logistic()).unwrap();
        for length in 0..bytes.len() {
            assert!(parse_safetensors("logistic", &wide(3), &bytes[..length]).is_err(), "{length}");
        }
        let longer = [bytes.clone(), vec![0]].concat();
        assert!(matches!(refusal(&longer), WeightsError::Format(_)));
        let huge = [bytes.clone(), vec![0; 8_192]].concat();
        assert!(matches!(refusal(&huge), WeightsError::Size { .. }));
        assert!(matches!(
            parse_safetensors("logistic", &wide(usize::MAX), &bytes),
            Err(WeightsError::Width { .. })
        ));
    }

    #[test]
    fn a_weight_that_is_no_finite_number_is_refused_by_place() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let bytes = file(&format!("{{{BIAS},{WEIGHTS}}}"), &[0.0, 1.0, bad, 2.0]);
            assert!(
                matches!(refusal(&bytes), WeightsError::NotFinite { tensor, index: 1 } if tensor == "weights")
            );
        }
        let bytes = to_safetensors(&Family::Baseline(Baseline { log_odds: f64::NAN })).unwrap();
        assert!(matches!(
            parse_safetensors("baseline", &wide(1), &bytes),
            Err(WeightsError::NotFinite { tensor, .. }) if tensor == "log_odds"
        ));
    }
}
