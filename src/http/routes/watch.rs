//! The routes of what is watched: outcomes, reports, series.

use crate::http::api::watch::outcomes;
use crate::http::routes::AnswerShape::Json;
use crate::http::routes::{Access, BodyShape, Route, read, schema_of};
use crate::http::views::watch::outcome;
use crate::security::actor::Act;

const OUTCOMES: BodyShape = BodyShape {
    schema: schema_of::<outcome::OutcomesBody>,
    example: r#"{"outcomes": [{"decision": "0421-26-00317-K", "value": "Fully Paid", "groups": {"sex": "f"}}]}"#,
};

pub const ROUTES: &[Route] = &[read(
    "/v1/models/{name}/outcomes",
    Access::As(Act::ReportOutcomes),
    outcomes::report,
    Json(schema_of::<outcome::OutcomesView>),
    "Say what became of decisions; what cannot be taken down is named, the rest is kept",
)
.post(OUTCOMES)
.or(&[404, 422])];
