//! What each column adds on the straight way from a reference to a row. Between two bends of the way the margin is
//! linear, so its pieces are summed exactly; never samples.

use crate::base::limits;
use crate::model::network::{Layer, Network, pass, rectify};
use crate::model::wide::{Wide, widest};

/// The reference's margin and each column's share; together they are the row's margin.
pub(super) fn walk(network: &Network, row: &[f64], reference: &[f64]) -> (f64, Vec<f64>) {
    let (base, mut columns, gap) = sum_pieces(network, row, reference);
    spread(&mut columns, gap);
    (base, columns)
}

/// The same, and what they miss the margin by as they are.
fn sum_pieces(network: &Network, row: &[f64], reference: &[f64]) -> (f64, Vec<f64>, f64) {
    let (from, to) = (network.front(reference), network.front(row));
    let mut front = vec![0.0; from.len()];
    let (mut base, mut margin) = (None, None);
    for layers in &network.members {
        let Some((first, rest)) = layers.split_first() else { continue };
        let (begin, end) = (first.sums(&from), first.sums(&to));
        add_margin(&mut base, rest, &begin);
        add_margin(&mut margin, rest, &end);
        let own = Way::of(layers).slopes(0, &begin, &end);
        front.iter_mut().zip(own).for_each(|(sum, slope)| *sum += slope);
    }
    let mean = |sum: Option<f64>| sum.unwrap_or_default() / network.members.len() as f64;
    let (base, margin) = (mean(base), mean(margin));
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

/// A member's margin by its first layer's sums, added to that of the members before, as `Network::pass` does.
fn add_margin(before: &mut Option<f64>, rest: &[Layer], sums: &[f64]) {
    let mut values = sums.to_vec();
    rectify(&mut values);
    let own = pass(rest, &values);
    *before = Some(before.map_or(own, |before| before + own));
}

struct Way<'a> {
    layers: &'a [Layer],
    /// The weights of each layer that is gone back through more than once, `inputs` numbers a unit.
    turned: Vec<Vec<f32>>,
    /// How many bends were walked.
    bent: usize,
}

impl<'a> Way<'a> {
    fn of(layers: &'a [Layer]) -> Self {
        let turned = |(number, layer): (usize, &Layer)| {
            let mut turned = Vec::new();
            if number > 0 && number + 1 < layers.len() {
                turned.resize(layer.weights.len(), 0.0);
                for (input, line) in layer.weights.chunks_exact(layer.units).enumerate() {
                    let own = turned[input..].iter_mut().step_by(layer.inputs);
                    own.zip(line).for_each(|(own, weight)| *own = *weight);
                }
            }
            turned
        };
        Self { layers, turned: layers.iter().enumerate().map(turned).collect(), bent: 0 }
    }

    /// The margin's slopes in the inputs of layer `number`, averaged over a part of the way on which the layer's sums
    /// change in a straight line from `begin` to `end`. Going back through the layer is linear, so it is done once for
    /// all pieces.
    fn slopes(&mut self, number: usize, begin: &[f64], end: &[f64]) -> Vec<f64> {
        let Some(layer) = self.layers.get(number) else { return Vec::new() };
        if number + 1 == self.layers.len() {
            return layer.weights.iter().map(|&weight| f64::from(weight)).collect();
        }
        let at = |share: f64| -> Vec<f64> {
            begin.iter().zip(end).map(|(b, e)| b * (1.0 - share) + e * share).collect()
        };
        // Of the last layer's only sum nothing is asked.
        let next = self.layers.get(number + 1).filter(|_| number + 2 < self.layers.len());
        let next_sums = |share: f64| {
            let mut values = at(share);
            rectify(&mut values);
            next.map(|layer| layer.sums(&values)).unwrap_or_default()
        };
        let mut sums = vec![0.0; begin.len()];
        let bends = self.bends(begin, end);
        let mut low = next_sums(0.0);
        for piece in bends.windows(2) {
            let (middle, high) = (at(0.5 * (piece[0] + piece[1])), next_sums(piece[1]));
            let (own, length) = (self.slopes(number + 1, &low, &high), piece[1] - piece[0]);
            for ((sum, slope), middle) in sums.iter_mut().zip(own).zip(middle) {
                *sum += if middle > 0.0 { length * slope } else { 0.0 };
            }
            low = high;
        }
        match self.turned.get(number) {
            Some(turned) if !turned.is_empty() => back_turned(turned, layer.inputs, &sums),
            _ => back(&layer.weights, &sums),
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
}

/// From slopes in a layer's sums to slopes in its inputs.
fn back(weights: &[f32], slopes: &[f64]) -> Vec<f64> {
    widest(Back { weights, slopes })
}

struct Back<'a> {
    weights: &'a [f32],
    slopes: &'a [f64],
}

/// Sums of an input's slope that are added up side by side; one after the other they would wait for each other.
const LANES: usize = 16;

impl Wide for Back<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run(self) -> Vec<f64> {
        let (slopes, rest) = self.slopes.as_chunks::<LANES>();
        let mut inputs = Vec::with_capacity(self.weights.len() / self.slopes.len().max(1));
        for line in self.weights.chunks_exact(self.slopes.len()) {
            let (weights, last) = line.as_chunks::<LANES>();
            let mut lanes = [0.0; LANES];
            for (weights, slopes) in weights.iter().zip(slopes) {
                for ((lane, &weight), slope) in lanes.iter_mut().zip(weights).zip(slopes) {
                    *lane += f64::from(weight) * slope;
                }
            }
            let mut sum = 0.0;
            lanes.iter().for_each(|lane| sum += lane);
            last.iter().zip(rest).for_each(|(&weight, slope)| sum += f64::from(weight) * slope);
            inputs.push(sum);
        }
        inputs
    }
}

