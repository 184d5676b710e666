//! Rows answered, and recorded answers shown again.

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

use crate::app::decisions::found::Filter;
use crate::app::decisions::stages::Stage;
use crate::app::decisions::{self, Asked, Wish, found, proof, replay as replays, why as reasons};
use crate::base::fact::Failure;
use crate::base::limits;
use crate::http::body::read_json_text;
use crate::http::call::{Ask, Call, Reply, bytes_of, view};
use crate::http::cursor::{cursor_of, seen};
use crate::http::problem::HttpError;
use crate::http::views::decision::{AnswerView, DecisionList, ExplanationView, ListedDecision, ReplayView};
use crate::http::views::why::WhyView;
use crate::registry::version::{Alias, ModelRef, Which};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

pub fn decide(call: Call) -> Reply {
    Box::pin(async move {
        let question = Question::read(call).await?;
        question.answer(Wish::Decision).await
    })
}

pub fn predict(call: Call) -> Reply {
    Box::pin(async move {
        let question = Question::read(call).await?;
        question.answer(Wish::Prediction).await
    })
}

/// A row with all that was said about it.
struct Question {
    call_app: crate::app::home::App,
    ask: Ask,
    model: ModelRef,
    row: String,
}

impl Question {
    async fn read(call: Call) -> Result<Self, Failure> {
        let Call { app, ask, body, .. } = call;
        let model = model_of(&ask)?;
        let row = read_json_text(&ask.headers, body, limits::REQUEST_BODY_BYTES_MAX).await?;
        Ok(Self { call_app: app, ask, model, row })
    }

    async fn answer(self, wish: Wish) -> Result<Response, Failure> {
        let is_timed: bool = self.ask.query_as("timing")?.unwrap_or(false);
        let (answered, stages) = decisions::answer(&self.call_app, self.asked()?, wish).await?;
        let replayed = answered.replayed;
        let mut response = view(&AnswerView::of(answered))?;
        let headers = response.headers_mut();
        if replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        if let Some(mut stages) = stages {
            stages.mark(Stage::Answer);
            stages.count();
            let told = is_timed.then(|| HeaderValue::from_str(&stages.header()));
            if let Some(Ok(value)) = told {
                headers.insert(SERVER_TIMING, value);
            }
        }
        Ok(response)
    }

    fn asked(&self) -> Result<Asked<'_>, HttpError> {
        Ok(Asked {
            model: &self.model,
            row: &self.row,
            key: key_of(&self.ask)?,
            simulated: self.ask.query_as("simulated")?.unwrap_or(false),
            started: self.ask.context.begun(),
        })
    }
}

/// What is in production, unless the query names a version or another alias.
fn model_of(ask: &Ask) -> Result<ModelRef, HttpError> {
    let version: Option<std::num::NonZeroU64> = ask.query_as("version")?;
    let alias: Option<Alias> = ask.query_as("alias")?;
    let which = match (version, alias) {
        (None, None) => Which::Unstated,
        (Some(version), None) => Which::Number(version.get()),
        (None, Some(alias)) => Which::Alias(alias),
        (Some(_), Some(_)) => {
            return Err(HttpError::Query { name: "alias".into(), why: "does not go with `version`".into() });
        }
    };
    Ok(ModelRef { name: ask.path("name")?.to_string(), which })
}

fn key_of(ask: &Ask) -> Result<Option<&str>, HttpError> {
    let wrong = HttpError::Header { name: "Idempotency-Key", why: "stands twice or is no ASCII" };
    let mut all = ask.headers.get_all(IDEMPOTENCY_KEY).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(only), None) => only.to_str().map(Some).map_err(|_| wrong),
        _ => Err(wrong),
    }
}

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let wrong = |_| HttpError::Query { name: "cursor".into(), why: "names no record".into() };
        let before = seen(ask)?.map(|text| text.parse::<u64>()).transpose().map_err(wrong)?;
        let filter = Filter {
            model: ask.query("model").map(str::to_string),
            outcome: ask.query("outcome").map(str::to_string),
            before,
            limit: ask.limit()?,
        };
        let page = found::list(app, &filter)?;
        let decisions = page.headers.iter().map(ListedDecision::of).collect();
        view(&DecisionList { decisions, next: page.next.map(|before| cursor_of(&before.to_string())) })
    })
}

pub fn show(call: Call) -> Reply {
    call.answer(|app, ask| view(&AnswerView::of(found::find(app, ask.path("decision")?)?)))
}

pub fn explain(call: Call) -> Reply {
    call.answer(|app, ask| view(&ExplanationView::of(found::find(app, ask.path("decision")?)?)))
}

pub fn receipt(call: Call) -> Reply {
    call.answer(|app, ask| {
        let receipt = proof::receipt(app, ask.path("decision")?)?;
        Ok(bytes_of("application/json", receipt.to_bytes()?))
    })
}

pub fn replay(call: Call) -> Reply {
    call.answer(|app, ask| view(&ReplayView::of(&replays::replay(app, ask.path("decision")?)?)))
}

pub fn why(call: Call) -> Reply {
    call.answer(|app, ask| view(&WhyView::of(&reasons::why(app, ask.path("decision")?)?)))
}
