//! The table of pages, and the one way of every visit: told who it is, let in or sent to the door, answered, counted.
//! What fails is told on a page, never in a program's words.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts as _, RawPathParams, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::{MethodRouter, on};
use zeroize::Zeroizing;

use crate::app::home::App;
use crate::app::people::counter::{self, Draft, Seen};
use crate::base::fact::Failure;
use crate::base::limits;
use crate::http::auth::Origin;
use crate::http::body::form::{self, Form};
use crate::http::call::{Ask, Reply, bytes_of, read_query, with_status};
use crate::http::context::{self, CORRELATION_ID, Context, Done};
use crate::http::pages::render::Frame;
use crate::http::pages::{
    alerts, approvals, assets, cases, chains, cookie, decide, home, login, monitoring, trouble,
};
use crate::http::problem::{HttpError, with_allow};
use crate::http::router::{check_head, check_host};
use crate::http::routes::{Parameter, Verb};
use crate::http::server::Server;
use crate::security::actor::Act;
use crate::security::session::csrf;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const FOR_GOOD: &str = "public, max-age=31536000, immutable";
/// A browser says here which site a request comes from.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Anybody: the way in, and what pages are made of.
    Open,
    /// Whoever is logged in, locked or not: the way out.
    Known,
    As(Act),
}

pub struct PageRoute {
    pub verb: Verb,
    pub pattern: &'static str,
    pub gate: Gate,
    pub run: fn(Visit) -> Reply,
    pub query: &'static [Parameter],
}

/// A visit that was let in.
pub struct Visit {
    pub server: Arc<Server>,
    /// The home as the visitor sees it.
    pub app: App,
    pub ask: Ask,
    /// What was sent with it; empty where it only asks.
    pub form: Form,
    pub door: Door,
}

/// What the door knows of a visitor.
#[derive(Clone, Default)]
pub struct Door {
    pub token: Option<Zeroizing<String>>,
    pub seen: Option<Seen>,
    pub place: String,
}

impl Door {
    pub fn frame(&self, section: &'static str) -> Frame {
        let inside = self.seen.as_ref().filter(|seen| !seen.locked);
        let may = |act: Act| inside.is_some_and(|seen| seen.person.acting(act).is_ok());
        Frame {
            person: inside.map(|seen| seen.person.name().to_string()),
            may_decide: may(Act::Score),
            may_see_approvals: may(Act::ReadRegistry),
            may_watch: may(Act::ReadRuns),
            may_run: may(Act::RunSchedule),
            may_answer: may(Act::AnswerAlerts),
            may_release: may(Act::PromoteModel),
            csrf: self.token.as_ref().map_or(String::new(), |token| csrf::token_of(token)),
            lock_after_s: limits::COUNTER_LOCK_MS / 1_000,
            place: self.place.clone(),
            section,
        }
    }

    /// The session's token, where there is a session.
    pub fn session(&self) -> Option<&str> {
        self.seen.as_ref().and(self.token.as_ref()).map(|token| token.as_str())
    }
}

impl Visit {
    /// Answers by a use case that may wait for a disk.
    pub fn answer<F>(self, work: F) -> Reply
    where
        F: FnOnce(&Visit) -> Result<Response, Failure> + Send + 'static,
    {
        Box::pin(async move { Arc::clone(&self.server).in_turn(move || work(&self)).await })
    }
}

const SHOWN: &[Parameter] = &[
    Parameter { name: "own", about: "`true`: only one's own", is_number: false, needed: None },
    Parameter { name: "cursor", about: "Where the page begins", is_number: false, needed: None },
];

const CURSOR: &[Parameter] =
    &[Parameter { name: "cursor", about: "Where the page begins", is_number: false, needed: None }];

const OPEN: &[Parameter] = &[
    Parameter { name: "open", about: "`true`: only open ones", is_number: false, needed: None },
    Parameter { name: "cursor", about: "Where the page begins", is_number: false, needed: None },
];

const DAYS: &[Parameter] =
    &[Parameter { name: "days", about: "How far charts reach back", is_number: true, needed: None }];

