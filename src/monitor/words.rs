//! How figures, verdicts and methods are spelled for people, in alarms and reports alike.
//! Never rounds what is stored; only what is read.

use crate::monitor::drift::Method;
use crate::monitor::verdict::Verdict;

/// Sizes from here on are spelled with an exponent.
const LONG_NUMBER: f64 = 1e6;

/// `17.5%`.
pub fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0 + 0.0)
}

/// `18,388`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `12 rows`.
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Three decimals, or an exponent where they would say nothing.
pub fn size(value: f64) -> String {
    match value.abs() {
        0.0 => "0.000".to_string(),
        size if !(0.0005..LONG_NUMBER).contains(&size) => format!("{value:.2e}"),
        _ => format!("{value:.3}"),
    }
}

/// `0.213`; below a thousandth only that it is.
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "under 0.001".to_string() } else { format!("{p:.3}") }
}

/// `drift`, `drift and fairness`, `drift, quality and fairness`.
pub fn joined(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_string(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// An amount of money or the like: `-1,234,567`, `0.25`.
pub fn amount(value: f64) -> String {
    let sign = if value < 0.0 { "-" } else { "" };
    match value.abs() {
        size if size >= 1e15 => format!("{value:.2e}"),
        size if size >= 100.0 => format!("{sign}{}", count(size.round() as u64)),
        _ => format!("{:.2}", value + 0.0),
    }
}

/// As a figure of that name is read: a share in percent, profit as an amount, all else as a size.
pub fn figure(name: &str, value: f64) -> String {
    match name {
        "profit" | "profit_expected" => amount(value),
        _ if is_share(name) => percent(value),
        _ => size(value),
    }
}

fn is_share(name: &str) -> bool {
    let shares = ["tpr", "fpr", "tnr", "fnr", "accuracy", "mean_probability"];
    name.ends_with("_rate")
        || name.ends_with("_difference")
        || name.ends_with("_of_approved")
        || shares.contains(&name)
}

/// What a figure is called; a name without words of its own stands for itself.
pub fn figure_name(name: &str) -> String {
    let words = match name {
        "auc" => "AUC",
        "gini" => "Gini",
        "ks" => "KS",
        "log_loss" => "Log loss",
        "brier" => "Brier score",
        "ece" => "Calibration error (ECE)",
        "auc_drop" => "AUC below that of the test rows",
        "observed_over_expected" => "Bad ones for each foretold",
        "calibration_slope" => "Calibration slope",
        "calibration_intercept" => "Calibration intercept",
        "bad_rate" => "Bad rate",
        "mean_probability" => "Mean probability",
        "approval_rate" => "Approved",
        "bad_rate_of_approved" => "Bad among approved",
        "profit" => "Profit",
        "profit_expected" => "Profit as the scores promised",
        "selection_rate" => "Selected",
        "tpr" => "Good ones selected",
        "fpr" => "Bad ones selected",
        "tnr" => "Bad ones passed over",
        "fnr" => "Good ones passed over",
        "accuracy" => "Decided rightly",
        "base_rate" => "Good of those known",
        "demographic_parity_difference" => "Demographic parity difference",
        "demographic_parity_ratio" => "Demographic parity ratio",
        "equalized_odds_difference" => "Equalized odds difference",
        "equalized_odds_ratio" => "Equalized odds ratio",
        "equal_opportunity_difference" => "Equal opportunity difference",
        other => return sentence_case(&other.replace('_', " ")),
    };
    words.to_string()
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// In the middle of a sentence.
pub fn method(method: Method) -> &'static str {
    match method {
        Method::Psi => "stability index (PSI)",
        Method::KolmogorovSmirnov => "Kolmogorov-Smirnov distance",
        Method::ChiSquare => "chi-square statistic",
        Method::ZTest => "z of the two shares",
        Method::Wasserstein => "Wasserstein distance",
        Method::JensenShannon => "Jensen-Shannon distance",
    }
}

pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Insufficient => "Too few rows",
        Verdict::Stable => "Stable",
        Verdict::Watch => "Watch",
        Verdict::Shifted => "Shifted",
    }
}

/// Letters that turn the direction of text or are not seen: a field's name must not reorder a sentence.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// A name from data, on one line and of bounded length; what is cut is marked.
pub fn shown(name: &str) -> String {
    const CHARS_MAX: usize = 80;
    let clean = |c: char| if is_hidden(c) { '\u{FFFD}' } else { c };
    if name.chars().count() <= CHARS_MAX {
        return name.chars().map(clean).collect();
    }
    name.chars().take(CHARS_MAX - 1).map(clean).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_spelled_by_what_they_are() {
        assert_eq!(figure("approval_rate", 0.6125), "61.3%");
        assert_eq!(figure("auc", 0.74256), "0.743");
        assert_eq!(figure("profit", -1_234.4), "-1,234");
        assert_eq!([0.0, 2.5e7, 0.000_01, -0.25].map(size), ["0.000", "2.50e7", "1.00e-5", "-0.250"]);
        assert_eq!([counted(1, "row"), counted(1_200, "row")], ["1 row", "1,200 rows"]);
        assert_eq!([0.2134, 0.000_4].map(p_value), ["0.213", "under 0.001"]);
        assert_eq!(joined(&["a", "b", "c"]), "a, b and c");
        assert_eq!(figure_name("some_new_figure"), "Some new figure");
    }

    #[test]
    fn a_name_cannot_turn_or_break_its_sentence() {
        assert_eq!(shown("a\u{202E}b\nc"), "a\u{FFFD}b\u{FFFD}c");
        assert_eq!(shown(&"ä".repeat(200)).chars().count(), 80);
    }
}
