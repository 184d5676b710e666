//! The page and the JSON say the same, whatever the report holds.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::base::digest::Digest;
use crate::base::fact::Fact;
use crate::monitor::alarm::judge::{Past, judge};
use crate::monitor::alarm::rules::Rules;
use crate::monitor::drift::{BinShare, FieldDrift, Method};
use crate::monitor::report::changes::{Direction, changes};
use crate::monitor::report::example::{before, drift, empty, figure, full, wide};
use crate::monitor::report::page::{Beside, write_page};
use crate::monitor::report::{Report, parse_json, write_json};
use crate::monitor::trend::Series;
use crate::monitor::verdict::Verdict;

const HOSTILE: &str = "</td></table><script>alert(\"x\" & 'y')</script><img src=x onerror=y>";

fn judged(mut report: Report) -> Report {
    report.alarms = judge(&Rules::standard(), &report, &Past::default()).unwrap();
    report
}

fn page(report: &Report) -> String {
    write_page(report, &Beside::default())
}

/// What the page says of every place it names, by the place.
fn figures_of(page: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for piece in page.split(" data-figure=\"").skip(1) {
        let (at, rest) = piece.split_once("\" data-value=\"").unwrap();
        let value = rest.split('"').next().unwrap().to_string();
        let at = at.to_string();
        if let Some(before) = found.insert(at.clone(), value.clone()) {
            assert_eq!(before, value, "{at} is told twice and differently");
        }
    }
    found
}

/// Every number of the JSON by its pointer.
fn numbers_of(value: &Value, at: &str, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Number(number) => drop(found.insert(at.to_string(), number.to_string())),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(k, v)| numbers_of(v, &format!("{at}/{k}"), found));
        }
        Value::Object(map) => map.iter().for_each(|(k, v)| numbers_of(v, &format!("{at}/{k}"), found)),
        _ => {}
    }
}

fn numbers_in_json(report: &Report) -> BTreeMap<String, String> {
    let document: Value = serde_json::from_slice(&write_json(report).unwrap()).unwrap();
    let mut found = BTreeMap::new();
    numbers_of(&document["report"], "", &mut found);
    found
}

/// Opening and closing tags match, in the order a browser needs them.
fn assert_well_formed(page: &str) {
    let body = page.split_once("</style>\n</head>").unwrap().1;
    let mut open: Vec<&str> = vec!["html"];
    let mut in_style = false;
    for piece in body.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').unwrap_or_else(|| panic!("<{piece}"));
        in_style = (in_style || tag == "style") && tag != "/style";
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{tag}");
        } else if !tag.ends_with('/') {
            open.extend(tag.split(' ').next());
        }
    }
    assert!(open.is_empty(), "{open:?} left open");
}

#[test]
fn every_number_on_the_page_is_the_one_of_the_json_and_none_is_missing() {
    for report in [judged(full()), empty(), judged(wide(200))] {
        let (told, held) = (figures_of(&page(&report)), numbers_in_json(&report));
        for (at, value) in &told {
            assert_eq!(held.get(at), Some(value), "{at}");
        }
        // Bins of fields that are not drawn stand in the JSON only.
        let drawn = |at: &str| match at
            .strip_prefix("/drift/fields/")
            .and_then(|rest| rest.split_once("/bins/"))
        {
            None => true,
            Some((field, _)) => told.keys().any(|k| k.starts_with(&format!("/drift/fields/{field}/bins/"))),
        };
        let quiet = |at: &str| {
            let field = at.strip_prefix("/quality/fields/").and_then(|rest| rest.split_once('/'));
            field.is_some_and(|(field, _)| held[&format!("/quality/fields/{field}/missing/current")] == "0.0")
        };
        // A figure's cases stand once in its row where they are the row's; an index is its own effect.
        let same = |at: &str, key: &str, of: &str| {
            at.strip_suffix(key).is_some_and(|row| held.get(at) == held.get(&format!("{row}{of}")))
        };
        let told_by_row = |at: &str| {
            let row = at.rsplit_once("/figures/").map_or("", |(row, _)| row);
            let n = [format!("{row}/n"), format!("{row}/known")].iter().any(|n| held.get(n) == held.get(at));
            let baseline =
                at.starts_with("/performance/baseline/") && held.get(at) == held.get("/performance/known");
            // The outcomes of the one before stand once, beside it.
            let before = at == "/release_performance/before/auc/n";
            at.ends_with("/n") && (n || baseline || before) || same(at, "/effect", "/statistic")
        };
        let silent = |at: &&String| drawn(at) && !quiet(at) && !told_by_row(at);
        // Nothing was judged: what is not there is not told as zero.
        let unjudged = |at: &&String| report.drift.judged > 0 || !at.starts_with("/drift/");
        for at in held.keys().filter(silent).filter(unjudged) {
            assert!(told.contains_key(at), "{at} is not on the page");
        }
    }
    assert!(figures_of(&page(&judged(full()))).len() > 250);
}

