//! A parsed JSON value read into a type, with the place of whatever does not fit.
//! Never repeats a value: only places, and what was expected there.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer as _, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use crate::base::fact::nearest;
use crate::base::limits;

/// A JSON pointer (RFC 6901). A key that no body of ours has is told by its beginning: an answer must not grow with
/// what was sent.
pub fn pointer_of<'a>(tokens: impl IntoIterator<Item = &'a String>) -> String {
    let begins = |token: &str| token.chars().take(limits::COLUMN_NAME_CHARS_MAX).collect::<String>();
    tokens
        .into_iter()
        .map(|token| format!("/{}", begins(token).replace('~', "~0").replace('/', "~1")))
        .collect()
}

/// What does not fit, and where.
#[derive(Debug)]
pub struct Fault {
    /// The innermost first.
    tokens: Vec<String>,
    pub code: &'static str,
    pub message: String,
}

impl Fault {
    fn new(code: &'static str, message: String) -> Self {
        Self { tokens: Vec::new(), code, message }
    }

    fn at(mut self, token: impl Into<String>) -> Self {
        self.tokens.push(token.into());
        self
    }

    pub fn pointer(&self) -> String {
        pointer_of(self.tokens.iter().rev())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new("invalid", message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new("type", format!("{expected} is expected"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new("value", format!("{expected} is expected"))
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::new("length", format!("{expected} is expected"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new("choice", format!("one of {} is expected", expected.join(", ")))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let hint = match nearest(field, expected.iter().copied()) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("there are {}", expected.join(", ")),
        };
        Self::new("unknown_field", format!("there is no such field; {hint}")).at(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new("required", "the field is missing".to_string()).at(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new("duplicate_key", "the field stands twice, also under another name".to_string()).at(field)
    }
}

/// A value to be read.
pub struct Shape<'a>(pub &'a Value);

impl<'de> Deserializer<'de> for Shape<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (_, _, Some(value)) => visitor.visit_f64(value),
                _ => Err(Fault::new("type", "a number is expected".into())),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items { items, at: 0 }),
            Value::Object(object) => visitor.visit_map(Members { rest: object.iter(), value: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::String(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            Value::Object(object) if object.len() == 1 => visitor.visit_enum(Variant(object)),
            _ => Err(Fault::new("type", "one word of a choice is expected".into())),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier
    }
}

struct Items<'a> {
    items: &'a [Value],
    at: usize,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some(item) = self.items.get(self.at) else { return Ok(None) };
        let read = seed.deserialize(Shape(item)).map_err(|fault| fault.at(self.at.to_string()))?;
        self.at += 1;
        Ok(Some(read))
    }
}

struct Members<'a> {
    rest: serde_json::map::Iter<'a>,
    value: Option<(&'a String, &'a Value)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some((key, value));
        seed.deserialize(StrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, value) =
            self.value.take().ok_or_else(|| Fault::new("type", "a value is expected".into()))?;
        seed.deserialize(Shape(value)).map_err(|fault| fault.at(key))
    }
}

/// A choice with a content, as `{"word": content}`.
struct Variant<'a>(&'a Map<String, Value>);

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Fault;
    type Variant = Content<'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Content<'de>), Fault> {
        let (word, content) =
            self.0.iter().next().ok_or_else(|| Fault::new("type", "a choice is expected".into()))?;
        Ok((seed.deserialize(StrDeserializer::new(word))?, Content { word, content }))
    }
}

struct Content<'a> {
    word: &'a str,
    content: &'a Value,
}

impl<'de> VariantAccess<'de> for Content<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Err(Fault::new("type", "the word alone is expected".into()).at(self.word))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(Shape(self.content)).map_err(|fault| fault.at(self.word))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        Shape(self.content).deserialize_any(visitor).map_err(|fault| fault.at(self.word))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        Shape(self.content).deserialize_any(visitor).map_err(|fault| fault.at(self.word))
    }
}
