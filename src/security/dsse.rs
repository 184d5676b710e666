//! DSSE v1 signatures over releases and policies, detached or in an envelope; one verifier for both.
//! There is no unsigned path: an envelope gives its payload only for a good signature of the right role.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::canonical::{self, CanonicalError};
use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::security::base64_text::{parse_base64, parse_base64_array, to_base64};
use crate::security::key::{KeyId, SigningKey};
use crate::security::trust::{KeyRefused, KeyRole, TrustRoot};

/// What is signed. The type stands inside the signed bytes and decides which role may sign it,
/// so that no signature over one kind of thing can pass for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PayloadType {
    #[serde(rename = "application/vnd.tallystick.release+json")]
    Release,
    #[serde(rename = "application/vnd.tallystick.policy+json")]
    Policy,
}

impl PayloadType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Release => "application/vnd.tallystick.release+json",
            Self::Policy => "application/vnd.tallystick.policy+json",
        }
    }

    pub fn role(self) -> KeyRole {
        match self {
            Self::Release => KeyRole::Release,
            Self::Policy => KeyRole::Policy,
        }
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.role().as_str())
    }
}

/// The bytes that are signed: type and payload, each with its length before it.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    #[serde(rename = "keyid")]
    pub key_id: KeyId,
    #[serde(serialize_with = "write_signature", deserialize_with = "read_signature")]
    pub sig: [u8; 64],
}

fn write_signature<S: Serializer>(bytes: &[u8; 64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_base64(bytes))
}

fn read_signature<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 64], D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_base64_array(&text).ok_or_else(|| serde::de::Error::custom("not 64 bytes in standard base64"))
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the {what} has no signature")]
    NoSignature { what: PayloadType },
    #[error("the {what} has {found} signatures; at most {max} are looked at", max = limits::SIGNATURES_MAX)]
    TooMany { what: PayloadType, found: usize },
    #[error("the {what} is signed by key {key_id}, which is not in the trust root")]
    UnknownKey { what: PayloadType, key_id: KeyId },
    #[error("the {what} is signed by key {key_id} ({name}), which is not trusted for the role {role}")]
    WrongRole { what: PayloadType, key_id: KeyId, name: String, role: KeyRole },
    #[error("the {what} is not what key {key_id} ({name}) signed: the signature does not verify")]
    Bad { what: PayloadType, key_id: KeyId, name: String },
}

impl SignatureError {
    /// Of several refusals, the one nearest to a good signature is told.
    fn nearness(&self) -> u8 {
        match self {
            Self::NoSignature { .. } | Self::TooMany { .. } => 0,
            Self::UnknownKey { .. } => 1,
            Self::WrongRole { .. } => 2,
            Self::Bad { .. } => 3,
        }
    }
}

impl Fact for SignatureError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoSignature { .. } => "security.no_signature",
            Self::TooMany { .. } => "security.too_many_signatures",
            Self::UnknownKey { .. } => "security.unknown_key",
            Self::WrongRole { .. } => "security.wrong_role",
            Self::Bad { .. } => "security.bad_signature",
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }
}

/// Whose signature was good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBy {
    pub key_id: KeyId,
    pub name: String,
}

pub fn sign_detached(key: &SigningKey, payload_type: PayloadType, payload: &[u8]) -> Signature {
    Signature { key_id: key.public().key_id(), sig: key.sign(&pae(payload_type.as_str(), payload)) }
}

/// The one verifier: at least one signature must be good and by a key trusted for the type's role.
pub fn verify_detached(
    trust: &TrustRoot,
    payload_type: PayloadType,
    payload: &[u8],
    signatures: &[Signature],
) -> Result<VerifiedBy, SignatureError> {
    let what = payload_type;
    if signatures.len() > limits::SIGNATURES_MAX {
        return Err(SignatureError::TooMany { what, found: signatures.len() });
    }
    let message = pae(payload_type.as_str(), payload);
    let mut nearest = SignatureError::NoSignature { what };
    for signature in signatures {
        match verify_one(trust, what, &message, signature) {
            Ok(verified) => return Ok(verified),
            Err(error) if error.nearness() > nearest.nearness() => nearest = error,
            Err(_) => {}
        }
    }
    Err(nearest)
}