const DAY: &[Parameter] = &[
    Parameter { name: "day", about: "The day whose report is wanted", is_number: false, needed: None },
    Parameter { name: "days", about: "How far charts reach back", is_number: true, needed: None },
];

const fn shown(pattern: &'static str, gate: Gate, run: fn(Visit) -> Reply) -> PageRoute {
    PageRoute { verb: Verb::Get, pattern, gate, run, query: &[] }
}

const fn sent(pattern: &'static str, gate: Gate, run: fn(Visit) -> Reply) -> PageRoute {
    PageRoute { verb: Verb::Post, pattern, gate, run, query: &[] }
}

const DECIDE: &str = "/decide/{model}";
const READ: Gate = Gate::As(Act::ReadDecisions);
const SCORE: Gate = Gate::As(Act::Score);
const REGISTRY: Gate = Gate::As(Act::ReadRegistry);
const WATCH: Gate = Gate::As(Act::ReadRuns);
const RUN: Gate = Gate::As(Act::RunSchedule);
const ANSWER: Gate = Gate::As(Act::AnswerAlerts);
const APPROVE: Gate = Gate::As(Act::DecidePromotion);

pub static PAGES: &[PageRoute] = &[
    shown("/", READ, home::show),
    shown("/login", Gate::Open, login::show),
    sent("/login", Gate::Open, login::enter),
    shown("/unlock", Gate::Known, login::show_lock),
    sent("/unlock", Gate::Known, login::unlock),
    sent("/lock", Gate::Known, login::lock),
    sent("/logout", Gate::Known, login::leave),
    shown(DECIDE, SCORE, decide::show),
    sent(DECIDE, SCORE, decide::send),
    PageRoute { query: SHOWN, ..shown("/cases", READ, cases::list) },
    sent("/cases", READ, cases::search),
    shown("/cases/{case}", READ, cases::show),
    shown("/cases/{case}/why", READ, cases::why),
    shown("/cases/{case}/letter", READ, cases::letter),
    shown("/cases/{case}/receipt.json", READ, cases::receipt),
    PageRoute { query: CURSOR, ..shown("/approvals", REGISTRY, approvals::list) },
    shown("/approvals/{proposal}", REGISTRY, approvals::show),
    sent("/approvals/{proposal}/approve", APPROVE, approvals::approve),
    sent("/approvals/{proposal}/reject", APPROVE, approvals::reject),
    sent("/approvals/{proposal}/withdraw", Gate::As(Act::ProposePromotion), approvals::withdraw),
    shown("/chains", WATCH, chains::list),
    shown("/chain-runs/{run}", WATCH, chains::show_run),
    sent("/chain-runs/{run}/cancel", RUN, chains::cancel),
    sent("/chain-runs/{run}/rerun", RUN, chains::rerun),
    PageRoute { query: CURSOR, ..shown("/chains/{project}/{chain}", WATCH, chains::show) },
    sent("/chains/{project}/{chain}/start", RUN, chains::start),
    sent("/chains/{project}/{chain}/pause", RUN, chains::pause),
    sent("/chains/{project}/{chain}/resume", RUN, chains::resume),
    shown("/monitoring", WATCH, monitoring::list),
    PageRoute { query: DAY, ..shown("/monitoring/{model}", WATCH, monitoring::newest) },
    sent("/monitoring/{model}/release", Gate::As(Act::PromoteModel), monitoring::release),
    PageRoute { query: DAYS, ..shown("/monitoring/{model}/{day}", WATCH, monitoring::of_day) },
    shown("/monitoring/{model}/{day}/report", WATCH, monitoring::file),
    shown("/monitoring/{model}/{day}/report.json", WATCH, monitoring::json),
    PageRoute { query: OPEN, ..shown("/alerts", WATCH, alerts::list) },
    shown("/alerts/{alert}", WATCH, alerts::show),
    sent("/alerts/{alert}/acknowledge", ANSWER, alerts::acknowledge),
    sent("/alerts/{alert}/resolve", ANSWER, alerts::resolve),
    shown("/assets/{name}", Gate::Open, asset),
];

