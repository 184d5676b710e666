//! A form as a browser sends it (application/x-www-form-urlencoded): names and values, in their order.
//! Strict about its encoding; never says what a name means.

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use zeroize::Zeroizing;

use crate::base::limits;
use crate::http::body::read_at_most;
use crate::http::problem::HttpError;

/// What a browser sent of one form. Its values may be a person's.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn fields(&self) -> &[(String, Zeroizing<String>)] {
        &self.0
    }
}

pub async fn read(headers: &HeaderMap, body: Body) -> Result<Form, HttpError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(HttpError::FormType);
    }
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(HttpError::ContentEncoding);
    }
    parse(&read_at_most(body, limits::FORM_BYTES_MAX).await?)
}

pub fn parse(bytes: &[u8]) -> Result<Form, HttpError> {
    let parts = bytes.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    let mut fields = Vec::new();
    for part in parts {
        if fields.len() >= limits::FORM_FIELDS_MAX {
            return Err(HttpError::FormFields);
        }
        let at = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
        let (name, value) = (&part[..at], part.get(at + 1..).unwrap_or_default());
        fields.push((decode(name)?, Zeroizing::new(decode(value)?)));
    }
    Ok(Form(fields))
}

fn decode(text: &[u8]) -> Result<String, HttpError> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => out.push(b' '),
            b'%' => {
                let (pair, tail) = rest.split_first_chunk::<2>().ok_or(HttpError::NotText)?;
                rest = tail;
                let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(HttpError::NotText);
                out.push((digit(pair[0])? * 16 + digit(pair[1])?) as u8);
            }
            other => out.push(*other),
        }
    }
    String::from_utf8(out).map_err(|_| HttpError::NotText)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded_in_their_order() {
        let form = parse(b"a=1&b=x+y%26z&a=2&empty=&bare&%C3%A4=%C3%B6").unwrap();
        assert_eq!(form.find("a"), Some("1"));
        assert_eq!(form.find("b"), Some("x y&z"));
        assert_eq!(form.find("empty"), Some(""));
        assert_eq!(form.find("bare"), Some(""));
        assert_eq!(form.find("ä"), Some("ö"));
        assert_eq!(form.find("c"), None);
        assert_eq!(form.fields().len(), 6);
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for bad in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%FF", b"%C3=1"] {
            assert!(matches!(parse(bad), Err(HttpError::NotText)), "{bad:?}");
        }
        let many = "a=1&".repeat(limits::FORM_FIELDS_MAX + 1);
        assert!(matches!(parse(many.as_bytes()), Err(HttpError::FormFields)));
    }
}
