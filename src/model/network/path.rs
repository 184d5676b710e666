//! What each column adds on the straight way from a reference to a row. Between two bends of the way the margin is
//! linear, so its pieces are summed exactly; never samples.

use crate::base::limits;
use crate::model::network::{Layer, Network, rectify};

/// The reference's margin and each column's share; together they are the row's margin.
pub(super) fn walk(network: &Network, row: &[f64], reference: &[f64]) -> (f64, Vec<f64>) {
    let (base, mut columns, gap) = sum_pieces(network, row, reference);
    spread(&mut columns, gap);
    (base, columns)
}

/// The same, and what they miss the margin by as they are.
fn sum_pieces(network: &Network, row: &[f64], reference: &[f64]) -> (f64, Vec<f64>, f64) {
    let (from, to) = (network.front(reference), network.front(row));
    let (base, margin) = (network.pass(&from), network.pass(&to));
    let mut front = vec![0.0; from.len()];
    for layers in &network.members {
        let units = layers.first().map_or(0, |layer| layer.units);
        let mut way = Way { layers, bent: 0, open: Vec::new(), slopes: vec![0.0; units] };
        way.cross(0, (&from, &to), 1.0);
        let own = layers.first().map(|layer| back(&layer.weights, &way.slopes)).unwrap_or_default();
        front.iter_mut().zip(own).for_each(|(sum, slope)| *sum += slope);
    }
    front.iter_mut().for_each(|slope| *slope /= network.members.len() as f64);
    let mut columns = to_columns(network, &front);
    for ((column, x), r) in columns.iter_mut().zip(row).zip(reference) {
        *column *= x - r;
    }
    let gap = (margin - base) - columns.iter().sum::<f64>();
    (base, columns, gap)
}

/// By size: who adds most is also off by most. Where nobody adds anything there is nothing to go by, and the gap,
/// which is then a rounding error, goes to the first.
fn spread(columns: &mut [f64], gap: f64) {
    let whole: f64 = columns.iter().map(|column| column.abs()).sum();
    if whole > 0.0 {
        columns.iter_mut().for_each(|column| *column += gap * (column.abs() / whole));
    } else if let Some(first) = columns.first_mut() {
        *first += gap;
    }
}

struct Way<'a> {
    layers: &'a [Layer],
    /// How many bends were walked.
    bent: usize,
    /// Which units are on, layer by layer, in the piece under way.
    open: Vec<Vec<bool>>,
    /// The margin's slope in each sum of the first layer, weighted by the length of the pieces it holds on.
    slopes: Vec<f64>,
}

impl Way<'_> {
    /// Walks a part of the way of this `length` on which the inputs of layer `number` change in a straight line.
    fn cross(&mut self, number: usize, (from, to): (&[f64], &[f64]), length: f64) {
        let Some(layer) = self.layers.get(number) else { return };
        if number + 1 == self.layers.len() {
            return self.arrive(length);
        }
        let (begin, end) = (layer.sums(from), layer.sums(to));
        let bends = self.bends(&begin, &end);
        for piece in bends.windows(2) {
            let at = |share: f64| -> Vec<f64> {
                begin.iter().zip(&end).map(|(b, e)| b * (1.0 - share) + e * share).collect()
            };
            let middle = at(0.5 * (piece[0] + piece[1]));
            let (mut low, mut high) = (at(piece[0]), at(piece[1]));
            rectify(&mut low);
            rectify(&mut high);
            self.open.push(middle.iter().map(|sum| *sum > 0.0).collect());
            self.cross(number + 1, (&low, &high), length * (piece[1] - piece[0]));
            self.open.pop();
        }
    }

    /// Where units turn on or off, as shares of the way from `begin` to `end`, with both ends. Past the limit the
    /// rest of the way counts as straight; the gap then tells how much it was not.
    fn bends(&mut self, begin: &[f64], end: &[f64]) -> Vec<f64> {
        let turning = begin.iter().zip(end).filter(|(b, e)| (**b > 0.0) != (**e > 0.0));
        let shares = turning.map(|(b, e)| b / (b - e)).filter(|share| *share > 0.0 && *share < 1.0);
        let mut bends: Vec<f64> = [0.0, 1.0].into_iter().chain(shares).collect();
        if self.bent + bends.len() - 2 > limits::EXPLANATION_BENDS_MAX {
            bends.truncate(2);
        }
        self.bent += bends.len() - 2;
        bends.sort_by(f64::total_cmp);
        bends.dedup();
        bends
    }

    /// At the margin: its slope goes back through the units that are on.
    fn arrive(&mut self, length: f64) {
        let hidden = self.layers.len() - 1;
        let mut slope: Vec<f64> =
            self.layers[hidden].weights.iter().map(|&weight| f64::from(weight)).collect();
        for number in (0..hidden).rev() {
            let open = self.open[number].iter();
            slope.iter_mut().zip(open).for_each(|(slope, open)| *slope = if *open { *slope } else { 0.0 });
            if number > 0 {
                slope = back(&self.layers[number].weights, &slope);
            }
        }
        self.slopes.iter_mut().zip(&slope).for_each(|(sum, slope)| *sum += length * slope);
    }
}

