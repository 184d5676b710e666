//! Logging in and out.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::StatusCode;

use crate::app::people::sessions;
use crate::http::auth::{Origin, bearer};
use crate::http::call::{Call, Reply, view, with_status};
use crate::http::views::people::{ClosedView, LoginBody, SessionView};
use crate::security::actor::Act;

pub fn open(call: Call) -> Reply {
    call.answer_body(|app, ask, body: LoginBody| {
        // Whoever logs in over a socket of this machine counts as this machine.
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let address = ask.origin.as_ref().and_then(Origin::address).unwrap_or(here);
        let opened = sessions::open(app, &body.name, &body.password, address)?;
        Ok(with_status(view(&SessionView::of(&opened))?, StatusCode::CREATED))
    })
}

pub fn close(call: Call) -> Reply {
    call.answer(|app, ask| {
        app.may(Act::ReadStatus)?;
        sessions::close(app, bearer(&ask.headers)?)?;
        view(&ClosedView { closed: true })
    })
}
