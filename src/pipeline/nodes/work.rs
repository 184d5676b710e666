//! What each node does: reads the files it is given, calls what `flow` calls, and writes files.
//! Decides nothing of its own.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::fact::Failure;
use crate::base::files::create_folder;
use crate::base::limits;
use crate::config::project::Project;
use crate::data::import::reader::Purpose;
use crate::data::import::report::ImportReport;
use crate::data::import::whole::read_table;
use crate::data::label::find_labels;
use crate::data::table::Table;
use crate::data::write::write_parquet;
use crate::model::calibrate::Calibration;
use crate::model::trained::Model;
use crate::pipeline::artifacts::{Artifact, draw_artifacts};
use crate::pipeline::candidate::pack;
use crate::pipeline::evaluation::Evaluation;
use crate::pipeline::fitting::{Fitted, fit_chosen};
use crate::pipeline::flow::{Assessed, assess};
use crate::pipeline::graph::error::GraphError;
use crate::pipeline::graph::execute::{Step, Work};
use crate::pipeline::nodes::files::{self, OtherForm};
use crate::pipeline::nodes::table::{CANDIDATE, DATA};
use crate::pipeline::nodes::{fitted, found};
use crate::pipeline::parts::{Parts, split_rows};
use crate::pipeline::processed::check_processed;
use crate::pipeline::ready;
use crate::pipeline::search::{Chosen, Found, choose};

/// A project's flow over one data file, which failures name as the person did.
pub struct FlowWork<'a> {
    pub project: &'a Project,
    pub data: &'a Path,
}

/// How the file was read, and which of its rows were not taken: what a row's number in the file follows from.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reading {
    report: ImportReport,
    rejected_rows: Vec<u64>,
}

/// What makes a whole model of what was fitted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    calibration: Calibration,
    background: Vec<f64>,
    accepted: Option<Vec<f64>>,
}

impl Work for FlowWork<'_> {
    fn run(&self, step: &Step<'_>) -> Result<(), Failure> {
        step.progress.stage(&step.node.name, 0);
        match step.node.name.as_str() {
            "read" => self.read(step),
            "validate" => self.validate(step),
            "guard" => self.guard(step),
            "split" => self.split(step),
            "search" => self.search(step),
            "encode" => self.encode(step),
            "train" => self.train(step),
            "evaluate" => self.evaluate(step),
            "draw" => self.draw(step),
            "pack" => self.pack(step),
            other => {
                let near = None;
                Err(GraphError::Unknown { what: "node", name: other.to_string(), near }.into())
            }
        }
    }
}

