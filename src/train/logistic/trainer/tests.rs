//! Training against a plain Newton solver, and its promises: same bits, prompt stop, best epoch.

use std::sync::Mutex;

use super::*;
use crate::base::progress::Silent;
use crate::features::matrix::Matrix;
use crate::model::calibrate::sigmoid;
use crate::model::reference::ComputeDevice;
use crate::model::scorer::Scorer as _;
use crate::train::course::{Best, GAIN_MIN};
use crate::train::params::{FamilyParams, RawTrainParams, TrainParams};

struct Sample {
    matrix: Matrix,
    labels: Vec<bool>,
}

impl Sample {
    fn examples(&self) -> Examples<'_> {
        Examples { matrix: &self.matrix, labels: &self.labels }
    }
}

/// Rows of uniform values whose outcome follows a linear margin about `bias`.
fn linear_sample(rows: usize, width: usize, bias: f64, purpose: &str) -> Sample {
    let mut random = Random::new(11, purpose);
    let mut matrix = Matrix::zeros(rows, width);
    let mut labels = Vec::new();
    for row in 0..rows {
        let mut margin = bias;
        for (column, value) in matrix.row_mut(row).iter_mut().enumerate() {
            *value = random.unit() as f32;
            margin += 3.0 * (column as f64).sin() * (f64::from(*value) - 0.5);
        }
        labels.push(random.unit() < sigmoid(margin));
    }
    Sample { matrix, labels }
}

const BINS: usize = 16;

/// Five fields on a curve each, as piecewise-linear columns: strongly correlated, as real ones are.
fn binned_sample(rows: usize, purpose: &str) -> Sample {
    let mut random = Random::new(12, purpose);
    let mut matrix = Matrix::zeros(rows, 5 * BINS);
    let mut labels = Vec::new();
    for row in 0..rows {
        let mut margin = -0.5;
        for field in 0..5 {
            let place = random.unit();
            margin += (1.5 + field as f64 * place).sin() * 1.5 * (field as f64 - 1.5) * place;
            let columns = &mut matrix.row_mut(row)[field * BINS..][..BINS];
            for (bin, value) in columns.iter_mut().enumerate() {
                *value = (place * BINS as f64 - bin as f64).clamp(0.0, 1.0) as f32;
            }
        }
        labels.push(random.unit() < sigmoid(margin));
    }
    Sample { matrix, labels }
}

fn defaults() -> LogisticParams {
    with(&[])
}

fn with(settings: &[&str]) -> LogisticParams {
    let mut raw = RawTrainParams::default();
    settings.iter().for_each(|setting| raw.set(&format!("logistic.{setting}")).unwrap());
    match raw.check().unwrap() {
        TrainParams { family: FamilyParams::Logistic(logistic), .. } => logistic,
        other => panic!("{other:?}"),
    }
}

fn fit(params: &LogisticParams, seed: u64, train: &Sample, valid: &Sample) -> Fit {
    let start = Start { seed, device: ComputeDevice::Flex };
    let parts = Parts { train: train.examples(), valid: valid.examples() };
    train_logistic(Plan { params, directions: &[], start }, &parts, &CancelFlag::new(), &Silent).unwrap()
}

fn log_loss(linear: &Linear, sample: &Sample) -> f64 {
    let matrix = &sample.examples().matrix;
    let margins: Vec<f64> = (0..matrix.rows).map(|row| linear.margin(matrix.row(row))).collect();
    ClassCosts { negative: 1.0, positive: 1.0, log_odds: 0.0 }.mean_loss(&margins, sample.examples().labels)
}

/// Newton's method on sum of log losses + ridge / 2 * |weights|^2, the bias free: scikit-learn's
/// objective with C = 1 / ridge.
fn newton(sample: &Sample, ridge: f64) -> Linear {
    let width = sample.matrix.width + 1;
    let mut values = vec![0.0f64; width];
    for _ in 0..30 {
        let mut gradient: Vec<f64> = values.iter().map(|v| ridge * v).collect();
        gradient[width - 1] = 0.0;
        let mut hessian = vec![vec![0.0f64; width]; width];
        (0..width).for_each(|at| hessian[at][at] = if at + 1 < width { ridge } else { 0.0 });
        for (row, &label) in sample.labels.iter().enumerate() {
            let mut x: Vec<f64> = sample.matrix.row(row).iter().map(|&v| f64::from(v)).collect();
            x.push(1.0);
            let p = sigmoid(x.iter().zip(&values).map(|(x, v)| x * v).sum());
            for i in 0..width {
                gradient[i] += (p - f64::from(u8::from(label))) * x[i];
                (0..=i).for_each(|j| hessian[i][j] += p * (1.0 - p) * x[i] * x[j]);
            }
        }
        let step = solve(hessian, gradient);
        values.iter_mut().zip(&step).for_each(|(v, s)| *v -= s);
        if step.iter().all(|s| s.abs() < 1e-9) {
            break;
        }
    }
    let bias = values.pop().unwrap() as f32;
    Linear { weights: values.into_iter().map(|v| v as f32).collect(), bias }
}

