//! The OpenAPI 3.1 document, made from the table of routes: what is not there is not in it.
//! Never written by hand.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{Object, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HttpMethod, InfoBuilder, OpenApi, OpenApiBuilder, Paths, RefOr,
    Required, SecurityRequirement,
};

use crate::base::fact::Failure;
use crate::http::body::file::OCTETS;
use crate::http::problem::{HttpError, PROBLEM_JSON, Problem};
use crate::http::routes::{Access, AnswerShape, BodyShape, ROUTES, Route, Schemas, Verb, schema_of};

const SCHEME: &str = "bearer";

/// What a path parameter looks like, by its name.
const PATH_EXAMPLES: &[(&str, &str)] = &[
    ("name", "loan-default"),
    ("version", "1"),
    ("alias", "production"),
    ("digest", "9f86d081884c"),
    ("run", "0123456789abcdef0123456789abcdef"),
    ("key", "auc"),
    ("path", "roc.svg"),
    ("decision", "0421-26-00317-K"),
    ("user", "erika"),
    ("proposal", "1"),
    ("project", "loan-default"),
    ("chain", "daily"),
    ("chain_run", "0123456789abcdef0123456789abcdef"),
    ("day", "2026-03-14"),
    ("series", "rows"),
    ("alert", "0123456789abcdef0123456789abcdef"),
    ("id", "q3w8e1zk"),
    // Of the bytes `a,b` and a newline.
    ("file", "5be08c9684a1d25efcee09318204824278b08bbfb4aef973ffefd0b9d7478313"),
];

pub fn document() -> Result<Vec<u8>, Failure> {
    Ok(serde_json::to_vec(&build()).map_err(|_| HttpError::Unwritable)?)
}

pub fn build() -> OpenApi {
    let mut schemas = Schemas::new();
    let mut paths = Paths::new();
    for route in ROUTES {
        let method = match route.verb {
            Verb::Get => HttpMethod::Get,
            Verb::Post => HttpMethod::Post,
            Verb::Delete => HttpMethod::Delete,
        };
        paths.add_path_operation(route.path(), vec![method], operation(route, &mut schemas));
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("tsk_ or tss_");
    let by_name: BTreeMap<_, _> = schemas.into_iter().collect();
    let components = ComponentsBuilder::new()
        .schemas_from_iter(by_name)
        .security_scheme(SCHEME, SecurityScheme::Http(bearer.build()));
    let info = InfoBuilder::new()
        .title("Tallystick")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Loan scoring on a bank branch's own server. Changes within /v1 only add."));
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build()
}

fn operation(route: &Route, schemas: &mut Schemas) -> Operation {
    let name = route.path().trim_matches('/').replace(['/', '.'], "_").replace(['{', '}'], "");
    let mut operation = OperationBuilder::new()
        .summary(Some(route.summary))
        .operation_id(Some(format!("{}_{name}", route.verb.as_str().to_lowercase())))
        .tag(tag_of(route));
    for parameter in parameters(route) {
        operation = operation.parameter(parameter);
    }
    if let Access::As(act) = route.access {
        let roles: Vec<&str> = act.allowed_roles().iter().map(|role| role.as_str()).collect();
        operation = operation
            .security(SecurityRequirement::new(SCHEME, Vec::<String>::new()))
            .description(Some(format!("For the roles {}.", roles.join(", "))));
    } else {
        operation = operation.securities(Some(Vec::new()));
    }
    if let Some(body) = &route.body {
        operation = operation.request_body(Some(request_body(body, schemas)));
    }
    if let Some(example) = route.file {
        operation = operation.request_body(Some(file_body(example)));
    }
    operation = operation.response(route.status.to_string(), success(&route.answer, schemas));
    for status in problems(route) {
        operation = operation.response(status.to_string(), problem(status, schemas));
    }
    operation.build()
}

/// The first noun of a path.
fn tag_of(route: &Route) -> &'static str {
    match route.pattern.strip_prefix("/v1/") {
        Some(rest) => rest.split('/').next().unwrap_or("server"),
        None => "server",
    }
}

fn parameters(route: &Route) -> Vec<Parameter> {
    let typed = |number: bool| Object::with_type(if number { Type::Integer } else { Type::String });
    let numbered = |name: &str| matches!(name, "version" | "proposal");
    let in_path = route.parameters().map(|name| {
        let example = PATH_EXAMPLES.iter().find(|(known, _)| *known == name).map(|(_, text)| json!(text));
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(typed(numbered(name))))
            .example(example.map(|text| if numbered(name) { json!(1) } else { text }))
            .build()
    });
    let in_query = route.query.iter().map(|parameter| {
        ParameterBuilder::new()
            .name(parameter.name)
            .parameter_in(ParameterIn::Query)
            .required(if parameter.needed.is_some() { Required::True } else { Required::False })
            .description(Some(parameter.about))
            .schema(Some(typed(parameter.is_number)))
            .example(parameter.needed.map(|text| json!(text)))
            .build()
    });
    let header = |name: &str, about: &str| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(about))
            .schema(Some(typed(false)))
            .build()
    };
    let if_match = "The ETag of the alias as it was seen; 412 if it has moved since";
    let key = "Sent again with the same body within 24 hours, it gets the first answer";
    let conditional = route.conditional.then(|| header("If-Match", if_match));
    let in_header = conditional.into_iter().chain(route.idempotent.then(|| header("Idempotency-Key", key)));
    in_path.chain(in_query).chain(in_header).collect()
}

fn request_body(body: &BodyShape, schemas: &mut Schemas) -> RequestBody {
    let example: Option<Value> = serde_json::from_str(body.example).ok();
    let content = ContentBuilder::new().schema(Some((body.schema)(schemas))).example(example);
    RequestBodyBuilder::new()
        .content("application/json", content.build())
        .required(Some(Required::True))
        .build()
}

fn file_body(example: &str) -> RequestBody {
    let any: Option<RefOr<utoipa::openapi::Schema>> = None;
    let content = ContentBuilder::new().schema(any).example(Some(json!(example)));
    RequestBodyBuilder::new().content(OCTETS, content.build()).required(Some(Required::True)).build()
}

fn success(answer: &AnswerShape, schemas: &mut Schemas) -> Response {
    let response = ResponseBuilder::new().description("As asked");
    match answer {
        AnswerShape::Json(schema) => {
            let content = ContentBuilder::new().schema(Some(schema(schemas)));
            response.content("application/json", content.build()).build()
        }
        AnswerShape::Text => {
            let content = ContentBuilder::new().schema(Some(Object::with_type(Type::String)));
            response.content("text/plain", content.build()).build()
        }
        AnswerShape::Bytes => {
            let any: Option<RefOr<utoipa::openapi::Schema>> = None;
            response.content("*/*", ContentBuilder::new().schema(any).build()).build()
        }
    }
}

/// A route's own problems, those of a body, and those anybody can meet.
fn problems(route: &Route) -> Vec<u16> {
    let mut all: Vec<u16> = route.problems.to_vec();
    if route.access != Access::Public {
        all.extend([401, 403, 429]);
    }
    if route.body.is_some() || route.file.is_some() {
        all.extend([400, 408, 413, 415, 422]);
    }
    all.extend([431, 500, 503]);
    all.sort_unstable();
    all.dedup();
    all
}

fn problem(status: u16, schemas: &mut Schemas) -> Response {
    let content = ContentBuilder::new().schema(Some(schema_of::<Problem>(schemas))).build();
    let reason = axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    ResponseBuilder::new().description(reason.unwrap_or("A problem")).content(PROBLEM_JSON, content).build()
}