/// From slopes in a layer's sums to slopes in its inputs.
fn back(weights: &[f32], slopes: &[f64]) -> Vec<f64> {
    let of_input = |weights: &[f32]| weights.iter().zip(slopes).map(|(&w, s)| f64::from(w) * s).sum();
    weights.chunks_exact(slopes.len()).map(of_input).collect()
}

/// From slopes in what the first layers read to slopes in the columns.
fn to_columns(network: &Network, front: &[f64]) -> Vec<f64> {
    let mut columns = vec![0.0; network.width];
    let mut next = 0;
    for range in network.plain_columns() {
        let length = range.len();
        columns[range].copy_from_slice(&front[next..next + length]);
        next += length;
    }
    for embedding in &network.embeddings {
        let own = back(&embedding.weights, &front[next..next + embedding.size]);
        columns[embedding.start..embedding.start + embedding.width].copy_from_slice(&own);
        next += embedding.size;
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;
    use crate::model::network::doubles;
    use crate::model::network::tests::{drawn, drawn_members};

    fn row(random: &mut Random, width: usize) -> Vec<f64> {
        let values: Vec<f32> = (0..width).map(|_| random.normal() as f32).collect();
        doubles(&values)
    }

    #[test]
    fn the_pieces_add_up_before_anything_is_spread() {
        for (seed, hidden) in [(1, vec![8]), (2, vec![16, 8]), (3, vec![64, 32]), (4, vec![12, 12, 12])] {
            let network = drawn_members(seed, 1 + seed as usize, &[7, 12, 5], &hidden);
            let mut random = Random::new(seed, "rows");
            for _ in 0..20 {
                let (to, from) = (row(&mut random, 24), row(&mut random, 24));
                let (_, columns, gap) = sum_pieces(&network, &to, &from);
                let size = 1.0 + columns.iter().map(|column| column.abs()).sum::<f64>();
                assert!(gap.abs() < 1e-12 * size, "{hidden:?}: {gap}");
            }
        }
    }

    /// The same integral with twenty thousand slopes taken by small differences.
    #[test]
    fn a_column_adds_what_the_integral_of_its_slope_is() {
        for network in [drawn(5, &[2, 3], &[1], &[6, 4]), drawn_members(5, 3, &[2, 3], &[6, 4])] {
            check_integral(&network);
        }
    }

    fn check_integral(network: &Network) {
        let mut random = Random::new(5, "integral");
        let (to, from) = (row(&mut random, 5), row(&mut random, 5));
        let (_, columns) = walk(network, &to, &from);
        let steps = 20_000;
        for column in 0..5 {
            let mut sum = 0.0;
            for step in 0..steps {
                let share = (f64::from(step) + 0.5) / f64::from(steps);
                let mut at: Vec<f64> = from.iter().zip(&to).map(|(f, t)| f + share * (t - f)).collect();
                at[column] += 1e-6;
                let above = network.margin_at(&at);
                at[column] -= 2e-6;
                sum += (above - network.margin_at(&at)) / 2e-6;
            }
            let expected = sum / f64::from(steps) * (to[column] - from[column]);
            assert!((columns[column] - expected).abs() < 1e-3, "{column}: {expected} {columns:?}");
        }
    }

    #[test]
    fn a_way_with_more_bends_than_are_walked_adds_up_all_the_same() {
        let mut way = Way { layers: &[], bent: limits::EXPLANATION_BENDS_MAX, open: vec![], slopes: vec![] };
        assert_eq!(way.bends(&[-1.0], &[1.0]), [0.0, 1.0]);
        let mut columns = [0.5, -1.5, 0.0];
        spread(&mut columns, 0.4);
        assert_eq!(columns, [0.6, -1.2, 0.0]);
        let mut columns = [0.0, 0.0];
        spread(&mut columns, 1e-17);
        assert_eq!(columns, [1e-17, 0.0]);
    }
}
