//! Drift as a table, the worst first, and the bins of the fields that moved.
//! Never draws a field that is stable.

use crate::monitor::compared;
use crate::monitor::drift::bank::{PSI_SHIFTED, PSI_WATCH};
use crate::monitor::drift::{CountedOver, FieldDrift, RuleSet};
use crate::monitor::report::Report;
use crate::monitor::report::page::markup::{
    Column, NONE, Table, count, name, number, optional, paragraph, section, verdict,
};
use crate::monitor::report::page::{bars, limits};
use crate::monitor::verdict::Verdict;
use crate::monitor::words;

/// A judged distribution, and where it stands in the JSON.
struct Judged<'a> {
    at: String,
    drift: &'a FieldDrift,
    is_score: bool,
}

pub(super) fn write(report: &Report) -> String {
    let sorted = sorted(report);
    if sorted.is_empty() {
        return section("drift", "Drift", &paragraph("soft", "Nothing was judged."));
    }
    let mut moved: Vec<&Judged<'_>> = sorted.iter().filter(|j| j.drift.verdict >= Verdict::Watch).collect();
    // The score is drawn however many fields have moved further.
    moved.sort_by_key(|j| !j.is_score);
    let mut body = lead(report);
    body.push_str(&counted_over(report.drift.over.as_ref()));
    body.push_str(&table(&sorted));
    if !moved.is_empty() {
        body.push_str(
            "<p class=\"key\"><i class=\"then\"></i>reference<i class=\"now\"></i>now; shares of rows</p>\n",
        );
        let drawn: String = moved.iter().take(limits::FIELDS_DRAWN_MAX).map(|j| bins(j)).collect();
        body.push_str(&format!("<div class=\"pairs\">{drawn}</div>\n"));
    }
    let left = moved.len().saturating_sub(limits::FIELDS_DRAWN_MAX) as u64;
    if left > 0 {
        let text = format!("{} more moved and stand in the table only.", words::counted(left, "field"));
        body.push_str(&paragraph("soft", &text));
    }
    section("drift", "Drift", &body)
}

fn lead(report: &Report) -> String {
    let drift = &report.drift;
    let rules = match drift.rules {
        RuleSet::Bank => "a bank's rules",
        RuleSet::Evidently => "Evidently's default rules",
    };
    if drift.judged == 0 {
        return paragraph("soft", &format!("By {rules} no field had rows enough to be judged."));
    }
    format!(
        "<p class=\"soft\">By {rules} {} of {} judged fields have shifted ({}).{}</p>\n",
        count("/drift/shifted", drift.shifted),
        count("/drift/judged", drift.judged),
        number("/drift/share_shifted", drift.share_shifted, &words::percent(drift.share_shifted)),
        levels(drift.rules)
    )
}

/// Whose rows the fields were counted over, where the release in force had too few of its own.
fn counted_over(over: Option<&CountedOver>) -> String {
    let Some(over) = over else { return String::new() };
    let mut text = format!(
        "The release in force has {} rows of its own; a judgement needs {}.",
        count("/drift/over/own_rows", over.own_rows),
        count("/drift/over/needed", over.needed)
    );
    for (index, release) in over.releases.iter().enumerate() {
        let at = format!("/drift/over/releases/{index}");
        let why = release.why.as_deref().map_or(String::new(), |why| format!(": {}", name(why)));
        text.push_str(&format!(
            " {} fields are counted over the {} rows of version {} as well{why}.",
            count(&format!("{at}/fields"), release.fields),
            count(&format!("{at}/rows"), release.rows),
            count(&format!("{at}/version"), release.version)
        ));
    }
    format!("<p class=\"soft\">{text} The score is counted over the release in force alone.</p>\n")
}

/// What the table's threshold does not say.
fn levels(rules: RuleSet) -> String {
    match rules {
        RuleSet::Bank => format!(
            " The stability index compares shares of bins that were fixed at the reference: on watch from {PSI_WATCH:.2}, shifted from {PSI_SHIFTED:.2}, where chance alone does not explain it."
        ),
        RuleSet::Evidently => String::new(),
    }
}

/// By verdict, then by how far beyond the threshold; the score first among its like.
fn sorted(report: &Report) -> Vec<Judged<'_>> {
    let score = report.drift.score.iter().map(|drift| Judged {
        at: "/drift/score".to_string(),
        drift,
        is_score: true,
    });
    let fields = report.drift.fields.iter().enumerate().map(|(index, drift)| Judged {
        at: format!("/drift/fields/{index}"),
        drift,
        is_score: false,
    });
    let mut sorted: Vec<Judged<'_>> = score.chain(fields).collect();
    sorted.sort_by(|a, b| {
        let worse = b.drift.verdict.cmp(&a.drift.verdict);
        let far = compared::severity(b.drift).total_cmp(&compared::severity(a.drift));
        worse.then(b.is_score.cmp(&a.is_score)).then(far).then(a.drift.field.cmp(&b.drift.field))
    });
    sorted
}

