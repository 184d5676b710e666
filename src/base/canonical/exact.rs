//! Walks a value and refuses every number that JSON's doubles would change without a word.
//! Writes nothing. Needed since serde_json makes null of a nested NaN and the canonical writer rounds integers.

use std::fmt::Display;

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use crate::base::limits;

#[derive(Debug, PartialEq, thiserror::Error)]
pub enum NotExact {
    #[error("the integer {0} is not kept exactly by a double")]
    Integer(i128),
    #[error("{0} is not a number that JSON can write")]
    Float(f64),
    #[error("{0}")]
    Other(String),
}

impl Error for NotExact {
    fn custom<T: Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }
}

/// Whether each number in the value is the number that canonical JSON would write.
pub fn check_exact<T: Serialize + ?Sized>(value: &T) -> Result<(), NotExact> {
    value.serialize(Exact)
}

struct Exact;

type Checked = Result<(), NotExact>;

/// Beyond 2^53 an integer passes only when the digits of its double are its own: 10^18 does, 2^60 does not.
fn integer(value: i128) -> Checked {
    let size = value.unsigned_abs();
    let small = size <= u128::from(limits::EXACT_INTEGER_MAX);
    let kept = small || (size <= u128::from(u64::MAX) && (value as f64).to_string() == value.to_string());
    if kept { Ok(()) } else { Err(NotExact::Integer(value)) }
}

fn float(value: f64) -> Checked {
    if value.is_finite() { Ok(()) } else { Err(NotExact::Float(value)) }
}

/// Methods whose argument is always exact, or is a number to be checked.
macro_rules! scalars {
    ($($method:ident($kind:ty) => $check:expr;)*) => {
        $(fn $method(self, value: $kind) -> Checked { $check(value) })*
    };
}

fn sound<T>(_: T) -> Checked {
    Ok(())
}

impl Serializer for Exact {
    type Ok = ();
    type Error = NotExact;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    scalars! {
        serialize_bool(bool) => sound;
        serialize_char(char) => sound;
        serialize_str(&str) => sound;
        serialize_bytes(&[u8]) => sound;
        serialize_i8(i8) => sound;
        serialize_i16(i16) => sound;
        serialize_i32(i32) => sound;
        serialize_u8(u8) => sound;
        serialize_u16(u16) => sound;
        serialize_u32(u32) => sound;
        serialize_i64(i64) => |value| integer(i128::from(value));
        serialize_u64(u64) => |value| integer(i128::from(value));
        serialize_i128(i128) => integer;
        serialize_u128(u128) => |value| integer(i128::try_from(value).unwrap_or(i128::MAX));
        serialize_f32(f32) => |value| float(f64::from(value));
        serialize_f64(f64) => float;
        serialize_unit_struct(&'static str) => sound;
    }

    fn serialize_none(self) -> Checked {
        Ok(())
    }

    fn serialize_unit(self) -> Checked {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Checked {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Checked {
        check_exact(value)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Checked {
        check_exact(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Checked {
        check_exact(value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, NotExact> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, NotExact> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, NotExact> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, NotExact> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, NotExact> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NotExact> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, NotExact> {
        Ok(self)
    }
}

/// Lists and structs of every kind: each part is checked on its own.
macro_rules! compounds {
    ($($kind:ident::$method:ident($($name:ident: $name_kind:ty)?);)*) => {
        $(impl $kind for Exact {
            type Ok = ();
            type Error = NotExact;

            fn $method<T: Serialize + ?Sized>(&mut self, $($name: $name_kind,)? value: &T) -> Checked {
                check_exact(value)
            }

            fn end(self) -> Checked {
                Ok(())
            }
        })*
    };
}

compounds! {
    SerializeSeq::serialize_element();
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
    SerializeStruct::serialize_field(_name: &'static str);
    SerializeStructVariant::serialize_field(_name: &'static str);
}

impl SerializeMap for Exact {
    type Ok = ();
    type Error = NotExact;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Checked {
        check_exact(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Checked {
        check_exact(value)
    }

    fn end(self) -> Checked {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(serde::Serialize)]
    enum Shape<T> {
        Tuple(u8, T),
        Struct { inner: Option<T> },
        Newtype(T),
        Unit,
    }

    fn everywhere<T: Serialize + Clone>(value: T) -> Vec<Result<(), NotExact>> {
        vec![
            check_exact(&value),
            check_exact(&vec![value.clone()]),
            check_exact(&(Shape::Unit::<T>, value.clone())),
            check_exact(&Shape::Tuple(0, value.clone())),
            check_exact(&Shape::Struct { inner: Some(value.clone()) }),
            check_exact(&Shape::Newtype(value.clone())),
            check_exact(&BTreeMap::from([("key", value)])),
        ]
    }

    #[test]
    fn an_inexact_number_is_found_wherever_it_stands() {
        let power = 1u64 << 53;
        assert!(everywhere(power - 1).iter().all(Result::is_ok));
        assert!(everywhere(-1.5).iter().all(Result::is_ok));
        assert!(everywhere(power + 1).iter().all(|found| *found == Err(NotExact::Integer((1 << 53) + 1))));
        assert!(everywhere(-(power as i64) - 1).iter().all(Result::is_err));
        assert!(everywhere(u128::MAX).iter().all(Result::is_err));
        assert!(everywhere(f64::NAN).iter().all(Result::is_err));
        assert!(everywhere(f32::NEG_INFINITY).iter().all(Result::is_err));
        assert!(check_exact(&BTreeMap::from([(power + 1, 0)])).is_err());
    }

    #[test]
    fn a_large_integer_is_refused_just_when_its_canonical_text_would_be_another() {
        let powers = (0..64).map(|n| 1u64 << n).chain((0..20).map(|n| 10u64.pow(n)));
        for value in powers.flat_map(|power| [power - 1, power, power + 1]).chain([u64::MAX]) {
            let written = serde_json_canonicalizer::to_string(&value).unwrap();
            assert_eq!(check_exact(&value).is_ok(), written == value.to_string(), "{value}");
        }
    }
}
