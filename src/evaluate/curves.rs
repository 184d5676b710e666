//! ROC, precision-recall and KS curves of at most `CURVE_POINTS_MAX` points, from the highest threshold down.
//! A thinned curve keeps its area: between two kept points one more point restores what the dropped ones had.

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::evaluate::ranked::{self, Step};
use crate::evaluate::scores::Scores;

/// A threshold and its rates. No threshold: the origin, or a point that stands for dropped ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RocPoint {
    pub false_positive_rate: f64,
    pub true_positive_rate: f64,
    pub threshold: Option<f64>,
}

/// The points of scikit-learn's `roc_curve` (collinear ones dropped); their trapezoids sum to `auc`, thinned or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RocCurve {
    pub auc: f64,
    pub positives: u64,
    pub negatives: u64,
    pub thinned: bool,
    pub points: Vec<RocPoint>,
}

/// A threshold, its recall and its precision. No threshold: the start, or the mean of dropped points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrPoint {
    pub recall: f64,
    pub precision: f64,
    pub threshold: Option<f64>,
}

/// The points of scikit-learn's `precision_recall_curve` from recall 0 up; each step of recall times the
/// precision at its end sums to `pr_auc`, thinned or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrCurve {
    /// Average precision.
    pub pr_auc: f64,
    pub base_rate: f64,
    pub thinned: bool,
    pub points: Vec<PrPoint>,
}

/// The shares of each class that score at or above a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KsPoint {
    pub threshold: f64,
    pub positives: f64,
    pub negatives: f64,
}

/// The widest gap between the classes, and the threshold that has it (the highest, of several).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KsCurve {
    pub ks: f64,
    pub threshold: f64,
    pub thinned: bool,
    pub points: Vec<KsPoint>,
}

/// Rows at or above a threshold, by class.
#[derive(Clone, Copy, Debug)]
struct Corner {
    positives: u64,
    negatives: u64,
    threshold: Option<f64>,
}

const ORIGIN: Corner = Corner { positives: 0, negatives: 0, threshold: None };

fn corners(steps: &[Step]) -> Vec<Corner> {
    let mut at = ORIGIN;
    let next = |step: &Step| {
        at.positives += u64::from(step.positives);
        at.negatives += u64::from(step.negatives);
        at.threshold = Some(step.probability);
        at
    };
    steps.iter().map(next).collect()
}

pub fn roc(scores: &Scores<'_>) -> RocCurve {
    let all = corners(scores.steps());
    let bent = |w: &[Corner]| {
        w[0].positives + w[2].positives != 2 * w[1].positives
            || w[0].negatives + w[2].negatives != 2 * w[1].negatives
    };
    let mut kept = vec![ORIGIN];
    kept.extend(keep_where(&all, bent));
    let (positives, negatives) = (scores.positives(), scores.negatives());
    let rates = |c: &Corner| RocPoint {
        false_positive_rate: c.negatives as f64 / negatives as f64,
        true_positive_rate: c.positives as f64 / positives as f64,
        threshold: c.threshold,
    };
    let thinned = kept.len() > limits::CURVE_POINTS_MAX;
    let points = if thinned { thin_roc(&kept, rates) } else { kept.iter().map(rates).collect() };
    RocCurve { auc: ranked::auc(scores.steps()), positives, negatives, thinned, points }
}

/// First, last, and every corner between for which the window around it says so.
fn keep_where(all: &[Corner], wanted: impl Fn(&[Corner]) -> bool) -> Vec<Corner> {
    let inner = all.windows(3).filter(|w| wanted(w)).map(|w| w[1]);
    let first = all.iter().take(1).copied();
    let last = all.iter().skip(1).last().copied();
    first.chain(inner).chain(last).collect()
}

fn thin_roc(corners: &[Corner], rates: impl Fn(&Corner) -> RocPoint) -> Vec<RocPoint> {
    let kept = pick_along(corners, path_place(corners), Some(widest(corners)));
    let mut points: Vec<RocPoint> = kept.first().map(|&i| rates(&corners[i])).into_iter().collect();
    for pair in kept.windows(2) {
        let (from, to) = (rates(&corners[pair[0]]), rates(&corners[pair[1]]));
        points.extend(balance(&corners[pair[0]..=pair[1]], from, to));
        points.push(to);
    }
    points
}

