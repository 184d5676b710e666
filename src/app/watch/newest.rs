//! The figures of each model's newest report, for operators: read once, and kept up by every report that is made.
//! Never judges them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::figures;
use crate::monitor::drift::{FieldDrift, Method};
use crate::monitor::performance::Figure;
use crate::monitor::report::Report;
use crate::monitor::trend::names;
use crate::monitor::verdict::Verdict;

/// What of a report is shown to operators, by the metric's name. What the report could not tell is not in it.
#[derive(Debug, PartialEq)]
pub struct Newest {
    day: u64,
    pub figures: Vec<(&'static str, f64)>,
}

#[derive(Default)]
pub(in crate::app::watch) struct Reports {
    newest: Mutex<BTreeMap<String, Arc<Newest>>>,
}

/// Takes notice of a report that was kept.
pub(in crate::app::watch) fn note(app: &App, report: &Report, day: u64) {
    let mut held = app.watched.reports.newest.lock().unwrap_or_else(PoisonError::into_inner);
    // One that was made for a day long past changes nothing.
    if held.get(&report.model).is_none_or(|known| known.day <= day) {
        held.insert(report.model.clone(), Arc::new(Newest::of(report, day)));
    }
}

/// Of a model's newest report, if there is one.
pub(in crate::app) fn find(app: &App, model: &str) -> Result<Option<Arc<Newest>>, Failure> {
    // Held while the row is read: a report that is made meanwhile waits, and is not undone by an older one.
    let mut held = app.watched.reports.newest.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = held.get(model) {
        return Ok(Some(Arc::clone(known)));
    }
    let Some(row) = app.store.read_lab(|lab| lab.find_report_before(model, None))? else { return Ok(None) };
    let newest = Arc::new(Newest::of(&row.report, row.day));
    held.insert(model.to_string(), Arc::clone(&newest));
    Ok(Some(newest))
}

impl Newest {
    fn of(report: &Report, day: u64) -> Self {
        let psi = |field: &FieldDrift| field.statistic.filter(|_| field.method == Method::Psi);
        let auc = report.performance.iter().flat_map(|performance| &performance.figures);
        let auc = auc.filter(|figure| figure.name == names::AUC).find_map(|figure| figure.value);
        let missing = report.quality.fields.iter().map(|field| field.missing.current).reduce(f64::max);
        let own = report.release_performance.as_ref();
        let told = [
            (figures::REPORT_MADE, Some(report.made_ms as f64 / 1_000.0)),
            (figures::REPORT_VERDICT, Some(number_of(report.verdict))),
            (figures::REPORT_SCORE_PSI, report.drift.score.as_ref().and_then(psi)),
            (figures::REPORT_FIELD_PSI, report.drift.fields.iter().filter_map(psi).reduce(f64::max)),
            (figures::REPORT_SHIFTED, Some(report.drift.shifted as f64)),
            (figures::REPORT_ROWS, Some(report.quality.rows as f64)),
            (figures::REPORT_MISSING, missing.filter(|_| report.quality.rows > 0)),
            (figures::REPORT_APPROVAL, report.business.approval_rate.value),
            (figures::REPORT_BAD, report.business.bad_rate_of_approved.value),
            (figures::REPORT_AUC, auc),
            (figures::REPORT_RELEASE_AUC, own_figure(report, names::AUC).and_then(|figure| figure.value)),
            (figures::REPORT_RELEASE_DROP, own_figure(report, names::AUC_DROP).and_then(|figure| figure.low)),
            (figures::REPORT_RELEASE_MATURED, own.map(|own| own.matured as f64)),
        ];
        let figures = told.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Self { day, figures }
    }
}

/// A figure of the release in force by its own outcomes.
fn own_figure<'a>(report: &'a Report, name: &str) -> Option<&'a Figure> {
    let own = report.release_performance.as_ref()?;
    own.figures.iter().chain(&own.judged).find(|figure| figure.name == name)
}

fn number_of(verdict: Verdict) -> f64 {
    match verdict {
        Verdict::Insufficient => 0.0,
        Verdict::Stable => 1.0,
        Verdict::Watch => 2.0,
        Verdict::Shifted => 3.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::report::example;

    #[test]
    fn a_report_is_told_by_its_figures_and_what_it_could_not_tell_is_absent() {
        let mut report = example::full();
        let value = |report: &Report, name: &str| {
            let newest = Newest::of(report, 7);
            newest.figures.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
        };
        assert_eq!(value(&report, figures::REPORT_MADE), Some(report.made_ms as f64 / 1_000.0));
        let greatest = report.drift.fields.iter().filter_map(|field| field.statistic).reduce(f64::max);
        assert!(greatest.is_some());
        assert_eq!(value(&report, figures::REPORT_FIELD_PSI), greatest);
        assert_eq!(value(&report, figures::REPORT_SHIFTED), Some(report.drift.shifted as f64));
        report.verdict = Verdict::Shifted;
        assert_eq!(value(&report, figures::REPORT_VERDICT), Some(3.0));
        let own = report.release_performance.clone().unwrap();
        assert_eq!(value(&report, figures::REPORT_RELEASE_AUC), own.figures[0].value);
        assert_eq!(value(&report, figures::REPORT_RELEASE_DROP), own.judged[0].low);
        assert_eq!(value(&report, figures::REPORT_RELEASE_MATURED), Some(own.matured as f64));
        (report.performance, report.release_performance) = (None, None);
        assert_eq!(value(&report, figures::REPORT_RELEASE_AUC), None);
        assert_eq!(value(&report, figures::REPORT_AUC), None);
        report.drift.fields.iter_mut().for_each(|field| field.method = Method::ChiSquare);
        assert_eq!(value(&report, figures::REPORT_FIELD_PSI), None, "a chi-square is no stability index");
    }
}
