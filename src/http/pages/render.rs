//! Templates made into answers: strict about every name, escaping everything, with what all pages share.
//! Never says a word of its own; texts are found by key.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use serde::Serialize;

use crate::base::fact::Failure;
use crate::http::call::{bytes_of, with_status};
use crate::http::pages::assets;
use crate::http::pages::text::{Texts, fill};
use crate::http::problem::HttpError;

const HTML: &str = "text/html; charset=utf-8";

/// Templates and texts, made ready once.
pub struct Pages {
    templates: Environment<'static>,
    texts: Arc<Texts>,
    addresses: Addresses,
}

/// Where a page finds what it is shown with.
#[derive(Clone, Serialize)]
struct Addresses {
    style: String,
    script: String,
    mark: String,
}

impl Addresses {
    fn of_now() -> Self {
        let [style, script, mark] = ["style", "counter", "mark"].map(assets::address_of);
        Self { style, script, mark }
    }
}

/// What the frame of every page shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Frame {
    /// Who is logged in; nobody on the way in.
    pub person: Option<String>,
    pub may_decide: bool,
    pub may_see_approvals: bool,
    /// Chains, monitoring and alerts; and who may start and stop, answer, let a model go.
    pub may_watch: bool,
    pub may_run: bool,
    pub may_answer: bool,
    pub may_release: bool,
    pub csrf: String,
    /// After so many seconds without a key or a click the page locks itself.
    pub lock_after_s: i64,
    /// Where a lock leads back to.
    pub place: String,
    /// Of `home`, `cases`, `approvals`, `chains`, `monitoring`, `alerts`, `none`: which entry of the menu this page is under.
    pub section: &'static str,
}

#[derive(Serialize)]
struct Whole<'a, T> {
    frame: &'a Frame,
    page: &'a T,
    #[serde(flatten)]
    addresses: &'a Addresses,
}

impl Pages {
    pub fn load() -> Result<Self, Failure> {
        let texts = Arc::new(Texts::load()?);
        let templates = templates(&texts).map_err(|error| refused("all", &error))?;
        Ok(Self { templates, texts, addresses: Addresses::of_now() })
    }

    /// The texts; a debug build reads them anew.
    pub fn texts(&self) -> Arc<Texts> {
        if cfg!(debug_assertions) {
            return Texts::load().map_or_else(|_| Arc::clone(&self.texts), Arc::new);
        }
        Arc::clone(&self.texts)
    }

    pub fn render<T: Serialize>(&self, name: &str, frame: &Frame, page: &T) -> Result<Response, Failure> {
        let html = self.html(name, frame, page).map_err(|error| refused(name, &error))?;
        Ok(bytes_of(HTML, html))
    }

    pub fn render_as<T: Serialize>(
        &self,
        status: StatusCode,
        name: &str,
        frame: &Frame,
        page: &T,
    ) -> Result<Response, Failure> {
        Ok(with_status(self.render(name, frame, page)?, status))
    }

    fn html<T: Serialize>(&self, name: &str, frame: &Frame, page: &T) -> Result<String, Error> {
        if cfg!(debug_assertions) {
            let whole = Whole { frame, page, addresses: &Addresses::of_now() };
            return templates(&self.texts())?.get_template(name)?.render(Value::from(Serde(&whole)));
        }
        let whole = Whole { frame, page, addresses: &self.addresses };
        self.templates.get_template(name)?.render(Value::from(Serde(&whole)))
    }
}

/// The whole chain of what a template broke on: names of places, never a value.
fn refused(page: &str, error: &Error) -> Failure {
    let mut what = error.to_string();
    let mut inner: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(error) = inner {
        what = format!("{what}: {error}");
        inner = error.source();
    }
    HttpError::Page { page: page.to_string(), what }.into()
}

fn templates(texts: &Arc<Texts>) -> Result<Environment<'static>, Error> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    let texts = Arc::clone(texts);
    templates.add_function("t", move |key: String, values: Kwargs| say(&texts, &key, &values));
    for name in assets::list_templates() {
        let text = assets::find_file(&format!("templates/{name}")).unwrap_or_default();
        templates.add_template_owned(name, text.into_owned())?;
    }
    Ok(templates)
}

/// `t("key", name=value)`: the text of the key, which must be there, as must be every value it has a place for.
fn say(texts: &Texts, key: &str, values: &Kwargs) -> Result<String, Error> {
    let missing = |what: String| Error::new(ErrorKind::UndefinedError, what);
    let text = texts.find(key).ok_or_else(|| missing(format!("there is no text {key:?}")))?;
    let mut given: Vec<(String, String)> = Vec::new();
    for name in values.args() {
        given.push((name.to_string(), values.peek::<Value>(name)?.to_string()));
    }
    let pairs: Vec<(&str, &str)> =
        given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    if let Some(name) =
        pairs.iter().map(|(name, _)| *name).find(|name| !text.contains(&format!("{{{name}}}")))
    {
        return Err(missing(format!("the text {key:?} has no place for {name:?}")));
    }
    let filled = fill(text, &pairs);
    if pairs.is_empty() && text.contains('{') {
        return Err(missing(format!("the text {key:?} wants values")));
    }
    Ok(filled)
}
