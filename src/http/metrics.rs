//! Counted and timed requests, in Prometheus' text form. Route patterns only: nothing of a person and nothing a
//! caller can invent ever becomes a label. Every handle is made before the first request.

use std::time::Duration;

use axum::http::StatusCode;
use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::base::figures::{COMMIT_SECONDS, DECISION_SECONDS, DECISIONS, WRITES_WAITING};
use crate::http::pages::routes::PAGES;
use crate::http::routes::Route;

/// What `/metrics` answers with.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub const CONNECTIONS_OPEN: &str = "tallystick_connections_open";
const REQUESTS: &str = "tallystick_http_requests_total";
const REQUEST_SECONDS: &str = "tallystick_http_request_duration_seconds";
const BUILD: &str = "tallystick_build_info";

/// Upper bounds in seconds: from a bare read to what nobody waits for.
const SECONDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

const METADATA: Metadata<'static> = Metadata::new("tallystick::http", Level::INFO, Some("tallystick"));

/// The handles of one route.
struct RouteFigures {
    by_status: [Counter; 4],
    seconds: Histogram,
}

const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

pub struct Figures {
    handle: PrometheusHandle,
    routes: Vec<RouteFigures>,
    pages: Vec<RouteFigures>,
    /// Requests that met no route.
    unrouted: RouteFigures,
    pub connections: Gauge,
}

impl Figures {
    /// For this process: what other rooms count is in it too. Only the first of a process hears them.
    pub fn global(routes: &[Route]) -> Self {
        let recorder = recorder();
        let figures = Self::of(&recorder, routes);
        let _ = metrics::set_global_recorder(recorder);
        figures
    }

    /// For one router alone.
    pub fn local(routes: &[Route]) -> Self {
        Self::of(&recorder(), routes)
    }

    fn of(recorder: &PrometheusRecorder, routes: &[Route]) -> Self {
        describe(recorder);
        let build = Label::from_static_parts("version", env!("CARGO_PKG_VERSION"));
        recorder.register_gauge(&Key::from_parts(BUILD, vec![build]), &METADATA).set(1.0);
        Self {
            handle: recorder.handle(),
            routes: routes.iter().map(|r| RouteFigures::of(recorder, r.verb.as_str(), r.pattern)).collect(),
            pages: PAGES.iter().map(|p| RouteFigures::of(recorder, p.verb.as_str(), p.pattern)).collect(),
            unrouted: RouteFigures::of(recorder, "any", "none"),
            connections: recorder.register_gauge(&Key::from_static_name(CONNECTIONS_OPEN), &METADATA),
        }
    }

    /// Counts one answered request by the number of its route.
    pub fn count(&self, route: Option<usize>, status: StatusCode, elapsed: Duration) {
        let figures = route.and_then(|at| self.routes.get(at)).unwrap_or(&self.unrouted);
        figures.count(status, elapsed);
    }

    /// The same of a page.
    pub fn count_page(&self, page: Option<usize>, status: StatusCode, elapsed: Duration) {
        let figures = page.and_then(|at| self.pages.get(at)).unwrap_or(&self.unrouted);
        figures.count(status, elapsed);
    }

    pub fn render(&self) -> String {
        self.handle.render()
    }
    /// Sums up what was timed since; without it the list of times would grow until somebody asks.
    pub fn tidy(&self) {
        self.handle.run_upkeep();
    }
}

impl RouteFigures {
    fn of(recorder: &PrometheusRecorder, method: &'static str, route: &'static str) -> Self {
        let labels =
            || vec![Label::from_static_parts("method", method), Label::from_static_parts("route", route)];
        let counter = |class: &'static str| {
            let labels = [labels(), vec![Label::from_static_parts("status", class)]].concat();
            recorder.register_counter(&Key::from_parts(REQUESTS, labels), &METADATA)
        };
        let seconds = recorder.register_histogram(&Key::from_parts(REQUEST_SECONDS, labels()), &METADATA);
        Self { by_status: CLASSES.map(counter), seconds }
    }

    fn count(&self, status: StatusCode, elapsed: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(2, 5) - 2;
        self.by_status[class].increment(1);
        self.seconds.record(elapsed.as_secs_f64());
    }
}

fn recorder() -> PrometheusRecorder {
    let builder = PrometheusBuilder::new();
    // Refused only for an empty list of bounds.
    match builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_string()), &SECONDS) {
        Ok(builder) => builder.build_recorder(),
        Err(_) => PrometheusBuilder::new().build_recorder(),
    }
}

fn describe(recorder: &PrometheusRecorder) {
    let seconds = Some(Unit::Seconds);
    recorder.describe_counter(
        REQUESTS.into(),
        None,
        "Requests answered, by route and class of status.".into(),
    );
    recorder.describe_histogram(REQUEST_SECONDS.into(), seconds, "Time from head to answer.".into());
    recorder.describe_counter(DECISIONS.into(), None, "Decisions recorded.".into());
    recorder.describe_histogram(DECISION_SECONDS.into(), seconds, "Time from a row to its record.".into());
    recorder.describe_gauge(WRITES_WAITING.into(), None, "Writes waiting for a store's writer.".into());
    recorder.describe_histogram(COMMIT_SECONDS.into(), seconds, "Time of one durable commit.".into());
    recorder.describe_gauge(CONNECTIONS_OPEN.into(), None, "Connections open over the network.".into());
    recorder.describe_gauge(BUILD.into(), None, "The version that runs, as a label.".into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::routes::ROUTES;

    #[test]
    fn every_line_belongs_to_a_metric_with_help_and_type_and_is_counted_once() {
        let figures = Figures::local(ROUTES);
        figures.count(Some(0), StatusCode::OK, Duration::from_millis(3));
        figures.count(None, StatusCode::NOT_FOUND, Duration::from_millis(3));
        let text = figures.render();
        assert!(text.contains(r#"route="none",status="4xx"} 1"#), "{text}");
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let name = line.split(['{', ' ']).next().unwrap();
            assert!(name.starts_with("tallystick_"), "{line}");
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let family = family.unwrap_or(name);
            assert!(text.contains(&format!("# HELP {family} ")), "no help for {family}");
            assert!(text.contains(&format!("# TYPE {family} ")), "no type for {family}");
        }
    }
}
