//! What can be asked of models, runs, decisions and people.
//! Never says how a thing is answered.

use crate::http::api::training::{datasets, orders, work as workers};
use crate::http::api::{
    aliases, decisions, health, keys, models, policies, proposals, runs, sessions, users, whoami,
};
use crate::http::routes::AnswerShape::{Bytes, Json, Text};
use crate::http::routes::bodies::{
    CLAIM, COMMENT, EVENTS, FAIL, FILE_EXAMPLE, FINISH, IMPORT, LOGIN, NEW_KEY, NEW_USER, ORDER, PASSWORD,
    PROMOTE, PROPOSE, ROLES, ROLLBACK, ROW_BODY, receipt_schema,
};
use crate::http::routes::{Access, Parameter, Route, Verb, read, schema_of};
use crate::http::views::{
    approval, check, compare, decision, people, policy, registry, run, status, why, work,
};
use crate::security::actor::Act;

pub(in crate::http::routes) const CURSOR: Parameter = Parameter {
    name: "cursor",
    about: "Where the page begins: the `next` of the page before",
    is_number: false,
    needed: None,
};
pub(in crate::http::routes) const LIMIT: Parameter =
    Parameter { name: "limit", about: "How many at most, from 1 to 500", is_number: true, needed: None };
pub(in crate::http::routes) const PAGES: &[Parameter] = &[CURSOR, LIMIT];
const DECISION_PAGES: &[Parameter] = &[
    CURSOR,
    LIMIT,
    Parameter { name: "model", about: "Only decisions by this model", is_number: false, needed: None },
    Parameter { name: "outcome", about: "Only decisions with this outcome", is_number: false, needed: None },
];
const ROW: &[Parameter] = &[
    Parameter {
        name: "version",
        about: "This version instead of what is in production",
        is_number: true,
        needed: None,
    },
    Parameter { name: "alias", about: "What this alias points at instead", is_number: false, needed: None },
    Parameter {
        name: "simulated",
        about: "`true` for a rehearsal, which is recorded as one and counts as no decision",
        is_number: false,
        needed: None,
    },
    Parameter {
        name: "timing",
        about: "`true` for the header `Server-Timing`: how long each stage took",
        is_number: false,
        needed: None,
    },
];

const RUN_PAGES: &[Parameter] = &[
    CURSOR,
    LIMIT,
    Parameter { name: "project", about: "Only runs of this project", is_number: false, needed: None },
    Parameter {
        name: "experiment",
        about: "Only runs of this experiment, by its name or number",
        is_number: false,
        needed: None,
    },
];
const RUNS_TO_COMPARE: &[Parameter] = &[Parameter {
    name: "runs",
    about: "Two runs or more, by ids or their beginnings, with commas between; the others are measured against the first",
    is_number: false,
    needed: Some("0123456789abcdef0123456789abcdef,0123456789abcdef0123456789abcdef"),
}];

const CHECK: &[Parameter] = &[
    Parameter { name: "version", about: "This version instead of the newest", is_number: true, needed: None },
    Parameter { name: "alias", about: "What this alias points at instead", is_number: false, needed: None },
    Parameter {
        name: "against",
        about: "The alias whose version it is held against; `production` where it is absent",
        is_number: false,
        needed: None,
    },
    Parameter {
        name: "auc",
        about: "How much lower the AUC may be; 0.01 where no tolerance is given",
        is_number: false,
        needed: None,
    },
    Parameter {
        name: "log_loss",
        about: "How much higher the log loss may be; not judged where it is absent",
        is_number: false,
        needed: None,
    },
    Parameter {
        name: "brier",
        about: "How much higher the Brier score may be; not judged where it is absent",
        is_number: false,
        needed: None,
    },
];

const PROPOSALS: &[Parameter] = &[
    CURSOR,
    LIMIT,
    Parameter {
        name: "state",
        about: "Only those that are `open`, `approved`, `rejected`, `withdrawn`, `expired` or `superseded`",
        is_number: false,
        needed: None,
    },
    Parameter { name: "model", about: "Only those about this model", is_number: false, needed: None },
];

const ANYBODY: Access = Access::Public;
const REGISTRY: Access = Access::As(Act::ReadRegistry);
const RUNS: Access = Access::As(Act::ReadRuns);
const TRAIN: Access = Access::As(Act::Train);
const WORK: Access = Access::As(Act::Work);
const PROPOSING: Access = Access::As(Act::ProposePromotion);
const DECIDING: Access = Access::As(Act::DecidePromotion);
const SCORE: Access = Access::As(Act::Score);
const DECISIONS: Access = Access::As(Act::ReadDecisions);
const PEOPLE: Access = Access::As(Act::ReadPeople);
const USERS: Access = Access::As(Act::ManageUsers);
const KEYS: Access = Access::As(Act::ManageKeys);

