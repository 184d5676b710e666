//! Figures over days, as they were left by each day's report.

use crate::app::home::App;
use crate::app::watch::counted::day_text;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::monitor::trend::{Series, names};
use crate::monitor::verdict::Verdict;
use crate::registry::version::Alias;
use crate::schedule::limits::{DAY_MS, DRIFT_DAYS_MAX};
use crate::schedule::trigger::{DriftDay, DriftSeen};
use crate::security::actor::Act;

/// Today, as days since 1970.
pub fn today(app: &App) -> u64 {
    u64::try_from(app.now().millis().div_euclid(DAY_MS)).unwrap_or_default()
}

/// One figure of a model over the last days.
pub fn series(
    app: &App,
    model: &str,
    (name, about): (&str, Option<&str>),
    since_days: u64,
) -> Result<Series, Failure> {
    app.may(Act::ReadRuns)?;
    let from = today(app).saturating_sub(since_days);
    Ok(app.store.read_lab(|lab| lab.find_series(model, (name, about), from))?)
}

/// The day of the first report after that day.
pub fn day_after(app: &App, model: &str, day: u64) -> Result<Option<String>, Failure> {
    app.may(Act::ReadRuns)?;
    let found = app.store.read_lab(|lab| lab.find_watched_day_after(model, day))?;
    Ok(found.map(|row| day_text(row.left.day)))
}

/// Every figure that the newest report of a model left, by name and what it is about.
pub fn names(app: &App, model: &str) -> Result<Vec<(String, Option<String>)>, Failure> {
    app.may(Act::ReadRuns)?;
    let newest = app.store.read_lab(|lab| lab.find_watched_day_last(model))?;
    let newest = newest.map(|row| row.left.readings).unwrap_or_default();
    Ok(newest.into_iter().map(|reading| (reading.name, reading.about)).collect())
}

/// How drift was judged over the last days of what is in production, for chains that start by it.
pub(in crate::app) fn drift_days(app: &App, model: &str) -> Result<(Option<Digest>, Vec<DriftDay>), Failure> {
    let alias = app.store.read_ledger(|ledger| ledger.find_alias(model, Alias::Production.as_str()))?;
    let Some(alias) = alias else { return Ok((None, Vec::new())) };
    let version = app.store.read_ledger(|ledger| ledger.find_version(model, alias.version))?;
    let from = today(app).saturating_sub(DRIFT_DAYS_MAX as u64);
    let rows = app.store.read_lab(|lab| lab.list_watched_days(model, from))?;
    let days = rows.into_iter().filter(|row| row.version == alias.version).map(|row| {
        let drift = row.left.readings.iter().filter(|reading| names::is_drift(&reading.name));
        let worst = Verdict::worst(drift.map(|reading| reading.point.verdict));
        let seen = match worst {
            Verdict::Insufficient => DriftSeen::Insufficient,
            Verdict::Stable => DriftSeen::Stable,
            Verdict::Watch => DriftSeen::Watch,
            Verdict::Shifted => DriftSeen::Shifted,
        };
        DriftDay { day: day_text(row.left.day), seen }
    });
    Ok((version.map(|version| version.release), days.collect()))
}
