//! The fixture's model as a champion, signed for a test and verified as any other.

use crate::decide::policy::tests::resolved;
use crate::decide::resolved::ResolvedPolicy;
use crate::registry::content::{NotInPack, Pack};
use crate::registry::fixture::{Keys, keys, pack};
use crate::registry::release::Release;
use crate::registry::release::tests::release_of;
use crate::registry::signing::{VerifiedPolicy, VerifiedRelease, sign_policy, sign_release};
use crate::registry::signing::{verify_policy, verify_release};
use crate::serve::champion::Champion;
use crate::serve::error::ServeError;

pub(crate) fn verified_release(keys: &Keys, release: &Release) -> VerifiedRelease {
    let signed = sign_release(&keys.boxed, release).unwrap();
    verify_release(&keys.trust, 0, &signed.bytes, &[signed.signature]).unwrap()
}

pub(crate) fn verified_policy(keys: &Keys, policy: &ResolvedPolicy) -> VerifiedPolicy {
    let signed = sign_policy(&keys.risk, policy.to_bytes().unwrap()).unwrap();
    verify_policy(&keys.trust, &signed.bytes, &[signed.signature]).unwrap()
}

pub(crate) fn open(
    pack: &Pack,
    release: &Release,
    policy: Option<&ResolvedPolicy>,
) -> Result<Champion, ServeError> {
    let keys = keys();
    let policy = policy.map(|policy| verified_policy(&keys, policy));
    let fetch = |digest, _| pack.find_blob(digest).map(<[u8]>::to_vec).ok_or(NotInPack(digest));
    Champion::open(verified_release(&keys, release), &pack.model_json, &fetch, policy)
}

/// Scores and decides.
pub(crate) fn champion() -> Champion {
    let pack = pack();
    open(&pack, &release_of(pack.digest), Some(&resolved(|_| ()))).unwrap()
}

/// Scores only.
pub(crate) fn champion_without_policy() -> Champion {
    let pack = pack();
    open(&pack, &release_of(pack.digest), None).unwrap()
}
