//! Where the bins of a number begin and end. Sees no label.

/// At most `bins_max - 1` cuts, rising, of values that are sorted and finite; a value is in bin `i` (from 0) when it is
/// above `i` cuts. Every bin holds `rows_min` values or more. Where there are more values than bins, one that is as
/// frequent as a bin should be has a bin of its own, and the rest are shared out evenly. A cut lies midway between two
/// neighbours.
pub fn cuts(sorted: &[f64], bins_max: usize, rows_min: usize) -> Vec<f64> {
    let distinct = distinct(sorted);
    let rows_min = rows_min.max(1);
    // Where every value can have a bin of its own, each has one that has the rows for it.
    let every = distinct.len() <= bins_max;
    let bins_max = bins_max.min(sorted.len() / rows_min).max(1);
    let mean = sorted.len() as f64 / bins_max as f64;
    let big = |count: usize| count as f64 >= mean;
    let big_rows: usize = distinct.iter().map(|(_, count)| *count).filter(|count| big(*count)).sum();
    let big_bins = distinct.iter().filter(|(_, count)| big(*count)).count();
    let mut rows_left = sorted.len() - big_rows;
    let mut bins_left = bins_max.saturating_sub(big_bins).max(1);
    let mut aim = rows_left as f64 / bins_left as f64;
    let (mut cuts, mut held, mut after) = (Vec::new(), 0, sorted.len());
    for (place, pair) in distinct.windows(2).enumerate() {
        let [(value, count), (next, next_count)] = [pair[0], pair[1]];
        held += count;
        after -= count;
        if !big(count) {
            rows_left -= count;
        }
        let full = every
            || big(count)
            || held as f64 >= aim
            || (big(next_count) && held as f64 >= (aim / 2.0).max(1.0));
        let room = cuts.len() + 1 < bins_max && place + 1 < distinct.len();
        if full && room && held >= rows_min && after >= rows_min {
            cuts.push(midway(value, next));
            held = 0;
            if !big(count) {
                bins_left = bins_left.saturating_sub(1).max(1);
                aim = rows_left as f64 / bins_left as f64;
            }
        }
    }
    cuts
}

fn distinct(sorted: &[f64]) -> Vec<(f64, usize)> {
    let mut distinct: Vec<(f64, usize)> = Vec::new();
    for &value in sorted {
        match distinct.last_mut() {
            Some((last, count)) if *last == value => *count += 1,
            _ => distinct.push((value, 1)),
        }
    }
    distinct
}

/// At least the lower and below the upper, also where nothing lies between them.
fn midway(low: f64, high: f64) -> f64 {
    let middle = low + (high - low) / 2.0;
    if middle.is_finite() && middle < high { middle } else { low }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::cuts;

    fn counts(sorted: &[f64], cuts: &[f64]) -> Vec<usize> {
        let mut counts = vec![0; cuts.len() + 1];
        sorted.iter().for_each(|value| counts[cuts.partition_point(|cut| cut < value)] += 1);
        counts
    }

    #[test]
    fn few_values_have_a_bin_each_with_cuts_midway() {
        assert_eq!(cuts(&[1.0, 1.0, 2.0, 2.0, 4.0, 4.0], 254, 1), [1.5, 3.0]);
        assert_eq!(cuts(&[1.0, 1.0, 2.0, 4.0, 4.0], 254, 2), [1.5]);
        let rare: Vec<f64> = [vec![0.0; 900], vec![1.0; 5], vec![2.0; 4], vec![3.0; 90]].concat();
        assert_eq!(cuts(&rare, 254, 3), [0.5, 1.5, 2.5]);
        assert_eq!(cuts(&[], 254, 3), [0.0; 0]);
        assert_eq!(cuts(&[7.0; 9], 254, 3), [0.0; 0]);
    }

    #[test]
    fn a_frequent_value_has_a_bin_of_its_own_and_the_rest_is_shared_out_evenly() {
        let mut sorted = vec![0.0; 5000];
        sorted.extend((1..=5000).map(f64::from));
        let bins = counts(&sorted, &cuts(&sorted, 51, 3));
        assert_eq!(bins[0], 5000);
        assert!(bins.len() >= 49 && bins[1..].iter().all(|&rows| (95..=110).contains(&rows)), "{bins:?}");
    }

    #[test]
    fn neighbours_with_nothing_between_them_are_still_parted() {
        let low = 1.0_f64;
        assert_eq!(cuts(&[low, low, low.next_up(), low.next_up()], 254, 1), [low]);
        assert_eq!(cuts(&[f64::MIN, f64::MIN, f64::MAX, f64::MAX], 254, 1).len(), 1);
    }

    proptest! {
        #[test]
        fn cuts_rise_and_no_bin_is_too_small_or_too_many(
            seed in proptest::collection::vec(0u32..400, 0..600), bins_max in 1usize..60, rows_min in 1usize..20, skew in any::<bool>()
        ) {
            let mut sorted: Vec<f64> = seed.iter().map(|&x| if skew { f64::from(x * x / 900) } else { f64::from(x) }).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let cuts = cuts(&sorted, bins_max, rows_min);
            prop_assert!(cuts.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(cuts.len() < bins_max);
            let counts = counts(&sorted, &cuts);
            prop_assert!(cuts.is_empty() || counts.iter().all(|&rows| rows >= rows_min), "{counts:?}");
        }
    }
}
