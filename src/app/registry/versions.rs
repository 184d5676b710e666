//! The registry as use cases: registering a candidate, finding versions, loading what serves, exporting.
//! Everything that is loaded passes the one verifier first.

use std::path::Path;

use serde_json::json;

use crate::app::error::{UseCaseError, check_absent};
use crate::app::home::App;
use crate::base::canonical;
use crate::base::clock::Stamp;
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
use crate::security::actor::Act;
use crate::security::base64_text::{parse_base64_array, to_base64};
use crate::security::dsse::{Envelope, PayloadType, Signature};
use crate::security::key::KeyId;
use crate::serve::champion::Champion;
use crate::store::error::StoreError;
use crate::store::rows::registry::{AliasRow, PolicyRow, StoredSignature, VersionRow};
use crate::store::tables::{SIGNATURES, StoreName};
use crate::store::views::LedgerWrite;

/// The security epoch of releases made here; raised when older ones must never serve again.
const SECURITY_EPOCH: u64 = 1;

pub struct Registered {
    pub version: VersionRow,
    /// The policy this training led to; it may be another than the one signed with a known version.
    pub policy: Digest,
    /// The model was known: its version stands, with the figures and gates it was registered with.
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
    let policy = project.policy.resolve(candidate.evaluation.cutoff, Some(model))?;
    let policy = sign_policy(&app.key, policy.to_bytes()?)?;
    let blobs = app.store.blobs();
    blobs.put(&policy.bytes)?;
    if let Some(version) = app.store.read_ledger(|l| l.find_version_of_model(&name, &model))? {
        keep_policy(app, project.policy.name(), &policy)?;
        return Ok(Registered { version, policy: policy.digest, reused: true });
    }
    candidate.pack.blobs.iter().try_for_each(|(_, bytes)| blobs.put(bytes).map(drop))?;
    blobs.put(&candidate.pack.model_json)?;
    let evaluation = blobs.put(&canonical::to_bytes(&candidate.evaluation)?)?;
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
    Ok(Registered { policy: version.policy, version, reused: false })
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

/// Signatures, version, policy and both records: one transaction.
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
    let registered = App::entry(&app.may(Act::Train)?, Kind::ModelRegistered, subject, &body)?;
    let new_policy = NewPolicy::of(app, policy_name, policy)?;
    let (version, release, now) = (version.clone(), release.clone(), app.now());
    app.store.write_ledger(move |ledger| {
        ledger.add_signature(&release.digest, &stored(&release.signature, PayloadType::Release))?;
        new_policy.put(ledger)?;
        ledger.put_version(&version)?;
        ledger.append_record(registered.clone(), now)?;
        Ok::<_, StoreError>(())
    })?;
    Ok(())
}

/// Keeps a signed policy, if it is new, with its record.
pub fn keep_policy(app: &App, name: &str, policy: &Signed) -> Result<PolicyRow, Failure> {
    let new_policy = NewPolicy::of(app, name, policy)?;
    let row = new_policy.row.clone();
    app.store.write_ledger(move |ledger| new_policy.put(ledger))?;
    Ok(row)
}

/// A signed policy on its way into the ledger.
struct NewPolicy {
    row: PolicyRow,
    signature: StoredSignature,
    record: Entry,
    now: Stamp,
}

impl NewPolicy {
    fn of(app: &App, name: &str, policy: &Signed) -> Result<Self, Failure> {
        // A training signs its project's policy along with its model; putting either in force is another act.
        let actor = app.may(Act::SignPolicy).or_else(|_| app.may(Act::Train))?;
        let now = app.now();
        let body = json!({ "policy": policy.digest });
        let record = App::entry(&actor, Kind::PolicySigned, format!("policy/{name}"), &body)?;
        let row = PolicyRow { digest: policy.digest, name: name.to_string(), created_ms: now.millis() };
        Ok(Self { row, signature: stored(&policy.signature, PayloadType::Policy), record, now })
    }

    fn put(&self, ledger: &LedgerWrite<'_>) -> Result<(), StoreError> {
        if ledger.find_policy(&self.row.digest)?.is_none() {
            ledger.add_signature(&self.row.digest, &self.signature)?;
            ledger.put_policy(&self.row)?;
            ledger.append_record(self.record.clone(), self.now)?;
        }
        Ok(())
    }
}

/// Every name with its newest version and its aliases.
pub fn list_models(app: &App) -> Result<Vec<(VersionRow, Vec<AliasRow>)>, Failure> {
    app.may(Act::ReadRegistry)?;
    let mut models = Vec::new();
    for name in model_names(app)? {
        if let Some(last) = app.store.read_ledger(|l| l.find_version_last(&name))? {
            models.push((last, app.store.read_ledger(|l| l.list_aliases(&name))?));
        }
    }
    Ok(models)
}

/// Every version of a name, the newest first.
pub fn list_versions(app: &App, name: &str) -> Result<Vec<VersionRow>, Failure> {
    app.may(Act::ReadRegistry)?;
    let mut versions = Vec::new();
    app.store.read_ledger(|ledger| {
        ledger.each_version_of(name, &mut |version| {
            versions.push(version);
            Ok(())
        })
    })?;
    if versions.is_empty() {
        return Err(no_model(app, name)?);
    }
    versions.reverse();
    Ok(versions)
}

/// Where the aliases of a name point.
pub fn list_aliases(app: &App, name: &str) -> Result<Vec<AliasRow>, Failure> {
    app.may(Act::ReadRegistry)?;
    if app.store.read_ledger(|l| l.find_version_last(name))?.is_none() {
        return Err(no_model(app, name)?);
    }
    Ok(app.store.read_ledger(|l| l.list_aliases(name))?)
}

