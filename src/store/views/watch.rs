//! What became of decisions, by the release that decided; reports and their figures, by model and day; alerts.
//! Never judges any of it.

use crate::alert::queue::Row as QueueRow;
use crate::base::digest::Digest;
use crate::base::limits;
use crate::monitor::trend::{Point, Series};
use crate::store::error::StoreError;
use crate::store::rows::alerts::{AlertRow, DeliveryRow};
use crate::store::rows::watch::outcomes::OutcomeRow;
use crate::store::rows::watch::{DayRow, HoldRow, ReportRow, TrendRow};
use crate::store::rows::{self, Row};
use crate::store::views::{Direction, Lab, LabWrite, Ledger, LedgerWrite, Rows, Span};

impl<V: Rows> Ledger<V> {
    pub fn find_outcome(&self, release: &Digest, seq: u64) -> Result<Option<OutcomeRow>, StoreError> {
        self.0.find(&OutcomeRow::key_of(release, seq))
    }

    /// Every known outcome of a release, in the order of the decisions.
    pub fn each_outcome(
        &self,
        release: &Digest,
        work: &mut dyn FnMut(OutcomeRow) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.0.each(&Span::prefix(&OutcomeRow::prefix(release)), work)
    }
}

impl LedgerWrite<'_> {
    pub fn put_outcome(&self, row: &OutcomeRow) -> Result<(), StoreError> {
        self.0.put(row)
    }
}

impl<V: Rows> Lab<V> {
    pub fn find_report(&self, model: &str, day: u64) -> Result<Option<ReportRow>, StoreError> {
        self.0.find(&ReportRow::key_of(model, day))
    }

    /// The newest report of a model before a day; the newest of all without one.
    pub fn find_report_before(&self, model: &str, day: Option<u64>) -> Result<Option<ReportRow>, StoreError> {
        let span = Span::prefix(&ReportRow::prefix(model));
        let span = match day.map(|day| day.checked_sub(1)) {
            None => span,
            Some(Some(last)) => span.up_to(&ReportRow::key_of(model, last)),
            Some(None) => return Ok(None),
        };
        self.0.find_last(&span)
    }

    /// The reports of a model before a day, the newest first; from the newest of all on without one.
    pub fn list_reports(
        &self,
        model: &str,
        before: Option<u64>,
        max: usize,
    ) -> Result<Vec<ReportRow>, StoreError> {
        let mut span = Span::prefix(&ReportRow::prefix(model));
        if let Some(day) = before {
            let Some(last) = day.checked_sub(1) else { return Ok(Vec::new()) };
            span = span.up_to(&ReportRow::key_of(model, last));
        }
        let mut found = Vec::new();
        self.0.visit(ReportRow::TABLE, &span, Direction::Backward, &mut |key, framed| {
            if found.len() < max {
                found.push(rows::open(key, framed)?);
            }
            Ok(found.len() < max)
        })?;
        Ok(found)
    }

    /// What the reports of a model from a day on have left, the oldest first.
    pub fn list_watched_days(&self, model: &str, from: u64) -> Result<Vec<DayRow>, StoreError> {
        let span = Span::prefix(&DayRow::prefix(model)).starting_at(DayRow::key_of(model, from));
        self.0.list(&span, limits::WATCHED_DAYS_MAX)
    }

    /// What the newest report of a model has left.
    pub fn find_watched_day_last(&self, model: &str) -> Result<Option<DayRow>, StoreError> {
        self.0.find_last(&Span::prefix(&DayRow::prefix(model)))
    }

    /// What the first report of a model after a day has left.
    pub fn find_watched_day_after(&self, model: &str, day: u64) -> Result<Option<DayRow>, StoreError> {
        let span = Span::prefix(&DayRow::prefix(model)).after(&DayRow::key_of(model, day));
        Ok(self.0.list(&span, 1)?.pop())
    }

    /// One figure from a day on.
    pub fn find_series(
        &self,
        model: &str,
        (name, about): (&str, Option<&str>),
        from: u64,
    ) -> Result<Series, StoreError> {
        let text = about.unwrap_or_default();
        let span = Span::prefix(&TrendRow::prefix(model, name, text));
        let span = span.starting_at(TrendRow::key_of(model, name, text, from));
        let rows: Vec<TrendRow> = self.0.list(&span, limits::WATCHED_DAYS_MAX)?;
        let mut series = Series::empty(name, about);
        rows.into_iter().for_each(|row: TrendRow| series.push(row.point));
        Ok(series)
    }

    pub fn find_hold(&self, model: &str) -> Result<Option<HoldRow>, StoreError> {
        self.0.find(&HoldRow::key_of(model))
    }

    pub fn list_alerts(&self) -> Result<Vec<AlertRow>, StoreError> {
        self.0.list(&Span::all(), limits::ALERT_ROWS_MAX)
    }

    pub fn list_deliveries(&self) -> Result<Vec<DeliveryRow>, StoreError> {
        self.0.list(&Span::all(), limits::ALERT_ROWS_MAX)
    }
}

impl LabWrite<'_> {
    /// A report with all it leaves behind, in place of an earlier one of the same day.
    pub fn put_report(&self, report: &ReportRow, left: &DayRow) -> Result<(), StoreError> {
        self.0.put(report)?;
        self.0.put(left)?;
        for reading in &left.left.readings {
            let point: Point = reading.point;
            self.0.put(&TrendRow {
                model: left.left.model.clone(),
                name: reading.name.clone(),
                about: reading.about.clone().unwrap_or_default(),
                point,
            })?;
        }
        Ok(())
    }

    /// Lets go of reports of a model before a day, some at a time; their figures stay.
    pub fn drop_reports(&self, model: &str, before: u64) -> Result<usize, StoreError> {
        let Some(last) = before.checked_sub(1) else { return Ok(0) };
        let span = Span::prefix(&ReportRow::prefix(model)).up_to(&ReportRow::key_of(model, last));
        let old: Vec<ReportRow> = self.0.list(&span, limits::REPORTS_DROPPED_MAX)?;
        for row in &old {
            self.0.remove::<ReportRow>(&ReportRow::key_of(model, row.day))?;
        }
        Ok(old.len())
    }

    pub fn put_hold(&self, row: &HoldRow) -> Result<(), StoreError> {
        self.0.put(row)
    }

    pub fn remove_hold(&self, model: &str) -> Result<(), StoreError> {
        self.0.remove::<HoldRow>(&HoldRow::key_of(model))
    }

    /// What changed in the queue of alerts.
    pub fn put_queue_rows(&self, rows: &[QueueRow]) -> Result<(), StoreError> {
        for row in rows {
            match row {
                QueueRow::Alert(alert) => self.0.put(&AlertRow(alert.clone()))?,
                QueueRow::Delivery(delivery) => self.0.put(&DeliveryRow(delivery.clone()))?,
                QueueRow::Gone { alert } => {
                    self.0.remove::<AlertRow>(&AlertRow::key_of(alert))?;
                    let span = Span::prefix(&DeliveryRow::prefix(alert));
                    let gone: Vec<DeliveryRow> = self.0.list(&span, limits::ALERT_ROWS_MAX)?;
                    for delivery in &gone {
                        self.0.remove::<DeliveryRow>(&delivery.key())?;
                    }
                }
            }
        }
        Ok(())
    }
}