/// The point between `from` and `to` that leaves the area under the run of corners as it was.
/// It moves from the middle of the chord towards the box's upper left (or lower right) corner; as the run is
/// monotone, its area lies within the box and the point never leaves it. Areas are whole numbers until the end.
fn balance(run: &[Corner], from: RocPoint, to: RocPoint) -> Option<RocPoint> {
    let (first, last) = (run.first()?, run.last()?);
    let twice_area: u64 =
        run.windows(2).map(|w| (w[1].negatives - w[0].negatives) * (w[0].positives + w[1].positives)).sum();
    let wide = last.negatives - first.negatives;
    let high = last.positives - first.positives;
    let twice_chord = wide * (first.positives + last.positives);
    if twice_area == twice_chord {
        return None;
    }
    let bulge = (twice_area as f64 - twice_chord as f64) / (wide as f64 * high as f64);
    let (x0, x1) = (from.false_positive_rate, to.false_positive_rate);
    let (y0, y1) = (from.true_positive_rate, to.true_positive_rate);
    Some(RocPoint {
        false_positive_rate: (x0 + x1) / 2.0 - bulge * (x1 - x0) / 2.0,
        true_positive_rate: (y0 + y1) / 2.0 + bulge * (y1 - y0) / 2.0,
        threshold: None,
    })
}

/// How far along its way (0 to 1, both classes alike) a corner lies.
fn path_place(corners: &[Corner]) -> impl Fn(&Corner) -> f64 + use<> {
    let last = corners.last().copied().unwrap_or(ORIGIN);
    move |c| {
        let share = |part: u64, whole: u64| part as f64 / whole as f64;
        (share(c.positives, last.positives) + share(c.negatives, last.negatives)) / 2.0
    }
}

/// Evenly spaced indices by `place` in 0..=1, with the ends and `also`: at most half of `CURVE_POINTS_MAX`,
/// which leaves the other half for the points between them.
fn pick_along(corners: &[Corner], place: impl Fn(&Corner) -> f64, also: Option<usize>) -> Vec<usize> {
    let slots = (limits::CURVE_POINTS_MAX / 2 - 3) as f64;
    let mut slot_before = None;
    let mut kept = Vec::new();
    for (index, corner) in corners.iter().enumerate() {
        let slot = Some((place(corner) * slots) as usize);
        if slot != slot_before || Some(index) == also || index + 1 == corners.len() {
            kept.push(index);
        }
        slot_before = slot;
    }
    kept
}

/// The corner with the widest gap between the classes; the first of several.
fn widest(corners: &[Corner]) -> usize {
    let last = corners.last().copied().unwrap_or(ORIGIN);
    let gap = |c: &Corner| (c.positives * last.negatives).abs_diff(c.negatives * last.positives);
    let mut best = 0;
    for (index, corner) in corners.iter().enumerate() {
        if gap(corner) > corners.get(best).map_or(0, gap) {
            best = index;
        }
    }
    best
}

pub fn precision_recall(scores: &Scores<'_>) -> PrCurve {
    let all = corners(scores.steps());
    let rises = |w: &[Corner]| w[0].positives != w[1].positives || w[1].positives != w[2].positives;
    let kept = keep_where(&all, rises);
    let positives = scores.positives() as f64;
    let rates = |c: &Corner| PrPoint {
        recall: c.positives as f64 / positives,
        precision: c.positives as f64 / (c.positives + c.negatives) as f64,
        threshold: c.threshold,
    };
    let thinned = kept.len() >= limits::CURVE_POINTS_MAX;
    let mut points = vec![PrPoint { recall: 0.0, precision: 1.0, threshold: None }];
    if thinned {
        points.extend(thin_pr(&kept, positives, rates));
    } else {
        points.extend(kept.iter().map(rates));
    }
    PrCurve {
        pr_auc: ranked::average_precision(scores.steps()),
        base_rate: scores.base_rate(),
        thinned,
        points,
    }
}

/// Between two kept points, one at the recall of the last dropped point with the mean precision of the dropped steps.
fn thin_pr(corners: &[Corner], positives: f64, rates: impl Fn(&Corner) -> PrPoint) -> Vec<PrPoint> {
    let kept = pick_along(corners, |c| c.positives as f64 / positives, None);
    let mut points: Vec<PrPoint> = kept.first().map(|&i| rates(&corners[i])).into_iter().collect();
    for pair in kept.windows(2) {
        points.extend(mean_precision(&corners[pair[0]..pair[1]], &rates));
        points.push(rates(&corners[pair[1]]));
    }
    points
}

fn mean_precision(run: &[Corner], rates: impl Fn(&Corner) -> PrPoint) -> Option<PrPoint> {
    let (first, last) = (run.first()?, run.last()?);
    let gained = last.positives - first.positives;
    if gained == 0 {
        return None;
    }
    let weighted = |w: &[Corner]| (w[1].positives - w[0].positives) as f64 * rates(&w[1]).precision;
    let sum: f64 = run.windows(2).map(weighted).sum();
    Some(PrPoint { precision: sum / gained as f64, threshold: None, ..rates(last) })
}

