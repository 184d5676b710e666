//! A server without a socket: the real router over a copy of a real home, with a clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tallystick::app::home::App;
use tallystick::base::clock::{Clock, Stamp, TimeQuality};
use tallystick::http::auth::Origin;
use tallystick::http::metrics::Figures;
use tallystick::http::router::router;
use tallystick::http::routes::ROUTES;
use tallystick::http::server::Server;
use tallystick::security::actor::{Person, Role};
use tower::ServiceExt as _;

use super::Place;

/// Late enough to be after everything a copied home has.
const BEGIN_MS: i64 = 4_000_000_000_000;

/// A clock that a test moves.
#[derive(Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub fn at(millis: i64) -> Self {
        Self(Arc::new(AtomicI64::new(millis)))
    }

    pub fn set(&self, millis: i64) {
        self.0.store(millis, Ordering::SeqCst);
    }

    pub fn advance_ms(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Stamp {
        let millis = self.0.load(Ordering::SeqCst);
        Stamp { wall: jiff::Timestamp::from_millisecond(millis).unwrap(), quality: TimeQuality::Simulated }
    }

    fn elapsed_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst) as u64
    }
}

pub struct TestApp {
    pub server: Arc<Server>,
    pub clock: ManualClock,
    router: Router,
    runtime: tokio::runtime::Runtime,
    /// Goes last: the home is open until then.
    pub place: Place,
}

/// What came back.
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    pub json: Value,
}

impl Answered {
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Whoever may do everything a person may.
pub fn owner() -> Origin {
    Origin::Process(Person::owner("olga").unwrap())
}

pub fn in_role(role: Role) -> Origin {
    Origin::Process(Person::of(role.as_str(), &[role]).unwrap())
}

impl TestApp {
    pub fn over(place: Place) -> Self {
        let clock = ManualClock(Arc::new(AtomicI64::new(BEGIN_MS)));
        let person = Person::owner("olga").unwrap();
        let app = App::open(&place.path("home"), person, Box::new(clock.clone())).unwrap();
        let server = Server::new(&app, Figures::local(ROUTES)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { router: router(Arc::clone(&server)), server, clock, runtime, place }
    }

    /// Lets go of the home, so that commands can have it.
    pub fn closed(self) -> Place {
        let Self { server, router, runtime, place, .. } = self;
        drop((router, server, runtime));
        place
    }

    /// Sends a request as it is.
    pub fn send(&self, request: Request<Body>) -> Answered {
        self.send_to(self.router.clone(), request)
    }

    /// The same through another router over the same home.
    pub fn send_to(&self, router: Router, request: Request<Body>) -> Answered {
        self.runtime.block_on(async {
            let response = router.oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes().to_vec();
            let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            Answered { status: parts.status, headers: parts.headers, bytes, json }
        })
    }

    pub fn get(&self, origin: &Origin, path: &str) -> Answered {
        self.send(request(Method::GET, origin, path, None))
    }

    pub fn post(&self, origin: &Origin, path: &str, body: &str) -> Answered {
        self.send(request(Method::POST, origin, path, Some(body)))
    }

    /// Posts as the owner and must succeed.
    pub fn made(&self, path: &str, body: &str) -> Value {
        let answered = self.post(&owner(), path, body);
        assert!(answered.status.is_success(), "{path}: {} {}", answered.status, answered.json);
        answered.json
    }

    /// Asks with a token, from some address.
    pub fn with_token(&self, token: &str, path: &str) -> Answered {
        let mut request = request(Method::GET, &Origin::Network([10, 0, 0, 1].into()), path, None);
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        self.send(request)
    }

    /// The same to the byte.
    pub fn ok_bytes(&self, path: &str) -> Vec<u8> {
        let answered = self.get(&owner(), path);
        assert!(answered.status.is_success(), "{path}: {}", answered.status);
        answered.bytes
    }

    /// Asks as the owner and must get it.
    pub fn ok(&self, path: &str) -> Value {
        let answered = self.get(&owner(), path);
        assert!(answered.status.is_success(), "{path}: {} {}", answered.status, answered.json);
        answered.json
    }
}

/// The project of a copied home as an order of it has it.
pub fn order_of(project: &std::path::Path, overrides: &[&str]) -> String {
    let texts: std::collections::BTreeMap<&str, String> = tallystick::config::project::FILES
        .into_iter()
        .map(|name| (name, std::fs::read_to_string(project.join(name)).unwrap()))
        .collect();
    serde_json::json!({"project": texts, "overrides": overrides, "data": {}}).to_string()
}

pub fn file_request(origin: &Origin, path: &str, bytes: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(Method::POST).uri(path).header("host", "localhost");
    let request = request.header("content-type", "application/octet-stream");
    request.extension(origin.clone()).body(bytes.into()).unwrap()
}

pub fn request(method: Method, origin: &Origin, path: &str, body: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    request.extension(origin.clone()).body(Body::from(body.unwrap_or_default().to_string())).unwrap()
}