/// The same, to the bit, by the turned weights: sums of many inputs side by side, each in the order that `back` has.
fn back_turned(turned: &[f32], inputs: usize, slopes: &[f64]) -> Vec<f64> {
    widest(BackTurned { turned, inputs, slopes })
}

struct BackTurned<'a> {
    turned: &'a [f32],
    inputs: usize,
    slopes: &'a [f64],
}

impl Wide for BackTurned<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run(self) -> Vec<f64> {
        let mut sums = vec![0.0; self.inputs];
        let mut lane_sums = vec![0.0; self.inputs];
        let full = self.slopes.len() / LANES * LANES;
        let line = |unit: usize| &self.turned[unit * self.inputs..][..self.inputs];
        for lane in 0..LANES.min(full) {
            lane_sums.fill(0.0);
            for unit in (lane..full).step_by(LANES) {
                add_turned(&mut lane_sums, line(unit), self.slopes[unit]);
            }
            sums.iter_mut().zip(&lane_sums).for_each(|(sum, lane)| *sum += lane);
        }
        (full..self.slopes.len()).for_each(|unit| add_turned(&mut sums, line(unit), self.slopes[unit]));
        sums
    }
}

#[inline(always)]
fn add_turned(sums: &mut [f64], line: &[f32], slope: f64) {
    for (sum, &weight) in sums.iter_mut().zip(line) {
        *sum += f64::from(weight) * slope;
    }
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
    fn going_back_by_turned_weights_gives_the_same_bits() {
        let mut random = Random::new(6, "turned");
        for (inputs, units) in [(1, 1), (5, 15), (7, 16), (64, 32), (33, 53)] {
            let weights: Vec<f32> = (0..inputs * units).map(|_| random.normal() as f32).collect();
            let turn = |unit| weights.iter().skip(unit).step_by(units).copied();
            let turned: Vec<f32> = (0..units).flat_map(turn).collect();
            let slopes: Vec<f64> = (0..units).map(|_| random.normal()).collect();
            assert_eq!(back_turned(&turned, inputs, &slopes), back(&weights, &slopes), "{inputs} {units}");
        }
    }

    #[test]
    fn a_way_with_more_bends_than_are_walked_adds_up_all_the_same() {
        let mut way = Way { layers: &[], turned: Vec::new(), bent: limits::EXPLANATION_BENDS_MAX };
        assert_eq!(way.bends(&[-1.0], &[1.0]), [0.0, 1.0]);
        let mut columns = [0.5, -1.5, 0.0];
        spread(&mut columns, 0.4);
        assert_eq!(columns, [0.6, -1.2, 0.0]);
        let mut columns = [0.0, 0.0];
        spread(&mut columns, 1e-17);
        assert_eq!(columns, [1e-17, 0.0]);
    }
}
