//! Alerts: what was raised, how each channel stands, and the forms by which somebody takes notice or closes one.
//! Never sends anything.

use axum::response::Response;

use crate::app::alerts::{self, AlertsWanted, Told};
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::http::call::Reply;
use crate::http::cursor::{cursor_of, seen};
use crate::http::pages::alerts::view::{AlertsView, address_of, alert_line, alert_view};
use crate::http::pages::routes::{Visit, see_other};
use crate::http::problem::HttpError;

pub mod view;

const SECTION: &str = "alerts";

pub fn list(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let (texts, now_ms) = (visit.server.pages.texts(), visit.app.now().millis());
        let open = visit.ask.query_as::<bool>("open")?.unwrap_or_default();
        let wanted = AlertsWanted { open_only: open, after: seen(&visit.ask)?, limit: limits::ALERTS_SHOWN };
        let gone = || HttpError::Query { name: "cursor".into(), why: "names an alert that is gone".into() };
        let listed = alerts::page(&visit.app, &wanted)?.ok_or_else(gone)?;
        let lines = listed.told.iter().map(|told| alert_line(&texts, told, now_ms)).collect();
        let which = if open { "open=true&" } else { "" };
        let next = listed.next.map(|last| format!("/alerts?{which}cursor={}", cursor_of(&last)));
        visit.server.pages.render(
            "alerts.html",
            &visit.door.frame(SECTION),
            &AlertsView { open, lines, next },
        )
    })
}

pub fn show(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let now_ms = visit.app.now().millis();
        let told = alerts::find(&visit.app, visit.ask.path("alert")?)?;
        let view = alert_view(&visit.server.pages.texts(), &told, now_ms);
        visit.server.pages.render("alert.html", &visit.door.frame(SECTION), &view)
    })
}

pub fn acknowledge(visit: Visit) -> Reply {
    visit.answer(|visit| answer(visit, alerts::acknowledge))
}

pub fn resolve(visit: Visit) -> Reply {
    visit.answer(|visit| answer(visit, alerts::resolve))
}

fn answer(visit: &Visit, answer: fn(&App, &str, &str) -> Result<Told, Failure>) -> Result<Response, Failure> {
    let comment = visit.form.find("comment").unwrap_or_default();
    let told = answer(&visit.app, visit.ask.path("alert")?, comment)?;
    Ok(see_other(&address_of(&told.alert.id)))
}
