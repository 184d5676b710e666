//! Request bodies: bounded in bytes and time, of the one type that is read, strict at every level.
//! Never hands on a part of a body.

pub mod file;
pub mod form;
pub mod json;
pub mod shape;

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::base::limits;
use crate::http::problem::HttpError;

/// Reads a whole JSON body of at most `max` bytes as text; its syntax is not looked at.
pub async fn read_json_text(headers: &HeaderMap, body: Body, max: usize) -> Result<String, HttpError> {
    check_media_type(headers)?;
    let bytes = read_at_most(body, max).await?;
    String::from_utf8(bytes.into()).map_err(|_| HttpError::NotText)
}

pub async fn read_at_most(body: Body, max: usize) -> Result<Bytes, HttpError> {
    // Refused before a byte is read; a client that waits for `100 Continue` is never asked to send.
    if body.size_hint().lower() > max as u64 {
        return Err(HttpError::BodyTooLarge { max });
    }
    let max_ms = limits::REQUEST_BODY_MS;
    let read = timeout(Duration::from_millis(max_ms), collect(body, max)).await;
    read.map_err(|_| HttpError::BodyTimeout { max_ms })?
}

async fn collect(mut body: Body, max: usize) -> Result<Bytes, HttpError> {
    let mut first = Bytes::new();
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| HttpError::BodyCut)?.into_data() else { continue };
        if first.len() + all.len() + data.len() > max {
            return Err(HttpError::BodyTooLarge { max });
        }
        if first.is_empty() && all.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.into() })
}

fn check_media_type(headers: &HeaderMap) -> Result<(), HttpError> {
    // A body of two types has none, and what is compressed is not read: its size would not be known.
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return Err(HttpError::MediaType) };
    if headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(HttpError::ContentEncoding);
    }
    let mut parts = only.to_str().unwrap_or_default().split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let in_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if is_json && in_utf8 { Ok(()) } else { Err(HttpError::MediaType) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    async fn read(content_type: &str, body: Body) -> Result<String, HttpError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        read_json_text(&headers, body, 8).await
    }

    #[tokio::test]
    async fn a_body_of_the_limit_is_read_and_one_byte_more_is_refused() {
        let read = |text: &'static str| read("application/json", Body::from(text));
        assert_eq!(read("12345678").await.unwrap(), "12345678");
        assert!(matches!(read("123456789").await, Err(HttpError::BodyTooLarge { max: 8 })));
    }

    #[tokio::test]
    async fn other_types_and_other_encodings_are_refused() {
        for good in
            ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\""]
        {
            assert!(read(good, Body::from("1")).await.is_ok(), "{good}");
        }
        for bad in ["text/json", "application/json; charset=latin-1", "application/x-www-form-urlencoded"] {
            assert!(matches!(read(bad, Body::from("1")).await, Err(HttpError::MediaType)), "{bad}");
        }
    }

    #[test]
    fn a_body_has_one_type_and_is_not_compressed() {
        let json = HeaderValue::from_static("application/json");
        let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, json)]);
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("identity"));
        assert!(check_media_type(&headers).is_ok());
        headers.append(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert!(matches!(check_media_type(&headers), Err(HttpError::ContentEncoding)));
        headers.append(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        assert!(matches!(check_media_type(&headers), Err(HttpError::MediaType)));
        assert!(matches!(check_media_type(&HeaderMap::new()), Err(HttpError::MediaType)));
    }
}
