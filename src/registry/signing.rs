//! Signing releases and policies, and the one verifier of both: what it returns can be made nowhere else.
//! Never reads a file and never decides which key is trusted.

use crate::base::canonical::{self, CanonicalError};
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::registry::release::{Release, ReleaseError};
use crate::security::dsse::{
    PayloadType, Signature, SignatureError, VerifiedBy, sign_detached, verify_detached,
};
use crate::security::key::SigningKey;
use crate::security::trust::TrustRoot;

/// Bytes with one signature over exactly them.
#[derive(Clone, Debug)]
pub struct Signed {
    pub bytes: Vec<u8>,
    pub digest: Digest,
    pub signature: Signature,
}

/// A release whose signature was good and whose epoch is not behind. Only `verify_release` makes one.
#[derive(Clone, Debug)]
pub struct VerifiedRelease {
    release: Release,
    digest: Digest,
    signed_by: VerifiedBy,
}

/// Policy bytes whose signature was good. Only `verify_policy` makes one.
#[derive(Clone, Debug)]
pub struct VerifiedPolicy {
    bytes: Vec<u8>,
    digest: Digest,
    signed_by: VerifiedBy,
}

#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    #[error("the {what} is {size} bytes; at most {max} are read", max = limits::MANIFEST_BYTES_MAX)]
    TooLarge { what: PayloadType, size: usize },
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error(transparent)]
    Release(#[from] ReleaseError),
    #[error("the policy: {0}")]
    Policy(#[from] CanonicalError),
    #[error(
        "release {name}@{version} has the security epoch {found}, older than the {floor} this store has seen: \
         it was withdrawn"
    )]
    Rollback { name: String, version: u64, found: u64, floor: u64 },
}

impl Fact for SigningError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "signing.too_large",
            Self::Signature(inner) => inner.code(),
            Self::Release(inner) => inner.code(),
            Self::Policy(_) => "signing.policy_form",
            Self::Rollback { .. } => "signing.rollback",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }

    fn next_step(&self) -> Option<String> {
        match self {
            Self::Signature(inner) => inner.next_step(),
            Self::Release(inner) => inner.next_step(),
            Self::Rollback { .. } => Some("Use a release of the present security epoch.".into()),
            Self::TooLarge { .. } | Self::Policy(_) => Some("Ask the issuer for it again.".into()),
        }
    }
}

pub fn sign_release(key: &SigningKey, release: &Release) -> Result<Signed, SigningError> {
    Ok(sign(key, PayloadType::Release, release.to_bytes()?))
}

/// Signs a policy's canonical bytes, as `ResolvedPolicy::to_bytes` writes them.
pub fn sign_policy(key: &SigningKey, bytes: Vec<u8>) -> Result<Signed, SigningError> {
    canonical::parse::<serde_json::Value>(&bytes)?;
    Ok(sign(key, PayloadType::Policy, bytes))
}

fn sign(key: &SigningKey, what: PayloadType, bytes: Vec<u8>) -> Signed {
    let signature = sign_detached(key, what, &bytes);
    Signed { digest: Digest::of(&bytes), signature, bytes }
}

/// The only way to a `VerifiedRelease`. The signature is checked before a byte is parsed;
/// `epoch_floor` is the highest security epoch the store has accepted.
pub fn verify_release(
    trust: &TrustRoot,
    epoch_floor: u64,
    bytes: &[u8],
    signatures: &[Signature],
) -> Result<VerifiedRelease, SigningError> {
    let signed_by = verify(trust, PayloadType::Release, bytes, signatures)?;
    let release = Release::parse(bytes)?;
    if release.security_epoch < epoch_floor {
        let Release { name, version, security_epoch: found, .. } = release;
        return Err(SigningError::Rollback { name, version, found, floor: epoch_floor });
    }
    Ok(VerifiedRelease { release, digest: Digest::of(bytes), signed_by })
}

/// The only way to a `VerifiedPolicy`; what the bytes say is checked where policies are read.
pub fn verify_policy(
    trust: &TrustRoot,
    bytes: &[u8],
    signatures: &[Signature],
) -> Result<VerifiedPolicy, SigningError> {
    let signed_by = verify(trust, PayloadType::Policy, bytes, signatures)?;
    Ok(VerifiedPolicy { bytes: bytes.to_vec(), digest: Digest::of(bytes), signed_by })
}

fn verify(
    trust: &TrustRoot,
    what: PayloadType,
    bytes: &[u8],
    signatures: &[Signature],
) -> Result<VerifiedBy, SigningError> {
    if bytes.len() as u64 > limits::MANIFEST_BYTES_MAX {
        return Err(SigningError::TooLarge { what, size: bytes.len() });
    }
    Ok(verify_detached(trust, what, bytes, signatures)?)
}

impl VerifiedRelease {
    pub fn release(&self) -> &Release {
        &self.release
    }

    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub fn signed_by(&self) -> &VerifiedBy {
        &self.signed_by
    }
}

impl VerifiedPolicy {
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub fn signed_by(&self) -> &VerifiedBy {
        &self.signed_by
    }
}

#[cfg(test)]
pub(crate) mod tests;
