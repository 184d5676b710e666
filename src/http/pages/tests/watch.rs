//! The pages of what runs by itself and what is watched, in every state they have, with names that would be markup.

use crate::http::pages::alerts::view::{AlertLine, AlertView, AlertsView, ChannelLine, Pair};
use crate::http::pages::chains::cause::Planned;
use crate::http::pages::chains::marks::Mark;
use crate::http::pages::chains::picture::{Boxed, Drawing, Picture};
use crate::http::pages::chains::run::{AttemptLine, Left, RunView, StepView};
use crate::http::pages::chains::view::{
    ChainLine, ChainView, ChainsView, ProjectView, QueueLine, RunLine, StepLine,
};
use crate::http::pages::monitoring::chart::{Spark, chart};
use crate::http::pages::monitoring::view::{
    GroupLine, HoldView, ModelLine, MonitoringView, NewsLine, RangeLink, ReportView, report_view,
};
use crate::http::pages::text::Texts;
use crate::monitor::report::example;
use crate::monitor::trend::Series;

const TONES: [&str; 4] = ["good", "refer", "bad", "other"];
const SHAPES: [&str; 11] =
    ["good", "bad", "warn", "note", "stop", "running", "waiting", "paused", "pending", "skipped", "none"];

fn mark(at: usize) -> Mark {
    Mark { tone: TONES[at % TONES.len()], shape: SHAPES[at % SHAPES.len()], word: "State <b>".into() }
}

fn planned() -> Planned {
    Planned { local: "2026-11-30 02:00 +01:00".into(), zone: "Europe/Berlin".into(), utc: "then".into() }
}

fn run_line(at: usize) -> RunLine {
    RunLine {
        address: format!("/chain-runs/{at}"),
        mark: mark(at),
        cause: "<erika>, by hand".into(),
        started: "then".into(),
        ago: "today".into(),
        took: at.is_multiple_of(2).then(|| "12 s".into()),
    }
}

fn chain_line(at: usize) -> ChainLine {
    let set = at.is_multiple_of(2);
    ChainLine {
        id: format!("chain-{at}"),
        address: format!("/chains/p/{at}"),
        project: "p".into(),
        chain: "<b>".into(),
        mark: mark(at),
        is_paused: at == 1,
        paused: (at == 1).then(|| "Paused by <erika>".into()),
        next: if set { vec![planned(), planned()] } else { Vec::new() },
        starts: vec!["When <b> comes".into()],
        last: set.then(|| run_line(at)),
        queue: (0..at)
            .map(|at| QueueLine { cause: "<b>".into(), planned: (at == 0).then(planned) })
            .collect(),
        is_open: at == 2,
        skipped: set.then(|| "3".into()),
    }
}

pub fn chains() -> Vec<ChainsView> {
    let project = |at: usize| ProjectView {
        id: format!("project-{at}"),
        name: "<b>".into(),
        applied: "by <erika>".into(),
        chains: (at * 4..at * 4 + 4).map(chain_line).collect(),
    };
    vec![ChainsView::default(), ChainsView { projects: vec![project(0), project(1)] }]
}

fn picture() -> Picture {
    let boxed = |at| Boxed { x: 4, y: at * 80, name: "<b>".into(), mark: mark(at) };
    let drawing = Drawing {
        width: 200,
        height: 900,
        boxes: (0..SHAPES.len()).map(boxed).collect(),
        lines: vec!["M0 0C1 1 1 1 2 2".into()],
        heads: vec!["M2 2l-8 -5v10z".into()],
    };
    Picture { wide: drawing.clone(), tall: drawing }
}

fn step_line(set: bool) -> StepLine {
    StepLine {
        name: "train".into(),
        runs: "Trains.".into(),
        after: set.then(|| "After <b>.".into()),
        when: set.then(|| "When one failed.".into()),
        tries: set.then(|| "Tried 3 times.".into()),
        timeout: "Stopped after 2h.".into(),
    }
}

pub fn chain() -> Vec<ChainView> {
    let of = |at: usize| ChainView {
        line: chain_line(at),
        picture: picture(),
        steps: vec![step_line(true), step_line(false)],
        runs: (0..at).map(run_line).collect(),
        next: (at == 2).then(|| "/chains/p/c?cursor=x".into()),
    };
    (0..3).map(of).collect()
}

pub fn runs() -> Vec<RunView> {
    let attempt = |number: u32| AttemptLine {
        number,
        mark: mark(number as usize),
        started: "then".into(),
        took: (number == 1).then(|| "3 min 4 s".into()),
        said: (number == 2).then(|| "no file fits <b>".into()),
    };
    let step = |at: usize| StepView {
        id: format!("step-{at}"),
        line: step_line(at == 0),
        mark: mark(at),
        note: (at == 1).then(|| "Waits for <erika>".into()),
        carried: (at == 2).then(|| "/chain-runs/a".into()),
        attempts: if at == 0 { vec![attempt(1), attempt(2)] } else { Vec::new() },
    };
    let left = |address: Option<&str>| Left {
        label: "Report".into(),
        value: "<b>".into(),
        address: address.map(str::to_string),
    };
    let full = RunView {
        id: "7f".into(),
        project: "p".into(),
        chain: "<b>".into(),
        chain_address: "/chains/p/c".into(),
        mark: mark(2),
        cause: "<erika>, by hand".into(),
        cause_address: Some("/chain-runs/a".into()),
        started: "then".into(),
        planned: Some("then".into()),
        ended: Some("then".into()),
        took: Some("12 s".into()),
        deadline: Some("then".into()),
        finish_by: Some("then".into()),
        cancelled: Some("<erika>, then".into()),
        told: vec!["<b> took too long".into()],
        picture: picture(),
        steps: (0..3).map(step).collect(),
        left: vec![left(None), left(Some("/approvals/1"))],
        may_cancel: false,
        may_rerun: true,
    };
    let open = RunView { may_cancel: true, id: "8f".into(), mark: mark(5), ..RunView::default() };
    vec![full, open]
}

