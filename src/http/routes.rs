//! The one table of what can be asked: method, pattern, who may, which handler, and what the document says of it.
//! Router, OpenAPI document and the test of every role walk this table; nothing else names a route.

use axum::http::Method;
use axum::routing::MethodFilter;
use utoipa::openapi::schema::{ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::http::api::{aliases, decisions, health, keys, models, policies, runs, sessions, users, whoami};
use crate::http::call::{Call, Reply};
use crate::http::views::{decision, people, policy, registry, run, status};
use crate::security::actor::Act;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Get,
    Post,
    Delete,
}

impl Verb {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    pub fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Delete => Method::DELETE,
        }
    }

    pub fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without credentials; such an answer says nothing of anything kept.
    Public,
    As(Act),
}

/// A parameter of a query.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub about: &'static str,
    pub is_number: bool,
}

/// Where a schema puts what it refers to.
pub type Schemas = Vec<(String, RefOr<Schema>)>;
pub type SchemaOf = fn(&mut Schemas) -> RefOr<Schema>;

/// A body that is read, with an example that a test sends.
#[derive(Clone, Copy)]
pub struct BodyShape {
    pub schema: SchemaOf,
    pub example: &'static str,
}

/// What an answer looks like.
#[derive(Clone, Copy)]
pub enum AnswerShape {
    Json(SchemaOf),
    Text,
    /// Bytes of whatever type the thing has.
    Bytes,
}

pub struct Route {
    pub verb: Verb,
    pub pattern: &'static str,
    pub access: Access,
    pub run: fn(Call) -> Reply,
    pub summary: &'static str,
    pub query: &'static [Parameter],
    pub body: Option<BodyShape>,
    pub answer: AnswerShape,
    /// Of an answer that is no problem.
    pub status: u16,
    /// The statuses of problems that are this route's own.
    pub problems: &'static [u16],
    /// Whether it looks at `If-Match`.
    pub conditional: bool,
    /// Whether it heeds `Idempotency-Key`.
    pub idempotent: bool,
}

/// A reference to a type's schema, which is put among the others.
pub fn schema_of<T: ToSchema + PartialSchema>(schemas: &mut Schemas) -> RefOr<Schema> {
    let name = T::name().into_owned();
    let reference = Ref::from_schema_name(&name);
    schemas.push((name, T::schema()));
    T::schemas(schemas);
    RefOr::Ref(reference)
}

const CURSOR: Parameter = Parameter {
    name: "cursor",
    about: "Where the page begins: the `next` of the page before",
    is_number: false,
};
const LIMIT: Parameter =
    Parameter { name: "limit", about: "How many at most, from 1 to 500", is_number: true };
const PAGES: &[Parameter] = &[CURSOR, LIMIT];
const DECISION_PAGES: &[Parameter] = &[
    CURSOR,
    LIMIT,
    Parameter { name: "model", about: "Only decisions by this model", is_number: false },
    Parameter { name: "outcome", about: "Only decisions with this outcome", is_number: false },
];
const ROW: &[Parameter] = &[
    Parameter { name: "version", about: "This version instead of what is in production", is_number: true },
    Parameter { name: "alias", about: "What this alias points at instead", is_number: false },
    Parameter {
        name: "simulated",
        about: "`true` for a rehearsal, which is recorded as one",
        is_number: false,
    },
];

const fn read(
    pattern: &'static str,
    access: Access,
    run: fn(Call) -> Reply,
    answer: AnswerShape,
    summary: &'static str,
) -> Route {
    Route {
        verb: Verb::Get,
        pattern,
        access,
        run,
        summary,
        query: &[],
        body: None,
        answer,
        status: 200,
        problems: &[],
        conditional: false,
        idempotent: false,
    }
}

impl Route {
    const fn paged(mut self) -> Self {
        self.query = PAGES;
        self.or(&[400])
    }

    const fn or(mut self, problems: &'static [u16]) -> Self {
        self.problems = problems;
        self
    }

    const fn post(mut self, body: BodyShape) -> Self {
        self.verb = Verb::Post;
        self.body = Some(body);
        self
    }

