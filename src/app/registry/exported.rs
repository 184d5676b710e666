//! Verifying an exported release without a home: the folder, a trust root, and nothing else.
//! Loads by the same verifier and the same strict reading as everything that serves.

use std::path::Path;

use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::files::{self, FileError};
use crate::base::limits;
use crate::registry::signing::{verify_policy, verify_release};
use crate::security::dsse::{Envelope, EnvelopeError, PayloadType};
use crate::security::trust::TrustRoot;
use crate::serve::champion::Champion;

pub struct Seen {
    pub name: String,
    pub version: u64,
    pub model: Digest,
    pub key_id: String,
    pub signed_by: String,
    pub trust: Digest,
    pub golden_rows: usize,
}

/// A folder that is no whole release. Whatever is wrong with one of its files, the release is not what
/// was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportedError {
    #[error("{file} is not what its envelope was signed over")]
    OtherPayload { file: String },
    #[error("the release has no such part as it needs: {0}")]
    Part(#[from] FileError),
    #[error("{file}: {source}")]
    Envelope { file: String, source: EnvelopeError },
}

impl Fact for ExportedError {
    fn code(&self) -> &'static str {
        match self {
            Self::OtherPayload { .. } => "release.other_payload",
            Self::Part(_) => "release.part",
            Self::Envelope { source, .. } => source.code(),
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn next_step(&self) -> Option<String> {
        Some("Ask for the release again from where it was exported.".into())
    }
}

pub fn verify(folder: &Path, trust: Option<&Path>) -> Result<Seen, Failure> {
    let own = folder.join("trust.json");
    let bytes = files::read_at_most(trust.unwrap_or(&own), limits::TRUST_FILE_BYTES_MAX)?;
    let trust = TrustRoot::parse(&bytes)?;
    let (release, envelope) = read_pair(folder, "release", &trust, PayloadType::Release)?;
    let release = verify_release(&trust, 0, &release, envelope.signatures())?;
    let (policy, envelope) = read_pair(folder, "policy", &trust, PayloadType::Policy)?;
    let policy = verify_policy(&trust, &policy, envelope.signatures())?;
    let json = read_part(folder, "model.json", limits::MANIFEST_BYTES_MAX)?;
    let fetch =
        |digest: Digest, max: u64| files::read_at_most(&folder.join("blobs").join(digest.to_hex()), max);
    let champion = Champion::open(release, &json, &fetch, Some(policy))?;
    let (release, signed_by) = (champion.release().release(), champion.release().signed_by());
    Ok(Seen {
        name: release.name.clone(),
        version: release.version,
        model: release.model,
        key_id: signed_by.key_id.to_string(),
        signed_by: signed_by.name.clone(),
        trust: Digest::of(&bytes),
        golden_rows: champion.loaded().golden.rows.len(),
    })
}

/// A signed file and its envelope, which must hold the same bytes.
fn read_pair(
    folder: &Path,
    name: &str,
    trust: &TrustRoot,
    of: PayloadType,
) -> Result<(Vec<u8>, Envelope), ExportedError> {
    let bytes = read_part(folder, &format!("{name}.json"), limits::MANIFEST_BYTES_MAX)?;
    let file = format!("{name}.dsse.json");
    let text = read_part(folder, &file, limits::ENVELOPE_BYTES_MAX)?;
    let open = || {
        let envelope = Envelope::parse(&text)?;
        let (payload, _) = envelope.open(trust, of)?;
        Ok((payload, envelope))
    };
    let (payload, envelope) = open().map_err(|source| ExportedError::Envelope { file, source })?;
    if payload == bytes {
        Ok((bytes, envelope))
    } else {
        Err(ExportedError::OtherPayload { file: format!("{name}.json") })
    }
}

fn read_part(folder: &Path, name: &str, max: u64) -> Result<Vec<u8>, ExportedError> {
    Ok(files::read_at_most(&folder.join(name), max)?)
}
