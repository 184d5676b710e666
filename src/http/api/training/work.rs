//! What a worker asks for and says: a run that is due, its data, how it goes, its candidate, its end.

use axum::body::Body;

use crate::app::training::registering::Worked;
use crate::app::training::work;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::http::body::file::{BodyReader, FileBody, OCTETS, check_octets};
use crate::http::body::{json, read_json_text};
use crate::http::call::{Ask, Call, Reply, bytes_of, view};
use crate::http::problem::HttpError;
use crate::http::views::work::{
    ClaimBody, ClaimedView, EndedView, EventsBody, FailBody, FinishBody, HeardView, KeptView,
};

pub fn claim(call: Call) -> Reply {
    call.answer_body(|app, _, body: ClaimBody| {
        let wrong = |_| field("/run", "a run's id is expected");
        let only = body.run.map(RunId::try_from).transpose().map_err(wrong)?;
        view(&ClaimedView::of(work::claim(app, &body.worker, only.as_ref())?))
    })
}

pub fn data(call: Call) -> Reply {
    let Call { server, app, ask, .. } = call;
    Box::pin(async move {
        let run = run_of(&ask)?;
        let opened = server.in_turn(move || {
            let path = work::data(&app, &run)?;
            Ok(FileBody::open(&path).map_err(files::at(&path))?)
        });
        Ok(bytes_of(OCTETS, Body::new(opened.await?)))
    })
}

pub fn events(call: Call) -> Reply {
    let Call { server, app, ask, body } = call;
    Box::pin(async move {
        let run = run_of(&ask)?;
        let text = read_json_text(&ask.headers, body, limits::WORKER_BODY_BYTES_MAX).await?;
        let EventsBody { events } = json::parse(&text)?;
        if events.len() > limits::WORKER_EVENTS_MAX {
            return Err(field("/events", "there are too many of them").into());
        }
        let cancel = server.in_turn(move || work::hear(&app, &run, &events)).await?;
        view(&HeardView { cancel })
    })
}

pub fn candidate(call: Call) -> Reply {
    let Call { server, app, ask, body } = call;
    Box::pin(async move {
        check_octets(&ask.headers)?;
        let (run, named) = (run_of(&ask)?, ask.path_as::<Digest>("file")?);
        let mut reader = BodyReader::new(body, limits::BLOB_BYTES_MAX)?;
        let kept = server.in_turn(move || {
            let received = work::candidate_file(&app, &run, named, &mut reader);
            received.map_err(|failure| reader.take_fault().map_or(failure, Failure::from))
        });
        view(&KeptView { bytes: kept.await? })
    })
}

pub fn finish(call: Call) -> Reply {
    let Call { server, app, ask, body } = call;
    Box::pin(async move {
        let run = run_of(&ask)?;
        let text = read_json_text(&ask.headers, body, limits::WORKER_BODY_BYTES_MAX).await?;
        let FinishBody { contents, model, train_seconds } = json::parse(&text)?;
        let (ended, worked) = (run.to_string(), Worked { contents, model, train_seconds });
        server.in_turn(move || work::finish(&app, &run, worked)).await?;
        view(&EndedView { run_id: ended })
    })
}

pub fn fail(call: Call) -> Reply {
    call.answer_body(|app, ask, body: FailBody| {
        let run = run_of(ask)?;
        work::fail(app, &run, body.event)?;
        view(&EndedView { run_id: run.to_string() })
    })
}

/// A worker names its run in full.
fn run_of(ask: &Ask) -> Result<RunId, HttpError> {
    let wrong = |_| HttpError::Path { name: "run", why: "is no run's id".into() };
    RunId::try_from(ask.path("run")?.to_string()).map_err(wrong)
}

fn field(pointer: &str, message: &str) -> HttpError {
    HttpError::Field { pointer: pointer.into(), code: "value", message: message.into() }
}
