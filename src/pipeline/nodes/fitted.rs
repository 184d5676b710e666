//! What a training leaves for the evaluation, as a folder: recipe, weights, how it went, and what it says of rows it was
//! not fitted on. Comes back to the bit.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::base::fact::Failure;
use crate::base::files::create_folder;
use crate::features::recipe::FittedRecipe;
use crate::model::weights::{parse_safetensors, to_safetensors};
use crate::pipeline::fitting::{Fitted, Judged};
use crate::pipeline::nodes::files::{self, OtherForm};
use crate::train::course::EpochLoss;
use crate::train::cross::folds::Folds;
use crate::train::fit::FittedFamily;
use crate::train::scorecard::fit::BinnedColumn;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    kind: String,
    epochs: Vec<EpochLoss>,
    best_epoch: Option<usize>,
    bins: Vec<BinnedColumn>,
    folds: Option<Folds>,
}

pub fn write(folder: &Path, fitted: &Fitted) -> Result<(), Failure> {
    let Fitted { recipe, family, judged } = fitted;
    create_folder(folder)?;
    files::write_json(&folder.join("recipe.json"), recipe)?;
    files::write(&folder.join("weights.safetensors"), &to_safetensors(&family.family)?)?;
    let about = About {
        kind: family.family.kind().to_string(),
        epochs: family.epochs.clone(),
        best_epoch: family.best_epoch,
        bins: family.bins.clone(),
        folds: judged.folds.clone(),
    };
    files::write_json(&folder.join("about.json"), &about)?;
    files::write_flags(&folder.join("labels"), &judged.labels)?;
    files::write_doubles(&folder.join("margins"), &judged.margins)
}

pub fn read(folder: &Path) -> Result<Fitted, Failure> {
    let recipe: FittedRecipe = files::read_json(&folder.join("recipe.json"))?;
    let About { kind, epochs, best_epoch, bins, folds } = files::read_json(&folder.join("about.json"))?;
    let weights = files::read(&folder.join("weights.safetensors"))?;
    let family = parse_safetensors(&kind, &recipe, &weights)?;
    let labels = files::read_flags(&folder.join("labels"))?;
    let margins = files::read_doubles(&folder.join("margins"))?;
    let is_even = folds.as_ref().is_none_or(|folds| folds.of.len() == labels.len());
    if margins.len() != labels.len() || !is_even {
        return Err(OtherForm::at(folder).into());
    }
    let family = FittedFamily { family, epochs, best_epoch, bins };
    Ok(Fitted { recipe, family, judged: Judged { labels, margins, folds } })
}
