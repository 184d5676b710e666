//! Policies as use cases: signing one whose cut-off is written down, listing, showing.
//! Moving a cut-off is no training; pointing an alias at the new policy is a promotion.

use crate::app::error::UseCaseError;
use crate::app::find::only_one;
use crate::app::home::App;
use crate::app::registry::versions::{keep_policy, load_policy};
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::config::project::Project;
use crate::decide::policy::CutoffSource;
use crate::decide::resolved::LoadedPolicy;
use crate::registry::gate::check_families;
use crate::registry::signing::sign_policy;
use crate::security::actor::Act;
use crate::store::rows::registry::PolicyRow;

/// Signs the project's policy as it stands, unless its family may not decide for its purpose. Its cut-off must be written down: cost and rate need the
/// scores of a training, which signs such a policy with its model.
pub fn sign(app: &App, project: &Project) -> Result<PolicyRow, Failure> {
    app.may(Act::SignPolicy)?;
    check_families(project.settings.purpose, &project.params.family.kinds())?;
    let CutoffSource::Written(value) = project.policy.cutoff_source() else {
        return Err(UseCaseError::CutoffOpen.into());
    };
    let signed = sign_policy(&app.key, project.policy.resolve(value, None)?.to_bytes()?)?;
    app.store.blobs().put(&signed.bytes)?;
    keep_policy(app, project.policy.name(), &signed)
}

pub fn list(app: &App) -> Result<Vec<PolicyRow>, Failure> {
    app.may(Act::ReadRegistry)?;
    list_unasked(app)
}

fn list_unasked(app: &App) -> Result<Vec<PolicyRow>, Failure> {
    let mut rows = Vec::new();
    app.store.read_ledger(|ledger| {
        ledger.each_policy(&mut |row| {
            rows.push(row);
            Ok(())
        })
    })?;
    Ok(rows)
}

/// A policy by its digest, or by the beginning of it that no other shares; verified before it is shown.
pub fn find(app: &App, wanted: &str) -> Result<LoadedPolicy, Failure> {
    let digest = find_digest(app, wanted)?;
    load_policy(app, &digest)
}

pub fn find_digest(app: &App, wanted: &str) -> Result<Digest, Failure> {
    // Whoever may propose a version may name the policy it is to decide by.
    app.may(Act::ReadRegistry).or_else(|_| app.may(Act::ProposePromotion))?;
    let mut matching = list_unasked(app)?;
    matching.retain(|row| row.digest.to_hex().starts_with(wanted));
    let missing = UseCaseError::NoPolicy { wanted: wanted.to_string() };
    Ok(only_one(matching, wanted, missing)?.digest)
}
