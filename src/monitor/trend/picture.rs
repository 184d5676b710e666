//! The picture of a series: its words, its scale and the levels it is held against.
//! Never draws; the charts of `evaluate` do.

use crate::evaluate::charts::trend::{DayPoint, Level, Scale, Trend, draw_trend};
use crate::monitor::drift::Method;
use crate::monitor::drift::bank::{PSI_SHIFTED, PSI_WATCH};
use crate::monitor::trend::{Series, names};
use crate::monitor::verdict::Verdict;

/// Draws the series; `id` names it on its page.
pub fn draw_series(id: &str, series: &Series, levels: &[Level<'_>]) -> String {
    let points: Vec<DayPoint> = series
        .points
        .iter()
        .map(|p| DayPoint {
            day: p.day,
            value: p.value,
            interval: p.low.zip(p.high),
            marked: p.verdict >= Verdict::Watch,
        })
        .collect();
    let (title, scale) = title_of(&series.name);
    // A name without words of its own stands for itself.
    let name = match (title == OTHER, series.about.as_deref()) {
        (true, Some(about)) => Some(format!("{} · {about}", series.name)),
        (true, None) => Some(series.name.clone()),
        (false, about) => about.map(str::to_string),
    };
    draw_trend(&Trend { id, title, about: name.as_deref(), scale, points: &points, levels })
}

const PSI_LEVELS: [Level<'static>; 2] =
    [Level { value: PSI_WATCH, words: "watch 0.10" }, Level { value: PSI_SHIFTED, words: "shifted 0.25" }];

/// The levels a series is held against whatever a project's rules say.
pub fn fixed_levels(name: &str) -> &'static [Level<'static>] {
    let method = name.strip_prefix(names::SCORE_PREFIX).unwrap_or(name);
    if method == names::of_method(Method::Psi) { &PSI_LEVELS } else { &[] }
}

const OTHER: &str = "Figure by day";

fn title_of(name: &str) -> (&'static str, Scale) {
    if let Some(method) = name.strip_prefix(names::SCORE_PREFIX).filter(|method| names::is_drift(method)) {
        return match method {
            "psi" => ("Stability index of the score", Scale::Size),
            _ => ("Distance of the score", Scale::Size),
        };
    }
    if let Some(of_release) = name.strip_prefix(names::RELEASE_PREFIX) {
        return title_of_release(of_release);
    }
    match name {
        "psi" => ("Stability index (PSI)", Scale::Size),
        "kolmogorov_smirnov" => ("Kolmogorov-Smirnov distance", Scale::Size),
        "chi_square" => ("Chi-square", Scale::Size),
        "z_test" => ("z of the two shares", Scale::Plain),
        "wasserstein" => ("Wasserstein distance", Scale::Size),
        "jensen_shannon" => ("Jensen-Shannon distance", Scale::Size),
        names::MISSING_RATE => ("Missing values", Scale::Share),
        names::UNSEEN_RATE => ("Unknown values", Scale::Share),
        names::ROWS => ("Rows", Scale::Count),
        names::DEGRADED_RATE => ("Answered by the fallback", Scale::Share),
        names::DEFAULTED_RATE => ("Rows with a filled-in value", Scale::Share),
        names::SHIFTED_FIELDS => ("Shifted fields", Scale::Count),
        names::AUC => ("AUC", Scale::Plain),
        names::ECE => ("Calibration error (ECE)", Scale::Size),
        names::APPROVAL_RATE => ("Approved", Scale::Share),
        names::BAD_RATE_OF_APPROVED => ("Bad among approved", Scale::Share),
        names::PROFIT => ("Profit", Scale::Plain),
        names::PROFIT_EXPECTED => ("Profit as the scores promised", Scale::Plain),
        names::PARITY_DIFFERENCE => ("Difference of approval between groups", Scale::Share),
        "bad_rate" => ("Bad rate", Scale::Share),
        "mean_probability" => ("Mean probability", Scale::Share),
        "selection_rate" => ("Selected in the group", Scale::Share),
        "tpr" => ("Good ones selected in the group", Scale::Share),
        "fpr" => ("Bad ones selected in the group", Scale::Share),
        "gini" => ("Gini", Scale::Plain),
        "ks" => ("KS of the classes", Scale::Plain),
        "brier" => ("Brier score", Scale::Size),
        "log_loss" => ("Log loss", Scale::Size),
        _ => (OTHER, Scale::Plain),
    }
}

fn title_of_release(figure: &str) -> (&'static str, Scale) {
    match figure {
        names::AUC => ("AUC of the release in force", Scale::Plain),
        names::AUC_DROP => ("AUC of the release below its test part", Scale::Plain),
        names::OBSERVED_OVER_EXPECTED => {
            ("Bad ones for each foretold, of the release in force", Scale::Plain)
        }
        "brier" => ("Brier score of the release in force", Scale::Size),
        "log_loss" => ("Log loss of the release in force", Scale::Size),
        names::ECE => ("Calibration error of the release in force", Scale::Size),
        names::BAD_RATE => ("Bad rate of the release in force", Scale::Share),
        names::MEAN_PROBABILITY => ("Mean probability of the release in force", Scale::Share),
        _ => (OTHER, Scale::Plain),
    }
}
