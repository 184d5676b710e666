//! `pipeline plan`, `viz` and `status`: what would run and why, how it looks, what is kept. Runs nothing.

use std::path::Path;

use serde_json::{Value, json};

use crate::base::clock::millis_to_text;
use crate::base::fact::Failure;
use crate::base::files;
use crate::cli::Invocation;
use crate::cli::pipeline::error::PipelineFault;
use crate::cli::pipeline::place::{Place, Seen};
use crate::cli::pipeline::told::{nodes_json, plain, running, table};
use crate::cli::pipeline::{PlanArguments, StatusArguments, VizArguments};
use crate::cli::speak::output::{Answer, columns};
use crate::config::project::Project;
use crate::pipeline::graph::picture::{Picture, html, svg, text, told_ms};
use crate::pipeline::graph::plan::Planned;
use crate::pipeline::graph::record::Kept;
use crate::pipeline::graph::select::Selection;
use crate::pipeline::graph::state::Begun;

pub fn plan(arguments: PlanArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let wanted = arguments.selection.wanted();
    let project = Project::load(&arguments.place.project, &wanted.params)?;
    let state = Place::of(&arguments.place, invocation.output).find()?;
    let seen = Seen::of(&project, state.as_ref(), Some(&arguments.data))?;
    let planned = seen.plan(&wanted)?;
    let run = running(&planned);
    let nodes = table(planned.iter().map(|planned| (planned, None)));
    let told = format!("{nodes}{} of {} nodes would run", run.len(), planned.len());
    Ok(Answer::new(told, json!({"run": run, "nodes": nodes_json(&planned)})))
}

fn stale() -> Selection {
    Selection { only_stale: true, ..Selection::default() }
}

pub fn viz(arguments: &VizArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let draw = arguments.out.as_deref().map(drawing).transpose()?;
    let project = Project::load(&arguments.place.project, &[])?;
    let state = Place::of(&arguments.place, invocation.output).find()?;
    let seen = Seen::of(&project, state.as_ref(), arguments.data.as_deref())?;
    let planned = seen.plan(&stale())?;
    let title =
        if project.settings.title.is_empty() { &project.settings.name } else { &project.settings.title };
    let picture = Picture::of(title, &seen.graph, &planned, &seen.recorded);
    let edges: Vec<Value> = picture
        .edges
        .iter()
        .filter_map(|(from, to, artifacts)| {
            let (from, to) = (picture.boxes.get(*from)?, picture.boxes.get(*to)?);
            Some(json!({"from": from.name, "to": to.name, "artifacts": artifacts}))
        })
        .collect();
    let json = json!({"out": arguments.out, "nodes": nodes_json(&planned), "edges": edges});
    match (&arguments.out, draw) {
        (Some(out), Some(draw)) => {
            files::write_atomic(out, draw(&picture).as_bytes(), 0o644)?;
            Ok(Answer::new(format!("{}\n", out.display()), json))
        }
        _ => Ok(Answer::new(plain(&text::draw(&picture)), json)),
    }
}

type Drawing = fn(&Picture) -> String;

fn drawing(out: &Path) -> Result<Drawing, PipelineFault> {
    match out.extension().and_then(|end| end.to_str()) {
        Some("svg") => Ok(svg::draw),
        Some("html") => Ok(html::draw),
        _ => Err(PipelineFault::Form { path: out.to_path_buf() }),
    }
}

pub fn status(arguments: &StatusArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let project = Project::load(&arguments.place.project, &[])?;
    let place = Place::of(&arguments.place, invocation.output);
    let state = place.find()?;
    let seen = Seen::of(&project, state.as_ref(), arguments.data.as_deref())?;
    let planned = seen.plan(&stale())?;
    let begun = state.as_ref().map(|state| state.find_begun()).transpose()?.flatten();
    let bytes = state.as_ref().map(|state| state.bytes_kept()).transpose()?.unwrap_or_default();
    let rows: Vec<Vec<String>> = planned.iter().map(|own| row(own, seen.recorded.get(&own.node))).collect();
    let mut told = columns(&rows);
    told += &match state {
        Some(_) => format!("{} kept in {}\n", told_bytes(bytes), place.folder.display()),
        None => format!("nothing is kept in {}\n", place.folder.display()),
    };
    if let Some(Begun { run, .. }) = &begun {
        told += &format!("The run {run} was interrupted: `tallystick pipeline run` with --resume goes on.\n");
    }
    let nodes: Vec<Value> = planned.iter().map(|own| node_json(own, seen.recorded.get(&own.node))).collect();
    let json = json!({
        "state": place.folder, "bytes": bytes, "interrupted": begun, "nodes": nodes,
        "stale": running(&planned),
    });
    Ok(Answer::new(told, json))
}

fn word(kept: Option<&Kept>) -> &'static str {
    match kept {
        None | Some(Kept::Never) => "never run",
        Some(Kept::Unreadable) => "unreadable",
        Some(Kept::Whole(_)) => "whole",
        Some(Kept::Missing { .. }) => "missing",
        Some(Kept::Damaged { .. }) => "damaged",
    }
}

fn row(planned: &Planned, kept: Option<&Kept>) -> Vec<String> {
    let record = kept.and_then(Kept::record);
    let when = record.map_or_else(String::new, |record| millis_to_text(record.made_ms));
    let took = record.map_or_else(String::new, |record| told_ms(record.took_ms));
    // That it never ran is said once.
    let stale = if record.is_some() { planned.text() } else { String::new() };
    vec![planned.node.clone(), word(kept).to_string(), when, took, stale]
}

fn node_json(planned: &Planned, kept: Option<&Kept>) -> Value {
    let record = kept.and_then(Kept::record);
    json!({
        "node": planned.node,
        "kept": word(kept),
        "run": record.map(|record| &record.run),
        "made_at": record.map(|record| millis_to_text(record.made_ms)),
        "took_ms": record.map(|record| record.took_ms),
        "outputs": record.map(|record| &record.outputs),
        "will": planned.will,
        "why": planned.why,
        "text": planned.text(),
    })
}

fn told_bytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}
