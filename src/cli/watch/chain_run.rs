//! Runs of chains on the command line: listed, shown, followed, ended, done again.
//! Following a run never ends it: whoever stops looking leaves it alone.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::base::fact::{Class, Failure};
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::speak::output::{Answer, columns};
use crate::cli::train::on_interrupt;
use crate::client::call::Client;
use crate::client::target::Target;
use crate::http::views::watch::chain_run::{
    ChainRunInfo, ChainRunList, ChainRunView, RerunBody, TriggerView,
};

fn of_run(run: &str, rest: &[&str]) -> Target {
    Target::of(["v1", "chain-runs", run].into_iter().chain(rest.iter().copied()))
}

/// What is said of a run that was just begun; with `wait`, once it has ended.
pub fn begun(
    client: &Client,
    begun: ChainRunView,
    wait: bool,
    invocation: &Invocation,
) -> Result<Answer, Failure> {
    let ChainRunInfo { id, project, chain, .. } = &begun.info;
    if wait {
        return follow(client, id, invocation);
    }
    let text = format!("Run {id} of {chain} of {project} has begun.\n  tallystick schedule run {id}");
    Ok(Answer::new(text, json!(begun)))
}

fn follow(client: &Client, id: &str, invocation: &Invocation) -> Result<Answer, Failure> {
    let stop = on_interrupt()?;
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let now: ChainRunView = client.get(&of_run(id, &[]))?;
        for step in &now.steps {
            let state = match &step.waits_for {
                Some(what) => format!("waits for {what}"),
                None => step.state.replace('_', " "),
            };
            if step.state != "pending" && shown.get(&step.name) != Some(&state) {
                invocation.output.say(&format!("  {}: {state}", step.name));
                shown.insert(step.name.clone(), state);
            }
        }
        if now.info.ended.is_some() {
            let good = now.info.status == "succeeded";
            let answer = Answer::new(text(&now), json!(now));
            return Ok(if good { answer } else { answer.ending(Class::Failed) });
        }
        if stop.is_cancelled() {
            let told = format!(
                "The run goes on.\n  tallystick schedule run {id}\n  tallystick schedule cancel {id}"
            );
            return Ok(Answer::new(told, json!(now)));
        }
        std::thread::sleep(Duration::from_millis(limits::CLIENT_POLL_MS));
    }
}

pub fn rerun(client: &Client, run: &str, from: Option<String>) -> Result<ChainRunView, Failure> {
    Ok(client.post(&of_run(run, &["rerun"]), &RerunBody { from })?)
}

pub fn show(client: &Client, run: &str) -> Result<Answer, Failure> {
    let view: ChainRunView = client.get(&of_run(run, &[]))?;
    Ok(Answer::new(text(&view), json!(view)))
}

pub fn cancel(client: &Client, run: &str) -> Result<Answer, Failure> {
    let view: ChainRunView = client.act(&of_run(run, &["cancel"]))?;
    Ok(Answer::new(format!("Run {run} was asked to end."), json!(view)))
}

pub fn history(client: &Client, of: Option<(String, String)>, limit: usize) -> Result<Answer, Failure> {
    let mut target = Target::of(["v1", "chain-runs"]).with("limit", limit);
    if let Some((project, chain)) = of {
        target = target.with("project", project).with("chain", chain);
    }
    let page: ChainRunList = client.get(&target)?;
    let head = ["run", "project", "chain", "started", "steps", "status", "began"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(page.runs.iter().map(|run| {
        let steps = format!("{}/{} steps", run.steps_ended, run.steps_total);
        let status = match run.failed.first() {
            Some(step) => format!("{}: {step}", run.status),
            None => run.status.clone(),
        };
        let (project, chain) = (run.project.clone(), run.chain.clone());
        vec![run.id.clone(), project, chain, run.started.clone(), steps, status, began(&run.trigger)]
    }));
    let none = "No chain has run yet: `tallystick schedule list` says when one will.";
    let text = if page.runs.is_empty() { none.to_string() } else { columns(&rows) };
    Ok(Answer::new(text, json!(page)))
}

/// Why a run began, for people.
fn began(trigger: &TriggerView) -> String {
    let by = trigger.by.as_deref().map_or(String::new(), |by| format!(" by {by}"));
    let from = trigger.from.as_deref().unwrap_or_default();
    match trigger.kind.as_str() {
        "cron" => "at its hour".into(),
        "catch_up" => "made up for".into(),
        "backfill" => format!("backfilled{by}"),
        "hand" => format!("by hand{}", trigger.by.as_deref().map_or(String::new(), |by| format!(", {by}"))),
        "file" => format!("file {from}"),
        "git" => format!("commit {from}"),
        "drift" => format!("drift: {from}"),
        "volume" => format!("outcomes: {from}"),
        "chain" => format!("after run {from}"),
        "rerun" => format!("run {from} again{by}"),
        other => other.to_string(),
    }
}

fn text(view: &ChainRunView) -> String {
    let info = &view.info;
    let mut lines = vec![
        ("run", info.id.clone()),
        ("chain", format!("{} of {}", info.chain, info.project)),
        ("status", info.status.clone()),
        ("began", format!("{} ({})", info.started, began(&info.trigger))),
    ];
    lines.extend(info.planned.iter().map(|planned| ("planned", planned.clone())));
    lines.extend(info.ended.iter().map(|ended| ("ended", ended.clone())));
    let cancelled = view.cancelled_by.as_ref().zip(view.cancelled.as_ref());
    lines.extend(cancelled.map(|(by, at)| ("cancelled", format!("by {by}, {at}"))));
    lines.extend(view.deadline.iter().map(|deadline| ("deadline", deadline.clone())));
    lines.extend(view.facts.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let rows: Vec<Vec<String>> = lines.into_iter().map(|(key, value)| vec![key.to_string(), value]).collect();
    let drawn: String = view.picture.lines().map(|line| format!("  {line}\n")).collect();
    format!("{}{drawn}", columns(&rows))
}
