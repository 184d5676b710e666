//! The same figures for parts of the rows: by level of a field, by quantile of a number, by period of time.
//! Never hides how few rows a part has: below the minimum it is marked and has no AUC.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fact::{Class, Fact};
use crate::evaluate::importance::effects::{Cell, csv_line};
use crate::evaluate::intervals::auc_interval;
use crate::evaluate::ranked::{self, split_evenly};
use crate::evaluate::scores::Scores;

/// A part with fewer rows, or fewer of one class, is too few to say much.
pub const SEGMENT_ROWS_MIN: u64 = 50;
pub const SEGMENT_CLASS_MIN: u64 = 10;
/// Levels with a row of their own; the rarer ones share one.
pub const SEGMENTS_MAX: usize = 20;
/// Periods of one table.
pub const PERIODS_MAX: usize = 120;
/// Two-sided 95 % of the normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// What the rows of a part have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum SegmentOf {
    Level {
        level: String,
    },
    /// Values from `low` to `high`, both seen.
    Range {
        low: f64,
        high: f64,
    },
    Period {
        period: String,
    },
    /// Rows without a value.
    Missing,
    /// All levels that have no row of their own.
    OtherLevels {
        levels: u64,
    },
}

/// The AUC of a part and its 95 % interval after DeLong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentAuc {
    pub value: f64,
    /// Nothing where the part's classes do not overlap.
    pub interval: Option<(f64, f64)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    pub segment: SegmentOf,
    pub rows: u64,
    pub positives: u64,
    pub base_rate: f64,
    pub probability_mean: f64,
    /// Calibration in the large: the mean probability less the rate that came.
    pub promised_too_much: f64,
    /// Where the rate would lie in 95 % of cases if the probabilities were right.
    pub rate_low: f64,
    pub rate_high: f64,
    pub log_loss: f64,
    pub auc: Option<SegmentAuc>,
    /// Too few rows, or too few of one class, to say much.
    pub few: bool,
}

impl Segment {
    /// Whether the rate that came is one the probabilities did not allow for.
    pub fn is_off(&self) -> bool {
        !self.few && !(self.rate_low..=self.rate_high).contains(&self.base_rate)
    }
}

/// The parts by one field, or by time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentTable {
    pub by: String,
    pub parts: Vec<Segment>,
}

/// One line a part; a cell is empty where a figure would say nothing.
pub fn segments_csv(tables: &[SegmentTable]) -> String {
    let mut text = String::from(
        "by,part,rows,positives,base_rate,probability_mean,promised_too_much,rate_low,rate_high,log_loss,auc,auc_low,auc_high,few,off\r\n",
    );
    for (table, part) in tables.iter().flat_map(|table| table.parts.iter().map(move |part| (table, part))) {
        let auc = part.auc.map(|auc| auc.value);
        let interval = part.auc.and_then(|auc| auc.interval);
        let number = |value: Option<f64>| value.map_or(Cell::Empty, Cell::Number);
        let name = part.segment.words();
        let yes = |is: bool| Cell::Text(if is { "yes" } else { "no" });
        text.push_str(&csv_line(&[
            Cell::Text(&table.by),
            Cell::Text(&name),
            Cell::Number(part.rows as f64),
            Cell::Number(part.positives as f64),
            Cell::Number(part.base_rate),
            Cell::Number(part.probability_mean),
            Cell::Number(part.promised_too_much),
            Cell::Number(part.rate_low),
            Cell::Number(part.rate_high),
            Cell::Number(part.log_loss),
            number(auc),
            number(interval.map(|(low, _)| low)),
            number(interval.map(|(_, high)| high)),
            yes(part.few),
            yes(part.is_off()),
        ]));
    }
    text
}

