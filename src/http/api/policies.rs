//! Signed policies.

use serde_json::json;

use crate::app::registry::policies;
use crate::http::call::{Call, Reply, view};
use crate::http::cursor::page;
use crate::http::views::policy::{Policy, PolicyList, PolicyView};

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let (rows, next) = page(policies::list(app)?, |row| row.digest.to_hex(), ask)?;
        view(&PolicyList { policies: rows.iter().map(Policy::of).collect(), next })
    })
}

pub fn show(call: Call) -> Reply {
    call.answer(|app, ask| {
        let policy = policies::find(app, ask.path("digest")?)?;
        let object = json!(policy.policy().object());
        view(&PolicyView { digest: policy.digest().to_hex(), policy: object })
    })
}
