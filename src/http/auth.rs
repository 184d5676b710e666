//! Who asks: a bearer token, or the user at the other end of a socket of this machine.
//! Decides nothing: it finds what the caller brought and asks the use case.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::app::home::App;
use crate::app::people::{Credentials, Peer, WhoError, authenticate};
use crate::base::fact::Failure;
use crate::security::actor::Person;

/// Where a request came from.
#[derive(Clone, Debug)]
pub enum Origin {
    Network(IpAddr),
    Local(Peer),
    /// From this very process, which knows for whom it works.
    Process(Person),
}

impl Origin {
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Network(address) => Some(*address),
            _ => None,
        }
    }
}

/// The person behind a request. Who sends a token is whom it names, also at a socket of this machine:
/// nobody becomes more than they said they are.
pub fn find_person(app: &App, headers: &HeaderMap, origin: Option<&Origin>) -> Result<Person, Failure> {
    if headers.contains_key(AUTHORIZATION) {
        return authenticate(app, &Credentials::Bearer(bearer(headers)?));
    }
    match origin {
        Some(Origin::Process(person)) => Ok(person.clone()),
        Some(Origin::Local(peer)) => authenticate(app, &Credentials::Peer(*peer)),
        Some(Origin::Network(_)) | None => Err(WhoError::Unauthenticated.into()),
    }
}

/// The token of the one Authorization header.
pub fn bearer(headers: &HeaderMap) -> Result<&str, WhoError> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return Err(WhoError::Unauthenticated) };
    let (scheme, token) =
        only.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(WhoError::Unauthenticated)?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        Ok(token)
    } else {
        Err(WhoError::Unauthenticated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn one_bearer_token_is_found_and_nothing_else_is_taken_for_one() {
        let mut headers = HeaderMap::new();
        assert!(bearer(&headers).is_err());
        headers.insert(AUTHORIZATION, HeaderValue::from_static("bearer  tsk_abc"));
        assert_eq!(bearer(&headers).unwrap(), "tsk_abc");
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer tsk_other"));
        assert!(bearer(&headers).is_err());
        for bad in ["Basic dXNlcjpwdw==", "Bearer", "Bearer ", "tsk_abc"] {
            headers.insert(AUTHORIZATION, HeaderValue::from_static(bad));
            assert!(bearer(&headers).is_err(), "{bad}");
        }
    }
}
