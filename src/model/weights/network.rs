//! A network's tensors: `bias.00`, `embedding.0003`, `layer.00` and so on, each in its shape, members one after the other.
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
    let members = network.members();
    for number in 0..members.first().map_or(0, Vec::len) {
        let layers: Vec<&Layer> = members.iter().filter_map(|layers| layers.get(number)).collect();
        let Some(first) = layers.first() else { continue };
        let all =
            |part: fn(&Layer) -> &[f32]| layers.iter().flat_map(|l| bytes(part(l))).collect::<Vec<u8>>();
        // One member has no dimension of its own: so a network was written before there were several.
        let shape = |own: &[usize]| {
            let several = (layers.len() > 1).then_some(layers.len());
            several.into_iter().chain(own.iter().copied()).collect::<Vec<usize>>()
        };
        tensors.push((layer_name(number), shape(&[first.inputs, first.units]), all(|l| &l.weights)));
        tensors.push((bias_name(number), shape(&[first.units]), all(|l| &l.bias)));
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
            let (shape, weights) = read_tensor(file, &embedding_name(number))?;
            let [width, size] = shape[..] else {
                return Err(WeightsError::Name { tensor: embedding_name(number) });
            };
            if width != field.width {
                return Err(WeightsError::Name { tensor: embedding_name(number) });
            }
            embeddings.push(Embedding { field: number, start: field.start, width, size, weights });
        }
    }
    let (mut members, mut number): (Vec<Vec<Layer>>, usize) = (Vec::new(), 0);
    while left.remove(&layer_name(number)) {
        let (shape, weights) = read_tensor(file, &layer_name(number))?;
        let (count, [inputs, units]) = match shape[..] {
            [inputs, units] => (1, [inputs, units]),
            [count, inputs, units] => (count, [inputs, units]),
            _ => return Err(WeightsError::Name { tensor: layer_name(number) }),
        };
        if !left.remove(&bias_name(number)) {
            return Err(WeightsError::Name { tensor: layer_name(number) });
        }
        let (shape, bias) = read_tensor(file, &bias_name(number))?;
        let expected = if count == 1 { vec![units] } else { vec![count, units] };
        let sizes = [count, inputs, units];
        if shape != expected || sizes.contains(&0) || (number > 0 && members.len() != count) {
            return Err(WeightsError::Name { tensor: bias_name(number) });
        }
        members.resize_with(count, Vec::new);
        let parts = weights.chunks_exact(inputs * units).zip(bias.chunks_exact(units));
        for (member, (weights, bias)) in members.iter_mut().zip(parts) {
            member.push(Layer { inputs, units, weights: weights.to_vec(), bias: bias.to_vec() });
        }
        number += 1;
    }
    match left.pop_first() {
        Some(tensor) => Err(WeightsError::Name { tensor }),
        None => Ok(Network::new(recipe.width, embeddings, members)?),
    }
}

/// At most the dimensions of a layer of several members.
fn read_tensor(file: &SafeTensors<'_>, tensor: &str) -> Result<(Vec<usize>, Vec<f32>), WeightsError> {
    let view = file.tensor(tensor).map_err(WeightsError::Format)?;
    let (dtype, shape) = (view.dtype(), view.shape());
    if dtype != Dtype::F32 || shape.len() > 3 {
        let found = format!("{dtype} {shape:?}");
        return Err(WeightsError::Dimensions { tensor: tensor.to_string(), found });
    }
    let numbers = view.data().as_chunks::<4>().0.iter();
    Ok((shape.to_vec(), numbers.map(|&bytes| f32::from_le_bytes(bytes)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fact::Fact as _;
    use crate::model::network::tests::{drawn, drawn_members, hashed};
    use crate::model::scorer::{Family, Scorer as _};
    use crate::model::weights::{parse_safetensors, to_safetensors};

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
        let read = parse_safetensors("mlp", &hashed(&[3, 8, 4]), &bytes).unwrap();
        assert_eq!(read, Family::Network(network.clone()));
        assert_eq!(network.width(), 15);
        let header = String::from_utf8_lossy(&bytes[8..]).into_owned();
        let names =
            ["bias.00", "bias.01", "bias.02", "embedding.0001", "embedding.0002", "layer.00", "layer.02"];
        let places: Vec<usize> = names.iter().map(|name| header.find(name).unwrap()).collect();
        assert!(places.is_sorted(), "{places:?}");
    }

    #[test]
    fn several_members_go_there_and_back_to_the_bit_and_one_is_written_as_ever() {
        let network = drawn_members(4, 3, &[3, 8, 4], &[5, 4]);
        let bytes = to_safetensors(&Family::Network(network.clone())).unwrap();
        let read = parse_safetensors("mlp", &hashed(&[3, 8, 4]), &bytes).unwrap();
        assert_eq!(read, Family::Network(network));
        let header = String::from_utf8_lossy(&bytes[8..]).into_owned();
        assert!(header.contains("\"layer.01\":{\"dtype\":\"F32\",\"shape\":[3,5,4]"), "{header}");
        assert!(header.contains("\"bias.01\":{\"dtype\":\"F32\",\"shape\":[3,4]"), "{header}");
        let alone = String::from_utf8_lossy(&self::bytes()).into_owned();
        assert!(alone.contains("\"layer.01\":{\"dtype\":\"F32\",\"shape\":[5,4]"), "{alone}");
        let mut uneven = bytes.clone();
        let at = header.find("[3,5,4]").unwrap() + 8;
        uneven[at..at + 7].copy_from_slice(b"[5,3,4]");
        assert_eq!(refusal(&uneven, &hashed(&[3, 8, 4])), "weights.tensors");
    }

    #[test]
    fn tensors_of_another_name_shape_type_or_recipe_are_refused() {
        let fitting = hashed(&[3, 8, 4]);
        assert_eq!(refusal(&with("layer.01", "layer.07"), &fitting), "weights.tensors");
        assert_eq!(refusal(&with("bias.01", "bias.09"), &fitting), "weights.tensors");
        assert_eq!(refusal(&with("embedding.0001", "embedding.0007"), &fitting), "weights.tensors");
        assert_eq!(refusal(&with("\"F32\"", "\"I32\""), &fitting), "weights.shape");
        assert_eq!(refusal(&bytes(), &hashed(&[3, 8, 5])), "weights.tensors");
        assert_eq!(refusal(&bytes(), &hashed(&[4, 8, 4])), "network.shape");
        assert_eq!(refusal(&bytes(), &hashed(&[3, 8])), "weights.tensors");
        for kind in ["logistic", "baseline"] {
            assert!(parse_safetensors(kind, &fitting, &bytes()).is_err());
        }
    }

    #[test]
    fn cut_and_lengthened_networks_are_refused() {
        let (bytes, fitting) = (bytes(), hashed(&[3, 8, 4]));
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