/// The routes of all pages.
pub fn router() -> Router<Arc<Server>> {
    let mut router = Router::new();
    let mut patterns: Vec<&'static str> = PAGES.iter().map(|route| route.pattern).collect();
    patterns.sort_unstable();
    patterns.dedup();
    for pattern in patterns {
        let mut methods = MethodRouter::new();
        for (at, route) in PAGES.iter().enumerate().filter(|(_, route)| route.pattern == pattern) {
            let call =
                move |State(server): State<Arc<Server>>, request: Request| dispatch(server, at, request);
            methods = methods.merge(on(route.verb.filter(), call));
        }
        let allow = allowed_of(pattern);
        let refuse = move |State(server): State<Arc<Server>>, request: Request| {
            let allow = allow.clone();
            async move { with_allow(lost(&server, &request, HttpError::Method { allow: allow.clone() }), &allow) }
        };
        router = router.route(pattern, methods.fallback(refuse));
    }
    router
}

/// The methods a page knows, as the `Allow` header lists them.
fn allowed_of(pattern: &str) -> String {
    let verbs = PAGES.iter().filter(|route| route.pattern == pattern).map(|route| match route.verb {
        Verb::Get => "GET, HEAD",
        other => other.as_str(),
    });
    verbs.collect::<Vec<_>>().join(", ")
}

