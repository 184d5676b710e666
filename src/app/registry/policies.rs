//! Policies as use cases: signing one whose cut-off is written down, listing, showing.
//! Moving a cut-off is no training; pointing an alias at the new policy is a promotion.

use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::app::registry::versions::{load_policy, policy_entry, stored};
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::config::project::Project;
use crate::decide::policy::CutoffSource;
use crate::decide::resolved::LoadedPolicy;
use crate::registry::signing::sign_policy;
use crate::security::actor::Act;
use crate::security::dsse::PayloadType;
use crate::store::error::StoreError;
use crate::store::rows::registry::PolicyRow;

/// Signs the project's policy as it stands. Its cut-off must be written down: cost and rate need the
/// scores of a training, which signs such a policy with its model.
pub fn sign(app: &App, project: &Project) -> Result<PolicyRow, Failure> {
    let actor = app.may(Act::SignPolicy)?;
    let CutoffSource::Written(value) = project.policy.cutoff_source() else {
        return Err(UseCaseError::CutoffOpen.into());
    };
    let signed = sign_policy(&app.key, project.policy.resolve(value, None)?.to_bytes()?)?;
    app.store.blobs().put(&signed.bytes)?;
    let now = app.now();
    let name = project.policy.name().to_string();
    let entry = policy_entry(&actor, &name, signed.digest)?;
    let row = PolicyRow { digest: signed.digest, name, created_ms: now.millis() };
    let kept = row.clone();
    app.store.write_ledger(move |ledger| {
        if ledger.find_policy(&kept.digest)?.is_none() {
            ledger.add_signature(&signed.digest, &stored(&signed.signature, PayloadType::Policy))?;
            ledger.put_policy(&kept)?;
            ledger.append_record(entry.clone(), now)?;
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(row)
}

pub fn list(app: &App) -> Result<Vec<PolicyRow>, Failure> {
    app.may(Act::ReadRegistry)?;
    Ok(app.store.read_ledger(|ledger| ledger.list_policies())?)
}

/// A policy by its digest, or by the beginning of it that no other shares; verified before it is shown.
pub fn find(app: &App, wanted: &str) -> Result<LoadedPolicy, Failure> {
    let digest = find_digest(app, wanted)?;
    load_policy(app, &digest)
}

pub fn find_digest(app: &App, wanted: &str) -> Result<Digest, Failure> {
    let mut matching = list(app)?;
    matching.retain(|row| !wanted.is_empty() && row.digest.to_hex().starts_with(wanted));
    match (matching.pop(), matching.is_empty()) {
        (Some(row), true) => Ok(row.digest),
        _ => Err(UseCaseError::NoPolicy { wanted: wanted.to_string() }.into()),
    }
}
