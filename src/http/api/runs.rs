//! Runs, their metrics and their artifacts.

use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use serde_json::json;

use crate::app::runs;
use crate::base::ids::RunId;
use crate::http::call::{Call, Reply, bytes_of, view};
use crate::http::cursor::{cursor_of, seen};
use crate::http::problem::HttpError;
use crate::http::views::run::{MetricHistory, RunList, RunView};

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let wrong = |_| HttpError::Query { name: "cursor".into(), why: "names no run".into() };
        let after = seen(ask)?.map(RunId::try_from).transpose().map_err(wrong)?;
        let limit = ask.limit()?;
        let found = runs::list_after(app, after.as_ref(), limit)?;
        let full = found.len() == limit;
        let next = found.last().filter(|_| full).map(|last| cursor_of(last.run_id.as_str()));
        view(&RunList { runs: found.iter().map(RunView::of).collect(), next })
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
        let mut response = bytes_of(type_of(path), bytes);
        // An SVG is a page to a browser: one that may load and run nothing.
        let closed = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, closed);
        Ok(response)
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
