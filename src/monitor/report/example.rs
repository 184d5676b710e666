//! Reports for tests: a full one, one of a first day without rows, one of very many fields.
//! Never used outside tests.

use crate::base::digest::Digest;
use crate::monitor::business::Business;
use crate::monitor::drift::{
    BinShare, Change, CountedOver, CountedRelease, DriftReport, FieldDrift, Method, RuleSet,
};
use crate::monitor::fairness::{Fairness, GroupFigures};
use crate::monitor::performance::release::{ReleaseBefore, ReleasePerformance};
use crate::monitor::performance::{CalibrationBin, Figure, Performance, Vintage};
use crate::monitor::quality::{DayQuality, FieldQuality};
use crate::monitor::report::Report;
use crate::monitor::verdict::Verdict;

pub(crate) fn figure(name: &str, value: f64, reach: f64, n: u64) -> Figure {
    Figure { name: name.into(), value: Some(value), low: Some(value - reach), high: Some(value + reach), n }
}

pub(crate) fn none(name: &str, n: u64) -> Figure {
    Figure { name: name.into(), value: None, low: None, high: None, n }
}

/// Bins whose shares move from one to the next by `tilt`.
pub(crate) fn drift(field: &str, psi: f64, verdict: Verdict, tilt: f64) -> FieldDrift {
    let count = 8;
    let bins = (0..count).map(|k| {
        let off = tilt * (k as f64 - (count - 1) as f64 / 2.0) / (count * count) as f64;
        let bin =
            if k + 1 == count { "missing".into() } else { format!("{} to {}", k * 1_250, (k + 1) * 1_250) };
        BinShare { bin, reference: 1.0 / count as f64, current: 1.0 / count as f64 + off }
    });
    FieldDrift {
        field: field.into(),
        method: Method::Psi,
        reference_rows: 8_000,
        current_rows: 4_120,
        statistic: Some(psi),
        p_value: Some(0.0004),
        effect: Some(psi),
        effect_name: Some("psi".into()),
        threshold: 0.1,
        verdict,
        missing: Change { reference: 0.021, current: 0.034 },
        unseen: None,
        bins: bins.collect(),
    }
}

fn quality(field: &str, missing: (f64, f64), unseen: Option<f64>, verdict: Verdict) -> FieldQuality {
    FieldQuality {
        field: field.into(),
        missing: Change { reference: missing.0, current: missing.1 },
        unseen: unseen.map(|current| Change { reference: 0.0, current }),
        verdict,
    }
}

fn performance() -> Performance {
    let month = |month: &str, decided, known, auc: Option<f64>, verdict| Vintage {
        month: month.into(),
        decided,
        known,
        figures: vec![
            auc.map_or(none("auc", known), |auc| figure("auc", auc, 0.031, known)),
            figure("bad_rate", 0.118, 0.014, known),
            figure("mean_probability", 0.1162, 0.004, known),
        ],
        verdict,
    };
    let bin = |k: u64| {
        let probability = 0.02 + 0.045 * k as f64;
        let rate = (probability * 1.12 - 0.004).max(0.0);
        CalibrationBin {
            rows: 190,
            positives: (rate * 190.0) as u64,
            probability_min: probability - 0.02,
            probability_max: probability + 0.024,
            probability_mean: probability,
            positive_rate: rate,
            rate_low: (rate - 0.035).max(0.0),
            rate_high: rate + 0.041,
        }
    };
    Performance {
        decided: 4_120,
        known: 1_904,
        matured: true,
        figures: vec![
            figure("auc", 0.70312, 0.0268, 1_904),
            figure("gini", 0.40624, 0.0536, 1_904),
            figure("ks", 0.3127, 0.041, 1_904),
            figure("log_loss", 0.33218, 0.012, 1_904),
            figure("brier", 0.09711, 0.005, 1_904),
            figure("bad_rate", 0.11817, 0.0145, 1_904),
            figure("mean_probability", 0.11342, 0.0041, 1_904),
            figure("calibration_slope", 0.941, 0.11, 1_904),
            figure("calibration_intercept", -0.062, 0.14, 1_904),
            Figure { low: None, high: None, ..figure("ece", 0.01934, 0.0, 1_904) },
        ],
        baseline: vec![
            Figure { low: None, high: None, ..figure("auc", 0.5, 0.0, 1_904) },
            Figure { low: None, high: None, ..figure("log_loss", 0.36312, 0.0, 1_904) },
            Figure { low: None, high: None, ..figure("brier", 0.10421, 0.0, 1_904) },
        ],
        vintages: vec![
            month("2025-11", 1_190, 1_102, Some(0.7412), Verdict::Stable),
            month("2025-12", 1_020, 640, Some(0.7188), Verdict::Watch),
            month("2026-01", 980, 162, None, Verdict::Insufficient),
        ],
        calibration: (0..10).map(bin).collect(),
        verdict: Verdict::Watch,
    }
}

