//! Series put together, cut, written, drawn.

use crate::base::fact::Fact;
use crate::evaluate::charts::trend::Level;
use crate::monitor::report::example::{before, empty, full};
use crate::monitor::trend::csv::write_csv;
use crate::monitor::trend::picture::{draw_series, fixed_levels};
use crate::monitor::trend::{Day, Point, Series, names};
use crate::monitor::verdict::Verdict;

fn days() -> Vec<Day> {
    [full(), before()].map(|report| report.points().unwrap()).into()
}

fn point(day: u64, value: Option<f64>) -> Point {
    Point { day, value, low: None, high: None, n: 7, verdict: Verdict::Stable }
}

#[test]
fn a_report_leaves_every_figure_once() {
    let day = full().points().unwrap();
    assert_eq!((day.day, day.model.as_str()), (20_526, "consumer-loan"));
    let find = |name: &str, about: Option<&str>| {
        let found: Vec<&Point> = day
            .readings
            .iter()
            .filter(|r| r.name == name && r.about.as_deref() == about)
            .map(|r| &r.point)
            .collect();
        assert_eq!(found.len(), 1, "{name} {about:?}");
        *found[0]
    };
    assert_eq!(find("psi", Some("income")).value, Some(0.3124));
    assert_eq!(find("psi", Some("income")).n, 4_120);
    assert_eq!(find("psi", Some("guarantor")).verdict, Verdict::Insufficient);
    assert_eq!(find("score_psi", None).value, Some(0.1642));
    assert_eq!(find(names::MISSING_RATE, Some("income")).value, Some(0.134));
    assert_eq!(find(names::UNSEEN_RATE, Some("purpose")).value, Some(0.031));
    assert_eq!(find(names::ROWS, None).value, Some(4_120.0));
    assert_eq!(find(names::DEGRADED_RATE, None).value, Some(12.0 / 4_120.0));
    assert_eq!(find(names::SHIFTED_FIELDS, None).value, Some(2.0));
    let auc = find(names::AUC, None);
    assert_eq!((auc.value, auc.low, auc.n), (Some(0.70312), Some(0.70312 - 0.0268), 1_904));
    assert_eq!(find("release_auc", None).value, Some(0.6129));
    assert_eq!(
        (find("release_auc_drop", None).low, find(names::RELEASE, None).n),
        (Some(0.1483 - 0.0941), 396)
    );
    assert_eq!(find("release_observed_over_expected", None).verdict, Verdict::Shifted);
    assert_eq!(find("bad_rate", None).value, Some(0.11817));
    assert_eq!(find(names::APPROVAL_RATE, None).value, Some(0.5747));
    assert_eq!(find(names::PROFIT, None).value, Some(184_220.0));
    assert_eq!(find("selection_rate", Some("age_group: 18 to 25")).n, 412);
    assert_eq!(find(names::PARITY_DIFFERENCE, Some("sex")).value, Some(0.012));
    assert_eq!(find(names::FAIRNESS, Some("age_group")).verdict, Verdict::Watch);
    let mut keys: Vec<_> = day.readings.iter().map(|r| (&r.name, &r.about)).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), day.readings.len(), "two readings of one name");
}

#[test]
fn a_day_without_rows_leaves_gaps_not_zeros() {
    let day = empty().points().unwrap();
    let value = |name: &str| day.readings.iter().find(|r| r.name == name).unwrap().point.value;
    assert_eq!(value(names::ROWS), Some(0.0));
    for name in [names::DEGRADED_RATE, names::SHIFTED_FIELDS, names::APPROVAL_RATE] {
        assert_eq!(value(name), None, "{name}");
    }
}

#[test]
fn a_day_that_is_no_date_is_refused() {
    for day in ["14.03.2026", "2026-02-30", "1969-12-31", ""] {
        let mut report = full();
        report.day = day.into();
        assert_eq!(report.points().unwrap_err().code(), "trend.no_day");
    }
}

#[test]
fn a_series_is_in_order_each_day_once_and_the_later_report_counts() {
    let series = Series::gather("psi", Some("income"), &days());
    let told: Vec<(u64, Option<f64>)> = series.points.iter().map(|p| (p.day, p.value)).collect();
    assert_eq!(told, [(20_525, Some(0.2011)), (20_526, Some(0.3124))]);
    let mut again = series.clone();
    again.push(point(20_525, Some(0.5)));
    assert_eq!(again.points.iter().map(|p| p.value).collect::<Vec<_>>(), [Some(0.5), Some(0.3124)]);
    assert_eq!(again.since(20_526).points.len(), 1);
    assert_eq!(Series::gather("psi", None, &days()).points, []);
}

#[test]
fn a_series_without_end_loses_its_oldest_days() {
    let mut series = Series::empty("rows", None);
    (0..4_010).for_each(|day| series.push(point(day, Some(1.0))));
    assert_eq!((series.points.len(), series.points[0].day), (4_000, 10));
}

#[test]
fn csv_reads_back_to_the_same_numbers_and_starts_no_formula() {
    let mut series = Series::gather("auc", None, &days());
    series.push(point(20_527, None));
    let text = write_csv([&series]);
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[0], "series,about,day,value,low,high,n,verdict");
    assert_eq!(lines[3], "auc,,2026-03-15,,,,7,stable");
    let cells: Vec<&str> = lines[2].split(',').collect();
    assert_eq!((cells[2], cells[7]), ("2026-03-14", "watch"));
    assert_eq!(cells[4].parse(), Ok(series.points[1].low.unwrap()));
    assert_eq!(lines.len(), 5);
    let mut odd = Series::empty("psi", Some("=cmd(\"a\"),\nb"));
    odd.push(point(0, Some(0.1)));
    assert!(write_csv([&odd]).contains("psi,\"'=cmd(\"\"a\"\"),\nb\",1970-01-01,0.1,,,7,stable\r\n"));
    assert_eq!(write_csv([]).lines().count(), 1);
}

#[test]
fn a_picture_names_the_series_and_marks_days_out_of_bounds() {
    let series = Series::gather("psi", Some("income"), &days());
    let svg = draw_series("t", &series, &[Level { value: 0.25, words: "shifted 0.25" }]);
    for said in
        ["Stability index (PSI)", "income · 2 days with a figure", ">0.312<", "dot second", "shifted 0.25"]
    {
        assert!(svg.contains(said), "{said}");
    }
    assert_eq!(fixed_levels("score_psi"), fixed_levels("psi"));
    assert_eq!((fixed_levels("psi").len(), fixed_levels("auc").len()), (2, 0));
    let mut other = Series::empty("new_figure", Some("a<b"));
    other.push(point(20_000, Some(1.5)));
    let svg = draw_series("t", &other, &[]);
    assert!(svg.contains("new_figure · a&lt;b · 1 day with a figure") && !svg.contains("dot second"));
}
