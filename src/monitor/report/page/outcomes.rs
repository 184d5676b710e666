//! What came of the decisions: performance, vintages, calibration, and the business figures.
//! Never shows a figure without the number of cases behind it.

use crate::evaluate::calibration::Reliability;
use crate::evaluate::charts::calibration::draw_calibration;
use crate::monitor::performance::{CalibrationBin, Figure, Performance, Vintage};
use crate::monitor::report::Report;
use crate::monitor::report::page::markup::{
    Column, NONE, Table, count, escape, figure, figure_of, name, number, paragraph, section, verdict,
};
use crate::monitor::trend::names;
use crate::monitor::words;

pub(super) fn write(report: &Report) -> String {
    let heading = "Performance";
    let Some(performance) = &report.performance else {
        let text = "No outcome is known yet. Figures appear when the first outcomes are recorded.";
        return section("performance", heading, &paragraph("soft", text));
    };
    let mut body = lead(performance);
    body.push_str(&figures(performance));
    if !performance.vintages.is_empty() {
        body.push_str(&vintages(&performance.vintages));
    }
    if !performance.calibration.is_empty() {
        body.push_str(&calibration(performance));
    }
    section("performance", heading, &body)
}

fn lead(performance: &Performance) -> String {
    let ripe = if performance.matured {
        "The figures are those of the months that have matured."
    } else {
        "No month has matured: outcomes are still coming, and nothing is judged by the figures yet."
    };
    format!(
        "<p>{}</p>\n<p class=\"soft\">The outcome of {} of {} decisions is known. {ripe}</p>\n",
        verdict(performance.verdict),
        count("/performance/known", performance.known),
        count("/performance/decided", performance.decided),
    )
}

/// Each figure beside the one of a model that always says the reference's bad rate.
fn figures(performance: &Performance) -> String {
    let columns = vec![
        Column::of_words("Figure"),
        Column::of_numbers("Value"),
        Column::of_numbers("Without a model"),
        Column::of_numbers("Cases"),
    ];
    let row = |(index, one): (usize, &Figure)| {
        let at = format!("/performance/figures/{index}");
        let place = performance.baseline.iter().position(|b| b.name == one.name);
        let baseline = place.and_then(|place| performance.baseline.get(place).map(|b| (place, b)));
        let baseline = baseline.map_or(NONE.to_string(), |(place, baseline)| {
            figure_of(&format!("/performance/baseline/{place}"), baseline, one.n)
        });
        vec![
            name(&words::figure_name(&one.name)),
            figure(&at, one),
            baseline,
            count(&format!("{at}/n"), one.n),
        ]
    };
    let rows = performance.figures.iter().enumerate().map(row).collect();
    let caption =
        "Figures with their 95% intervals; without a model: every case gets the reference's bad rate";
    Table { caption: caption.to_string(), columns, rows }.write()
}

fn vintages(vintages: &[Vintage]) -> String {
    let mut named: Vec<&str> = Vec::new();
    for one in vintages.iter().flat_map(|v| &v.figures) {
        if !named.contains(&one.name.as_str()) {
            named.push(&one.name);
        }
    }
    let mut columns = vec![
        Column::of_words("Month of decision"),
        Column::of_words("Verdict"),
        Column::of_numbers("Decided"),
        Column::of_numbers("Known"),
    ];
    columns.extend(named.iter().map(|name| Column::of_numbers(&words::figure_name(name))));
    let row = |(index, vintage): (usize, &Vintage)| {
        let at = format!("/performance/vintages/{index}");
        let mut cells = vec![
            name(&vintage.month),
            verdict(vintage.verdict),
            count(&format!("{at}/decided"), vintage.decided),
            count(&format!("{at}/known"), vintage.known),
        ];
        cells.extend(named.iter().map(|name| {
            let found = vintage.figures.iter().enumerate().find(|(_, f)| f.name == *name);
            found.map_or(NONE.to_string(), |(place, one)| {
                figure_of(&format!("{at}/figures/{place}"), one, vintage.known)
            })
        }));
        cells
    };
    let rows = vintages.iter().enumerate().map(row).collect();
    let caption = "By the month of the decision, whenever the outcome came".to_string();
    format!("<h3>Vintages</h3>\n{}", Table { caption, columns, rows }.write())
}

