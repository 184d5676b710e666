//! The release in force by the outcomes of its own decisions, beside its test rows and the release that would come back.
//! Never shows a figure without the number of cases behind it.

use crate::base::clock::millis_to_text;
use crate::monitor::performance::Figure;
use crate::monitor::performance::release::{ReleaseBefore, ReleasePerformance};
use crate::monitor::report::Report;
use crate::monitor::report::page::markup::{
    Column, NONE, Table, count, escape, figure, figure_of, name, paragraph, section, verdict,
};
use crate::monitor::words;

const AT: &str = "/release_performance";

/// Nothing where the report is older than this part.
pub(super) fn write(report: &Report) -> String {
    let Some(release) = &report.release_performance else { return String::new() };
    let mut body = lead(release);
    let any = release.figures.iter().any(|figure| figure.value.is_some());
    if any || !release.reference.is_empty() {
        body.push_str(&figures(release));
    }
    body.push_str(&judged(release));
    body.push_str(&release.before.as_ref().map_or(String::new(), before));
    section("release", "The release in force", &body)
}

fn lead(release: &ReleasePerformance) -> String {
    let at = |key: &str| format!("{AT}/{key}");
    let enough = match release.matured < release.needed {
        true => format!(" Nothing is judged below {}.", count(&at("needed"), release.needed)),
        false => format!(" At least {} are needed.", count(&at("needed"), release.needed)),
    };
    format!(
        "<p>{}</p>\n<p class=\"soft\">In force since <span data-figure=\"{}\" data-value=\"{}\">{}</span>. Of its own {} \
         decisions the outcome of {} is known; {} are of days that have matured.{enough}</p>\n",
        verdict(release.verdict),
        at("since_ms"),
        release.since_ms,
        escape(&millis_to_text(release.since_ms)),
        count(&at("decided"), release.decided),
        count(&at("known"), release.known),
        count(&at("matured"), release.matured),
    )
}

fn figures(release: &ReleasePerformance) -> String {
    let columns = vec![
        Column::of_words("Figure"),
        Column::of_numbers("Its own outcomes"),
        Column::of_numbers("Cases"),
        Column::of_numbers("Its test rows"),
    ];
    let mut named: Vec<&str> = release.figures.iter().map(|figure| figure.name.as_str()).collect();
    let more = release.reference.iter().map(|figure| figure.name.as_str());
    let more: Vec<&str> = more.filter(|name| !named.contains(name)).collect();
    named.extend(more);
    let row = |wanted: &&str| {
        let find = |figures: &[Figure]| figures.iter().position(|figure| figure.name == **wanted);
        let own = find(&release.figures).and_then(|at| Some((at, release.figures.get(at)?)));
        let test = find(&release.reference).and_then(|at| Some((at, release.reference.get(at)?)));
        let none = || NONE.to_string();
        vec![
            name(&words::figure_name(wanted)),
            own.map_or_else(none, |(at, one)| figure(&format!("{AT}/figures/{at}"), one)),
            own.map_or_else(none, |(at, one)| count(&format!("{AT}/figures/{at}/n"), one.n)),
            test.map_or_else(none, |(at, one)| figure_of(&format!("{AT}/reference/{at}"), one, u64::MAX)),
        ]
    };
    let rows = named.iter().map(row).collect();
    let caption =
        "By its own matured outcomes and on the rows it was tested on, with 95% intervals".to_string();
    Table { caption, columns, rows }.write()
}

fn judged(release: &ReleasePerformance) -> String {
    let columns =
        vec![Column::of_words("Judged by"), Column::of_numbers("Value"), Column::of_numbers("Cases")];
    let row = |(at, one): (usize, &Figure)| {
        let at = format!("{AT}/judged/{at}");
        vec![name(&words::figure_name(&one.name)), figure(&at, one), count(&format!("{at}/n"), one.n)]
    };
    let rows = release.judged.iter().enumerate().map(row).collect();
    let caption = "What it is judged by, with 99.9% intervals: it is looked at every day, and one look of many is off by chance";
    Table { caption: caption.to_string(), columns, rows }.write()
}

fn before(before: &ReleaseBefore) -> String {
    let at = format!("{AT}/before");
    let text = format!(
        "Version {} would come back: AUC {} over {} matured outcomes of its own, {}.",
        count(&format!("{at}/version"), before.version),
        figure_of(&format!("{at}/auc"), &before.auc, before.matured),
        count(&format!("{at}/matured"), before.matured),
        escape(&words::verdict(before.verdict).to_lowercase()),
    );
    let helps = match before.verdict {
        crate::monitor::verdict::Verdict::Shifted => "A rule does not go back to it: it is no better.",
        _ => "",
    };
    let helps = if helps.is_empty() { String::new() } else { paragraph("soft", helps) };
    format!("<div class=\"soft\">{text}</div>\n{helps}")
}
