//! Counted and timed requests, in Prometheus' text form. Route patterns only: nothing of a person and nothing a
//! caller can invent ever becomes a label. Every handle is made before the first request.

use std::fmt::Write as _;
use std::time::Duration;

use axum::http::StatusCode;
use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::app::server::figures::Reading;
use crate::base::figures::{BUILD, CONNECTIONS_OPEN, FAMILIES, Kind, REQUEST_SECONDS, REQUESTS};
use crate::http::pages::routes::PAGES;
use crate::http::routes::Route;

/// What `/metrics` answers with.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

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

    /// All that was counted, and behind it what was looked at now.
    pub fn render(&self, read: &[Reading]) -> String {
        let mut text = self.handle.render();
        write_readings(&mut text, read);
        text
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
    let mut builder = PrometheusBuilder::new();
    for family in FAMILIES {
        if let Kind::Histogram(bounds) = family.kind {
            builder = match builder.set_buckets_for_metric(Matcher::Full(family.name.into()), bounds) {
                Ok(builder) => builder,
                // Refused only for an empty list of bounds.
                Err(_) => PrometheusBuilder::new(),
            };
        }
    }
    builder.build_recorder()
}

fn describe(recorder: &PrometheusRecorder) {
    for family in FAMILIES {
        let (name, help) = (family.name.into(), family.help.into());
        match family.kind {
            Kind::Counter => recorder.describe_counter(name, None, help),
            Kind::Gauge => recorder.describe_gauge(name, None, help),
            Kind::Histogram(_) => recorder.describe_histogram(name, Some(Unit::Seconds), help),
        }
    }
}

/// Each family once, its series together.
fn write_readings(text: &mut String, read: &[Reading]) {
    for family in FAMILIES {
        let mut of = read.iter().filter(|reading| reading.name == family.name).peekable();
        if of.peek().is_none() {
            continue;
        }
        let kind = if family.kind == Kind::Counter { "counter" } else { "gauge" };
        let name = family.name;
        let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", family.help);
        for Reading { labels, value, .. } in of {
            text.push_str(name);
            write_labels(text, labels);
            let _ = writeln!(text, " {value}");
        }
        text.push('\n');
    }
}

fn write_labels(text: &mut String, labels: &[(&'static str, String)]) {
    for (at, (name, value)) in labels.iter().enumerate() {
        let value = value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
        let before = if at == 0 { '{' } else { ',' };
        let _ = write!(text, "{before}{name}=\"{value}\"");
    }
    if !labels.is_empty() {
        text.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::figures::{CLOCK, MODEL_HELD, find_family};
    use crate::http::routes::ROUTES;

    /// No line without help and type, and no family in two places: a reader takes the second for a mistake.
    fn check(text: &str) {
        let (mut seen, mut last) = (Vec::new(), "");
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = find_family(name).unwrap_or_else(|| panic!("{line} is of no family")).name;
            assert_eq!(text.matches(&format!("# HELP {family} ")).count(), 1, "help for {family}");
            assert_eq!(text.matches(&format!("# TYPE {family} ")).count(), 1, "type for {family}");
            if family != last {
                assert!(!seen.contains(&family), "{family} stands in two places");
                seen.push(family);
                last = family;
            }
        }
    }

    #[test]
    fn every_line_belongs_to_a_metric_with_help_and_type_and_is_counted_once() {
        let figures = Figures::local(ROUTES);
        figures.count(Some(0), StatusCode::OK, Duration::from_millis(3));
        figures.count(None, StatusCode::NOT_FOUND, Duration::from_millis(3));
        let text = figures.render(&[]);
        assert!(text.contains(r#"route="none",status="4xx"} 1"#), "{text}");
        assert!(text.contains(r#"le="0.0025"} 0"#), "its own bounds: {text}");
        check(&text);
    }

    #[test]
    fn what_was_looked_at_stands_behind_what_was_counted_and_cannot_forge_a_line() {
        let of =
            |name, label: &str, value| Reading { name, labels: vec![("model", label.to_string())], value };
        let forged = "a\"} 1\n\\evil";
        let read = [
            of(MODEL_HELD, "loan", 1.0),
            Reading { name: CLOCK, labels: Vec::new(), value: 1_764_317_397.5 },
            of(MODEL_HELD, forged, 0.0),
        ];
        let text = Figures::local(ROUTES).render(&read);
        let wanted = concat!(
            "# TYPE tallystick_model_held gauge\n",
            "tallystick_model_held{model=\"loan\"} 1\n",
            "tallystick_model_held{model=\"a\\\"} 1\\n\\\\evil\"} 0\n"
        );
        assert!(text.contains(wanted), "{text}");
        assert!(text.contains("\ntallystick_clock_timestamp_seconds 1764317397.5\n"), "{text}");
        check(&text);
    }
}
