//! Trees on one file of rows: coding, boosting, scoring and Shapley values, each in CPU-seconds of one thread.
//! `tests/bench/trees/run.py` runs it beside LightGBM; alone: `cargo bench --bench trees -- ROWS.csv`.
//! The file's columns are `number…` and `level…`, then `outcome` (yes or no) and `test` (1 for rows that test).

use std::time::Instant;

use serde_json::json;
use tallystick::base::cancel::CancelFlag;
use tallystick::base::progress::Silent;
use tallystick::data::contract::RawContract;
use tallystick::data::table::{Cell, Kind, Table, TableBuilder};
use tallystick::features::binning::codes::CodeRules;
use tallystick::features::fit::{Form, fit};
use tallystick::features::recipe::{RawRecipe, Recipe};
use tallystick::model::shap::{Background, Explainer};
use tallystick::model::trees::batch::TreesRun;
use tallystick::model::trees::code_columns;
use tallystick::train::examples::Examples;
use tallystick::train::monotone::Directions;
use tallystick::train::params::{FamilyName, FamilyParams, RawTrainParams};
use tallystick::train::trees::fit::{Ground, code_table, grow_boosting};

type Failure = Box<dyn std::error::Error>;

struct Rows {
    table: Table,
    labels: Vec<bool>,
    tests: Vec<bool>,
    names: Vec<String>,
}

fn read(path: &str) -> Result<Rows, Failure> {
    let mut reader = csv::Reader::from_path(path)?;
    let names: Vec<String> = reader.headers()?.iter().map(String::from).collect();
    let fields = names.len() - 2;
    let is_number = |name: &String| name.starts_with("number");
    let kind = |name: &String| if is_number(name) { Kind::Number } else { Kind::Text };
    let mut builder = TableBuilder::new(names[..fields].iter().map(|name| (name.as_str(), kind(name))));
    let (mut labels, mut tests) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record?;
        let cell = |at: usize| match &record[at] {
            "" => Cell::Missing,
            text if is_number(&names[at]) => text.parse().map_or(Cell::Missing, Cell::Number),
            text => Cell::Text(text),
        };
        builder.push_row((0..fields).map(cell));
        labels.push(&record[fields] == "yes");
        tests.push(&record[fields + 1] == "1");
    }
    Ok(Rows { table: builder.finish(), labels, tests, names: names[..fields].to_vec() })
}

fn recipe(names: &[String]) -> Result<Recipe, Failure> {
    let mut columns = Vec::new();
    let mut features = Vec::new();
    for name in names {
        let number = name.starts_with("number");
        let (kind, encode) = if number { ("number", "piecewise") } else { ("text", "one_hot") };
        columns.push(json!({"name": name, "kind": kind, "role": "feature"}));
        features.push(json!({"field": name, "encode": encode}));
    }
    columns.push(json!({"name": "outcome", "kind": "text", "role": "target"}));
    let contract: RawContract = serde_json::from_value(json!({ "columns": columns }))?;
    let raw: RawRecipe = serde_json::from_value(json!({ "features": features }))?;
    Ok(raw.check(&contract.check()?)?)
}

/// Of this thread alone.
fn cpu_s() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Rows a CPU-second, repeated until there is something to measure.
fn rate(rows: usize, mut work: impl FnMut()) -> f64 {
    let (begun, mut done, wall) = (cpu_s(), 0, Instant::now());
    while wall.elapsed().as_secs_f64() < 0.5 {
        work();
        done += rows;
    }
    done as f64 / (cpu_s() - begun)
}

fn main() -> Result<(), Failure> {
    let path = std::env::args().skip(1).find(|word| !word.starts_with("--"));
    let Some(path) = path else { return Ok(()) };
    let rows = read(&path)?;
    let part = |test: bool| (0..rows.labels.len()).filter(|&row| rows.tests[row] == test).collect::<Vec<_>>();
    let (teach, test) = (part(false), part(true));
    let (taught, labels) =
        (rows.table.select(&teach), teach.iter().map(|&r| rows.labels[r]).collect::<Vec<_>>());
    let tested = rows.table.select(&test);
    let recipe = recipe(&rows.names)?;
    let raw = RawTrainParams { family: FamilyName::Boosting, ..RawTrainParams::default() };
    let FamilyParams::Boosting(settings) = raw.check()?.family else { return Err("no boosting".into()) };
    let before_mb = peak_mb();
    let begun = cpu_s();
    let fitted = fit(&recipe, &Form::Codes(CodeRules::default()), &taught)?;
    let matrix = fitted.transform(&taught)?;
    let coded_s = cpu_s() - begun;
    let directions = Directions::default();
    let ground = Ground { recipe: &fitted, directions: &directions, seed: 1 };
    let examples = Examples { matrix: &matrix, labels: &labels };
    let grown = grow_boosting(&settings, ground, &examples, (&CancelFlag::new(), &Silent))?;
    let train_s = cpu_s() - begun;
    let fit_mb = peak_mb() - before_mb;
    let trees = grown.trees;
    let table = code_table(&code_columns(&fitted), &fitted.transform(&tested)?);
    let run = TreesRun::of(&trees);
    let mut margins = vec![0.0; table.rows];
    let score_rate = rate(table.rows, || run.margins(&table.columns, &mut margins));
    let by_row: Vec<u8> =
        (0..table.rows).flat_map(|row| table.columns.iter().map(move |column| column[row])).collect();
    let explainer = Explainer::new(&trees, Background::Cover)?;
    let mut values = vec![0.0; by_row.len()];
    let shap_rate = rate(table.rows, || explainer.explain_rows(&by_row, &mut values));
    let width = explainer.columns();
    let gap = margins.iter().zip(values.chunks(width)).fold(0.0f64, |gap, (margin, own)| {
        gap.max((explainer.base() + own.iter().sum::<f64>() - margin).abs())
    });
    let told = json!({
        "rows": teach.len(), "coded_s": coded_s, "train_s": train_s, "fit_mb": fit_mb,
        "trees": trees.trees.len(), "score_rows_per_s": score_rate, "shap_rows_per_s": shap_rate,
        "shap_gap": gap, "margins": margins,
    });
    std::io::Write::write_all(&mut std::io::stdout(), told.to_string().as_bytes())?;
    Ok(())
}
