//! `user add|list|show|lock|unlock|roles|password`: people with a password.
//! Never shows a password, and never makes one up.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use crate::app::error::UseCaseError;
use crate::base::fact::Failure;
use crate::cli::Invocation;
use crate::cli::api::pages::every;
use crate::cli::people::role_of;
use crate::cli::people::secret::read_password;
use crate::cli::speak::output::{Answer, columns};
use crate::client::call::Client;
use crate::client::target::Target;
use crate::http::views::people::{NewUserBody, PasswordBody, RolesBody, UserList, UserView};
use crate::security::actor::Role;

#[derive(Subcommand)]
#[command(
    after_help = "The password is asked for at the terminal, or read from a file; it is never an argument.\n\nExamples:\n  tallystick user add erika --role officer\n  tallystick user password erika --password-file -\n  tallystick user roles erika --role officer --role analyst"
)]
pub enum UserCommand {
    /// Add a user, who may then log in
    Add {
        /// What the user is called in the records
        name: String,
        /// officer, analyst, approver, auditor or admin; may be given more than once
        #[arg(long = "role", value_parser = role_of, required = true)]
        roles: Vec<Role>,
        /// A file with the password in its first line; `-` reads standard input [default: ask at the terminal]
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Every user
    List,
    /// One user
    Show {
        /// The user's name
        name: String,
    },
    /// Shut a user out; their sessions end
    Lock {
        /// The user's name
        name: String,
    },
    /// Let a user in again
    Unlock {
        /// The user's name
        name: String,
    },
    /// Give a user other roles; their sessions end
    Roles {
        /// The user's name
        name: String,
        /// officer, analyst, approver, auditor or admin; may be given more than once
        #[arg(long = "role", value_parser = role_of, required = true)]
        roles: Vec<Role>,
    },
    /// Give a user another password; their sessions end
    Password {
        /// The user's name
        name: String,
        /// A file with the password in its first line; `-` reads standard input [default: ask at the terminal]
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
}

/// What is asked about one user; a name of nothing is the name of nobody.
fn of_user(name: &str, rest: &[&str]) -> Result<Target, UseCaseError> {
    if name.is_empty() {
        return Err(UseCaseError::NoUser { name: String::new() });
    }
    Ok(Target::of(["v1", "users", name].into_iter().chain(rest.iter().copied())))
}

pub fn run(command: UserCommand, invocation: &Invocation) -> Result<Answer, Failure> {
    match command {
        UserCommand::Add { name, roles, password_file } => {
            let client = invocation.client()?;
            let password = read_password(password_file.as_deref())?;
            let body = NewUserBody { name, roles, password: password.to_string() };
            let user: UserView = client.post(&Target::of(["v1", "users"]), &body)?;
            let text = format!("{} may log in now, as {}.", user.name, user.roles.join(", "));
            Ok(Answer::new(text, json!(user)))
        }
        UserCommand::List => list(&invocation.client()?),
        UserCommand::Show { name } => show(&invocation.client()?, &name),
        UserCommand::Lock { name } => {
            let user: UserView = invocation.client()?.act(&of_user(&name, &["lock"])?)?;
            Ok(Answer::new(format!("{} is locked out.", user.name), json!(user)))
        }
        UserCommand::Unlock { name } => {
            let user: UserView = invocation.client()?.act(&of_user(&name, &["unlock"])?)?;
            Ok(Answer::new(format!("{} may log in again.", user.name), json!(user)))
        }
        UserCommand::Roles { name, roles } => {
            let client = invocation.client()?;
            let user: UserView = client.post(&of_user(&name, &["roles"])?, &RolesBody { roles })?;
            let text = format!("{} is {} now.", user.name, user.roles.join(", "));
            Ok(Answer::new(text, json!(user)))
        }
        UserCommand::Password { name, password_file } => {
            let client = invocation.client()?;
            let target = of_user(&name, &["password"])?;
            let password = read_password(password_file.as_deref())?;
            let user: UserView = client.post(&target, &PasswordBody { password: password.to_string() })?;
            Ok(Answer::new(format!("{} has another password now.", user.name), json!(user)))
        }
    }
}

fn list(client: &Client) -> Result<Answer, Failure> {
    let users = every(client, Target::of(["v1", "users"]), |page: UserList| (page.users, page.next))?;
    let mut rows = vec![["user", "roles", "state", "last login", "added"].map(String::from).to_vec()];
    rows.extend(users.iter().map(|user| {
        let login = user.last_login.clone().unwrap_or("never".to_string());
        vec![user.name.clone(), user.roles.join(" "), state(user).to_string(), login, user.created.clone()]
    }));
    let none = "No users yet: `tallystick user add NAME --role ROLE`. Whoever owns the home needs none.";
    let text = if users.is_empty() { none.to_string() } else { columns(&rows) };
    Ok(Answer::new(text, json!({ "users": users })))
}

fn state(user: &UserView) -> &'static str {
    if user.locked { "locked" } else { "active" }
}

fn show(client: &Client, name: &str) -> Result<Answer, Failure> {
    let user: UserView = client.get(&of_user(name, &[])?)?;
    let lines = [
        ("user", user.name.clone()),
        ("roles", user.roles.join(", ")),
        ("state", state(&user).to_string()),
        ("last login", user.last_login.clone().unwrap_or("never".to_string())),
        ("password", format!("changed {}", user.password_changed)),
        ("added", format!("{} by {}", user.created, user.created_by)),
    ];
    let rows: Vec<Vec<String>> = lines.map(|(key, value)| vec![key.to_string(), value]).to_vec();
    Ok(Answer::new(columns(&rows), json!(user)))
}