fn verify_one(
    trust: &TrustRoot,
    what: PayloadType,
    message: &[u8],
    signature: &Signature,
) -> Result<VerifiedBy, SignatureError> {
    let key = trust.key_for(what.role(), signature.key_id).map_err(|refused| match refused {
        KeyRefused::Unknown { key_id } => SignatureError::UnknownKey { what, key_id },
        KeyRefused::WrongRole { key_id, name, role } => {
            SignatureError::WrongRole { what, key_id, name, role }
        }
    })?;
    let (key_id, name) = (key.key_id, key.name.clone());
    match key.public_key.verify(message, &signature.sig) {
        Ok(()) => Ok(VerifiedBy { key_id, name }),
        Err(_) => Err(SignatureError::Bad { what, key_id, name }),
    }
}

#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    #[error("the envelope is {size} bytes; at most {max} are read")]
    TooLarge { size: usize, max: u64 },
    #[error("the envelope: {0}")]
    Form(#[from] CanonicalError),
    #[error("the envelope holds a {found} where a {expected} belongs")]
    OtherType { expected: PayloadType, found: PayloadType },
    #[error("the envelope's payload is not standard base64")]
    Payload,
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl Fact for EnvelopeError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "security.envelope_too_large",
            Self::Form(_) | Self::Payload => "security.envelope_malformed",
            Self::OtherType { .. } => "security.envelope_type",
            Self::Signature(error) => error.code(),
        }
    }

    fn class(&self) -> Class {
        Class::Integrity
    }
}

/// A payload with its signatures in one file, for export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: PayloadType,
    signatures: Vec<Signature>,
}

