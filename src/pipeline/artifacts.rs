//! The files a run leaves for people and programs: each figure once as JSON and once as SVG.
//! Everything is of the test part; nothing here changes the model.

use serde::Serialize;

use crate::base::canonical;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::config::project::Project;
use crate::evaluate::calibration::{distribution, reliability};
use crate::evaluate::charts::bars::{draw_importance, draw_lift};
use crate::evaluate::charts::calibration::draw_calibration;
use crate::evaluate::charts::curves::{draw_precision_recall, draw_roc};
use crate::evaluate::charts::distribution::{ClassNames, draw_distribution};
use crate::evaluate::charts::loss::{EpochLoss, draw_loss};
use crate::evaluate::compare::kept::{self, KeptScores};
use crate::evaluate::curves::{precision_recall, roc};
use crate::evaluate::importance::{FieldContribution, Importance, rank};
use crate::evaluate::scores::Scores;
use crate::evaluate::tables::gain;
use crate::features::matrix::Matrix;
use crate::model::scorer::Method;
use crate::model::trained::Model;
use crate::pipeline::evaluation::Evaluation;
use crate::pipeline::parts::{EncodedParts, TestScores};
use crate::train::fit::FittedFamily;

/// A file of a run, by its path below the run's artifact root.
pub struct Artifact {
    pub path: String,
    pub bytes: Vec<u8>,
}

struct Drawer(Vec<Artifact>);

impl Drawer {
    fn add(&mut self, name: &str, figures: &impl Serialize, svg: String) -> Result<(), Failure> {
        let json = canonical::to_bytes(figures)?;
        self.0.push(Artifact { path: format!("{name}.json"), bytes: json });
        self.0.push(Artifact { path: format!("{name}.svg"), bytes: svg.into_bytes() });
        Ok(())
    }
}

pub fn draw_artifacts(
    project: &Project,
    model: &Model,
    parts: &EncodedParts<'_>,
    test: &TestScores<'_>,
    known: (&FittedFamily, &Evaluation),
) -> Result<Vec<Artifact>, Failure> {
    let (fitted, evaluation) = known;
    let mut drawer = Drawer(Vec::new());
    draw_scores(&mut drawer, project, test, evaluation)?;
    let importance = importance(model, &parts.test)?;
    let svg = draw_importance(&importance);
    drawer.add("importance", &importance, svg)?;
    let epochs: Vec<EpochLoss> = fitted
        .epochs
        .iter()
        .map(|e| EpochLoss { step: e.epoch as u64, train: e.train, valid: Some(e.valid) })
        .collect();
    if !epochs.is_empty() {
        let svg = draw_loss(&epochs);
        drawer.add("loss", &epochs, svg)?;
    }
    drawer.0.push(keep_scores(parts, test));
    let bytes = canonical::to_bytes(evaluation)?;
    drawer.0.push(Artifact { path: "evaluation.json".into(), bytes });
    Ok(drawer.0)
}

/// What each test row scored, so that another run on the same rows can be compared with this one.
fn keep_scores(parts: &EncodedParts<'_>, test: &TestScores<'_>) -> Artifact {
    let rows = parts.rows;
    let scores = KeptScores {
        rows_digest: rows.test.table.content_digest(),
        // A table has at most `ROWS_MAX` rows, which are fewer.
        places: rows.split.test.iter().map(|&row| u32::try_from(row).unwrap_or(u32::MAX)).collect(),
        labels: test.labels.to_vec(),
        probabilities: test.probabilities.clone(),
    };
    Artifact { path: kept::NAME.into(), bytes: scores.to_bytes() }
}

fn draw_scores(
    drawer: &mut Drawer,
    project: &Project,
    test: &TestScores<'_>,
    evaluation: &Evaluation,
) -> Result<(), Failure> {
    let scores = Scores::check(test.labels, &test.probabilities)?;
    let curve = roc(&scores);
    drawer.add("roc", &curve, draw_roc(&curve, evaluation.intervals.get("auc")))?;
    let curve = precision_recall(&scores);
    drawer.add("pr", &curve, draw_precision_recall(&curve, evaluation.intervals.get("pr_auc")))?;
    let bins = reliability(&scores);
    drawer.add("calibration", &bins, draw_calibration(&bins))?;
    let table = gain(&scores);
    drawer.add("lift", &table, draw_lift(&table))?;
    let bars = distribution(&scores);
    let positive = project.settings.positive.as_str();
    let names = ClassNames { positive, negative: "all other" };
    let svg = draw_distribution(&bars, names, Some(evaluation.cutoff));
    drawer.add("scores", &bars, svg)
}

/// Mean contributions of each field against the training mean.
fn importance(model: &Model, matrix: &Matrix) -> Result<Importance, Failure> {
    let most = match model.family.scorer().method() {
        Method::Terms | Method::Coalitions => limits::IMPORTANCE_ROWS_MAX,
        Method::Path => limits::IMPORTANCE_ROWS_PATH_MAX,
    };
    let rows = matrix.rows.min(most);
    let mut sums: Vec<FieldContribution> = model
        .recipe
        .fields
        .iter()
        .map(|f| FieldContribution { field: f.field.clone(), mean_absolute: 0.0, mean: 0.0 })
        .collect();
    let population = model.reasoner(&model.background)?;
    for row in 0..rows {
        let explanation = model.explain(matrix.row(row), &population);
        for (sum, part) in sums.iter_mut().zip(&explanation.fields) {
            sum.mean += part.value / rows as f64;
            sum.mean_absolute += part.value.abs() / rows as f64;
        }
    }
    Ok(rank(&sums)?)
}
