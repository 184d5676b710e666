//! The release under an alias by the outcomes of its own decisions, and the one that would come back in its place.
//! Never counts the outcomes of one for the other.

use crate::app::home::App;
use crate::app::registry::{VersionRow, promotion, versions};
use crate::app::watch::counted::History;
use crate::base::fact::Failure;
use crate::config::watching::Watching;
use crate::monitor::performance::Figure;
use crate::monitor::performance::release::{
    Own, ReleaseBefore, ReleasePerformance, TestPart, measure_release,
};
use crate::registry::version::Alias;

/// Figures of the test part that its own outcomes are shown beside.
const BESIDE: [&str; 3] = ["auc", "log_loss", "brier"];

pub(in crate::app::watch) fn performance(
    app: &App,
    watching: &Watching,
    history: &History,
    (version, alias): (&VersionRow, Alias),
) -> Result<ReleasePerformance, Failure> {
    let moves = promotion::moves(app, &version.name, alias)?;
    // Since it last came there; what it decided when it was there before is its own as well.
    let since_ms = moves.iter().rev().take_while(|step| step.to.version == version.version).last();
    let since_ms = since_ms.map_or(version.created_ms, |step| step.moved_ms);
    let found = measure(app, watching, history, (version, since_ms))?;
    let before =
        before(app, watching, history, promotion::find_before(&moves).map(|to| to.version), version)?;
    Ok(ReleasePerformance { before, ..found })
}

fn measure(
    app: &App,
    watching: &Watching,
    history: &History,
    (version, since_ms): (&VersionRow, i64),
) -> Result<ReleasePerformance, Failure> {
    let nothing = std::collections::BTreeMap::new();
    let (known, decided) = history.own(&version.release).unwrap_or((&[], &nothing));
    let own = Own { known, decided, now_ms: app.now().millis() };
    Ok(measure_release(&own, since_ms, &test_part(app, version)?, &watching.performance)?)
}

fn test_part(app: &App, version: &VersionRow) -> Result<TestPart, Failure> {
    let evaluation = versions::evaluation(app, version)?;
    let n = evaluation.rows();
    let figure = |name: &&str| {
        let value = evaluation.metrics.get(*name).copied()?;
        let interval = evaluation.intervals.get(*name);
        let (low, high) = (interval.map(|found| found.low), interval.map(|found| found.high));
        Some(Figure { name: name.to_string(), value: Some(value), low, high, n })
    };
    Ok(TestPart { figures: BESIDE.iter().filter_map(figure).collect() })
}

fn before(
    app: &App,
    watching: &Watching,
    history: &History,
    number: Option<u64>,
    version: &VersionRow,
) -> Result<Option<ReleaseBefore>, Failure> {
    let Some(number) = number else { return Ok(None) };
    let row = app.store.read_ledger(|ledger| ledger.find_version(&version.name, number))?;
    let Some(row) = row else { return Ok(None) };
    let found = measure(app, watching, history, (&row, row.created_ms))?;
    Ok(Some(found.as_before(number)))
}
