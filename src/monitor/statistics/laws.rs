//! Laws that hold for any counts and samples whatever, tried on many small drawn ones.
//! Never compares with stored numbers; `oracle.rs` does.

use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

use crate::monitor::statistics::chance::p_value_of_counts;
use crate::monitor::statistics::counts::{chi_square, cramers_v, jensen_shannon, two_proportions};
use crate::monitor::statistics::exact::two_shares;
use crate::monitor::statistics::kolmogorov::kolmogorov_smirnov;
use crate::monitor::statistics::psi;
use crate::monitor::statistics::sorted::{Sorted, distinct, wasserstein};

/// Counts with empty bins among them, a row at least on either side.
fn counts() -> impl Strategy<Value = (Vec<u64>, Vec<u64>)> {
    (1usize..14).prop_flat_map(|bins| {
        let side = || {
            let bin = proptest::prop_oneof![proptest::strategy::Just(0u64), 0u64..40, 0u64..5_000];
            proptest::collection::vec(bin, bins).prop_map(|mut side| {
                side[0] += 1;
                side
            })
        };
        (side(), side())
    })
}

/// Numbers on a grid coarse enough to tie.
fn sample() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec((-30i32..30).prop_map(|x| f64::from(x) / 4.0), 1..80)
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + b.abs())
}

fn psi(reference: &[u64], current: &[u64]) -> f64 {
    psi::psi(reference, current).unwrap()
}

proptest! {
    #[test]
    fn the_stability_index_has_no_direction_and_is_never_below_zero((one, two) in counts()) {
        prop_assert!(near(psi(&one, &two), psi(&two, &one)));
        prop_assert!(psi(&one, &two) >= 0.0 && psi(&one, &two).is_finite());
    }

    #[test]
    fn equal_shares_are_no_change_at_all((one, _) in counts(), times in 1u64..50) {
        let many: Vec<u64> = one.iter().map(|n| n * times).collect();
        prop_assert!(psi(&one, &many) < 1e-12);
        prop_assert!(jensen_shannon(&one, &many).unwrap() < 1e-7);
        prop_assert!(cramers_v(&one, &many).unwrap() < 1e-7);
        prop_assert!(chi_square(&one, &many).unwrap().p_value > 0.999_999);
    }

    #[test]
    fn the_order_of_the_bins_does_not_matter((one, two) in counts(), turn in 0usize..14) {
        let turned = |side: &[u64]| {
            let mut side = side.to_vec();
            let by = turn % side.len();
            side.rotate_left(by);
            side
        };
        let (first, second) = (turned(&one), turned(&two));
        prop_assert!(near(psi(&one, &two), psi(&first, &second)));
        prop_assert!(near(jensen_shannon(&one, &two).unwrap(), jensen_shannon(&first, &second).unwrap()));
        prop_assert!(near(cramers_v(&one, &two).unwrap(), cramers_v(&first, &second).unwrap()));
    }

    #[test]
    fn a_bin_that_is_empty_on_both_sides_is_none((one, two) in counts()) {
        let longer = |side: &[u64]| side.iter().copied().chain([0]).collect::<Vec<_>>();
        prop_assert_eq!(psi(&one, &two), psi(&longer(&one), &longer(&two)));
        prop_assert_eq!(p_value_of_counts(&one, &two), p_value_of_counts(&longer(&one), &longer(&two)));
        prop_assert_eq!(chi_square(&one, &two), chi_square(&longer(&one), &longer(&two)));
    }

    #[test]
    fn distances_and_effects_keep_to_their_range((one, two) in counts()) {
        let v = cramers_v(&one, &two).unwrap();
        prop_assert!((0.0..=1.0).contains(&v));
        let distance = jensen_shannon(&one, &two).unwrap();
        prop_assert!((0.0..=2f64.ln().sqrt() + 1e-12).contains(&distance));
        let p = chi_square(&one, &two).unwrap().p_value;
        prop_assert!((0.0..=1.0).contains(&p));
    }

    #[test]
    fn samples_swapped_are_as_far_apart_and_a_sample_is_not_apart_from_itself(one in sample(), two in sample()) {
        let (a, b) = (Sorted::of(&one), Sorted::of(&two));
        let (ks, back) = (kolmogorov_smirnov(&a, &b).unwrap(), kolmogorov_smirnov(&b, &a).unwrap());
        prop_assert!(near(ks.statistic, back.statistic) && near(ks.p_value, back.p_value));
        prop_assert!((0.0..=1.0).contains(&ks.p_value));
        prop_assert!(near(wasserstein(&a, &b).unwrap(), wasserstein(&b, &a).unwrap()));
        prop_assert_eq!(wasserstein(&a, &a), Some(0.0));
        prop_assert_eq!(kolmogorov_smirnov(&a, &a).unwrap().p_value, 1.0);
    }

    #[test]
    fn a_sample_moved_by_a_step_is_that_step_away(one in sample(), step in -20i32..20) {
        let step = f64::from(step) / 4.0;
        let moved: Vec<f64> = one.iter().map(|x| x + step).collect();
        let (a, b) = (Sorted::of(&one), Sorted::of(&moved));
        prop_assert!(near(wasserstein(&a, &b).unwrap(), step.abs()));
    }

    #[test]
    fn distinct_values_keep_every_row(one in sample(), two in sample()) {
        let (a, b) = (Sorted::of(&one), Sorted::of(&two));
        let found = distinct(&a, &b, 1_000).unwrap();
        prop_assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let total = found.iter().fold([0, 0], |sum, (_, rows)| [sum[0] + rows[0], sum[1] + rows[1]]);
        prop_assert_eq!(total, [a.rows(), b.rows()]);
        prop_assert!(distinct(&a, &b, found.len() - 1).is_none());
    }

    #[test]
    fn chance_has_no_direction_and_explains_equal_shares((one, two) in counts()) {
        let p = p_value_of_counts(&one, &two).unwrap();
        prop_assert!((0.0..=1.0).contains(&p));
        prop_assert!(near(p, p_value_of_counts(&two, &one).unwrap()));
        let many: Vec<u64> = one.iter().map(|n| n * 3).collect();
        prop_assert_eq!(p_value_of_counts(&one, &many), Some(1.0));
    }

    #[test]
    fn the_exact_test_has_no_direction_and_agrees_with_the_normal_one_on_many_rows(
        share in 0.2f64..0.8, gap in -0.02f64..0.02,
    ) {
        let rows = [20_000u64, 20_000];
        let hits = [(share * 2e4) as u64, ((share + gap) * 2e4) as u64];
        let exact = two_shares(hits, rows);
        prop_assert!(near(exact, two_shares([hits[1], hits[0]], rows)));
        let normal = two_proportions(hits, rows).unwrap().p_value;
        prop_assert!((exact - normal).abs() < 0.02 + 0.05 * normal, "{exact} {normal}");
    }
}

