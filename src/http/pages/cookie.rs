//! The one cookie: which session a browser is in, or, before it has one, which visitor filled in a form.
//! Its name binds it to this host and to TLS; no script and no other site can read or send it.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use zeroize::Zeroizing;

const NAME: &str = "__Host-tallystick";
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

/// The token of the request's cookie. Two of the name are none: one of them was planted.
pub fn find_token(headers: &HeaderMap) -> Option<Zeroizing<String>> {
    let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut tokens = pairs.filter(|(name, _)| *name == NAME).map(|(_, token)| token.trim());
    match (tokens.next(), tokens.next()) {
        (Some(only), None) if !only.is_empty() => Some(Zeroizing::new(only.to_string())),
        _ => None,
    }
}

pub fn with_token(mut response: Response, token: &str) -> Response {
    if let Ok(mut value) = HeaderValue::from_str(&format!("{NAME}={token}; {ATTRIBUTES}")) {
        value.set_sensitive(true);
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

pub fn without_token(mut response: Response) -> Response {
    let value = format!("{NAME}=; Max-Age=0; {ATTRIBUTES}");
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cookie_of_the_name_is_found_and_two_are_none() {
        let of = |text: &str| {
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(text).unwrap())]);
            find_token(&headers).map(|token| token.to_string())
        };
        assert_eq!(of("a=b; __Host-tallystick=tss_x; c=d").as_deref(), Some("tss_x"));
        for none in
            ["", "a=b", "tallystick=tss_x", "__Host-tallystick=", "__Host-tallystick=1; __Host-tallystick=2"]
        {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
