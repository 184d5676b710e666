//! Aliases: where they point, how they moved, and moving them.

use crate::app::registry::promotion::{self, MoveAs, PromoteRequest};
use crate::app::registry::{policies, versions};
use crate::base::fact::Failure;
use crate::config::project::parse_gates;
use crate::http::call::{Ask, Call, Reply, view, with_etag};
use crate::http::problem::HttpError;
use crate::http::views::registry::{
    AliasList, AliasView, Gate, History, PromoteBody, Promoted, RollbackBody, RolledBack, Version,
};
use crate::registry::version::{Alias, ModelRef, Which};

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let name = ask.path("name")?;
        let aliases = versions::list_aliases(app, name)?.iter().map(AliasView::of).collect();
        view(&AliasList { name: name.to_string(), aliases })
    })
}

fn alias_of(ask: &Ask) -> Result<Alias, HttpError> {
    ask.path_as("alias")
}

pub fn show(call: Call) -> Reply {
    call.answer(|app, ask| {
        let alias = AliasView::of(&versions::find_alias(app, ask.path("name")?, alias_of(ask)?)?);
        Ok(with_etag(view(&alias)?, &alias.etag))
    })
}

pub fn history(call: Call) -> Reply {
    call.answer(|app, ask| {
        let (name, alias) = (ask.path("name")?, alias_of(ask)?);
        view(&History::of(name, alias, &promotion::history(app, name, alias)?))
    })
}

pub fn promote(call: Call) -> Reply {
    call.answer_body(|app, ask, body: PromoteBody| {
        let request = request_of(app, ask, &body)?;
        let promoted = promotion::promote(app, &request)?;
        let version = Version { policy: promoted.policy.to_hex(), ..Version::of(&promoted.version) };
        view(&Promoted {
            version,
            alias: body.to.to_string(),
            gate: Gate::of(&promoted.gate),
            dry_run: body.dry_run,
        })
    })
}

fn request_of(app: &crate::app::home::App, ask: &Ask, body: &PromoteBody) -> Result<PromoteRequest, Failure> {
    let which = which_of(body.version, body.from)?;
    Ok(PromoteRequest {
        model: ModelRef { name: ask.path("name")?.to_string(), which },
        to: body.to,
        why: body.why.clone(),
        policy: body.policy.as_deref().map(|wanted| policies::find_digest(app, wanted)).transpose()?,
        gates: body.gates.as_deref().map(parse_gates).transpose()?,
        move_as: MoveAs { dry_run: body.dry_run, from: ask.if_match()? },
    })
}

/// The version a body names; the newest where it names none.
pub fn which_of(version: Option<u64>, from: Option<Alias>) -> Result<Which, HttpError> {
    match (version, from) {
        (None, None) => Ok(Which::Unstated),
        (Some(version), None) => Ok(Which::Number(version)),
        (None, Some(alias)) => Ok(Which::Alias(alias)),
        (Some(_), Some(_)) => {
            let message = "either `version` or `from` is expected, not both".to_string();
            Err(HttpError::Field { pointer: "/from".into(), code: "both", message })
        }
    }
}

pub fn rollback(call: Call) -> Reply {
    call.answer_body(|app, ask, body: RollbackBody| {
        let RollbackBody { alias, why, dry_run } = body;
        let how = MoveAs { dry_run, from: ask.if_match()? };
        let row = promotion::rollback(app, ask.path("name")?, alias, &why, &how)?;
        view(&RolledBack { version: Version::of(&row), alias: alias.to_string(), dry_run })
    })
}
