//! Projects whose schedule is in force, and their chains.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::app::chains::runs::{ChainState, status_word};
use crate::app::chains::{ChainRow, ProjectRow};
use crate::base::clock::millis_to_text;
use crate::schedule::definition::{CatchUp, ChainEnd, DriftLevel, Overlap, Step, TriggerOn};
use crate::schedule::picture;
use crate::schedule::trigger::watch_of;

/// A project as it is put in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyBody {
    /// The text of each file of the project, by its name; `schedule.toml` among them.
    pub project: BTreeMap<String, String>,
}

/// A project in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScheduleView {
    #[schema(example = "loan-default")]
    pub project: String,
    /// Of its files: SHA-256 in hex.
    pub digest: String,
    pub applied_by: String,
    /// RFC 3339 in UTC, as all times are.
    pub applied: String,
    /// In the order of schedule.toml.
    pub chains: Vec<ChainView>,
}

/// A project that was taken out of force. Its runs and their history stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WithdrawnView {
    pub project: String,
    pub digest: String,
    pub applied_by: String,
    pub applied: String,
}

impl WithdrawnView {
    pub fn of(row: &ProjectRow) -> Self {
        Self {
            project: row.name.clone(),
            digest: row.digest.to_hex(),
            applied_by: row.applied_by.clone(),
            applied: millis_to_text(row.applied_ms),
        }
    }
}

impl ScheduleView {
    pub fn of(row: &ProjectRow, chains: &[ChainState]) -> Self {
        let WithdrawnView { project, digest, applied_by, applied } = WithdrawnView::of(row);
        let chains = chains.iter().map(ChainView::of).collect();
        Self { project, digest, applied_by, applied, chains }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChainList {
    /// By project and name.
    pub chains: Vec<ChainView>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

/// One chain as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChainView {
    #[schema(example = "loan-default")]
    pub project: String,
    #[schema(example = "daily")]
    pub chain: String,
    /// As it is written; null where the chain starts by hand and by triggers alone.
    #[schema(example = "30 5 * * *")]
    pub cron: Option<String>,
    #[schema(example = "Europe/Berlin")]
    pub timezone: String,
    /// What starts it beside its hours, in words.
    pub triggers: Vec<String>,
    /// `none`, `latest` or `all`: what becomes of starts that were missed.
    pub catch_up: String,
    /// `skip` or `queue`: what becomes of a start while a run still runs.
    pub overlap: String,
    /// From the planned start, in milliseconds.
    pub deadline_ms: Option<i64>,
    /// A time of day in its time zone.
    #[schema(example = "07:30")]
    pub finish_by: Option<String>,
    pub paused: bool,
    /// Who said so; null where schedule.toml does.
    pub paused_by: Option<String>,
    pub paused_since: Option<String>,
    /// The planned starts that come next; none while it is paused.
    pub next: Vec<String>,
    /// Starts that wait for a run before them.
    pub waiting: u64,
    /// Planned starts that were passed over.
    pub skipped: u64,
    pub last_run: Option<LastRun>,
    pub steps: Vec<StepView>,
    /// The steps as a tree of lines.
    pub picture: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LastRun {
    pub id: String,
    /// `running`, `waiting` (for a person), `succeeded`, `failed` or `cancelled`.
    #[schema(example = "succeeded")]
    pub status: String,
    pub started: String,
    pub ended: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepView {
    pub name: String,
    /// `train`, `gate`, `stage`, `promote`, `batch`, `monitor` or `notify`.
    #[schema(example = "monitor")]
    pub run: String,
    pub after: Vec<String>,
    /// `all_success`, `all_done`, `one_failed` or `none_failed`.
    pub when: String,
    pub retries: u32,
    pub timeout_ms: i64,
    #[schema(value_type = Object)]
    pub with: Value,
}

impl StepView {
    pub fn of(step: &Step) -> Self {
        Self {
            name: step.name.clone(),
            run: step.run.as_str().to_string(),
            after: step.after.clone(),
            when: step.when.as_str().to_string(),
            retries: step.retries,
            timeout_ms: step.timeout_ms,
            with: json!(step.with),
        }
    }
}

impl ChainView {
    pub fn of(state: &ChainState) -> Self {
        let ChainState { project, chain, row, paused, next_ms, last } = state;
        let said = row.pause.as_ref().filter(|_| *paused);
        Self {
            project: project.clone(),
            chain: chain.name.clone(),
            cron: chain.timetable.as_ref().map(|timetable| timetable.cron().text().to_string()),
            timezone: chain.zone.name().to_string(),
            triggers: chain.triggers.iter().map(|on| trigger_words(on, row)).collect(),
            catch_up: catch_up_word(chain.catch_up).to_string(),
            overlap: overlap_word(chain.overlap).to_string(),
            deadline_ms: chain.deadline_ms,
            finish_by: chain.finish_by.map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60)),
            paused: *paused,
            paused_by: said.map(|pause| pause.by.clone()),
            paused_since: said.map(|pause| millis_to_text(pause.at_ms)),
            next: next_ms.iter().copied().map(millis_to_text).collect(),
            waiting: row.queued.len() as u64,
            skipped: row.skipped,
            last_run: last.as_ref().map(|row| LastRun {
                id: row.run.id.clone(),
                status: status_word(row.run.status()).to_string(),
                started: millis_to_text(row.run.started_ms),
                ended: row.run.ended.map(|ended| millis_to_text(ended.at_ms)),
            }),
            steps: chain.steps.iter().map(StepView::of).collect(),
            picture: picture::text(&chain.steps, |_| None),
        }
    }
}

fn catch_up_word(catch_up: CatchUp) -> &'static str {
    match catch_up {
        CatchUp::None => "none",
        CatchUp::Latest => "latest",
        CatchUp::All { .. } => "all",
    }
}

fn overlap_word(overlap: Overlap) -> &'static str {
    match overlap {
        Overlap::Skip => "skip",
        Overlap::Queue => "queue",
    }
}

fn trigger_words(trigger: &TriggerOn, row: &ChainRow) -> String {
    match trigger {
        TriggerOn::File { path, .. } => format!("a file {} in the inbox", path.as_str()),
        TriggerOn::Git { path, name } => {
            let watch = watch_of(path, name);
            let known = row.commits.get(&watch).cloned().unwrap_or_default();
            let commit = known.commit.map_or(String::new(), |commit| format!(" than {commit}"));
            let fault = known.fault.map_or(String::new(), |code| format!(" (it cannot be read: {code})"));
            format!("another commit{commit}{fault} at {watch}")
        }
        TriggerOn::Drift { at: DriftLevel::Watch } => "drift that is to be watched".into(),
        TriggerOn::Drift { at: DriftLevel::Shifted } => "drift that has shifted".into(),
        TriggerOn::Volume { outcomes } => format!("{outcomes} more known outcomes"),
        TriggerOn::Chain { name, when: ChainEnd::Success } => format!("the chain {name} ending well"),
        TriggerOn::Chain { name, when: ChainEnd::Failure } => format!("the chain {name} failing"),
    }
}

/// Days of a backfill, the last with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackfillBody {
    #[schema(example = "2026-03-01")]
    pub from: String,
    #[schema(example = "2026-03-03")]
    pub to: String,
}

/// Planned starts that were put in line; each begins when the run before it has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackfillView {
    pub project: String,
    pub chain: String,
    /// Oldest first.
    pub starts: Vec<String>,
}