pub fn ks(scores: &Scores<'_>) -> KsCurve {
    let all = corners(scores.steps());
    let peak = widest(&all);
    let (positives, negatives) = (scores.positives() as f64, scores.negatives() as f64);
    let point = |c: &Corner| {
        let threshold = c.threshold?;
        Some(KsPoint {
            threshold,
            positives: c.positives as f64 / positives,
            negatives: c.negatives as f64 / negatives,
        })
    };
    let thinned = all.len() > limits::CURVE_POINTS_MAX;
    let points = if thinned {
        let kept = pick_along(&all, path_place(&all), Some(peak));
        kept.iter().filter_map(|&i| point(&all[i])).collect()
    } else {
        all.iter().filter_map(point).collect()
    };
    let threshold = all.get(peak).and_then(|c| c.threshold).unwrap_or_default();
    KsCurve { ks: ranked::ks(scores.steps()), threshold, thinned, points }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Random;

    fn many(rows: usize) -> (Vec<bool>, Vec<f64>) {
        let mut random = Random::new(11, "test");
        let labels: Vec<bool> = (0..rows).map(|_| random.unit() < 0.3).collect();
        let chance = |l: bool, x: f64| 1.0 / (1.0 + (1.0 - f64::from(u8::from(l)) - x).exp());
        let probabilities = labels.iter().map(|&l| chance(l, random.normal())).collect();
        (labels, probabilities)
    }

    fn is_between(middle: f64, low: f64, high: f64) -> bool {
        (low..=high).contains(&middle)
    }

    #[test]
    fn a_thinned_roc_curve_has_the_area_of_the_whole() {
        let (labels, probabilities) = many(20_000);
        let curve = roc(&Scores::check(&labels, &probabilities).unwrap());
        assert!(curve.thinned && curve.points.len() <= limits::CURVE_POINTS_MAX);
        assert!(curve.points.len() > limits::CURVE_POINTS_MAX * 9 / 10, "{}", curve.points.len());
        let text = serde_json::to_string(&curve).unwrap();
        let read: RocCurve = serde_json::from_str(&text).unwrap();
        assert_eq!(read, curve);
        let area: f64 = read
            .points
            .windows(2)
            .map(|w| {
                let wide = w[1].false_positive_rate - w[0].false_positive_rate;
                wide * (w[0].true_positive_rate + w[1].true_positive_rate) / 2.0
            })
            .sum();
        assert!((area - curve.auc).abs() < 1e-12, "{area} {}", curve.auc);
    }

    #[test]
    fn a_thinned_roc_curve_rises_and_passes_the_widest_gap() {
        let (labels, probabilities) = many(20_000);
        let scores = Scores::check(&labels, &probabilities).unwrap();
        let curve = roc(&scores);
        for w in curve.points.windows(2) {
            assert!(is_between(w[0].false_positive_rate, 0.0, w[1].false_positive_rate));
            assert!(is_between(w[0].true_positive_rate, 0.0, w[1].true_positive_rate));
        }
        let ends = curve.points.last().unwrap();
        assert_eq!((ends.false_positive_rate, ends.true_positive_rate), (1.0, 1.0));
        let gap = |p: &RocPoint| (p.true_positive_rate - p.false_positive_rate).abs();
        let real = curve.points.iter().filter(|p| p.threshold.is_some());
        let best = real.map(gap).fold(0.0, f64::max);
        assert!((best - ranked::ks(scores.steps())).abs() < 1e-12);
    }

    #[test]
    fn a_thinned_pr_curve_has_the_average_precision_of_the_whole() {
        let (labels, probabilities) = many(20_000);
        let curve = precision_recall(&Scores::check(&labels, &probabilities).unwrap());
        assert!(curve.thinned && curve.points.len() <= limits::CURVE_POINTS_MAX);
        let sum: f64 = curve.points.windows(2).map(|w| (w[1].recall - w[0].recall) * w[1].precision).sum();
        assert!((sum - curve.pr_auc).abs() < 1e-12, "{sum} {}", curve.pr_auc);
        assert!(curve.points.windows(2).all(|w| w[0].recall <= w[1].recall));
    }

    #[test]
    fn a_thinned_ks_curve_holds_its_peak() {
        let (labels, probabilities) = many(20_000);
        let curve = ks(&Scores::check(&labels, &probabilities).unwrap());
        assert!(curve.thinned && curve.points.len() <= limits::CURVE_POINTS_MAX);
        let peak = curve.points.iter().find(|p| p.threshold == curve.threshold).unwrap();
        assert!((peak.positives - peak.negatives - curve.ks).abs() < 1e-12);
    }
}