#[test]
fn the_number_shown_is_the_exact_one_rounded() {
    let page = page(&full());
    assert!(page.contains("data-figure=\"/drift/fields/0/statistic\" data-value=\"0.3124\">0.312<"));
    assert!(page.contains("data-figure=\"/business/approval_rate/value\" data-value=\"0.5747\">57.5%<"));
    assert!(page.contains("data-figure=\"/business/profit/value\" data-value=\"184220.0\">184,220<"));
}

#[test]
fn a_report_reads_back_as_it_was_and_the_same_bytes_come_again() {
    for report in [judged(full()), empty(), wide(200)] {
        let bytes = write_json(&report).unwrap();
        assert_eq!(parse_json(&bytes).unwrap(), report);
        assert_eq!(write_json(&report).unwrap(), bytes);
        assert_eq!(page(&report), page(&report));
    }
}

#[test]
fn what_is_no_report_is_refused_by_name() {
    let code = |bytes: &[u8]| parse_json(bytes).unwrap_err().code();
    assert_eq!(code(b"{"), "report.shape");
    assert_eq!(code(b"{\"schema\":1,\"report\":{}}"), "report.shape");
    assert_eq!(code(&vec![b' '; (16 << 20) + 1]), "report.too_long");
    let newer = String::from_utf8(write_json(&full()).unwrap()).unwrap().replacen("2", "3", 1);
    let error = parse_json(newer.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "the report has the form 3; this program knows form 2");
    assert_eq!(error.next_step().unwrap(), "Read it with a newer version.");
    let unknown = newer.replacen('3', "2", 1).replacen("\"project\"", "\"extra\": 1, \"project\"", 1);
    assert_eq!(code(unknown.as_bytes()), "report.shape");
}

#[test]
fn a_report_of_the_first_form_is_read_as_it_was_kept() {
    let mut old = full();
    (old.release_performance, old.drift.over) = (None, None);
    let bytes = String::from_utf8(write_json(&old).unwrap()).unwrap();
    // The first form has neither of the two: not even as nothing.
    assert!(!bytes.contains("release_performance") && !bytes.contains("\"over\""));
    let first = bytes.replacen("\"schema\": 2", "\"schema\": 1", 1);
    assert_ne!(first, bytes);
    assert_eq!(parse_json(first.as_bytes()).unwrap(), old);
    assert!(!page(&old).contains("The release in force"));
    assert!(page(&full()).contains("The release in force"));
}

#[test]
fn a_number_that_is_none_is_refused_before_it_is_written() {
    let spoil: [fn(&mut Report); 3] = [
        |r| r.drift.share_shifted = f64::NAN,
        |r| r.business.approval_rate.value = Some(f64::INFINITY),
        |r| r.drift.fields[0].bins[0].current = f64::NAN,
    ];
    for spoil in spoil {
        let mut report = full();
        spoil(&mut report);
        assert_eq!(write_json(&report).unwrap_err().code(), "report.not_finite");
    }
}

