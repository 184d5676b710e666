//! The door: in by name and password, out, locked and unlocked.
//! Never says which of name and password was wrong.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use crate::app::people::counter;
use crate::base::fact::Failure;
use crate::http::auth::Origin;
use crate::http::call::Reply;
use crate::http::pages::cookie;
use crate::http::pages::routes::{Visit, draft_of, see_other};
use crate::security::session::csrf;

#[derive(Debug, Default, Serialize)]
pub struct LoginView {
    /// What was typed before, kept.
    pub name: String,
    /// What went wrong, in words; nothing at first.
    pub trouble: Option<String>,
}

pub fn show(visit: Visit) -> Reply {
    visit.answer(|visit| match &visit.door.seen {
        Some(seen) if seen.locked => Ok(see_other("/unlock")),
        Some(_) => Ok(see_other("/")),
        None => ask_name(visit, LoginView::default(), StatusCode::OK),
    })
}

/// The form, bound to a visitor of its own.
fn ask_name(visit: &Visit, view: LoginView, status: StatusCode) -> Result<Response, Failure> {
    let mut frame = visit.door.frame("none");
    if visit.door.token.is_some() {
        return visit.server.pages.render_as(status, "login.html", &frame, &view);
    }
    let visitor = counter::draw_visitor()?;
    frame.csrf = csrf::token_of(&visitor);
    let page = visit.server.pages.render_as(status, "login.html", &frame, &view)?;
    Ok(cookie::with_token(page, &visitor))
}

pub fn enter(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let (name, password) = (typed(visit, "name").trim().to_string(), typed(visit, "password"));
        if visit.door.token.is_none() {
            let trouble = Some(visit.server.pages.texts().say("login.no_cookie"));
            return ask_name(visit, LoginView { name, trouble }, StatusCode::BAD_REQUEST);
        }
        match counter::open(&visit.app, &name, password, address_of(visit)) {
            Ok(token) => Ok(cookie::with_token(see_other("/"), &token)),
            Err(failure) => {
                let (trouble, status) = told(visit, &failure)?;
                let page = ask_name(visit, LoginView { name, trouble: Some(trouble) }, status)?;
                Ok(with_wait(page, &failure))
            }
        }
    })
}

fn typed<'a>(visit: &'a Visit, name: &str) -> &'a str {
    visit.form.find(name).unwrap_or_default()
}

/// Whoever logs in over a socket of this machine counts as this machine.
fn address_of(visit: &Visit) -> IpAddr {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    visit.ask.origin.as_ref().and_then(Origin::address).unwrap_or(here)
}

/// A login that failed, in words; what is no matter of the login is a failure of the page.
fn told(visit: &Visit, failure: &Failure) -> Result<(String, StatusCode), Failure> {
    let texts = visit.server.pages.texts();
    match failure.code() {
        "login.throttled" => {
            let wait = wait_of(failure).to_string();
            Ok((texts.fill("login.throttled", &[("seconds", &wait)]), StatusCode::TOO_MANY_REQUESTS))
        }
        "security.busy" => Ok((texts.say("login.busy"), StatusCode::SERVICE_UNAVAILABLE)),
        "security.wrong_login" => Ok((texts.say("login.wrong"), StatusCode::UNPROCESSABLE_ENTITY)),
        _ => Ok((texts.say("login.failed"), StatusCode::INTERNAL_SERVER_ERROR)),
    }
}

fn wait_of(failure: &Failure) -> u64 {
    failure.details().and_then(|details| details.get("retry_after_s")?.as_u64()).unwrap_or(1)
}

fn with_wait(mut page: Response, failure: &Failure) -> Response {
    if failure.code() == "login.throttled" {
        page.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait_of(failure)));
    }
    page
}

#[derive(Debug, Default, Serialize)]
pub struct UnlockView {
    pub name: String,
    pub trouble: Option<String>,
}

pub fn show_lock(visit: Visit) -> Reply {
    visit.answer(|visit| match &visit.door.seen {
        None => Ok(see_other("/login")),
        Some(seen) if !seen.locked => Ok(see_other("/")),
        Some(_) => ask_password(visit, None, StatusCode::OK),
    })
}

fn ask_password(visit: &Visit, trouble: Option<String>, status: StatusCode) -> Result<Response, Failure> {
    let name = visit.door.seen.as_ref().map_or(String::new(), |seen| seen.person.name().to_string());
    let view = UnlockView { name, trouble };
    visit.server.pages.render_as(status, "unlock.html", &visit.door.frame("none"), &view)
}

pub fn unlock(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let Some(token) = visit.door.session() else { return Ok(see_other("/login")) };
        match counter::unlock(&visit.app, token, typed(visit, "password"), address_of(visit)) {
            Ok(place) => Ok(see_other(place.as_deref().unwrap_or("/"))),
            Err(failure) => {
                let (trouble, status) = told(visit, &failure)?;
                Ok(with_wait(ask_password(visit, Some(trouble), status)?, &failure))
            }
        }
    })
}

/// Locks at once, and keeps the form that was open.
pub fn lock(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let Some(token) = visit.door.session() else { return Ok(see_other("/login")) };
        let draft = draft_of(visit);
        let place = place_of(typed(visit, "place"));
        counter::lock(&visit.app, token, place, draft)?;
        Ok(see_other("/unlock"))
    })
}

/// A place of these pages; nothing that a browser would take for another server.
fn place_of(text: &str) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'%');
    (text.starts_with('/') && !text.starts_with("//") && text.bytes().all(plain)).then_some(text)
}

pub fn leave(visit: Visit) -> Reply {
    visit.answer(|visit| {
        if let Some(token) = visit.door.session() {
            counter::close(&visit.app, token);
        }
        Ok(cookie::without_token(see_other("/login")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_leads_back_to_a_page_of_this_server_alone() {
        assert_eq!(place_of("/cases/0000-26-00001-K/why"), Some("/cases/0000-26-00001-K/why"));
        for bad in ["", "cases", "//evil.example", "/\\evil", "/a?b", "/a\r\nSet-Cookie: x", "https://evil"] {
            assert_eq!(place_of(bad), None, "{bad:?}");
        }
    }
}
