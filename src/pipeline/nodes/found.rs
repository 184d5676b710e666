//! What a search leaves for the training, as a folder: its report, its folds, and the margins of what it picked on them.
//! Parameters are not in it; they come from the project, by the names in the report.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::fact::Failure;
use crate::base::files::create_folder;
use crate::pipeline::nodes::files::{self, OtherForm};
use crate::pipeline::search::{Found, SearchReport};
use crate::train::cross::folds::{Crossed, Folds};
use crate::train::params::SearchParams;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    report: SearchReport,
    folds: Folds,
    /// Families whose margins are kept.
    members: usize,
}

pub fn write(folder: &Path, found: &Found) -> Result<(), Failure> {
    create_folder(folder)?;
    let (report, folds) = (found.report.clone(), found.folds.clone());
    let about = About { report, folds, members: found.crossed.len() };
    files::write_json(&folder.join("about.json"), &about)?;
    let mut numbered = found.crossed.iter().enumerate();
    numbered.try_for_each(|(at, crossed)| files::write_doubles(&margins(folder, at), &crossed.margins))
}

pub fn read(folder: &Path, params: &SearchParams) -> Result<Found, Failure> {
    let About { report, folds, members } = files::read_json(&folder.join("about.json"))?;
    let mut crossed = Vec::new();
    for at in 0..members.min(params.candidates.len()) {
        let own = files::read_doubles(&margins(folder, at))?;
        if own.len() != folds.rows.len() {
            return Err(OtherForm::at(folder).into());
        }
        crossed.push(Crossed { margins: own });
    }
    Ok(Found::of_report(params, report, folds, crossed).ok_or_else(|| OtherForm::at(folder))?)
}

fn margins(folder: &Path, at: usize) -> PathBuf {
    folder.join(format!("margins-{at}"))
}
