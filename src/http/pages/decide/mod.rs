//! Deciding an application: the form, what was typed into it, and the one decision it leads to.
//! Decides nothing: it reads what a person meant and hands a row to the use case.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;

use crate::app::decisions::desk::{self, Desk, Known};
use crate::app::decisions::lineup::Seat;
use crate::app::decisions::{self, Answered, Asked};
use crate::app::people::counter;
use crate::base::fact::Failure;
use crate::base::ids::draw_form_id;
use crate::base::limits;
use crate::http::call::Reply;
use crate::http::pages::cases::line_of;
use crate::http::pages::decide::fields::{Field, fields_of};
use crate::http::pages::decide::typed::{Fault, fault_of_code};
use crate::http::pages::decide::view::{Filled, FormView, form_view};
use crate::http::pages::routes::{Visit, see_other};
use crate::http::pages::words::spoken;
use crate::registry::version::{ModelRef, Which};

pub mod fields;
pub mod typed;
pub mod view;

/// Tells the fields of the contract from those of the form itself.
pub const FIELD_PREFIX: &str = "f.";

pub fn show(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let stand = Stand::open(visit)?;
        let token = visit.door.session().unwrap_or_default();
        let draft = counter::take_draft(&visit.app, token, &stand.desk.name)?;
        let Some(draft) = draft else { return stand.page(visit, &Filled::default(), StatusCode::OK, |_| ()) };
        let typed = draft.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let restored = visit.server.pages.texts().say("form.restored");
        let filled = Filled { typed, faults: Vec::new() };
        stand.page(visit, &filled, StatusCode::OK, |view| view.notice = Some(restored))
    })
}

/// The model a form is for, and the form.
struct Stand {
    seat: Arc<Seat>,
    desk: Desk,
    fields: Vec<Field>,
}

impl Stand {
    fn open(visit: &Visit) -> Result<Self, Failure> {
        let (seat, desk) = desk::open(&visit.app, visit.ask.path("model")?)?;
        let fields = seat.standing.as_ref().map_or(Vec::new(), |standing| fields_of(standing));
        Ok(Self { seat, desk, fields })
    }

    fn page(
        &self,
        visit: &Visit,
        filled: &Filled<'_>,
        status: StatusCode,
        more: impl FnOnce(&mut FormView),
    ) -> Result<Response, Failure> {
        let texts = visit.server.pages.texts();
        let mut view = form_view(&texts, &self.desk, visit.app.now().millis(), &self.fields, filled);
        view.nonce = match visit.form.find("nonce") {
            Some(nonce) => nonce.to_string(),
            None => draw_form_id(),
        };
        more(&mut view);
        visit.server.pages.render_as(status, "form.html", &visit.door.frame("home"), &view)
    }

    /// The row that was meant, as far as it can be told, and what is wrong with which fields.
    fn read(&self, visit: &Visit) -> (String, Vec<(String, Fault)>) {
        let (mut row, mut faults) = (BTreeMap::new(), Vec::new());
        for field in &self.fields {
            let text = visit.form.find(&format!("{FIELD_PREFIX}{}", field.column)).unwrap_or_default();
            match typed::read(field, text) {
                Ok(Some(value)) => drop(row.insert(field.column.as_str(), value)),
                Ok(None) => {}
                Err(fault) => faults.push((field.column.clone(), fault)),
            }
        }
        (serde_json::to_string(&row).unwrap_or_default(), faults)
    }

    /// What the contract found wrong, by the fields of the form; a fault of no field is a failure of the page.
    fn faults_of(&self, failure: Failure) -> Result<Vec<(String, Fault)>, Failure> {
        let details = failure.details().unwrap_or_default();
        let errors = details["errors"].as_array().cloned().unwrap_or_default();
        let mut faults = Vec::new();
        for error in &errors {
            let pointer = error["pointer"].as_str().unwrap_or_default();
            let column = pointer.trim_start_matches('/').replace("~1", "/").replace("~0", "~");
            let code = error["code"].as_str().unwrap_or_default();
            let field = self.fields.iter().find(|field| field.column == column);
            faults.extend(field.map(|field| (column.clone(), fault_of_code(field, code))));
        }
        if failure.code() == "row.fields" && !faults.is_empty() { Ok(faults) } else { Err(failure) }
    }
}

/// What a form led to before anything was decided.
enum Looked {
    Decide { model: ModelRef, row: String, nonce: String },
    Page(Box<Response>),
}

