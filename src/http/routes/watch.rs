//! The routes of what is watched: outcomes, reports, series, alerts.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema};

use crate::http::api::watch::{alerts, outcomes, reports, trends};
use crate::http::routes::AnswerShape::{Bytes, Json};
use crate::http::routes::table::{CURSOR, LIMIT};
use crate::http::routes::{Access, BodyShape, Parameter, Route, Schemas, Verb, read, schema_of};
use crate::http::views::watch::{alert, outcome, report, trend};
use crate::security::actor::Act;

const RUNS: Access = Access::As(Act::ReadRuns);
const ANSWERING: Access = Access::As(Act::AnswerAlerts);

const OUTCOMES: BodyShape = BodyShape {
    schema: schema_of::<outcome::OutcomesBody>,
    example: r#"{"outcomes": [{"decision": "0421-26-00317-K", "value": "Fully Paid", "groups": {"sex": "f"}}]}"#,
};
const REPORT: BodyShape = BodyShape {
    schema: schema_of::<report::ReportBody>,
    example: r#"{"alias": "production", "window_days": 7}"#,
};
const ANSWER: BodyShape = BodyShape {
    schema: schema_of::<alert::AnswerBody>,
    example: r#"{"comment": "the feed is being repaired"}"#,
};
const TRIAL: BodyShape = BodyShape { schema: schema_of::<alert::TrialBody>, example: "{}" };
const SERIES: &[Parameter] = &[
    Parameter {
        name: "about",
        about: "The field, attribute or group that the figure is about",
        is_number: false,
        needed: None,
    },
    Parameter {
        name: "since_days",
        about: "How far back, from 1 to 4000; 90 where it is absent",
        is_number: true,
        needed: None,
    },
    Parameter { name: "format", about: "`json`, or `csv` for a spreadsheet", is_number: false, needed: None },
];
const ALERTS: &[Parameter] = &[
    CURSOR,
    LIMIT,
    Parameter {
        name: "open",
        about: "`true`: only those that are not closed",
        is_number: false,
        needed: None,
    },
];

fn report_schema(_: &mut Schemas) -> RefOr<Schema> {
    let about = "A report in the form 2: `schema` and `report`, with drift (and what it was counted over), quality, performance, release_performance (of the version in force by its own outcomes), fairness, business and alarms; of form 1, which has no release_performance, are those that were kept before";
    RefOr::T(Schema::Object(ObjectBuilder::new().description(Some(about)).build()))
}

pub const ROUTES: &[Route] = &[
    read(
        "/v1/models/{name}/outcomes",
        Access::As(Act::ReportOutcomes),
        outcomes::report,
        Json(schema_of::<outcome::OutcomesView>),
        "Say what became of decisions; what cannot be taken down is named, the rest is kept",
    )
    .post(OUTCOMES)
    .or(&[404, 422]),
    read(
        "/v1/models/{name}/reports",
        Access::As(Act::MakeReports),
        reports::make,
        Json(report_schema),
        "Make the report of a day now, by the project of that name that is in force",
    )
    .post(REPORT)
    .creates()
    .or(&[404]),
    read(
        "/v1/models/{name}/reports",
        RUNS,
        reports::list,
        Json(schema_of::<report::ReportList>),
        "The days of a model that have a report, the newest first; at most 50 on a page",
    )
    .paged()
    .or(&[400, 404]),
    read(
        "/v1/models/{name}/reports/{day}",
        RUNS,
        reports::show,
        Json(report_schema),
        "The report of a day, or of the newest day under `latest`",
    )
    .or(&[400, 404]),
    read(
        "/v1/models/{name}/reports/{day}/page",
        RUNS,
        reports::page,
        Bytes,
        "The same as a page of HTML that stands alone",
    )
    .or(&[400, 404]),
    read(
        "/v1/models/{name}/trends",
        RUNS,
        trends::list,
        Json(schema_of::<trend::SeriesList>),
        "The figures that can be followed over days",
    )
    .or(&[404]),
    read(
        "/v1/models/{name}/trends/{series}",
        RUNS,
        trends::show,
        Json(schema_of::<trend::SeriesView>),
        "One figure over days",
    )
    .asking(SERIES)
    .or(&[400, 404]),
    read(
        "/v1/models/{name}/hold",
        Access::As(Act::PromoteModel),
        reports::release_hold,
        Json(schema_of::<report::HoldView>),
        "Let a model go that a rule held back",
    )
    .act(Verb::Delete)
    .or(&[404]),
    read(
        "/v1/alerts",
        RUNS,
        alerts::list,
        Json(schema_of::<alert::AlertList>),
        "Alerts, open ones first, each with how it stands with every channel",
    )
    .asking(ALERTS)
    .or(&[400]),
    read("/v1/alerts/{alert}", RUNS, alerts::show, Json(schema_of::<alert::AlertView>), "One alert")
        .or(&[404]),
    read(
        "/v1/alerts/{alert}/acknowledge",
        ANSWERING,
        alerts::acknowledge,
        Json(schema_of::<alert::AlertView>),
        "Take notice of an alert: nobody is reminded of it any more",
    )
    .post(ANSWER)
    .or(&[404, 409]),
    read(
        "/v1/alerts/{alert}/resolve",
        ANSWERING,
        alerts::resolve,
        Json(schema_of::<alert::AlertView>),
        "Close an alert: the same thing happening again is a new one",
    )
    .post(ANSWER)
    .or(&[404]),
    read(
        "/v1/alerts/trial",
        ANSWERING,
        alerts::try_channels,
        Json(schema_of::<alert::AlertView>),
        "Try whether a channel works, or every one: an alert that is closed as it is raised",
    )
    .post(TRIAL)
    .creates()
    .or(&[404, 409]),
];
