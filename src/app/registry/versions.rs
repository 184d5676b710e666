//! The registry as use cases: registering a candidate, finding versions, loading what serves, exporting.
//! Everything that is loaded passes the one verifier first.

use std::path::Path;

use serde_json::json;

use crate::app::error::UseCaseError;
use crate::app::home::App;
use crate::base::canonical;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::config::project::Project;
use crate::decide::resolved::LoadedPolicy;
use crate::ledger::leaf::{Entry, Kind};
use crate::pipeline::candidate::Candidate;
use crate::pipeline::evaluation::Evaluation;
use crate::registry::content::ModelContent;
use crate::registry::release::{self, Fallback, Lineage, Release};
use crate::registry::signing::{
    Signed, VerifiedRelease, sign_policy, sign_release, verify_policy, verify_release,
};
use crate::registry::version::{Alias, Change, Label, ModelRef, Which, difference};
use crate::security::actor::{Act, Actor};
use crate::security::base64_text::{parse_base64_array, to_base64};
use crate::security::dsse::{Envelope, PayloadType, Signature};
use crate::security::key::KeyId;
use crate::serve::champion::Champion;
use crate::store::error::StoreError;
use crate::store::rows::registry::{AliasRow, PolicyRow, StoredSignature, VersionRow};

/// The security epoch of releases made here; raised when older ones must never serve again.
const SECURITY_EPOCH: u64 = 1;

pub struct Registered {
    pub version: VersionRow,
    /// The model was known: its version stands, and nothing new was signed.
    pub reused: bool,
}

/// Signs a candidate as the next version of its name, with the policy its scores led to.
/// A model that is known under the name answers with its version.
pub fn register(
    app: &App,
    project: &Project,
    data: Digest,
    run_id: &RunId,
    candidate: &Candidate,
) -> Result<Registered, Failure> {
    let name = project.settings.name.clone();
    let model = candidate.pack.digest;
    if let Some(version) = app.store.read_ledger(|l| l.find_version_of_model(&name, &model))? {
        return Ok(Registered { version, reused: true });
    }
    let blobs = app.store.blobs();
    candidate.pack.blobs.iter().try_for_each(|(_, bytes)| blobs.put(bytes).map(drop))?;
    blobs.put(&candidate.pack.model_json)?;
    let evaluation = blobs.put(&canonical::to_bytes(&candidate.evaluation)?)?;
    let policy = project.policy.resolve(candidate.evaluation.cutoff, Some(model))?;
    let policy = sign_policy(&app.key, policy.to_bytes()?)?;
    let (number, label) = next_of(app, &name, candidate)?;
    let now = app.now();
    let release = Release {
        format: release::FORMAT.to_string(),
        name: name.clone(),
        version: number,
        label,
        model,
        created: now.to_text(),
        lineage: lineage(project, data, run_id, evaluation),
        security_epoch: SECURITY_EPOCH,
        serve_until: None,
        activation: (),
        fallback: Fallback::Refer,
    };
    let release = sign_release(&app.key, &release)?;
    blobs.put(&release.bytes)?;
    blobs.put(&policy.bytes)?;
    let version = VersionRow {
        name,
        version: number,
        model,
        release: release.digest,
        policy: policy.digest,
        evaluation,
        run_id: run_id.to_string(),
        created_ms: now.millis(),
        label: label.to_string(),
    };
    commit(app, &version, &release, &policy, project.policy.name())?;
    Ok(Registered { version, reused: false })
}

fn lineage(project: &Project, data: Digest, run_id: &RunId, evaluation: Digest) -> Lineage {
    Lineage {
        run_id: run_id.clone(),
        data: vec![data],
        config: project.digest,
        evaluation,
        code_version: env!("CARGO_PKG_VERSION").to_string(),
        cpu_features: cpu_features(),
    }
}

/// What the kernels of training choose by; other features may give other bits.
fn cpu_features() -> Vec<String> {
    let mut found = vec![std::env::consts::ARCH.to_string()];
    #[cfg(target_arch = "x86_64")]
    {
        let known = [
            ("avx2", std::is_x86_feature_detected!("avx2")),
            ("avx512f", std::is_x86_feature_detected!("avx512f")),
            ("fma", std::is_x86_feature_detected!("fma")),
        ];
        found.extend(known.into_iter().filter(|(_, is)| *is).map(|(name, _)| name.to_string()));
    }
    found
}

