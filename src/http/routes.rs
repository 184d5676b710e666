//! What a route is: method, pattern, who may, which handler, and what the document says of it.
//! Router, OpenAPI document and the test of every role walk the one table of them; nothing else names a route.

use axum::http::Method;
use axum::routing::MethodFilter;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::http::call::{Call, Reply};
use crate::security::actor::Act;

mod bodies;
pub mod chains;
pub mod table;
pub mod watch;

/// The one table of what can be asked.
pub static ROUTES: &[Route] = &join::<{ table::ROUTES.len() + LATER.len() }>(table::ROUTES, LATER);
const LATER: &[Route] =
    &join::<{ chains::ROUTES.len() + watch::ROUTES.len() }>(chains::ROUTES, watch::ROUTES);

const fn join<const N: usize>(first: &[Route], second: &[Route]) -> [Route; N] {
    let (mut all, mut at) = ([first[0]; N], 0);
    while at < N {
        all[at] = if at < first.len() { first[at] } else { second[at - first.len()] };
        at += 1;
    }
    all
}

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
    /// What it could be, where it must be given.
    pub needed: Option<&'static str>,
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

#[derive(Clone, Copy)]
pub struct Route {
    pub verb: Verb,
    pub pattern: &'static str,
    pub access: Access,
    pub run: fn(Call) -> Reply,
    pub summary: &'static str,
    pub query: &'static [Parameter],
    pub body: Option<BodyShape>,
    /// A body that is a file, by an example of one.
    pub file: Option<&'static str>,
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
        file: None,
        answer,
        status: 200,
        problems: &[],
        conditional: false,
        idempotent: false,
    }
}

impl Route {
    const fn paged(mut self) -> Self {
        self.query = table::PAGES;
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

    /// A change whose body is a file as it is.
    const fn post_file(mut self, example: &'static str) -> Self {
        self.verb = Verb::Post;
        self.file = Some(example);
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
