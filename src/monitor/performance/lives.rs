//! The release in force by its own outcomes: what counts, what is too little, and how often a release that holds is called
//! worse over its whole life.

use std::collections::BTreeMap;

use crate::base::rng::Random;
use crate::monitor::performance::release::{Own, ReleasePerformance, TestPart, measure_release};
use crate::monitor::performance::settings::{PerformanceSettings, RawPerformance};
use crate::monitor::performance::{Figure, Known};
use crate::monitor::trend::names;
use crate::monitor::verdict::Verdict;

const DAY_MS: i64 = 86_400_000;
/// 2026-01-01.
const FIRST: u64 = 20_454;

fn settings() -> PerformanceSettings {
    let raw = RawPerformance { maturity_days: Some(30), min_known: Some(100), ..RawPerformance::default() };
    raw.check().unwrap()
}

/// Cases whose outcome comes as often as was foretold; where it `learned` the opposite, as often as it did not.
fn drawn(random: &mut Random, rows: usize, day: u64, learned: f64) -> Vec<Known> {
    let one = |row: usize| {
        let log_odds = -1.0 + 1.3 * random.normal();
        let chance = |log_odds: f64| 1.0 / (1.0 + (-log_odds).exp());
        let bad = random.unit() < chance(-1.0 + learned * (log_odds + 1.0));
        let decided_ms = (FIRST + day) as i64 * DAY_MS + row as i64;
        let (probability, outcome) = (chance(log_odds), "approve".to_string());
        Known { decided_ms, probability, bad, outcome, groups: BTreeMap::new() }
    };
    (0..rows).map(one).collect()
}

/// Each day decides as many as are known of it.
fn decided(known: &[Known]) -> BTreeMap<u64, u64> {
    let mut decided = BTreeMap::new();
    known.iter().for_each(|one| *decided.entry((one.decided_ms / DAY_MS) as u64).or_default() += 1);
    decided
}

/// The AUC of other rows of the same kind, as a test part has it.
fn test_part(random: &mut Random, rows: usize) -> TestPart {
    let known = drawn(random, rows, 0, 1.0);
    let own = Own { known: &known, decided: &decided(&known), now_ms: i64::MAX };
    let found = measure_release(&own, 0, &TestPart::default(), &settings()).unwrap();
    TestPart { figures: found.figures.into_iter().filter(|figure| figure.name == names::AUC).collect() }
}

fn measured(
    known: &[Known],
    decided: &BTreeMap<u64, u64>,
    today: u64,
    test: &TestPart,
) -> ReleasePerformance {
    let own = Own { known, decided, now_ms: (FIRST + today) as i64 * DAY_MS };
    measure_release(&own, 0, test, &settings()).unwrap()
}

fn figure<'a>(found: &'a ReleasePerformance, name: &str) -> &'a Figure {
    found.figures.iter().chain(&found.judged).find(|figure| figure.name == name).unwrap()
}

#[test]
fn only_days_that_have_matured_count_and_below_the_least_number_nothing_is_said() {
    let mut random = Random::new(1, "monitor.release.test");
    let test = test_part(&mut random, 1_000);
    let known: Vec<Known> = (0..10).flat_map(|day| drawn(&mut random, 24, day, 1.0)).collect();
    // Twice as many were decided as are known: outcomes are still coming, so each day waits its thirty days.
    let twice: BTreeMap<u64, u64> = decided(&known).into_iter().map(|(day, rows)| (day, 2 * rows)).collect();
    let of = |today: u64| {
        let found = measured(&known, &twice, today, &test);
        (found.matured, found.known, found.decided, found.verdict)
    };
    assert_eq!(of(20), (0, 240, 480, Verdict::Insufficient));
    assert_eq!(of(30), (0, 240, 480, Verdict::Insufficient), "the first day is over on the day after it");
    assert_eq!(of(34), (96, 240, 480, Verdict::Insufficient));
    assert_eq!(of(35), (120, 240, 480, Verdict::Stable));
    assert_eq!(of(60), (240, 240, 480, Verdict::Stable));
    // Where nearly all is known of a day there is nothing to wait for, but for its end.
    let all = decided(&known);
    assert_eq!(measured(&known, &all, 10, &test).matured, 240);
    assert_eq!(measured(&known, &all, 9, &test).matured, 216);
    let nothing = measured(&known, &twice, 20, &test);
    assert!(nothing.figures.iter().chain(&nothing.judged).all(|one| one.value.is_none()), "{nothing:?}");
    assert_eq!((nothing.needed, nothing.reference.len()), (100, 1));
}

