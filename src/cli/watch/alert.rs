//! `alert`: what was raised, how each stands with every channel, answering one, and trying whether a channel works.
//! Never sends anything itself; a server does.

use clap::Subcommand;
use serde_json::json;

use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::api::pages::every;
use crate::cli::speak::output::{Answer, columns};
use crate::client::call::Client;
use crate::client::target::Target;
use crate::http::views::watch::alert::{AlertList, AlertView, AnswerBody, DeliveryView, TrialBody};

#[derive(Subcommand)]
#[command(
    after_help = "Channels and routes stand in alerts.toml beside tallystick.toml; a server tells alerts over them.\n\nExamples:\n  tallystick alert trial\n  tallystick alert list --open\n  tallystick alert acknowledge ALERT --comment 'the feed is being repaired'"
)]
pub enum AlertCommand {
    /// Every alert, open ones first
    List {
        /// Only those that are not closed
        #[arg(long)]
        open: bool,
    },
    /// One alert, and how it stands with every channel
    Show {
        /// The alert's id, as `alert list` has it
        alert: String,
    },
    /// Take notice of an alert: nobody is reminded of it any more
    Acknowledge {
        /// The alert's id, as `alert list` has it
        alert: String,
        /// Kept with the alert and in the log
        #[arg(long, value_name = "TEXT", default_value = "")]
        comment: String,
    },
    /// Close an alert: the same thing happening again is a new one
    Resolve {
        /// The alert's id, as `alert list` has it
        alert: String,
        /// Kept in the log
        #[arg(long, value_name = "TEXT", default_value = "")]
        comment: String,
    },
    /// Send a trial over a channel, or over every one
    Trial {
        /// A channel of alerts.toml
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
    },
}

fn of_alert(alert: &str, rest: &[&str]) -> Target {
    Target::of(["v1", "alerts", alert].into_iter().chain(rest.iter().copied()))
}

pub fn run(command: AlertCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    let client = invocation.client()?;
    match command {
        AlertCommand::List { open } => list(&client, open),
        AlertCommand::Show { alert } => {
            let view: AlertView = client.get(&of_alert(&alert, &[]))?;
            Ok(Answer::new(text(&view), json!(view)))
        }
        AlertCommand::Acknowledge { alert, comment } => {
            let view: AlertView =
                client.post(&of_alert(&alert, &["acknowledge"]), &AnswerBody { comment })?;
            Ok(Answer::new(format!("Acknowledged: {}", view.title), json!(view)))
        }
        AlertCommand::Resolve { alert, comment } => {
            let view: AlertView = client.post(&of_alert(&alert, &["resolve"]), &AnswerBody { comment })?;
            Ok(Answer::new(format!("Closed: {}", view.title), json!(view)))
        }
        AlertCommand::Trial { channel } => {
            let target = Target::of(["v1", "alerts", "trial"]);
            let view: AlertView = client.post(&target, &TrialBody { channel })?;
            let names: Vec<&str> = view.deliveries.iter().map(|one| one.channel.as_str()).collect();
            let said = format!(
                "A trial goes over {}, as soon as a server has this home. How it went:\n  tallystick alert show {}",
                names.join(", "),
                view.id
            );
            Ok(Answer::new(said, json!(view)))
        }
    }
}

fn list(client: &Client, open: bool) -> Result<Answer, Failure> {
    let mut target = Target::of(["v1", "alerts"]);
    if open {
        target = target.with("open", true);
    }
    let alerts = every(client, target, |page: AlertList| (page.alerts, page.next))?;
    let head = ["alert", "state", "severity", "kind", "last", "times", "title"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(alerts.iter().map(|view| {
        let AlertView { id, state, severity, kind, last, count, title, .. } = view;
        [id, state, severity, kind, last, &count.to_string(), title].map(String::clone).to_vec()
    }));
    let none = if open { "No alert is open." } else { "No alerts." };
    let text = if alerts.is_empty() { none.to_string() } else { columns(&rows) };
    Ok(Answer::new(text, json!({ "alerts": alerts })))
}

fn text(view: &AlertView) -> String {
    let mut lines = vec![
        ("alert", view.id.clone()),
        ("title", view.title.clone()),
        ("state", format!("{}, {}", view.state, view.severity)),
        ("kind", view.kind.clone()),
    ];
    let subjects = [("project", &view.project), ("model", &view.model), ("chain", &view.chain)];
    lines.extend(subjects.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
    lines.push(("raised", format!("{}, last {}, {} times", view.raised, view.last, view.count)));
    let known = view.acknowledged_by.as_ref().zip(view.acknowledged.as_ref());
    lines.extend(known.map(|(by, at)| ("acknowledged", format!("by {by}, {at}"))));
    lines.extend(view.comment.iter().filter(|text| !text.is_empty()).map(|text| ("comment", text.clone())));
    lines.extend(view.resolved.iter().map(|at| ("closed", at.clone())));
    lines.extend(view.sentences.iter().map(|sentence| ("", sentence.clone())));
    lines.extend(view.details.iter().map(|detail| (detail.name.as_str(), detail.value.clone())));
    lines.extend(view.link.iter().map(|link| ("page", link.clone())));
    let rows: Vec<Vec<String>> = lines.into_iter().map(|(key, value)| vec![key.to_string(), value]).collect();
    let told = match view.deliveries.is_empty() {
        true => "No route of alerts.toml leads it anywhere.\n".to_string(),
        false => deliveries(&view.deliveries),
    };
    format!("{}{told}", columns(&rows))
}

fn deliveries(all: &[DeliveryView]) -> String {
    let mut rows = vec![["channel", "state", "attempts", "when", "why not"].map(String::from).to_vec()];
    rows.extend(all.iter().map(|one| {
        let when = one.next.clone().or_else(|| one.settled.clone()).unwrap_or("-".into());
        let state = one.state.replace('_', " ");
        let error = one.last_error.clone().unwrap_or("-".into());
        vec![one.channel.clone(), state, one.attempts.to_string(), when, error]
    }));
    columns(&rows)
}
