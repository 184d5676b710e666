//! Every word a page says, by key, and the places in it that a value fills.
//! Never builds a sentence from pieces of sentences.

use std::collections::BTreeMap;

use crate::config::text::{TextError, parse};
use crate::http::pages::assets;

/// The file of the one language there is.
const FILE: &str = "text/en.toml";

#[derive(Clone, Debug)]
pub struct Texts(BTreeMap<String, String>);

impl Texts {
    pub fn load() -> Result<Self, TextError> {
        Ok(Self(parse(&assets::find_file(FILE).unwrap_or_default())?))
    }

    pub fn find(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// A text; its own key where there is none, which a test sees to that it never is.
    pub fn say(&self, key: &str) -> String {
        self.find(key).unwrap_or(key).to_string()
    }

    /// A text with `{name}` filled in.
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        fill(self.find(key).unwrap_or(key), values)
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// In one pass, so that a value that looks like a place stays what it is.
pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        let place = tail.find('}').map(|end| &tail[1..end]);
        match place.and_then(|name| values.iter().find(|(known, _)| *known == name)) {
            Some((name, value)) => {
                out.push_str(value);
                rest = &tail[name.len() + 2..];
            }
            None => {
                out.push('{');
                rest = &tail[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_once_and_unknown_ones_stay() {
        assert_eq!(fill("{a} of {b}, {c}", &[("a", "{b}"), ("b", "2")]), "{b} of 2, {c}");
        assert_eq!(fill("open { and }", &[]), "open { and }");
    }

    #[test]
    fn the_texts_are_read_and_none_is_empty() {
        let texts = Texts::load().unwrap();
        assert!(texts.keys().count() > 50);
        assert!(texts.0.values().all(|text| !text.trim().is_empty()));
    }
}
