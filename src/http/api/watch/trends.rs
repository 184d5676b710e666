//! Figures of a model over days, for a program and for a spreadsheet.

use crate::app::watch::asked;
use crate::http::call::{Call, Reply, bytes_of, view};
use crate::http::problem::HttpError;
use crate::http::views::watch::trend::{SeriesList, SeriesName, SeriesView};
use crate::monitor::trend::csv::write_csv;

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let model = ask.path("name")?;
        let names = asked::names(app, model)?.into_iter();
        let series = names.map(|(name, about)| SeriesName { name, about }).collect();
        view(&SeriesList { model: model.to_string(), series })
    })
}

pub fn show(call: Call) -> Reply {
    call.answer(|app, ask| {
        let (model, name) = (ask.path("name")?, ask.path("series")?);
        let since_days = ask.query_as("since_days")?.unwrap_or(asked::SINCE_DAYS);
        let series = asked::series(app, model, (name, ask.query("about")), since_days)?;
        match ask.query("format") {
            None | Some("json") => view(&SeriesView::of(model, &series)),
            Some("csv") => Ok(bytes_of("text/csv; charset=utf-8", write_csv([&series]))),
            Some(_) => {
                Err(HttpError::Query { name: "format".into(), why: "is neither json nor csv".into() }.into())
            }
        }
    })
}
