//! Finished training runs: each is the project's own first run once more, with other numbers and another time.

use tallystick::app::chains::projects::Applied;
use tallystick::app::home::App;
use tallystick::app::runs::{self, Filter};
use tallystick::base::ids::RunId;
use tallystick::base::rng::Random;
use tallystick::store::open::Store;
use tallystick::tracking::metric::MetricPoint;
use tallystick::tracking::run::{Run, RunStatus};

use crate::Wanted;

/// Runs of one transaction.
const TOGETHER: usize = 1_000;
const HOUR_MS: i64 = 3_600_000;

/// A real run with the metrics that it has points of.
pub struct Pattern {
    run: Run,
    histories: Vec<String>,
}

pub fn patterns(app: &App, applied: &[Applied]) -> Vec<Pattern> {
    let pattern = |one: &Applied| {
        let filter = Filter { project: Some(one.row.name.clone()), limit: 1, ..Filter::default() };
        let run = runs::page(app, &filter).unwrap().runs.remove(0);
        let many = |key: &&String| runs::metric_history(app, run.run_id.as_str(), key).unwrap().len() > 1;
        let histories = run.metrics.keys().filter(many).cloned().collect();
        Pattern { run, histories }
    };
    applied.iter().map(pattern).collect()
}

pub fn fill(store: &Store, wanted: &Wanted, patterns: &[Pattern]) -> usize {
    let mut random = Random::new(1, "fill_lab.runs");
    let numbers: Vec<usize> = (0..wanted.runs).collect();
    for some in numbers.chunks(TOGETHER) {
        let made: Vec<(Run, Vec<(String, MetricPoint)>)> =
            some.iter().map(|at| another(&patterns[at % patterns.len()], *at, wanted, &mut random)).collect();
        store
            .write_lab(move |lab| {
                for (run, points) in &made {
                    lab.put_run_new(run)?;
                    points.iter().try_for_each(|(key, point)| lab.add_metric(&run.run_id, key, point))?;
                }
                Ok::<_, tallystick::store::error::StoreError>(())
            })
            .unwrap();
    }
    wanted.runs
}

fn another(
    pattern: &Pattern,
    at: usize,
    wanted: &Wanted,
    random: &mut Random,
) -> (Run, Vec<(String, MetricPoint)>) {
    let old = &pattern.run;
    let start = wanted.moment(at, wanted.runs);
    let mut run = Run::start(RunId::draw(), &old.experiment_id, &format!("run-{at:06}"), &old.user_id, start);
    old.params.iter().for_each(|(key, value)| run.log_param(key, value).unwrap());
    old.tags.iter().filter(|(key, _)| *key != "mlflow.runName").for_each(|(key, value)| {
        run.set_tag(key, value).unwrap();
    });
    run.set_tag("branch.ticket", &format!("MR-{}", at / 7)).unwrap();
    old.datasets.iter().for_each(|input| run.log_input(input.clone()).unwrap());
    old.artifacts.iter().for_each(|artifact| run.log_artifact(artifact.clone()).unwrap());
    let mut points = Vec::new();
    for (key, latest) in &old.metrics {
        let value = latest.value * (1.0 + 0.05 * random.normal());
        let count = if pattern.histories.contains(key) { wanted.points } else { 1 };
        for step in 0..count {
            let value = value * (1.0 + 0.3 / (step + 1) as f64);
            let point = MetricPoint { value, timestamp: start + step as i64 * 1_000, step: step as i64 };
            run.log_metric(key, point).unwrap();
            points.push((key.clone(), point));
        }
    }
    let status = match random.below(20) {
        0 => RunStatus::Failed,
        1 => RunStatus::Killed,
        _ => RunStatus::Finished,
    };
    run.finish(status, start + random.below(HOUR_MS as usize) as i64);
    (run, points)
}