fn news() -> Vec<NewsLine> {
    [("good", "good"), ("bad", "warn"), ("other", "note")]
        .map(|(tone, shape)| NewsLine { tone, shape, text: "Newly shifted: <b>.".into() })
        .to_vec()
}

fn hold() -> Option<HoldView> {
    Some(HoldView { rule: "<b>".into(), why: "<b>".into(), since: "then".into() })
}

pub fn monitoring() -> Vec<MonitoringView> {
    let drawn = Spark {
        name: "Rows".into(),
        value: Some("12".into()),
        label: Some("Rows on 3 days".into()),
        path: "M0 0L1 1".into(),
        x: "1.0".into(),
        y: "1.0".into(),
    };
    let bare = Spark { name: "Bad rate".into(), ..Spark::default() };
    let full = |at: usize| ModelLine {
        id: format!("model-{at}"),
        address: "/monitoring/m".into(),
        name: "m".into(),
        model: "Loan <b>".into(),
        version: 3,
        mark: mark(at),
        day: Some("2026-11-27".into()),
        ago: "yesterday".into(),
        alarms: "No rule holds.".into(),
        news: news(),
        sparks: vec![drawn.clone(), bare.clone()],
        hold: hold(),
    };
    let unseen = ModelLine { id: "model-x".into(), day: None, hold: None, ..full(10) };
    vec![MonitoringView::default(), MonitoringView { lines: vec![full(0), full(1), full(2), unseen] }]
}

/// Reports as `monitor` has them: a full one beside the one before, one of a day without rows, one of many fields.
pub fn reports() -> Vec<ReportView> {
    let texts = Texts::load().unwrap();
    let (full, before) = (example::full(), example::before());
    let days = [full.clone(), before.clone()].map(|report| report.points().unwrap());
    let drawn = ["score_psi", "rows"].map(|name| Series::gather(name, None, &days));
    let mut whole = report_view(&texts, &full, Some(&before));
    whole.charts =
        drawn.iter().enumerate().map(|(at, series)| chart(&format!("chart-{at}"), series)).collect();
    whole.ranges = [30, 90]
        .map(|days| RangeLink {
            address: format!("?days={days}"),
            label: format!("{days} days"),
            here: days == 90,
        })
        .to_vec();
    whole.days = vec![full.day.clone(), before.day.clone()];
    (whole.earlier, whole.later) = (Some("/monitoring/m/d".into()), Some("/monitoring/m/e".into()));
    (whole.hold, whole.fields_more) = (hold(), Some("12".into()));
    whole.groups.push(GroupLine { attribute: "<b>".into(), mark: mark(1), figures: Vec::new() });
    let quiet = ReportView { news: Vec::new(), before: Some("2026-03-13".into()), ..ReportView::default() };
    vec![whole, report_view(&texts, &example::empty(), None), quiet]
}

fn alert_line(at: usize) -> AlertLine {
    let channel = |number: usize| ChannelLine {
        channel: "mail <b>".into(),
        mark: mark(number),
        attempts: 2,
        when: "then".into(),
        error: (number == 1).then(|| "refused <b>".into()),
        may_repeat: number == 1,
    };
    AlertLine {
        address: format!("/alerts/{at}"),
        title: "income <b> has shifted".into(),
        severity: mark(at),
        state: mark(at + 1),
        kind: "Drift".into(),
        count: if at == 0 { "1".into() } else { "7".into() },
        first: "then".into(),
        last: "then".into(),
        last_ago: "today".into(),
        channels: (0..at).map(channel).collect(),
    }
}

pub fn alerts() -> Vec<AlertsView> {
    let lines: Vec<AlertLine> = (0..4).map(alert_line).collect();
    vec![
        AlertsView::default(),
        AlertsView { open: true, ..AlertsView::default() },
        AlertsView { open: false, lines, next: Some("/alerts?cursor=x".into()) },
    ]
}

pub fn alert() -> Vec<AlertView> {
    let pair = |name: &str| Pair { name: name.into(), value: "<b>".into() };
    let open = AlertView {
        line: alert_line(2),
        id: "a1".into(),
        about: vec![pair("Model")],
        sentences: vec!["income <b> has shifted.".into()],
        details: vec![pair("<b>")],
        link: Some("/monitoring/m/d".into()),
        is_open: true,
        ..AlertView::default()
    };
    let noticed = AlertView {
        acknowledged: Some("<erika>, then".into()),
        comment: Some("</p><b>".into()),
        ..open.clone()
    };
    let closed = AlertView { resolved: Some("then".into()), is_open: false, link: None, ..noticed.clone() };
    vec![open, noticed, closed, AlertView { line: alert_line(0), ..AlertView::default() }]
}
