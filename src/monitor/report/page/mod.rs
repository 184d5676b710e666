//! A report as one page that needs nothing but itself: to be opened from a disk, mailed or printed.
//! Never holds a figure that the report's JSON does not hold; each says where it stands there.

use crate::base::clock::millis_to_text;
use crate::monitor::report::Report;
use crate::monitor::report::page::markup::{escape, name};
use crate::monitor::trend::Series;
use crate::monitor::words;

mod bars;
mod drift;
mod fairness;
mod glance;
mod markup;
mod outcomes;
mod quality;
mod release;
mod style;
mod trends;

mod limits {
    /// Fields whose bins are drawn, the worst first; the others stand in the table.
    pub(super) const FIELDS_DRAWN_MAX: usize = 40;
    /// Series drawn on one page.
    pub(super) const TRENDS_DRAWN_MAX: usize = 12;
}

/// What a page shows beside its report, where there is any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// The report before this one, for what has changed.
    pub before: Option<&'a Report>,
    /// The figures of the days before, as charts.
    pub series: &'a [Series],
}

/// The same page for the same report.
pub fn write_page(report: &Report, beside: &Beside<'_>) -> String {
    let title = format!("{} version {}, {}: monitoring report", report.model, report.version, report.day);
    let parts = [
        glance::write(report, beside.before),
        glance::write_alarms(report),
        drift::write(report),
        quality::write(report),
        release::write(report),
        outcomes::write(report),
        fairness::write(report),
        outcomes::write_business(report),
        trends::write(beside.series),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}<main>\n{}</main>\n{}</body>\n</html>\n",
        escape(&words::shown(&title)),
        style::SHEET,
        head(report),
        parts.concat(),
        foot(report)
    )
}

fn head(report: &Report) -> String {
    let window = match report.window_days {
        1 => "one day".to_string(),
        days => words::counted(days, "day"),
    };
    format!(
        "<header class=\"head\">\n<p class=\"kicker\">Monitoring report · {}</p>\n<h1>{}</h1>\n\
         <p class=\"soft\">Version <span data-figure=\"/version\" data-value=\"{version}\">{version}</span>, \
         <time datetime=\"{day}\">{day}</time>, window of <span data-figure=\"/window_days\" data-value=\"{days}\">{window}</span></p>\n</header>\n",
        name(&report.project),
        name(&report.model),
        version = report.version,
        day = escape(&report.day),
        days = report.window_days,
    )
}

fn foot(report: &Report) -> String {
    format!(
        "<footer class=\"foot\">\n<p>Made <span data-figure=\"/made_ms\" data-value=\"{}\">{}</span> of the release \
         <span class=\"hash\">{}</span>.</p>\n<p>The JSON of this report holds the same numbers in full; each figure on this page is one of them, rounded.</p>\n</footer>\n",
        report.made_ms,
        escape(&millis_to_text(report.made_ms)),
        report.release.to_hex()
    )
}