#[test]
fn hostile_names_stay_text_everywhere() {
    let mut report = full();
    report.project = HOSTILE.into();
    report.model = HOSTILE.into();
    report.day = HOSTILE.into();
    for field in &mut report.drift.fields {
        field.field = HOSTILE.into();
        field.effect_name = Some(HOSTILE.into());
        field.effect = Some(0.1);
        field.bins.push(BinShare { bin: HOSTILE.into(), reference: 0.1, current: 0.2 });
    }
    report.quality.fields.iter_mut().for_each(|f| f.field = HOSTILE.into());
    report.fairness[0].attribute = HOSTILE.into();
    report.fairness[0].groups[0].group = HOSTILE.into();
    report.fairness[0].too_small.push(HOSTILE.into());
    report.fairness[0].groups[0].figures[0].name = HOSTILE.into();
    report.performance.as_mut().unwrap().figures[1].name = HOSTILE.into();
    report.performance.as_mut().unwrap().vintages[0].month = HOSTILE.into();
    report.business.outcomes.push((HOSTILE.into(), 3));
    let mut series = Series::empty(HOSTILE, Some(HOSTILE));
    series.push(before().points().unwrap().readings[0].point);
    let mut dated = report.clone();
    dated.day = "2026-03-14".into();
    report.alarms = judge(&Rules::standard(), &dated, &Past::default()).unwrap();
    let beside = Beside { before: Some(&before()), series: &[series] };
    let page = write_page(&report, &beside);
    assert_well_formed(&page);
    for refused in ["<script", "<img", "alert(\"", "<td></table"] {
        assert!(!page.contains(refused), "{refused}");
    }
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let beside = Beside { before: Some(&before()), series: &[] };
    for report in [judged(full()), empty(), judged(wide(200))] {
        let page = write_page(&report, &beside);
        assert_well_formed(&page);
        for refused in ["<script", "href", "src=", "url(", "@import", "<link", "<iframe", " style=", "NaN"] {
            assert!(!page.contains(refused), "{refused}");
        }
        assert_eq!(page.matches("://").count(), page.matches("http://www.w3.org/2000/svg").count());
    }
}

#[test]
fn every_table_has_a_caption_and_every_row_a_head() {
    let page = page(&judged(full()));
    let count = |what: &str| page.matches(what).count();
    assert!(count("<table") > 10);
    assert_eq!(count("<table"), count("<caption>"));
    assert_eq!(count("<tr role=\"row\">"), count("<thead") + count("scope=\"row\""));
    assert_eq!(count("<th "), count("scope="));
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|p| p.split('"').next()).collect();
    let mut once = ids.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ids.len(), "an id stands twice");
}

#[test]
fn an_empty_report_says_so_in_words() {
    let page = page(&empty());
    for said in [
        "Too few rows to judge",
        "No outcome is known yet.",
        "Nothing was judged.",
        "No rule holds.",
        "No attribute is followed.",
        "There is no report before this one",
    ] {
        assert!(page.contains(said), "{said}");
    }
    assert!(!page.contains("NaN") && !page.contains("inf%"));
}