pub const ROUTES: &[Route] = &[
    read("/livez", ANYBODY, health::live, Json(schema_of::<status::Health>), "Whether the server lives")
        .or(&[503]),
    read("/readyz", ANYBODY, health::ready, Json(schema_of::<status::Health>), "Whether it can decide")
        .or(&[503]),
    read("/metrics", Access::As(Act::ReadMetrics), health::metrics, Text, "Figures in Prometheus' text form"),
    read("/openapi.json", ANYBODY, health::document, Bytes, "This document"),
    read(
        "/v1/whoami",
        Access::As(Act::ReadStatus),
        whoami::show,
        Json(schema_of::<status::WhoAmI>),
        "Who asks, in which roles",
    ),
    read(
        "/v1/models",
        REGISTRY,
        models::list,
        Json(schema_of::<registry::ModelList>),
        "Every model with its newest version and its aliases",
    )
    .paged(),
    read(
        "/v1/models/{name}",
        REGISTRY,
        models::show_newest,
        Json(schema_of::<registry::VersionDetail>),
        "The newest version of a model",
    )
    .or(&[400, 404]),
    read(
        "/v1/models/{name}/versions",
        REGISTRY,
        models::list_versions,
        Json(schema_of::<registry::VersionList>),
        "Every version of a model, the newest first",
    )
    .paged()
    .or(&[400, 404]),
    read(
        "/v1/models/{name}/versions/{version}",
        REGISTRY,
        models::show_version,
        Json(schema_of::<registry::VersionDetail>),
        "One version: digests, figures, gates",
    )
    .or(&[400, 404]),
    read(
        "/v1/models/{name}/check",
        RUNS,
        models::check,
        Json(schema_of::<check::CheckView>),
        "Whether a version's figures fall below those of an alias, on the rows that tested both",
    )
    .asking(CHECK)
    .or(&[400, 404, 409]),
    read(
        "/v1/models/{name}/aliases",
        REGISTRY,
        aliases::list,
        Json(schema_of::<registry::AliasList>),
        "Where the aliases of a model point",
    )
    .or(&[400, 404]),
    read(
        "/v1/models/{name}/aliases/{alias}",
        REGISTRY,
        aliases::show,
        Json(schema_of::<registry::AliasView>),
        "Where one alias points; its ETag is for `If-Match`",
    )
    .or(&[400, 404]),
    read(
        "/v1/models/{name}/aliases/{alias}/history",
        REGISTRY,
        aliases::history,
        Json(schema_of::<registry::History>),
        "Every move of an alias: what, when, by whom and why",
    )
    .or(&[400, 404]),
    read(
        "/v1/models/{name}/promote",
        Access::As(Act::PromoteModel),
        aliases::promote,
        Json(schema_of::<registry::Promoted>),
        "Point an alias at a version, if its gates allow it",
    )
    .post(PROMOTE)
    .conditional()
    .or(&[400, 404, 409, 412, 422]),
    read(
        "/v1/models/{name}/rollback",
        Access::As(Act::RollbackModel),
        aliases::rollback,
        Json(schema_of::<registry::RolledBack>),
        "Point an alias back at the version before",
    )
    .post(ROLLBACK)
    .conditional()
    .or(&[400, 404, 409, 412, 422]),
    read(
        "/v1/models/{name}/proposals",
        PROPOSING,
        proposals::propose,
        Json(schema_of::<approval::ProposalView>),
        "Propose that an alias moves: the gates judge at once, somebody else approves",
    )
    .post(PROPOSE)
    .creates()
    .or(&[400, 404, 409, 422]),
    read(
        "/v1/proposals",
        REGISTRY,
        proposals::list,
        Json(schema_of::<approval::ProposalList>),
        "Proposals to promote, open ones first",
    )
    .asking(PROPOSALS)
    .or(&[400]),
    read(
        "/v1/proposals/{proposal}",
        REGISTRY,
        proposals::show,
        Json(schema_of::<approval::ProposalView>),
        "One proposal and what came of it",
    )
    .or(&[400, 404]),
    read(
        "/v1/proposals/{proposal}/approve",
        DECIDING,
        proposals::approve,
        Json(schema_of::<approval::ProposalView>),
        "Approve a proposal of somebody else: the gates judge again, and the alias moves",
    )
    .post(COMMENT)
    .or(&[404, 409]),
    read(
        "/v1/proposals/{proposal}/reject",
        DECIDING,
        proposals::reject,
        Json(schema_of::<approval::ProposalView>),
        "Reject a proposal of somebody else",
    )
    .post(COMMENT)
    .or(&[404, 409]),
    read(
        "/v1/proposals/{proposal}/withdraw",
        PROPOSING,
        proposals::withdraw,
        Json(schema_of::<approval::ProposalView>),
        "Take one's own proposal back",
    )
    .act(Verb::Post)
    .or(&[400, 404, 409]),
    read(
        "/v1/policies",
        REGISTRY,
        policies::list,
        Json(schema_of::<policy::PolicyList>),
        "Every signed policy",
    )
    .paged(),
    read(
        "/v1/policies/{digest}",
        REGISTRY,
        policies::show,
        Json(schema_of::<policy::PolicyView>),
        "One policy: its bands, rules and cut-off",
    )
    .or(&[400, 404, 409]),
    read(
        "/v1/runs",
        RUNS,
        runs::list,
        Json(schema_of::<run::RunList>),
        "Runs, the latest started first; at most 100 on a page",
    )
    .asking(RUN_PAGES)
    .or(&[400, 404]),
    read(
        "/v1/runs/compare",
        RUNS,
        runs::compare,
        Json(schema_of::<compare::CompareView>),
        "Runs side by side, and whether they differ beyond chance on the same test rows",
    )
    .asking(RUNS_TO_COMPARE)
    .or(&[400, 404, 409]),
    read(
        "/v1/runs/{run}",
        RUNS,
        runs::show,
        Json(schema_of::<run::RunView>),
        "One run: params, metrics, artifacts and where its data came from",
    )
    .or(&[400, 404, 409]),
    read(
        "/v1/runs/{run}/metrics/{*key}",
        RUNS,
        runs::metric,
        Json(schema_of::<run::MetricHistory>),
        "Every point of one metric",
    )
    .or(&[400, 404, 409]),
    read("/v1/runs/{run}/artifacts/{*path}", RUNS, runs::artifact, Bytes, "One artifact of a run")
        .or(&[400, 404, 409]),
    read(
        "/v1/data-sets",
        RUNS,
        datasets::list,
        Json(schema_of::<work::DataSetList>),
        "Every data set that is kept",
    )
    .paged(),
    read(
        "/v1/data-sets",
        Access::As(Act::ImportData),
        datasets::import,
        Json(schema_of::<work::DataSet>),
        "Check a sent file against a project and keep it",
    )
    .post(IMPORT)
    .creates()
    .or(&[404]),
    read(
        "/v1/uploads",
        Access::As(Act::ImportData),
        orders::upload,
        Json(schema_of::<work::UploadView>),
        "Send a file of rows; it is kept for an hour, and used once",
    )
    .post_file(FILE_EXAMPLE)
    .creates(),
    read(
        "/v1/runs",
        TRAIN,
        orders::order,
        Json(schema_of::<run::RunView>),
        "Order a training: the data is checked at once, the run waits for a worker",
    )
    .post(ORDER)
    .creates()
    .or(&[404, 409]),
    read(
        "/v1/runs/{run}/progress",
        RUNS,
        orders::progress,
        Json(schema_of::<work::ProgressView>),
        "How a run goes on, and what came of it",
    )
    .or(&[400, 404, 409]),
    read(
        "/v1/runs/{run}/cancel",
        TRAIN,
        orders::cancel,
        Json(schema_of::<work::ProgressView>),
        "Ask a run to stop",
    )
    .act(Verb::Post)
    .or(&[400, 404, 409]),
    read(
        "/v1/work/claim",
        WORK,
        workers::claim,
        Json(schema_of::<work::ClaimedView>),
        "Take the run that is due, if one is",
    )
    .post(CLAIM),
    read("/v1/work/{run}/data", WORK, workers::data, Bytes, "The data of a run, as Parquet").or(&[400, 409]),
    read(
        "/v1/work/{run}/events",
        WORK,
        workers::events,
        Json(schema_of::<work::HeardView>),
        "What the run's child said; says that the worker lives",
    )
    .post(EVENTS)
    .or(&[409]),
    read(
        "/v1/work/{run}/candidate/{file}",
        WORK,
        workers::candidate,
        Json(schema_of::<work::KeptView>),
        "One file of the run's candidate, named by its digest",
    )
    .post_file(FILE_EXAMPLE)
    .or(&[409]),
    read(
        "/v1/work/{run}/finish",
        WORK,
        workers::finish,
        Json(schema_of::<work::EndedView>),
        "The candidate is whole: check and register it",
    )
    .post(FINISH)
    .or(&[409]),
    read(
        "/v1/work/{run}/fail",
        WORK,
        workers::fail,
        Json(schema_of::<work::EndedView>),
        "The run has failed at the worker",
    )
    .post(FAIL)
    .or(&[409]),
    read(
        "/v1/models/{name}/predict",
        SCORE,
        decisions::predict,
        Json(schema_of::<decision::PredictionView>),
        "Score a row; the prediction is recorded before it is answered",
    )
    .post(ROW_BODY)
    .asking(ROW)
    .idempotent()
    .or(&[400, 404, 409, 422]),
    read(
        "/v1/models/{name}/decisions",
        SCORE,
        decisions::decide,
        Json(schema_of::<decision::DecisionView>),
        "Decide a row by the policy, with reasons; recorded before it is answered",
    )
    .post(ROW_BODY)
    .asking(ROW)
    .idempotent()
    .or(&[400, 404, 409, 422]),
    read(
        "/v1/decisions",
        DECISIONS,
        decisions::list,
        Json(schema_of::<decision::DecisionList>),
        "Recorded answers, the newest first",
    )
    .asking(DECISION_PAGES)
    .or(&[400]),
    read(
        "/v1/decisions/{decision}",
        DECISIONS,
        decisions::show,
        Json(schema_of::<decision::AnswerView>),
        "One recorded answer, by its id or case number",
    )
    .or(&[400, 404, 410]),
    read(
        "/v1/decisions/{decision}/explanation",
        DECISIONS,
        decisions::explain,
        Json(schema_of::<decision::ExplanationView>),
        "What every field added to the score, and the reasons",
    )
    .or(&[400, 404, 410]),
    read(
        "/v1/decisions/{decision}/receipt",
        DECISIONS,
        decisions::receipt,
        Json(receipt_schema),
        "What proves without this server that the answer was recorded so",
    )
    .or(&[400, 404]),
    read(
        "/v1/decisions/{decision}/replay",
        Access::As(Act::ReplayDecisions),
        decisions::replay,
        Json(schema_of::<decision::ReplayView>),
        "The recorded inputs through the recorded release once more, compared to the bit",
    )
    .or(&[400, 404, 410]),
    read(
        "/v1/decisions/{decision}/why",
        DECISIONS,
        decisions::why,
        Json(schema_of::<why::WhyView>),
        "Everything a decision stands on, checked now",
    )
    .or(&[400, 404]),
    read("/v1/users", PEOPLE, users::list, Json(schema_of::<people::UserList>), "Every user").paged(),
    read("/v1/users", USERS, users::add, Json(schema_of::<people::UserView>), "Add a user")
        .post(NEW_USER)
        .creates()
        .or(&[409]),
    read("/v1/users/{user}", PEOPLE, users::show, Json(schema_of::<people::UserView>), "One user").or(&[404]),
    read(
        "/v1/users/{user}/password",
        USERS,
        users::set_password,
        Json(schema_of::<people::UserView>),
        "Give a user another password; their sessions end",
    )
    .post(PASSWORD)
    .or(&[404]),
    read(
        "/v1/users/{user}/roles",
        USERS,
        users::set_roles,
        Json(schema_of::<people::UserView>),
        "Give a user other roles; their sessions end",
    )
    .post(ROLES)
    .or(&[404, 409]),
    read("/v1/users/{user}/lock", USERS, users::lock, Json(schema_of::<people::UserView>), "Shut a user out")
        .act(Verb::Post)
        .or(&[404, 409]),
    read(
        "/v1/users/{user}/unlock",
        USERS,
        users::unlock,
        Json(schema_of::<people::UserView>),
        "Let a user in again",
    )
    .act(Verb::Post)
    .or(&[404]),
    read("/v1/keys", PEOPLE, keys::list, Json(schema_of::<people::KeyList>), "Every API key").paged(),
    read(
        "/v1/keys",
        KEYS,
        keys::create,
        Json(schema_of::<people::NewKeyView>),
        "Make an API key; its secret is shown this once",
    )
    .post(NEW_KEY)
    .creates(),
    read("/v1/keys/{id}", PEOPLE, keys::show, Json(schema_of::<people::KeyView>), "One API key").or(&[404]),
    read("/v1/keys/{id}", KEYS, keys::revoke, Json(schema_of::<people::KeyView>), "End an API key for good")
        .act(Verb::Delete)
        .or(&[404]),
    read(
        "/v1/sessions",
        ANYBODY,
        sessions::open,
        Json(schema_of::<people::SessionView>),
        "Log in with name and password",
    )
    .post(LOGIN)
    .creates()
    .or(&[401, 429]),
    read(
        "/v1/sessions/current",
        Access::As(Act::ReadStatus),
        sessions::close,
        Json(schema_of::<people::ClosedView>),
        "Log out: end the session of the token that is sent",
    )
    .act(Verb::Delete),
];
