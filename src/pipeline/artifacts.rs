//! The files a run leaves for people and programs: each figure once as JSON or CSV, and as SVG where it can be drawn.
//! Everything is of the test part, but for a scorecard's bins; nothing here changes the model, and no file shows a value
//! of a single person.

use serde::Serialize;

use crate::base::canonical;
use crate::base::fact::Failure;
use crate::config::project::Project;
use crate::evaluate::charts::loss::{EpochLoss, draw_loss};
use crate::evaluate::compare::kept::{self, KeptScores};
use crate::model::trained::Model;
use crate::pipeline::artifacts::blurred::{BlurredField, blur};
use crate::pipeline::artifacts::card::draw_card;
use crate::pipeline::artifacts::explained::{Explained, draw_explained};
use crate::pipeline::artifacts::parts::{draw_segments, draw_time};
use crate::pipeline::artifacts::scores::draw_scores;
use crate::pipeline::evaluation::Evaluation;
use crate::pipeline::parts::{EncodedParts, TestScores};
use crate::train::fit::FittedFamily;

mod blurred;
pub mod card;
mod explained;
mod parts;
mod scores;

/// A file of a run, by its path below the run's artifact root.
pub struct Artifact {
    pub path: String,
    pub bytes: Vec<u8>,
}

struct Drawer(Vec<Artifact>);

impl Drawer {
    fn add(&mut self, name: &str, figures: &impl Serialize, svg: String) -> Result<(), Failure> {
        self.add_json(name, figures)?;
        self.add_text(&format!("{name}.svg"), svg);
        Ok(())
    }

    fn add_json(&mut self, name: &str, figures: &impl Serialize) -> Result<(), Failure> {
        let bytes = canonical::to_bytes(figures)?;
        self.0.push(Artifact { path: format!("{name}.json"), bytes });
        Ok(())
    }

    fn add_text(&mut self, path: &str, text: String) {
        self.0.push(Artifact { path: path.into(), bytes: text.into_bytes() });
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
    let fields: Vec<BlurredField<'_>> = blur(&model.recipe, &parts.rows.test.table);
    let explained = Explained::of(model, &parts.test)?;
    draw_explained(&mut drawer, &explained, &fields, project.params.seed)?;
    draw_segments(&mut drawer, test, &fields, &explained.importance)?;
    draw_time(&mut drawer, project, &parts.rows.test.table, test)?;
    draw_card(&mut drawer, project, model, fitted)?;
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
    drawer.add_json("evaluation", evaluation)?;
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
