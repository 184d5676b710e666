//! The rates and differences of Fairlearn on drawn cases, what small groups and chance do to a verdict, and laws;
//! `tests/oracles/fairness.py` makes and checks the fixture.

use std::collections::BTreeMap;

use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};
use serde::Deserialize;

use crate::base::fact::Fact;
use crate::monitor::fairness::settings::{FairnessSettings, RawFairness};
use crate::monitor::fairness::{Decided, Fairness, limits, measure};
use crate::monitor::performance::{Figure, Known};
use crate::monitor::verdict::Verdict;

#[derive(Deserialize)]
struct Oracle {
    cases: Vec<OracleCase>,
}

#[derive(Deserialize)]
struct OracleCase {
    name: String,
    group: Vec<String>,
    good: Vec<u8>,
    selected: Vec<u8>,
    rates: BTreeMap<String, BTreeMap<String, f64>>,
    differences: BTreeMap<String, f64>,
}

fn settings() -> FairnessSettings {
    FairnessSettings::default()
}

fn case(group: &str, selected: bool, bad: Option<bool>) -> Decided<'_> {
    Decided { group, outcome: if selected { "approve" } else { "decline" }, bad }
}

fn fairness(decided: &[Decided<'_>], settings: &FairnessSettings) -> Fairness {
    measure("sex", decided, |outcome| outcome == "approve", settings).unwrap()
}

fn find<'a>(figures: &'a [Figure], name: &str) -> &'a Figure {
    figures.iter().find(|figure| figure.name == name).unwrap()
}

fn hold(figures: &[Figure], wanted: &BTreeMap<String, f64>, of: &str) {
    assert_eq!(figures.len(), wanted.len(), "{of}");
    for figure in figures {
        let value = figure.value.unwrap();
        assert!((value - wanted[&figure.name]).abs() < 1e-9, "{of} {}: {value}", figure.name);
    }
}

/// `of` decisions about a group, the first `selected` of them favourable.
fn group(name: &str, selected: usize, of: usize) -> Vec<Decided<'_>> {
    (0..of).map(|row| case(name, row < selected, None)).collect()
}

#[test]
fn rates_and_differences_are_those_of_fairlearn() {
    let oracle: Oracle =
        serde_json::from_str(include_str!("../../../fixtures/oracles/fairness.json")).unwrap();
    let least = RawFairness { min_class: Some(1), ..RawFairness::default() }.check().unwrap();
    for OracleCase { name, group, good, selected, rates, differences } in &oracle.cases {
        let rows = group.iter().zip(good).zip(selected);
        let decided: Vec<Decided<'_>> =
            rows.map(|((group, good), selected)| case(group, *selected == 1, Some(*good == 0))).collect();
        let found = fairness(&decided, &least);
        assert_eq!(found.groups.len(), rates.len(), "{name}");
        found.groups.iter().for_each(|of| hold(&of.figures, &rates[&of.group], name));
        hold(&found.differences, differences, name);
    }
}

#[test]
fn a_small_group_is_named_and_left_out_of_every_difference() {
    let decided = [group("a", 60, 100), group("b", 58, 100), group("c", 0, 49)].concat();
    let found = fairness(&decided, &settings());
    assert_eq!((found.too_small, found.verdict), (vec!["c".to_string()], Verdict::Stable));
    assert!((found.differences[0].value.unwrap() - 0.02).abs() < 1e-12);
    assert_eq!((found.differences[0].n, found.groups[2].n), (200, 49));
    let rate = find(&found.groups[2].figures, "selection_rate");
    assert_eq!((rate.value, rate.n), (None, 49));
}

#[test]
fn one_group_alone_is_compared_with_nothing() {
    for decided in [vec![], group("a", 60, 100), [group("a", 60, 100), group("b", 0, 20)].concat()] {
        let found = fairness(&decided, &settings());
        assert_eq!(found.verdict, Verdict::Insufficient);
        assert!(found.differences.iter().all(|figure| (figure.value, figure.n) == (None, 0)));
        assert_eq!(found.differences.len(), 5);
    }
}