fn calibration(performance: &Performance) -> String {
    let ece = performance.figures.iter().find(|f| f.name == names::ECE).and_then(|f| f.value);
    let chart = ece.map_or(String::new(), |ece| {
        let svg = draw_calibration(&Reliability { ece, bins: performance.calibration.clone() });
        format!("<div class=\"chart\" tabindex=\"0\" role=\"group\" aria-label=\"Calibration\">{svg}</div>\n")
    });
    let columns = vec![
        Column::of_words("Mean predicted"),
        Column::of_numbers("From and to"),
        Column::of_numbers("Came"),
        Column::of_numbers("95% interval"),
        Column::of_numbers("Bad"),
        Column::of_numbers("Cases"),
    ];
    let row = |(index, bin): (usize, &CalibrationBin)| {
        let at = format!("/performance/calibration/{index}");
        let share = |key: &str, value: f64| number(&format!("{at}/{key}"), value, &words::percent(value));
        let span = |low: String, high: String| format!("{low} to {high}");
        vec![
            share("probability_mean", bin.probability_mean),
            span(
                share("probability_min", bin.probability_min),
                share("probability_max", bin.probability_max),
            ),
            share("positive_rate", bin.positive_rate),
            span(share("rate_low", bin.rate_low), share("rate_high", bin.rate_high)),
            count(&format!("{at}/positives"), bin.positives),
            count(&format!("{at}/rows"), bin.rows),
        ]
    };
    let rows = performance.calibration.iter().enumerate().map(row).collect();
    let caption =
        "What was predicted and what came, from the lowest probabilities to the highest".to_string();
    format!("<h3>Calibration</h3>\n{chart}{}", Table { caption, columns, rows }.write())
}

pub(super) fn write_business(report: &Report) -> String {
    let business = &report.business;
    let mut body = format!(
        "<p class=\"soft\">{} cases were decided.</p>\n",
        count("/business/decided", business.decided)
    );
    if !business.outcomes.is_empty() {
        body.push_str(&outcomes(&business.outcomes, business.decided));
    }
    let figures = [
        ("/business/approval_rate", "Approved", Some(&business.approval_rate)),
        ("/business/bad_rate_of_approved", "Bad among approved", Some(&business.bad_rate_of_approved)),
        ("/business/profit", "Profit", business.profit.as_ref()),
        ("/business/profit_expected", "Profit as the scores promised", business.profit_expected.as_ref()),
    ];
    let row = |(at, words, one): (&str, &str, Option<&Figure>)| {
        let one = one?;
        // The name a figure carries may be any; its place says how it is read.
        let named = Figure { name: at.rsplit('/').next().unwrap_or_default().to_string(), ..one.clone() };
        Some(vec![escape(words), figure(at, &named), count(&format!("{at}/n"), one.n)])
    };
    let columns = vec![Column::of_words("Figure"), Column::of_numbers("Value"), Column::of_numbers("Cases")];
    let caption = "Figures of the business with their 95% intervals".to_string();
    let rows = figures.into_iter().filter_map(row).collect();
    body.push_str(&Table { caption, columns, rows }.write());
    section("business", "Business", &body)
}

fn outcomes(outcomes: &[(String, u64)], decided: u64) -> String {
    let columns = vec![Column::of_words("Outcome"), Column::of_numbers("Cases"), Column::of_numbers("Share")];
    let row = |(index, (outcome, cases)): (usize, &(String, u64))| {
        let share = match decided {
            0 => String::new(),
            decided => words::percent(*cases as f64 / decided as f64),
        };
        vec![name(outcome), count(&format!("/business/outcomes/{index}/1"), *cases), share]
    };
    let rows = outcomes.iter().enumerate().map(row).collect();
    Table { caption: "What was decided".to_string(), columns, rows }.write()
}
