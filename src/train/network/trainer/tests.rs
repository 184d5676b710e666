//! What a network can learn that a line cannot, and its promises: same bits, prompt stop, best epoch.

use super::*;
use crate::base::progress::Silent;
use crate::model::reference::ComputeDevice;
use crate::model::scorer::Scorer as _;
use crate::train::params::{FamilyParams, RawTrainParams};

struct Sample {
    matrix: Matrix,
    labels: Vec<bool>,
}

impl Sample {
    fn examples(&self) -> Examples<'_> {
        Examples { matrix: &self.matrix, labels: &self.labels }
    }
}

/// The outcome follows whether the first two of three numbers have the same sign, as no line can.
fn crossed(rows: usize, purpose: &str) -> Sample {
    let mut random = Random::new(21, purpose);
    let values: Vec<f32> = (0..rows * 3).map(|_| (2.0 * random.unit() - 1.0) as f32).collect();
    let chance = |row: &[f32]| if row[0] * row[1] > 0.0 { 0.9 } else { 0.1 };
    let labels = values.chunks(3).map(|row| random.unit() < chance(row)).collect();
    Sample { matrix: Matrix { rows, width: 3, values }, labels }
}

fn params(settings: &[&str]) -> MlpParams {
    let mut raw = RawTrainParams::default();
    raw.set("family=mlp").unwrap();
    settings.iter().for_each(|setting| raw.set(&format!("mlp.{setting}")).unwrap());
    match raw.check().unwrap().family {
        FamilyParams::Mlp(mlp) => mlp,
        other => panic!("{other:?}"),
    }
}

fn try_fit(
    params: &MlpParams,
    start: Start,
    (train, valid): (&Sample, &Sample),
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<Learned<Network>, TrainError> {
    let recipe = FittedRecipe { fields: Vec::new(), width: 3 };
    let parts = Parts { train: train.examples(), valid: valid.examples() };
    train_network(
        Plan { params, recipe: &recipe, directions: &Directions::default(), start },
        &parts,
        cancel,
        progress,
    )
}

const FLEX: ComputeDevice = ComputeDevice::Flex;

fn fit(params: &MlpParams, seed: u64, train: &Sample, valid: &Sample) -> Learned<Network> {
    try_fit(params, Start { seed, device: FLEX }, (train, valid), &CancelFlag::new(), &Silent).unwrap()
}

fn right(network: &Network, sample: &Sample) -> f64 {
    let rows = sample.labels.iter().enumerate();
    let right =
        rows.filter(|(row, label)| (network.margin(sample.matrix.row(*row)) > 0.0) == **label).count();
    right as f64 / sample.labels.len() as f64
}

#[test]
fn a_network_learns_what_no_line_can() {
    let (train, valid) = (crossed(1_500, "train"), crossed(600, "valid"));
    let settings = ["hidden=[16]", "dropout=0", "learning_rate=0.02", "epochs=25", "batch_rows=128"];
    let learned = fit(&params(&settings), 1, &train, &valid);
    let share = right(&learned.model, &crossed(2_000, "test"));
    assert!(share > 0.82, "{share}: a coin is right in half, and nobody in more than nine of ten");
    let best = learned.epochs[learned.best_epoch - 1].valid;
    assert!(learned.epochs.iter().all(|epoch| epoch.valid >= best));
}

#[test]
fn the_same_seed_gives_the_same_bits_twice_and_in_two_threads_at_once() {
    let (train, valid) = (crossed(300, "train"), crossed(100, "valid"));
    let params = params(&["hidden=[8,4]", "epochs=3"]);
    let first = fit(&params, 7, &train, &valid);
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
        let fits: Vec<_> = beside.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(fits[0] == first && fits[2] == first && fits[1] != first);
    });
}

#[test]
fn every_parameter_changes_the_weights() {
    let (train, valid) = (crossed(200, "train"), crossed(100, "valid"));
    let model = |settings: &[&str]| {
        let settings = [&["hidden=[6]", "epochs=2", "batch_rows=64"], settings].concat();
        fit(&params(&settings), 7, &train, &valid).model
    };
    let first = model(&[]);
    for setting in [
        "hidden=[5]",
        "dropout=0.5",
        "learning_rate=0.01",
        "batch_rows=50",
        "weight_decay=50",
        "class_weight={\"positive\":3}",
        "epochs=3",
    ] {
        assert_ne!(model(&[setting]), first, "{setting}");
    }
}

/// Asks to stop when it hears of an epoch.
struct Stopper(CancelFlag);

impl Progress for Stopper {
    fn stage(&self, name: &str, total: u64) {
        assert_eq!((name, total), ("train", 60));
    }

    fn step(&self, done: u64) {
        if done == 2 {
            self.0.cancel();
        }
    }

    fn metric(&self, _key: &str, step: i64, value: f64) {
        assert!(step <= 2 && value.is_finite());
    }
}

#[test]
fn a_cancelled_training_stops_before_its_next_step() {
    let sample = crossed(200, "cancel");
    let stopper = Stopper(CancelFlag::new());
    let start = Start { seed: 1, device: FLEX };
    let stopped = try_fit(&params(&["hidden=[4]"]), start, (&sample, &sample), &stopper.0, &stopper);
    assert!(matches!(stopped, Err(TrainError::Cancelled(_))));
}

#[test]
fn an_infinite_value_is_reported_as_divergence_and_not_as_a_model() {
    let mut sample = crossed(60, "infinite");
    sample.matrix.row_mut(7)[2] = f32::INFINITY;
    let fast = params(&["hidden=[4]", "learning_rate=1"]);
    let start = Start { seed: 1, device: FLEX };
    let refused = try_fit(&fast, start, (&sample, &sample), &CancelFlag::new(), &Silent);
    assert!(matches!(refused, Err(TrainError::Diverged { .. })), "{refused:?}");
}

#[test]
fn a_large_part_tells_its_loss_by_some_of_its_rows() {
    let sample = crossed(limits::TRAIN_LOSS_ROWS_MAX + 500, "large");
    let (matrix, labels) = draw_rows(&sample.examples(), 3);
    assert_eq!((matrix.rows, labels.len()), (limits::TRAIN_LOSS_ROWS_MAX, limits::TRAIN_LOSS_ROWS_MAX));
    let place = |row: usize| (0..sample.matrix.rows).find(|&at| sample.matrix.row(at) == matrix.row(row));
    assert!((0..50).all(|row| place(row).is_some_and(|at| sample.labels[at] == labels[row])));
    let small = crossed(50, "small");
    assert_eq!(draw_rows(&small.examples(), 3).0, small.matrix);
}

#[cfg(feature = "ndarray")]
#[test]
fn the_reference_device_learns_the_same_network() {
    let (train, valid) = (crossed(300, "train"), crossed(100, "valid"));
    let params = params(&["hidden=[8]", "epochs=4"]);
    let flex = fit(&params, 7, &train, &valid);
    let start = Start { seed: 7, device: ComputeDevice::Ndarray };
    let ndarray = try_fit(&params, start, (&train, &valid), &CancelFlag::new(), &Silent).unwrap();
    for (a, b) in flex.model.members()[0][0].weights.iter().zip(&ndarray.model.members()[0][0].weights) {
        assert!((a - b).abs() < 1e-3, "{a} {b}");
    }
}
