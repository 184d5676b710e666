//! A batch as a use case: the champion scores a file, and what was scored by what is put on record
//! before the result can be seen. The rows themselves stay in the output folder.

use crate::app::home::App;
use crate::app::registry::versions;
use crate::base::cancel::CancelFlag;
use crate::base::canonical::CanonicalError;
use crate::base::clock::SystemClock;
use crate::base::fact::Failure;
use crate::base::progress::Progress;
use crate::ledger::leaf::Kind;
use crate::registry::version::ModelRef;
use crate::security::actor::Act;
use crate::serve::batch::manifest::Manifest;
use crate::serve::batch::{self, BatchOrder, BatchResult, Watch};

/// Scores by the reference's release. A batch that was finished before is verified and reused; it is
/// on record already. One that died after its record is recorded once more: the same content twice.
pub fn run(
    app: &App,
    model: &ModelRef,
    order: &BatchOrder<'_>,
    cancel: &CancelFlag,
    progress: &dyn Progress,
) -> Result<BatchResult, Failure> {
    let champion = versions::champion(app, model)?;
    let record = |manifest: &Manifest| put_on_record(app, manifest);
    let watch = Watch { progress, cancel, clock: &SystemClock, record: &record };
    Ok(batch::run(&champion, order, &watch)?)
}

fn put_on_record(app: &App, manifest: &Manifest) -> Result<(), Failure> {
    let content = serde_json::to_value(&manifest.content).map_err(CanonicalError::Write)?;
    let subject = format!("batch/{}", manifest.content.id);
    let entry = App::entry(&app.may(Act::Score)?, Kind::BatchFinished, subject, &content)?;
    let now = app.now();
    app.store.write_ledger(move |ledger| ledger.append_record(entry.clone(), now))?;
    Ok(())
}