/// Surely worse than its test rows; the release before it is not.
fn release() -> ReleasePerformance {
    ReleasePerformance {
        since_ms: 1_772_409_600_000,
        decided: 940,
        known: 402,
        matured: 396,
        needed: 100,
        figures: vec![
            figure("auc", 0.6129, 0.0583, 396),
            figure("bad_rate", 0.1313, 0.0331, 396),
            figure("mean_probability", 0.1184, 0.0052, 396),
            Figure { low: None, high: None, ..figure("ece", 0.0391, 0.0, 396) },
        ],
        reference: vec![figure("auc", 0.7612, 0.0217, 2_400), figure("brier", 0.0957, 0.0042, 2_400)],
        judged: vec![
            figure("auc_drop", 0.1483, 0.0941, 396),
            figure("observed_over_expected", 1.109, 0.402, 396),
        ],
        before: Some(ReleaseBefore {
            version: 6,
            matured: 1_120,
            auc: figure("auc", 0.7488, 0.0311, 1_120),
            verdict: Verdict::Stable,
        }),
        verdict: Verdict::Shifted,
    }
}

fn counted_over() -> CountedOver {
    let why = Some("the bins of income and age differ".to_string());
    CountedOver {
        own_rows: 74,
        needed: 100,
        releases: vec![
            CountedRelease { version: 6, rows: 4_046, fields: 6, why: None },
            CountedRelease { version: 5, rows: 311, fields: 4, why },
        ],
    }
}

fn fairness() -> Vec<Fairness> {
    let group = |name: &str, n: u64, selected: f64| GroupFigures {
        group: name.into(),
        n,
        figures: vec![
            figure("selection_rate", selected, 0.9 / (n as f64).sqrt(), n),
            figure("tpr", 0.61, 1.4 / (n as f64).sqrt(), n / 9),
            figure("fpr", 0.21, 1.1 / (n as f64).sqrt(), n - n / 9),
            figure("accuracy", 0.78, 0.9 / (n as f64).sqrt(), n),
        ],
    };
    let differences = |size: f64, n| {
        vec![
            figure("demographic_parity_difference", size, 0.03, n),
            Figure { low: None, high: None, ..figure("demographic_parity_ratio", 1.0 - size, 0.0, n) },
            figure("equalized_odds_difference", size * 0.8, 0.05, n),
            none("equal_opportunity_difference", n),
        ]
    };
    vec![
        Fairness {
            attribute: "age_group".into(),
            groups: vec![
                group("18 to 25", 412, 0.44),
                group("26 to 45", 2_018, 0.57),
                group("46 and over", 1_690, 0.61),
            ],
            too_small: vec!["unknown".into()],
            differences: differences(0.17, 4_120),
            verdict: Verdict::Watch,
        },
        Fairness {
            attribute: "sex".into(),
            groups: vec![group("f", 1_960, 0.58), group("m", 2_140, 0.57)],
            too_small: vec!["d".into()],
            differences: differences(0.012, 4_100),
            verdict: Verdict::Stable,
        },
    ]
}

