//! What a search tries, each as a run of its own under the run that searches.
//! Makes no version; a trial has figures and nothing else.

use crate::app::home::App;
use crate::app::training::ending::find_run;
use crate::app::training::work::log_points;
use crate::base::fact::Failure;
use crate::base::ids::RunId;
use crate::pipeline::child::events::Event;
use crate::tracking::metric::MetricPoint;
use crate::tracking::name::draw_run_name;
use crate::tracking::run::{Run, RunStatus};

/// MLflow's word for the run that a run belongs to.
pub const PARENT_TAG: &str = "mlflow.parentRunId";
pub const TRIAL_TAG: &str = "tallystick.trial";

pub(in crate::app) fn log(app: &App, parent: &RunId, events: &[Event]) -> Result<(), Failure> {
    for event in events {
        let Event::Trial { name, settings, figures } = event else { continue };
        let now = app.now().millis();
        let points: Vec<(String, MetricPoint)> = figures
            .iter()
            .map(|(key, value)| (key.clone(), MetricPoint { value: *value, timestamp: now, step: 0 }))
            .collect();
        let (parent, name, settings) = (parent.clone(), name.clone(), settings.clone());
        app.store.write_lab(move |lab| {
            let owner = find_run(lab, &parent)?;
            let id = RunId::draw();
            let called = draw_run_name(u64::from_str_radix(&id.as_str()[..8], 16).unwrap_or(0));
            let mut run = Run::start(id, &owner.experiment_id, &called, &owner.user_id, now);
            run.set_tag(PARENT_TAG, parent.as_str())?;
            run.set_tag(TRIAL_TAG, &name)?;
            run.set_tag("mlflow.user", &owner.user_id)?;
            for key in ["tallystick.project", "tallystick.data_digest", "tallystick.config_digest"] {
                if let Some(value) = owner.tags.get(key) {
                    run.set_tag(key, value)?;
                }
            }
            for (key, value) in settings.iter().filter_map(|setting| setting.split_once('=')) {
                run.log_param(key, value)?;
            }
            lab.put_run_new(&run)?;
            log_points(lab, &mut run, &points)?;
            run.finish(RunStatus::Finished, now);
            Ok::<_, Failure>(lab.put_run(&run)?)
        })?;
    }
    Ok(())
}
