//! A network's tensors: `bias.00`, `embedding.0003`, `layer.00` and so on, each in its shape.
//! Names say the layer, or the recipe's field; never holds more than the network itself.

use std::collections::BTreeSet;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::features::recipe::FittedRecipe;
use crate::model::network::{Embedding, Layer, Network};
use crate::model::weights::WeightsError;

fn layer_name(number: usize) -> String {
    format!("layer.{number:02}")
}

fn bias_name(number: usize) -> String {
    format!("bias.{number:02}")
}

fn embedding_name(field: usize) -> String {
    format!("embedding.{field:04}")
}

pub(super) fn write(network: &Network) -> Result<Vec<u8>, WeightsError> {
    let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    for embedding in network.embeddings() {
        let shape = vec![embedding.width, embedding.size];
        tensors.push((embedding_name(embedding.field), shape, bytes(&embedding.weights)));
    }
    for (number, layer) in network.layers().iter().enumerate() {
        tensors.push((layer_name(number), vec![layer.inputs, layer.units], bytes(&layer.weights)));
        tensors.push((bias_name(number), vec![layer.units], bytes(&layer.bias)));
    }
    let mut views = Vec::with_capacity(tensors.len());
    for (name, shape, bytes) in &tensors {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(WeightsError::Format)?;
        views.push((name.as_str(), view));
    }
    safetensors::serialize(views, None).map_err(WeightsError::Format)
}

/// Whether the parts fit together, the network itself says.
pub(super) fn read(file: &SafeTensors<'_>, recipe: &FittedRecipe) -> Result<Network, WeightsError> {
    let mut left: BTreeSet<String> = file.names().into_iter().map(String::from).collect();
    let mut embeddings = Vec::new();
    for (number, field) in recipe.fields.iter().enumerate() {
        if left.remove(&embedding_name(number)) {
            let ([width, size], weights) = read_table(file, &embedding_name(number))?;
            if width != field.width {
                return Err(WeightsError::Name { tensor: embedding_name(number) });
            }
            embeddings.push(Embedding { field: number, start: field.start, width, size, weights });
        }
    }
    let mut layers = Vec::new();
    while left.remove(&layer_name(layers.len())) {
        let number = layers.len();
        let ([inputs, units], weights) = read_table(file, &layer_name(number))?;
        if !left.remove(&bias_name(number)) {
            return Err(WeightsError::Name { tensor: layer_name(number) });
        }
        let ([_, found], bias) = read_table(file, &bias_name(number))?;
        if found != units {
            return Err(WeightsError::Name { tensor: bias_name(number) });
        }
        layers.push(Layer { inputs, units, weights, bias });
    }
    match left.pop_first() {
        Some(tensor) => Err(WeightsError::Name { tensor }),
        None => Ok(Network::new(recipe.width, embeddings, layers)?),
    }
}

/// A tensor of one dimension is a table of one line.
fn read_table(file: &SafeTensors<'_>, tensor: &str) -> Result<([usize; 2], Vec<f32>), WeightsError> {
    let view = file.tensor(tensor).map_err(WeightsError::Format)?;
    let shape = match (view.dtype(), view.shape()) {
        (Dtype::F32, [length]) => [1, *length],
        (Dtype::F32, [lines, length]) => [*lines, *length],
        (dtype, shape) => {
            let found = format!("{dtype} {shape:?}");
            return Err(WeightsError::Dimensions { tensor: tensor.to_string(), found });
        }
    };
    let numbers = view.data().as_chunks::<4>().0.iter();
    Ok((shape, numbers.map(|&bytes| f32::from_le_bytes(bytes)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fact::Fact as _;
    use crate::features::recipe::{FittedEncoding, FittedField};
    use crate::model::network::tests::drawn;
    use crate::model::scorer::{Family, Scorer as _};
    use crate::model::weights::{parse_safetensors, to_safetensors};

    fn recipe(widths: &[usize]) -> FittedRecipe {
        let mut start = 0;
        let mut fields = Vec::new();
        for (number, &width) in widths.iter().enumerate() {
            let (field, encoding) = (format!("f{number}"), FittedEncoding::Hash { buckets: width - 1 });
            fields.push(FittedField { field, encoding, start, width, known_levels: Vec::new(), code: None });
            start += width;
        }
        FittedRecipe { fields, width: start }
    }

    fn bytes() -> Vec<u8> {
        to_safetensors(&Family::Network(drawn(3, &[3, 8, 4], &[1, 2], &[5, 4]))).unwrap()
    }

    fn refusal(bytes: &[u8], recipe: &FittedRecipe) -> &'static str {
        parse_safetensors("mlp", recipe, bytes).unwrap_err().code()
    }

    /// The same file with one word of its header written otherwise, in as many bytes.
    fn with(from: &str, to: &str) -> Vec<u8> {
        assert_eq!(from.len(), to.len());
        let mut bytes = bytes();
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        bytes
    }

    #[test]
    fn a_network_goes_there_and_back_to_the_bit_with_its_tensors_in_the_order_of_their_names() {
        let network = drawn(3, &[3, 8, 4], &[1, 2], &[5, 4]);
        let bytes = bytes();
        let read = parse_safetensors("mlp", &recipe(&[3, 8, 4]), &bytes).unwrap();
        assert_eq!(read, Family::Network(network.clone()));
        assert_eq!(network.width(), 15);
        let header = String::from_utf8_lossy(&bytes[8..]).into_owned();
        let names =
            ["bias.00", "bias.01", "bias.02", "embedding.0001", "embedding.0002", "layer.00", "layer.02"];
        let places: Vec<usize> = names.iter().map(|name| header.find(name).unwrap()).collect();
        assert!(places.is_sorted(), "{places:?}");
    }

    #[test]
    fn tensors_of_another_name_shape_type_or_recipe_are_refused() {
        let fitting = recipe(&[3, 8, 4]);
        assert_eq!(refusal(&with("layer.01", "layer.07"), &fitting), "weights.tensors");
        assert_eq!(refusal(&with("bias.01", "bias.09"), &fitting), "weights.tensors");
        assert_eq!(refusal(&with("embedding.0001", "embedding.0007"), &fitting), "weights.tensors");
        assert_eq!(refusal(&with("\"F32\"", "\"I32\""), &fitting), "weights.shape");
        assert_eq!(refusal(&bytes(), &recipe(&[3, 8, 5])), "weights.tensors");
        assert_eq!(refusal(&bytes(), &recipe(&[4, 8, 4])), "network.shape");
        assert_eq!(refusal(&bytes(), &recipe(&[3, 8])), "weights.tensors");
        for kind in ["logistic", "baseline"] {
            assert!(parse_safetensors(kind, &fitting, &bytes()).is_err());
        }
    }

    #[test]
    fn cut_and_lengthened_networks_are_refused() {
        let (bytes, fitting) = (bytes(), recipe(&[3, 8, 4]));
        for length in (0..bytes.len()).step_by(7) {
            assert!(parse_safetensors("mlp", &fitting, &bytes[..length]).is_err(), "{length}");
        }
        assert!(parse_safetensors("mlp", &fitting, &[bytes.clone(), vec![0]].concat()).is_err());
        let mut infinite = bytes;
        let end = infinite.len();
        infinite[end - 4..].copy_from_slice(&f32::INFINITY.to_le_bytes());
        assert_eq!(refusal(&infinite, &fitting), "network.not_finite");
    }
}
