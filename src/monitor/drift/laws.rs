//! Laws of the two sets of rules, whatever the counts: what is not judged tells no figure, and what is keeps in range.

use proptest::prelude::{Strategy, prop_assert, prop_assert_eq, proptest};

use crate::monitor::drift::bank::{self, BankRules, FieldCounts};
use crate::monitor::drift::evidently::{self, EvidentlyRules, FieldSamples, Samples};
use crate::monitor::drift::{DriftReport, Method};
use crate::monitor::verdict::Verdict;

fn counts() -> impl Strategy<Value = FieldCounts> {
    (2usize..40, proptest::bool::ANY).prop_flat_map(|(bins, is_text)| {
        let side = || proptest::collection::vec(proptest::prop_oneof![0u64..3, 0u64..500], bins);
        (side(), side()).prop_map(move |(reference, current)| {
            let bins = (0..bins).map(|bin| bin.to_string()).collect();
            FieldCounts { field: "f".into(), bins, reference, current, is_text }
        })
    })
}

fn number() -> impl Strategy<Value = f64> {
    proptest::prop_oneof![
        4 => -100f64..100.0,
        2 => (0i32..9).prop_map(f64::from),
        1 => proptest::num::f64::ANY,
    ]
}

fn check(report: &DriftReport) -> Result<(), proptest::test_runner::TestCaseError> {
    for field in report.fields.iter().chain(&report.score) {
        let judged = field.verdict.is_judged();
        prop_assert!(
            judged || (field.statistic.is_none() && field.p_value.is_none() && field.effect.is_none())
        );
        prop_assert!(!judged || field.statistic.is_some() || field.p_value == Some(0.0));
        prop_assert_eq!(field.p_value.is_some(), field.effect.is_some());
        prop_assert_eq!(field.effect.is_some(), field.effect_name.is_some());
        prop_assert!(field.p_value.is_none_or(|p| (0.0..=1.0).contains(&p)));
        prop_assert!(field.bins.iter().all(|bin| bin.reference >= 0.0 && bin.current <= 1.0 + 1e-12));
        let sum: f64 = field.bins.iter().map(|bin| bin.current).sum();
        prop_assert!(sum == 0.0 || (sum - 1.0).abs() < 1e-9);
    }
    prop_assert!(report.shifted <= report.judged && report.judged <= report.fields.len() as u64);
    let text = serde_json::to_string(report).unwrap();
    prop_assert_eq!(&serde_json::from_str::<DriftReport>(&text).unwrap(), report);
    Ok(())
}

proptest! {
    #[test]
    fn the_bank_tells_figures_only_of_what_it_judges(one in counts(), two in counts()) {
        let rules = BankRules::default();
        let report = bank::compare(&[one.clone(), two], Some(&one), &rules).unwrap();
        check(&report)?;
        // Two fields and the score share what may be wrong.
        let chance = rules.alarm_rate / 3.0;
        for field in &report.fields {
            prop_assert_eq!(field.method, Method::Psi);
            let beyond = |border: f64| field.statistic.is_some_and(|psi| psi >= border) && field.p_value.is_some_and(|p| p < chance);
            prop_assert_eq!(beyond(bank::PSI_WATCH), field.verdict > Verdict::Stable);
            prop_assert_eq!(beyond(bank::PSI_SHIFTED), field.verdict == Verdict::Shifted);
        }
    }

    #[test]
    fn any_numbers_whatever_are_judged_or_are_not(
        reference in proptest::collection::vec(number(), 0..1_200),
        current in proptest::collection::vec(number(), 0..300),
    ) {
        let samples = Samples::Numbers { reference: &reference, current: &current };
        let field = FieldSamples { field: "f".into(), samples };
        check(&evidently::compare(&[field], None, &EvidentlyRules::default()).unwrap())?;
    }
}
