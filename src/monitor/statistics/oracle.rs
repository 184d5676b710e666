//! Every statistic against scipy's and Evidently's own; `tests/oracles/drift.py` makes and checks the fixture.

use serde::Deserialize;

use crate::monitor::drift::evidently::{EvidentlyRules, FieldSamples, LevelCounts, Samples, compare};
use crate::monitor::drift::{FieldDrift, Method};
use crate::monitor::statistics::chance::p_value_of_counts;
use crate::monitor::statistics::counts::{chi_square, cramers_v, jensen_shannon, two_proportions};
use crate::monitor::statistics::exact::two_shares;
use crate::monitor::statistics::kolmogorov::kolmogorov_smirnov;
use crate::monitor::statistics::psi::psi;
use crate::monitor::statistics::smirnov::tail;
use crate::monitor::statistics::sorted::{Sorted, wasserstein};
use crate::monitor::statistics::tails::{chi_square_tail, normal_two_sided};
use crate::monitor::verdict::Verdict;

#[derive(Deserialize)]
struct Oracle {
    numbers: Vec<Numbers>,
    counts: Vec<Counts>,
    tails: Tails,
}

/// Rows, factor, modulus, divisor, shift.
type Plan = [u64; 5];

#[derive(Deserialize)]
struct Numbers {
    name: String,
    reference: Plan,
    current: Plan,
    ks: f64,
    ks_p: f64,
    wasserstein: f64,
    deviation: f64,
    wasserstein_normed: f64,
    rule: Rule,
}

#[derive(Deserialize)]
struct Counts {
    name: String,
    reference: Vec<u64>,
    current: Vec<u64>,
    psi: f64,
    chance: f64,
    chi_square: Option<f64>,
    chi_square_p: f64,
    cramers_v: f64,
    jensen_shannon: f64,
    z_p: Option<f64>,
    rule: Rule,
}

#[derive(Deserialize)]
struct Rule {
    method: String,
    score: f64,
    drifted: bool,
}

#[derive(Deserialize)]
struct Tails {
    chi_square: Vec<(f64, usize, f64)>,
    normal_two_sided: Vec<(f64, f64)>,
    kolmogorov: Vec<(f64, f64, f64)>,
    two_shares: Vec<([u64; 2], [u64; 2], f64)>,
}

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("../../../fixtures/oracles/drift.json")).unwrap()
}

fn sample([rows, factor, modulus, divisor, shift]: Plan) -> Vec<f64> {
    (0..rows).map(|i| (i * factor % modulus + shift) as f64 / divisor as f64).collect()
}

/// To nine digits, of small chances too.
fn assert_near(what: &str, ours: f64, theirs: f64) {
    let allowed = 1e-9 * theirs.abs().max(1e-200);
    assert!(
        ours == theirs || (ours - theirs).abs() <= allowed,
        "{what}: ours {ours:e}, the oracle's {theirs:e}"
    );
}

#[test]
fn tails_are_those_of_scipy() {
    let tails = oracle().tails;
    assert!(tails.kolmogorov.len() > 90 && tails.chi_square.len() > 40);
    for (x, freedom, p) in tails.chi_square {
        assert_near(&format!("chi-square {freedom} at {x}"), chi_square_tail(x, freedom), p);
    }
    for (z, p) in tails.normal_two_sided {
        assert_near(&format!("normal at {z}"), normal_two_sided(z), p);
    }
    for (n, x, p) in tails.kolmogorov {
        assert_near(&format!("kolmogorov {n} at {x}"), tail(n, x), p);
    }
    for (hits, rows, p) in tails.two_shares {
        assert_near(&format!("{hits:?} of {rows:?}"), two_shares(hits, rows), p);
    }
}

#[test]
fn statistics_of_numbers_are_those_of_scipy() {
    for case in oracle().numbers {
        let [reference, current] = [case.reference, case.current].map(|plan| Sorted::of(&sample(plan)));
        let near =
            |what: &str, ours: f64, theirs: f64| assert_near(&format!("{}: {what}", case.name), ours, theirs);
        let ks = kolmogorov_smirnov(&reference, &current).unwrap();
        near("ks", ks.statistic, case.ks);
        near("p of ks", ks.p_value, case.ks_p);
        let area = wasserstein(&reference, &current).unwrap();
        near("wasserstein", area, case.wasserstein);
        near("deviation", reference.deviation().unwrap(), case.deviation);
        near("normed", area / reference.deviation().unwrap().max(0.001), case.wasserstein_normed);
    }
}

#[test]
fn statistics_of_counts_are_those_of_scipy() {
    for case in oracle().counts {
        let (reference, current) = (&case.reference[..], &case.current[..]);
        let near =
            |what: &str, ours: f64, theirs: f64| assert_near(&format!("{}: {what}", case.name), ours, theirs);
        near("psi", psi(reference, current).unwrap(), case.psi);
        near("chance", p_value_of_counts(reference, current).unwrap(), case.chance);
        let chi = chi_square(reference, current).unwrap();
        near("chi-square", chi.statistic, case.chi_square.unwrap_or(f64::INFINITY));
        near("p of chi-square", chi.p_value, case.chi_square_p);
        near("cramer", cramers_v(reference, current).unwrap(), case.cramers_v);
        near("jensen-shannon", jensen_shannon(reference, current).unwrap(), case.jensen_shannon);
        if let Some(p) = case.z_p {
            let rows = [reference, current].map(|counts| counts.iter().sum());
            near("p of z", two_proportions([reference[1], current[1]], rows).unwrap().p_value, p);
        }
    }
}

fn check_rule(name: &str, found: &FieldDrift, rule: &Rule) {
    let method = match found.method {
        Method::KolmogorovSmirnov => "ks",
        Method::ChiSquare => "chisquare",
        Method::ZTest => "z",
        Method::Wasserstein => "wasserstein",
        Method::JensenShannon => "jensenshannon",
        Method::Psi => "psi",
    };
    assert_eq!(method, rule.method, "{name}");
    let score = found.p_value.or(found.statistic).unwrap();
    assert!((score - rule.score).abs() < 1e-9, "{name}: {score} {}", rule.score);
    assert_eq!(found.verdict == Verdict::Shifted, rule.drifted, "{name}");
}

#[test]
fn the_rules_choose_and_judge_as_evidently_does() {
    let rules = EvidentlyRules { current_rows_min: 1, ..EvidentlyRules::default() };
    let oracle = oracle();
    for case in &oracle.numbers {
        let [reference, current] = [case.reference, case.current].map(sample);
        let samples = Samples::Numbers { reference: &reference, current: &current };
        let field = FieldSamples { field: case.name.clone(), samples };
        let report = compare(&[field], None, &rules).unwrap();
        check_rule(&case.name, &report.fields[0], &case.rule);
    }
    for case in &oracle.counts {
        let [reference, current] = [&case.reference, &case.current].map(|counts| {
            let named = counts.iter().enumerate().filter(|(_, n)| **n > 0);
            LevelCounts { levels: named.map(|(i, n)| (format!("L{i:03}"), *n)).collect(), missing: 0 }
        });
        let samples = Samples::Levels { reference: &reference, current: &current };
        let field = FieldSamples { field: case.name.clone(), samples };
        let report = compare(&[field], None, &rules).unwrap();
        check_rule(&case.name, &report.fields[0], &case.rule);
    }
}
