//! Trying whether channels work: an alert that says so goes over one of them, or over each, at once and past all routes.
//! It is closed as it is raised: nobody has to answer it, and nobody is reminded of it.

use crate::alert::raised::{Kind, RawAlert, Severity, Subject};
use crate::app::alerts::{Told, draw_id, told};
use crate::app::home::App;
use crate::base::fact::{Class, Fact, Failure, nearest};
use crate::ledger::leaf::Kind as Leaf;
use crate::security::actor::Act;

#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    #[error("alerts.toml names no channel, so nobody is told of anything")]
    NoChannels,
    #[error("alerts.toml has no channel {channel:?}; there are {known}")]
    NoChannel { channel: String, known: String, near: Option<String> },
}

impl Fact for TrialError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoChannels => "alert.no_channels",
            Self::NoChannel { .. } => "alert.unknown_channel",
        }
    }

    fn class(&self) -> Class {
        Class::Usage
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::NoChannels => Some(
                "Write a [[channel]] into alerts.toml beside tallystick.toml and start the server again."
                    .into(),
            ),
            Self::NoChannel { near, .. } => near.as_ref().map(|near| format!("Did you mean {near:?}?")),
        }
    }
}

/// Raises the trial; how it goes on is seen on the alert.
pub fn raise(app: &App, channel: Option<&str>) -> Result<Told, Failure> {
    let actor = app.may(Act::AnswerAlerts)?;
    let channels = channels_of(app, channel)?;
    let now = app.now();
    let body = serde_json::json!({"answer": "trial", "comment": channels.join(", ")});
    let id = draw_id();
    let entry = App::entry(&actor, Leaf::AlertAnswered, format!("alert/{id}"), &body)?;
    app.store.write_ledger(move |ledger| ledger.append_record(entry.clone(), now))?;
    let raw = RawAlert {
        key: format!("trial/{id}"),
        id: id.clone(),
        kind: Kind::Trial,
        severity: Severity::Info,
        subject: Subject::default(),
        title: "A trial: this channel works".into(),
        sentences: vec![format!("{} tried whether alerts arrive. There is nothing to do.", actor.name())],
        details: Vec::new(),
        link: None,
    };
    app.alerts.change(
        app,
        |_| Ok(()),
        |queue, _| {
            queue.raise_over(&channels, raw, now.millis())?;
            queue.resolve(&id, now.millis())
        },
    )?;
    told(app, &id)
}

fn channels_of(app: &App, wanted: Option<&str>) -> Result<Vec<String>, TrialError> {
    let names: Vec<String> = app.alerts.settings().channels().map(|channel| channel.name.clone()).collect();
    match wanted {
        _ if names.is_empty() => Err(TrialError::NoChannels),
        None => Ok(names),
        Some(wanted) if names.iter().any(|name| name == wanted) => Ok(vec![wanted.to_string()]),
        Some(wanted) => Err(TrialError::NoChannel {
            channel: wanted.to_string(),
            known: names.join(", "),
            near: nearest(wanted, names.iter().map(String::as_str)).map(str::to_string),
        }),
    }
}
