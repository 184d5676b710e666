//! One request's name and place in a trace, and its line in the log.
//! The log never has a query, a body, a key or a case's person in it.

use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::base::ids::draw_correlation_id;
use crate::base::limits;

pub const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

#[derive(Clone, Debug)]
pub struct Context {
    pub correlation_id: String,
    /// The caller's W3C traceparent, where it is a valid one.
    pub traceparent: Option<String>,
    begun: Instant,
}

impl Context {
    pub fn of(headers: &HeaderMap) -> Self {
        let begun = Instant::now();
        let given = headers.get(CORRELATION_ID).and_then(|value| value.to_str().ok());
        let correlation_id = match given.filter(|text| is_correlation_id(text)) {
            Some(text) => text.to_string(),
            None => draw_correlation_id(),
        };
        let given = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
        let traceparent = given.filter(|text| is_traceparent(text)).map(str::to_string);
        Self { correlation_id, traceparent, begun }
    }

    /// When its head was read.
    pub fn begun(&self) -> Instant {
        self.begun
    }

    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.correlation_id).unwrap_or(HeaderValue::from_static("unknown"))
    }
}

/// Safe in a header, a log and a file name.
fn is_correlation_id(text: &str) -> bool {
    (1..=limits::CORRELATION_ID_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

/// W3C Trace Context, version 00 and what later versions must begin with.
fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let parts: Vec<&str> = text.splitn(5, '-').collect();
    let [version, trace, parent, flags, rest @ ..] = &parts[..] else { return false };
    let set = |part: &str| part.bytes().any(|b| b != b'0');
    let known = (*version == "00") == rest.is_empty() && *version != "ff";
    known
        && text.len() <= limits::CORRELATION_ID_CHARS_MAX * 2
        && hex(version, 2)
        && hex(trace, 32)
        && set(trace)
        && hex(parent, 16)
        && set(parent)
        && hex(flags, 2)
        && rest.iter().all(|part| part.bytes().all(|b| b.is_ascii_graphic()))
}

/// What is known of a request when it is answered.
pub struct Done<'a> {
    pub method: &'static str,
    /// The pattern, never the path: a path may name a case.
    pub route: &'static str,
    pub status: StatusCode,
    pub principal: Option<&'a str>,
    pub code: Option<&'static str>,
    /// What the server did wrong, where it did.
    pub fault: Option<String>,
}

/// A field of the line that may be absent.
fn or_dash(text: Option<&str>) -> &str {
    text.unwrap_or("-")
}

/// One line: at `debug` where all went well and fast, louder where it did not.
pub fn log(context: &Context, done: &Done<'_>, elapsed: Duration) {
    let Done { method, route, status, principal, code, fault } = done;
    let status = status.as_u16();
    let duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    let slow = duration_us > limits::SLOW_REQUEST_MS * 1_000;
    macro_rules! line {
        ($level:ident, $($more:tt)*) => {
            tracing::$level!(
                target: "tallystick::request",
                method,
                route,
                status,
                duration_us,
                correlation_id = context.correlation_id,
                traceparent = or_dash(context.traceparent.as_deref()),
                principal = or_dash(*principal),
                code = or_dash(*code),
                $($more)*
            )
        };
    }
    match (status, slow) {
        (500, _) => line!(error, fault = or_dash(fault.as_deref()), "failed"),
        (501.., _) => line!(warn, "unavailable"),
        (400.., _) => line!(info, "refused"),
        (_, true) => line!(warn, "slow"),
        _ => line!(debug, "answered"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: HeaderName, value: &str) -> Context {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        Context::of(&headers)
    }

    #[test]
    fn a_sound_correlation_id_is_kept_and_any_other_replaced() {
        assert_eq!(of(CORRELATION_ID, "core.2026_x-1").correlation_id, "core.2026_x-1");
        for bad in ["", "a b", "a/b", "ä", &"a".repeat(65)] {
            let made = of(CORRELATION_ID, bad).correlation_id;
            assert!(made != bad && is_correlation_id(&made), "{bad:?} -> {made}");
        }
    }

    #[test]
    fn a_traceparent_is_kept_only_where_it_is_one() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(of(TRACEPARENT, good).traceparent.as_deref(), Some(good));
        assert!(of(TRACEPARENT, &good.replacen("00", "01", 1)).traceparent.is_none());
        assert!(of(TRACEPARENT, &(good.replacen("00", "01", 1) + "-more")).traceparent.is_some());
        for bad in [
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f35-00f067aa0ba902b7-01",
        ] {
            assert!(of(TRACEPARENT, bad).traceparent.is_none(), "{bad}");
        }
    }
}