/// Whether whoever asks is a browser that wants to show something to a person.
pub fn is_browsing(headers: &HeaderMap) -> bool {
    let accept = headers.get(axum::http::header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

/// The page for what met no page.
pub fn lost(server: &Server, request: &Request, error: HttpError) -> Response {
    let context = Context::of(request.headers());
    let door = door_of(server.app(), request.headers(), "/").unwrap_or_default();
    let failure = error.into();
    finish(
        server,
        &context,
        &Met { at: None, principal: None },
        trouble::page(server, &door, &failure, &context),
        Some(&failure),
    )
}

async fn dispatch(server: Arc<Server>, at: usize, request: Request) -> Response {
    let route = &PAGES[at];
    let (mut parts, body) = request.into_parts();
    let context = Context::of(&parts.headers);
    let mut met = Met { at: Some(at), principal: None };
    let mut door = Door::default();
    let answered = match admit(&server, route, &mut parts, &context, &mut door).await {
        Err(failure) => Err(failure),
        Ok((app, ask)) => {
            met.principal = door.seen.as_ref().map(|seen| seen.person.name().to_string());
            let form = if route.verb == Verb::Post {
                form::read(&ask.headers, body).await
            } else {
                Ok(Form::default())
            };
            let visit = form.map_err(Failure::from).and_then(|form| {
                check_form(route, &ask.headers, &form, &door)?;
                Ok(Visit { server: Arc::clone(&server), app, ask, form, door: door.clone() })
            });
            match visit {
                Ok(visit) => enter(route, visit).await,
                Err(failure) => Err(failure),
            }
        }
    };
    match answered {
        Ok(response) => finish(&server, &context, &met, Ok(response), None),
        Err(failure) => {
            let page = trouble::page(&server, &door, &failure, &context);
            finish(&server, &context, &met, page, Some(&failure))
        }
    }
}

/// Lets a visit in, or sends it to the door it has to pass first.
async fn enter(route: &PageRoute, visit: Visit) -> Result<Response, Failure> {
    let Gate::As(act) = route.gate else { return (route.run)(visit).await };
    match &visit.door.seen {
        None => Ok(see_other("/login")),
        Some(seen) if seen.locked => {
            let token = visit.door.session().unwrap_or_default();
            let draft =
                (route.verb == Verb::Post && route.pattern == DECIDE).then(|| draft_of(&visit)).flatten();
            let back = route.verb == Verb::Get || draft.is_some();
            counter::lock(&visit.app, token, back.then_some(visit.door.place.as_str()), draft)?;
            Ok(see_other("/unlock"))
        }
        Some(_) => {
            visit.app.may(act)?;
            (route.run)(visit).await
        }
    }
}

/// What was being filled in, as far as it is a form's own.
pub fn draft_of(visit: &Visit) -> Option<Draft> {
    let model = visit.form.find("model")?.to_string();
    let own = |name: &str| name.starts_with(decide::FIELD_PREFIX);
    let fields = visit.form.fields().iter().filter(|(name, _)| own(name)).cloned().collect();
    Some(Draft { model, fields })
}

async fn admit(
    server: &Server,
    route: &PageRoute,
    parts: &mut Parts,
    context: &Context,
    door: &mut Door,
) -> Result<(App, Ask), Failure> {
    check_head(&parts.headers, &parts.uri)?;
    let origin = parts.extensions.remove::<Origin>();
    check_host(parts)?;
    *door = door_of(server.app(), &parts.headers, parts.uri.path())?;
    let app = match &door.seen {
        Some(seen) => server.app().as_person(seen.person.clone()),
        None => server.app().clone(),
    };
    let query = read_query(&parts.uri, route.query)?;
    let path = RawPathParams::from_request_parts(parts, &()).await;
    let path = path.map_err(|_| HttpError::Path { name: "path", why: "is not UTF-8".into() })?;
    let headers = std::mem::take(&mut parts.headers);
    Ok((app, Ask { context: context.clone(), origin, headers, path, query }))
}

fn door_of(app: &App, headers: &HeaderMap, path: &str) -> Result<Door, Failure> {
    let token = cookie::find_token(headers);
    let seen = match &token {
        Some(token) => counter::find(app, token).ok(),
        None => None,
    };
    Ok(Door { token, seen, place: path.to_string() })
}

/// A form counts only if a page of this session gave it.
fn check_form(route: &PageRoute, headers: &HeaderMap, form: &Form, door: &Door) -> Result<(), Failure> {
    if route.verb != Verb::Post {
        return Ok(());
    }
    let site = headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
    if site.is_some_and(|site| site != b"same-origin" && site != b"none") {
        return Err(csrf::ForeignForm.into());
    }
    // Where the session is gone, the door says so; there is nothing a form could do.
    let Some(token) = &door.token else { return Ok(()) };
    if door.seen.is_none() && route.gate != Gate::Open {
        return Ok(());
    }
    Ok(csrf::verify(token, form.find("csrf").unwrap_or_default())?)
}

pub fn see_other(place: &str) -> Response {
    let mut response = with_status(bytes_of("text/plain; charset=utf-8", ""), StatusCode::SEE_OTHER);
    if let Ok(value) = HeaderValue::from_str(place) {
        response.headers_mut().insert(LOCATION, value);
    }
    response
}

fn asset(visit: Visit) -> Reply {
    Box::pin(async move {
        let found = assets::find_asset(visit.ask.path("name")?).ok_or(HttpError::NoRoute)?;
        let mut response = bytes_of(found.content_type, found.bytes);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(FOR_GOOD));
        Ok(response)
    })
}

/// What is known of a visit beside its answer.
struct Met {
    at: Option<usize>,
    principal: Option<String>,
}

fn finish(
    server: &Server,
    context: &Context,
    met: &Met,
    answered: Result<Response, Failure>,
    failure: Option<&Failure>,
) -> Response {
    // A page that cannot even be made is a fault of ours, and is told without one.
    let (mut response, broken) = match answered {
        Ok(response) => (response, None),
        Err(broken) => {
            let bare =
                with_status(bytes_of("text/plain; charset=utf-8", ""), StatusCode::INTERNAL_SERVER_ERROR);
            (bare, Some(broken))
        }
    };
    let failure = broken.as_ref().or(failure);
    let headers = response.headers_mut();
    headers.insert(CORRELATION_ID, context.header());
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // What is a page of its own has brought its own, closer one.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    let (status, elapsed) = (response.status(), context.elapsed());
    server.figures.count_page(met.at, status, elapsed);
    let route = met.at.map(|at| &PAGES[at]);
    let done = Done {
        method: route.map_or("any", |route| route.verb.as_str()),
        route: route.map_or("none", |route| route.pattern),
        status,
        principal: met.principal.as_deref(),
        code: failure.map(Failure::code),
        fault: failure.map(ToString::to_string),
    };
    context::log(context, &done, elapsed);
    response
}
