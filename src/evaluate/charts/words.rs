//! All words of the charts in one place, and how numbers are spelled in them.
//! Never draws.

use crate::base::limits;
use crate::evaluate::intervals::Interval;

pub(super) const ROC: &str = "ROC curve";
pub(super) const FALSE_POSITIVE_RATE: &str = "False positive rate";
pub(super) const TRUE_POSITIVE_RATE: &str = "True positive rate";
pub(super) const CHANCE: &str = "chance";
pub(super) const PRECISION_RECALL: &str = "Precision and recall";
pub(super) const PRECISION: &str = "Precision";
pub(super) const RECALL: &str = "Recall";
pub(super) const BASE_RATE: &str = "base rate";
pub(super) const WEEK: &str = "Weeks, from their lowest to their highest day";
pub(super) const BY_WEEK: &str =
    "Drawn week by week: the mean of its days, from the lowest of them to the highest.";
pub(super) const CALIBRATION: &str = "Calibration";
pub(super) const PROMISED: &str = "Mean predicted probability";
pub(super) const CAME: &str = "Share that was positive";
pub(super) const PERFECT: &str = "as predicted";
pub(super) const LIFT: &str = "Lift by decile";
pub(super) const LIFT_AXIS: &str = "Times the base rate";
pub(super) const DECILE: &str = "Decile, highest probabilities first";
pub(super) const CAPTURED: &str = "captured";
pub(super) const AVERAGE: &str = "average";
pub(super) const IMPORTANCE: &str = "Importance of fields";
pub(super) const IMPORTANCE_NOTE: &str =
    "Share of the mean contribution to the margin, parted by how far a field raises and lowers it";
pub(super) const RAISES: &str = "raises";
pub(super) const LOWERS: &str = "lowers";
pub(super) const DISTRIBUTION: &str = "Scores by class";
pub(super) const PROBABILITY: &str = "Predicted probability";
pub(super) const SHARE_OF_CLASS: &str = "Share of the class";
pub(super) const THRESHOLD: &str = "threshold";
pub(super) const LOSS: &str = "Loss by epoch";
pub(super) const EPOCH: &str = "Epoch";
pub(super) const LOSS_AXIS: &str = "Mean log loss";
pub(super) const TRAIN: &str = "training";
pub(super) const VALID: &str = "validation";
pub(super) const NO_EPOCHS: &str = "No epoch was recorded";

pub(super) const WITH_ISOTONIC: &str = "isotonic";
pub(super) const BINS: &str = "bins";
pub(super) const GAIN: &str = "Cumulative gain";
pub(super) const SHARE_OF_ROWS: &str = "Share of rows, highest probabilities first";
pub(super) const SHARE_OF_POSITIVES: &str = "Share of all positives";
pub(super) const PERFECT_ORDER: &str = "perfect order";
pub(super) const ROC_OF_MODELS: &str = "ROC curves";
pub(super) const CONFUSION: &str = "Confusion matrix";
pub(super) const PREDICTED: &str = "Predicted";
pub(super) const PROFIT: &str = "Profit by cut-off";
pub(super) const FLAGGED_SHARE: &str = "Share of rows at or above the threshold";
pub(super) const PROFIT_AXIS: &str = "Profit";
pub(super) const CHOICE: &str = "Choice of threshold";
pub(super) const SWARM: &str = "What rows got from each field";
pub(super) const CONTRIBUTION: &str = "Contribution to the margin (log-odds)";
pub(super) const CONTRIBUTION_TO: &str = "Margin (log-odds)";
pub(super) const LOW_VALUE: &str = "low value";
pub(super) const HIGH_VALUE: &str = "high";
pub(super) const NO_ORDER: &str = "level or missing";
pub(super) const DEPENDENCE: &str = "Contribution by value";
pub(super) const MISSING: &str = "missing";
pub(super) const MEAN: &str = "mean";
pub(super) const ONE_ROW: &str = "one row";
pub(super) const WATERFALL: &str = "How this score came about";
pub(super) const BASE: &str = "base";
pub(super) const MARGIN: &str = "margin";
pub(super) const DAY: &str = "Day";
pub(super) const NO_DAYS: &str = "No day has a figure yet";
pub(super) const NO_ROWS: &str = "No rows to show";

/// `95% interval 0.720 to 0.841 (200 resamples)`.
pub(super) fn interval(interval: &Interval) -> String {
    format!(
        "{}% interval {:.3} to {:.3} ({} resamples)",
        (interval.level * 1_000.0).round() / 10.0,
        interval.low,
        interval.high,
        count(interval.rounds as u64)
    )
}

/// Four decimals, or an exponent where a training has run away.
pub(super) fn loss(value: f64) -> String {
    if value.abs() < 1e6 { format!("{value:.4}") } else { format!("{value:.3e}") }
}

/// `17.5%`.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

/// `18,388`.
pub(super) fn count(number: u64) -> String {
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

/// `1 other field`, `12 other fields`.
pub(super) fn others(fields: u64, what: &str) -> String {
    format!("{} other {what}{}", count(fields), if fields == 1 { "" } else { "s" })
}

/// An amount in few characters: `-1,234,567`, `12.3M`, `0.25`.
pub(super) fn amount(value: f64) -> String {
    let size = value.abs();
    let sign = if value < 0.0 { "-" } else { "" };
    match size {
        _ if size >= 1e12 => format!("{value:.2e}"),
        _ if size >= 1e7 => format!("{sign}{:.1}M", size / 1e6),
        // Below 1e7 it fits.
        _ if size >= 100.0 => format!("{sign}{}", count(size.round() as u64)),
        _ if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{:.2}", value + 0.0),
    }
}

/// `+0.42`, `−1.30`: the sign is the point.
pub(super) fn signed(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 1e6 => format!("{size:.1e}"),
        size => format!("{size:.2}"),
    };
    let sign = if value < 0.0 { "\u{2212}" } else { "+" };
    format!("{sign}{digits}")
}

/// A name short enough for its place; what is cut is marked.
pub(super) fn short(name: &str) -> String {
    if name.chars().count() <= limits::CHART_LABEL_CHARS_MAX {
        return name.to_string();
    }
    name.chars().take(limits::CHART_LABEL_CHARS_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_for_people() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(percent(0.1749), "17.5%");
        let figures = Interval { value: 0.8, low: 0.72, high: 0.8412, level: 0.95, rounds: 2_000 };
        assert_eq!(interval(&figures), "95% interval 0.720 to 0.841 (2,000 resamples)");
    }

    #[test]
    fn amounts_keep_their_sign_and_stay_short() {
        let amounts = [-0.0, 0.254, 12.34, -1_234.4, 9_999_999.0, -12_345_678.0, 3e14].map(amount);
        assert_eq!(amounts, ["0.00", "0.25", "12.3", "-1,234", "9,999,999", "-12.3M", "3.00e14"]);
        assert_eq!([0.421, -1.3, 0.0, 2.5e7].map(signed), ["+0.42", "\u{2212}1.30", "+0.00", "+2.5e7"]);
        assert_eq!([others(1, "field"), others(1_200, "level")], ["1 other field", "1,200 other levels"]);
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(short(&"ä".repeat(40)).chars().count(), limits::CHART_LABEL_CHARS_MAX);
        assert_eq!(short("age"), "age");
    }
}
