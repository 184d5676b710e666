//! Models and their versions.

use axum::response::Response;
use serde_json::json;

use crate::app::home::App;
use crate::app::registry::{VersionRow, versions};
use crate::app::runs::against;
use crate::app::watch::asked;
use crate::base::fact::Failure;
use crate::evaluate::compare::production::Tolerance;
use crate::http::call::{Ask, Call, Reply, view};
use crate::http::cursor::page;
use crate::http::problem::HttpError;
use crate::http::views::check::CheckView;
use crate::http::views::registry::{Model, ModelList, Version, VersionDetail, VersionList};
use crate::http::views::watch::report::HoldView;
use crate::registry::version::{Alias, ModelRef, Which};

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let (models, next) = page(versions::list_models(app)?, |(row, _)| row.name.clone(), ask)?;
        let models = models.iter().map(|(row, aliases)| Model::of(row, aliases)).collect();
        view(&ModelList { models, next })
    })
}

pub fn list_versions(call: Call) -> Reply {
    call.answer(|app, ask| {
        // The newest first: their keys rise as their numbers fall.
        let key_of = |row: &VersionRow| format!("{:020}", u64::MAX - row.version);
        let (rows, next) = page(versions::list_versions(app, ask.path("name")?)?, key_of, ask)?;
        view(&VersionList { versions: rows.iter().map(Version::of).collect(), next })
    })
}

pub fn show_newest(call: Call) -> Reply {
    call.answer(|app, ask| show(app, ask, Which::Unstated))
}

pub fn show_version(call: Call) -> Reply {
    call.answer(|app, ask| show(app, ask, Which::Number(version_of(ask)?)))
}

fn version_of(ask: &Ask) -> Result<u64, HttpError> {
    match ask.path_as("version")? {
        0 => Err(HttpError::Path { name: "version", why: "is wrong: versions begin at 1".into() }),
        version => Ok(version),
    }
}

fn show(app: &App, ask: &Ask, which: Which) -> Result<Response, Failure> {
    let model = ModelRef { name: ask.path("name")?.to_string(), which };
    let (row, policy) = versions::find_version(app, &model, false)?;
    let evaluation = versions::evaluation(app, &row)?;
    let release = versions::load_release(app, &row)?;
    let version = Version { policy: policy.to_hex(), ..Version::of(&row) };
    view(&VersionDetail {
        version,
        signed_by: release.signed_by().key_id.to_string(),
        evaluation: json!(evaluation),
        lineage: json!(release.release().lineage),
        hold: asked::hold(app, &row.name)?.as_ref().map(HoldView::of),
    })
}

/// How much lower an AUC may be where nobody says what may.
pub const AUC_TOLERANCE: f64 = 0.01;

pub fn check(call: Call) -> Reply {
    call.answer(|app, ask| {
        let alias = ask.query_as("against")?.unwrap_or(Alias::Production);
        let mut tolerance = Tolerance {
            auc: ask.query_as("auc")?,
            log_loss: ask.query_as("log_loss")?,
            brier: ask.query_as("brier")?,
        };
        if tolerance == Tolerance::default() {
            tolerance.auc = Some(AUC_TOLERANCE);
        }
        let model = ModelRef { name: ask.path("name")?.to_string(), which: which_of(ask)? };
        view(&CheckView::of(&against::check(app, &model, alias, &tolerance)?, alias))
    })
}

/// The newest, unless the query names a version or an alias.
fn which_of(ask: &Ask) -> Result<Which, HttpError> {
    let version: Option<std::num::NonZeroU64> = ask.query_as("version")?;
    match (version, ask.query_as("alias")?) {
        (None, None) => Ok(Which::Unstated),
        (Some(version), None) => Ok(Which::Number(version.get())),
        (None, Some(alias)) => Ok(Which::Alias(alias)),
        (Some(_), Some(_)) => {
            Err(HttpError::Query { name: "alias".into(), why: "does not go with `version`".into() })
        }
    }
}
