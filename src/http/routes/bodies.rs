//! What the routes read, each body with an example that a test sends.
//! Never says which route reads it.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema};

use crate::http::routes::{BodyShape, Schemas, schema_of};
use crate::http::views::{approval, people, registry, work};

pub(in crate::http::routes) const PROMOTE: BodyShape = BodyShape {
    schema: schema_of::<registry::PromoteBody>,
    example: r#"{"version": 1, "to": "production", "why": "first release", "dry_run": true}"#,
};
pub(in crate::http::routes) const ROLLBACK: BodyShape = BodyShape {
    schema: schema_of::<registry::RollbackBody>,
    example: r#"{"alias": "production", "why": "complaints from the branch", "dry_run": true}"#,
};
pub(in crate::http::routes) const PROPOSE: BodyShape = BodyShape {
    schema: schema_of::<approval::ProposeBody>,
    example: r#"{"version": 1, "to": "staging", "why": "better on the last quarter"}"#,
};
pub(in crate::http::routes) const COMMENT: BodyShape = BodyShape {
    schema: schema_of::<approval::CommentBody>,
    example: r#"{"comment": "the figures hold on the branch's own cases"}"#,
};

pub(in crate::http::routes) const LOGIN: BodyShape = BodyShape {
    schema: schema_of::<people::LoginBody>,
    example: r#"{"name": "erika", "password": "seven green lamps at noon"}"#,
};
pub(in crate::http::routes) const NEW_USER: BodyShape = BodyShape {
    schema: schema_of::<people::NewUserBody>,
    example: r#"{"name": "anna", "roles": ["officer"], "password": "nine blue doors at dusk"}"#,
};
pub(in crate::http::routes) const PASSWORD: BodyShape = BodyShape {
    schema: schema_of::<people::PasswordBody>,
    example: r#"{"password": "seven green lamps at noon"}"#,
};
pub(in crate::http::routes) const ROLES: BodyShape =
    BodyShape { schema: schema_of::<people::RolesBody>, example: r#"{"roles": ["officer", "analyst"]}"# };
pub(in crate::http::routes) const NEW_KEY: BodyShape = BodyShape {
    schema: schema_of::<people::NewKeyBody>,
    example: r#"{"name": "core@hq", "role": "core-banking", "days": 90}"#,
};
/// A row of the model's contract; which fields it has the model says.
pub(in crate::http::routes) const ROW_BODY: BodyShape =
    BodyShape { schema: row_schema, example: ROW_EXAMPLE };
/// The texts are those of a whole project in truth.
pub(in crate::http::routes) const ORDER: BodyShape = BodyShape {
    schema: schema_of::<work::OrderBody>,
    example: r#"{"project": {"project.toml": "name = \"loan-default\""}, "overrides": ["seed=8"], "data": {}}"#,
};
pub(in crate::http::routes) const IMPORT: BodyShape = BodyShape {
    schema: schema_of::<work::ImportBody>,
    example: r#"{
        "project": {"project.toml": "name = \"loan-default\""},
        "data": {"upload": "0123456789abcdef0123456789abcdef", "file_name": "loans.csv"}
    }"#,
};
pub(in crate::http::routes) const CLAIM: BodyShape =
    BodyShape { schema: schema_of::<work::ClaimBody>, example: r#"{"worker": "worker-1"}"# };
pub(in crate::http::routes) const EVENTS: BodyShape = BodyShape {
    schema: schema_of::<work::EventsBody>,
    example: r#"{"events": [{"event": "stage", "name": "training", "total": 40}, {"event": "step", "done": 1}]}"#,
};
pub(in crate::http::routes) const FINISH: BodyShape = BodyShape {
    schema: schema_of::<work::FinishBody>,
    example: r#"{
        "contents": "{}",
        "model": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "train_seconds": 1.5
    }"#,
};
pub(in crate::http::routes) const FAIL: BodyShape = BodyShape {
    schema: schema_of::<work::FailBody>,
    example: r#"{"event": {"event": "failed", "code": "run.killed", "exit_code": 1, "message": "it was ended",
        "next_step": null, "details": null}}"#,
};
pub(in crate::http::routes) const FILE_EXAMPLE: &str = "a,b\n";
pub(in crate::http::routes) const ROW_EXAMPLE: &str = r#"{
    "addr_state": "WA",
    "annual_inc": 132900.0,
    "delinq_2yrs": 1,
    "dti": 14.46,
    "earliest_cr_line": "1997-05-01",
    "emp_length": "4 years",
    "grade": "D",
    "home_ownership": "RENT",
    "inq_last_6mths": 0,
    "installment": 603.49,
    "int_rate": 0.1711,
    "loan_amnt": 24225,
    "loan_id": "L1000001",
    "mths_since_last_delinq": 19,
    "open_acc": 17,
    "pub_rec": 0,
    "purpose": "debt_consolidation",
    "revol_bal": 10878,
    "revol_util": 64.6,
    "sub_grade": "D4",
    "term": 60,
    "total_acc": 23,
    "verification_status": "Verified"
}"#;

pub(in crate::http::routes) fn receipt_schema(_: &mut Schemas) -> RefOr<Schema> {
    let about = "A receipt in the format tallystick.receipt.v1, for `tallystick verify`";
    RefOr::T(Schema::Object(ObjectBuilder::new().description(Some(about)).build()))
}

fn row_schema(_: &mut Schemas) -> RefOr<Schema> {
    let about = "One flat JSON object with the fields of the model's contract";
    RefOr::T(Schema::Object(ObjectBuilder::new().description(Some(about)).build()))
}