/// The next number of a name, and the label that says how much its contract changed.
fn next_of(app: &App, name: &str, candidate: &Candidate) -> Result<(u64, Label), Failure> {
    let number = app.store.read_ledger(|l| l.next_version(name))?;
    let Some(last) = app.store.read_ledger(|l| l.find_version_last(name))? else {
        return Ok((number, Label::FIRST));
    };
    let content: ModelContent = canonical::parse(&candidate.pack.model_json)?;
    let before: ModelContent =
        canonical::parse(&app.store.blobs().read(&last.model, limits::MANIFEST_BYTES_MAX)?)?;
    let change: Change = difference(&before.contract, &content.contract);
    Ok((number, last.label.parse::<Label>()?.after(change)))
}

fn commit(
    app: &App,
    version: &VersionRow,
    release: &Signed,
    policy: &Signed,
    policy_name: &str,
) -> Result<(), Failure> {
    let subject = format!("model/{}@{}", version.name, version.version);
    let body = json!({
        "model": version.model, "release": version.release, "policy": version.policy,
        "evaluation": version.evaluation, "run_id": version.run_id,
    });
    let actor = app.may(Act::Train)?;
    let registered = App::entry(&actor, Kind::ModelRegistered, subject, &body)?;
    let signed = policy_entry(&actor, policy_name, policy.digest)?;
    let row =
        PolicyRow { digest: policy.digest, name: policy_name.to_string(), created_ms: version.created_ms };
    let (version, now) = (version.clone(), app.now());
    let (release, policy) = (release.clone(), policy.clone());
    app.store.write_ledger(move |ledger| {
        ledger.add_signature(&release.digest, &stored(&release.signature, PayloadType::Release))?;
        ledger.add_signature(&policy.digest, &stored(&policy.signature, PayloadType::Policy))?;
        if ledger.find_policy(&policy.digest)?.is_none() {
            ledger.put_policy(&row)?;
            ledger.append_record(signed.clone(), now)?;
        }
        ledger.put_version(&version)?;
        ledger.append_record(registered.clone(), now)?;
        Ok::<_, StoreError>(())
    })?;
    Ok(())
}

/// The record that a policy was signed.
pub fn policy_entry(actor: &Actor, name: &str, digest: Digest) -> Result<Entry, Failure> {
    App::entry(actor, Kind::PolicySigned, format!("policy/{name}"), &json!({ "policy": digest }))
}

pub fn list_versions(app: &App, name: &str) -> Result<Vec<VersionRow>, Failure> {
    app.may(Act::ReadRegistry)?;
    let versions = app.store.read_ledger(|l| l.list_versions(name, 0))?;
    if versions.is_empty() { Err(no_model(app, name)?) } else { Ok(versions) }
}

/// Every name with its newest version and its aliases.
pub fn list_models(app: &App) -> Result<Vec<(VersionRow, Vec<AliasRow>)>, Failure> {
    app.may(Act::ReadRegistry)?;
    let mut models = Vec::new();
    for name in app.store.read_ledger(|l| l.list_model_names())? {
        if let Some(last) = app.store.read_ledger(|l| l.find_version_last(&name))? {
            models.push((last, app.store.read_ledger(|l| l.list_aliases(&name))?));
        }
    }
    Ok(models)
}

fn no_model(app: &App, name: &str) -> Result<Failure, Failure> {
    let names = app.store.read_ledger(|l| l.list_model_names())?;
    let known = if names.is_empty() { String::new() } else { format!("; it has {}", names.join(", ")) };
    Ok(UseCaseError::NoModel { name: name.to_string(), known }.into())
}

/// The version a reference means, and the policy that goes with it there. A bare name is the newest
/// version, or under `serving` what is in production.
pub fn find_version(app: &App, model: &ModelRef, serving: bool) -> Result<(VersionRow, Digest), Failure> {
    let versions = list_versions(app, &model.name)?;
    let numbered = |number: u64| {
        versions.iter().find(|v| v.version == number).cloned().ok_or_else(|| UseCaseError::NoVersion {
            name: model.name.clone(),
            version: number,
            known: versions.iter().map(|v| v.version.to_string()).collect::<Vec<_>>().join(", "),
        })
    };
    let alias = match model.which {
        Which::Number(number) => {
            let version = numbered(number)?;
            let policy = version.policy;
            return Ok((version, policy));
        }
        Which::Unstated if !serving => {
            let Some(last) = versions.last().cloned() else { return Err(no_model(app, &model.name)?) };
            let policy = last.policy;
            return Ok((last, policy));
        }
        Which::Unstated => Alias::Production,
        Which::Alias(alias) => alias,
    };
    let row = app.store.read_ledger(|l| l.find_alias(&model.name, alias.as_str()))?;
    let row =
        row.ok_or_else(|| UseCaseError::NoAlias { name: model.name.clone(), alias: alias.to_string() })?;
    Ok((numbered(row.version)?, row.policy))
}

