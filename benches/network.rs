//! A network of 40-256-256-1 on drawn rows: training in CPU-seconds of one thread, one row's margin; and what it costs to
//! explain a row by the default network over 200 columns. `tests/bench/network/run.py` runs it beside PyTorch and
//! onnxruntime; alone: `cargo bench --bench network`.

use std::hint::black_box;
use std::time::Instant;

use serde_json::json;
use tallystick::base::cancel::CancelFlag;
use tallystick::base::progress::Silent;
use tallystick::base::rng::Random;
use tallystick::features::matrix::Matrix;
use tallystick::features::recipe::FittedRecipe;
use tallystick::model::network::Network;
use tallystick::model::scorer::{Prepared, Scorer as _};
use tallystick::train::course::{Parts, Start};
use tallystick::train::examples::Examples;
use tallystick::train::monotone::Directions;
use tallystick::train::network::trainer::{Plan, train_network};
use tallystick::train::params::{FamilyName, FamilyParams, RawTrainParams};

type Failure = Box<dyn std::error::Error>;

/// As in the product: an allocator of its own is part of what is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EPOCHS: usize = 5;
const ROWS: usize = 100_000;

struct Sample {
    matrix: Matrix,
    labels: Vec<bool>,
}

impl Sample {
    fn drawn(rows: usize, width: usize, purpose: &str) -> Self {
        let mut random = Random::new(1, purpose);
        let values: Vec<f32> = (0..rows * width).map(|_| random.normal() as f32).collect();
        let odds = |row: &[f32]| f64::from(row[0] * row[1] + row[2] - row[3]);
        let labels = values.chunks(width).map(|row| random.unit() < 1.0 / (1.0 + (-odds(row)).exp()));
        let labels = labels.collect();
        Self { matrix: Matrix { rows, width, values }, labels }
    }

    fn examples(&self) -> Examples<'_> {
        Examples { matrix: &self.matrix, labels: &self.labels }
    }
}

fn cpu_seconds() -> Result<f64, Failure> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e9)
}

fn train(settings: &[&str], train: &Sample, valid: &Sample) -> Result<(Network, f64), Failure> {
    let mut raw = RawTrainParams { family: FamilyName::Mlp, ..RawTrainParams::default() };
    settings.iter().try_for_each(|setting| raw.set(setting))?;
    let params = raw.check()?;
    let FamilyParams::Mlp(mlp) = &params.family else { return Err("no network".into()) };
    let recipe = FittedRecipe { fields: Vec::new(), width: train.matrix.width };
    let start = Start { seed: params.seed, device: params.device };
    let plan = Plan { params: mlp, recipe: &recipe, directions: &Directions::default(), start };
    let parts = Parts { train: train.examples(), valid: valid.examples() };
    let before = cpu_seconds()?;
    let learned = train_network(plan, &parts, &CancelFlag::new(), &Silent)?;
    Ok((learned.model, cpu_seconds()? - before))
}

fn median_us(count: usize, mut work: impl FnMut(usize)) -> f64 {
    let mut times: Vec<f64> = (0..count)
        .map(|number| {
            let start = Instant::now();
            work(number);
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[count / 2]
}

fn main() -> Result<(), Failure> {
    let (rows, valid) = (Sample::drawn(ROWS, 40, "train"), Sample::drawn(1_000, 40, "valid"));
    let epochs = format!("mlp.epochs={EPOCHS}");
    let sizes =
        ["mlp.hidden=[256,256]", "mlp.members=1", "mlp.dropout=0", "mlp.learning_rate=0.001", &epochs];
    let (network, seconds) = train(&sizes, &rows, &valid)?;
    let one_row_us = median_us(20_000, |row| {
        black_box(network.margin(rows.matrix.row(row)));
    });
    let (wide, few) = (Sample::drawn(2_000, 200, "wide"), Sample::drawn(500, 200, "few"));
    let (usual, _) = train(&["mlp.epochs=5"], &wide, &few)?;
    let reference = vec![0.0; 200];
    let explain_us = median_us(300, |row| {
        black_box(usual.contributions(wide.matrix.row(row), &reference, &Prepared::Nothing));
    });
    let usual_row_us = median_us(2_000, |row| {
        black_box(usual.margin(wide.matrix.row(row)));
    });
    let found = json!({
        "rows_per_cpu_s": (EPOCHS * ROWS) as f64 / seconds,
        "one_row_us": one_row_us,
        "usual_row_us": usual_row_us,
        "explain_us": explain_us,
    });
    std::io::Write::write_all(&mut std::io::stdout(), format!("{found}\n").as_bytes())?;
    Ok(())
}
