//! `status` and `whoami`: how the server is, and whom it takes the caller for.
//! Never says more than a probe of it may hear.

use serde_json::{Value, json};

use crate::base::fact::{Class, Fact, Failure};
use crate::cli::Invocation;
use crate::cli::speak::output::Answer;
use crate::client::call::Client;
use crate::client::error::ClientError;
use crate::client::target::Target;
use crate::http::views::status::{Health, WhoAmI};

pub fn whoami(invocation: &Invocation) -> Result<Answer, Failure> {
    let client = invocation.client()?;
    let who: WhoAmI = client.get(&Target::of(["v1", "whoami"]))?;
    let text =
        format!("{}: {}\nasked of {}, version {}", who.name, who.roles.join(", "), client.to(), who.version);
    Ok(Answer::new(text, json!(who)))
}

/// Exit 7 where it does not live or cannot decide.
pub fn status(invocation: &Invocation) -> Result<Answer, Failure> {
    let client = invocation.client()?;
    let who: WhoAmI = client.get(&Target::of(["v1", "whoami"]))?;
    let (live, ready) = (probe(&client, "livez")?, probe(&client, "readyz")?);
    let warnings = ready.as_ref().map(|health| health.warnings.clone()).unwrap_or_default();
    let (live, ready) = (live.err(), ready.err());
    let told = |name: &str, refused: &Option<ClientError>| match refused {
        None => format!("{name:<6} yes"),
        Some(error) => format!("{name:<6} no: {error} ({})", error.code()),
    };
    let mut lines = vec![told("live", &live), told("ready", &ready)];
    lines.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.push(format!("asked of {}, version {}", client.to(), who.version));
    let first = live.as_ref().or(ready.as_ref());
    lines.extend(first.and_then(Fact::next_step).map(|step| format!("Next: {step}")));
    let shown = |refused: &Option<ClientError>| match refused {
        None => Value::Null,
        Some(error) => {
            json!({"code": error.code(), "message": error.to_string(), "next_step": error.next_step()})
        }
    };
    let json = json!({
        "live": live.is_none(),
        "ready": ready.is_none(),
        "warnings": warnings,
        "problem": shown(if live.is_some() { &live } else { &ready }),
        "server": client.to(),
        "version": who.version,
    });
    let answer = Answer::new(lines.join("\n"), json);
    Ok(if first.is_some() { answer.ending(Class::Unavailable) } else { answer })
}

/// What a probe says, or why it was refused; a server that does not answer at all is an error.
fn probe(client: &Client, name: &str) -> Result<Result<Health, ClientError>, ClientError> {
    match client.get(&Target::of([name])) {
        Ok(health) => Ok(Ok(health)),
        Err(refused @ ClientError::Refused { .. }) => Ok(Err(refused)),
        Err(error) => Err(error),
    }
}
