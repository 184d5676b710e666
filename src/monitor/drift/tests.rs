//! What the two sets of rules say of drawn applications: nothing of unchanged ones, the name of what has moved, and
//! not a word on too few.

use crate::base::fact::Fact;
use crate::base::rng::Random;
use crate::monitor::drift::bank::{BankRules, FieldCounts};
use crate::monitor::drift::evidently::{EvidentlyRules, FieldSamples, LevelCounts, Samples};
use crate::monitor::drift::{DriftReport, FieldDrift, Method, bank, evidently};
use crate::monitor::limits;
use crate::monitor::verdict::Verdict;

/// Shares of the bins of one field; the last is missing.
const EVEN: [f64; 11] = [0.095, 0.095, 0.095, 0.095, 0.095, 0.095, 0.095, 0.095, 0.095, 0.095, 0.05];
const STEEP: [f64; 9] = [0.55, 0.2, 0.1, 0.06, 0.04, 0.03, 0.012, 0.004, 0.004];
const RARE: [f64; 4] = [0.98, 0.015, 0.005, 0.0];

fn draw(shares: &[f64], rows: u64, random: &mut Random) -> Vec<u64> {
    let mut counts = vec![0; shares.len()];
    for _ in 0..rows {
        let mut left = random.unit() * shares.iter().sum::<f64>();
        let at = shares.iter().position(|share| {
            left -= share;
            left < 0.0
        });
        counts[at.unwrap_or(0)] += 1;
    }
    counts
}

fn field(name: &str, reference: Vec<u64>, current: Vec<u64>) -> FieldCounts {
    let bins = (0..reference.len()).map(|bin| format!("bin {bin}")).collect();
    FieldCounts { field: name.into(), bins, reference, current, is_text: false }
}

/// Twelve fields of three shapes whose live rows are drawn from what the reference is drawn from.
fn unchanged(reference_rows: u64, current_rows: u64, random: &mut Random) -> Vec<FieldCounts> {
    let shapes: [&[f64]; 3] = [&EVEN, &STEEP, &RARE];
    (0..12)
        .map(|at| {
            let shape = shapes[at % 3];
            let reference = draw(shape, reference_rows, random);
            field(&format!("field {at}"), reference, draw(shape, current_rows, random))
        })
        .collect()
}

/// How many of 200 reports on unchanged applications say anything but stable.
fn bank_alarms(reference_rows: u64, current_rows: u64) -> usize {
    let mut random = Random::new(current_rows, "monitor.drift.test");
    (0..200)
        .filter(|_| {
            let fields = unchanged(reference_rows, current_rows, &mut random);
            let report = bank::compare(&fields, None, &BankRules::default()).unwrap();
            assert_eq!(report.judged, 12);
            report.verdict != Verdict::Stable
        })
        .count()
}

#[test]
fn of_200_resamples_of_one_distribution_at_most_one_in_a_hundred_alarms_the_bank() {
    assert_eq!(BankRules::default().alarm_rate, 0.01);
    for (reference_rows, current_rows) in [(2_000, 100), (2_000, 400), (400, 100), (100, 100)] {
        let alarms = bank_alarms(reference_rows, current_rows);
        assert!(alarms <= 2, "{alarms} of 200 with {current_rows} rows");
    }
}

#[test]
fn the_borders_alone_would_have_alarmed_the_bank_by_noise() {
    let mut random = Random::new(2, "monitor.drift.test");
    let fields = unchanged(2_000, 100, &mut random);
    let report = bank::compare(&fields, None, &BankRules::default()).unwrap();
    assert!(report.fields.iter().any(|field| field.statistic.unwrap() > bank::PSI_WATCH));
    assert_eq!((report.shifted, report.verdict), (0, Verdict::Stable));
}

