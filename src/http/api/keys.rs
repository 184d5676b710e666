//! API keys of services.

use axum::http::StatusCode;

use crate::app::people::keys;
use crate::http::call::{Call, Reply, view, with_status};
use crate::http::cursor::{next_of, seen};
use crate::http::views::people::{KeyList, KeyView, NewKeyBody, NewKeyView};

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let limit = ask.limit()?;
        let found = keys::list(app, seen(ask)?.as_deref(), limit)?;
        let next = next_of(&found, limit, |key| &key.id);
        view(&KeyList { keys: found.iter().map(KeyView::of).collect(), next })
    })
}

pub fn create(call: Call) -> Reply {
    call.answer_body(|app, _, body: NewKeyBody| {
        let made = keys::create(app, &body.name, body.role, body.days)?;
        Ok(with_status(view(&NewKeyView::of(&made))?, StatusCode::CREATED))
    })
}

pub fn show(call: Call) -> Reply {
    call.answer(|app, ask| view(&KeyView::of(&keys::find(app, ask.path("id")?)?)))
}

pub fn revoke(call: Call) -> Reply {
    call.answer(|app, ask| view(&KeyView::of(&keys::revoke(app, ask.path("id")?)?)))
}