impl SegmentOf {
    fn words(&self) -> String {
        match self {
            Self::Level { level } => level.clone(),
            Self::Range { low, high } => format!("{low} to {high}"),
            Self::Period { period } => period.clone(),
            Self::Missing => "missing".into(),
            Self::OtherLevels { levels } => format!("{levels} other levels"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SegmentsError {
    #[error("there are {found} values for {rows} scored rows")]
    Uneven { found: usize, rows: usize },
    #[error("{found} parts by quantile: between 1 and {max} are made", max = SEGMENTS_MAX)]
    Parts { found: u64 },
    #[error("row {row}: a value that is infinite has no quantile")]
    Infinite { row: usize },
    #[error("{found} periods; a table has at most {max}", max = PERIODS_MAX)]
    Periods { found: usize },
}

impl Fact for SegmentsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Uneven { .. } => "evaluate.segments_uneven",
            Self::Parts { .. } => "evaluate.segments_parts",
            Self::Infinite { .. } => "evaluate.segments_infinite",
            Self::Periods { .. } => "evaluate.segments_periods",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Parts { .. } => Class::Usage,
            Self::Periods { .. } => Class::DataRefused,
            Self::Uneven { .. } | Self::Infinite { .. } => Class::Failed,
        }
    }
}

/// By level, the most frequent first (equal ones by name), then all rarer ones in one, then rows without a level.
pub fn by_levels(scores: &Scores<'_>, levels: &[Option<&str>]) -> Result<Vec<Segment>, SegmentsError> {
    check_rows(scores, levels.len())?;
    let mut found: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut missing = Vec::new();
    for (row, level) in levels.iter().enumerate() {
        match level {
            Some(level) => found.entry(level).or_default().push(row),
            None => missing.push(row),
        }
    }
    let mut found: Vec<(&str, Vec<usize>)> = found.into_iter().collect();
    // Stable: equal counts stay in the order of their names.
    found.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    let rare = if found.len() > SEGMENTS_MAX { found.split_off(SEGMENTS_MAX) } else { Vec::new() };
    let mut table: Vec<Segment> = found
        .into_iter()
        .filter_map(|(level, rows)| segment(scores, SegmentOf::Level { level: level.into() }, &rows))
        .collect();
    let levels = rare.len() as u64;
    let rare: Vec<usize> = rare.into_iter().flat_map(|(_, rows)| rows).collect();
    table.extend(segment(scores, SegmentOf::OtherLevels { levels }, &rare));
    table.extend(segment(scores, SegmentOf::Missing, &missing));
    Ok(table)
}

/// By quantile of a number into `parts` of as equal count as equal values allow, then rows without a number (NaN).
pub fn by_quantiles(scores: &Scores<'_>, values: &[f64], parts: u64) -> Result<Vec<Segment>, SegmentsError> {
    check_rows(scores, values.len())?;
    if parts == 0 || parts > SEGMENTS_MAX as u64 {
        return Err(SegmentsError::Parts { found: parts });
    }
    if let Some(row) = values.iter().position(|value| value.is_infinite()) {
        return Err(SegmentsError::Infinite { row });
    }
    let (missing, mut sorted): (Vec<usize>, Vec<usize>) =
        (0..values.len()).partition(|&row| values[row].is_nan());
    sorted.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut table = Vec::new();
    let mut start = 0;
    for range in split_evenly(sorted.len() as u64, parts) {
        let mut end = (range.end as usize).max(start);
        // Equal values stay together, in the part that meets them first.
        while end > start && end < sorted.len() && values[sorted[end]] == values[sorted[end - 1]] {
            end += 1;
        }
        if let [first, .., last] | [first @ last] = &sorted[start..end] {
            let of = SegmentOf::Range { low: values[*first], high: values[*last] };
            table.extend(segment(scores, of, &sorted[start..end]));
        }
        start = end;
    }
    table.extend(segment(scores, SegmentOf::Missing, &missing));
    Ok(table)
}

/// By period in the order of its words (`2025-03`, `2025 Q1`), which is that of time if they are written so.
pub fn by_periods(scores: &Scores<'_>, periods: &[&str]) -> Result<Vec<Segment>, SegmentsError> {
    check_rows(scores, periods.len())?;
    let mut found: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, period) in periods.iter().enumerate() {
        found.entry(period).or_default().push(row);
    }
    if found.len() > PERIODS_MAX {
        return Err(SegmentsError::Periods { found: found.len() });
    }
    let of = |period: &str| SegmentOf::Period { period: period.into() };
    Ok(found.into_iter().filter_map(|(period, rows)| segment(scores, of(period), &rows)).collect())
}

