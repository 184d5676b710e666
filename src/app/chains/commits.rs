//! The commits a chain waits for: what its repositories hold now, beside what the chain's row knows of them.
//! What is known moves on in the transaction that writes the start, so a commit has one start whatever happens between.

use std::collections::BTreeMap;
use std::path::Path;

use crate::alert::raised::{Detail, Kind, RawAlert, Severity, Subject};
use crate::app::alerts::{self, News};
use crate::app::chains::ChainRow;
use crate::app::chains::git::{self, GitError};
use crate::app::home::App;
use crate::base::digest::Digest;
use crate::base::fact::{Fact, Failure};
use crate::schedule::definition::{Chain, TriggerOn};
use crate::schedule::trigger::{CommitKnown, Start, watch_of};
use crate::store::rows::chains::QueuedStart;

/// A commit that the chain has not had a start for.
pub(in crate::app::chains) struct NewCommit {
    watch: String,
    commit: String,
    pub start: Start,
}

/// Looks at every reference the chain watches. A first sight, and a fault that came or went, are written down at once,
/// the fault together with its alert: it is told when it begins, not at every look.
pub(in crate::app::chains) fn look(
    app: &App,
    chain: &Chain,
    row: &mut ChainRow,
) -> Result<Vec<NewCommit>, Failure> {
    let (mut known, mut new, mut news) = (BTreeMap::new(), Vec::new(), Vec::new());
    for on in &chain.triggers {
        let TriggerOn::Git { path, name } = on else { continue };
        let watch = watch_of(path, name);
        if known.contains_key(&watch) {
            continue;
        }
        let before = row.commits.get(&watch).cloned().unwrap_or_default();
        let found = git::find_commit(Path::new(path), name);
        let after = before.after_look(found.as_deref().map_err(Fact::code), app.now().millis());
        match found {
            Ok(commit) => {
                let start = after.start(&chain.name, &watch, &commit);
                new.extend(start.map(|start| NewCommit { watch: watch.clone(), commit, start }));
            }
            Err(error) if before.fault != after.fault => news.push(news_of(row, &watch, &error)),
            Err(_) => {}
        }
        known.insert(watch, after);
    }
    if known != row.commits {
        row.commits = known;
        let kept = row.clone();
        alerts::raise_with(app, news, move |lab| lab.put_chain(&kept))?;
    }
    Ok(new)
}

/// Those that begin, or wait in line, are known from now on; the others are found again at the next look.
pub(in crate::app::chains) fn deal_with(
    row: &mut ChainRow,
    new: Vec<NewCommit>,
    begun: Option<&QueuedStart>,
    now_ms: i64,
) {
    for NewCommit { watch, commit, start } in new {
        let mut taken = row.queued.iter().chain(begun);
        if taken.any(|other| other.key == start.key) {
            row.commits.insert(watch, CommitKnown::dealt_with(&commit, now_ms));
        }
    }
}

fn news_of(row: &ChainRow, watch: &str, error: &GitError) -> News {
    tracing::warn!(code = error.code(), cause = %error, "the commits of a chain cannot be seen");
    News(RawAlert {
        id: alerts::draw_id(),
        key: format!("chain/{}/{}/git/{}", row.project, row.chain, Digest::of(watch.as_bytes())),
        kind: Kind::Run,
        severity: Severity::Warning,
        subject: Subject { project: Some(row.project.clone()), model: None, chain: Some(row.chain.clone()) },
        title: format!("{} of {} cannot see its commits", row.chain, row.project),
        sentences: [Some(format!("{error}.")), error.next_step()].into_iter().flatten().collect(),
        details: vec![Detail { name: "code".into(), value: error.code().into() }],
        link: Some(format!("/chains/{}/{}", row.project, row.chain)),
    })
}