    /// A change that needs no body.
    const fn act(mut self, verb: Verb) -> Self {
        self.verb = verb;
        self
    }

    const fn creates(mut self) -> Self {
        self.status = 201;
        self
    }

    const fn asking(mut self, query: &'static [Parameter]) -> Self {
        self.query = query;
        self
    }

    const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    const fn conditional(mut self) -> Self {
        self.conditional = true;
        self
    }

    /// The pattern as OpenAPI writes it.
    pub fn path(&self) -> String {
        self.pattern.replace("{*", "{")
    }

    /// The names in the pattern.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.pattern.split('/').filter_map(|part| {
            part.strip_prefix('{')?.strip_suffix('}').map(|name| name.trim_start_matches('*'))
        })
    }
}

use AnswerShape::{Bytes, Json, Text};

const ANYBODY: Access = Access::Public;
const REGISTRY: Access = Access::As(Act::ReadRegistry);
const RUNS: Access = Access::As(Act::ReadRuns);
const SCORE: Access = Access::As(Act::Score);
const DECISIONS: Access = Access::As(Act::ReadDecisions);
const PEOPLE: Access = Access::As(Act::ReadPeople);
const USERS: Access = Access::As(Act::ManageUsers);
const KEYS: Access = Access::As(Act::ManageKeys);

const PROMOTE: BodyShape = BodyShape {
    schema: schema_of::<registry::PromoteBody>,
    example: r#"{"version": 1, "to": "production", "why": "first release", "dry_run": true}"#,
};
const ROLLBACK: BodyShape = BodyShape {
    schema: schema_of::<registry::RollbackBody>,
    example: r#"{"alias": "production", "why": "complaints from the branch", "dry_run": true}"#,
};

const LOGIN: BodyShape = BodyShape {
    schema: schema_of::<people::LoginBody>,
    example: r#"{"name": "erika", "password": "seven green lamps at noon"}"#,
};
const NEW_USER: BodyShape = BodyShape {
    schema: schema_of::<people::NewUserBody>,
    example: r#"{"name": "anna", "roles": ["officer"], "password": "nine blue doors at dusk"}"#,
};
const PASSWORD: BodyShape = BodyShape {
    schema: schema_of::<people::PasswordBody>,
    example: r#"{"password": "seven green lamps at noon"}"#,
};
const ROLES: BodyShape =
    BodyShape { schema: schema_of::<people::RolesBody>, example: r#"{"roles": ["officer", "analyst"]}"# };
const NEW_KEY: BodyShape = BodyShape {
    schema: schema_of::<people::NewKeyBody>,
    example: r#"{"name": "core@hq", "role": "core-banking", "days": 90}"#,
};
/// A row of the model's contract; which fields it has the model says.
const ROW_BODY: BodyShape = BodyShape { schema: row_schema, example: ROW_EXAMPLE };
const ROW_EXAMPLE: &str = r#"{
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

fn receipt_schema(_: &mut Schemas) -> RefOr<Schema> {
    let about = "A receipt in the format tallystick.receipt.v1, for `tallystick verify`";
    RefOr::T(Schema::Object(ObjectBuilder::new().description(Some(about)).build()))
}

fn row_schema(_: &mut Schemas) -> RefOr<Schema> {
    let about = "One flat JSON object with the fields of the model's contract";
    RefOr::T(Schema::Object(ObjectBuilder::new().description(Some(about)).build()))
}

pub static ROUTES: &[Route] = &[
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
    read("/v1/runs", RUNS, runs::list, Json(schema_of::<run::RunList>), "Runs, the latest started first")
        .paged(),
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

/// The methods a path knows, as the `Allow` header lists them.
pub fn allowed_of(pattern: &str) -> String {
    let mut methods = Vec::new();
    for route in ROUTES.iter().filter(|route| route.pattern == pattern) {
        methods.push(route.verb.as_str());
        if route.verb == Verb::Get {
            methods.push("HEAD");
        }
    }
    methods.join(", ")
}
