//! Every route of the table against every role and every socket, against the document, and its examples run.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, Request};
use axum::http::{Method, StatusCode};
use axum::routing::on;
use serde_json::Value;
use tallystick::alert::raised::{Kind, RawAlert, Severity, Subject};
use tallystick::app::alerts;
use tallystick::app::chains::beat;
use tallystick::app::people::{LocalSocket, Peer};
use tallystick::http::auth::Origin;
use tallystick::http::call::{Ask, Call};
use tallystick::http::context::Context;
use tallystick::http::openapi;
use tallystick::http::problem::{self, Hearer};
use tallystick::http::routes::{Access, ROUTES, Route, Verb};
use tallystick::security::actor::{Act, Person, Role};

use super::support::Place;
use super::support::loop_project::{ALERTS, FREEZE, QUIET, apply_body};
use super::support::test_app::{Answered, TestApp, file_request, in_role, order_of, owner, request};

/// A path of this home for a pattern: the document's examples, but for what only this home knows.
struct Paths {
    document: Value,
    known: Vec<(&'static str, String)>,
    /// A run that is with a worker, and one that waits.
    at_work: String,
    waiting: String,
    /// Proposals that wait: to approve, to reject and to withdraw, the last one's maker being whoever owns the home.
    proposals: [u64; 3],
    order: String,
    /// A project with a rule that holds the model back, and a run of a chain that has ended.
    applied: String,
    ended: String,
}

impl Paths {
    fn of(app: &TestApp) -> Self {
        let document: Value = serde_json::from_slice(&openapi::document().unwrap()).unwrap();
        let first = |path: &str, pointer: &str| {
            app.ok(path).pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_string()
        };
        let run = first("/v1/models/loan-default/versions/1", "/run_id");
        let digest = first("/v1/models/loan-default/versions/1", "/policy");
        let order = order_of(&app.place.path("project"), &["logistic.epochs=1"]);
        let ordered = || {
            let run = app.made("/v1/runs", &order);
            run["info"]["run_id"].as_str().unwrap().to_string()
        };
        let (at_work, waiting) = (ordered(), ordered());
        let claim = format!(r#"{{"worker": "w", "run": "{at_work}"}}"#);
        let claimed = app.post(&in_role(Role::Worker), "/v1/work/claim", &claim);
        assert_eq!(claimed.json["due"]["run_id"], at_work, "{}", claimed.json);
        let known = vec![("run", run), ("digest", digest)];
        let analyst = in_role(Role::Analyst);
        let proposals = [(&analyst, 3, "production"), (&analyst, 3, "staging"), (&owner(), 2, "staging")];
        let proposals = proposals.map(|(by, version, to)| {
            let body = format!(r#"{{"version": {version}, "to": "{to}", "why": "better"}}"#);
            let answered = app.post(by, "/v1/models/loan-default/proposals", &body);
            answered.json["id"].as_u64().unwrap()
        });
        let applied = apply_body(&app.place.path("project"), "loan-default", FREEZE);
        let ended = Self::begin_loop(app);
        let mut paths = Self { document, known, at_work, waiting, proposals, order, applied, ended };
        let user = r#"{"name": "erika", "roles": ["officer"], "password": "seven green lamps at noon"}"#;
        app.made("/v1/users", user);
        let key = app.made("/v1/keys", r#"{"name": "core", "role": "core-banking"}"#);
        let decided = app.made("/v1/models/loan-default/decisions", &paths.row());
        let text = |value: &Value| value.as_str().unwrap().to_string();
        let open = app.made("/v1/schedules/loan-default/chains/open/start", "");
        let report = app.made("/v1/models/loan-default/reports", "{}");
        paths.known.extend([("chain_run", text(&open["id"])), ("day", text(&report["report"]["day"]))]);
        paths.known.push(("alert", raised(app)));
        paths.known.extend([("id", text(&key["id"])), ("decision", text(&decided["decision_id"]))]);
        paths
    }

    /// Puts two projects in force; answers a run of a chain that was ended before it began.
    fn begin_loop(app: &TestApp) -> String {
        for name in ["loan-default", "other"] {
            app.made("/v1/schedules", &apply_body(&app.place.path("project"), name, QUIET));
        }
        let run = app.made("/v1/schedules/loan-default/chains/ended/start", "");
        let id = run["id"].as_str().unwrap().to_string();
        app.made(&format!("/v1/chain-runs/{id}/cancel"), "");
        beat::beat(app.server.app()).unwrap();
        id
    }

    /// The row of the document's own example.
    fn row(&self) -> String {
        let route = ROUTES.iter().find(|route| route.pattern.ends_with("/decisions") && route.body.is_some());
        self.body(route.unwrap()).unwrap()
    }

    fn operation(&self, route: &Route) -> &Value {
        &self.document["paths"][route.path()][route.verb.as_str().to_lowercase()]
    }

    fn path(&self, route: &Route) -> String {
        let other = "other".to_string();
        let mut path = route.pattern.replace("{*", "{");
        for name in route.parameters() {
            let proposal = match route.pattern.rsplit('/').next() {
                Some("reject") => self.proposals[1].to_string(),
                Some("withdraw") => self.proposals[2].to_string(),
                _ => self.proposals[0].to_string(),
            };
            let own = match (name, route.pattern) {
                ("proposal", _) => Some(&proposal),
                ("run", pattern) if pattern.starts_with("/v1/work/") => Some(&self.at_work),
                ("run", "/v1/runs/{run}/cancel") => Some(&self.waiting),
                ("chain_run", pattern) if pattern.ends_with("/rerun") => Some(&self.ended),
                ("project", "/v1/schedules/{project}") if route.verb == Verb::Delete => Some(&other),
                _ => None,
            };
            if let Some(own) = own {
                path = path.replace(&format!("{{{name}}}"), own);
                continue;
            }
            let known = self.known.iter().find(|(known, _)| *known == name).map(|(_, text)| text.clone());
            let value = known.unwrap_or_else(|| self.example(route, name));
            path = path.replace(&format!("{{{name}}}"), &value);
        }
        for parameter in route.query.iter().filter(|parameter| parameter.needed.is_some()) {
            assert_eq!(parameter.name, "runs", "the only one so far: a run beside itself");
            let run = &self.known.iter().find(|(known, _)| *known == "run").unwrap().1;
            path += &format!("?runs={run},{}", &run[..12]);
        }
        if route.pattern.ends_with("/check") {
            // What is in production beside itself: the other versions were tested on other rows.
            path += "?alias=production";
        }
        path
    }

    fn example(&self, route: &Route, name: &str) -> String {
        let parameters = self.operation(route)["parameters"].as_array().unwrap();
        let found = parameters.iter().find(|parameter| parameter["name"] == name).unwrap();
        match &found["example"] {
            Value::String(text) => text.clone(),
            Value::Null => panic!("{} has no example of {name}", route.pattern),
            other => other.to_string(),
        }
    }

    fn body(&self, route: &Route) -> Option<String> {
        let example = self.operation(route).pointer("/requestBody/content/application~1json/example");
        if (route.pattern, route.body.is_some()) == ("/v1/runs", true) {
            // Nobody reads a whole project in a document.
            return Some(self.order.clone());
        }
        if (route.pattern, route.body.is_some()) == ("/v1/schedules", true) {
            return Some(self.applied.clone());
        }
        route.body.as_ref().map(|_| example.unwrap().to_string())
    }

    fn request(&self, route: &Route, origin: &Origin) -> Request<Body> {
        if let Some(file) = route.file {
            return file_request(origin, &self.path(route), file);
        }
        request(route.verb.method(), origin, &self.path(route), self.body(route).as_deref())
    }
}

/// With a version before the one in production, so that there is something to go back to.
fn app() -> TestApp {
    let place = Place::with_three_versions();
    place.ok(&["model", "promote", "loan-default@2", "--to", "production"]);
    std::fs::write(place.path("home/alerts.toml"), ALERTS).unwrap();
    TestApp::over(place)
}

/// An alert that is open.
fn raised(app: &TestApp) -> String {
    let id = alerts::draw_id();
    let raw = RawAlert {
        id: id.clone(),
        key: "test/open".into(),
        kind: Kind::Health,
        severity: Severity::Warning,
        subject: Subject::default(),
        title: "Something to look at".into(),
        sentences: Vec::new(),
        details: Vec::new(),
        link: None,
    };
    alerts::raise(app.server.app(), vec![raw]).unwrap();
    id
}

/// Logging in costs seconds of a debug build, and asks nobody for a role.
fn of_acts() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.access != Access::Public)
}

fn may(route: &Route, role: Role) -> bool {
    match route.access {
        Access::Public => true,
        Access::As(act) => act.allowed_roles().contains(&role),
    }
}

/// Refused for want of a role: about a proposal it also matters who made it and who trained what it is about.
fn is_refused(answered: &Answered) -> bool {
    let of_two = answered.code().starts_with("approval.");
    answered.status == StatusCode::UNAUTHORIZED || answered.status == StatusCode::FORBIDDEN && !of_two
}

#[test]
fn every_route_lets_in_exactly_the_roles_of_its_act() {
    let app = app();
    let paths = Paths::of(&app);
    for route in of_acts() {
        for role in Role::ALL {
            let answered = app.send(paths.request(route, &in_role(role)));
            let told = format!("{} {} as {role}: {}", route.verb.as_str(), route.pattern, answered.status);
            if may(route, role) {
                // Without a token there is no session to end.
                let logs_out = route.pattern == "/v1/sessions/current";
                assert!(logs_out || !is_refused(&answered), "{told} {}", answered.json);
            } else {
                assert_eq!(
                    (answered.status, answered.code()),
                    (StatusCode::FORBIDDEN, "security.forbidden"),
                    "{told}"
                );
            }
        }
    }
}

#[test]
fn nobody_comes_in_without_credentials_a_role_or_the_right_uid() {
    let app = app();
    let paths = Paths::of(&app);
    let nobody = Origin::Process(Person::of("nobody", &[]).unwrap());
    let stranger = Origin::Local(Peer { socket: LocalSocket::Admin, uid: 12_345 });
    let afar = Origin::Network([127, 0, 0, 1].into());
    for route in of_acts() {
        let status = |origin: &Origin| app.send(paths.request(route, origin)).status;
        assert_eq!(status(&nobody), StatusCode::FORBIDDEN, "{}", route.pattern);
        assert_eq!(status(&stranger), StatusCode::FORBIDDEN, "{}", route.pattern);
        assert_eq!(status(&afar), StatusCode::UNAUTHORIZED, "{}", route.pattern);
        let mut request = paths.request(route, &owner());
        request.headers_mut().insert("authorization", "Bearer tsk_not_one".parse().unwrap());
        assert_eq!(app.send(request).status, StatusCode::UNAUTHORIZED, "{}", route.pattern);
    }
    for route in ROUTES.iter().filter(|route| route.access == Access::Public) {
        assert!(app.send(paths.request(route, &afar)).status.is_success(), "{}", route.pattern);
    }
}

#[test]
fn every_socket_is_bound_to_its_own_actor() {
    let app = app();
    let paths = Paths::of(&app);
    let people = [Role::Officer, Role::Analyst, Role::Approver, Role::Auditor, Role::Admin];
    let actors: [(LocalSocket, &[Role]); 4] = [
        (LocalSocket::Admin, &people),
        (LocalSocket::Sync, &[Role::Sync]),
        (LocalSocket::Worker, &[Role::Worker]),
        (LocalSocket::Backup, &[Role::Backup]),
    ];
    for (socket, roles) in actors {
        let origin = Origin::Local(Peer { socket, uid: rustix::process::getuid().as_raw() });
        for route in of_acts().filter(|route| route.pattern != "/v1/sessions/current") {
            let answered = app.send(paths.request(route, &origin));
            let (allowed, status) = (roles.iter().any(|role| may(route, *role)), answered.status);
            assert_eq!(!is_refused(&answered), allowed, "{} at {}: {status}", route.pattern, socket.as_str());
        }
    }
}

/// The router asks before it reads a body, the use case before it does anything. Here the router does not.
#[test]
fn no_handler_relies_on_the_routers_question() {
    let app = app();
    let paths = Paths::of(&app);
    let nobody = Person::of("nobody", &[]).unwrap();
    for route in of_acts() {
        let (server, person) = (Arc::clone(&app.server), nobody.clone());
        let bare = move |path: RawPathParams, request: Request| async move {
            let (parts, body) = request.into_parts();
            let context = Context::of(&parts.headers);
            let ask = Ask { context, origin: None, headers: parts.headers, path, query: Vec::new() };
            let app = server.app().as_person(person);
            let answered = (route.run)(Call { server, app, ask, body }).await;
            answered.unwrap_or_else(|failure| problem::answer(&failure, "c", "", Hearer::Anybody))
        };
        let router = Router::new().route(route.pattern, on(route.verb.filter(), bare));
        let answered = app.send_to(router, paths.request(route, &owner()));
        assert_eq!(answered.code(), "security.forbidden", "{}: {}", route.pattern, answered.json);
    }
}

#[test]
fn every_example_of_the_document_is_answered_as_it_says() {
    let app = app();
    let paths = Paths::of(&app);
    let mut token = String::new();
    // What is registered takes a training, and what is imported takes a sent file: `flow_worker` has them.
    let alone = |route: &&Route| {
        !route.pattern.ends_with("/finish") && (route.pattern, route.verb) != ("/v1/data-sets", Verb::Post)
    };
    for route in ROUTES.iter().filter(alone) {
        let asker = if may(route, Role::Worker) && !may(route, Role::Analyst) {
            in_role(Role::Worker)
        } else if route.access == Access::As(Act::DecidePromotion) {
            // Whoever owns the home has proposed something himself.
            in_role(Role::Approver)
        } else {
            owner()
        };
        let mut request = paths.request(route, &asker);
        if route.pattern == "/v1/sessions/current" {
            // The session that the example before has opened.
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let answered = app.send(request);
        let status = answered.status.as_u16().to_string();
        assert_eq!(status, route.status.to_string(), "{}: {}", route.pattern, answered.json);
        token = answered.json["token"].as_str().map_or(token, str::to_string);
        let content = &paths.operation(route)["responses"][&status]["content"];
        let types: Vec<&String> = content.as_object().unwrap().keys().collect();
        let found = answered.header("content-type").split(';').next().unwrap();
        assert!(types.iter().any(|known| *known == found || *known == "*/*"), "{}: {found}", route.pattern);
    }
}

/// A code that nobody says any more would leave its table entry behind.
#[test]
fn every_code_of_the_table_of_statuses_is_said_somewhere() {
    fn texts(folder: &std::path::Path, all: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => texts(&entry.path(), all),
                false if entry.file_name() == "problem.rs" => {}
                false => all.push_str(&std::fs::read_to_string(entry.path()).unwrap()),
            }
        }
    }
    let mut all = String::new();
    texts(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    for (code, _) in problem::STATUSES.iter().filter(|(code, _)| !code.starts_with("http.")) {
        assert!(all.contains(&format!("\"{code}\"")) || code.starts_with("json."), "{code}");
    }
}

#[test]
fn the_document_has_exactly_the_routes_of_the_table() {
    let document: Value = serde_json::from_slice(&openapi::document().unwrap()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let in_table: BTreeSet<(String, String)> =
        ROUTES.iter().map(|route| (route.path(), route.verb.as_str().to_lowercase())).collect();
    let mut in_document = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        in_document.extend(item.as_object().unwrap().keys().map(|verb| (path.clone(), verb.clone())));
    }
    assert_eq!(in_document, in_table);
    let mut ids = BTreeSet::new();
    for route in ROUTES {
        let operation = &document["paths"][route.path()][route.verb.as_str().to_lowercase()];
        assert!(ids.insert(operation["operationId"].to_string()), "{} twice", operation["operationId"]);
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => object.iter().for_each(|(key, inner)| match inner.as_str() {
                Some(text) if key == "$ref" => drop(found.insert(text.to_string())),
                _ => references(inner, found),
            }),
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document: Value = serde_json::from_slice(&openapi::document().unwrap()).unwrap();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 10);
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

#[test]
fn the_document_is_served_as_it_is_made() {
    static DOCUMENT: OnceLock<Vec<u8>> = OnceLock::new();
    let made = DOCUMENT.get_or_init(|| openapi::document().unwrap());
    let app = TestApp::over(Place::with_home());
    assert_eq!(&app.send(request(Method::GET, &owner(), "/openapi.json", None)).bytes, made);
}
