//! Rows held out by each of several models, so that each knows when to stop and together they learn from all.
//! Trains nothing.

use crate::base::rng::Random;

/// For each model the rows it holds out, in order: its share of each class (at least one row of it), and no row twice. There are fewer
/// models than asked for where a class has too few rows for them.
pub fn hold_out(labels: &[bool], models: usize, held_share: f64, random: &mut Random) -> Vec<Vec<usize>> {
    let positives = labels.iter().filter(|&&label| label).count();
    // Both classes must be left for every share and for those who learn without it.
    let models = models.min(positives.min(labels.len() - positives) / 2).max(1);
    let mut held = vec![Vec::new(); models];
    for class in [false, true] {
        let mut rows: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == class).collect();
        random.shuffle(&mut rows);
        let share = (rows.len() as f64 * held_share).round() as usize;
        let share = share.clamp(1, (rows.len() / models).max(1));
        for (held, rows) in held.iter_mut().zip(rows.chunks(share)) {
            held.extend_from_slice(rows);
        }
    }
    held.iter_mut().for_each(|rows| rows.sort_unstable());
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_is_held_out_twice_and_each_model_holds_out_both_classes() {
        let labels: Vec<bool> = (0..100).map(|row| row % 5 == 0).collect();
        let held = hold_out(&labels, 8, 0.12, &mut Random::new(3, "held"));
        let mut all: Vec<usize> = held.concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), held.iter().map(Vec::len).sum::<usize>());
        for rows in &held {
            let positive = rows.iter().filter(|&&row| labels[row]).count();
            assert_eq!((positive, rows.len() - positive), (2, 10));
        }
    }

    #[test]
    fn few_rows_of_a_class_are_held_out_by_fewer_models_and_never_all() {
        let labels: Vec<bool> = (0..50).map(|row| row < 5).collect();
        let held = hold_out(&labels, 10, 0.12, &mut Random::new(3, "held"));
        assert_eq!(held.len(), 2);
        for rows in &held {
            let positive = rows.iter().filter(|&&row| labels[row]).count();
            assert!((1..5).contains(&positive));
        }
    }
}
