//! Sessions of people: the token, what is kept of it, and when it ends.
//! Never keeps a token and never asks for the time.

use zeroize::Zeroizing;

use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::security::api_key::{draw_secret, is_secret};

pub mod csrf;

const PREFIX: &str = "tss_";

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    #[error("the system gave no random bytes")]
    Random,
    #[error("this is not a session's token")]
    Form,
    #[error("the session ended: {minutes} minutes went by without a request", minutes = limits::SESSION_IDLE_MS / 60_000)]
    Idle,
    #[error("the session ended: it lasts at most {hours} hours", hours = limits::SESSION_MS_MAX / 3_600_000)]
    Over,
}

impl Fact for SessionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Random => "session.not_made",
            Self::Form => "session.form",
            Self::Idle => "session.idle",
            Self::Over => "session.over",
        }
    }

    fn class(&self) -> Class {
        match self {
            Self::Random => Class::Failed,
            Self::Form | Self::Idle | Self::Over => Class::Permission,
        }
    }

    fn next_step(&self) -> Option<String> {
        matches!(self, Self::Idle | Self::Over).then(|| "Log in again.".to_string())
    }
}

/// A new token: the text goes to the person, the digest is kept.
pub struct NewSession {
    pub text: Zeroizing<String>,
    pub digest: Digest,
}

impl NewSession {
    pub fn draw() -> Result<Self, SessionError> {
        let secret = draw_secret().ok_or(SessionError::Random)?;
        let text = Zeroizing::new([PREFIX, secret.as_str()].concat());
        let digest = Digest::of(text.as_bytes());
        Ok(Self { text, digest })
    }
}

/// What a token is found by. Looking a digest up tells nothing of the token, whatever time it takes.
pub fn parse_token(text: &str) -> Result<Digest, SessionError> {
    match text.strip_prefix(PREFIX) {
        Some(secret) if is_secret(secret) => Ok(Digest::of(text.as_bytes())),
        _ => Err(SessionError::Form),
    }
}

/// When a session began and when it was last used, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimes {
    pub opened_ms: i64,
    pub seen_ms: i64,
}

impl SessionTimes {
    /// A clock that is set back meanwhile lengthens the session by as much.
    pub fn check(&self, now_ms: i64) -> Result<(), SessionError> {
        if now_ms.saturating_sub(self.opened_ms) >= limits::SESSION_MS_MAX {
            Err(SessionError::Over)
        } else if now_ms.saturating_sub(self.seen_ms) >= limits::SESSION_IDLE_MS {
            Err(SessionError::Idle)
        } else {
            Ok(())
        }
    }

    /// When it ends if nothing more is asked.
    pub fn ends_ms(&self) -> i64 {
        let idle = self.seen_ms.saturating_add(limits::SESSION_IDLE_MS);
        idle.min(self.opened_ms.saturating_add(limits::SESSION_MS_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};

    #[test]
    fn a_token_is_found_by_its_digest_and_by_one_spelling() {
        let session = NewSession::draw().unwrap();
        assert_eq!(session.text.len(), 4 + 43);
        assert_eq!(parse_token(&session.text), Ok(session.digest));
        let text = session.text.as_str();
        for other in [&text[1..], &text[..46], &text.replacen("tss", "tsk", 1), &format!("{text}A"), ""] {
            assert_eq!(parse_token(other), Err(SessionError::Form), "{other:?}");
        }
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_in_any_case_after_its_hours() {
        let minute = 60_000;
        let times = |seen| SessionTimes { opened_ms: 0, seen_ms: seen };
        assert_eq!(times(0).check(15 * minute - 1), Ok(()));
        assert_eq!(times(0).check(15 * minute), Err(SessionError::Idle));
        assert_eq!(times(719 * minute).check(720 * minute - 1), Ok(()));
        assert_eq!(times(719 * minute).check(720 * minute), Err(SessionError::Over));
        assert_eq!(times(719 * minute).ends_ms(), 720 * minute);
        assert_eq!(SessionError::Idle.to_string(), "the session ended: 15 minutes went by without a request");
        assert_eq!(SessionError::Over.to_string(), "the session ended: it lasts at most 12 hours");
    }

    proptest! {
        #[test]
        fn it_is_alive_just_until_it_ends(opened in 0..1i64 << 45, seen in 0..50_000_000i64, now in 0..100_000_000i64) {
            let times = SessionTimes { opened_ms: opened, seen_ms: opened + seen };
            let now = opened + now;
            prop_assert_eq!(times.check(now).is_ok(), now < times.ends_ms());
        }
    }
}