#[test]
fn what_it_is_judged_by_is_what_a_hand_reckons() {
    let mut random = Random::new(2, "monitor.release.test");
    let test = test_part(&mut random, 800);
    let known = drawn(&mut random, 400, 0, 1.0);
    let found = measured(&known, &decided(&known), 40, &test);
    let (auc, then) = (figure(&found, names::AUC), &test.figures[0]);
    let drop = figure(&found, names::AUC_DROP);
    assert!((drop.value.unwrap() - (then.value.unwrap() - auc.value.unwrap())).abs() < 1e-12);
    // By log-odds: from the 95% ends to 3.29 standard errors.
    let odds = |share: f64| (share / (1.0 - share)).ln();
    let wide = |figure: &Figure, end: f64| {
        let middle = odds(figure.value.unwrap());
        1.0 / (1.0 + (-(middle + (odds(end) - middle) * 3.290_526_731_491_9 / 1.959_963_984_540_054)).exp())
    };
    let down = then.value.unwrap() - wide(then, then.low.unwrap());
    let up = wide(auc, auc.high.unwrap()) - auc.value.unwrap();
    let low = drop.value.unwrap() - (down * down + up * up).sqrt();
    assert!((drop.low.unwrap() - low).abs() < 1e-12, "{drop:?} {low}");
    let ratio = figure(&found, names::OBSERVED_OVER_EXPECTED);
    let came = known.iter().filter(|one| one.bad).count() as f64;
    let foretold: f64 = known.iter().map(|one| one.probability).sum();
    assert!((ratio.value.unwrap() - came / foretold).abs() < 1e-12, "{ratio:?}");
    assert!(ratio.low < Some(1.0) && ratio.high > Some(1.0) && ratio.n == 400);
}

#[test]
fn a_release_that_learned_the_opposite_is_found_out_by_its_first_hundred_outcomes() {
    let mut random = Random::new(3, "monitor.release.test");
    for _ in 0..20 {
        // A tenth of a small file tested it.
        let test = test_part(&mut random, 120);
        let known: Vec<Known> = (0..5).flat_map(|day| drawn(&mut random, 24, day, -1.0)).collect();
        let found = measured(&known, &decided(&known), 5, &test);
        assert_eq!(found.verdict, Verdict::Shifted);
        assert!(figure(&found, names::AUC_DROP).low > Some(0.05), "{:?}", figure(&found, names::AUC_DROP));
    }
}

#[test]
fn one_score_for_everybody_is_as_bad_as_it_is_and_needs_no_interval() {
    let mut random = Random::new(4, "monitor.release.test");
    let test = test_part(&mut random, 2_000);
    let mut known = drawn(&mut random, 300, 0, 1.0);
    known.iter_mut().for_each(|one| one.probability = 0.3);
    let found = measured(&known, &decided(&known), 1, &test);
    assert_eq!(figure(&found, names::AUC).value, Some(0.5));
    assert!(figure(&found, names::AUC_DROP).low > Some(0.15), "{:?}", figure(&found, names::AUC_DROP));
}

#[test]
fn going_back_helps_unless_the_one_before_is_as_surely_worse() {
    let mut random = Random::new(5, "monitor.release.test");
    let test = test_part(&mut random, 400);
    let of = |random: &mut Random, learned: f64| {
        let known = drawn(random, 300, 0, learned);
        measured(&known, &decided(&known), 1, &test)
    };
    let (good, bad) = (of(&mut random, 1.0), of(&mut random, -1.0));
    let with = |before: Option<&ReleasePerformance>| ReleasePerformance {
        before: before.map(|one| one.as_before(6)),
        ..bad.clone()
    };
    assert!(with(None).is_helped_by_going_back() && with(Some(&good)).is_helped_by_going_back());
    assert!(!with(Some(&bad)).is_helped_by_going_back());
    assert_eq!(with(Some(&good)).before.unwrap().auc, *figure(&good, names::AUC));
}

/// The life of a release that holds: looked at every day as its outcomes come, and whether it was ever called worse.
fn life(random: &mut Random, (per_day, days, test_rows): (usize, u64, usize)) -> [bool; 3] {
    let test = test_part(random, test_rows);
    let mut known = Vec::new();
    let mut called = [false; 3];
    for day in 0..days {
        known.extend(drawn(random, per_day, day, 1.0));
        let found = measured(&known, &decided(&known), day + 1, &test);
        let drop = figure(&found, names::AUC_DROP);
        let Some((value, low)) = drop.value.zip(drop.low) else { continue };
        let plain = value - (value - low) * 1.96 / 3.290_5;
        let said = [low > 0.05, found.verdict == Verdict::Shifted, plain > 0.0];
        called.iter_mut().zip(said).for_each(|(called, said)| *called |= said);
    }
    called
}

#[test]
fn of_200_releases_that_hold_at_most_one_is_ever_called_worse_in_sixty_daily_looks() {
    let mut random = Random::new(6, "monitor.release.test");
    let mut called = [0; 3];
    for at in 0..200 {
        let test_rows = if at % 2 == 0 { 120 } else { 1_200 };
        let found = life(&mut random, (20, 60, test_rows));
        called.iter_mut().zip(found).for_each(|(sum, one)| *sum += usize::from(one));
    }
    let [rule, verdict, plain] = called;
    // The usual interval, looked at sixty times, would have called many of them worse: that is what the wide one is for.
    assert!(rule <= 1 && verdict <= 2, "{called:?}");
    assert!(plain >= 8, "{called:?}");
}
