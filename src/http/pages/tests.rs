//! Every template in every state, every word by its key, and no key without a use.

mod watch;

use std::collections::BTreeSet;
use std::path::Path;

use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use serde::Serialize;

use super::approvals::view::{FigureLine, ProposalLine, ProposalView, ProposalsView, RuleLine, VerdictLine};
use super::assets;
use super::cases::sheet::{BandStep, CaseView, NoteLine, Pair, ReasonLine};
use super::cases::tally::Tally;
use super::cases::why::{CheckLine, MeasuredLine, WhyPage};
use super::cases::{CaseLine, CasesView, qr};
use super::decide::view::{Choice, FieldView, FormView, Section};
use super::home::{DeskView, HomeView};
use super::login::{LoginView, UnlockView};
use super::render::{Frame, Pages};
use super::text::Texts;
use super::trouble::{TroubleView, keys_of};

struct Shown {
    pages: Pages,
    seen: BTreeSet<String>,
}

impl Shown {
    /// Renders a state inside and outside, and answers the page of somebody who may decide.
    fn show<T: Serialize>(&mut self, name: &str, page: &T) -> String {
        self.seen.insert(name.to_string());
        let inside = |may_decide, section| Frame {
            person: Some("<erika>".into()),
            may_decide,
            may_see_approvals: may_decide,
            may_watch: true,
            may_run: may_decide,
            may_answer: may_decide,
            may_release: may_decide,
            csrf: "c".into(),
            lock_after_s: 600,
            place: "/".into(),
            section,
        };
        let frames =
            [Frame { section: "none", ..Frame::default() }, inside(false, "home"), inside(true, "cases")];
        let mut html = String::new();
        for frame in frames {
            let response = self.pages.render(name, &frame, page).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let bytes = runtime.block_on(response.into_body().collect()).unwrap().to_bytes();
            html = String::from_utf8(bytes.to_vec()).unwrap();
            check(name, &html);
        }
        html
    }
}

/// What holds of every page: whole, escaped, nothing inline, every id once and every reference to one that is there.
fn check(name: &str, html: &str) {
    assert!(html.starts_with("<!doctype html>") && html.trim_end().ends_with("</html>"), "{name}");
    for bad in ["<erika>", "<b>", "style=", "onclick", "None", "undefined", "&lt;macro"] {
        assert!(!html.contains(bad), "{name} has {bad:?}");
    }
    assert_eq!(html.matches("<h1").count(), 1, "{name} has one heading");
    let ids: Vec<&str> = html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let once: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(once.len(), ids.len(), "{name} has an id twice: {ids:?}");
    for attribute in [" for=\"", "aria-describedby=\"", "aria-labelledby=\"", "href=\"#"] {
        for rest in html.split(attribute).skip(1) {
            for id in rest.split('"').next().unwrap().split(' ') {
                assert!(once.contains(id), "{name} refers to {id:?}, which it does not have");
            }
        }
    }
}

fn line(tone: &'static str, set: bool) -> CaseLine {
    CaseLine {
        case: "0421-26-00317-K".into(),
        address: "/cases/0421-26-00317-K".into(),
        outcome: "Approve".into(),
        tone,
        model: "Loan <b>default".into(),
        when: "then".into(),
        ago: "today".into(),
        who: "<erika>".into(),
        degraded: set,
        simulated: set,
    }
}

fn field(widget: &'static str, set: bool) -> FieldView {
    let id = format!("field-{widget}-{set}");
    let choice = |at: usize| Choice {
        id: if at == 0 { id.clone() } else { format!("{id}-{at}") },
        value: at.to_string(),
        label: "<b>".into(),
        chosen: at == 1,
    };
    let listed = matches!(widget, "list" | "choices");
    let parts = if listed { "{}-help {}-trouble" } else { "{}-help {}-range {}-trouble" };
    FieldView {
        name: format!("f.{id}"),
        label: "Debt <b>".into(),
        help: set.then(|| "<b>".into()),
        unit: set.then(|| "%".into()),
        example: set.then(|| "4".into()),
        range: set.then(|| "From 1 to 2.".into()),
        widget,
        keys: "decimal",
        required: !set,
        value: "\"><b>".into(),
        choices: if listed { vec![choice(0), choice(1)] } else { Vec::new() },
        trouble: set.then(|| "wrong <b>".into()),
        described_by: if set { parts.replace("{}", &id) } else { String::new() },
        id,
    }
}