#[test]
fn the_shifted_field_is_flagged_by_its_name_and_the_others_are_not() {
    let mut random = Random::new(3, "monitor.drift.test");
    let mut fields = unchanged(5_000, 500, &mut random);
    let mut moved = EVEN;
    (moved[0], moved[9], moved[10]) = (0.02, 0.25, 0.15);
    fields[3] = field("income", draw(&EVEN, 5_000, &mut random), draw(&moved, 500, &mut random));
    let report = bank::compare(&fields, None, &BankRules::default()).unwrap();
    let named = |verdict: Verdict| -> Vec<&str> {
        report.fields.iter().filter(|f| f.verdict == verdict).map(|f| f.field.as_str()).collect()
    };
    assert_eq!(named(Verdict::Shifted), ["income"]);
    assert_eq!(named(Verdict::Watch), [""; 0]);
    assert_eq!((report.shifted, report.judged, report.verdict), (1, 12, Verdict::Shifted));
    assert!((report.share_shifted - 1.0 / 12.0).abs() < 1e-15);
    let income = &report.fields[3];
    assert!(income.statistic > Some(0.25) && income.p_value < Some(1e-6));
    assert!((income.missing.current - 0.15).abs() < 0.05 && (income.missing.reference - 0.05).abs() < 0.01);
}

#[test]
fn the_score_is_judged_beside_the_fields_and_alarms_for_itself() {
    let mut random = Random::new(5, "monitor.drift.test");
    let fields = unchanged(5_000, 500, &mut random);
    let score = field("score", vec![500; 11], vec![20, 20, 20, 20, 50, 50, 50, 60, 60, 150, 0]);
    let report = bank::compare(&fields, Some(&score), &BankRules::default()).unwrap();
    assert_eq!((report.shifted, report.judged), (0, 12));
    assert_eq!(report.score.unwrap().verdict, Verdict::Shifted);
    assert_eq!(report.verdict, Verdict::Shifted);
}

#[test]
fn a_change_between_the_borders_is_watched() {
    // 0.15 on enough rows that chance reaches far less.
    let drifts = bank_one(field("age", vec![5_000, 5_000, 0], vec![3_100, 6_900, 0]));
    assert!((0.10..0.25).contains(&drifts.statistic.unwrap()));
    assert_eq!(drifts.verdict, Verdict::Watch);
}

fn bank_one(counts: FieldCounts) -> FieldDrift {
    bank::compare(&[counts], None, &BankRules::default()).unwrap().fields.remove(0)
}

#[test]
fn fewer_rows_than_asked_for_are_insufficient_however_far_they_are() {
    let short = bank_one(field("age", vec![5_000, 0, 0], vec![0, 99, 0]));
    assert_eq!((short.verdict, short.statistic, short.p_value), (Verdict::Insufficient, None, None));
    assert_eq!(bank_one(field("age", vec![5_000, 0, 0], vec![0, 100, 0])).verdict, Verdict::Shifted);
    assert_eq!(bank_one(field("age", vec![99, 0, 0], vec![0, 100, 0])).verdict, Verdict::Insufficient);
    let numbers: Vec<f64> = (0..99).map(f64::from).collect();
    let far: Vec<f64> = numbers.iter().map(|x| x + 1e6).collect();
    for (rows, verdict) in [(99, Verdict::Insufficient), (100, Verdict::Shifted)] {
        let current: Vec<f64> = far.iter().copied().chain([2e6]).take(rows).collect();
        let found = numbers_one(&numbers, &current);
        assert_eq!((found.verdict, found.p_value.is_some()), (verdict, rows == 100), "{rows}");
    }
}

fn numbers_one(reference: &[f64], current: &[f64]) -> FieldDrift {
    let field = FieldSamples { field: "x".into(), samples: Samples::Numbers { reference, current } };
    evidently::compare(&[field], None, &EvidentlyRules::default()).unwrap().fields.remove(0)
}

fn levels_one(reference: &LevelCounts, current: &LevelCounts) -> FieldDrift {
    let field = FieldSamples { field: "x".into(), samples: Samples::Levels { reference, current } };
    evidently::compare(&[field], None, &EvidentlyRules::default()).unwrap().fields.remove(0)
}

fn levels(counts: &[(&str, u64)], missing: u64) -> LevelCounts {
    LevelCounts {
        levels: counts.iter().map(|(level, rows)| ((*level).to_string(), *rows)).collect(),
        missing,
    }
}

