//! Statuses, shapes and silences of problems.

use super::*;
use crate::app::error::UseCaseError;
use crate::data::row::{FieldError, RowError};
use crate::security::actor::{Act, Person, Role};

fn of(failure: impl Into<Failure>) -> Problem {
    Problem::of(&failure.into(), "c-1", "/v1/models", Hearer::Anybody)
}

#[test]
fn every_status_of_the_table_is_there_once_and_differs_from_nothing_else() {
    for (at, (code, status)) in STATUSES.iter().enumerate() {
        assert!(STATUSES[..at].iter().all(|(other, _)| other != code), "{code} twice");
        assert!(status.is_client_error(), "{code}");
    }
}

#[test]
fn wrong_fields_become_errors_with_pointers() {
    let field = FieldError { pointer: "/age".into(), code: "type", message: "a number is expected".into() };
    let problem = of(RowError::Fields(vec![field]));
    assert_eq!((problem.status, problem.code.as_str()), (422, "row.fields"));
    assert_eq!(problem.kind, "tag:tallystick,2026:row.fields");
    assert_eq!(problem.errors[0].pointer, "/age");
    assert_eq!((problem.details.as_ref(), problem.exit_code), (None, 3));
    let field = serde_json::json!({"pointer": "/age", "code": "type", "message": "a number is expected"});
    assert_eq!(problem.joined_details(), Some(serde_json::json!({"errors": [field]})));
}

#[test]
fn a_fault_of_the_server_is_told_without_its_words() {
    let fault = UseCaseError::Damaged {
        problems: 1,
        first: "row \"Erika Mustermann\"".into(),
        report: serde_json::json!({"problems": ["Erika Mustermann"]}),
    };
    let fault = Failure::from(fault);
    let text = serde_json::to_string(&Problem::of(&fault, "c", "/", Hearer::Anybody)).unwrap();
    assert!(text.contains("store.damaged") && !text.contains("Erika"), "{text}");
    let told = Problem::of(&fault, "c", "/", Hearer::Owner);
    assert_eq!((told.status, told.exit_code, told.detail), (500, 5, fault.to_string()));
    assert_eq!(told.details, fault.details());
}

#[test]
fn a_refused_role_is_403_and_a_missing_credential_401_with_the_scheme() {
    let analyst = Person::of("anna", &[Role::Analyst]).unwrap();
    let refused = Failure::from(analyst.acting(Act::PromoteModel).unwrap_err());
    assert_eq!(status_of(&refused), StatusCode::FORBIDDEN);
    let unknown = answer(&crate::app::people::WhoError::Unauthenticated.into(), "c", "/", Hearer::Anybody);
    assert_eq!(unknown.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(unknown.headers()[WWW_AUTHENTICATE], "Bearer");
}

#[test]
fn who_is_turned_away_for_a_while_hears_for_how_long() {
    let busy = answer(&HttpError::Overloaded { waiting: 3 }.into(), "c", "/", Hearer::Anybody);
    assert_eq!(busy.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(busy.headers()[RETRY_AFTER], "1");
}

#[test]
fn a_raw_answer_is_a_whole_response() {
    let text = String::from_utf8(raw_answer(431)).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{head}");
    assert!(head.contains(&format!("content-length: {}", body.len())));
    let problem: Problem = serde_json::from_str(body).unwrap();
    assert_eq!((problem.status, problem.code.as_str()), (431, "http.head_too_large"));
}
