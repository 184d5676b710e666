//! Runs, their metrics and their artifacts, and several runs side by side.

use serde_json::json;

use crate::app::runs::{self, Filter};
use crate::base::ids::RunId;
use crate::http::call::{Call, Reply, bytes_of, closed, view};
use crate::http::cursor::{cursor_of, seen};
use crate::http::problem::HttpError;
use crate::http::views::compare::CompareView;
use crate::http::views::run::{MetricHistory, RunList, RunView};

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let wrong = |_| HttpError::Query { name: "cursor".into(), why: "names no run".into() };
        let after = seen(ask)?.map(RunId::try_from).transpose().map_err(wrong)?;
        let text = |name| ask.query(name).map(str::to_string);
        let (project, experiment, limit) = (text("project"), text("experiment"), ask.limit()?);
        let page = runs::page(app, &Filter { project, experiment, after, limit })?;
        let next = page.next.map(|last| cursor_of(last.as_str()));
        view(&RunList { runs: page.runs.iter().map(RunView::of).collect(), next })
    })
}

pub fn compare(call: Call) -> Reply {
    call.answer(|app, ask| {
        let wanted: Vec<&str> = ask.query("runs").unwrap_or_default().split(',').collect();
        view(&CompareView::of(runs::compare::compare(app, &wanted)?))
    })
}

pub fn show(call: Call) -> Reply {
    call.answer(|app, ask| view(&RunView::of(&runs::find(app, ask.path("run")?)?)))
}

pub fn metric(call: Call) -> Reply {
    call.answer(|app, ask| {
        let (run, key) = (ask.path("run")?, ask.path("key")?);
        let points = runs::metric_history(app, run, key)?;
        view(&MetricHistory { key: key.to_string(), metrics: points.iter().map(|p| json!(p)).collect() })
    })
}

pub fn artifact(call: Call) -> Reply {
    call.answer(|app, ask| {
        let path = ask.path("path")?;
        let bytes = runs::artifact(app, ask.path("run")?, path)?;
        // An SVG is a page to a browser.
        Ok(closed(bytes_of(type_of(path), bytes)))
    })
}

fn type_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("csv") => "text/csv; charset=utf-8",
        Some("toml" | "txt" | "log") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