#[test]
fn the_worst_field_comes_first_and_the_stable_last() {
    let page = page(&full());
    let table = page.split("the worst first</caption>").nth(1).unwrap();
    let place = |field: &str| table.find(&format!("scope=\"row\">{field}</th>")).unwrap();
    let order =
        ["income", "purpose", "Score", "months_employed", "loan_amount", "age", "guarantor"].map(place);
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn many_shifted_fields_are_all_told_and_the_worst_drawn() {
    let report = judged(wide(200));
    let page = page(&report);
    // In the caption and in the label of what scrolls; the score is the fortieth.
    assert_eq!(page.matches("Rows by values of field_").count(), 2 * 39);
    assert!(page.contains("Rows by values of the score"));
    assert!(page.contains("161 fields more moved and stand in the table only."), "{}", page.len());
    assert!(page.contains("Rows by values of field_0199") && !page.contains("Rows by values of field_0000"));
    assert!(page.contains(">field_0000</th>"));
    assert!(page.len() < 1 << 20, "{}", page.len());
    assert_eq!(report.alarms.len(), 21);
}

#[test]
fn a_field_judged_by_another_method_says_which() {
    let mut report = full();
    report.drift.fields[1] = FieldDrift {
        method: Method::ChiSquare,
        p_value: Some(0.213),
        effect: Some(0.031),
        effect_name: Some("Cramer's V".into()),
        ..drift("loan_amount", 9.214, Verdict::Stable, 0.1)
    };
    let page = page(&report);
    assert!(page.contains("by its statistic") && page.contains(">chi-square statistic<"));
    assert!(page.contains(">0.213<") && page.contains(">Cramer&#39;s V<"));
}

#[test]
fn changes_name_what_moved_and_nothing_where_nothing_did() {
    let news = changes(&judged(full()), &judged(before()));
    let told = |text: &str| news.iter().find(|n| n.sentence.contains(text)).map(|n| n.direction);
    assert_eq!(told("The overall verdict went from watch to shifted."), Some(Direction::Worse));
    assert_eq!(told("Newly shifted: income."), Some(Direction::Worse));
    assert_eq!(told("Newly on watch: months_employed."), Some(Direction::Worse));
    assert_eq!(told("Stable again: loan_amount."), Some(Direction::Better));
    assert_eq!(told("New alarms: 1."), Some(Direction::Worse));
    assert_eq!(told("The AUC went from 0.729 to 0.703."), Some(Direction::Worse));
    assert_eq!(told("Approved: 57.5% after 60.4%."), Some(Direction::Neither));
    assert_eq!(changes(&full(), &full()), []);
}

#[test]
fn a_release_that_became_worse_is_told_of_the_same_release_only() {
    let (mut now, mut then) = (full(), full());
    then.release_performance.as_mut().unwrap().verdict = Verdict::Stable;
    let told = changes(&now, &then);
    let sentence = "The release in force by its own outcomes went from stable to shifted.";
    assert!(
        told.iter().any(|news| news.sentence == sentence && news.direction == Direction::Worse),
        "{told:?}"
    );
    now.version = 8;
    now.release = Digest::of(b"another");
    assert!(changes(&now, &then).iter().all(|news| news.sentence != sentence));
}

#[test]
fn a_first_judgement_or_one_lost_is_neither_better_nor_worse() {
    let mut first = empty();
    first.verdict = Verdict::Insufficient;
    let mut stable = empty();
    stable.verdict = Verdict::Stable;
    for (now, then) in [(&stable, &first), (&first, &stable)] {
        assert!(changes(now, then).iter().all(|news| news.direction == Direction::Neither));
    }
    let mut shifted = empty();
    shifted.verdict = Verdict::Shifted;
    assert_eq!(changes(&shifted, &first)[0].direction, Direction::Worse);
}

#[test]
fn the_overall_verdict_is_the_worst_of_the_parts() {
    let mut report = full();
    report.drift.verdict = Verdict::Stable;
    report.quality.verdict = Verdict::Insufficient;
    let of = Report::overall;
    report.release_performance = None;
    assert_eq!(of(&report), Verdict::Watch);
    report.performance = None;
    report.fairness.clear();
    assert_eq!(of(&report), Verdict::Stable);
    report.fairness = full().fairness;
    report.fairness[1].verdict = Verdict::Shifted;
    assert_eq!(of(&report), Verdict::Shifted);
    assert_eq!(of(&empty()), Verdict::Insufficient);
}

#[test]
fn the_days_before_are_drawn_beside_the_report_with_their_levels() {
    let report = judged(full());
    let before = judged(before());
    let mut series = Series::empty("psi", Some("income"));
    for back in 0..40u64 {
        let mut point = before.points().unwrap().readings[0].point;
        point.day -= back;
        point.value = Some(0.3 - 0.006 * back as f64 + 0.03 * (back as f64 * 1.3).sin());
        point.verdict = if point.value > Some(0.25) { Verdict::Shifted } else { Verdict::Stable };
        series.push(point);
    }
    let mut auc = Series::empty("auc", None);
    for back in 0..40u64 {
        let one = figure("auc", 0.70 + 0.001 * back as f64, 0.03, 900);
        let mut point = before.points().unwrap().readings[0].point;
        (point.day, point.value, point.low, point.high) = (point.day - back, one.value, one.low, one.high);
        point.verdict = Verdict::Stable;
        auc.push(point);
    }
    let beside = Beside { before: Some(&before), series: &[series, auc] };
    let page = write_page(&report, &beside);
    assert_well_formed(&page);
    for said in ["id=\"trend-0-title\"", "id=\"trend-1-title\"", ">shifted 0.25</text>", ">watch 0.10</text>"]
    {
        assert_eq!(page.matches(said).count(), 1, "{said}");
    }
    assert!(!write_page(&report, &Beside::default()).contains("The days before"));
}
