//! A report a day, for years, with the figures it leaves: rows are invented, every judgement on them is the monitor's own.

use std::collections::{BTreeMap, VecDeque};

use tallystick::app::chains::projects::Applied;
use tallystick::app::home::App;
use tallystick::app::registry::versions;
use tallystick::app::watch::asked::{self, Wanted as ReportWanted};
use tallystick::base::clock::iso_date;
use tallystick::base::rng::Random;
use tallystick::config::watching::Watching;
use tallystick::monitor::alarm::judge::{Past, judge};
use tallystick::monitor::business;
use tallystick::monitor::drift::FieldDrift;
use tallystick::monitor::drift::bank::{self, FieldCounts};
use tallystick::monitor::estimate::Estimate;
use tallystick::monitor::fairness::{self, Decided, Fairness};
use tallystick::monitor::performance::month::month_of;
use tallystick::monitor::performance::{self, Known, Performance, Reference, Window};
use tallystick::monitor::quality::{self, DayCounts};
use tallystick::monitor::report::Report;
use tallystick::monitor::trend::Day;
use tallystick::registry::version::{Alias, ModelRef, Which};
use tallystick::store::error::StoreError;
use tallystick::store::open::Store;
use tallystick::store::rows::watch::{DayRow, ReportRow};

use crate::{DAY_MS, Wanted};

const TOGETHER: usize = 30;
/// Decisions a day, and those of them whose outcome becomes known.
const ROWS_A_DAY: f64 = 180.0;
const KNOWN_A_DAY: usize = 12;
/// How far back outcomes are looked at, and how often they are measured anew.
const KNOWN_DAYS: u64 = 365;
const MEASURED_EVERY: u64 = 7;
const WINDOW_DAYS: u64 = 7;

/// A model in production, and how its project watches it.
pub struct Watched {
    /// Made of a day without rows: the fields, their bins, what was learned from.
    empty: Report,
    watching: Watching,
    released_auc: Option<f64>,
    /// The best outcome, and the other.
    outcomes: [String; 2],
    groups: BTreeMap<String, [&'static str; 3]>,
}

pub fn watched(app: &App, applied: &Applied) -> Watched {
    let name = &applied.row.name;
    let order = ReportWanted { alias: Alias::Production, day: None, window_days: WINDOW_DAYS };
    let empty = asked::make(app, name, &order).unwrap();
    let model = ModelRef { name: name.clone(), which: Which::Alias(Alias::Production) };
    let (version, policy) = versions::find_version(app, &model, true).unwrap();
    let bands = &versions::load_policy(app, &policy).unwrap().policy().object().bands.clone();
    let watching = applied.project.watching.clone();
    let best = watching.approved.as_ref().and_then(|approved| approved.first().cloned());
    let mut other = bands.iter().map(|band| band.outcome.clone());
    let best = best.unwrap_or_else(|| bands[0].outcome.clone());
    let rest = other.rfind(|outcome| *outcome != best).unwrap();
    let groups = watching.attributes.iter().map(|name| (name.clone(), ["a", "b", "c"])).collect();
    Watched {
        released_auc: versions::evaluation(app, &version).unwrap().metrics.get("auc").copied(),
        outcomes: [best, rest],
        groups,
        watching,
        empty,
    }
}

pub fn fill(store: &Store, wanted: &Wanted, watched: &Watched) -> usize {
    let mut years = Years::new(watched, wanted);
    let days: Vec<u64> = (wanted.today - wanted.days..wanted.today).collect();
    for some in days.chunks(TOGETHER) {
        let rows: Vec<(ReportRow, DayRow)> = some.iter().map(|day| years.day(*day)).collect();
        let write = move |lab: &tallystick::store::views::LabWrite<'_>| {
            rows.iter().try_for_each(|(report, left)| lab.put_report(report, left))
        };
        store.write_lab::<(), StoreError>(write).unwrap();
    }
    days.len()
}

struct Years<'a> {
    of: &'a Watched,
    first: u64,
    random: Random,
    known: VecDeque<Known>,
    past: VecDeque<Day>,
    performance: Option<Performance>,
    fairness: Vec<Fairness>,
}

impl<'a> Years<'a> {
    fn new(of: &'a Watched, wanted: &Wanted) -> Self {
        let first = wanted.today - wanted.days;
        let random = Random::new(3, &format!("fill_lab.days.{}", of.empty.model));
        Self {
            of,
            first,
            random,
            known: VecDeque::new(),
            past: VecDeque::new(),
            performance: None,
            fairness: Vec::new(),
        }
    }

    fn day(&mut self, day: u64) -> (ReportRow, DayRow) {
        let of = self.of;
        self.decide(day);
        if (day - self.first).is_multiple_of(MEASURED_EVERY) {
            self.measure(day);
        }
        let rows = self.rows(day) * WINDOW_DAYS as f64;
        let fields: Vec<FieldCounts> =
            of.empty.drift.fields.iter().enumerate().map(|(at, f)| self.counts(f, at, day, rows)).collect();
        let score = of.empty.drift.score.as_ref().map(|score| self.counts(score, 1, day, rows));
        let drift = bank::compare(&fields, score.as_ref(), &of.watching.drift).unwrap();
        let decided = rows.round() as u64;
        let counts = DayCounts {
            rows: decided / WINDOW_DAYS,
            degraded: 0,
            defaulted: decided / 90,
            unseen: decided / 200,
            fields: &fields,
        };
        let quality = quality::assess(&counts, &of.watching.quality).unwrap();
        let mut report = Report {
            day: iso_date(day as f64).unwrap(),
            made_ms: day as i64 * DAY_MS + DAY_MS + DAY_MS / 4,
            business: self.business(day, decided),
            performance: self.performance.clone(),
            fairness: self.fairness.clone(),
            drift,
            quality,
            alarms: Vec::new(),
            ..of.empty.clone()
        };
        report.verdict = report.overall();
        let past = Past { days: self.past.make_contiguous(), released_auc: of.released_auc };
        report.alarms = judge(&of.watching.rules, &report, &past).unwrap();
        let left = report.points().unwrap();
        self.past.push_back(left.clone());
        while self.past.len() as u64 > of.watching.rules.days_needed() {
            self.past.pop_front();
        }
        (ReportRow { day, report }, DayRow { version: of.empty.version, left })
    }

