//! Runs side by side, as they are told.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::runs::compare::{Against, Comparison, Row};
use crate::evaluate::compare::paired::{Difference, Verdict};
use crate::http::views::run::{RunInfo, RunView};

/// Values in the order of the runs; null where a run has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParamRow {
    pub key: String,
    pub values: Vec<Option<String>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MetricRow {
    pub key: String,
    pub values: Vec<Option<f64>>,
}

/// The rows that all runs were tested on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TestRows {
    pub digest: String,
    pub rows: u64,
    pub positives: u64,
}

/// A run's figure less the first run's, with the paired bootstrap interval of that difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DifferenceView {
    #[schema(example = "auc")]
    pub metric: String,
    pub first: f64,
    pub other: f64,
    pub difference: f64,
    pub low: f64,
    pub high: f64,
    pub level: f64,
    pub rounds: u64,
    /// `better`, `worse` or `no_difference`, of this run.
    #[schema(example = "no_difference")]
    pub verdict: String,
    /// The same in words.
    pub words: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgainstView {
    pub run_id: String,
    pub differences: Vec<DifferenceView>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CompareView {
    /// In the order asked for; all others are measured against the first.
    pub runs: Vec<RunInfo>,
    /// Those that are not the same in all runs.
    pub params: Vec<ParamRow>,
    pub metrics: Vec<MetricRow>,
    pub test: TestRows,
    pub against: Vec<AgainstView>,
}

impl CompareView {
    pub fn of(comparison: Comparison) -> Self {
        let Comparison { runs, params, metrics, rows, positives, rows_digest, against } = comparison;
        let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
        let against = against.iter().map(|against| AgainstView {
            run_id: runs.get(against.run).map(|run| run.run_id.to_string()).unwrap_or_default(),
            differences: differences(against, &names),
        });
        Self {
            against: against.collect(),
            params: params.into_iter().map(|Row { key, values }| ParamRow { key, values }).collect(),
            metrics: metrics.into_iter().map(metric).collect(),
            test: TestRows { digest: rows_digest.to_hex(), rows: rows as u64, positives: positives as u64 },
            runs: runs.iter().map(|run| RunView::of(run).info).collect(),
        }
    }
}

/// What is no number is null.
fn metric(Row { key, values }: Row<f64>) -> MetricRow {
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    MetricRow { key, values: values.into_iter().map(finite).collect() }
}

fn differences(against: &Against, names: &[&str]) -> Vec<DifferenceView> {
    let name = |at: usize| names.get(at).copied().unwrap_or_default();
    let told = |difference: &Difference| DifferenceView {
        metric: difference.metric.to_string(),
        first: difference.first,
        other: difference.other,
        difference: difference.difference,
        low: difference.low,
        high: difference.high,
        level: difference.level,
        rounds: difference.rounds as u64,
        verdict: match difference.verdict {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::NoDifference => "no_difference",
        }
        .to_string(),
        words: match difference.verdict {
            Verdict::Better => format!("{} is better than {} beyond chance", name(against.run), name(0)),
            Verdict::Worse => format!("{} is worse than {} beyond chance", name(against.run), name(0)),
            Verdict::NoDifference => "no difference beyond chance".to_string(),
        },
    };
    against.differences.iter().map(told).collect()
}
