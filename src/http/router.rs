//! The router, made from the table of routes; and the one way of every request: named, known, allowed, answered,
//! counted, logged. Never knows what a handler does.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts as _, RawPathParams, Request, State};
use axum::http::header::{CACHE_CONTROL, HOST, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri, Version};
use axum::response::Response;
use axum::routing::{MethodRouter, any, on};

use crate::base::fact::Failure;
use crate::base::limits;
use crate::http::auth::{Origin, find_person};
use crate::http::call::{Ask, Call, read_query};
use crate::http::context::{self, CORRELATION_ID, Context, Done};
use crate::http::pages::routes;
use crate::http::problem::{self, Hearer, HttpError, with_allow};
use crate::http::routes::{Access, ROUTES, Route, allowed_of};
use crate::http::server::Server;

/// Everything that can be asked of a server.
pub fn router(server: Arc<Server>) -> Router {
    let mut router = Router::new();
    let mut patterns: Vec<&'static str> = ROUTES.iter().map(|route| route.pattern).collect();
    patterns.sort_unstable();
    patterns.dedup();
    for pattern in patterns {
        router = router.route(pattern, methods_of(pattern));
    }
    router.merge(routes::router()).fallback(any(no_route)).with_state(server)
}

fn methods_of(pattern: &'static str) -> MethodRouter<Arc<Server>> {
    let mut methods = MethodRouter::new();
    for (at, route) in ROUTES.iter().enumerate().filter(|(_, route)| route.pattern == pattern) {
        let call = move |State(server): State<Arc<Server>>, request: Request| dispatch(server, at, request);
        methods = methods.merge(on(route.verb.filter(), call));
    }
    let allow = allowed_of(pattern);
    methods.fallback(move |State(server): State<Arc<Server>>, request: Request| {
        let allow = allow.clone();
        async move {
            let response = refuse(&server, &request, HttpError::Method { allow: allow.clone() });
            with_allow(response, &allow)
        }
    })
}

async fn no_route(State(server): State<Arc<Server>>, request: Request) -> Response {
    if routes::is_browsing(request.headers()) {
        return routes::lost(&server, &request, HttpError::NoRoute);
    }
    refuse(&server, &request, HttpError::NoRoute)
}

/// Answers what met no route.
fn refuse(server: &Server, request: &Request, error: HttpError) -> Response {
    let context = Context::of(request.headers());
    let hearer = hearer_of(request.extensions().get());
    let outcome = Outcome { route: None, method: "any", pattern: "none", principal: None, hearer };
    let error = check_head(request.headers(), request.uri()).err().unwrap_or(error);
    outcome.finish(server, &context, Err(error.into()), request.uri().path())
}

/// What is known of a request beside its answer.
struct Outcome {
    route: Option<usize>,
    method: &'static str,
    pattern: &'static str,
    principal: Option<String>,
    hearer: Hearer,
}

/// Whoever comes in as the home's owner hears of its faults what its log says.
fn hearer_of(origin: Option<&Origin>) -> Hearer {
    match origin {
        Some(Origin::Process(_)) => Hearer::Owner,
        Some(Origin::Local(peer)) if peer.owns_home() => Hearer::Owner,
        _ => Hearer::Anybody,
    }
}

impl Outcome {
    fn finish(
        &self,
        server: &Server,
        context: &Context,
        answered: Result<Response, Failure>,
        path: &str,
    ) -> Response {
        let failure = answered.as_ref().err();
        let (code, fault) = (failure.map(Failure::code), failure.map(ToString::to_string));
        let told = |failure: Failure| problem::answer(&failure, &context.correlation_id, path, self.hearer);
        let mut response = answered.unwrap_or_else(told);
        let headers = response.headers_mut();
        headers.insert(CORRELATION_ID, context.header());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let (status, elapsed) = (response.status(), context.elapsed());
        server.figures.count(self.route, status, elapsed);
        let Self { method, pattern, principal, .. } = self;
        let done = Done { method, route: pattern, status, principal: principal.as_deref(), code, fault };
        context::log(context, &done, elapsed);
        response
    }
}

async fn dispatch(server: Arc<Server>, at: usize, request: Request) -> Response {
    let route = &ROUTES[at];
    let (mut parts, body) = request.into_parts();
    let context = Context::of(&parts.headers);
    let (method, hearer) = (route.verb.as_str(), hearer_of(parts.extensions.get()));
    let mut outcome = Outcome { route: Some(at), method, pattern: route.pattern, principal: None, hearer };
    let uri = parts.uri.clone();
    let answered = match admit(&server, route, &mut parts, &context, &mut outcome).await {
        Ok((app, ask)) => (route.run)(Call { server: Arc::clone(&server), app, ask, body }).await,
        Err(failure) => Err(failure),
    };
    outcome.finish(&server, &context, answered, uri.path())
}

/// Who asks and whether they may, before anything of the request's body is read.
async fn admit(
    server: &Server,
    route: &Route,
    parts: &mut Parts,
    context: &Context,
    outcome: &mut Outcome,
) -> Result<(crate::app::home::App, Ask), Failure> {
    check_head(&parts.headers, &parts.uri)?;
    let origin = parts.extensions.remove::<Origin>();
    if !matches!(origin, None | Some(Origin::Process(_))) {
        check_host(parts)?;
    }
    let app = match route.access {
        Access::Public => server.app().clone(),
        Access::As(act) => {
            let person = find_person(server.app(), &parts.headers, origin.as_ref())?;
            outcome.principal = Some(person.name().to_string());
            let app = server.app().as_person(person);
            // The use case asks again; here it keeps the body of who may not ask from being read.
            app.may(act)?;
            app
        }
    };
    let query = read_query(&parts.uri, route.query)?;
    let path = RawPathParams::from_request_parts(parts, &()).await;
    let path = path.map_err(|_| HttpError::Path { name: "path", why: "is not UTF-8".into() })?;
    let headers = std::mem::take(&mut parts.headers);
    Ok((app, Ask { context: context.clone(), origin, headers, path, query }))
}

/// RFC 9112, section 3.2: two readers of one request must not see two hosts in it.
pub(in crate::http) fn check_host(parts: &Parts) -> Result<(), HttpError> {
    let mut all = parts.headers.get_all(HOST).iter();
    let good = match (all.next(), all.next()) {
        (Some(only), None) => only.is_empty() || Authority::try_from(only.as_bytes()).is_ok(),
        (None, _) => parts.version < Version::HTTP_11,
        _ => false,
    };
    if good {
        Ok(())
    } else {
        Err(HttpError::Header { name: "Host", why: "is missing, stands twice or is none" })
    }
}

pub(in crate::http) fn check_head(headers: &HeaderMap, uri: &Uri) -> Result<(), HttpError> {
    let of_headers: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let bytes = of_headers + uri.path().len() + uri.query().map_or(0, str::len);
    if headers.len() > limits::REQUEST_HEADERS_MAX || bytes > limits::REQUEST_HEAD_BYTES_MAX {
        return Err(HttpError::HeadTooLarge);
    }
    Ok(())
}
