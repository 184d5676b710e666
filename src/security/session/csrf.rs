//! The token that a form of ours carries, so that no other site can have a browser send one.
//! Nothing of it is kept: it is made from the session's own token, which no other site can read.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::fact::{Class, Fact};

const MEANING: &[u8] = b"tallystick.csrf.v1";

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the form is not one that this server gave to this session")]
pub struct ForeignForm;

impl Fact for ForeignForm {
    fn code(&self) -> &'static str {
        "security.foreign_form"
    }

    fn class(&self) -> Class {
        Class::Permission
    }

    fn next_step(&self) -> Option<String> {
        Some("Open the page again and fill in the form there.".into())
    }
}

fn key_of(session: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, session.as_bytes())
}

/// What the forms of this session carry.
pub fn token_of(session: &str) -> String {
    URL_SAFE_NO_PAD.encode(hmac::sign(&key_of(session), MEANING))
}

/// Whether a form came from a page of this session; the time it takes tells nothing.
pub fn verify(session: &str, given: &str) -> Result<(), ForeignForm> {
    let bytes = URL_SAFE_NO_PAD.decode(given).map_err(|_| ForeignForm)?;
    hmac::verify(&key_of(session), MEANING, &bytes).map_err(|_| ForeignForm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_own_session_alone() {
        let token = token_of("tss_one");
        assert_eq!(verify("tss_one", &token), Ok(()));
        assert_eq!(token, token_of("tss_one"));
        let mut cut = token.clone();
        cut.pop();
        for other in ["", "A", cut.as_str(), &format!("{token}A"), &token_of("tss_two")] {
            assert_eq!(verify("tss_one", other), Err(ForeignForm), "{other:?}");
        }
        assert!(!token.contains("tss_"));
    }
}