#[test]
fn what_has_no_rows_has_no_statistic() {
    let (empty, some) = ([0u64, 0], [3u64, 4]);
    assert_eq!(psi::psi(&empty, &some), None);
    assert_eq!(psi::psi(&some, &empty), None);
    assert_eq!(p_value_of_counts(&some, &empty), None);
    assert_eq!(chi_square(&empty, &some), None);
    assert_eq!(jensen_shannon(&some, &empty), None);
    assert_eq!(cramers_v(&empty, &empty), None);
    assert_eq!(two_proportions([0, 0], [0, 5]), None);
    assert_eq!(two_shares([0, 0], [0, 5]), 1.0);
    let (none, one) = (Sorted::of(&[f64::NAN, f64::INFINITY]), Sorted::of(&[1.0]));
    assert_eq!(kolmogorov_smirnov(&none, &one), None);
    assert_eq!(wasserstein(&one, &none), None);
}

#[test]
fn zero_has_no_sign_and_numbers_too_large_to_measure_have_no_distance() {
    let (zeros, signed) = (Sorted::of(&[0.0, 0.0, 1.0]), Sorted::of(&[-0.0, 0.0, 1.0]));
    assert_eq!(distinct(&zeros, &signed, 5).unwrap().len(), 2);
    assert_eq!(wasserstein(&zeros, &signed), Some(0.0));
    let huge = Sorted::of(&[-f64::MAX, f64::MAX]);
    assert_eq!(wasserstein(&huge, &Sorted::of(&[f64::MAX, f64::MAX])), None);
    assert_eq!(huge.deviation(), None);
}
