//! What files may show of single rows' values: means of many neighbours, levels that many rows have, and contributions
//! on a coarse grid, in another order for each field. A row cannot be put together again, nor a person's value read off.

use std::collections::BTreeMap;

use crate::base::rng::Random;
use crate::data::table::{Column, Table, Values};
use crate::features::recipe::FittedRecipe;

/// Rows that a value, a level or a month which a file shows stands for, at least.
const SHOWN_ROWS_MIN: usize = 20;
/// Values that a number has in files, at most.
const VALUES_MAX: usize = 50;
/// Steps from zero to a field's largest contribution.
const CONTRIBUTION_STEPS: f64 = 100.0;
/// Levels of fewer rows, all together.
const RARE: &str = "(rare)";

/// A field of the recipe over all rows of a table.
pub(super) struct BlurredField<'a> {
    pub field: &'a str,
    pub values: Blurred<'a>,
}

pub(super) enum Blurred<'a> {
    /// The mean of neighbours; NaN where there is none.
    Numbers(Vec<f64>),
    Levels(Vec<Option<&'a str>>),
}

/// In the recipe's order; a field that the table has not is absent.
pub(super) fn blur<'a>(recipe: &'a FittedRecipe, table: &'a Table) -> Vec<BlurredField<'a>> {
    let of_column = |column: &'a Column| match &column.values {
        Values::Number(values) => Blurred::Numbers(means(values)),
        Values::Text(texts) => {
            let levels: Vec<Option<&str>> = (0..texts.codes.len()).map(|row| texts.get(row)).collect();
            Blurred::Levels(frequent(&levels, RARE))
        }
    };
    let fields = recipe.fields.iter();
    fields
        .filter_map(|f| Some((f.field.as_str(), table.find_column(&f.field)?)))
        .map(|(field, column)| BlurredField { field, values: of_column(column) })
        .collect()
}

/// Each number as the mean of its neighbours: equal ones stay together, and no group is smaller than it may be.
fn means(values: &[f64]) -> Vec<f64> {
    let mut known: Vec<usize> = (0..values.len()).filter(|&row| !values[row].is_nan()).collect();
    known.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let least = SHOWN_ROWS_MIN.max(known.len().div_ceil(VALUES_MAX));
    let mut blurred = vec![f64::NAN; values.len()];
    let mut start = 0;
    while start + least <= known.len() {
        let mut end = start + least;
        while end < known.len() && values[known[end]] == values[known[end - 1]] {
            end += 1;
        }
        // What is left behind a group and too little for another goes with it.
        if known.len() - end < least {
            end = known.len();
        }
        let group = &known[start..end];
        let (first, count) = (values[group[0]], group.len() as f64);
        let mean = first + group.iter().map(|&row| (values[row] - first) / count).sum::<f64>();
        group.iter().for_each(|&row| blurred[row] = mean);
        start = end;
    }
    blurred
}

/// What has too few rows becomes `rare`.
pub(super) fn frequent<'a>(levels: &[Option<&'a str>], rare: &'a str) -> Vec<Option<&'a str>> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    levels.iter().flatten().for_each(|level| *counts.entry(level).or_default() += 1);
    let shown = |level: &'a str| if counts[level] < SHOWN_ROWS_MIN { rare } else { level };
    levels.iter().map(|level| level.map(shown)).collect()
}

/// A field's values and contributions in an order of their own, the contributions on a coarse grid.
pub(super) fn unlinked<'a>(
    field: &BlurredField<'a>,
    contributions: &[f64],
    seed: u64,
) -> (Blurred<'a>, Vec<f64>) {
    let mut order: Vec<usize> = (0..contributions.len()).collect();
    Random::new(seed, &format!("artifacts.order.{}", field.field)).shuffle(&mut order);
    let step = contributions.iter().fold(0.0, |most: f64, c| most.max(c.abs())) / CONTRIBUTION_STEPS;
    let coarse = |c: f64| if step > 0.0 { (c / step).round() * step } else { c };
    let values = match &field.values {
        Blurred::Numbers(values) => Blurred::Numbers(order.iter().map(|&row| values[row]).collect()),
        Blurred::Levels(levels) => Blurred::Levels(order.iter().map(|&row| levels[row]).collect()),
    };
    (values, order.iter().map(|&row| coarse(contributions[row])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_that_is_shown_stands_for_twenty_rows_or_more() {
        let values: Vec<f64> = (0..4_010)
            .map(|i| if i % 9 == 0 { f64::NAN } else { f64::from(i * i % 977) + 0.25 * f64::from(i % 4) })
            .collect();
        let blurred = means(&values);
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        blurred.iter().filter(|x| !x.is_nan()).for_each(|x| *counts.entry(x.to_bits()).or_default() += 1);
        assert!(counts.len() > 30 && counts.len() <= VALUES_MAX, "{}", counts.len());
        assert!(counts.values().all(|&rows| rows >= SHOWN_ROWS_MIN));
        let both = values.iter().zip(&blurred);
        assert!(both.clone().all(|(value, shown)| value.is_nan() == shown.is_nan()));
        assert!(both.filter(|(value, _)| !value.is_nan()).all(|(value, shown)| (value - shown).abs() < 60.0));
    }

    #[test]
    fn too_few_numbers_are_not_shown_at_all_and_rare_levels_together() {
        let mut values = vec![f64::NAN; 100];
        values[..19].iter_mut().for_each(|value| *value = 7.0);
        assert!(means(&values).iter().all(|value| value.is_nan()));
        let levels: Vec<Option<&str>> = (0..60)
            .map(|i| Some(if i < 25 { "often" } else { "seldom" }))
            .chain([Some("once"), None])
            .collect();
        let shown = frequent(&levels, RARE);
        assert_eq!(
            (shown[0], shown[30], shown[60], shown[61]),
            (Some("often"), Some("seldom"), Some(RARE), None)
        );
    }

    #[test]
    fn fields_of_a_row_do_not_stand_in_one_place_and_their_contributions_are_coarse() {
        let field =
            |name| BlurredField { field: name, values: Blurred::Numbers((0..500).map(f64::from).collect()) };
        let contributions: Vec<f64> = (0..500).map(|i| f64::from(i) / 499.0).collect();
        let (Blurred::Numbers(one), shares) = unlinked(&field("a"), &contributions, 1) else { panic!() };
        let (Blurred::Numbers(other), _) = unlinked(&field("b"), &contributions, 1) else { panic!() };
        assert!(one.iter().zip(&other).filter(|(a, b)| a == b).count() < 20);
        let near = |(value, share): (&f64, &f64)| (share - value / 499.0).abs() < 0.0051;
        assert!(one.iter().zip(&shares).all(near), "value and contribution stay together");
        assert!(shares.iter().all(|share| ((share * 100.0).round() / 100.0 - share).abs() < 1e-12));
    }
}
