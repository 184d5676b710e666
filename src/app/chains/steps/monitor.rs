//! Watching as a step: the report of the day before the planned start, kept, with its alarms told.

use crate::app::chains::hands::Done;
use crate::app::chains::steps::Begun;
use crate::app::watch::reports::{self, ReportOrder};
use crate::base::fact::Failure;
use crate::config::steps::MonitorStep;
use crate::schedule::limits::DAY_MS;

pub(in crate::app::chains) fn report(begun: &Begun, plan: &MonitorStep) -> Result<Done, Failure> {
    let run = &begun.row.run;
    let day = run.planned_ms.unwrap_or(run.started_ms).div_euclid(DAY_MS) - 1;
    let order = ReportOrder {
        alias: plan.alias,
        day: u64::try_from(day).unwrap_or_default(),
        window_days: plan.window_days,
    };
    let report = reports::make(&begun.app, &begun.project_files(), &order)?;
    let alarms = match report.alarms.len() {
        0 => "no alarm".to_string(),
        1 => "1 alarm".to_string(),
        more => format!("{more} alarms"),
    };
    let said = format!("{}: {}, {alarms}", report.day, reports::verdict_word(report.verdict));
    Ok(Done::well(said).with("report", report.day.clone()))
}