pub fn send(visit: Visit) -> Reply {
    Box::pin(async move {
        let server = Arc::clone(&visit.server);
        let visit = Arc::new(visit);
        let looking = Arc::clone(&visit);
        match server.in_turn(move || look(&looking)).await? {
            Looked::Page(page) => Ok(*page),
            Looked::Decide { model, row, nonce } => {
                let asked = Asked {
                    model: &model,
                    row: &row,
                    key: Some(&nonce),
                    simulated: false,
                    started: visit.ask.context.begun(),
                };
                match decide_once(&visit, &asked).await {
                    Ok(answered) => Ok(see_other(&address_of(&answered))),
                    Err(failure) if failure.code() == "idempotency.key_reused" => {
                        server.in_turn(move || ask_again(&visit)).await
                    }
                    Err(failure) => Err(failure),
                }
            }
        }
    })
}

/// Everything of a form that is looked at before it is decided.
fn look(visit: &Visit) -> Result<Looked, Failure> {
    let stand = Stand::open(visit)?;
    if stand.seat.standing.is_none() {
        return stand
            .page(visit, &Filled::default(), StatusCode::OK, |_| ())
            .map(|page| Looked::Page(Box::new(page)));
    }
    let nonce =
        visit.form.find("nonce").filter(|nonce| !nonce.is_empty()).map_or_else(draw_form_id, str::to_string);
    // What could not be read is told together with what the contract finds wrong in the rest.
    let (row, mut faults) = stand.read(visit);
    let checked = match desk::look(&visit.app, &stand.seat, &row, &nonce) {
        Ok(known) if faults.is_empty() => Ok((row, known)),
        Ok(_) => Err(faults),
        Err(failure) => {
            let more = stand.faults_of(failure)?;
            let told: Vec<String> = faults.iter().map(|(column, _)| column.clone()).collect();
            faults.extend(more.into_iter().filter(|(column, _)| !told.contains(column)));
            Err(faults)
        }
    };
    let typed = typed_of(visit);
    match checked {
        Err(faults) => {
            let filled = Filled { typed, faults };
            let page = stand.page(visit, &filled, StatusCode::UNPROCESSABLE_ENTITY, |_| ())?;
            Ok(Looked::Page(Box::new(page)))
        }
        Ok((_, known)) if wants_confirming(visit, &known) => {
            let (texts, now_ms) = (visit.server.pages.texts(), visit.app.now().millis());
            let lines =
                known.same_subject.iter().filter_map(|header| line_of(&texts, header, now_ms)).collect();
            let filled = Filled { typed, faults: Vec::new() };
            let page = stand.page(visit, &filled, StatusCode::OK, |view| view.same_subject = lines)?;
            Ok(Looked::Page(Box::new(page)))
        }
        Ok((row, _)) => {
            let model = ModelRef { name: stand.desk.name.clone(), which: Which::Unstated };
            Ok(Looked::Decide { model, row, nonce })
        }
    }
}

fn typed_of(visit: &Visit) -> Vec<(&str, &str)> {
    visit.form.fields().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn wants_confirming(visit: &Visit, known: &Known) -> bool {
    !known.same_subject.is_empty() && !known.sent_before && visit.form.find("confirmed") != Some("yes")
}

/// One form is one decision: who presses twice waits for what the first press led to.
async fn decide_once(visit: &Visit, asked: &Asked<'_>) -> Result<Answered, Failure> {
    let mut pauses = 0;
    loop {
        let again = Asked { ..*asked };
        match decisions::decide(&visit.app, again).await {
            Err(failure)
                if failure.code() == "idempotency.under_way" && pauses < limits::SAME_FORM_PAUSES_MAX =>
            {
                pauses += 1;
                tokio::time::sleep(Duration::from_millis(limits::SAME_FORM_PAUSE_MS)).await;
            }
            other => return other,
        }
    }
}

/// The form was sent before with other content, from a page that was gone back to: it gets a name of its own.
fn ask_again(visit: &Visit) -> Result<Response, Failure> {
    let stand = Stand::open(visit)?;
    let filled = Filled { typed: typed_of(visit), faults: Vec::new() };
    let notice = visit.server.pages.texts().fill("form.sent_before", &[("model", &spoken(&stand.desk.name))]);
    stand.page(visit, &filled, StatusCode::CONFLICT, |view| {
        view.nonce = draw_form_id();
        view.notice = Some(notice);
    })
}

fn address_of(answered: &Answered) -> String {
    let facts = answered.header.decision.as_ref();
    let case = facts.and_then(|facts| facts.case).map_or(String::new(), |case| case.to_string());
    format!("/cases/{case}")
}
