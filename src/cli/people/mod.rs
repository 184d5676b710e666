//! `user` and `key`: who may ask, and with what.
//! Never takes a password from the command line, and shows a key once.

pub mod keys;
pub mod secret;
pub mod users;

use crate::security::actor::Role;

/// A role by its name.
fn role_of(text: &str) -> Result<Role, String> {
    Role::find(text).ok_or_else(|| {
        let all: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        format!("there is no such role; there are {}", all.join(", "))
    })
}