pub fn find_alias(app: &App, name: &str, alias: Alias) -> Result<AliasRow, Failure> {
    let found = list_aliases(app, name)?.into_iter().find(|row| row.alias == alias.as_str());
    let missing = || UseCaseError::NoAlias { name: name.to_string(), alias: alias.to_string() };
    Ok(found.ok_or_else(missing)?)
}

fn model_names(app: &App) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    app.store.read_ledger(|ledger| {
        ledger.each_model_name(&mut |name| {
            names.push(name);
            Ok(())
        })
    })?;
    Ok(names)
}

/// The version a person asks to see, with the policy that goes with it there.
pub fn find_version(app: &App, model: &ModelRef, serving: bool) -> Result<(VersionRow, Digest), Failure> {
    app.may(Act::ReadRegistry)?;
    resolve(app, model, serving)
}

/// The version a reference means, and its policy. A bare name is the newest version, or under
/// `serving` what is in production. Asks nobody whether they may: the use case has.
pub(in crate::app) fn resolve(
    app: &App,
    model: &ModelRef,
    serving: bool,
) -> Result<(VersionRow, Digest), Failure> {
    let name = &model.name;
    let Some(newest) = app.store.read_ledger(|l| l.find_version_last(name))? else {
        return Err(no_model(app, name)?);
    };
    let alias = match model.which {
        Which::Number(number) => {
            let version = numbered(app, &newest, number)?;
            return Ok((version.clone(), version.policy));
        }
        Which::Unstated if !serving => return Ok((newest.clone(), newest.policy)),
        Which::Unstated => Alias::Production,
        Which::Alias(alias) => alias,
    };
    let row = app.store.read_ledger(|l| l.find_alias(name, alias.as_str()))?;
    let row = row.ok_or_else(|| UseCaseError::NoAlias { name: name.clone(), alias: alias.to_string() })?;
    Ok((numbered(app, &newest, row.version)?, row.policy))
}

fn numbered(app: &App, newest: &VersionRow, version: u64) -> Result<VersionRow, Failure> {
    let name = newest.name.clone();
    let found = app.store.read_ledger(|l| l.find_version(&name, version))?;
    Ok(found.ok_or(UseCaseError::NoVersion { name, version, newest: newest.version })?)
}

fn no_model(app: &App, name: &str) -> Result<Failure, Failure> {
    let names = model_names(app)?;
    let known = if names.is_empty() { String::new() } else { format!("; it has {}", names.join(", ")) };
    Ok(UseCaseError::NoModel { name: name.to_string(), known }.into())
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
        let key_id = KeyId::try_from(s.key_id.clone()).ok();
        let sig = parse_base64_array(&s.sig);
        key_id.zip(sig).map(|(key_id, sig)| Signature { key_id, sig }).ok_or_else(|| {
            let key = signed.to_hex();
            StoreError::Corrupt {
                store: StoreName::Ledger,
                table: SIGNATURES.name.to_string(),
                key,
                why: "it holds no signature".to_string(),
            }
        })
    };
    let of_type = stored.iter().filter(|s| s.payload_type == of.as_str());
    Ok(of_type.map(read).collect::<Result<_, StoreError>>()?)
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
    let (version, policy) = resolve(app, model, true)?;
    let champion = open_champion(app, &version, &policy)?;
    let release = champion.release().release();
    if release.has_ended(app.now().millis()) {
        let (name, version) = (release.name.clone(), release.version);
        let end = release.serve_until.clone().unwrap_or_default();
        return Err(UseCaseError::ReleaseEnded { name, version, end }.into());
    }
    Ok(champion)
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

/// Writes a release as a folder that another program can verify; it is whole or absent.
pub fn export(app: &App, model: &ModelRef, folder: &Path) -> Result<VersionRow, Failure> {
    let (version, policy) = find_version(app, model, false)?;
    check_absent(folder)?;
    let partial = files::partial_of(folder);
    files::remove_folder(&partial)?;
    write_release(app, &version, &policy, &partial)?;
    files::rename_durably(&partial, folder)?;
    Ok(version)
}

fn write_release(app: &App, version: &VersionRow, policy: &Digest, folder: &Path) -> Result<(), Failure> {
    let champion = open_champion(app, version, policy)?;
    let blobs = app.store.blobs();
    files::create_folder(&folder.join("blobs"))?;
    let put = |name: &str, bytes: &[u8]| files::write_atomic(&folder.join(name), bytes, 0o644);
    for blob in champion.loaded().content.blobs() {
        let bytes = blobs.read(&blob.digest, limits::BLOB_BYTES_MAX)?;
        put(&format!("blobs/{}", blob.digest), &bytes)?;
    }
    put("model.json", &blobs.read(&version.model, limits::MANIFEST_BYTES_MAX)?)?;
    let pairs =
        [("release", version.release, PayloadType::Release), ("policy", *policy, PayloadType::Policy)];
    for (name, digest, payload_type) in pairs {
        let bytes = blobs.read(&digest, limits::MANIFEST_BYTES_MAX)?;
        let envelope = Envelope::new(payload_type, &bytes, signatures(app, &digest, payload_type)?);
        put(&format!("{name}.json"), &bytes)?;
        put(&format!("{name}.dsse.json"), &envelope.to_bytes()?)?;
    }
    Ok(put("trust.json", &app.trust.to_bytes()?)?)
}