#[test]
fn empty_bins_and_no_rows_at_all_give_no_figure() {
    for counts in [
        field("x", vec![0; 4], vec![0; 4]),
        field("x", vec![0], vec![0]),
        field("x", vec![900, 0], vec![0; 2]),
    ] {
        let found = bank_one(counts);
        assert_eq!((found.verdict, found.statistic), (Verdict::Insufficient, None));
        assert!(found.bins.iter().all(|bin| bin.current == 0.0));
    }
    assert_eq!(numbers_one(&[], &[]).verdict, Verdict::Insufficient);
    let nothing = LevelCounts::default();
    assert_eq!(levels_one(&nothing, &nothing).verdict, Verdict::Insufficient);
    let report = bank::compare(&[], None, &BankRules::default()).unwrap();
    assert_eq!((report.verdict, report.share_shifted), (Verdict::Insufficient, 0.0));
}

#[test]
fn a_field_that_is_missing_everywhere_is_a_shift_to_the_bank_and_insufficient_to_the_other_rules() {
    let found = bank_one(field("x", vec![500, 500, 10], vec![0, 0, 200]));
    assert_eq!((found.verdict, found.missing.current), (Verdict::Shifted, 1.0));
    let numbers: Vec<f64> = (0..500).map(f64::from).collect();
    let found = numbers_one(&numbers, &[f64::NAN; 300]);
    assert_eq!((found.verdict, found.current_rows, found.missing.current), (Verdict::Insufficient, 0, 1.0));
    let found = levels_one(&levels(&[("a", 300), ("b", 200)], 0), &levels(&[], 300));
    assert_eq!((found.verdict, found.missing.current), (Verdict::Insufficient, 1.0));
}

#[test]
fn one_level_and_constants_are_stable_until_they_change() {
    assert_eq!(bank_one(field("x", vec![500], vec![200])).verdict, Verdict::Stable);
    assert_eq!(bank_one(field("x", vec![500, 0, 0], vec![200, 0, 0])).statistic, Some(0.0));
    for rows in [500, 2_000] {
        let constant = vec![4.0; rows];
        assert_eq!(numbers_one(&constant, &[4.0; 200]).verdict, Verdict::Stable, "{rows}");
        assert_eq!(numbers_one(&constant, &[5.0; 200]).verdict, Verdict::Shifted, "{rows}");
        let one = levels(&[("a", rows as u64)], 0);
        assert_eq!(levels_one(&one, &levels(&[("a", 200)], 0)).verdict, Verdict::Stable, "{rows}");
        assert_eq!(levels_one(&one, &levels(&[("b", 200)], 0)).verdict, Verdict::Shifted, "{rows}");
    }
}