fn subject(judged: &Judged<'_>) -> String {
    if judged.is_score { "Score".to_string() } else { name(&judged.drift.field) }
}

/// Columns that nothing would stand in are left out.
fn table(sorted: &[Judged<'_>]) -> String {
    let any = |has: fn(&FieldDrift) -> bool| sorted.iter().any(|j| has(j.drift));
    let (p, effect, unseen) = (any(|d| d.p_value.is_some()), any(has_effect), any(|d| d.unseen.is_some()));
    let first = sorted.first().map(|j| j.drift.method);
    let method = first.filter(|method| sorted.iter().all(|j| j.drift.method == *method));
    let measure = method.map_or("statistic", words::method);
    let mut columns =
        vec![Column::of_words("Field"), Column::of_words("Verdict"), Column::of_numbers("Value")];
    columns.extend(p.then(|| Column::of_numbers("p")));
    columns.push(Column::of_numbers("Threshold"));
    columns.extend(effect.then(|| Column::of_numbers("Effect")));
    columns.extend(["Rows now", "Rows in the reference", "Missing now"].map(Column::of_numbers));
    columns.push(Column::of_numbers("Missing in the reference"));
    columns.extend(unseen.then(|| Column::of_numbers("Never seen")));
    let row = |judged: &Judged<'_>| {
        let (at, drift) = (&judged.at, judged.drift);
        let value = optional(&format!("{at}/statistic"), drift.statistic, words::size);
        let by = if method.is_some() { String::new() } else { note(words::method(drift.method)) };
        let mut cells = vec![subject(judged), verdict(drift.verdict), format!("{value}{by}")];
        cells.extend(p.then(|| optional(&format!("{at}/p_value"), drift.p_value, words::p_value)));
        cells.push(number(&format!("{at}/threshold"), drift.threshold, &words::size(drift.threshold)));
        cells.extend(effect.then(|| effect_of(at, drift)));
        cells.push(count(&format!("{at}/current_rows"), drift.current_rows));
        cells.push(count(&format!("{at}/reference_rows"), drift.reference_rows));
        let share = |key: &str, value: f64| number(&format!("{at}/{key}"), value, &words::percent(value));
        cells.push(share("missing/current", drift.missing.current));
        cells.push(share("missing/reference", drift.missing.reference));
        cells.extend(unseen.then(|| match drift.unseen {
            None => NONE.to_string(),
            Some(unseen) => format!(
                "{}<span class=\"interval\">was {}</span>",
                share("unseen/current", unseen.current),
                share("unseen/reference", unseen.reference)
            ),
        }));
        cells
    };
    let caption = format!("Each field against the reference by its {measure}, the worst first");
    Table { caption, columns, rows: sorted.iter().map(row).collect() }.write()
}

/// An index is its own effect and needs no second column.
fn has_effect(drift: &FieldDrift) -> bool {
    drift.effect.is_some() && drift.effect != drift.statistic
}

fn note(text: &str) -> String {
    format!("<span class=\"interval\">{text}</span>")
}

fn effect_of(at: &str, drift: &FieldDrift) -> String {
    let value = optional(&format!("{at}/effect"), drift.effect, words::size);
    let named = drift.effect_name.as_deref().filter(|_| drift.effect.is_some());
    format!("{value}{}", named.map_or(String::new(), |named| note(&name(named))))
}

fn bins(judged: &Judged<'_>) -> String {
    let drift = judged.drift;
    let largest = drift.bins.iter().map(|b| b.reference.max(b.current)).fold(0.0, f64::max);
    let rows = drift.bins.iter().enumerate().map(|(index, bin)| {
        let at = format!("{}/bins/{index}", judged.at);
        let share = |key: &str, value: f64| number(&format!("{at}/{key}"), value, &words::percent(value));
        vec![
            name(&bin.bin),
            share("reference", bin.reference),
            share("current", bin.current),
            bars::shares(bin.reference, bin.current, largest),
        ]
    });
    let subject = if judged.is_score { "the score".to_string() } else { words::shown(&drift.field) };
    let columns = vec![
        Column::of_words("Values"),
        Column::of_numbers("Reference"),
        Column::of_numbers("Now"),
        Column::of_drawings("Both"),
    ];
    let caption = format!("Rows by values of {subject}");
    let table = Table { caption, columns, rows: rows.collect() }.write();
    format!("<div><h3>{} {}</h3>{table}</div>\n", self::subject(judged), verdict(drift.verdict))
}
