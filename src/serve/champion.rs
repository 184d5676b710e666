//! What serves: a verified release, the model it names, and the verified policy it decides by.
//! There is no other way to a score that counts, and none to a champion without signatures.

use std::error::Error;
use std::sync::Arc;

use crate::base::digest::Digest;
use crate::decide::resolved::LoadedPolicy;
use crate::model::explain::Reasoner;
use crate::model::trained::Model;
use crate::registry::content::{self, FetchBlob, LoadedModel};
use crate::registry::gate;
use crate::registry::signing::{VerifiedPolicy, VerifiedRelease};
use crate::serve::error::ServeError;

/// How contributions are found, by a stable name, and what base and contributions missed the margin by at most, as a
/// share of the sizes added up, before the gap was spread over them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Explained {
    pub method: &'static str,
    pub gap_max: f64,
}

#[derive(Clone, Debug)]
pub struct Champion {
    release: VerifiedRelease,
    loaded: LoadedModel,
    policy: Option<LoadedPolicy>,
    reasoners: Arc<Reasoners>,
    /// The model's family, or those of its members.
    kinds: Vec<&'static str>,
}

/// What predictions and decisions are explained from.
#[derive(Debug)]
struct Reasoners {
    population: Reasoner,
    /// Where the model has accepted cases to measure decisions from.
    accepted: Option<Reasoner>,
}

impl Champion {
    /// Loads the model the release names, and makes sure that the policy can decide and explain by it.
    pub fn open<E: Error + Send + Sync + 'static>(
        release: VerifiedRelease,
        model_json: &[u8],
        fetch: FetchBlob<'_, E>,
        policy: Option<VerifiedPolicy>,
    ) -> Result<Self, ServeError> {
        let loaded = content::load(model_json, release.release().model, fetch)
            .map_err(|source| ServeError::Content { release: name_of(&release), source: Box::new(source) })?;
        let policy = policy.map(|verified| open_policy(&release, &loaded, verified)).transpose()?;
        let explain = |source| ServeError::Explain { release: name_of(&release), source: Box::new(source) };
        let model = &loaded.model;
        let population = model.reasoner(&model.background).map_err(explain)?;
        let accepted = model.accepted.as_deref().map(|mean| model.reasoner(mean)).transpose();
        let reasoners = Reasoners { population, accepted: accepted.map_err(explain)? };
        let kinds = model.family.kinds();
        Ok(Self { release, loaded, policy, reasoners: Arc::new(reasoners), kinds })
    }

    /// The same champion under another policy: moving a cut-off loads no model again.
    pub fn with_policy(self, policy: VerifiedPolicy) -> Result<Self, ServeError> {
        let policy = open_policy(&self.release, &self.loaded, policy)?;
        Ok(Self { policy: Some(policy), ..self })
    }

    pub fn release(&self) -> &VerifiedRelease {
        &self.release
    }

    pub fn loaded(&self) -> &LoadedModel {
        &self.loaded
    }

    pub fn model(&self) -> &Model {
        &self.loaded.model
    }

    /// Measures from all training rows.
    pub fn population(&self) -> &Reasoner {
        &self.reasoners.population
    }

    /// Measures a decision from accepted cases, where there were enough of them.
    pub fn reasoner(&self) -> &Reasoner {
        self.reasoners.accepted.as_ref().unwrap_or(&self.reasoners.population)
    }

    pub fn policy(&self) -> Option<&LoadedPolicy> {
        self.policy.as_ref()
    }

    pub fn policy_digest(&self) -> Option<Digest> {
        self.policy.as_ref().map(LoadedPolicy::digest)
    }

    /// How what each field adds to a score is found.
    pub fn explained(&self) -> Explained {
        let method = self.model().family.scorer().method();
        Explained { method: method.as_str(), gap_max: method.gap_max() }
    }

    /// The policy, where a decision needs one; about credit, only a family with exact reasons may decide.
    pub fn deciding_policy(&self) -> Result<&LoadedPolicy, ServeError> {
        gate::check_families(self.loaded.content.purpose, &self.kinds)?;
        self.policy.as_ref().ok_or_else(|| ServeError::NoPolicy { release: name_of(&self.release) })
    }
}

fn open_policy(
    release: &VerifiedRelease,
    loaded: &LoadedModel,
    verified: VerifiedPolicy,
) -> Result<LoadedPolicy, ServeError> {
    let digest = verified.digest();
    let refuse =
        |source| ServeError::Policy { release: name_of(release), policy: digest, source: Box::new(source) };
    let policy = LoadedPolicy::open(verified).map_err(refuse)?;
    let content = &loaded.content;
    policy.policy().covers(content.purpose, &content.contract, loaded.fields()).map_err(refuse)?;
    Ok(policy)
}

fn name_of(release: &VerifiedRelease) -> String {
    format!("{}@{}", release.release().name, release.release().version)
}