#[test]
fn four_fifths_is_broken_only_where_chance_does_not_explain_it() {
    let verdict = |a: usize, b: usize, of: usize| {
        fairness(&[group("a", a, of), group("b", b, of)].concat(), &settings()).verdict
    };
    // A ratio of three quarters: of 60 each it may be chance, of 600 each not.
    assert_eq!(verdict(32, 24, 60), Verdict::Stable);
    assert_eq!(verdict(320, 240, 600), Verdict::Shifted);
    // Four fifths to the letter is within the rule, and so near to it that it is watched.
    assert_eq!(verdict(300, 240, 600), Verdict::Watch);
    assert_eq!(verdict(0, 0, 600), Verdict::Stable);
    assert_eq!(verdict(300, 0, 600), Verdict::Shifted);
}

#[test]
fn the_furthest_of_many_pairs_needs_a_wider_gap_than_a_single_one() {
    let pair = [group("a", 120, 200), group("b", 98, 200)].concat();
    let many = [pair.clone(), group("c", 108, 200), group("d", 109, 200), group("e", 110, 200)].concat();
    let (two, five) = (fairness(&pair, &settings()), fairness(&many, &settings()));
    let (one, other) = (&two.differences[0], &five.differences[0]);
    assert_eq!(one.value, other.value);
    assert!(one.low.unwrap() > 0.0 && other.low.unwrap() < 0.0, "{one:?} {other:?}");
}

#[test]
fn outcomes_known_of_the_approved_alone_give_no_rates_by_outcome() {
    let approved = |group, bad| case(group, true, Some(bad));
    let mut decided = [group("a", 0, 80), group("b", 0, 80)].concat();
    for row in 0..80 {
        decided.extend([approved("a", row % 4 == 0), approved("b", row % 5 == 0)]);
    }
    let found = fairness(&decided, &settings());
    let figures = &found.groups[0].figures;
    for name in ["tpr", "fpr", "tnr", "fnr", "accuracy"] {
        assert_eq!(find(figures, name).value, None, "{name}");
    }
    let rates = (find(figures, "selection_rate").value, find(figures, "base_rate").value);
    assert_eq!(rates, (Some(0.5), Some(0.75)));
    assert_eq!(find(&found.differences, "equalized_odds_difference").value, None);
    assert_eq!(found.verdict, Verdict::Stable);
    // One declined case that is known, and there are two sides.
    decided.extend([case("a", false, Some(false))]);
    assert!(find(&fairness(&decided, &settings()).differences, "equalized_odds_difference").value.is_some());
}

#[test]
fn rates_by_outcome_that_lie_apart_have_shifted_though_selection_is_alike() {
    let mut decided = Vec::new();
    for (name, good, bad) in [("a", 180, 20), ("b", 140, 60)] {
        decided.extend((0..200).map(|row| case(name, row < good, Some(false))));
        decided.extend((0..200).map(|row| case(name, row < bad, Some(true))));
    }
    let found = fairness(&decided, &settings());
    assert_eq!(find(&found.differences, "demographic_parity_difference").value, Some(0.0));
    assert!((find(&found.differences, "equal_opportunity_difference").value.unwrap() - 0.2).abs() < 1e-12);
    assert_eq!(found.verdict, Verdict::Shifted);
}

#[test]
fn a_case_whose_attribute_is_unknown_is_in_no_group() {
    let groups = BTreeMap::from([("sex".to_string(), "f".to_string())]);
    let known = Known { decided_ms: 0, probability: 0.1, bad: true, outcome: "approve".into(), groups };
    assert_eq!(Decided::of_known(&known, "sex"), Some(case("f", true, Some(true))));
    assert_eq!(Decided::of_known(&known, "age"), None);
}