#[test]
fn one_row_and_numbers_beyond_measure_do_not_end_the_program() {
    assert_eq!(numbers_one(&[1.0], &[2.0]).verdict, Verdict::Insufficient);
    assert_eq!(numbers_one(&[1.0], &[2.0; 100]).method, Method::ZTest);
    let wild: Vec<f64> =
        (0..1_500).map(|i| if i % 2 == 0 { f64::MAX } else { -f64::MAX / f64::from(i) }).collect();
    let found = numbers_one(&wild, &wild);
    assert_eq!((found.verdict, found.statistic), (Verdict::Insufficient, None));
    let mut mixed: Vec<f64> = (0..400).map(|i| f64::from(i % 37)).collect();
    mixed.extend([f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    let found = numbers_one(&mixed, &mixed);
    assert_eq!((found.verdict, found.reference_rows, found.current_rows), (Verdict::Stable, 400, 400));
    assert!((found.missing.current - 3.0 / 403.0).abs() < 1e-15);
}

#[test]
fn a_new_level_is_drift_of_a_small_reference_and_counted_as_unseen() {
    let found = levels_one(
        &levels(&[("a", 300), ("b", 200), ("c", 90)], 10),
        &levels(&[("a", 90), ("b", 60), ("c", 30), ("d", 3)], 17),
    );
    assert_eq!(
        (found.method, found.verdict, found.p_value),
        (Method::ChiSquare, Verdict::Shifted, Some(0.0))
    );
    assert_eq!(found.statistic, None);
    assert_eq!(found.unseen.unwrap().current, 3.0 / 200.0);
    assert_eq!(found.effect_name.as_deref(), Some("cramers_v"));
    assert!(found.effect < Some(0.15));
}

/// Ten columns: numbers of three shapes and levels; what is drawn now is drawn from the same.
fn same_samples(reference_rows: usize, current_rows: usize, random: &mut Random) -> DriftReport {
    let shape = |at: usize, random: &mut Random| match at % 3 {
        0 => random.normal(),
        1 => random.normal().exp(),
        _ => (random.unit() * 40.0).floor(),
    };
    let mut numbers = |at: usize, rows: usize| -> Vec<f64> { (0..rows).map(|_| shape(at, random)).collect() };
    let drawn: Vec<[Vec<f64>; 2]> =
        (0..7).map(|at| [numbers(at, reference_rows), numbers(at, current_rows)]).collect();
    let mut texts = |rows: usize| {
        let counts = draw(&STEEP, rows as u64, random);
        let named = counts.iter().enumerate().filter(|(_, rows)| **rows > 0);
        LevelCounts { levels: named.map(|(at, rows)| (format!("level {at}"), *rows)).collect(), missing: 0 }
    };
    let levels: Vec<[LevelCounts; 2]> =
        (0..3).map(|_| [texts(reference_rows), texts(current_rows)]).collect();
    let numbers = drawn.iter().map(|[reference, current]| Samples::Numbers { reference, current });
    let levels = levels.iter().map(|[reference, current]| Samples::Levels { reference, current });
    let fields: Vec<FieldSamples<'_>> = numbers
        .chain(levels)
        .enumerate()
        .map(|(at, samples)| FieldSamples { field: format!("column {at}"), samples })
        .collect();
    evidently::compare(&fields, None, &EvidentlyRules::default()).unwrap()
}

#[test]
fn of_200_resamples_of_one_distribution_at_most_one_in_a_hundred_is_drift_of_the_data_set() {
    for (reference_rows, current_rows) in [(600, 100), (1_500, 100), (1_500, 400)] {
        let mut random = Random::new(9, "monitor.drift.test");
        let reports: Vec<DriftReport> =
            (0..200).map(|_| same_samples(reference_rows, current_rows, &mut random)).collect();
        let alarms = reports.iter().filter(|report| report.verdict == Verdict::Shifted).count();
        assert!(alarms <= 2, "{alarms} of 200 with {reference_rows} rows of the reference");
        let fields: u64 = reports.iter().map(|report| report.shifted).sum();
        let judged: u64 = reports.iter().map(|report| report.judged).sum();
        // Of single columns these rules call more than their 0.05 drift, for they take the reference for the truth.
        assert!(fields * 10 <= judged, "{fields} of {judged} fields with {reference_rows}");
    }
}

#[test]
fn half_of_the_columns_make_drift_of_the_data_set_and_one_makes_a_watch() {
    let base: Vec<f64> = (0..400).map(|i| f64::from(i % 97)).collect();
    let moved: Vec<f64> = base.iter().map(|x| x + 40.0).collect();
    let report = |moved_columns: usize| {
        let fields: Vec<FieldSamples<'_>> = (0..4)
            .map(|at| {
                let current = if at < moved_columns { &moved } else { &base };
                let samples = Samples::Numbers { reference: &base, current };
                FieldSamples { field: format!("column {at}"), samples }
            })
            .collect();
        evidently::compare(&fields, None, &EvidentlyRules::default()).unwrap()
    };
    let verdicts = [0, 1, 2].map(|moved| (report(moved).shifted, report(moved).verdict));
    assert_eq!(verdicts, [(0, Verdict::Stable), (1, Verdict::Watch), (2, Verdict::Shifted)]);
}

#[test]
fn a_distance_that_so_few_rows_give_by_chance_is_not_called_drift() {
    let mut random = Random::new(2, "monitor.drift.test");
    let reference: Vec<f64> = (0..2_000).map(|_| random.normal()).collect();
    let drawn = |rows: usize, shift: f64, random: &mut Random| -> Vec<f64> {
        (0..rows).map(|_| random.normal() + shift).collect()
    };
    let near = numbers_one(&reference, &drawn(100, 0.15, &mut random));
    assert_eq!(
        (near.method, near.verdict, near.statistic),
        (Method::Wasserstein, Verdict::Insufficient, None)
    );
    assert_eq!(numbers_one(&reference, &drawn(100, 1.0, &mut random)).verdict, Verdict::Shifted);
    assert_eq!(numbers_one(&reference, &drawn(5_000, 0.15, &mut random)).verdict, Verdict::Shifted);
}

#[test]
fn counts_that_do_not_fit_and_rules_out_of_range_are_refused_by_name() {
    let code =
        |counts: FieldCounts| bank::compare(&[counts], None, &BankRules::default()).unwrap_err().code();
    assert_eq!(code(field("x", vec![1, 2], vec![1])), "monitor.uneven_bins");
    assert_eq!(code(field("x", vec![], vec![])), "monitor.too_few_bins");
    assert_eq!(code(FieldCounts { is_text: true, ..field("x", vec![1], vec![1]) }), "monitor.too_few_bins");
    let many = vec![1; limits::DRIFT_BINS_MAX + 1];
    assert_eq!(code(field("x", many.clone(), many)), "monitor.too_many_bins");
    let fields = vec![field("x", vec![1], vec![1]); limits::DRIFT_FIELDS_MAX + 1];
    let error = bank::compare(&fields, None, &BankRules::default()).unwrap_err();
    assert_eq!(error.code(), "monitor.too_many_fields");
    for alarm_rate in [0.0, 1.0, f64::NAN] {
        let error = bank::compare(&[], None, &BankRules { alarm_rate, ..BankRules::default() }).unwrap_err();
        assert_eq!(error.code(), "monitor.rule");
        assert!(error.to_string().contains("alarm_rate") && error.next_step().is_some());
    }
}

#[test]
fn a_report_is_kept_as_it_was_written_and_shows_few_bins_of_many() {
    let mut counts = field("branch", (1..=200).collect(), (1..=200).rev().collect());
    counts.is_text = true;
    let report = bank::compare(&[counts], None, &BankRules::default()).unwrap();
    let bins = &report.fields[0].bins;
    assert_eq!(bins.len(), limits::DRIFT_BINS_SHOWN_MAX);
    assert_eq!(bins.last().unwrap().bin, "169 rarer");
    let total = |of: fn(&crate::monitor::drift::BinShare) -> f64| bins.iter().map(of).sum::<f64>();
    assert!((total(|b| b.reference) - 1.0).abs() < 1e-12 && (total(|b| b.current) - 1.0).abs() < 1e-12);
    assert_eq!(report.fields[0].unseen.unwrap().reference, 199.0 / 20_100.0);
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.contains("\"rules\":\"bank\"") && text.contains("\"method\":\"psi\""));
    assert_eq!(serde_json::from_str::<DriftReport>(&text).unwrap(), report);
    assert!(serde_json::from_str::<DriftReport>(&text.replace("\"judged\"", "\"judges\"")).is_err());
}

#[test]
fn numbers_are_shown_by_tenths_of_the_reference() {
    let reference: Vec<f64> = (1..=1_000).map(f64::from).collect();
    let current: Vec<f64> = (501..=1_500).map(f64::from).collect();
    let bins = numbers_one(&reference, &current).bins;
    assert_eq!((bins.len(), bins[0].bin.as_str(), bins[9].bin.as_str()), (10, "1 to 100", "900 to 1000"));
    assert!(bins.iter().all(|bin| (bin.reference - 0.1).abs() < 1e-12));
    assert_eq!((bins[0].current, bins[9].current), (0.0, 0.6));
}
