//! Telling somebody as a step.

use crate::alert::raised::{Kind, RawAlert, Severity, Subject};
use crate::app::alerts;
use crate::app::chains::hands::Done;
use crate::app::chains::runs::status_word;
use crate::app::chains::steps::Begun;
use crate::base::fact::Failure;
use crate::config::steps::{NotifyStep, Severity as Wanted};
use crate::schedule::chain_run::{Ending, StepRun};

pub(in crate::app::chains) fn tell(begun: &Begun, plan: &NotifyStep) -> Result<Done, Failure> {
    let run = &begun.row.run;
    let title = plan.title.clone().unwrap_or_else(|| format!("{} of {}", run.chain, begun.project()));
    let sentences = run.steps.iter().filter_map(sentence_of).collect();
    let raw = RawAlert {
        id: alerts::draw_id(),
        // One message for each run: it is told once, however often this step is begun.
        key: format!("notify/{}/{}", run.id, begun.place.step),
        kind: Kind::Run,
        severity: match plan.severity {
            Wanted::Info => Severity::Info,
            Wanted::Warning => Severity::Warning,
            Wanted::Critical => Severity::Critical,
        },
        subject: Subject {
            project: Some(begun.project().to_string()),
            model: None,
            chain: Some(run.chain.clone()),
        },
        title,
        sentences,
        details: Vec::new(),
        link: Some(format!("/chain-runs/{}", run.id)),
    };
    alerts::raise(&begun.app, vec![raw])?;
    Ok(Done::well(format!("told: {}", status_word(run.status()))))
}

fn sentence_of(step: &StepRun) -> Option<String> {
    let ending = step.attempts.last()?.ending.as_ref()?;
    let name = &step.step.name;
    Some(match ending {
        Ending::Succeeded { said } | Ending::Skipped { said } => format!("{name}: {said}"),
        Ending::Failed { sentence, .. } => format!("{name} failed: {sentence}"),
        Ending::TimedOut | Ending::NoAnswer => format!("{name} took too long"),
        Ending::Interrupted => format!("{name} was interrupted"),
        Ending::Cancelled => format!("{name} was cancelled"),
        Ending::Expired => format!("{name}: nobody decided in time"),
    })
}
