//! A batch as a step: a file of the inbox scored by what the alias points at, into the project's outbox.

use crate::app::batches;
use crate::app::chains::error::ChainError;
use crate::app::chains::hands::Done;
use crate::app::chains::inbox;
use crate::app::chains::steps::Begun;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::base::progress::Silent;
use crate::config::steps::BatchStep;
use crate::registry::version::{ModelRef, Which};
use crate::schedule::chain_run::StepOutcome;
use crate::serve::batch::BatchOrder;
use crate::serve::batch::output::{BatchOptions, OutputFormat};

const NO_FILE: &str = "chain_run.no_file";

/// One that was finished before is verified and reused; one that was interrupted goes on where it stopped.
pub(in crate::app::chains) fn score(begun: &Begun, plan: &BatchStep) -> Result<Done, Failure> {
    let input = match begun.file(plan.file.as_ref()) {
        Ok(found) => found.ok_or(ChainError::NoFileNamed)?,
        Err(failure) if plan.optional && failure.code() == NO_FILE => {
            let outcome = StepOutcome::Skipped { said: failure.to_string() };
            return Ok(Done { outcome, facts: Default::default() });
        }
        Err(failure) => return Err(failure),
    };
    let model = ModelRef { name: begun.project().to_string(), which: Which::Alias(plan.alias) };
    let out = inbox::outbox(&begun.app, begun.project());
    let format = if plan.parquet { OutputFormat::Parquet } else { OutputFormat::Csv };
    let order = BatchOrder {
        input: &input,
        out: &out,
        options: BatchOptions { format },
        chunk_rows: limits::BATCH_CHUNK_ROWS,
    };
    let result = batches::run(&begun.app, &model, &order, &begun.cancel, &Silent)?;
    let content = &result.manifest.content;
    let file = input.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let said = format!(
        "{} rows of {file} scored, {} set aside: {}",
        content.rows.scored,
        content.rows.quarantined,
        result.folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    );
    Ok(Done::well(said).with("batch", content.id.clone()))
}