    /// More from year to year, fewer at the end of a week.
    fn rows(&mut self, day: u64) -> f64 {
        let age = (day - self.first) as f64 / 365.0;
        let weekend = if matches!(day % 7, 2 | 3) { 0.4 } else { 1.0 };
        (ROWS_A_DAY * (1.0 + 0.3 * age) * weekend * (1.0 + 0.1 * self.random.normal())).max(5.0)
    }

    /// The field's own shares, tilted as its season has it; every fifth field moves for good in the third year.
    fn counts(&mut self, field: &FieldDrift, at: usize, day: u64, rows: f64) -> FieldCounts {
        let age = (day - self.first) as f64 / 365.0;
        let season = 0.15 * (std::f64::consts::TAU * (age + at as f64 / 7.0)).sin();
        let moved = if at % 5 == 1 { 0.9 * (age - 1.8).clamp(0.0, 1.0) } else { 0.0 };
        let many = field.bins.len().max(2) as f64;
        let weights: Vec<f64> = field
            .bins
            .iter()
            .enumerate()
            .map(|(k, bin)| {
                let place = k as f64 / (many - 1.0) - 0.5;
                bin.reference * ((season + moved) * 2.0 * place).exp()
            })
            .collect();
        let whole: f64 = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mut draw = |weight: &f64| {
            let mean = rows * weight / whole;
            (mean + mean.sqrt() * self.random.normal()).max(0.0).round() as u64
        };
        FieldCounts {
            field: field.field.clone(),
            bins: field.bins.iter().map(|bin| bin.bin.clone()).collect(),
            reference: field
                .bins
                .iter()
                .map(|bin| (bin.reference * field.reference_rows as f64).round() as u64)
                .collect(),
            current: weights.iter().map(&mut draw).collect(),
            is_text: field.unseen.is_some(),
        }
    }

    fn decide(&mut self, day: u64) {
        let worse = 1.0 - 0.15 * ((day - self.first) as f64 / 1_095.0);
        for _ in 0..KNOWN_A_DAY {
            let margin = -1.6 + 1.3 * self.random.normal();
            let probability = 1.0 / (1.0 + (-margin).exp());
            let truth = 1.0 / (1.0 + (-margin * worse).exp());
            let groups = self.of.groups.iter();
            let groups = groups.map(|(name, of)| (name.clone(), of[self.random.below(3)].to_string()));
            self.known.push_back(Known {
                decided_ms: day as i64 * DAY_MS + 36_000_000,
                probability,
                groups: groups.collect(),
                bad: self.random.unit() < truth,
                outcome: self.of.outcomes[usize::from(probability > 0.3)].clone(),
            });
        }
        let from = (day.saturating_sub(KNOWN_DAYS)) as i64 * DAY_MS;
        while self.known.front().is_some_and(|known| known.decided_ms < from) {
            self.known.pop_front();
        }
    }

    fn measure(&mut self, day: u64) {
        let of = self.of;
        let mut decided: BTreeMap<String, u64> = BTreeMap::new();
        let known: &[Known] = self.known.make_contiguous();
        known.iter().for_each(|one| *decided.entry(month_of(one.decided_ms).unwrap()).or_default() += 10);
        let auc = of.released_auc.map(|value| Estimate { value, low: value - 0.02, high: value + 0.02 });
        let window = Window { known, decided: &decided, now_ms: (day as i64 + 1) * DAY_MS };
        let reference = Reference { bad_rate: 0.2, auc };
        self.performance = Some(performance::measure(&window, &reference, &of.watching.performance).unwrap());
        let best = |outcome: &str| outcome == of.outcomes[0];
        let measured = |attribute: &String| {
            let of_it: Vec<Decided<'_>> =
                known.iter().filter_map(|one| Decided::of_known(one, attribute)).collect();
            fairness::measure(attribute, &of_it, best, &of.watching.fairness).unwrap()
        };
        self.fairness = of.groups.keys().map(measured).collect();
    }

    fn business(&mut self, day: u64, decided: u64) -> business::Business {
        let since = (day + 1 - WINDOW_DAYS) as i64 * DAY_MS;
        let recent: Vec<Known> =
            self.known.iter().filter(|known| known.decided_ms >= since).cloned().collect();
        let [best, rest] = self.of.outcomes.clone();
        let season = 0.05 * (std::f64::consts::TAU * (day - self.first) as f64 / 365.0).cos();
        let good = ((0.62 + season) * decided as f64) as u64 + recent.len() as u64;
        let outcomes = [(best, good), (rest, decided.saturating_sub(good) + recent.len() as u64)];
        let is_best = |outcome: &str| outcome == self.of.outcomes[0];
        business::measure(&outcomes, &recent, is_best, self.of.watching.gains.as_ref()).unwrap()
    }
}
