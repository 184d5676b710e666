//! The loops of a network's pass that are no product of tables, each one time through memory. Knows no shapes.

use crate::model::wide::{Wide, widest};

/// A row of the table for each of `rows`, each a copy of `row`.
pub fn add_rows(table: &mut Vec<f32>, row: &[f32], rows: usize) {
    table.clear();
    table.reserve(row.len() * rows);
    (0..rows).for_each(|_| table.extend_from_slice(row));
}

/// What is above zero, each unit times what it is `kept` by.
pub fn rectify(units: &mut [f32], kept: Option<&[f32]>) {
    widest(Rectify { units, kept });
}

struct Rectify<'a> {
    units: &'a mut [f32],
    kept: Option<&'a [f32]>,
}

impl Wide for Rectify<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match self.kept {
            // Not `max`: what is no number must stay so, for the training to be found to diverge.
            None => self.units.iter_mut().for_each(|unit| *unit = if *unit <= 0.0 { 0.0 } else { *unit }),
            Some(kept) => {
                for (unit, kept) in self.units.iter_mut().zip(kept) {
                    *unit = if *unit <= 0.0 { 0.0 } else { *unit * kept };
                }
            }
        }
    }
}

/// Back through `rectify`: the slopes of the units that came out above zero, each times what it was `kept` by.
pub fn shade(slopes: &mut [f32], units: &[f32], kept: Option<&[f32]>) {
    widest(Shade { slopes, units, kept });
}

struct Shade<'a> {
    slopes: &'a mut [f32],
    units: &'a [f32],
    kept: Option<&'a [f32]>,
}

impl Wide for Shade<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let pairs = self.slopes.iter_mut().zip(self.units);
        match self.kept {
            None => pairs.for_each(|(slope, unit)| *slope = if *unit == 0.0 { 0.0 } else { *slope }),
            Some(kept) => {
                for ((slope, unit), kept) in pairs.zip(kept) {
                    *slope = if *unit == 0.0 { 0.0 } else { *slope * kept };
                }
            }
        }
    }
}

/// To each column's sum, its numbers in the order of the rows.
pub fn sum_rows(table: &[f32], sums: &mut [f32]) {
    widest(SumRows { table, sums });
}

struct SumRows<'a> {
    table: &'a [f32],
    sums: &'a mut [f32],
}

impl Wide for SumRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for row in self.table.chunks_exact(self.sums.len()) {
            self.sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
    }
}

/// Through the last layer, a line of `weights` for each member in turn: to its weights' slopes what each error and the
/// units under it make, and to the units' slopes what the error and the weights make.
pub fn spread_last(errors: &[f32], units: &[f32], weights: (&[f32], &mut [f32]), slopes: &mut [f32]) {
    widest(SpreadLast { errors, units, weights, slopes });
}

struct SpreadLast<'a> {
    errors: &'a [f32],
    units: &'a [f32],
    weights: (&'a [f32], &'a mut [f32]),
    slopes: &'a mut [f32],
}

impl Wide for SpreadLast<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (weights, own) = self.weights;
        let inputs = self.units.len() / self.errors.len();
        let mut member = 0;
        let lines = self.units.chunks_exact(inputs).zip(self.slopes.chunks_exact_mut(inputs));
        for (error, (units, slopes)) in self.errors.iter().zip(lines) {
            let place = member..member + inputs;
            for (own, unit) in own[place.clone()].iter_mut().zip(units) {
                *own += error * unit;
            }
            for (slope, weight) in slopes.iter_mut().zip(&weights[place]) {
                *slope = error * weight;
            }
            member = if member + inputs < weights.len() { member + inputs } else { 0 };
        }
    }
}

/// Sums that are added up side by side; one after the other they would wait for each other.
const LANES: usize = 16;

pub fn dot(left: &[f32], right: &[f32]) -> f32 {
    widest(Dot { left, right })
}

struct Dot<'a> {
    left: &'a [f32],
    right: &'a [f32],
}

impl Wide for Dot<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        let ((left, left_rest), (right, right_rest)) =
            (self.left.as_chunks::<LANES>(), self.right.as_chunks::<LANES>());
        let mut lanes = [0.0f32; LANES];
        for (left, right) in left.iter().zip(right) {
            for ((lane, left), right) in lanes.iter_mut().zip(left).zip(right) {
                *lane += left * right;
            }
        }
        let rest: f32 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
        lanes.iter().sum::<f32>() + rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectified_units_are_kept_by_their_worth_and_the_slopes_go_back_the_same_way() {
        let mut units = [-1.0, 0.0, 2.0, 3.0, -4.0];
        let kept = [2.0, 2.0, 2.0, 0.0, 0.0];
        rectify(&mut units, Some(&kept));
        assert_eq!(units, [0.0, 0.0, 4.0, 0.0, 0.0]);
        let mut slopes = [1.0, 1.0, 0.5, 1.0, 1.0];
        shade(&mut slopes, &units, Some(&kept));
        assert_eq!(slopes, [0.0, 0.0, 1.0, 0.0, 0.0]);
        let mut units = [-1.0, 2.0];
        rectify(&mut units, None);
        let mut slopes = [3.0, 3.0];
        shade(&mut slopes, &units, None);
        assert_eq!((units, slopes), ([0.0, 2.0], [0.0, 3.0]));
    }

    #[test]
    fn what_is_no_number_is_not_rectified_away() {
        let mut units = [f32::NAN];
        rectify(&mut units, None);
        assert!(units[0].is_nan());
    }

    #[test]
    fn each_member_has_its_own_line_of_the_last_layer() {
        // Two rows of two members of two units.
        let units = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        let (errors, weights) = ([1.0, 10.0, 100.0, 1_000.0], [0.5, 0.25, -1.0, 2.0]);
        let (mut own, mut slopes) = ([0.0; 4], [0.0; 8]);
        spread_last(&errors, &units, (&weights, &mut own), &mut slopes);
        assert_eq!(own, [501.0, 602.0, 7_030.0, 8_040.0]);
        assert_eq!(slopes, [0.5, 0.25, -10.0, 20.0, 50.0, 25.0, -1_000.0, 2_000.0]);
    }

    #[test]
    fn sums_go_over_rows_and_dot_products_over_all_that_both_have() {
        let mut table = Vec::new();
        add_rows(&mut table, &[1.0, 2.0, 3.0], 4);
        let mut sums = [0.5, 0.0, 0.0];
        sum_rows(&table, &mut sums);
        assert_eq!(sums, [4.5, 8.0, 12.0]);
        let numbers: Vec<f32> = (1..=37).map(|number| number as f32).collect();
        assert_eq!(dot(&numbers, &numbers), (1..=37).map(|n| n * n).sum::<i32>() as f32);
    }
}
