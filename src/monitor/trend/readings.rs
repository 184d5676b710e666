//! Takes the figures worth following out of a report.
//! Never computes one that the report does not hold, but for shares of its own counts.

use crate::monitor::drift::FieldDrift;
use crate::monitor::performance::Figure;
use crate::monitor::performance::release::ReleasePerformance;
use crate::monitor::quality::DayQuality;
use crate::monitor::report::Report;
use crate::monitor::trend::{Point, Reading, names};
use crate::monitor::verdict::Verdict;

pub(super) fn of(report: &Report, day: u64) -> Vec<Reading> {
    let mut taken = Taken { day, readings: Vec::new() };
    taken.drift(report);
    taken.quality(&report.quality);
    if let Some(performance) = &report.performance {
        let verdict = performance.verdict;
        performance.figures.iter().for_each(|f| taken.figure(f, None, verdict));
        taken.push(names::PERFORMANCE, None, Point { n: performance.known, ..Point::blank(day, verdict) });
    }
    if let Some(release) = &report.release_performance {
        taken.release(release);
    }
    for fairness in &report.fairness {
        let (attribute, verdict) = (Some(fairness.attribute.as_str()), fairness.verdict);
        fairness.differences.iter().for_each(|f| taken.figure(f, attribute, verdict));
        for group in &fairness.groups {
            let about = format!("{}: {}", fairness.attribute, group.group);
            group.figures.iter().for_each(|f| taken.figure(f, Some(&about), verdict));
        }
        let n = fairness.groups.iter().map(|group| group.n).sum();
        taken.push(names::FAIRNESS, attribute, Point { n, ..Point::blank(day, verdict) });
    }
    let business = &report.business;
    let figures = [
        (names::APPROVAL_RATE, Some(&business.approval_rate)),
        (names::BAD_RATE_OF_APPROVED, Some(&business.bad_rate_of_approved)),
        (names::PROFIT, business.profit.as_ref()),
        (names::PROFIT_EXPECTED, business.profit_expected.as_ref()),
    ];
    for (name, figure) in figures {
        if let Some(figure) = figure {
            let verdict = if figure.value.is_some() { Verdict::Stable } else { Verdict::Insufficient };
            taken.push(name, None, Point::of(figure, day, verdict));
        }
    }
    taken.readings
}

struct Taken {
    day: u64,
    readings: Vec<Reading>,
}

impl Taken {
    fn push(&mut self, name: &str, about: Option<&str>, point: Point) {
        self.readings.push(Reading { name: name.to_string(), about: about.map(str::to_string), point });
    }

    fn figure(&mut self, figure: &Figure, about: Option<&str>, verdict: Verdict) {
        self.push(&figure.name, about, Point::of(figure, self.day, verdict));
    }

    fn drift(&mut self, report: &Report) {
        let point = |d: &FieldDrift| Point {
            value: d.statistic,
            n: d.current_rows,
            ..Point::blank(self.day, d.verdict)
        };
        let fields: Vec<(String, Option<String>, Point)> =
            report
                .drift
                .fields
                .iter()
                .map(|d| (names::of_method(d.method).to_string(), Some(d.field.clone()), point(d)))
                .chain(report.drift.score.iter().map(|d| {
                    (format!("{}{}", names::SCORE_PREFIX, names::of_method(d.method)), None, point(d))
                }))
                .collect();
        for (name, about, point) in fields {
            self.readings.push(Reading { name, about, point });
        }
        let (drift, day) = (&report.drift, self.day);
        let shifted = (drift.judged > 0).then_some(drift.shifted as f64);
        let point = Point { value: shifted, n: drift.judged, ..Point::blank(day, drift.verdict) };
        self.push(names::SHIFTED_FIELDS, None, point);
    }

    fn release(&mut self, release: &ReleasePerformance) {
        for figure in release.figures.iter().chain(&release.judged) {
            let name = format!("{}{}", names::RELEASE_PREFIX, figure.name);
            self.push(&name, None, Point::of(figure, self.day, release.verdict));
        }
        let point = Point { n: release.matured, ..Point::blank(self.day, release.verdict) };
        self.push(names::RELEASE, None, point);
    }

    fn quality(&mut self, quality: &DayQuality) {
        let (day, rows) = (self.day, quality.rows);
        for field in &quality.fields {
            let about = Some(field.field.as_str());
            let share =
                |value: f64| Point { value: Some(value), n: rows, ..Point::blank(day, field.verdict) };
            self.push(names::MISSING_RATE, about, share(field.missing.current));
            if let Some(unseen) = field.unseen {
                self.push(names::UNSEEN_RATE, about, share(unseen.current));
            }
            self.push(names::QUALITY, about, Point { n: rows, ..Point::blank(day, field.verdict) });
        }
        let blank = Point { n: rows, ..Point::blank(day, quality.verdict) };
        self.push(names::QUALITY, None, blank);
        // How many rows came is known however few they are.
        self.push(names::ROWS, None, Point { value: Some(rows as f64), verdict: Verdict::Stable, ..blank });
        let share = |count: u64| (rows > 0).then(|| count as f64 / rows as f64);
        let of_rows = |count: u64| Point { value: share(count), ..blank };
        self.push(names::DEGRADED_RATE, None, of_rows(quality.degraded));
        self.push(names::DEFAULTED_RATE, None, of_rows(quality.defaulted));
    }
}

impl Point {
    fn blank(day: u64, verdict: Verdict) -> Self {
        Self { day, value: None, low: None, high: None, n: 0, verdict }
    }

    fn of(figure: &Figure, day: u64, verdict: Verdict) -> Self {
        let Figure { value, low, high, n, .. } = *figure;
        Self { day, value, low, high, n, verdict }
    }
}
