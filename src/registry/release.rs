//! release.json: which model serves under which name and version, and where it came from.
//! Never carries a signature itself; those are detached, over exactly these bytes.

use serde::{Deserialize, Serialize};

use crate::base::canonical::{self, CanonicalError};
use crate::base::clock;
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::base::ids::{BadName, RunId, check_name};
use crate::base::limits;
use crate::registry::version::Label;

pub const FORMAT: &str = "tallystick.release.v1";

/// What a signature over a release vouches for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub format: String,
    pub name: String,
    /// Counts up within the name and is never reused.
    pub version: u64,
    pub label: Label,
    /// The digest of model.json.
    pub model: Digest,
    /// RFC 3339, as the edge told it.
    pub created: String,
    pub lineage: Lineage,
    /// A box that has once accepted a higher epoch refuses this release.
    pub security_epoch: u64,
    /// After this moment (RFC 3339) the fallback answers; null is without end.
    pub serve_until: Option<String>,
    /// Reserved for staged activation. Only null is read: what cannot be obeyed is refused, not ignored.
    pub activation: (),
    pub fallback: Fallback,
}

/// What the answer is where the model may not give one. None of them declines anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// A person decides.
    Refer,
    /// The score still counts and every decision is flagged as degraded.
    ContinueFlagged,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    pub run_id: RunId,
    /// Content digests of the tables the run read.
    pub data: Vec<Digest>,
    pub config: Digest,
    /// What was measured of the model, and the gates it was measured for.
    pub evaluation: Digest,
    pub code_version: String,
    /// What the CPU offered; other features may give other bits.
    pub cpu_features: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error("release.json: {0}")]
    Form(#[from] CanonicalError),
    #[error("release.json has the format {found:?}; this program reads {FORMAT:?}")]
    Format { found: String },
    #[error("release.json: {0}")]
    Name(#[from] BadName),
    #[error("release.json: {field} is {found}, outside of {min} to {max}", max = limits::EXACT_INTEGER_MAX)]
    Number { field: &'static str, found: u64, min: u64 },
    #[error("release.json: {field} is {found:?}, which is not an RFC 3339 time")]
    Time { field: &'static str, found: String },
    #[error("release.json: the lineage names no data")]
    NoData,
    #[error("release.json: the lineage names no code version")]
    NoCodeVersion,
}

impl Fact for ReleaseError {
    fn code(&self) -> &'static str {
        match self {
            Self::Form(_) => "release.form",
            Self::Format { .. } => "release.format",
            Self::Name(_) => "release.name",
            Self::Number { .. } => "release.number",
            Self::Time { .. } => "release.time",
            Self::NoData => "release.no_data",
            Self::NoCodeVersion => "release.no_code_version",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Format { .. } => Some("Install the program version the release was made for.".into()),
            _ => Some("Ask the issuer for the release again.".into()),
        }
    }
}

impl Release {
    /// The one sequence of bytes that is signed.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ReleaseError> {
        self.check()?;
        Ok(canonical::to_bytes(self)?)
    }

    /// Reads and checks canonical bytes; says nothing about who made them.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReleaseError> {
        let release: Self = canonical::parse(bytes)?;
        release.check()?;
        Ok(release)
    }

    /// Whether the release may no longer serve at this wall time.
    pub fn has_ended(&self, now_millis: i64) -> bool {
        let end = self.serve_until.as_deref().and_then(clock::parse_millis);
        end.is_some_and(|end| now_millis > end)
    }

    fn check(&self) -> Result<(), ReleaseError> {
        if self.format != FORMAT {
            return Err(ReleaseError::Format { found: self.format.clone() });
        }
        check_name(&self.name)?;
        check_number("version", self.version, 1)?;
        check_number("security_epoch", self.security_epoch, 0)?;
        check_time("created", &self.created)?;
        self.serve_until.as_deref().map_or(Ok(()), |text| check_time("serve_until", text))?;
        if self.lineage.data.is_empty() {
            return Err(ReleaseError::NoData);
        }
        if self.lineage.code_version.is_empty() {
            return Err(ReleaseError::NoCodeVersion);
        }
        Ok(())
    }
}

/// Beyond 2^53 two integers would share one canonical spelling, and so one digest.
fn check_number(field: &'static str, found: u64, min: u64) -> Result<(), ReleaseError> {
    if (min..=limits::EXACT_INTEGER_MAX).contains(&found) {
        Ok(())
    } else {
        Err(ReleaseError::Number { field, found, min })
    }
}

fn check_time(field: &'static str, text: &str) -> Result<(), ReleaseError> {
    match clock::parse_millis(text) {
        Some(_) => Ok(()),
        None => Err(ReleaseError::Time { field, found: text.to_string() }),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn release_of(model: Digest) -> Release {
        Release {
            format: FORMAT.into(),
            name: "loan-default".into(),
            version: 3,
            label: "2.1.0".parse().unwrap(),
            model,
            created: "2026-03-01T08:00:00.000Z".into(),
            lineage: Lineage {
                run_id: RunId::try_from("0123456789abcdef0123456789abcdef".to_string()).unwrap(),
                data: vec![Digest::of(b"data")],
                evaluation: Digest::of(b"evaluation"),
                config: Digest::of(b"config"),
                code_version: "0.1.0".into(),
                cpu_features: vec!["avx2".into()],
            },
            security_epoch: 1,
            serve_until: None,
            activation: (),
            fallback: Fallback::Refer,
        }
    }

    #[test]
    fn a_release_goes_there_and_back_in_one_form() {
        let release = release_of(Digest::of(b"model"));
        let bytes = release.to_bytes().unwrap();
        assert_eq!(Release::parse(&bytes).unwrap(), release);
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("{\"activation\":null,\"created\":"), "{text}");
    }

    #[test]
    fn what_this_program_cannot_obey_is_refused() {
        let text = String::from_utf8(release_of(Digest::of(b"m")).to_bytes().unwrap()).unwrap();
        let code = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            Release::parse(text.replacen(from, to, 1).as_bytes()).unwrap_err().code()
        };
        assert_eq!(code("\"activation\":null", "\"activation\":{\"shadow_rows\":9}"), "release.form");
        assert_eq!(code("\"name\":", "\"nama\":1,\"name\":"), "release.form");
        assert_eq!(code("release.v1", "release.v2"), "release.format");
        assert_eq!(code("\"version\":3", "\"version\":0"), "release.number");
        assert_eq!(code("\"version\":3", "\"version\":9007199254740992"), "release.number");
        assert_eq!(code("loan-default", "../default"), "release.name");
        assert_eq!(code("2026-03-01T08", "2026-13-01T08"), "release.time");
        assert_eq!(code("\"fallback\":\"refer\"", "\"fallback\":\"decline\""), "release.form");
        assert_eq!(code(",", ", "), "release.form");
    }

    #[test]
    fn a_release_ends_after_the_moment_it_names() {
        let mut release = release_of(Digest::of(b"model"));
        assert!(!release.has_ended(i64::MAX));
        release.serve_until = Some("1970-01-01T00:00:01.500Z".into());
        assert!(!release.has_ended(1_500));
        assert!(release.has_ended(1_501));
    }
}