/// Cholesky on the lower half of a symmetric positive matrix.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for i in 0..n {
        for j in 0..=i {
            let sum = a[i][j] - (0..j).map(|k| a[i][k] * a[j][k]).sum::<f64>();
            a[i][j] = if i == j { sum.max(1e-12).sqrt() } else { sum / a[j][j] };
        }
        b[i] = (b[i] - (0..i).map(|k| a[i][k] * b[k]).sum::<f64>()) / a[i][i];
    }
    for i in (0..n).rev() {
        b[i] = (b[i] - (i + 1..n).map(|k| a[k][i] * b[k]).sum::<f64>()) / a[i][i];
    }
    b
}

/// The area under the ROC curve by ranks; the samples here have no ties.
fn auc(linear: &Linear, sample: &Sample) -> f64 {
    let mut order: Vec<(f64, bool)> = sample
        .labels
        .iter()
        .enumerate()
        .map(|(row, &label)| (linear.margin(sample.matrix.row(row)), label))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut negatives, mut wins) = (0.0, 0.0);
    for (_, label) in order {
        if label { wins += negatives } else { negatives += 1.0 }
    }
    wins / (negatives * (sample.labels.len() as f64 - negatives))
}

#[test]
fn the_defaults_reach_the_optimum_that_newton_finds() {
    let sample = linear_sample(2_000, 20, -1.0, "oracle");
    let optimum = log_loss(&newton(&sample, 0.0), &sample);
    let found = fit(&with(&["weight_decay=0"]), 1, &sample, &sample);
    let loss = log_loss(&found.linear, &sample);
    assert!(loss >= optimum - 1e-6 && loss - optimum < 1e-3, "{loss} where {optimum} is the least");
}

