//! Data sets that are kept.

use axum::http::StatusCode;

use crate::app::datasets;
use crate::app::training::orders;
use crate::base::limits;
use crate::http::body::{json, read_json_text};
use crate::http::call::{Call, Reply, view, with_status};
use crate::http::cursor::page;
use crate::http::views::work::{DataSet, DataSetList, ImportBody};

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let sets = datasets::list(app)?.iter().map(DataSet::of).collect();
        // A space comes before all that a name may have, so that the keys lie as the sets do.
        let (datasets, next) = page(sets, |set: &DataSet| format!("{} {}", set.name, set.content), ask)?;
        view(&DataSetList { datasets, next })
    })
}

pub fn import(call: Call) -> Reply {
    let Call { server, app, ask, body } = call;
    Box::pin(async move {
        let text = read_json_text(&ask.headers, body, limits::ORDER_BODY_BYTES_MAX).await?;
        let ImportBody { project, data } = json::parse(&text)?;
        let kept = server.in_turn(move || orders::import(&app, project, data.into())).await?;
        Ok(with_status(view(&DataSet::of(&kept))?, StatusCode::CREATED))
    })
}
