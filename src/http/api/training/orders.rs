//! Files that are sent, runs that are ordered, how they go on, and the wish that they stop.

use axum::http::StatusCode;

use crate::app::training::orders::{self, Order};
use crate::app::training::progress::{self, Progress};
use crate::app::training::uploads;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::http::body::file::{BodyReader, check_octets};
use crate::http::body::{json, read_json_text};
use crate::http::call::{Call, Reply, view, with_status};
use crate::http::views::run::RunView;
use crate::http::views::work::{OrderBody, ProgressView, UploadView};

pub fn upload(call: Call) -> Reply {
    let Call { server, app, ask, body } = call;
    Box::pin(async move {
        check_octets(&ask.headers)?;
        let mut reader = BodyReader::new(body, limits::UPLOAD_BYTES_MAX)?;
        let kept = server.taking_in(move || {
            let received = uploads::receive(&app, &mut reader);
            // What the body did comes before what became of it.
            received.map_err(|failure| reader.take_fault().map_or(failure, Failure::from))
        });
        Ok(with_status(view(&UploadView::of(&kept.await?))?, StatusCode::CREATED))
    })
}

pub fn order(call: Call) -> Reply {
    let Call { server, app, ask, body } = call;
    Box::pin(async move {
        let text = read_json_text(&ask.headers, body, limits::ORDER_BODY_BYTES_MAX).await?;
        let OrderBody { project, overrides, data } = json::parse(&text)?;
        let order = Order { project, overrides, data: data.into() };
        let run = server.in_turn(move || orders::order(&app, order)).await?;
        Ok(with_status(view(&RunView::of(&run))?, StatusCode::CREATED))
    })
}

pub fn progress(call: Call) -> Reply {
    call.answer(|app, ask| told(progress::progress(app, ask.path("run")?)))
}

pub fn cancel(call: Call) -> Reply {
    call.answer(|app, ask| told(progress::cancel(app, ask.path("run")?)))
}

fn told(progress: Result<Progress, Failure>) -> Result<axum::response::Response, Failure> {
    view(&ProgressView::of(progress?))
}
