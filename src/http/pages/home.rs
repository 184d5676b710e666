//! The first page: what one can decide, how the box is, one's own last cases.

use serde::Serialize;

use crate::app::decisions::cases::{self, CasesWanted};
use crate::app::decisions::desk::{self, Desk, DeskState};
use crate::app::server::health;
use crate::base::limits;
use crate::http::call::Reply;
use crate::http::pages::cases::{CaseLine, line_of};
use crate::http::pages::routes::Visit;
use crate::http::pages::text::Texts;
use crate::http::pages::words::{age, moment, spoken};

#[derive(Debug, Default, Serialize)]
pub struct DeskView {
    pub address: String,
    pub title: String,
    pub version: u64,
    pub age: String,
    /// Of `ready`, `stand_in`, `refers_all`.
    pub state: &'static str,
    pub state_text: String,
}

#[derive(Debug, Default, Serialize)]
pub struct HomeView {
    pub name: String,
    /// When this person came in before; nothing the first time.
    pub last_login: Option<String>,
    pub desks: Vec<DeskView>,
    /// Whether what is decided is recorded.
    pub safe: bool,
    pub status: String,
    pub own: Vec<CaseLine>,
}

pub fn show(visit: Visit) -> Reply {
    visit.answer(|visit| {
        let (app, texts) = (&visit.app, visit.server.pages.texts());
        let now_ms = app.now().millis();
        let desks = desk::list(app)?;
        let safe = health::is_recording(app);
        let wanted = CasesWanted { own: true, before: None, limit: limits::OWN_CASES_SHOWN };
        let own = cases::list(app, wanted)?;
        let last_login = visit.door.seen.as_ref().and_then(|seen| seen.last_login_ms);
        let view = HomeView {
            name: app.person().name().to_string(),
            last_login: last_login.map(|millis| moment(&texts, millis)),
            status: status(&texts, &desks, safe, now_ms),
            desks: desks.iter().map(|desk| desk_view(&texts, desk, now_ms)).collect(),
            safe,
            own: own.headers.iter().filter_map(|header| line_of(&texts, header, now_ms)).collect(),
        };
        visit.server.pages.render("home.html", &visit.door.frame("home"), &view)
    })
}

pub fn state_keys(state: DeskState) -> (&'static str, &'static str) {
    match state {
        DeskState::Ready => ("ready", "home.state.ready"),
        DeskState::StandIn => ("stand_in", "home.state.stand_in"),
        DeskState::RefersAll => ("refers_all", "home.state.refers_all"),
    }
}

fn desk_view(texts: &Texts, desk: &Desk, now_ms: i64) -> DeskView {
    let (state, key) = state_keys(desk.state);
    DeskView {
        address: format!("/decide/{}", desk.name),
        title: spoken(&desk.name),
        version: desk.version,
        age: age(texts, now_ms, desk.created_ms),
        state,
        state_text: texts.say(key),
    }
}

/// One line in words: how old the newest model is, when head office was last heard, whether decisions are safe.
fn status(texts: &Texts, desks: &[Desk], safe: bool, now_ms: i64) -> String {
    let newest = desks.iter().map(|desk| desk.created_ms).max();
    let model = match newest {
        Some(created_ms) => texts.fill("home.status.model", &[("age", &age(texts, now_ms, created_ms))]),
        None => texts.say("home.status.no_model"),
    };
    let decisions = texts.say(if safe { "home.status.safe" } else { "home.status.unsafe" });
    let sync = texts.say("home.status.never_synced");
    texts.fill("home.status.line", &[("model", &model), ("sync", &sync), ("decisions", &decisions)])
}
