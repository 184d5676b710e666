//! Days with and without something wrong about their rows.

use crate::base::fact::Fact;
use crate::base::rng::Random;
use crate::monitor::drift::bank::FieldCounts;
use crate::monitor::quality::{DayCounts, DayQuality, QualityRules, assess};
use crate::monitor::verdict::Verdict;

/// Rows with a value, with a level that was never seen, and without a value.
fn text(name: &str, reference: [u64; 3], current: [u64; 3]) -> FieldCounts {
    let bins = ["known", "other", "missing"].map(String::from).to_vec();
    FieldCounts {
        field: name.into(),
        bins,
        reference: reference.to_vec(),
        current: current.to_vec(),
        is_text: true,
    }
}

fn numbers(name: &str, reference: [u64; 2], current: [u64; 2]) -> FieldCounts {
    let bins = ["known", "missing"].map(String::from).to_vec();
    FieldCounts {
        field: name.into(),
        bins,
        reference: reference.to_vec(),
        current: current.to_vec(),
        is_text: false,
    }
}

fn day(fields: &[FieldCounts]) -> DayQuality {
    let counts = DayCounts { rows: 40, degraded: 3, defaulted: 2, unseen: 1, fields };
    assess(&counts, &QualityRules::default()).unwrap()
}

fn verdict(field: FieldCounts) -> Verdict {
    day(&[field]).fields[0].verdict
}

#[test]
fn a_change_must_be_both_significant_and_relevant() {
    // Large but of four rows; certain but of one in a hundred; both.
    assert_eq!(verdict(numbers("x", [970, 30], [36, 4])), Verdict::Stable);
    assert_eq!(verdict(numbers("x", [99_000, 1_000], [98_000, 2_000])), Verdict::Stable);
    assert_eq!(verdict(numbers("x", [970, 30], [880, 120])), Verdict::Watch);
    assert_eq!(verdict(numbers("x", [970, 30], [20, 20])), Verdict::Shifted);
    // As well where a field that used to be missing no longer is.
    assert_eq!(verdict(numbers("x", [700, 300], [100, 0])), Verdict::Shifted);
}

#[test]
fn the_field_that_went_missing_is_named_and_the_rows_are_told() {
    let fields = [numbers("income", [990, 10], [10, 30]), text("job", [900, 50, 50], [36, 2, 2])];
    let day = day(&fields);
    assert_eq!((day.rows, day.degraded, day.defaulted, day.unseen), (40, 3, 2, 1));
    assert_eq!(day.fields.iter().map(|f| f.verdict).collect::<Vec<_>>(), [Verdict::Shifted, Verdict::Stable]);
    assert_eq!(day.verdict, Verdict::Shifted);
    assert_eq!((day.fields[0].missing.reference, day.fields[0].missing.current), (0.01, 0.75));
    assert_eq!(day.fields[0].unseen, None);
    assert_eq!(day.fields[1].unseen.unwrap().current, 0.05);
}

#[test]
fn unseen_levels_alarm_like_missing_values() {
    assert_eq!(verdict(text("job", [990, 10, 0], [60, 40, 0])), Verdict::Shifted);
}

#[test]
fn a_short_day_and_a_reference_without_rows_are_insufficient() {
    assert_eq!(verdict(numbers("x", [1_000, 0], [0, 29])), Verdict::Insufficient);
    assert_eq!(verdict(numbers("x", [1_000, 0], [0, 30])), Verdict::Shifted);
    assert_eq!(verdict(numbers("x", [0, 0], [0, 30])), Verdict::Insufficient);
    assert_eq!(day(&[]).verdict, Verdict::Insufficient);
}

#[test]
fn of_200_days_on_which_nothing_changed_at_most_one_in_a_hundred_alarms() {
    let mut random = Random::new(4, "monitor.quality.test");
    let mut hits = |rows: u64, rate: f64| (0..rows).filter(|_| random.unit() < rate).count() as u64;
    let mut alarms = 0;
    for _ in 0..200 {
        let fields: Vec<FieldCounts> = [0.0, 0.003, 0.02, 0.1, 0.3, 0.5]
            .into_iter()
            .map(|rate| {
                let (then, now) = (hits(3_000, rate), hits(40, rate));
                numbers("x", [3_000 - then, then], [40 - now, now])
            })
            .collect();
        let day = day(&fields);
        alarms += usize::from(day.verdict != Verdict::Stable);
    }
    assert!(alarms <= 2, "{alarms} of 200");
}

#[test]
fn rules_out_of_range_are_refused_by_name() {
    let counts = DayCounts { rows: 0, degraded: 0, defaulted: 0, unseen: 0, fields: &[] };
    for (rules, name) in [
        (QualityRules { alarm_rate: 0.0, ..QualityRules::default() }, "alarm_rate"),
        (QualityRules { watch: f64::NAN, ..QualityRules::default() }, "watch"),
        (QualityRules { shifted: 1.5, ..QualityRules::default() }, "shifted"),
    ] {
        let error = assess(&counts, &rules).unwrap_err();
        assert_eq!(error.code(), "monitor.rule");
        assert!(error.to_string().contains(name));
    }
}
