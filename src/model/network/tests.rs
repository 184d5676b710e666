//! The flat pass by the formula, its parts that do not fit, and who owns which share of a margin.

use super::*;
use crate::base::rng::Random;
use crate::features::recipe::{FittedEncoding, FittedField, FittedRecipe};

/// A network of drawn weights over fields of these widths; the fields named `embedded` have two numbers a level.
pub(crate) fn drawn(seed: u64, fields: &[usize], embedded: &[usize], hidden: &[usize]) -> Network {
    drawn_as(&mut Random::new(seed, "network"), fields, embedded, (1, hidden))
}

/// The same with several members, and the second field embedded.
pub(crate) fn drawn_members(seed: u64, members: usize, fields: &[usize], hidden: &[usize]) -> Network {
    drawn_as(&mut Random::new(seed, "members"), fields, &[1], (members, hidden))
}

/// Hashed fields of these widths, one behind the other, named f0, f1 and so on.
pub(crate) fn hashed(widths: &[usize]) -> FittedRecipe {
    let (mut start, mut fields) = (0, Vec::new());
    for (number, &width) in widths.iter().enumerate() {
        let (field, encoding) = (format!("f{number}").into(), FittedEncoding::Hash { buckets: width - 1 });
        fields.push(FittedField { field, encoding, start, width, known_levels: Vec::new(), code: None });
        start += width;
    }
    FittedRecipe { fields, width: start }
}

fn drawn_as(
    random: &mut Random,
    fields: &[usize],
    embedded: &[usize],
    (members, hidden): (usize, &[usize]),
) -> Network {
    let mut draw = |count: usize| (0..count).map(|_| (0.7 * random.normal()) as f32).collect::<Vec<f32>>();
    let mut embeddings = Vec::new();
    let (mut width, mut front) = (0, 0);
    for (field, &columns) in fields.iter().enumerate() {
        let size = if embedded.contains(&field) { 2 } else { columns };
        if size < columns {
            let weights = draw(columns * size);
            embeddings.push(Embedding { field, start: width, width: columns, size, weights });
        }
        (width, front) = (width + columns, front + size);
    }
    let mut member = || {
        let mut inputs = front;
        let layer = |&units: &usize| {
            let layer = Layer { inputs, units, weights: draw(inputs * units), bias: draw(units) };
            inputs = units;
            layer
        };
        hidden.iter().chain(&[1]).map(layer).collect()
    };
    let members = (0..members).map(|_| member()).collect();
    Network::new(width, embeddings, members).unwrap()
}

fn one_unit() -> Network {
    let embedding = Embedding { field: 0, start: 0, width: 2, size: 1, weights: vec![0.5, -1.0] };
    let first = Layer { inputs: 2, units: 2, weights: vec![2.0, 0.0, 3.0, -1.0], bias: vec![0.25, 0.0] };
    let last = Layer { inputs: 2, units: 1, weights: vec![1.5, 10.0], bias: vec![-1.0] };
    Network::new(3, vec![embedding], vec![vec![first, last]]).unwrap()
}

#[test]
fn the_margin_is_what_the_layers_say() {
    let network = one_unit();
    // The plain column comes first: front is [row 2, 0.5 * row 0 - row 1].
    assert_eq!(network.margin(&[1.0, 0.0, 2.0]), 1.5 * (0.25 + 2.0 * 2.0 + 3.0 * 0.5) - 1.0);
    // 0.25 - 3 is off, the other unit is on: -1 * -1 = 1.
    assert_eq!(network.margin(&[0.0, 1.0, 0.0]), 10.0 - 1.0);
    assert_eq!(network.front_width(), 2);
    assert!(network.plain_columns().into_iter().flatten().eq([2]));
}

#[test]
fn the_margin_of_several_members_is_their_mean() {
    let network = drawn_members(6, 3, &[2, 5, 3], &[4, 3]);
    let mut random = Random::new(6, "row");
    let row: Vec<f32> = (0..10).map(|_| random.normal() as f32).collect();
    let alone = |member: &Vec<Layer>| {
        Network::new(10, network.embeddings.clone(), vec![member.clone()]).unwrap().margin(&row)
    };
    let own: Vec<f64> = network.members().iter().map(alone).collect();
    assert_eq!(network.margin(&row), (own[0] + own[1] + own[2]) / 3.0);
    assert!(own[0] != own[1] && own[1] != own[2]);
}

#[test]
fn a_row_equal_to_the_reference_owes_nothing_and_an_idle_column_never_does() {
    let network = drawn(9, &[3, 6, 4], &[1], &[10, 5]);
    let mut random = Random::new(9, "row");
    let row: Vec<f32> = (0..13).map(|_| random.normal() as f32).collect();
    let reference = doubles(&row);
    let (base, columns) = network.contributions(&row, &reference, &Prepared::Nothing);
    assert_eq!(base, network.margin(&row));
    assert!(columns.iter().all(|column| *column == 0.0), "{columns:?}");
    let mut moved = row.clone();
    moved[4] += 1.0;
    let (base, columns) = network.contributions(&moved, &reference, &Prepared::Nothing);
    let others = columns.iter().enumerate().filter(|(at, _)| *at != 4);
    assert!(others.into_iter().all(|(_, column)| *column == 0.0), "{columns:?}");
    assert!((base + columns[4] - network.margin(&moved)).abs() < 1e-12);
}

#[test]
fn parts_that_do_not_fit_are_no_network() {
    let good = one_unit();
    let code = |edit: &dyn Fn(&mut Network)| {
        let mut bad = good.clone();
        edit(&mut bad);
        Network::new(bad.width, bad.embeddings, bad.members).unwrap_err().code()
    };
    assert_eq!(code(&|n| n.members.clear()), "network.members");
    assert_eq!(code(&|n| n.members = vec![n.members[0].clone(); 65]), "network.members");
    assert_eq!(code(&|n| n.members[0].truncate(1)), "network.layers");
    let shorter = |n: &mut Network| {
        let last = n.members[0][1].clone();
        n.members.push(vec![last]);
    };
    assert_eq!(code(&shorter), "network.layers");
    assert_eq!(code(&|n| n.width = 2), "network.shape");
    assert_eq!(code(&|n| n.width = 4), "network.shape");
    assert_eq!(code(&|n| n.embeddings[0].start = usize::MAX), "network.shape");
    assert_eq!(code(&|n| n.embeddings[0].size = 0), "network.shape");
    assert_eq!(code(&|n| n.embeddings.push(n.embeddings[0].clone())), "network.shape");
    assert_eq!(code(&|n| n.members[0][1].units = 2), "network.shape");
    assert_eq!(code(&|n| n.members[0][0].bias.truncate(1)), "network.shape");
    assert_eq!(code(&|n| n.members[0][0].weights[3] = f32::NAN), "network.not_finite");
    assert_eq!(code(&|n| n.members[0][1].bias[0] = f32::INFINITY), "network.not_finite");
    assert_eq!(code(&|n| n.embeddings[0].weights[1] = f32::INFINITY), "network.not_finite");
}
