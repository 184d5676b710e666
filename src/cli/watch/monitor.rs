//! `monitor`: reports of a model, shown, made now and written as a page; and figures over days.
//! Judges nothing; what is shown is what the report found.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::app::error::check_absent;
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::limits;
use crate::cli::Invocation;
use crate::cli::data::drift::line;
use crate::cli::registry::model::of_model;
use crate::cli::speak::output::{Answer, columns, list_limit};
use crate::client::call::Client;
use crate::client::error::ClientError;
use crate::http::views::watch::report::{ReportBody, ReportList};
use crate::http::views::watch::trend::{SeriesList, SeriesView};
use crate::monitor::drift::{CountedOver, CountedRelease, FieldDrift};
use crate::monitor::performance::Figure;
use crate::monitor::performance::release::ReleasePerformance;
use crate::monitor::report::{Report, parse_json};
use crate::monitor::trend::names;
use crate::monitor::verdict::Verdict;
use crate::monitor::words;
use crate::registry::version::Alias;

#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  tallystick monitor report my-loans --make\n  tallystick monitor report my-loans --day 2026-03-14 --html report.html\n  tallystick monitor trend my-loans psi --about annual_inc --since 90d --csv"
)]
pub enum MonitorCommand {
    /// The newest report of a model, that of a day, or one that is made now
    Report {
        /// The model's name
        model: String,
        /// The report of this day, such as 2026-03-14
        #[arg(long, value_name = "DAY")]
        day: Option<String>,
        /// Make it now, by the project that is in force [default day: yesterday]
        #[arg(long)]
        make: bool,
        /// With --make: of the version under this alias
        #[arg(long, value_name = "ALIAS", requires = "make")]
        alias: Option<Alias>,
        /// With --make: days that are looked at together [default: 7]
        #[arg(long, value_name = "NUMBER", requires = "make")]
        window_days: Option<u64>,
        /// Write it as a page to this file, which does not exist yet
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// The days of a model that have a report
    List {
        /// The model's name
        model: String,
        /// How many, the newest first
        #[arg(long, default_value = "30", value_parser = list_limit)]
        limit: usize,
    },
    /// One figure of a model over days; without a figure, which there are
    Trend {
        /// The model's name
        model: String,
        /// Such as psi, rows or auc
        series: Option<String>,
        /// The field, attribute or group that it is about
        #[arg(long, value_name = "FIELD", requires = "series")]
        about: Option<String>,
        /// How far back
        #[arg(long, value_name = "DAYS", default_value = "90d", value_parser = days)]
        since: u64,
        /// Write CSV instead of a table
        #[arg(long, requires = "series")]
        csv: bool,
    },
}

/// `90d` or `90`.
fn days(text: &str) -> Result<u64, String> {
    let number = text.strip_suffix('d').unwrap_or(text).parse().ok();
    let number = number.filter(|days| (1..=limits::WATCHED_DAYS_MAX as u64).contains(days));
    number.ok_or_else(|| format!("a number of days from 1d to {}d, such as 90d", limits::WATCHED_DAYS_MAX))
}

pub fn run(command: MonitorCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    let client = invocation.client()?;
    match command {
        MonitorCommand::Report { model, day, make, alias, window_days, html } => {
            html.as_deref().map_or(Ok(()), check_absent)?;
            let body = make.then(|| ReportBody { alias, day: day.clone(), window_days });
            report(&client, &model, (day.as_deref(), body), html.as_deref())
        }
        MonitorCommand::List { model, limit } => list(&client, &model, limit),
        MonitorCommand::Trend { model, series: None, .. } => names(&client, &model),
        MonitorCommand::Trend { model, series: Some(series), about, since, csv } => {
            trend(&client, &model, (&series, about.as_deref()), (since, csv))
        }
    }
}

fn report(
    client: &Client,
    model: &str,
    (day, make): (Option<&str>, Option<ReportBody>),
    html: Option<&Path>,
) -> Result<Answer, Failure> {
    let document: Value = match make {
        Some(body) => client.post_patiently(&of_model(model, &["reports"]), &body)?,
        None => client.get(&of_model(model, &["reports", day.unwrap_or("latest")]))?,
    };
    let report = read(client, &document)?;
    let mut text = report_text(&report);
    if let Some(path) = html {
        let target = of_model(model, &["reports", &report.day, "page"]);
        let page = client.bytes(&target, limits::CLIENT_ANSWER_BYTES_MAX)?;
        files::write_atomic(path, &page, 0o644)?;
        text += &format!("The page is in {}.\n", path.display());
    }
    Ok(Answer::new(text, document))
}

fn read(client: &Client, document: &Value) -> Result<Report, Failure> {
    let strange = |_| ClientError::Strange { to: client.to().to_string(), status: 200 };
    let bytes = serde_json::to_vec(document).map_err(strange)?;
    Ok(parse_json(&bytes)?)
}

fn verdict_of(verdict: Verdict) -> String {
    words::verdict(verdict).to_lowercase()
}

fn report_text(report: &Report) -> String {
    let mut lines = vec![
        ("model".to_string(), format!("{}@{}", report.model, report.version)),
        ("day".into(), format!("{}, {} together", report.day, words::counted(report.window_days, "day"))),
        ("verdict".into(), verdict_of(report.verdict)),
    ];
    let quality = &report.quality;
    let of_day =
        format!("{}, of that day {}", verdict_of(quality.verdict), words::counted(quality.rows, "row"));
    lines.push(("quality".into(), of_day));
    let drift = &report.drift;
    let fields = words::counted(drift.fields.len() as u64, "field");
    let told = format!("{}: {} of {fields} shifted", verdict_of(drift.verdict), drift.shifted);
    lines.push(("drift".into(), told));
    lines.extend(drift.over.iter().flat_map(over_lines));
    lines.extend(business_lines(report));
    lines.extend(report.release_performance.iter().flat_map(release_lines));
    if let Some(performance) = &report.performance {
        let known = format!("{} of {} outcomes known", performance.known, performance.decided);
        lines.push(("outcomes".into(), format!("{}, {known}", verdict_of(performance.verdict))));
        lines.extend(performance.figures.iter().filter_map(figure_line));
    }
    lines.extend(report.fairness.iter().map(|one| {
        let figures: Vec<String> = one.differences.iter().filter_map(figure_text).collect();
        (
            format!("fairness: {}", one.attribute),
            format!("{} {}", verdict_of(one.verdict), figures.join(", ")),
        )
    }));
    let rows: Vec<Vec<String>> = lines.into_iter().map(|(key, value)| vec![key, value]).collect();
    let mut text = columns(&rows);
    let moved: Vec<&FieldDrift> =
        drift.fields.iter().chain(&drift.score).filter(|field| field.verdict >= Verdict::Watch).collect();
    if !moved.is_empty() {
        let head = ["field", "verdict", "measured by", "value", "limit", "rows then", "rows now"];
        let mut rows = vec![head.map(String::from).to_vec()];
        rows.extend(moved.into_iter().map(line));
        text += &format!("\n{}", columns(&rows));
    }
    text += "\n";
    if report.alarms.is_empty() {
        text += "No rule holds.\n";
    }
    for alarm in &report.alarms {
        text += &format!("{} ({}): {}\n", alarm.rule, alarm.severity.as_str(), words::shown(&alarm.sentence));
    }
    text
}

/// Whose rows the fields were counted over beside the release's own.
fn over_lines(over: &CountedOver) -> Vec<(String, String)> {
    let [own, needed] = [over.own_rows, over.needed].map(words::count);
    let own = format!("{own} rows of the release in force, {needed} needed");
    let of_release = |release: &CountedRelease| {
        let (rows, fields) = (words::count(release.rows), words::counted(release.fields, "field"));
        let why = release.why.as_ref().map_or(String::new(), |why| format!("; {}", words::shown(why)));
        let told = format!("the {rows} rows of version {} as well, for {fields}{why}", release.version);
        (String::new(), told)
    };
    [("counted over".to_string(), own)].into_iter().chain(over.releases.iter().map(of_release)).collect()
}

/// The release in force by its own outcomes.
fn release_lines(own: &ReleasePerformance) -> Vec<(String, String)> {
    let [decided, known, matured, needed] =
        [own.decided, own.known, own.matured, own.needed].map(words::count);
    let told = format!(
        "{}, {known} of its {decided} outcomes known, {matured} matured, {needed} needed",
        verdict_of(own.verdict)
    );
    let auc = own.figures.iter().filter(|figure| figure.name == names::AUC);
    let figures = auc.chain(&own.judged).filter_map(figure_line);
    let mut lines = vec![("release".to_string(), told)];
    lines.extend(figures.map(|(name, value)| (format!("release: {name}"), value)));
    lines.extend(own.before.as_ref().and_then(|before| {
        let (_, auc) = figure_line(&before.auc)?;
        let outcomes = words::counted(before.matured, "matured outcome");
        Some(("release before".to_string(), format!("version {}, AUC {auc}, {outcomes}", before.version)))
    }));
    lines
}

fn figure_text(figure: &Figure) -> Option<String> {
    let value = words::figure(&figure.name, figure.value?);
    Some(format!("{} {value}", words::figure_name(&figure.name)))
}

fn figure_line(figure: &Figure) -> Option<(String, String)> {
    let value = words::figure(&figure.name, figure.value?);
    let within = figure.low.zip(figure.high).map_or(String::new(), |(low, high)| {
        format!("  ({} to {})", words::figure(&figure.name, low), words::figure(&figure.name, high))
    });
    Some((words::figure_name(&figure.name), format!("{value}{within}")))
}

fn business_lines(report: &Report) -> Vec<(String, String)> {
    let business = &report.business;
    let outcome = |(name, count): &(String, u64)| format!("{} {}", words::count(*count), words::shown(name));
    let outcomes: Vec<String> = business.outcomes.iter().map(outcome).collect();
    let decided = match outcomes.is_empty() {
        true => words::count(business.decided),
        false => format!("{} ({})", words::count(business.decided), outcomes.join(", ")),
    };
    let mut lines = vec![("decided".to_string(), decided)];
    let (approved, bad) = (&business.approval_rate, &business.bad_rate_of_approved);
    let figures = [Some(approved), Some(bad), business.profit.as_ref()];
    lines.extend(figures.into_iter().flatten().filter_map(figure_line));
    lines
}

fn list(client: &Client, model: &str, limit: usize) -> Result<Answer, Failure> {
    let mut reports = Vec::new();
    let mut target = of_model(model, &["reports"]).with("limit", limit);
    loop {
        let page: ReportList = client.get(&target)?;
        reports.extend(page.reports);
        match page.next.filter(|_| reports.len() < limit) {
            Some(cursor) => {
                let rest = limit - reports.len();
                target = of_model(model, &["reports"]).with("limit", rest).with("cursor", cursor);
            }
            None => break,
        }
    }
    let head = ["day", "version", "verdict", "decided", "shifted fields", "alarms", "made"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(reports.iter().map(|one| {
        let numbers = [one.decided, one.shifted, one.alarms].map(words::count);
        let [decided, shifted, alarms] = numbers;
        let version = format!("{}@{}", one.model, one.version);
        vec![one.day.clone(), version, one.verdict.clone(), decided, shifted, alarms, one.made.clone()]
    }));
    let none = format!("No report of {model} yet: `tallystick monitor report {model} --make`.");
    let text = if reports.is_empty() { none } else { columns(&rows) };
    Ok(Answer::new(text, json!({ "reports": reports })))
}

fn names(client: &Client, model: &str) -> Result<Answer, Failure> {
    let list: SeriesList = client.get(&of_model(model, &["trends"]))?;
    let mut rows = vec![["figure", "about"].map(String::from).to_vec()];
    rows.extend(
        list.series.iter().map(|one| vec![one.name.clone(), one.about.clone().unwrap_or("-".into())]),
    );
    let none = format!("No figures of {model} yet: `tallystick monitor report {model} --make`.");
    let text = if list.series.is_empty() { none } else { columns(&rows) };
    Ok(Answer::new(text, json!(list)))
}

fn trend(
    client: &Client,
    model: &str,
    (series, about): (&str, Option<&str>),
    (since, csv): (u64, bool),
) -> Result<Answer, Failure> {
    let mut target = of_model(model, &["trends", series]).with("since_days", since);
    if let Some(about) = about {
        target = target.with("about", about);
    }
    let view: SeriesView = client.get(&target)?;
    let text = if csv {
        let bytes = client.bytes(&target.with("format", "csv"), limits::CLIENT_ANSWER_BYTES_MAX)?;
        String::from_utf8_lossy(&bytes).into_owned()
    } else if view.points.is_empty() {
        format!("No day of the last {since} has this figure.")
    } else {
        points_text(&view)
    };
    Ok(Answer::new(text, json!(view)))
}

fn points_text(view: &SeriesView) -> String {
    let number = |value: Option<f64>| value.map_or("-".to_string(), |value| words::figure(&view.name, value));
    let mut rows = vec![["day", "value", "low", "high", "n", "verdict"].map(String::from).to_vec()];
    rows.extend(view.points.iter().map(|point| {
        let [value, low, high] = [point.value, point.low, point.high].map(number);
        vec![point.day.clone(), value, low, high, words::count(point.n), point.verdict.clone()]
    }));
    columns(&rows)
}
