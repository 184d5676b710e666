//! JSON without second meanings: no key twice, no depth without end, no number that is none.
//! Rows of a model have their own reader in `data`; this one is for every other body.

use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::base::limits;
use crate::http::body::shape::{Shape, pointer_of};
use crate::http::problem::HttpError;

/// Reads a text as one value of a type that refuses unknown fields.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, HttpError> {
    let value = parse_value(text)?;
    T::deserialize(Shape(&value)).map_err(|fault| fault.into_http())
}

pub fn parse_value(text: &str) -> Result<Value, HttpError> {
    let mut state = State { path: Vec::new(), fault: None };
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Strict(&mut state).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match (state.fault, read) {
        (Some(fault), _) => Err(fault),
        (None, Ok(value)) => Ok(value),
        // The reader's own message can quote the text.
        (None, Err(error)) => Err(HttpError::Syntax { line: error.line(), column: error.column() }),
    }
}

struct State {
    path: Vec<String>,
    fault: Option<HttpError>,
}

struct Strict<'s>(&'s mut State);

impl Strict<'_> {
    fn inside<T, E: serde::de::Error>(
        &mut self,
        token: String,
        read: impl FnOnce(&mut State) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.0.path.len() + 1 >= limits::JSON_DEPTH_MAX {
            return Err(self.refuse(HttpError::TooDeep));
        }
        self.0.path.push(token);
        let inner = read(self.0)?;
        self.0.path.pop();
        Ok(inner)
    }

    fn refuse<E: serde::de::Error>(&mut self, fault: HttpError) -> E {
        self.0.fault = Some(fault);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("no number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let at = items.len().to_string();
            match self.inside(at, |state| seq.next_element_seed(Strict(state)))? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if object.contains_key(&key) {
                let pointer = pointer_of(self.0.path.iter().chain([&key]));
                return Err(self.refuse(HttpError::DuplicateKey { pointer }));
            }
            let value = self.inside(key.clone(), |state| map.next_value_seed(Strict(state)))?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

impl crate::http::body::shape::Fault {
    fn into_http(self) -> HttpError {
        HttpError::Field { pointer: self.pointer(), code: self.code, message: self.message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        to: Choice,
        #[serde(default)]
        why: Option<String>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Choice {
        Staging,
        Production,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        version: u64,
        moves: Vec<Inner>,
    }

    fn refused(text: &str) -> (String, &'static str, String) {
        match parse::<Outer>(text).unwrap_err() {
            HttpError::Field { pointer, code, message } => (pointer, code, message),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_sound_body_is_read() {
        let read: Outer =
            parse(r#"{"version": 3, "moves": [{"to": "staging"}, {"to": "production", "why": null}]}"#)
                .unwrap();
        assert_eq!(read.version, 3);
        assert_eq!(read.moves[1], Inner { to: Choice::Production, why: None });
    }

    #[test]
    fn each_fault_is_named_with_its_place_and_without_the_value() {
        let secret = r#"{"version": "Erika", "moves": []}"#;
        assert_eq!(refused(secret).0, "/version");
        assert_eq!(refused(secret).1, "type");
        assert!(!refused(secret).2.contains("Erika"));
        let unknown = refused(r#"{"version": 1, "moves": [{"to": "staging", "wy": "x"}]}"#);
        assert_eq!((unknown.0.as_str(), unknown.1), ("/moves/0/wy", "unknown_field"));
        assert!(unknown.2.contains("why"), "{}", unknown.2);
        let missing = refused(r#"{"version": 1, "moves": [{}]}"#);
        assert_eq!((missing.0.as_str(), missing.1), ("/moves/0/to", "required"));
        let choice = refused(r#"{"version": 1, "moves": [{"to": "live"}]}"#);
        assert_eq!((choice.0.as_str(), choice.1), ("/moves/0/to", "choice"));
        assert!(choice.2.contains("staging") && !choice.2.contains("live"), "{}", choice.2);
        assert_eq!(refused(r#"{"version": -1, "moves": []}"#).0, "/version");
        assert_eq!(refused(r#"{"version": 1.5, "moves": []}"#).0, "/version");
        assert_eq!(refused("[]").0, "");
    }

    #[test]
    fn a_key_twice_is_refused_at_every_level_with_its_pointer() {
        for (text, place) in [
            (r#"{"a": 1, "a": 2}"#, "/a"),
            (r#"{"x": [{"b~/": {"c": 1, "c": 1}}]}"#, "/x/0/b~0~1/c"),
            (r#"{"a": 1, "\u0061": 2}"#, "/a"),
        ] {
            match parse_value(text).unwrap_err() {
                HttpError::DuplicateKey { pointer } => assert_eq!(pointer, place),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_is_told_of_a_key_does_not_grow_with_it() {
        let long = "k".repeat(900_000);
        let unknown = refused(&format!(r#"{{"version": 1, "moves": [], "{long}": 1}}"#));
        assert!(unknown.0.len() < 300 && unknown.2.len() < 300);
        let twice = parse_value(&format!(r#"{{"{long}": 1, "{long}": 1}}"#)).unwrap_err();
        assert!(twice.to_string().len() < 400);
    }

    #[test]
    fn what_is_no_json_and_what_is_too_deep_are_refused() {
        for bad in ["", "NaN", "{\"a\": Infinity}", "1e999", "{} {}", "{'a': 1}", "[1,]"] {
            assert!(matches!(parse_value(bad), Err(HttpError::Syntax { .. })), "{bad}");
        }
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse_value(&nested(limits::JSON_DEPTH_MAX - 1)).is_ok());
        assert!(matches!(parse_value(&nested(limits::JSON_DEPTH_MAX + 1)), Err(HttpError::TooDeep)));
        assert!(matches!(parse_value(&"[".repeat(1_000_000)), Err(HttpError::TooDeep)));
        assert_eq!(
            parse_value(" {\"a\": [1, 2.5, null, true]} ").unwrap(),
            json!({"a": [1, 2.5, null, true]})
        );
    }
}
