//! The pages from outside: the door, the form, a decision, its case, and everything that can go wrong on the way.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use std::cell::RefCell;
use tallystick::http::auth::Origin;
use tallystick::http::pages::routes::{Gate, PAGES};
use tallystick::security::actor::Role;

use super::support::Place;
use super::support::test_app::{Answered, TestApp};

pub const PASSWORD: &str = "seven green lamps at noon";

/// A browser without a script: one cookie, and forms as the page before gave them.
pub struct Visitor<'a> {
    app: &'a TestApp,
    cookie: RefCell<Option<String>>,
}

pub struct Page {
    pub answered: Answered,
    pub html: String,
}

impl Page {
    pub fn status(&self) -> u16 {
        self.answered.status.as_u16()
    }

    pub fn leads_to(&self) -> &str {
        assert_eq!(self.status(), 303, "{}", self.html);
        self.answered.header("location")
    }

    /// The value of a hidden or filled field.
    pub fn value(&self, name: &str) -> String {
        let tag = self.html.split(&format!("name=\"{name}\"")).nth(1).unwrap_or_default();
        let tag = tag.split('>').next().unwrap();
        tag.split("value=\"").nth(1).map_or(String::new(), |rest| rest.split('"').next().unwrap().to_string())
    }

    pub fn has(&self, text: &str) -> bool {
        // A slash of a value is written as its number.
        self.html.contains(text) || self.html.replace("&#x2f;", "/").contains(text)
    }
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let escape = |text: &str| -> String {
        text.bytes().map(|b| if safe(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    fields
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
        .collect::<Vec<_>>()
        .join("&")
}

impl<'a> Visitor<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        Self { app, cookie: RefCell::new(None) }
    }

    pub fn send(&self, method: Method, path: &str, body: String, more: &[(&str, &str)]) -> Page {
        let mut request = Request::builder().method(method.clone()).uri(path).header("host", "localhost");
        request = request.header("accept", "text/html,*/*");
        if method == Method::POST {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        if let Some(cookie) = self.cookie.borrow().as_ref() {
            request = request.header("cookie", format!("__Host-tallystick={cookie}"));
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let origin = Origin::Network([10, 0, 0, 1].into());
        let answered = self.app.send(request.extension(origin).body(Body::from(body)).unwrap());
        if let Some(set) = answered.headers.get("set-cookie").map(|value| value.to_str().unwrap()) {
            assert!(set.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"), "{set}");
            let token = set.split(['=', ';']).nth(1).unwrap().to_string();
            *self.cookie.borrow_mut() = (!token.is_empty()).then_some(token);
        }
        // As a browser reads it: a slash is a slash, however it is spelled.
        let html = String::from_utf8(answered.bytes.clone()).unwrap().replace("&#x2f;", "/");
        Page { answered, html }
    }

    pub fn get(&self, path: &str) -> Page {
        self.send(Method::GET, path, String::new(), &[])
    }

    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.send(Method::POST, path, encoded(fields), &[("sec-fetch-site", "same-origin")])
    }

    fn try_login(&self, name: &str, password: &str) -> Page {
        let csrf = self.get("/login").value("csrf");
        self.post("/login", &[("csrf", &csrf), ("name", name), ("password", password)])
    }

    pub fn login(app: &'a TestApp, name: &str) -> Self {
        let visitor = Self::new(app);
        assert_eq!(visitor.try_login(name, PASSWORD).leads_to(), "/");
        visitor
    }

    fn form(&self) -> Page {
        let page = self.get("/decide/loan-default");
        assert_eq!(page.status(), 200, "{}", page.html);
        page
    }

    /// Sends an application with some fields changed, under the names of the form that is given.
    fn decide(&self, form: &Page, changes: &[(&str, &str)]) -> Page {
        let (csrf, nonce) = (form.value("csrf"), form.value("nonce"));
        let mut fields: Vec<(&str, &str)> =
            vec![("csrf", &csrf), ("nonce", &nonce), ("model", "loan-default")];
        let kept = ROW.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        fields.extend(kept);
        fields.extend(changes);
        self.post("/decide/loan-default", &fields)
    }
}

const ROW: &[(&str, &str)] = &[
    ("f.addr_state", "WA"),
    ("f.annual_inc", "132900"),
    ("f.delinq_2yrs", "1"),
    ("f.dti", "14,46"),
    ("f.earliest_cr_line", "05/1997"),
    ("f.emp_length", "4 years"),
    ("f.grade", "D"),
    ("f.home_ownership", "RENT"),
    ("f.inq_last_6mths", ""),
    ("f.installment", "603.49"),
    ("f.int_rate", "17,11"),
    ("f.loan_amnt", "24 225"),
    ("f.loan_id", "L7"),
    ("f.mths_since_last_delinq", ""),
    ("f.open_acc", "17"),
    ("f.pub_rec", "0"),
    ("f.purpose", "debt_consolidation"),
    ("f.revol_bal", "10.878"),
    ("f.revol_util", "64.6"),
    ("f.sub_grade", "D4"),
    ("f.term", "60"),
    ("f.total_acc", "23"),
    ("f.verification_status", "Verified"),
];

/// A home with a model and the users erika (officer), aud (auditor).
fn app() -> TestApp {
    let app = TestApp::over(Place::with_model());
    for (name, role) in [("erika", "officer"), ("aud", "auditor")] {
        let body = format!(r#"{{"name": "{name}", "roles": ["{role}"], "password": "{PASSWORD}"}}"#);
        app.made("/v1/users", &body);
    }
    app
}

fn a_path_of(pattern: &str) -> String {
    let path = pattern.replace("{model}", "loan-default").replace("{case}", "0000-26-00001-Y");
    let named =
        [("{proposal}", "1"), ("{project}", "loan-default"), ("{chain}", "daily"), ("{day}", "2096-10-01")];
    let path = named.iter().fold(path, |path, (place, name)| path.replace(place, name));
    path.replace("{run}", "7f").replace("{alert}", "a1")
}

#[test]
fn whoever_is_not_logged_in_is_shown_the_door_and_nothing_else() {
    let app = TestApp::over(Place::with_home());
    let visitor = Visitor::new(&app);
    for route in PAGES {
        let path = a_path_of(route.pattern);
        let page = visitor.send(route.verb.method(), &path.replace("{name}", "x-1.css"), String::new(), &[]);
        match (route.gate, route.pattern) {
            // Sent without what the page of the login gave, it is not even looked at.
            (Gate::Open, "/login") if route.verb.method() == Method::POST => assert_eq!(page.status(), 403),
            (Gate::Open, "/login") => assert!(page.has("name=\"password\""), "{}", page.html),
            (Gate::Open, _) => assert_eq!(page.status(), 404),
            _ => assert_eq!(page.leads_to(), "/login", "{path}"),
        }
        let policy = page.answered.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        let headers = ["cache-control", "x-content-type-options", "referrer-policy"];
        assert_eq!(
            headers.map(|name| page.answered.header(name)),
            ["no-store", "nosniff", "no-referrer"],
            "{path}"
        );
    }
}

#[test]
fn the_door_opens_by_name_and_password_waits_after_failures_and_shuts_again() {
    let app = app();
    let visitor = Visitor::new(&app);
    let page = visitor.try_login("erika", "not her password");
    assert_eq!(page.status(), 422);
    assert!(page.has("name or the password is wrong") && page.value("name") == "erika", "{}", page.html);
    assert_eq!(visitor.get("/").leads_to(), "/login");
    let before = visitor.cookie.borrow().clone();
    assert_eq!(visitor.try_login("erika", PASSWORD).leads_to(), "/");
    assert_ne!(*visitor.cookie.borrow(), before, "a session has a token of its own");
    let home = visitor.get("/");
    assert!(home.has("Good day, erika") && home.has("first login"), "{}", home.html);
    // What a browser's cookie opens is no key to the API.
    let token = visitor.cookie.borrow().clone().unwrap();
    assert_eq!(app.with_token(&token, "/v1/whoami").status, StatusCode::UNAUTHORIZED);
    let csrf = home.value("csrf");
    assert_eq!(visitor.post("/logout", &[("csrf", &csrf)]).leads_to(), "/login");
    *visitor.cookie.borrow_mut() = Some(token);
    assert_eq!(visitor.get("/").leads_to(), "/login", "the session is over, whoever kept its cookie");
    let again = Visitor::login(&app, "erika");
    assert!(again.get("/").has("You last logged in on"));
    for _ in 0..5 {
        again.try_login("nobody", "no password at all");
    }
    let stranger = Visitor::new(&app);
    (0..4).for_each(|_| drop(stranger.try_login("nobody", "no password at all")));
    let page = stranger.try_login("nobody", "no password at all");
    assert_eq!(page.status(), 429);
    assert!(
        page.answered.header("retry-after").parse::<u64>().unwrap() > 0 && page.has("seconds"),
        "{}",
        page.html
    );
}

#[test]
fn a_form_counts_only_if_a_page_of_the_same_session_gave_it() {
    let app = app();
    let (erika, other) = (Visitor::login(&app, "erika"), Visitor::login(&app, "aud"));
    let form = erika.form();
    let foreign = other.get("/").value("csrf");
    for csrf in ["", "AAAA", foreign.as_str()] {
        let page = erika.post("/decide/loan-default", &[("csrf", csrf), ("nonce", "1")]);
        assert_eq!(page.status(), 403, "{csrf}");
        assert!(page.has("The form is too old"), "{}", page.html);
    }
    let fields = encoded(&[("csrf", &form.value("csrf"))]);
    for site in ["cross-site", "same-site"] {
        let page = erika.send(Method::POST, "/lock", fields.clone(), &[("sec-fetch-site", site)]);
        assert_eq!(page.status(), 403, "{site}");
    }
    let json = Request::post("/lock").header("host", "localhost").header("content-type", "application/json");
    let cookie = format!("__Host-tallystick={}", erika.cookie.borrow().as_ref().unwrap());
    let answered = app.send(json.header("cookie", cookie).body(Body::from("{}")).unwrap());
    assert_eq!(answered.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[test]
fn an_application_is_decided_once_however_often_the_button_is_pressed() {
    let app = app();
    let erika = Visitor::login(&app, "erika");
    let form = erika.form();
    for absent in ["loan_status", "total_pymnt", "emp_title", "issue_d"] {
        assert!(!form.has(absent), "{absent} is asked for");
    }
    assert!(form.has("Loan amount") && form.has("From 500 to 40,000"), "{}", form.html);
    let first = erika.decide(&form, &[]).leads_to().to_string();
    assert!(first.starts_with("/cases/0000-"), "{first}");
    assert_eq!(erika.decide(&form, &[]).leads_to(), first);
    let cases = app.ok("/v1/decisions");
    assert_eq!(cases["decisions"].as_array().unwrap().len(), 1, "{cases}");
    // Gone back to, changed and sent again: another application, which is asked about.
    let page = erika.decide(&form, &[("f.loan_id", "L8")]);
    assert_eq!(page.status(), 409);
    assert!(page.has("sent before") && page.value("f.loan_id") == "L8", "{}", page.html);
    assert_ne!(erika.decide(&page, &[("f.loan_id", "L8")]).leads_to(), first);
    // The same applicant within the month is asked about as well.
    let page = erika.decide(&erika.form(), &[]);
    assert_eq!(page.status(), 200);
    let case = first.strip_prefix("/cases/").unwrap();
    assert!(page.has("in the last 30 days") && page.has(case), "{}", page.html);
    let third = erika.decide(&page, &[("confirmed", "yes")]).leads_to().to_string();
    assert!(third != first, "{third}");
    app.clock.advance_ms(31 * 24 * 3_600_000);
    let later = Visitor::login(&app, "erika");
    assert!(later.decide(&later.form(), &[]).leads_to().starts_with("/cases/"));
}

#[test]
fn what_is_wrong_is_said_at_its_field_and_no_field_is_cleared() {
    let app = app();
    let erika = Visitor::login(&app, "erika");
    let changes = [
        ("f.loan_amnt", "99,000"),
        ("f.annual_inc", "45,000"),
        ("f.open_acc", ""),
        ("f.term", "soon"),
        ("f.earliest_cr_line", "long ago"),
        ("f.grade", "Z"),
        ("f.purpose", "<script>"),
    ];
    let page = erika.decide(&erika.form(), &changes);
    assert_eq!(page.status(), 422);
    for said in [
        "Loan amount: the most is 40,000.",
        "Annual income: this can be read as 45.000 or as 45000.",
        "Open credit lines: this is needed.",
        "First credit line: write a date",
        // Of these two the contract alone knows.
        "Term: write a whole number.",
        "Grade: choose one of the list.",
        "6 fields need another look",
    ] {
        assert!(page.has(said), "{said}: {}", page.html);
    }
    assert_eq!(page.value("f.loan_amnt"), "99,000");
    assert_eq!(page.value("f.annual_inc"), "45,000");
    assert!(page.has("value=\"&lt;script&gt;\"") && !page.has("<script>"), "{}", page.html);
    assert!(page.has("aria-invalid=\"true\"") && page.has("href=\"#field-"), "{}", page.html);
    // What only the contract knows is told the same way.
    let page = erika.decide(&erika.form(), &[("f.grade", "Z"), ("f.term", "6")]);
    assert_eq!(page.status(), 422);
    assert!(page.has("Term: the least is 12."), "{}", page.html);
    let page = erika.decide(&erika.form(), &[("f.grade", "Z")]);
    assert!(page.status() == 422 && page.has("Grade: choose one of the list."), "{}", page.html);
    assert_eq!(app.ok("/v1/decisions")["decisions"].as_array().unwrap().len(), 0);
}

#[test]
fn a_page_left_alone_locks_itself_and_gives_back_what_was_written() {
    let app = app();
    let erika = Visitor::login(&app, "erika");
    let form = erika.form();
    app.clock.advance_ms(10 * 60_000 - 1);
    assert_eq!(erika.get("/cases").status(), 200);
    app.clock.advance_ms(10 * 60_000);
    assert_eq!(erika.decide(&form, &[("f.loan_id", "L9")]).leads_to(), "/unlock");
    assert_eq!(erika.get("/cases").leads_to(), "/unlock");
    let locked = erika.get("/unlock");
    assert!(locked.has("erika is logged in here") && !locked.has("L9"), "{}", locked.html);
    let csrf = locked.value("csrf");
    let wrong = erika.post("/unlock", &[("csrf", &csrf), ("password", "not her password")]);
    assert_eq!(wrong.status(), 422);
    // It was at the list last, but what was written leads back to its form first.
    app.clock.advance_ms(3 * 3_600_000);
    let page = erika.post("/unlock", &[("csrf", &csrf), ("password", PASSWORD)]);
    assert_eq!(page.leads_to(), "/decide/loan-default");
    let restored = erika.form();
    assert!(
        restored.has("What you had written is back") && restored.value("f.loan_id") == "L9",
        "{}",
        restored.html
    );
    assert_eq!(restored.value("f.int_rate"), "17,11");
    assert!(!erika.form().has("L9"), "a draft is given back once");
    let fields = [("csrf", csrf.as_str()), ("place", "/cases"), ("model", "loan-default"), ("f.dti", "12")];
    assert_eq!(erika.post("/lock", &fields).leads_to(), "/unlock");
    let page = erika.post("/unlock", &[("csrf", &csrf), ("password", PASSWORD)]);
    assert_eq!(page.leads_to(), "/cases");
    assert_eq!(erika.form().value("f.dti"), "12");
    app.clock.advance_ms(13 * 3_600_000);
    assert_eq!(erika.get("/unlock").leads_to(), "/login", "after its hours a session is over for good");
}

#[test]
fn a_case_is_shown_explained_written_as_a_letter_and_proved() {
    let app = app();
    let erika = Visitor::login(&app, "erika");
    let changes =
        [("f.dti", "45"), ("f.annual_inc", "21000.00"), ("f.revol_util", "180"), ("f.purpose", "lottery")];
    let address = erika.decide(&erika.form(), &changes).leads_to().to_string();
    let case = address.strip_prefix("/cases/").unwrap();
    let page = erika.get(&address);
    let recorded = app.ok(&format!("/v1/decisions/{case}"));
    assert_eq!(recorded["outcome"], "decline", "{recorded}");
    for said in [
        case,
        "Decline",
        "in 100 similar applicants were charged off",
        "Score band 3 of 3",
        "version 1",
        "class=\"qr\"",
    ] {
        assert!(page.has(said), "{said}: {}", page.html);
    }
    assert!(
        page.has("Purpose was “lottery”") && page.has("lies outside what the model has seen"),
        "{}",
        page.html
    );
    assert!(page.has("A rehearsal"), "the clock of this test is simulated");
    let letter = erika.get(&format!("{address}/letter"));
    for reason in recorded["reasons"]["list"].as_array().unwrap() {
        let text = reason["text"].as_str().unwrap();
        assert!(page.has(text) && letter.has(text), "{text}");
    }
    let why = erika.get(&format!("{address}/why"));
    assert!(why.status() == 200 && why.has("Every line holds.") && why.has("Debt to income"), "{}", why.html);
    let receipt = erika.get(&format!("{address}/receipt.json"));
    assert_eq!(receipt.answered.bytes, app.ok_bytes(&format!("/v1/decisions/{case}/receipt")));
    assert!(receipt.answered.header("content-disposition").contains(case));
    let list = erika.get("/cases?own=true");
    assert!(list.has(case) && list.has("erika"), "{}", list.html);
}

#[test]
fn a_case_is_found_by_its_number_or_its_applicant_and_a_slip_gets_a_hint() {
    let app = app();
    let erika = Visitor::login(&app, "erika");
    let address = erika.decide(&erika.form(), &[]).leads_to().to_string();
    let case = address.strip_prefix("/cases/").unwrap();
    let csrf = erika.get("/cases").value("csrf");
    let search = |wanted: &str| erika.post("/cases", &[("csrf", &csrf), ("wanted", wanted)]);
    assert_eq!(search(&case.replace('-', " ").to_lowercase()).leads_to(), address);
    let of_applicant = search("L7");
    assert!(of_applicant.status() == 200 && of_applicant.has(case), "{}", of_applicant.html);
    for (wanted, said) in [
        ("", "Write a case number"),
        ("L70", "No case has this number"),
        ("0000-26-0317-K", "No case has this number"),
    ] {
        let page = search(wanted);
        assert!(page.status() == 422 && page.has(said), "{wanted}: {}", page.html);
    }
    // Two neighbours swapped, and one digit wrong.
    let digits: Vec<char> = case.chars().collect();
    let at = digits
        .windows(2)
        .position(|pair| pair[0] != pair[1] && pair.iter().all(char::is_ascii_digit))
        .unwrap();
    let mut swapped = digits.clone();
    swapped.swap(at, at + 1);
    let swapped: String = swapped.into_iter().collect();
    for page in [search(&swapped), erika.get(&format!("/cases/{swapped}"))] {
        assert!(page.has("That is not a case number yet"), "{}", page.html);
        assert_eq!(page.value("wanted"), swapped);
    }
    let unknown = tallystick::ledger::case::CaseNumber::new(Default::default(), 26, 4_711).unwrap();
    assert!(search(&unknown.to_string()).has("this branch has no such case"));
    assert!(erika.get(&format!("/cases/{unknown}")).has("No such case"));
}

#[test]
fn pages_of_a_list_follow_each_other() {
    let app = app();
    let erika = Visitor::login(&app, "erika");
    for n in 0..27 {
        let id = format!("P{n}");
        erika.decide(&erika.form(), &[("f.loan_id", &id)]).leads_to();
    }
    let first = erika.get("/cases");
    let rows = |page: &Page| page.html.matches("<th scope=\"row\">").count();
    assert_eq!(rows(&first), 25);
    let next = first.html.split("class=\"button button-quiet\" href=\"").nth(1).unwrap();
    let next =
        next.split('"').next().unwrap().replace("&amp;", "&").replace("&#x2f;", "/").replace("&#x3d;", "=");
    let second = erika.get(&next);
    assert_eq!((second.status(), rows(&second)), (200, 2), "{next} {}", second.html);
    assert_eq!(erika.get("/cases?cursor=nonsense").status(), 400);
}

#[test]
fn who_may_not_is_told_so_on_a_page_and_a_browser_never_gets_json() {
    let app = app();
    let aud = Visitor::login(&app, "aud");
    assert!(!aud.get("/").has("New application"));
    let page = aud.get("/decide/loan-default");
    assert!(page.status() == 403 && page.has("That is not yours to do"), "{}", page.html);
    for (path, status) in [("/nowhere", 404), ("/decide/no-such-model", 403), ("/assets/nothing", 404)] {
        let page = aud.get(path);
        assert_eq!(page.status(), status, "{path}");
        assert!(page.answered.header("content-type").starts_with("text/html"), "{path}");
        assert!(page.has("name this number: ") && !page.has("http."), "{}", page.html);
    }
    let erika = Visitor::login(&app, "erika");
    assert_eq!(erika.get("/decide/no-such-model").status(), 404);
    let page = erika.send(Method::DELETE, "/cases", String::new(), &[]);
    assert_eq!((page.status(), page.answered.header("allow")), (405, "GET, HEAD, POST"));
    // A program that asks for the same gets what it can read.
    let request = Request::get("/nowhere").header("host", "localhost").body(Body::empty()).unwrap();
    assert_eq!(app.send(request).code(), "http.no_route");
    // The account is shut: so is what was open.
    assert_eq!(
        app.post(&super::support::test_app::owner(), "/v1/users/erika/lock", "").status,
        StatusCode::OK
    );
    assert_eq!(erika.get("/").leads_to(), "/login");
}

#[test]
fn every_page_lets_in_exactly_the_roles_of_its_act() {
    let app = app();
    let people = [Role::Officer, Role::Analyst, Role::Approver, Role::Auditor, Role::Admin];
    for role in people.into_iter().filter(|role| *role != Role::Officer && *role != Role::Auditor) {
        let name = role.as_str();
        app.made(
            "/v1/users",
            &format!(r#"{{"name": "{name}", "roles": ["{name}"], "password": "{PASSWORD}"}}"#),
        );
    }
    for role in people {
        let name = match role {
            Role::Officer => "erika",
            Role::Auditor => "aud",
            other => other.as_str(),
        };
        let visitor = Visitor::login(&app, name);
        let csrf = visitor.get("/").value("csrf");
        for route in PAGES {
            let Gate::As(act) = route.gate else { continue };
            let path = a_path_of(route.pattern);
            let body =
                if route.verb.method() == Method::POST { encoded(&[("csrf", &csrf)]) } else { String::new() };
            let status = visitor.send(route.verb.method(), &path, body, &[]).status();
            let allowed = act.allowed_roles().contains(&role);
            assert_eq!(status != 403, allowed, "{} {path} as {role}: {status}", route.verb.as_str());
        }
    }
}

#[test]
fn an_asset_is_kept_for_good_under_its_own_name() {
    let app = TestApp::over(Place::with_home());
    let page = Visitor::new(&app).get("/login");
    for kind in ["style-", "counter-", "mark-"] {
        let name = page.html.split("/assets/").find(|rest| rest.starts_with(kind));
        let name = name.unwrap().split('"').next().unwrap();
        let asset = Visitor::new(&app).get(&format!("/assets/{name}"));
        assert_eq!(asset.status(), 200, "{name}");
        assert!(asset.answered.header("cache-control").ends_with("immutable"), "{name}");
        assert_eq!(asset.answered.header("x-content-type-options"), "nosniff");
    }
}