/// A version's release, by the one verifier.
pub fn load_release(app: &App, version: &VersionRow) -> Result<VerifiedRelease, Failure> {
    let bytes = app.store.blobs().read(&version.release, limits::MANIFEST_BYTES_MAX)?;
    Ok(verify_release(
        &app.trust,
        SECURITY_EPOCH,
        &bytes,
        &signatures(app, &version.release, PayloadType::Release)?,
    )?)
}

pub fn load_policy(app: &App, digest: &Digest) -> Result<LoadedPolicy, Failure> {
    let bytes = app.store.blobs().read(digest, limits::MANIFEST_BYTES_MAX)?;
    let verified = verify_policy(&app.trust, &bytes, &signatures(app, digest, PayloadType::Policy)?)?;
    Ok(LoadedPolicy::open(verified)?)
}

/// The stored signatures over a digest, those of another payload type left out.
fn signatures(app: &App, signed: &Digest, of: PayloadType) -> Result<Vec<Signature>, Failure> {
    let stored = app.store.read_ledger(|l| l.list_signatures(signed))?;
    let read = |s: &StoredSignature| {
        Some(Signature { key_id: KeyId::try_from(s.key_id.clone()).ok()?, sig: parse_base64_array(&s.sig)? })
    };
    Ok(stored.iter().filter(|s| s.payload_type == of.as_str()).filter_map(read).collect())
}

/// A signature as the store keeps it.
pub fn stored(signature: &Signature, of: PayloadType) -> StoredSignature {
    StoredSignature {
        key_id: signature.key_id.to_string(),
        sig: to_base64(&signature.sig),
        payload_type: of.as_str().to_string(),
    }
}

/// What answers for a reference: release, model and policy, all verified and fitting each other.
pub fn champion(app: &App, model: &ModelRef) -> Result<Champion, Failure> {
    app.may(Act::Score)?;
    let (version, policy) = find_version(app, model, true)?;
    open_champion(app, &version, &policy)
}

/// Loads a version under a policy, or says why the two cannot serve together.
pub fn open_champion(app: &App, version: &VersionRow, policy: &Digest) -> Result<Champion, Failure> {
    let blobs = app.store.blobs();
    let release = load_release(app, version)?;
    let json = blobs.read(&release.release().model, limits::MANIFEST_BYTES_MAX)?;
    let fetch = |digest: Digest, max: u64| blobs.read(&digest, max);
    let policy = load_policy(app, policy)?.verified().clone();
    Ok(Champion::open(release, &json, &fetch, Some(policy))?)
}

pub fn evaluation(app: &App, version: &VersionRow) -> Result<Evaluation, Failure> {
    let release = load_release(app, version)?;
    let bytes = app.store.blobs().read(&release.release().lineage.evaluation, limits::MANIFEST_BYTES_MAX)?;
    Ok(canonical::parse(&bytes)?)
}

/// Writes a release as a folder that another program can verify.
pub fn export(app: &App, model: &ModelRef, folder: &Path) -> Result<VersionRow, Failure> {
    let (version, policy) = find_version(app, model, false)?;
    if folder.exists() {
        return Err(UseCaseError::Exists(folder.display().to_string()).into());
    }
    let champion = open_champion(app, &version, &policy)?;
    let blobs = app.store.blobs();
    files::create_folder(&folder.join("blobs"))?;
    let put = |name: &str, bytes: &[u8]| files::write_atomic(&folder.join(name), bytes, 0o644);
    for blob in champion.loaded().content.blobs() {
        let bytes = blobs.read(&blob.digest, limits::BLOB_BYTES_MAX)?;
        put(&format!("blobs/{}", blob.digest), &bytes)?;
    }
    put("model.json", &blobs.read(&version.model, limits::MANIFEST_BYTES_MAX)?)?;
    let pairs = [("release", version.release, PayloadType::Release), ("policy", policy, PayloadType::Policy)];
    for (name, digest, payload_type) in pairs {
        let bytes = blobs.read(&digest, limits::MANIFEST_BYTES_MAX)?;
        let envelope = Envelope::new(payload_type, &bytes, signatures(app, &digest, payload_type)?);
        put(&format!("{name}.json"), &bytes)?;
        put(&format!("{name}.dsse.json"), &envelope.to_bytes()?)?;
    }
    put("trust.json", &app.trust.to_bytes()?)?;
    Ok(version)
}