impl FlowWork<'_> {
    fn read(&self, step: &Step<'_>) -> Result<(), Failure> {
        let (table, report) = self.table(step.input(DATA)?)?;
        if report.has_critical() {
            return Err(ready::broken_contract(self.data, report).into());
        }
        write_parquet(step.output("rows")?, &table)?;
        let rejected_rows = report.rejected_rows.clone();
        files::write_json(step.output("reading")?, &Reading { report, rejected_rows })
    }

    fn validate(&self, step: &Step<'_>) -> Result<(), Failure> {
        let rows = step.input("rows")?;
        let (table, _) = self.table(rows)?;
        let Reading { mut report, rejected_rows } = files::read_json(step.input("reading")?)?;
        report.rejected_rows = rejected_rows;
        let number = |row: usize| report.row_number(row);
        let suite = self.project.suite.validate_numbered(&table, &number);
        if !suite.success {
            return Err(ready::failed_expectations(self.data, suite).into());
        }
        files::write_json(step.output("judged")?, &suite.without_values())?;
        let checked = step.output("checked")?;
        std::fs::copy(rows, checked).map_err(crate::base::files::at(checked))?;
        Ok(())
    }

    fn guard(&self, step: &Step<'_>) -> Result<(), Failure> {
        let (table, _) = self.table(step.input("checked")?)?;
        files::write_json(step.output("guarded")?, &ready::refuse_leaks(self.project, &table)?)
    }

    fn split(&self, step: &Step<'_>) -> Result<(), Failure> {
        let (table, _) = self.table(step.input("checked")?)?;
        let (_, split) = split_rows(self.project, &table)?;
        files::write_split(step.output("parts")?, &split)
    }

    fn search(&self, step: &Step<'_>) -> Result<(), Failure> {
        let (table, _) = self.table(step.input("checked")?)?;
        let chosen = choose(self.project, &table, step.cancel, step.progress)?;
        let found = chosen.found.ok_or_else(|| OtherForm::at(&self.place(step)))?;
        found::write(step.output("found")?, &found)
    }

    fn encode(&self, step: &Step<'_>) -> Result<(), Failure> {
        let chosen = self.chosen(step)?;
        let rows = self.rows(step, &chosen.project)?;
        let expected = check_processed(&chosen.project, &rows)?;
        write_artifacts(step.output("expected")?, &expected.artifacts()?)?;
        files::write_json(step.output("encodable")?, &true)
    }

    fn train(&self, step: &Step<'_>) -> Result<(), Failure> {
        let chosen = self.chosen(step)?;
        let rows = self.rows(step, &chosen.project)?;
        let listened = (step.cancel, step.progress);
        let fitted = fit_chosen(&chosen.project, &rows, chosen.found.as_ref(), listened)?;
        fitted::write(step.output("fitted")?, &fitted)
    }

    fn evaluate(&self, step: &Step<'_>) -> Result<(), Failure> {
        let chosen = self.chosen(step)?;
        let rows = self.rows(step, &chosen.project)?;
        let fitted = fitted::read(step.input("fitted")?)?;
        let parts = rows.encode(&fitted.recipe)?;
        let Assessed { model, evaluation, swept } =
            assess(&chosen.project, &parts, &fitted, chosen.found.as_ref())?;
        let Model { calibration, background, accepted, .. } = model;
        files::write_json(step.output("model")?, &Reference { calibration, background, accepted })?;
        files::write_json(step.output("evaluation")?, &evaluation)?;
        let swept: Vec<Artifact> = swept.into_iter().collect();
        write_artifacts(step.output("swept")?, &swept)
    }

    fn draw(&self, step: &Step<'_>) -> Result<(), Failure> {
        let chosen = self.chosen(step)?;
        let rows = self.rows(step, &chosen.project)?;
        let (fitted, model) = model(step)?;
        let evaluation: Evaluation = files::read_json(step.input("evaluation")?)?;
        let parts = rows.encode(&model.recipe)?;
        let test = parts.score(&model)?;
        let known = (&fitted.family, &evaluation);
        let drawn = draw_artifacts(&chosen.project, &model, &parts, &test, known)?;
        write_artifacts(step.output("drawings")?, &drawn)
    }

    fn pack(&self, step: &Step<'_>) -> Result<(), Failure> {
        let chosen = self.chosen(step)?;
        let rows = self.rows(step, &chosen.project)?;
        let (_, model) = model(step)?;
        let evaluation: Evaluation = files::read_json(step.input("evaluation")?)?;
        let parts = rows.encode(&model.recipe)?;
        let mut artifacts = Vec::new();
        for folder in ["expected", "swept", "drawings"] {
            artifacts.extend(read_artifacts(step.input(folder)?)?);
        }
        artifacts.extend(chosen.found.as_ref().map(Found::artifact).transpose()?);
        let candidate = pack(&chosen.project, &parts, &model, evaluation, artifacts)?;
        candidate.write(step.output(CANDIDATE)?)
    }

    fn table(&self, path: &Path) -> Result<(Table, ImportReport), Failure> {
        Ok(read_table(path, &self.project.contract, Purpose::Training, limits::ROWS_MAX)?)
    }

    /// The project as a search has found it, where it searches.
    fn chosen(&self, step: &Step<'_>) -> Result<Chosen<'_>, Failure> {
        match &self.project.params.search {
            Some(params) => Ok(Chosen::by(self.project, found::read(step.input("found")?, params)?)),
            None => Ok(Chosen { project: Cow::Borrowed(self.project), found: None }),
        }
    }

    fn rows(&self, step: &Step<'_>, project: &Project) -> Result<Parts, Failure> {
        let (table, _) = self.table(step.input("checked")?)?;
        let split = files::read_split(step.input("parts")?, table.rows())?;
        let labels = find_labels(&table, &project.contract.target().name, &project.settings.positive)?;
        Ok(Parts::of_split(project, table, labels, split))
    }

    /// Where a node works, for failures of its own.
    fn place(&self, step: &Step<'_>) -> PathBuf {
        step.outputs.values().next().cloned().unwrap_or_default()
    }
}

/// What was fitted, and the whole model that was made of it.
fn model(step: &Step<'_>) -> Result<(Fitted, Model), Failure> {
    let fitted = fitted::read(step.input("fitted")?)?;
    let Reference { calibration, background, accepted } = files::read_json(step.input("model")?)?;
    let (recipe, family) = (fitted.recipe.clone(), fitted.family.family.clone());
    let model = Model { recipe, family, calibration, background, accepted }.check()?;
    Ok((fitted, model))
}

fn write_artifacts(folder: &Path, artifacts: &[Artifact]) -> Result<(), Failure> {
    create_folder(folder)?;
    for artifact in artifacts {
        let path = folder.join(&artifact.path);
        create_folder(path.parent().unwrap_or(folder))?;
        files::write(&path, &artifact.bytes)?;
    }
    Ok(())
}

/// All files of a folder of artifacts; none of them lies in a folder of its own.
fn read_artifacts(folder: &Path) -> Result<Vec<Artifact>, Failure> {
    let mut artifacts = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(crate::base::files::at(folder))? {
        let entry = entry.map_err(crate::base::files::at(folder))?;
        let path = entry.file_name().into_string().map_err(|_| OtherForm::at(folder))?;
        artifacts.push(Artifact { path, bytes: files::read(&entry.path())? });
    }
    artifacts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(artifacts)
}