fn check_rows(scores: &Scores<'_>, found: usize) -> Result<(), SegmentsError> {
    let rows = scores.labels().len();
    if found == rows { Ok(()) } else { Err(SegmentsError::Uneven { found, rows }) }
}

/// Nothing if the part has no rows.
fn segment(scores: &Scores<'_>, of: SegmentOf, rows: &[usize]) -> Option<Segment> {
    if rows.is_empty() {
        return None;
    }
    let labels: Vec<bool> = rows.iter().map(|&row| scores.labels()[row]).collect();
    let probabilities: Vec<f64> = rows.iter().map(|&row| scores.probabilities()[row]).collect();
    let count = rows.len() as f64;
    let positives = labels.iter().filter(|&&label| label).count() as u64;
    let negatives = rows.len() as u64 - positives;
    let loss: f64 = labels.iter().zip(&probabilities).map(|(&label, &p)| ranked::row_loss(label, p)).sum();
    let base_rate = positives as f64 / count;
    let probability_mean = probabilities.iter().sum::<f64>() / count;
    let reach = Z_95 * probabilities.iter().map(|p| p * (1.0 - p)).sum::<f64>().sqrt() / count;
    let few = (rows.len() as u64) < SEGMENT_ROWS_MIN || positives.min(negatives) < SEGMENT_CLASS_MIN;
    // A part of one class is no failure: it has no AUC, and that is said.
    let part = if few { None } else { Scores::check(&labels, &probabilities).ok() };
    let auc = part
        .map(|part| SegmentAuc { value: ranked::auc(part.steps()), interval: auc_interval(part.steps()) });
    Some(Segment {
        segment: of,
        rows: rows.len() as u64,
        positives,
        base_rate,
        probability_mean,
        promised_too_much: probability_mean - base_rate,
        rate_low: (probability_mean - reach).max(0.0),
        rate_high: (probability_mean + reach).min(1.0),
        log_loss: loss / count,
        auc,
        few,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;

    fn rows(count: usize) -> (Vec<bool>, Vec<f64>) {
        let mut random = Random::new(8, "segments");
        let probabilities: Vec<f64> = (0..count).map(|_| 0.05 + 0.5 * random.unit()).collect();
        let labels = probabilities.iter().map(|p| random.unit() < *p).collect();
        (labels, probabilities)
    }

    #[test]
    fn a_part_has_the_figures_its_rows_alone_would_have() {
        let (labels, probabilities) = rows(1_200);
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let levels: Vec<Option<&str>> =
            (0..1_200).map(|i| Some(if i % 3 == 0 { "a" } else { "b" })).collect();
        let table = by_levels(&scores, &levels).unwrap();
        assert_eq!(table.iter().map(|s| s.rows).collect::<Vec<_>>(), [800, 400]);
        let pick = |row: &usize| row.is_multiple_of(3);
        let labels: Vec<bool> = (0..1_200).filter(pick).map(|row| labels[row]).collect();
        let probabilities: Vec<f64> = (0..1_200).filter(pick).map(|row| probabilities[row]).collect();
        let alone = Scores::check(&labels, &probabilities).unwrap();
        let metrics = crate::evaluate::metrics::Metrics::of(&alone, 0.5).unwrap();
        let auc = table[1].auc.unwrap();
        let (low, high) = auc.interval.unwrap();
        assert_eq!((auc.value, table[1].base_rate), (metrics.auc, metrics.base_rate));
        assert!((table[1].log_loss - metrics.log_loss).abs() < 1e-12);
        assert!(low < auc.value && auc.value < high && high - low < 0.2);
        assert!(!table[1].few && !table[1].is_off());
    }

    #[test]
    fn probabilities_that_are_wrong_for_a_part_show_there() {
        let (labels, mut probabilities) = rows(2_000);
        probabilities.iter_mut().take(1_000).for_each(|p| *p = (*p + 0.15).min(1.0));
        let periods: Vec<&str> = (0..2_000).map(|i| if i < 1_000 { "2025-02" } else { "2025-01" }).collect();
        let table = by_periods(&Scores::check(&labels, &probabilities).unwrap(), &periods).unwrap();
        assert_eq!(table[0].segment, SegmentOf::Period { period: "2025-01".into() });
        assert_eq!([table[0].is_off(), table[1].is_off()], [false, true]);
        assert!((table[1].promised_too_much - 0.15).abs() < 0.03);
        let csv = segments_csv(&[SegmentTable { by: "month".into(), parts: table }]);
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[1].starts_with("month,2025-01,1000,") && lines[1].ends_with(",no,no"), "{}", lines[1]);
        assert!(lines.iter().all(|line| line.matches(',').count() == 14), "{csv}");
    }

    #[test]
    fn equal_values_are_never_parted_and_missing_ones_come_last() {
        let (labels, probabilities) = rows(600);
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let value = |i: usize| if i % 6 == 5 { f64::NAN } else { (i % 6) as f64 / 2.0 };
        let values: Vec<f64> = (0..600).map(value).collect();
        let table = by_quantiles(&scores, &values, 3).unwrap();
        let ranges: Vec<_> = table.iter().map(|s| (s.segment.clone(), s.rows)).collect();
        let range = |low, high| SegmentOf::Range { low, high };
        assert_eq!(
            ranges,
            [
                (range(0.0, 0.5), 200),
                (range(1.0, 1.5), 200),
                (range(2.0, 2.0), 100),
                (SegmentOf::Missing, 100)
            ]
        );
        let flat = by_quantiles(&scores, &[7.0; 600], 5).unwrap();
        assert_eq!((flat.len(), flat[0].rows), (1, 600));
    }

    #[test]
    fn a_part_with_too_few_rows_is_marked_and_has_no_auc() {
        let (labels, probabilities) = rows(400);
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let levels: Vec<Option<&str>> = (0..400).map(|i| if i < 20 { None } else { Some("a") }).collect();
        let table = by_levels(&scores, &levels).unwrap();
        assert_eq!((table[1].segment.clone(), table[1].few, table[1].auc), (SegmentOf::Missing, true, None));
        assert!(table[1].log_loss.is_finite() && table[0].auc.is_some());
    }

    #[test]
    fn many_levels_share_a_part_and_what_does_not_fit_is_refused() {
        let (labels, probabilities) = rows(300);
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let names: Vec<String> =
            (0..300).map(|i| format!("{:03}", (i as f64).sqrt() as u32 * 2 % 50)).collect();
        let levels: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
        let table = by_levels(&scores, &levels).unwrap();
        assert!(table.len() <= SEGMENTS_MAX + 1);
        let many: Vec<String> = (0..300).map(|i| i.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(by_periods(&scores, &many).unwrap_err().code(), "evaluate.segments_periods");
        let levels: Vec<Option<&str>> = many.iter().map(|name| Some(*name)).collect();
        let table = by_levels(&scores, &levels).unwrap();
        assert_eq!(table[SEGMENTS_MAX].segment, SegmentOf::OtherLevels { levels: 280 });
        assert_eq!(by_levels(&scores, &[]).unwrap_err().code(), "evaluate.segments_uneven");
        assert_eq!(by_quantiles(&scores, &[0.0; 300], 0).unwrap_err().code(), "evaluate.segments_parts");
        let infinite = [f64::INFINITY; 300];
        assert_eq!(by_quantiles(&scores, &infinite, 2).unwrap_err().code(), "evaluate.segments_infinite");
    }
}