#[test]
fn the_defaults_rank_binned_fields_as_the_ridge_optimum_does() {
    let (train, valid) = (binned_sample(2_400, "train"), binned_sample(2_000, "valid"));
    let test = binned_sample(4_000, "test");
    let found = auc(&fit(&defaults(), 1, &train, &valid).linear, &test);
    for ridge in [1.0, 10.0] {
        let peer = auc(&newton(&train, ridge), &test);
        assert!(peer > 0.65 && found > peer - 0.003, "{found} where ridge {ridge} has {peer}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_twice_and_in_two_threads_at_once() {
    let (train, valid) = (linear_sample(600, 8, 0.0, "train"), linear_sample(200, 8, 0.0, "valid"));
    let params = with(&["epochs=6"]);
    let first = fit(&params, 7, &train, &valid);
    assert_eq!(fit(&params, 7, &train, &valid), first);
    std::thread::scope(|scope| {
        let beside: Vec<_> = [7, 8, 7]
            .into_iter()
            .map(|seed| {
                scope.spawn({
                    let (p, t, v) = (&params, &train, &valid);
                    move || fit(p, seed, t, v)
                })
            })
            .collect();
        let fits: Vec<Fit> = beside.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(fits[0] == first && fits[2] == first && fits[1] != first);
    });
}

#[test]
fn another_seed_or_parameter_gives_other_weights() {
    let (train, valid) = (linear_sample(600, 8, 0.0, "train"), linear_sample(200, 8, 0.0, "valid"));
    let first = fit(&with(&["epochs=4"]), 7, &train, &valid).linear;
    assert_ne!(fit(&with(&["epochs=4"]), 8, &train, &valid).linear, first);
    for setting in ["learning_rate=0.01", "batch_rows=100", "weight_decay=0.5", "class_weight=balanced"] {
        assert_ne!(fit(&with(&["epochs=4", setting]), 7, &train, &valid).linear, first, "{setting}");
    }
}

/// Remembers what it is told, and asks to stop when it hears of an epoch.
struct Recorder {
    cancel: CancelFlag,
    cancel_at: Option<u64>,
    heard: Mutex<Vec<(String, i64, f64)>>,
}

impl Recorder {
    fn new(cancel_at: Option<u64>) -> Self {
        Self { cancel: CancelFlag::new(), cancel_at, heard: Mutex::default() }
    }

    fn run(&self, params: &LogisticParams, train: &Sample, valid: &Sample) -> Result<Fit, TrainError> {
        let start = Start { seed: 1, device: ComputeDevice::Flex };
        let parts = Parts { train: train.examples(), valid: valid.examples() };
        train_logistic(Plan { params, directions: &[], start }, &parts, &self.cancel, self)
    }
}

impl Progress for Recorder {
    fn stage(&self, name: &str, total: u64) {
        self.heard.lock().unwrap().push((name.to_string(), total as i64, 0.0));
    }

    fn step(&self, done: u64) {
        if self.cancel_at == Some(done) {
            self.cancel.cancel();
        }
    }

    fn metric(&self, key: &str, step: i64, value: f64) {
        self.heard.lock().unwrap().push((key.to_string(), step, value));
    }
}

#[test]
fn a_cancelled_training_stops_before_its_next_step() {
    let sample = linear_sample(300, 4, 0.0, "cancel");
    let recorder = Recorder::new(Some(2));
    let stopped = recorder.run(&defaults(), &sample, &sample);
    assert!(matches!(stopped, Err(TrainError::Cancelled(_))));
    assert_eq!(recorder.heard.lock().unwrap().len(), 1 + 2 * 2, "a stage, and two losses for two epochs");
    let before = Recorder::new(None);
    before.cancel.cancel();
    assert!(matches!(before.run(&defaults(), &sample, &sample), Err(TrainError::Cancelled(_))));
}

#[test]
fn every_epoch_reports_its_true_losses() {
    let (train, valid) = (linear_sample(300, 4, 0.0, "a"), linear_sample(200, 4, 0.0, "b"));
    let recorder = Recorder::new(None);
    let fit = recorder.run(&with(&["epochs=3", "patience=3"]), &train, &valid).unwrap();
    let mut expected = vec![("train".to_string(), 3, 0.0)];
    for loss in &fit.epochs {
        expected.push(("train_loss".to_string(), loss.epoch as i64, loss.train.unwrap()));
        expected.push(("valid_loss".to_string(), loss.epoch as i64, loss.valid));
    }
    assert_eq!(*recorder.heard.lock().unwrap(), expected);
    let best = fit.epochs[fit.best_epoch - 1];
    assert_eq!(
        (best.train, best.valid),
        (Some(log_loss(&fit.linear, &train)), log_loss(&fit.linear, &valid))
    );
}

#[test]
fn early_stopping_waits_for_its_patience_and_restores_the_best_epoch() {
    let (train, valid) = (linear_sample(80, 30, 0.0, "few"), linear_sample(400, 30, 0.0, "many"));
    let fit = fit(
        &with(&["learning_rate=0.2", "patience=7", "batch_rows=16", "weight_decay=0"]),
        3,
        &train,
        &valid,
    );
    let least = fit.epochs.iter().map(|e| e.valid).fold(f64::INFINITY, f64::min);
    let best = fit.epochs[fit.best_epoch - 1];
    assert_eq!(best.valid, least);
    assert_eq!(fit.epochs.len(), fit.best_epoch + 7);
    assert!(fit.epochs.last().unwrap().valid > least + 0.01, "the last epoch should be clearly worse");
    assert_eq!(log_loss(&fit.linear, &valid), least);
}

#[test]
fn class_weights_move_the_mean_margin_to_the_weighted_base_rate() {
    let sample = linear_sample(1_500, 6, -2.0, "rare");
    let mean_margin = |setting: &str| {
        let linear = fit(&with(&[setting, "weight_decay=0"]), 1, &sample, &sample).linear;
        let rows = sample.labels.len();
        (0..rows).map(|row| linear.margin(sample.matrix.row(row))).sum::<f64>() / rows as f64
    };
    let plain = mean_margin("class_weight=none");
    let positives = sample.examples().positives() as f64;
    let odds = (sample.labels.len() as f64 - positives) / positives;
    assert!(odds > 3.0, "{odds}");
    let shift = mean_margin("class_weight=balanced") - plain;
    assert!((shift - odds.ln()).abs() < 0.15, "{shift} where {} was due", odds.ln());
    let shift = mean_margin("class_weight={\"positive\":3}") - plain;
    assert!((shift - 3f64.ln()).abs() < 0.1, "{shift}");
}

#[test]
fn parts_that_do_not_fit_together_are_refused() {
    let good = linear_sample(50, 4, 0.0, "good");
    let refusal =
        |train: &Sample, valid: &Sample| Recorder::new(None).run(&defaults(), train, valid).unwrap_err();
    let wide = linear_sample(50, 5, 0.0, "wide");
    assert!(matches!(refusal(&good, &wide), TrainError::Width { train: 4, valid: 5 }));
    let none = linear_sample(0, 4, 0.0, "none");
    assert!(matches!(refusal(&good, &none), TrainError::Empty { part: "validation" }));
    let uneven = Sample { matrix: good.matrix.clone(), labels: vec![true; 49] };
    assert!(matches!(refusal(&uneven, &good), TrainError::Uneven { labels: 49, .. }));
    let same = Sample { matrix: good.matrix.clone(), labels: vec![true; 50] };
    assert!(matches!(refusal(&same, &good), TrainError::OneClass { outcome: "positive", .. }));
}

#[test]
fn an_infinite_value_is_reported_as_divergence_and_not_as_a_model() {
    let mut sample = linear_sample(50, 4, 0.0, "infinite");
    sample.matrix.row_mut(7)[2] = f32::INFINITY;
    let refused = Recorder::new(None).run(&defaults(), &sample, &sample);
    assert!(matches!(refused, Err(TrainError::Diverged { epoch: 1 })), "{refused:?}");
}

#[test]
fn a_gain_too_small_to_wait_for_is_kept_all_the_same() {
    let linear = |bias| Linear { weights: Vec::new(), bias };
    let mut best = Best::of(linear(0.0));
    best.offer(1, 0.5, linear(1.0));
    best.offer(2, 0.5 - GAIN_MIN / 2.0, linear(2.0));
    assert_eq!((best.epoch, best.model.bias, best.gained_epoch), (2, 2.0, 1));
    best.offer(3, 0.5 - 1.5 * GAIN_MIN, linear(3.0));
    best.offer(4, 0.6, linear(4.0));
    assert_eq!((best.epoch, best.model.bias, best.gained_epoch), (3, 3.0, 3));
}

#[cfg(feature = "ndarray")]
#[test]
fn the_reference_device_learns_the_same_model() {
    let (train, valid) = (linear_sample(600, 8, 0.0, "train"), linear_sample(200, 8, 0.0, "valid"));
    let params = with(&["epochs=6"]);
    let flex = fit(&params, 7, &train, &valid);
    let start = Start { seed: 7, device: ComputeDevice::Ndarray };
    let parts = Parts { train: train.examples(), valid: valid.examples() };
    let ndarray =
        train_logistic(Plan { params: &params, directions: &[], start }, &parts, &CancelFlag::new(), &Silent)
            .unwrap();
    for (a, b) in flex.linear.weights.iter().zip(&ndarray.linear.weights) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}

#[test]
fn a_column_never_moves_the_margin_the_forbidden_way_whatever_the_rows_say() {
    // Column 1 rises in truth and column 4 falls; both are asked for the opposite, column 2 for what it does.
    let (train, valid) = (linear_sample(800, 8, 0.0, "train"), linear_sample(300, 8, 0.0, "valid"));
    let mut directions = [Monotone::Free; 8];
    (directions[1], directions[4], directions[2]) = (Monotone::Falling, Monotone::Rising, Monotone::Rising);
    let params = with(&["epochs=20"]);
    let start = Start { seed: 1, device: ComputeDevice::Flex };
    let parts = Parts { train: train.examples(), valid: valid.examples() };
    let plan = Plan { params: &params, directions: &directions, start };
    let held = train_logistic(plan, &parts, &CancelFlag::new(), &Silent).unwrap().linear;
    let free = fit(&params, 1, &train, &valid).linear;
    assert!(free.weights[1] > 0.3 && free.weights[4] < -0.3, "{:?}", free.weights);
    assert!(held.weights[2] > 0.3, "{:?}", held.weights);
    for row in 0..50 {
        for (column, sign) in [(1, -1.0), (2, 1.0), (4, 1.0)] {
            let mut swept = train.matrix.row(row).to_vec();
            let margins: Vec<f64> = (0..=40)
                .map(|step| {
                    swept[column] = step as f32 / 20.0 - 0.5;
                    held.margin(&swept)
                })
                .collect();
            assert!(margins.windows(2).all(|two| sign * (two[1] - two[0]) >= 0.0), "{column}: {margins:?}");
        }
    }
}
