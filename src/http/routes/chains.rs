//! The routes of what runs by itself: projects in force, their chains, and runs of chains.

use crate::http::api::watch::{chain_runs, schedules};
use crate::http::routes::AnswerShape::Json;
use crate::http::routes::table::{CURSOR, LIMIT};
use crate::http::routes::{Access, BodyShape, Parameter, Route, Verb, read, schema_of};
use crate::http::views::watch::{chain, chain_run};
use crate::security::actor::Act;

const RUNS: Access = Access::As(Act::ReadRuns);
const APPLYING: Access = Access::As(Act::ApplySchedule);
const RUNNING: Access = Access::As(Act::RunSchedule);

/// The texts are those of a whole project in truth.
const APPLY: BodyShape = BodyShape {
    schema: schema_of::<chain::ApplyBody>,
    example: r#"{"project": {"project.toml": "name = \"loan-default\"", "schedule.toml": "[[chain]]\nname = \"daily\"\ncron = \"30 5 * * *\""}}"#,
};
const BACKFILL: BodyShape = BodyShape {
    schema: schema_of::<chain::BackfillBody>,
    example: r#"{"from": "2026-03-01", "to": "2026-03-03"}"#,
};
const RERUN: BodyShape = BodyShape { schema: schema_of::<chain_run::RerunBody>, example: "{}" };
const CHAIN_RUNS: &[Parameter] = &[
    CURSOR,
    LIMIT,
    Parameter {
        name: "project",
        about: "Only runs of this project; together with `chain`",
        is_number: false,
        needed: None,
    },
    Parameter {
        name: "chain",
        about: "Only runs of this chain; together with `project`",
        is_number: false,
        needed: None,
    },
];

pub const ROUTES: &[Route] = &[
    read(
        "/v1/schedules",
        RUNS,
        schedules::list,
        Json(schema_of::<chain::ChainList>),
        "Every chain: when it starts, whether it is paused, and its last run",
    )
    .paged(),
    read(
        "/v1/schedules",
        APPLYING,
        schedules::apply,
        Json(schema_of::<chain::ScheduleView>),
        "Put a project's schedule in force, or another in its place; runs under way go on as they began",
    )
    .post(APPLY)
    .or(&[409]),
    read(
        "/v1/schedules/{project}",
        RUNS,
        schedules::show,
        Json(schema_of::<chain::ScheduleView>),
        "A project in force with its chains",
    )
    .or(&[404]),
    read(
        "/v1/schedules/{project}/chains/{chain}",
        RUNS,
        schedules::show_chain,
        Json(schema_of::<chain::ChainView>),
        "One chain with its steps",
    )
    .or(&[404]),
    read(
        "/v1/schedules/{project}/chains/{chain}/start",
        RUNNING,
        schedules::start,
        Json(schema_of::<chain_run::ChainRunView>),
        "Start a chain now, once, whether it is paused or not",
    )
    .act(Verb::Post)
    .creates()
    .or(&[404, 409]),
    read(
        "/v1/schedules/{project}/chains/{chain}/pause",
        RUNNING,
        schedules::pause,
        Json(schema_of::<chain::ChainView>),
        "Hold a chain: it starts by hand alone until it is let go on",
    )
    .act(Verb::Post)
    .or(&[404, 409]),
    read(
        "/v1/schedules/{project}/chains/{chain}/resume",
        RUNNING,
        schedules::resume,
        Json(schema_of::<chain::ChainView>),
        "Let a chain go on; what it missed meanwhile is not made up for",
    )
    .act(Verb::Post)
    .or(&[404, 409]),
    read(
        "/v1/schedules/{project}/chains/{chain}/backfill",
        RUNNING,
        schedules::backfill,
        Json(schema_of::<chain::BackfillView>),
        "Put the planned starts of past days in line that have had no run",
    )
    .post(BACKFILL)
    .or(&[404, 409]),
    read(
        "/v1/chain-runs",
        RUNS,
        chain_runs::list,
        Json(schema_of::<chain_run::ChainRunList>),
        "Runs of chains, the latest started first",
    )
    .asking(CHAIN_RUNS)
    .or(&[400]),
    read(
        "/v1/chain-runs/{chain_run}",
        RUNS,
        chain_runs::show,
        Json(schema_of::<chain_run::ChainRunView>),
        "One run: why it began, how its steps stand, what each attempt came to",
    )
    .or(&[404]),
    read(
        "/v1/chain-runs/{chain_run}/cancel",
        RUNNING,
        chain_runs::cancel,
        Json(schema_of::<chain_run::ChainRunView>),
        "Ask a run to end",
    )
    .act(Verb::Post)
    .or(&[404, 409]),
    read(
        "/v1/chain-runs/{chain_run}/rerun",
        RUNNING,
        chain_runs::rerun,
        Json(schema_of::<chain_run::ChainRunView>),
        "A new run from where an ended one failed, or from a step; what went well before is not done again",
    )
    .post(RERUN)
    .creates()
    .or(&[404, 409]),
    read(
        "/v1/schedules/{project}",
        APPLYING,
        schedules::withdraw,
        Json(schema_of::<chain::WithdrawnView>),
        "Take a project out of force: nothing of it starts any more, its history stays",
    )
    .act(Verb::Delete)
    .or(&[404]),
];