impl Envelope {
    pub fn new(payload_type: PayloadType, payload: &[u8], signatures: Vec<Signature>) -> Self {
        Self { payload: to_base64(payload), payload_type, signatures }
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let max = limits::ENVELOPE_BYTES_MAX;
        if bytes.len() as u64 > max {
            return Err(EnvelopeError::TooLarge { size: bytes.len(), max });
        }
        Ok(canonical::parse(bytes)?)
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>, EnvelopeError> {
        Ok(canonical::to_bytes(self)?)
    }

    /// The payload, once a trusted key is seen to have signed it as that type.
    pub fn open(
        &self,
        trust: &TrustRoot,
        expected: PayloadType,
    ) -> Result<(Vec<u8>, VerifiedBy), EnvelopeError> {
        if self.payload_type != expected {
            return Err(EnvelopeError::OtherType { expected, found: self.payload_type });
        }
        let payload = parse_base64(&self.payload).ok_or(EnvelopeError::Payload)?;
        let verified = verify_detached(trust, expected, &payload, &self.signatures)?;
        Ok((payload, verified))
    }

    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::trust::TrustedKey;

    struct Scene {
        trust: TrustRoot,
        boxed: SigningKey,
        risk: SigningKey,
    }

    /// The box may sign everything, `risk` policies only.
    fn scene() -> Scene {
        let (boxed, risk) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let keys = vec![
            TrustedKey::new("box", boxed.public(), KeyRole::ALL),
            TrustedKey::new("risk", risk.public(), [KeyRole::Policy]),
        ];
        Scene { trust: TrustRoot::new("store-1", 1, keys).unwrap(), boxed, risk }
    }

    /// The test vector of the DSSE specification, protocol.md.
    #[test]
    fn the_published_encoding_is_met() {
        let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), expected);
    }

    #[test]
    fn each_way_to_be_unsigned_has_its_own_refusal() {
        let Scene { trust, boxed, risk } = scene();
        let stranger = SigningKey::generate().unwrap();
        let sign = |key: &SigningKey| sign_detached(key, PayloadType::Release, b"{}");
        let code = |payload: &[u8], signatures: &[Signature]| {
            verify_detached(&trust, PayloadType::Release, payload, signatures).unwrap_err().code()
        };
        assert_eq!(code(b"{}", &[]), "security.no_signature");
        assert_eq!(code(b"{}", &[sign(&stranger)]), "security.unknown_key");
        assert_eq!(code(b"{}", &[sign(&risk)]), "security.wrong_role");
        assert_eq!(code(b"{ }", &[sign(&boxed)]), "security.bad_signature");
        assert_eq!(code(b"{}", &vec![sign(&boxed); 17]), "security.too_many_signatures");
        assert_eq!(code(b"{ }", &[sign(&boxed), sign(&stranger)]), "security.bad_signature");
        assert_eq!(code(b"{}", &[sign(&stranger), sign(&risk)]), "security.wrong_role");
    }

    #[test]
    fn one_good_signature_among_strangers_is_enough() {
        let Scene { trust, boxed, .. } = scene();
        let stranger = SigningKey::generate().unwrap();
        let signatures = [&stranger, &boxed].map(|key| sign_detached(key, PayloadType::Release, b"{}"));
        let verified = verify_detached(&trust, PayloadType::Release, b"{}", &signatures).unwrap();
        assert_eq!((verified.name.as_str(), verified.key_id), ("box", boxed.public().key_id()));
    }

    #[test]
    fn a_signed_policy_does_not_pass_for_a_release() {
        let Scene { trust, boxed, .. } = scene();
        let signature = sign_detached(&boxed, PayloadType::Policy, b"{}");
        let refused = verify_detached(&trust, PayloadType::Release, b"{}", &[signature]).unwrap_err();
        assert_eq!(refused.code(), "security.bad_signature");
    }

    #[test]
    fn a_key_id_that_points_at_another_trusted_key_is_refused() {
        let Scene { trust, boxed, risk } = scene();
        let forged = Signature {
            key_id: boxed.public().key_id(),
            ..sign_detached(&risk, PayloadType::Release, b"{}")
        };
        let refused = verify_detached(&trust, PayloadType::Release, b"{}", &[forged]).unwrap_err();
        assert_eq!(refused.code(), "security.bad_signature");
    }

    #[test]
    fn an_envelope_opens_for_its_type_and_its_signature_only() {
        let Scene { trust, risk, .. } = scene();
        let signature = sign_detached(&risk, PayloadType::Policy, b"{\"a\":1}");
        let bytes = Envelope::new(PayloadType::Policy, b"{\"a\":1}", vec![signature]).to_bytes().unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.starts_with(
            r#"{"payload":"eyJhIjoxfQ==","payloadType":"application/vnd.tallystick.policy+json","signatures":[{"keyid":""#
        ));
        let envelope = Envelope::parse(&bytes).unwrap();
        let (payload, verified) = envelope.open(&trust, PayloadType::Policy).unwrap();
        assert_eq!((payload.as_slice(), verified.name.as_str()), (&b"{\"a\":1}"[..], "risk"));
        let other = envelope.open(&trust, PayloadType::Release).unwrap_err();
        assert_eq!(other.code(), "security.envelope_type");
        let altered = Envelope::parse(text.replace("eyJhIjoxfQ==", "eyJhIjoyfQ==").as_bytes()).unwrap();
        assert_eq!(altered.open(&trust, PayloadType::Policy).unwrap_err().code(), "security.bad_signature");
        assert!(Envelope::parse(text.replace("vnd.tallystick.policy", "json").as_bytes()).is_err());
        assert!(Envelope::parse(text.replace("{\"keyid\"", "{\"extra\":0,\"keyid\"").as_bytes()).is_err());
    }
}
