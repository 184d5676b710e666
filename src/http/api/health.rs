//! Whether the server lives, whether it can decide, its figures and its document.
//! The document is made once; the probes ask the stores every time.

use std::sync::OnceLock;

use axum::body::Bytes;

use crate::app::server::{figures, health};
use crate::base::fact::Failure;
use crate::http::call::{Call, Reply, bytes_of, view};
use crate::http::metrics::CONTENT_TYPE;
use crate::http::openapi;
use crate::http::problem::HttpError;
use crate::http::views::status::Health;

pub fn live(call: Call) -> Reply {
    call.answer(|app, _| {
        health::probe(app)?;
        view(&Health::ok())
    })
}

pub fn ready(call: Call) -> Reply {
    if call.server.is_stopping() {
        return Box::pin(async { Err(HttpError::Stopping.into()) });
    }
    call.answer(|app, _| {
        let readiness = health::ready(app)?;
        view(&Health { warnings: readiness.warnings, ..Health::ok() })
    })
}

pub fn metrics(call: Call) -> Reply {
    let server = call.server.clone();
    call.answer(move |app, _| {
        let read = figures::look(app)?;
        Ok(bytes_of(CONTENT_TYPE, server.figures.render(&read)))
    })
}

pub fn document(_: Call) -> Reply {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    Box::pin(async {
        let bytes = match DOCUMENT.get() {
            Some(made) => made.clone(),
            None => {
                let made = Bytes::from(openapi::document()?);
                DOCUMENT.get_or_init(|| made).clone()
            }
        };
        Ok::<_, Failure>(bytes_of("application/json", bytes))
    })
}