/// Every part filled, some fields moved, no alarm judged yet.
pub(crate) fn full() -> Report {
    let mut fields = vec![
        drift("income", 0.3124, Verdict::Shifted, 0.9),
        drift("loan_amount", 0.0412, Verdict::Stable, 0.1),
        drift("months_employed", 0.1377, Verdict::Watch, -0.5),
        drift("age", 0.0121, Verdict::Stable, 0.05),
        FieldDrift {
            unseen: Some(Change { reference: 0.0, current: 0.031 }),
            ..drift("purpose", 0.2811, Verdict::Shifted, -0.8)
        },
        FieldDrift {
            statistic: None,
            p_value: None,
            effect: None,
            current_rows: 64,
            ..drift("guarantor", 0.0, Verdict::Insufficient, 0.0)
        },
    ];
    if let Some(town) = fields.get_mut(4) {
        let named = ["car", "furniture", "education", "holiday", "repair", "business", "other", "missing"];
        town.bins.iter_mut().zip(named).for_each(|(bin, name)| bin.bin = name.into());
    }
    Report {
        project: "german-credit".into(),
        model: "consumer-loan".into(),
        version: 7,
        release: Digest::of(b"release"),
        day: "2026-03-14".into(),
        window_days: 30,
        made_ms: 1_773_532_805_123,
        drift: DriftReport {
            rules: RuleSet::Bank,
            fields,
            score: Some(drift("score", 0.1642, Verdict::Watch, 0.55)),
            shifted: 2,
            judged: 5,
            share_shifted: 0.4,
            over: Some(counted_over()),
            verdict: Verdict::Shifted,
        },
        quality: DayQuality {
            rows: 4_120,
            degraded: 12,
            defaulted: 97,
            unseen: 128,
            fields: vec![
                quality("income", (0.021, 0.134), None, Verdict::Shifted),
                quality("loan_amount", (0.0, 0.0), None, Verdict::Stable),
                quality("months_employed", (0.04, 0.046), None, Verdict::Stable),
                quality("age", (0.0, 0.0), None, Verdict::Stable),
                quality("purpose", (0.0, 0.001), Some(0.031), Verdict::Watch),
                quality("guarantor", (0.81, 0.79), Some(0.0), Verdict::Insufficient),
            ],
            verdict: Verdict::Shifted,
        },
        performance: Some(performance()),
        release_performance: Some(release()),
        fairness: fairness(),
        business: Business {
            decided: 4_108,
            outcomes: vec![("approve".into(), 2_361), ("refer".into(), 622), ("decline".into(), 1_125)],
            approval_rate: figure("approval_rate", 0.5747, 0.0151, 4_108),
            bad_rate_of_approved: figure("bad_rate_of_approved", 0.0611, 0.0142, 1_088),
            profit: Some(figure("profit", 184_220.0, 30_410.0, 1_088)),
            profit_expected: Some(figure("profit_expected", 201_480.0, 29_800.0, 1_088)),
        },
        alarms: Vec::new(),
        verdict: Verdict::Shifted,
    }
}

/// The day before `full`: less had moved.
pub(crate) fn before() -> Report {
    let mut report = full();
    report.day = "2026-03-13".into();
    report.verdict = Verdict::Watch;
    let calmer = [Verdict::Watch, Verdict::Watch, Verdict::Stable];
    report.drift.fields.iter_mut().zip(calmer).for_each(|(field, verdict)| field.verdict = verdict);
    if let Some(income) = report.drift.fields.first_mut() {
        income.statistic = Some(0.2011);
    }
    report.business.approval_rate = figure("approval_rate", 0.6044, 0.015, 4_002);
    if let Some(auc) = report.performance.as_mut().and_then(|p| p.figures.first_mut()) {
        *auc = figure("auc", 0.7291, 0.03, 1_702);
    }
    report
}

/// The first day: nobody was decided, nothing is known.
pub(crate) fn empty() -> Report {
    let mut report = full();
    report.drift = DriftReport {
        rules: RuleSet::Evidently,
        fields: Vec::new(),
        score: None,
        shifted: 0,
        judged: 0,
        share_shifted: 0.0,
        over: None,
        verdict: Verdict::Insufficient,
    };
    report.quality = DayQuality {
        rows: 0,
        degraded: 0,
        defaulted: 0,
        unseen: 0,
        fields: Vec::new(),
        verdict: Verdict::Insufficient,
    };
    report.performance = None;
    report.release_performance = None;
    report.fairness = Vec::new();
    report.business = Business {
        decided: 0,
        outcomes: Vec::new(),
        approval_rate: none("approval_rate", 0),
        bad_rate_of_approved: none("bad_rate_of_approved", 0),
        profit: None,
        profit_expected: None,
    };
    report.verdict = Verdict::Insufficient;
    report
}

/// With so many fields, all shifted.
pub(crate) fn wide(count: usize) -> Report {
    let mut report = full();
    let size = |k: usize| 0.3 + k as f64 / 1_000.0;
    report.drift.fields =
        (0..count).map(|k| drift(&format!("field_{k:04}"), size(k), Verdict::Shifted, 0.9)).collect();
    report.quality.fields =
        (0..count).map(|k| quality(&format!("field_{k:04}"), (0.01, 0.02), None, Verdict::Stable)).collect();
    (report.drift.shifted, report.drift.judged, report.drift.share_shifted) =
        (count as u64, count as u64, 1.0);
    report
}
