//! What must hold of a model that was trained for real: burn agrees with the flat pass, golden rows are nobody.

use std::path::Path;

use tallystick::base::cancel::CancelFlag;
use tallystick::base::limits;
use tallystick::base::progress::Silent;
use tallystick::config::project::Project;
use tallystick::data::import::reader::Purpose;
use tallystick::data::import::whole::read_table;
use tallystick::data::table::Table;
use tallystick::features::matrix::Matrix;
use tallystick::model::reference::{self, ComputeDevice};
use tallystick::model::scorer::Family;
use tallystick::pipeline::candidate::Candidate;
use tallystick::pipeline::flow;
use tallystick::registry::content::LoadedModel;

use crate::support::{fixture, say};

fn trained(overrides: &[String]) -> (Table, Candidate) {
    let project = Project::load(Path::new(&fixture("projects/loan-default")), overrides).unwrap();
    let path = fixture("loan-default/sample.csv");
    let (table, _) =
        read_table(Path::new(&path), &project.contract, Purpose::Training, limits::ROWS_MAX).unwrap();
    let candidate = flow::train(&project, table.clone(), &CancelFlag::new(), &Silent).unwrap();
    (table, candidate)
}

fn largest_difference(loaded: &LoadedModel, matrix: &Matrix, device: ComputeDevice) -> f64 {
    let Family::Logistic(linear) = &loaded.model.family else { panic!("a logistic model was trained") };
    let burn = reference::margins(linear, matrix, device).unwrap();
    let flat = loaded.model.margins(matrix);
    assert_eq!(burn.len(), flat.len());
    burn.iter().zip(&flat).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn burn_on_both_devices_agrees_with_the_flat_pass_to_a_millionth() {
    let (table, candidate) = trained(&[]);
    let loaded = candidate.pack.load().unwrap();
    let matrix = loaded.model.recipe.transform(&table).unwrap();
    for device in [ComputeDevice::Flex, ComputeDevice::Ndarray] {
        let difference = largest_difference(&loaded, &matrix, device);
        say(&format!("{device:?}: {} rows, {} columns, at most {difference:e}", matrix.rows, matrix.width));
        assert!(difference <= 1e-6, "{device:?} differs by {difference:e}");
    }
}

#[test]
fn training_on_ndarray_reaches_what_flex_reaches() {
    let auc = |device: &str| {
        let (_, candidate) = trained(&[format!("device={device}")]);
        candidate.evaluation.metrics["auc"]
    };
    let (flex, ndarray) = (auc("flex"), auc("ndarray"));
    assert!((flex - ndarray).abs() < 0.002, "{flex} {ndarray}");
}

#[test]
fn no_golden_row_is_a_training_row() {
    let (table, candidate) = trained(&[]);
    let golden = candidate.pack.load().unwrap().golden.to_table();
    assert!(golden.rows() > 10);
    let names: Vec<&str> = golden.columns().iter().map(|c| c.name.as_str()).collect();
    let row_of = |t: &Table, row: usize| -> Vec<String> {
        names.iter().map(|name| format!("{:?}", t.find_column(name).unwrap().cell(row))).collect()
    };
    let training: std::collections::BTreeSet<Vec<String>> =
        (0..table.rows()).map(|row| row_of(&table, row)).collect();
    for row in 0..golden.rows() {
        assert!(!training.contains(&row_of(&golden, row)), "golden row {row} is a training row");
    }
}
