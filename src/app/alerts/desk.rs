//! The queue of alerts as this process holds it, beside its rows: what changes here is written in the transaction of the
//! change, and read anew where that failed.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::alert::queue::Queue;
use crate::alert::queue::error::QueueError;
use crate::alert::settings::AlertSettings;
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::config::alerting::load_alerts;
use crate::store::error::StoreError;
use crate::store::views::LabWrite;

#[derive(Default)]
pub struct AlertDesk {
    /// Nothing until it is needed.
    queue: Mutex<Option<Queue>>,
    /// When something is due next, if it was asked since the last change.
    next_ms: Mutex<Option<Option<i64>>>,
    settings: AlertSettings,
}

impl AlertDesk {
    pub(in crate::app) fn open(config: &Path) -> Result<Self, Failure> {
        Ok(Self { settings: load_alerts(config)?, ..Self::default() })
    }

    pub fn settings(&self) -> &AlertSettings {
        &self.settings
    }

    fn next(&self) -> MutexGuard<'_, Option<Option<i64>>> {
        self.next_ms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When something is due next; looked for once after each change.
    pub(in crate::app) fn next_ms(&self, app: &App) -> Result<Option<i64>, Failure> {
        if let Some(next) = *self.next() {
            return Ok(next);
        }
        // Kept while nobody can change the queue.
        self.look(app, |queue| {
            let next = queue.next_ms(&self.settings);
            *self.next() = Some(next);
            next
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Queue>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(app: &App) -> Result<Queue, Failure> {
        let (alerts, deliveries) =
            app.store.read_lab(|lab| Ok::<_, StoreError>((lab.list_alerts()?, lab.list_deliveries()?)))?;
        let alerts = alerts.into_iter().map(|row| row.0).collect();
        let deliveries = deliveries.into_iter().map(|row| row.0).collect();
        Ok(Queue::load(alerts, deliveries, app.now().millis())?)
    }

    pub(in crate::app) fn look<T>(&self, app: &App, look: impl FnOnce(&Queue) -> T) -> Result<T, Failure> {
        let mut held = self.lock();
        let queue = match held.take() {
            Some(queue) => queue,
            None => Self::load(app)?,
        };
        let seen = look(&queue);
        *held = Some(queue);
        Ok(seen)
    }

    /// Changes the queue, and writes what changed together with what else is to be written. Where either fails the
    /// queue is what its rows say.
    pub(in crate::app) fn change<T>(
        &self,
        app: &App,
        also: impl Fn(&LabWrite<'_>) -> Result<(), StoreError> + Send + 'static,
        change: impl FnOnce(&mut Queue, &AlertSettings) -> Result<T, QueueError>,
    ) -> Result<T, Failure> {
        let mut held = self.lock();
        // Taken out: it is put back only once its rows are written.
        let mut queue = match held.take() {
            Some(queue) => queue,
            None => Self::load(app)?,
        };
        let changed = change(&mut queue, &self.settings)?;
        let rows = queue.take_changed();
        app.store.write_lab(move |lab| {
            also(lab)?;
            lab.put_queue_rows(&rows)
        })?;
        *held = Some(queue);
        *self.next() = None;
        Ok(changed)
    }
}