#[test]
fn an_attribute_with_too_many_values_is_refused() {
    let names: Vec<String> = (0..=limits::GROUPS_MAX).map(|i| i.to_string()).collect();
    let decided: Vec<Decided<'_>> = names.iter().map(|name| case(name, true, None)).collect();
    let refused = measure("postcode", &decided, |_| true, &settings()).unwrap_err();
    assert_eq!(refused.code(), "monitor.fairness_groups");
    assert!(refused.to_string().contains("postcode"));
    assert!(measure("postcode", &decided[1..], |_| true, &settings()).is_ok());
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn drawn() -> impl Strategy<Value = Vec<(usize, bool, Option<bool>)>> {
    let one = (0..NAMES.len(), proptest::bool::ANY, proptest::option::of(proptest::bool::weighted(0.3)));
    proptest::collection::vec(one, 0..300)
}

fn cases(drawn: &[(usize, bool, Option<bool>)]) -> Vec<Decided<'static>> {
    drawn.iter().map(|(group, selected, bad)| case(NAMES[*group], *selected, *bad)).collect()
}

fn lenient() -> FairnessSettings {
    let raw = RawFairness { min_group: Some(20), min_class: Some(5), ..RawFairness::default() };
    raw.check().unwrap()
}

proptest! {
    #[test]
    fn the_order_of_cases_moves_nothing_and_every_case_is_counted_once(drawn in drawn()) {
        let mut back = cases(&drawn);
        let found = fairness(&back, &lenient());
        back.reverse();
        prop_assert_eq!(&found, &fairness(&back, &lenient()));
        prop_assert_eq!(found.groups.iter().map(|g| g.n).sum::<u64>(), drawn.len() as u64);
    }

    #[test]
    fn a_rate_and_its_complement_are_one_and_lie_within_their_intervals(drawn in drawn()) {
        let found = fairness(&cases(&drawn), &lenient());
        for figures in found.groups.iter().map(|group| &group.figures) {
            for (one, other) in [("tpr", "fnr"), ("fpr", "tnr")] {
                let (one, other) = (find(figures, one), find(figures, other));
                prop_assert_eq!(one.value.is_some(), other.value.is_some());
                if let (Some(a), Some(b)) = (one.value, other.value) {
                    prop_assert!((a + b - 1.0).abs() < 1e-12);
                }
            }
            for figure in figures.iter().filter(|figure| figure.value.is_some()) {
                prop_assert!(figure.low <= figure.value && figure.value <= figure.high, "{:?}", figure);
                prop_assert!(figure.low >= Some(0.0) && figure.high <= Some(1.0));
            }
        }
    }

    #[test]
    fn differences_span_the_groups_and_ratios_never_exceed_one(drawn in drawn()) {
        let found = fairness(&cases(&drawn), &lenient());
        let rates: Vec<f64> = found
            .groups
            .iter()
            .filter(|group| !found.too_small.contains(&group.group))
            .filter_map(|group| find(&group.figures, "selection_rate").value)
            .collect();
        let span = rates.iter().copied().fold(f64::MIN, f64::max) - rates.iter().copied().fold(f64::MAX, f64::min);
        let parity = find(&found.differences, "demographic_parity_difference");
        match parity.value {
            Some(value) => prop_assert!((value - span).abs() < 1e-12 && parity.low <= parity.value),
            None => prop_assert!(rates.len() < 2),
        }
        for name in ["demographic_parity_ratio", "equalized_odds_ratio"] {
            let ratio = find(&found.differences, name);
            prop_assert!(ratio.value.is_none_or(|value| (0.0..=1.0).contains(&value)), "{:?}", ratio);
        }
        let value = |name: &str| find(&found.differences, name).value;
        let opportunity = value("equal_opportunity_difference");
        prop_assert!(value("equalized_odds_difference").is_none() || value("equalized_odds_difference") >= opportunity);
    }
}
