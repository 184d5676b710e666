//! What a network can learn that a line cannot, and its promises: same bits, prompt stop, best epoch.

use super::*;
use crate::base::progress::Silent;
use crate::features::recipe::{FittedEncoding, FittedField};
use crate::model::reference::ComputeDevice;
use crate::model::scorer::Scorer as _;
use crate::train::monotone::Direction;
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
    let directions = Directions::default();
    try_fit_over((params, &recipe, &directions), start, (train, valid), cancel, progress)
}

fn try_fit_over(
    (params, recipe, directions): (&MlpParams, &FittedRecipe, &Directions),
    start: Start,
    (train, valid): (&Sample, &Sample),
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<Learned<Network>, TrainError> {
    let parts = Parts { train: train.examples(), valid: valid.examples() };
    train_network(Plan { params, recipe, directions, start }, &parts, cancel, progress)
}

const FLAT: ComputeDevice = ComputeDevice::Flat;

fn fit(params: &MlpParams, seed: u64, train: &Sample, valid: &Sample) -> Learned<Network> {
    try_fit(params, Start { seed, device: FLAT }, (train, valid), &CancelFlag::new(), &Silent).unwrap()
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
        "batch_rows=10",
        "members=3",
        "weight_decay=50",
        "class_weight={\"positive\":3}",
        "epochs=3",
    ] {
        assert_ne!(model(&[setting]), first, "{setting}");
    }
}

fn fields_of_one_column() -> FittedRecipe {
    let field = |(start, name): (usize, &str)| FittedField {
        field: name.into(),
        encoding: FittedEncoding::Scale { mean: 0.0, deviation: 1.0, median: 0.0, indicator: false },
        start,
        width: 1,
        known_levels: Vec::new(),
        code: None,
    };
    FittedRecipe { fields: ["a", "b", "c"].into_iter().enumerate().map(field).collect(), width: 3 }
}

/// How often the margin goes down where `column` goes up, and up, over random rows swept in forty steps.
fn turns(network: &Network, column: usize) -> (usize, usize) {
    let mut random = Random::new(31, "sweep");
    let (mut down, mut up) = (0, 0);
    for _ in 0..200 {
        let mut row: Vec<f32> = (0..3).map(|_| (4.0 * random.unit() - 2.0) as f32).collect();
        let mut margin_at = |step: i16| {
            row[column] = f32::from(step) / 10.0;
            network.margin(&row)
        };
        let margins: Vec<f64> = (-20..=20).map(&mut margin_at).collect();
        down += margins.windows(2).filter(|pair| pair[1] < pair[0]).count();
        up += margins.windows(2).filter(|pair| pair[1] > pair[0]).count();
    }
    (down, up)
}

#[test]
fn a_field_that_may_go_one_way_never_goes_the_other_whatever_the_rest_of_the_row_is() {
    // The outcome wants the first column to go up in half of the rows and down in the others.
    let (train, valid) = (crossed(600, "train"), crossed(300, "valid"));
    let recipe = fields_of_one_column();
    for members in ["members=1", "members=4"] {
        let params = params(&[
            "hidden=[12,6]",
            "epochs=12",
            "learning_rate=0.02",
            "dropout=0",
            "weight_decay=0",
            members,
        ]);
        let learn = |directions: &Directions| {
            let start = Start { seed: 4, device: FLAT };
            let over = (&params, &recipe, directions);
            try_fit_over(over, start, (&train, &valid), &CancelFlag::new(), &Silent).unwrap().model
        };
        let free = turns(&learn(&Directions::default()), 0);
        assert!(free.0 > 500 && free.1 > 500, "{members}: {free:?}");
        let held = |name: &str, way| learn(&Directions::new([(name.to_string(), way)].into()));
        let rising = held("a", Direction::Rising);
        assert_eq!(turns(&rising, 0).0, 0, "{members}");
        let other = turns(&rising, 1);
        assert!(turns(&rising, 0).1 > 500 && other.0 > 500 && other.1 > 500, "{members}: {other:?}");
        let falling = held("b", Direction::Falling);
        let (own, other) = (turns(&falling, 1), turns(&falling, 0));
        assert!(own.1 == 0 && own.0 > 500 && other.0 > 500 && other.1 > 500, "{members}: {own:?} {other:?}");
    }
}

#[test]
fn a_small_set_has_as_many_steps_a_pass_as_a_large_one_of_batches() {
    assert_eq!(
        [100, 480, 2_400, 6_144, 1_000_000].map(|rows| batch_rows(256, rows)),
        [16, 20, 100, 256, 256]
    );
    assert_eq!(batch_rows(8, 100_000), 8);
    assert_eq!([1_250, 5_000, 80_000].map(prior), [2.0, 1.0, 1.0]);
}

#[test]
fn the_share_left_out_is_the_one_that_was_asked_for() {
    let kept = Dropouts::new(3, 0.3).draw(40_003);
    let out = kept.iter().filter(|kept| **kept == 0.0).count() as f64 / 40_003.0;
    assert!((out - 0.3).abs() < 0.01, "{out}");
    assert!(kept.iter().all(|kept| *kept == 0.0 || (kept - 1.0 / 0.7).abs() < 1e-6));
    assert_ne!(kept, Dropouts::new(4, 0.3).draw(40_003));
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
    let start = Start { seed: 1, device: FLAT };
    let stopped = try_fit(&params(&["hidden=[4]"]), start, (&sample, &sample), &stopper.0, &stopper);
    assert!(matches!(stopped, Err(TrainError::Cancelled(_))));
}

#[test]
fn an_infinite_value_is_reported_as_divergence_and_not_as_a_model() {
    let mut sample = crossed(60, "infinite");
    sample.matrix.row_mut(7)[2] = f32::INFINITY;
    let fast = params(&["hidden=[4]", "learning_rate=1"]);
    let start = Start { seed: 1, device: FLAT };
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

#[test]
fn burn_learns_the_same_network() {
    let (train, valid) = (crossed(300, "train"), crossed(100, "valid"));
    let params = params(&["hidden=[8]", "epochs=4"]);
    let flat = fit(&params, 7, &train, &valid);
    for device in [ComputeDevice::Flex, ComputeDevice::Ndarray] {
        if !device.is_built_in() {
            continue;
        }
        let start = Start { seed: 7, device };
        let burned = try_fit(&params, start, (&train, &valid), &CancelFlag::new(), &Silent).unwrap();
        for (a, b) in flat.model.members()[0][0].weights.iter().zip(&burned.model.members()[0][0].weights) {
            assert!((a - b).abs() < 1e-3, "{device:?}: {a} {b}");
        }
    }
}
