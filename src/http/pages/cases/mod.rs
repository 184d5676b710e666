//! Cases: the list, the search, a case's page, why it is so, its letter and its receipt.

use axum::http::header::CONTENT_DISPOSITION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use crate::app::decisions::cases::{self as found, CasesWanted};
use crate::app::decisions::{proof, sheet as sheets, why as reasons};
use crate::base::fact::Failure;
use crate::base::limits;
use crate::http::call::{Reply, bytes_of};
use crate::http::cursor::{cursor_of, seen};
use crate::http::pages::cases::sheet::case_view;
use crate::http::pages::cases::why::why_view;
use crate::http::pages::routes::{Visit, see_other};
use crate::http::pages::text::Texts;
use crate::http::pages::words::{days_ago, moment, spoken};
use crate::http::problem::HttpError;
use crate::ledger::case::{CaseError, CaseNumber};
use crate::ledger::decision::Flag;
use crate::ledger::leaf::Header;

pub mod qr;
pub mod sheet;
pub mod tally;
pub mod why;

const LETTER: &str = "letter.html";

/// A case as a list shows it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CaseLine {
    pub case: String,
    pub address: String,
    pub outcome: String,
    pub tone: &'static str,
    pub model: String,
    pub when: String,
    pub ago: String,
    pub who: String,
    pub degraded: bool,
    pub simulated: bool,
}

/// An outcome in words, and how it is shown.
pub struct OutcomeWord {
    pub word: String,
    pub tone: &'static str,
}

/// The outcomes of lending have words of ours; any other is called what its policy calls it.
pub fn outcome_of(texts: &Texts, outcome: &str) -> OutcomeWord {
    match outcome {
        "approve" => OutcomeWord { word: texts.say("outcome.approve"), tone: "good" },
        "refer" => OutcomeWord { word: texts.say("outcome.refer"), tone: "refer" },
        "decline" => OutcomeWord { word: texts.say("outcome.decline"), tone: "bad" },
        other => OutcomeWord { word: spoken(other), tone: "other" },
    }
}

pub fn line_of(texts: &Texts, header: &Header, now_ms: i64) -> Option<CaseLine> {
    let facts = header.decision.as_ref()?;
    let case = facts.case?.to_string();
    let outcome = outcome_of(texts, facts.outcome.as_deref().unwrap_or_default());
    Some(CaseLine {
        address: format!("/cases/{case}"),
        case,
        outcome: outcome.word,
        tone: outcome.tone,
        model: spoken(&facts.name),
        when: moment(texts, header.time_ms),
        ago: days_ago(texts, now_ms, header.time_ms),
        who: header.actor.name().to_string(),
        degraded: facts.flags.contains(&Flag::Degraded),
        simulated: facts.flags.contains(&Flag::Simulated),
    })
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct CasesView {
    pub own: bool,
    pub lines: Vec<CaseLine>,
    /// The address of the next page.
    pub next: Option<String>,
    /// What was searched for, where something was; kept in its field.
    pub wanted: String,
    /// Whether the lines are those of one applicant.
    pub of_subject: bool,
    pub trouble: Option<String>,
}

pub fn list(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let texts = visit.server.pages.texts();
        let wrong = |_| HttpError::Query { name: "cursor".into(), why: "names no record".into() };
        let before = seen(&visit.ask)?.map(|text| text.parse::<u64>()).transpose().map_err(wrong)?;
        let own: bool = visit.ask.query_as("own")?.unwrap_or(false);
        let page = found::list(&visit.app, CasesWanted { own, before, limit: limits::CASES_SHOWN })?;
        let now_ms = visit.app.now().millis();
        let lines: Vec<CaseLine> =
            page.headers.iter().filter_map(|header| line_of(&texts, header, now_ms)).collect();
        let next = page
            .next
            .filter(|_| !lines.is_empty())
            .map(|before| format!("/cases?own={own}&cursor={}", cursor_of(&before.to_string())));
        let view = CasesView { own, lines, next, ..CasesView::default() };
        visit.server.pages.render("cases.html", &visit.door.frame("cases"), &view)
    })
}

