//! A batch as a use case: the champion scores a file, and what was scored by what is put on record.
//! The rows themselves stay in the output folder.

use crate::app::home::App;
use crate::app::registry::versions;
use crate::base::fact::Failure;
use crate::ledger::leaf::Kind;
use crate::registry::version::ModelRef;
use crate::security::actor::Act;
use crate::serve::batch::{self, BatchOrder, BatchResult, Watch};

/// Scores by the reference's release. A batch that was finished before is verified and reused, and
/// is on record already.
pub fn run(
    app: &App,
    model: &ModelRef,
    order: &BatchOrder<'_>,
    watch: &Watch<'_>,
) -> Result<BatchResult, Failure> {
    let champion = versions::champion(app, model)?;
    let result = batch::run(&champion, order, watch)?;
    if !result.reused {
        let content = serde_json::to_value(&result.manifest.content)
            .map_err(crate::base::canonical::CanonicalError::Write)?;
        let subject = format!("batch/{}", result.manifest.content.id);
        let actor = app.may(Act::Score)?;
        let (entry, now) = (App::entry(&actor, Kind::BatchFinished, subject, &content)?, app.now());
        app.store.write_ledger(move |ledger| ledger.append_record(entry.clone(), now))?;
    }
    Ok(result)
}
