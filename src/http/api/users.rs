//! People with a password.

use axum::http::StatusCode;

use crate::app::people::users::{self, User};
use crate::base::fact::Failure;
use crate::http::call::{Call, Reply, view, with_status};
use crate::http::cursor::{next_of, seen};
use crate::http::views::people::{NewUserBody, PasswordBody, RolesBody, UserList, UserView};

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let limit = ask.limit()?;
        let found = users::list(app, seen(ask)?.as_deref(), limit)?;
        let next = next_of(&found, limit, |user| &user.name);
        view(&UserList { users: found.iter().map(UserView::of).collect(), next })
    })
}

pub fn add(call: Call) -> Reply {
    call.answer_body(|app, _, body: NewUserBody| {
        let user = users::add(app, &body.name, &body.roles, &body.password)?;
        Ok(with_status(view(&UserView::of(&user))?, StatusCode::CREATED))
    })
}

pub fn show(call: Call) -> Reply {
    call.answer(|app, ask| told(users::find(app, ask.path("user")?)))
}

pub fn set_password(call: Call) -> Reply {
    call.answer_body(|app, ask, body: PasswordBody| {
        told(users::set_password(app, ask.path("user")?, &body.password))
    })
}

pub fn set_roles(call: Call) -> Reply {
    call.answer_body(|app, ask, body: RolesBody| told(users::set_roles(app, ask.path("user")?, &body.roles)))
}

pub fn lock(call: Call) -> Reply {
    call.answer(|app, ask| told(users::set_locked(app, ask.path("user")?, true)))
}

pub fn unlock(call: Call) -> Reply {
    call.answer(|app, ask| told(users::set_locked(app, ask.path("user")?, false)))
}

fn told(user: Result<User, Failure>) -> Result<axum::response::Response, Failure> {
    view(&UserView::of(&user?))
}
