//! What can be read off the sorted values of one numeric field: median, spread, quantile cuts, bins.
//! Never sees labels, and never returns the value of a single extreme row of a large table.

use crate::base::limits;

pub mod codes;
pub mod cuts;

/// A spread below this share of the largest magnitude is rounding noise, not variation.
const RELATIVE_DEVIATION_MIN: f64 = 1e-12;
/// Half a percent of the rows lies beyond each outer cut, up to `SHARED_LEVEL_ROWS_MIN` rows.
const ROWS_PER_TRIMMED_ROW: usize = 200;

/// The present values of a field in ascending order: at least one, none beyond `NUMBER_MAGNITUDE_MAX`.
pub struct Present {
    sorted: Vec<f64>,
}

impl Present {
    /// `None` where every value is missing (NaN).
    pub fn of(values: &[f64]) -> Option<Self> {
        // Adding zero makes -0.0 and 0.0 one value, whichever row comes first.
        let mut sorted: Vec<f64> = values.iter().filter(|x| !x.is_nan()).map(|x| x + 0.0).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        if sorted.is_empty() { None } else { Some(Self { sorted }) }
    }

    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    pub fn median(&self) -> f64 {
        self.quantile(1, 2)
    }

    /// Mean and population deviation; the deviation of a constant field is exactly 0.
    pub fn mean_and_deviation(&self) -> (f64, f64) {
        // Summed in sorted order, so that the order of rows cannot change a bit of it.
        let count = self.sorted.len() as f64;
        let (least, greatest) = self.range(1);
        let mean = (self.sorted.iter().sum::<f64>() / count).clamp(least, greatest);
        let squares: f64 = self.sorted.iter().map(|x| (x - mean) * (x - mean)).sum();
        let deviation = (squares / count).sqrt().min((greatest - least) / 2.0);
        let noise = RELATIVE_DEVIATION_MIN * least.abs().max(greatest.abs());
        if least == greatest || deviation <= noise { (mean, 0.0) } else { (mean, deviation) }
    }

    /// Strictly increasing cut points of at most `bins` bins. A field with few distinct values has a
    /// cut at each; heavy ties make fewer bins; a constant field has one cut. The outer cuts leave the
    /// most extreme half percent of rows outside, so that one freak row neither stretches the outer
    /// bin nor has its value signed into a model.
    pub fn cuts(&self, bins: usize) -> Vec<f64> {
        let count = self.sorted.len();
        let rank = self.trimmed_rank();
        let kept = &self.sorted[rank - 1..=count - rank];
        let distinct: Vec<f64> = kept.chunk_by(|a, b| a == b).map(|ties| ties[0]).take(bins + 2).collect();
        if distinct.len() <= bins + 1 {
            return distinct;
        }
        let (low, high) = self.range(rank);
        let mut cuts = vec![low];
        cuts.extend((1..bins).map(|i| self.quantile(i, bins)).filter(|x| low < *x && *x < high));
        cuts.push(high);
        cuts.dedup();
        cuts
    }

    /// Edges of about `bins` bins of at least `SHARED_LEVEL_ROWS_MIN` rows each, and their counts. Bin
    /// `i` holds what is above edge `i` and at most edge `i + 1`; the outer bins hold all beyond as
    /// well, and the outer edges have that many rows at or beyond them. Too few values have no edges.
    pub fn shared_bins(&self, bins: usize) -> (Vec<f64>, Vec<u64>) {
        let count = self.sorted.len();
        let least = limits::SHARED_LEVEL_ROWS_MIN;
        if count < least {
            return (Vec::new(), vec![count as u64]);
        }
        let ends = bin_ends(&self.sorted, count.div_ceil(bins).max(least));
        let (low, high) = self.range(least.min(count.div_ceil(2)));
        let mut edges = vec![low];
        edges.extend(ends[..ends.len() - 1].iter().map(|&end| self.sorted[end - 1]));
        edges.push(high);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let counts = starts.zip(&ends).map(|(start, end)| (end - start) as u64).collect();
        (edges, counts)
    }

    /// About the least and the greatest value: the most extreme half percent of rows lies outside.
    pub fn shared_range(&self) -> (f64, f64) {
        self.range(self.trimmed_rank())
    }

    fn trimmed_rank(&self) -> usize {
        (1 + self.sorted.len() / ROWS_PER_TRIMMED_ROW).min(limits::SHARED_LEVEL_ROWS_MIN)
    }

    /// The `rank`-th value from either end, counted from 1.
    fn range(&self, rank: usize) -> (f64, f64) {
        (self.sorted[rank - 1], self.sorted[self.sorted.len() - rank])
    }

    /// The quantile `part / whole` by the averaged inverted distribution: a value of the field, or
    /// the middle of two where the quantile falls exactly between them.
    fn quantile(&self, part: usize, whole: usize) -> f64 {
        let position = self.sorted.len() * part;
        let index = position / whole;
        if position.is_multiple_of(whole) {
            (self.sorted[index - 1] + self.sorted[index]) / 2.0
        } else {
            self.sorted[index]
        }
    }
}

/// Where each bin ends: at the first change of value after `target` rows, or sooner before a value that
/// fills a bin alone; equal values are never parted. What is left too small joins its neighbour.
fn bin_ends(sorted: &[f64], target: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut start = 0;
    let mut value_start = 0;
    for ties in sorted.chunk_by(|a, b| a == b) {
        let before = value_start - start;
        if before >= target || (before >= limits::SHARED_LEVEL_ROWS_MIN && ties.len() >= target) {
            ends.push(value_start);
            start = value_start;
        }
        value_start += ties.len();
    }
    if sorted.len() - start < limits::SHARED_LEVEL_ROWS_MIN {
        ends.pop();
    }
    ends.push(sorted.len());
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present(values: impl IntoIterator<Item = f64>) -> Present {
        Present::of(&values.into_iter().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_middle_of_two_equal_values_is_that_value() {
        // Halving before adding rounded the least of all doubles to zero, and a cut fell below the one before.
        let least = f64::from_bits(1);
        let values = present([least; 20].into_iter().chain((1..=20).map(f64::from)));
        assert_eq!(present([least; 2]).median(), least);
        assert!(values.cuts(4).windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn rounding_noise_is_no_variation() {
        assert_eq!(present([0.1; 10]).mean_and_deviation(), (0.1, 0.0));
        assert_eq!(present([1e6, 1e6 + 1e-9]).mean_and_deviation().1, 0.0);
        assert_eq!(present([1e6, 1e6 + 1.0]).mean_and_deviation().1, 0.5);
    }

    #[test]
    fn bins_of_a_reference_part_no_ties_and_have_twenty_rows() {
        let bins = |values: Vec<f64>| present(values).shared_bins(10);
        let few_then_many = (0..1000).map(|i| if i < 25 { f64::from(i % 5) } else { 9.0 });
        assert_eq!(bins(few_then_many.collect()), (vec![3.0, 4.0, 9.0], vec![25, 975]));
        let rare_end = (0..1000).map(|i| if i < 990 { 1.0 } else { f64::from(i) });
        assert_eq!(bins(rare_end.collect()), (vec![1.0, 1.0], vec![1000]));
        let (edges, counts) = bins((0..150).map(f64::from).collect());
        assert_eq!((edges[0], edges[7], counts), (19.0, 130.0, vec![20, 20, 20, 20, 20, 20, 30]));
        assert_eq!(bins(vec![3.0; 19]), (vec![], vec![19]));
        assert_eq!(bins((0..21).map(f64::from).collect()), (vec![10.0, 10.0], vec![21]));
    }
}