/// By case number or by what names the applicant. It comes in a form: neither belongs in an address.
pub fn search(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let texts = visit.server.pages.texts();
        let wanted = visit.form.find("wanted").unwrap_or_default().trim().to_string();
        let refuse = |trouble: String| {
            let view = CasesView { wanted: wanted.clone(), trouble: Some(trouble), ..CasesView::default() };
            let frame = visit.door.frame("cases");
            visit.server.pages.render_as(StatusCode::UNPROCESSABLE_ENTITY, "cases.html", &frame, &view)
        };
        if wanted.is_empty() {
            return refuse(texts.say("cases.search.empty"));
        }
        let parsed = CaseNumber::parse(&wanted);
        if let Ok(case) = parsed {
            return match proof::receipt(&visit.app, &case.to_string()) {
                Ok(_) => Ok(see_other(&format!("/cases/{case}"))),
                Err(failure) if failure.code() == "decision.unknown" => {
                    refuse(texts.say("cases.search.no_case"))
                }
                Err(failure) => Err(failure),
            };
        }
        let now_ms = visit.app.now().millis();
        let headers = found::of_subject(&visit.app, &wanted, None)?;
        let lines: Vec<CaseLine> =
            headers.iter().filter_map(|header| line_of(&texts, header, now_ms)).collect();
        if lines.is_empty() {
            return refuse(hint_of(&texts, parsed.err()));
        }
        let view = CasesView { lines, wanted, of_subject: true, ..CasesView::default() };
        visit.server.pages.render("cases.html", &visit.door.frame("cases"), &view)
    })
}

/// What to look at again in a number that is none: its letter knows.
fn hint_of(texts: &Texts, error: Option<CaseError>) -> String {
    match error {
        Some(CaseError::CheckLetter { letter, swapped, .. }) => match swapped[..] {
            [(one, other)] => {
                let (one, other) = (one.to_string(), other.to_string());
                texts.fill("cases.search.swapped", &[("one", &one), ("other", &other)])
            }
            _ => texts.fill("cases.search.letter", &[("letter", &letter.to_string())]),
        },
        _ => texts.say("cases.search.nothing"),
    }
}

/// The case of the path; a mistyped number gets its hint on the page of the search.
fn case_of(visit: &Visit) -> Result<Result<CaseNumber, Response>, Failure> {
    let text = visit.ask.path("case")?;
    match CaseNumber::parse(text) {
        Ok(case) => Ok(Ok(case)),
        Err(error) => {
            let trouble = Some(hint_of(&visit.server.pages.texts(), Some(error)));
            let view = CasesView { wanted: text.to_string(), trouble, ..CasesView::default() };
            let frame = visit.door.frame("cases");
            let page = visit.server.pages.render_as(StatusCode::NOT_FOUND, "cases.html", &frame, &view)?;
            Ok(Err(page))
        }
    }
}

fn of_case(visit: Visit, template: &'static str) -> Reply {
    visit.answer(move |visit| {
        let case = match case_of(visit)? {
            Ok(case) => case,
            Err(page) => return Ok(page),
        };
        let sheet = sheets::open(&visit.app, &case.to_string())?;
        let view = case_view(&visit.server.pages.texts(), &sheet, visit.app.now().millis())?;
        if template == LETTER && !view.has_letter {
            return Err(HttpError::NoRoute.into());
        }
        visit.server.pages.render(template, &visit.door.frame("cases"), &view)
    })
}

pub fn show(visit: Visit) -> Reply {
    of_case(visit, "case.html")
}

pub fn letter(visit: Visit) -> Reply {
    of_case(visit, LETTER)
}

pub fn why(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let case = match case_of(visit)? {
            Ok(case) => case,
            Err(page) => return Ok(page),
        };
        let why = reasons::why(&visit.app, &case.to_string())?;
        // What is damaged may not open as a sheet; why it is so is told all the same.
        let sheet = sheets::open(&visit.app, &case.to_string()).ok();
        let by = sheet.as_ref().and_then(|sheet| sheet.scored_by.as_ref());
        let view = why_view(&visit.server.pages.texts(), &case, &why, by, visit.app.now().millis());
        visit.server.pages.render("why.html", &visit.door.frame("cases"), &view)
    })
}

pub fn receipt(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let receipt = proof::receipt(&visit.app, visit.ask.path("case")?)?;
        let case = visit.ask.path_as::<CaseText>("case")?.0;
        let mut response = bytes_of("application/json", receipt.to_bytes()?);
        let named = format!("attachment; filename=\"receipt-{case}.json\"");
        if let Ok(value) = HeaderValue::from_str(&named) {
            response.headers_mut().insert(CONTENT_DISPOSITION, value);
        }
        Ok(response)
    })
}

/// A case number as it may stand in a file's name.
struct CaseText(CaseNumber);

impl std::str::FromStr for CaseText {
    type Err = CaseError;

    fn from_str(text: &str) -> Result<Self, CaseError> {
        CaseNumber::parse(text).map(Self)
    }
}
