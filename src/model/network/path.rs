//! What each column adds on the straight way from a reference to a row. Between two bends of the way the margin is
//! linear, so its pieces are summed exactly; never samples.

use crate::base::limits;
use crate::model::network::{Layer, Network, rectify};
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
    let (base, margin) = (network.pass(&from), network.pass(&to));
    let mut front = vec![0.0; from.len()];
    for layers in &network.members {
        let own = Way { layers, bent: 0 }.slopes(0, &from, &to);
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
}

impl Way<'_> {
    /// The margin's slopes in the inputs of layer `number`, averaged over a part of the way on which these change in a
    /// straight line. Going back through the layer is linear, so it is done once for all pieces.
    fn slopes(&mut self, number: usize, from: &[f64], to: &[f64]) -> Vec<f64> {
        let Some(layer) = self.layers.get(number) else { return Vec::new() };
        if number + 1 == self.layers.len() {
            return layer.weights.iter().map(|&weight| f64::from(weight)).collect();
        }
        let (begin, end) = (layer.sums(from), layer.sums(to));
        let at = |share: f64| -> Vec<f64> {
            begin.iter().zip(&end).map(|(b, e)| b * (1.0 - share) + e * share).collect()
        };
        let mut sums = vec![0.0; begin.len()];
        for piece in self.bends(&begin, &end).windows(2) {
            let middle = at(0.5 * (piece[0] + piece[1]));
            let (mut low, mut high) = (at(piece[0]), at(piece[1]));
            rectify(&mut low);
            rectify(&mut high);
            let (own, length) = (self.slopes(number + 1, &low, &high), piece[1] - piece[0]);
            for ((sum, slope), middle) in sums.iter_mut().zip(own).zip(middle) {
                *sum += if middle > 0.0 { length * slope } else { 0.0 };
            }
        }
        back(&layer.weights, &sums)
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
        let mut way = Way { layers: &[], bent: limits::EXPLANATION_BENDS_MAX };
        assert_eq!(way.bends(&[-1.0], &[1.0]), [0.0, 1.0]);
        let mut columns = [0.5, -1.5, 0.0];
        spread(&mut columns, 0.4);
        assert_eq!(columns, [0.6, -1.2, 0.0]);
        let mut columns = [0.0, 0.0];
        spread(&mut columns, 1e-17);
        assert_eq!(columns, [1e-17, 0.0]);
    }
}