fn forms() -> Vec<FormView> {
    let widgets = ["text", "number", "list", "choices"];
    let fields: Vec<FieldView> = widgets.iter().flat_map(|w| [field(w, true), field(w, false)]).collect();
    let plain = FormView {
        model: "loan-default".into(),
        title: "Loan default".into(),
        version: 3,
        age: "made today".into(),
        state: "ready",
        nonce: "n".into(),
        sections: vec![Section { title: "All".into(), fields: fields.clone() }],
        ..FormView::default()
    };
    let troubled = |count: usize| FormView {
        troubles: fields.iter().filter(|f| f.trouble.is_some()).take(count).cloned().collect(),
        ..plain.clone()
    };
    vec![
        plain.clone(),
        troubled(1),
        troubled(3),
        FormView { same_subject: vec![line("good", false)], state: "stand_in", ..plain.clone() },
        FormView { notice: Some("back <b>".into()), ..plain.clone() },
        FormView { state: "refers_all", sections: Vec::new(), ..plain },
    ]
}

fn sheets() -> Vec<CaseView> {
    let tones = ["good", "refer", "bad", "other"];
    let step = |(at, tone): (usize, &&'static str)| BandStep { word: "Refer".into(), tone, here: at == 1 };
    let note = |kind| NoteLine { kind, text: "<b>".into() };
    let full = |tone| CaseView {
        case: "0421-26-00317-K".into(),
        outcome: "Refer <b>".into(),
        tone,
        chance: Some("About 7 in 100".into()),
        band: Some("Band 2 of 3".into()),
        bands: tones.iter().enumerate().map(step).collect(),
        has_letter: tone != "other",
        ground: "The score decided.".into(),
        reasons: vec![
            ReasonLine { text: "<b>".into(), label: "Debt".into(), value: Some("45".into()) },
            ReasonLine { text: "High".into(), label: "Debt".into(), value: None },
        ],
        notes: ["missing", "defaulted", "unseen", "out_of_range"].map(note).to_vec(),
        entered: vec![Pair { label: "Debt".into(), value: "<b>".into() }],
        degraded: true,
        simulated: true,
        model: "Loan default".into(),
        version: Some("3".into()),
        age: Some("made today".into()),
        tally: Tally { stock: "M0 0".into(), foil: "M0 0".into() },
        qr: qr::draw("TALLY1:ABC"),
        ..CaseView::default()
    };
    let bare = CaseView { case: "0421-26-00317-K".into(), tone: "refer", ..CaseView::default() };
    tones.into_iter().map(full).chain([bare]).collect()
}

fn whys() -> Vec<WhyPage> {
    let reason = |holds: bool| MeasuredLine {
        text: "<b>".into(),
        field: "Debt".into(),
        value: "45".into(),
        reference: holds.then(|| "19".into()),
        holds,
    };
    let check = |holds| CheckLine { title: "The record".into(), holds, found: "<b>".into() };
    let of = |holds| WhyPage {
        case: "0421-26-00317-K".into(),
        outcome: "Decline".into(),
        tone: "bad",
        holds,
        checked: "now".into(),
        checks: vec![check(true), check(holds)],
        reasons: if holds { vec![reason(true)] } else { vec![reason(false), reason(true)] },
    };
    vec![of(true), of(false), WhyPage { reasons: Vec::new(), ..of(true) }]
}

fn homes() -> Vec<HomeView> {
    let desk = |state| DeskView {
        address: "/decide/x".into(),
        title: "<b>".into(),
        version: 1,
        age: "old".into(),
        state,
        state_text: "Ready".into(),
    };
    let full = HomeView {
        name: "<erika>".into(),
        last_login: Some("then".into()),
        desks: ["ready", "stand_in", "refers_all"].map(desk).into_iter().collect(),
        safe: true,
        status: "fine".into(),
        own: vec![line("refer", true)],
    };
    vec![full, HomeView::default()]
}

/// Open for everybody who may look at it, closed in every tone, with and without something to compare with.
fn proposals() -> Vec<ProposalView> {
    let full = ProposalView {
        id: 3,
        model: "Loan <b>default".into(),
        version: 2,
        to: "production".into(),
        state: "Waits".into(),
        tone: "refer",
        is_open: true,
        why: "<b>".into(),
        there: Some(1),
        who: "<erika>".into(),
        when: "then".into(),
        tier: Some("high".into()),
        rules: [true, false]
            .map(|passed| RuleLine {
                figure: "auc".into(),
                value: passed.then(|| "0.7000".into()),
                limit: "0.6 or more".into(),
                passed,
            })
            .to_vec(),
        figures: [Some("0.7000".to_string()), None]
            .map(|there| FigureLine { figure: "brier".into(), there, proposed: "0.1000".into() })
            .to_vec(),
        stance: "decides",
        ..ProposalView::default()
    };
    let verdict = |holds| Some(VerdictLine { holds, text: "On <b> rows".into() });
    let stances = ["decides", "proposer", "trainer", "onlooker"];
    let mut all: Vec<ProposalView> =
        stances.map(|stance| ProposalView { stance, verdict: verdict(true), ..full.clone() }).to_vec();
    let wrong =
        ProposalView { typed: "</textarea><b>".into(), trouble: Some("wrong <b>".into()), ..full.clone() };
    let closed = ProposalView {
        is_open: false,
        tone: "bad",
        decided_by: Some("ben".into()),
        decided: "now".into(),
        comment: Some("<b>".into()),
        ..full.clone()
    };
    let first = ProposalView { there: None, figures: Vec::new(), tier: None, ..full.clone() };
    all.extend([ProposalView { verdict: verdict(false), ..full }, wrong, closed, first]);
    all
}

fn line_of_proposal(view: &ProposalView) -> ProposalLine {
    ProposalLine {
        address: format!("/approvals/{}", view.id),
        id: view.id,
        model: view.model.clone(),
        version: view.version,
        to: view.to.clone(),
        state: view.state.clone(),
        tone: view.tone,
        who: view.who.clone(),
        when: "then".into(),
        ago: "today".into(),
    }
}

#[test]
fn every_template_renders_in_every_state() {
    let mut shown = Shown { pages: Pages::load().unwrap(), seen: BTreeSet::new() };
    for trouble in [None, Some("wrong <b>".to_string())] {
        shown.show("login.html", &LoginView { name: "<erika>".into(), trouble: trouble.clone() });
        shown.show("unlock.html", &UnlockView { name: "<erika>".into(), trouble: trouble.clone() });
        let lines =
            if trouble.is_some() { Vec::new() } else { vec![line("bad", true), line("other", false)] };
        for (own, of_subject) in [(false, false), (true, false), (false, true)] {
            let next = (!own).then(|| "/cases?cursor=x".to_string());
            let (lines, trouble, wanted) = (lines.clone(), trouble.clone(), "<b>".to_string());
            shown.show("cases.html", &CasesView { own, lines, next, wanted, of_subject, trouble });
        }
    }
    shown.show("cases.html", &CasesView::default());
    // There may be none among the newest and some behind them: a page that said only "none" led nowhere.
    let none_here = CasesView { next: Some("/cases?cursor=x".into()), ..CasesView::default() };
    shown.show("cases.html", &none_here);
    let proposals: Vec<ProposalView> = proposals();
    proposals.iter().for_each(|view| drop(shown.show("approval.html", view)));
    let lines = proposals.iter().map(line_of_proposal).collect();
    shown.show("approvals.html", &ProposalsView { lines, next: Some("/approvals?cursor=x".into()) });
    shown.show("approvals.html", &ProposalsView::default());
    watch::chains().iter().for_each(|view| drop(shown.show("chains.html", view)));
    watch::chain().iter().for_each(|view| drop(shown.show("chain.html", view)));
    watch::runs().iter().for_each(|view| drop(shown.show("chain_run.html", view)));
    watch::monitoring().iter().for_each(|view| drop(shown.show("monitoring.html", view)));
    watch::reports().iter().for_each(|view| drop(shown.show("monitored.html", view)));
    watch::alerts().iter().for_each(|view| drop(shown.show("alerts.html", view)));
    watch::alert().iter().for_each(|view| drop(shown.show("alert.html", view)));
    homes().iter().for_each(|view| drop(shown.show("home.html", view)));
    forms().iter().for_each(|view| drop(shown.show("form.html", view)));
    whys().iter().for_each(|view| drop(shown.show("why.html", view)));
    for view in sheets() {
        shown.show("case.html", &view);
        let letter = shown.show("letter.html", &view);
        assert_eq!(letter.contains("<ol class=\"letter-reasons\""), !view.reasons.is_empty());
    }
    let codes = [
        "decision.unknown",
        "decision.erased",
        "case.check_letter",
        "security.foreign_form",
        "approval.own_proposal",
        "other",
    ];
    for code in codes {
        for status in [400, 403, 404, 409, 422, 429, 500, 503] {
            let [title, lead, next] = keys_of(code, StatusCode::from_u16(status).unwrap());
            shown.show("trouble.html", &TroubleView { status, title, lead, next, reference: "r".into() });
        }
    }
    let parts = ["frame.html", "parts.html", "pictures.html"].map(str::to_string);
    let all: BTreeSet<String> = assets::list_templates().map(str::to_string).collect();
    assert_eq!(shown.seen.into_iter().chain(parts).collect::<BTreeSet<_>>(), all);
}

#[test]
fn a_name_that_is_not_there_is_an_error_and_so_is_a_key() {
    #[derive(Serialize)]
    struct Nothing {}
    let pages = Pages::load().unwrap();
    let failure = pages.render("login.html", &Frame::default(), &Nothing {}).unwrap_err();
    assert_eq!(failure.code(), "http.page");
    let view = TroubleView { title: "no.such.key", ..TroubleView::default() };
    let failure = pages.render("trouble.html", &Frame::default(), &view).unwrap_err();
    assert!(failure.to_string().contains("no.such.key"), "{failure}");
}

/// All texts of this room's code and templates, tests left out.
fn sources() -> String {
    fn add(folder: &Path, all: &mut String) {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && path.ends_with("tests") {
                continue;
            } else if path.is_dir() {
                add(&path, all);
            } else if !path.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                all.push_str(text.split("#[cfg(test)]").next().unwrap());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    add(&root.join("src/http/pages"), &mut all);
    add(&root.join("web/templates"), &mut all);
    all
}

#[test]
fn every_key_that_is_used_is_there_and_every_key_is_used() {
    let (sources, texts) = (sources(), Texts::load().unwrap());
    for key in texts.keys() {
        assert!(sources.contains(&format!("\"{key}\"")), "nothing says {key:?}");
    }
    let families: BTreeSet<&str> =
        texts.keys().filter_map(|key| key.split_once('.')).map(|(head, _)| head).collect();
    let is_key = |text: &str| {
        let plain =
            text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_'));
        let head = text.split_once('.').map(|(head, _)| head);
        plain
            && !text.ends_with('.')
            && !text.ends_with(".html")
            && head.is_some_and(|head| families.contains(head))
    };
    // Codes of failures look like keys and are none.
    let codes = ["login.throttled", "case.check_letter", "case.form"];
    let quoted = sources.split('"').skip(1).filter(|text| is_key(text) && !codes.contains(text));
    for key in quoted {
        assert!(texts.find(key).is_some(), "there is no text {key:?}");
    }
    for text in [".say(\"", ".fill(\"", " t(\""] {
        for key in sources.split(text).skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(texts.find(key).is_some() || key == "key", "there is no text {key:?}");
        }
    }
}
