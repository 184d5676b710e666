//! Why a decision is what it is: everything it stands on, from its place in the log down to the data its model was
//! learnt from, each checked now and not believed from before. Changes nothing, and repairs nothing it finds wrong.

use crate::app::decisions::found::{Content, content_of, facts_of, find_record, open_body, version_of};
use crate::app::decisions::proof::receipt_of;
use crate::app::decisions::replay::{compare, decide_again};
use crate::app::home::App;
use crate::app::registry::{promotion, versions};
use crate::base::clock::{iso_date, millis_to_text};
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::data::table::Kind as ColumnKind;
use crate::decide::outcome::DecidedBy;
use crate::decide::policy::CutoffBy;
use crate::decide::reasons::{Reason, reference};
use crate::decide::resolved::PolicyObject;
use crate::features::fitted::Typical;
use crate::ledger::decision::{DecisionFacts, Flag};
use crate::ledger::leaf::{Header, Kind, Record};
use crate::ledger::receipt::Anchor;
use crate::registry::release::Lineage;
use crate::registry::version::Alias;
use crate::security::actor::Act;
use crate::serve::answer::AnswerBody;
use crate::serve::champion::Champion;
use crate::serve::scorer::Decision;
use crate::store::rows::registry::{AliasHistoryRow, VersionRow};
use crate::tracking::run::RunStatus;

/// One thing a decision stands on, and whether it holds now.
pub struct Check {
    /// Stable, one word.
    pub what: &'static str,
    pub holds: bool,
    /// What was found, for a person.
    pub found: String,
}

/// A reason with the value it is measured from.
pub struct MeasuredReason {
    pub reason: Reason,
    /// The reference's value in this field, about; nothing where it keeps none, or where a rule decided.
    pub reference: Option<String>,
    /// The same inputs give the same reason, and the value is the recorded one.
    pub holds: bool,
}

pub struct Why {
    pub header: Header,
    pub checks: Vec<Check>,
    pub reasons: Vec<MeasuredReason>,
}

impl Why {
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.holds) && self.reasons.iter().all(|reason| reason.holds)
    }
}

/// Whether something holds, and what was found.
type Found = Result<(bool, String), Failure>;

/// A failure is told by its code alone: its words may quote what is kept.
fn look(what: &'static str, found: Found) -> Check {
    let (holds, found) = found.unwrap_or_else(|error| (false, format!("does not hold: {}", error.code())));
    Check { what, holds, found }
}

pub fn why(app: &App, wanted: &str) -> Result<Why, Failure> {
    app.may(Act::ReadDecisions)?;
    let record = find_record(app, wanted)?;
    let facts = facts_of(&record)?;
    let mut why = Why { header: record.header().clone(), checks: Vec::new(), reasons: Vec::new() };
    why.checks.push(look("record", in_log(app, &record)));
    match version_of(app, facts) {
        Ok(Some(version)) => stands_on(app, &record, &version, &mut why),
        Ok(None) => {
            let found = "no release could score; a person decides".to_string();
            why.checks.push(look("outcome", Ok((true, found))));
        }
        Err(error) => why.checks.push(look("release", Err(error))),
    }
    Ok(why)
}

/// The leaf, the way to the root, and the signature over it.
fn in_log(app: &App, record: &Record) -> Found {
    let verified = receipt_of(app, record)?.verify(Anchor::Trust(&app.trust))?;
    let key = verified.key_name.unwrap_or_default();
    let found = format!(
        "record {} of the log, under the checkpoint of size {} signed by {key} ({})",
        record.header().seq,
        verified.head.size,
        verified.key_id
    );
    Ok((verified.header == *record.header(), found))
}

/// Everything below a decision that was scored.
fn stands_on(app: &App, record: &Record, version: &VersionRow, why: &mut Why) {
    let Ok(facts) = facts_of(record) else { return };
    let policy = facts.policy.unwrap_or(version.policy);
    let opened = versions::open_champion(app, version, &policy);
    let scored = opened.and_then(|champion| {
        let body = open_body(app, record)?;
        let content = content_of(&body, facts, &champion)?;
        Ok((champion, body, content))
    });
    match &scored {
        Ok((champion, body, Content::Decision(decision))) => {
            add_decision(champion, body, decision, why);
        }
        Ok(_) => {}
        Err(error) => why.checks.push(Check {
            what: "content",
            holds: false,
            found: format!("cannot be read again: {}", error.code()),
        }),
    }
    why.checks.push(look("model", model(app, version, &policy, facts)));
    why.checks.push(look("release", release(app, version, facts)));
    if facts.policy.is_some() {
        why.checks.push(look("policy", signed_policy(app, &policy)));
    }
    why.checks.push(look("promotion", promoted(app, version, facts, record.header().time_ms)));
    match versions::load_release(app, version) {
        Ok(verified) => {
            let lineage = &verified.release().lineage;
            why.checks.push(look("run", run(app, version, lineage)));
            why.checks.push(look("data", data(app, version, lineage)));
        }
        Err(error) => why.checks.push(look("run", Err(error))),
    }
}

/// The outcome, its reasons, and the decision made once more.
fn add_decision(champion: &Champion, body: &AnswerBody<'_>, decision: &Decision, why: &mut Why) {
    let again = match decide_again(body, champion) {
        Ok(again) => again,
        Err(error) => return why.checks.push(look("replay", Err(error))),
    };
    why.checks.push(look("outcome", outcome(champion, decision, &again)));
    let measured = decision.reasons.list.iter().map(|reason| MeasuredReason {
        reference: reference_of(champion, reason),
        holds: again.reasons.list.contains(reason),
        reason: reason.clone(),
    });
    why.reasons.extend(measured);
    let differences = compare(decision, &again);
    let found = match differences.is_empty() {
        true => "the same inputs give the same answer, bit for bit".to_string(),
        false => format!("the answer differs now in {}", differences.join(", ")),
    };
    why.checks.push(look("replay", Ok((differences.is_empty(), found))));
}

fn outcome(champion: &Champion, decision: &Decision, again: &Decision) -> Found {
    let policy = champion.deciding_policy()?.policy().object();
    let holds = decision.band == again.band;
    Ok(match &decision.by {
        DecidedBy::Fallback => (holds, "a stand-in scored; a person decides".to_string()),
        DecidedBy::Band => {
            let same = holds && (&decision.by, &decision.outcome) == (&again.by, &again.outcome);
            (same, band_text(policy, decision))
        }
        DecidedBy::Rule(id) => {
            let same = (&decision.by, &decision.outcome) == (&again.by, &again.outcome);
            (same, rule_text(policy, id))
        }
    })
}

fn band_text(policy: &PolicyObject, decision: &Decision) -> String {
    let upto = |band: usize| policy.bands.get(band).and_then(|band| band.upto);
    let from = decision.band.checked_sub(1).and_then(upto);
    let range = match (from, upto(decision.band)) {
        (None, Some(upto)) => format!("below {upto:.4}"),
        (Some(from), Some(upto)) => format!("from {from:.4} to below {upto:.4}"),
        (Some(from), None) => format!("from {from:.4} on"),
        (None, None) => "always".to_string(),
    };
    let found_by = match policy.cutoff.found_by {
        CutoffBy::Value { .. } => "written down",
        CutoffBy::Cost { .. } => "found by cost",
        CutoffBy::Rate { .. } => "found by rate",
    };
    format!(
        "probability {:.4} lies in the band {} ({range}); the cut-off is {:.4}, {found_by}",
        decision.probability, decision.outcome, policy.cutoff.value
    )
}

fn rule_text(policy: &PolicyObject, id: &str) -> String {
    let Some(rule) = policy.rules.iter().find(|rule| rule.id == id) else {
        return format!("the policy has no rule {id:?}");
    };
    let text = |value: serde_json::Result<serde_json::Value>| {
        value.map(|value| value.to_string()).unwrap_or_default()
    };
    let op = text(serde_json::to_value(rule.when.op));
    let value = rule.when.value.as_ref().map_or(String::new(), |value| text(serde_json::to_value(value)));
    let when = format!("{} {} {value}", rule.when.field, op.trim_matches('"'));
    format!("the rule {id} holds before any score ({}): {}", when.trim(), rule.outcome)
}

/// The value of the reference in a reason's field, as the contract writes it.
fn reference_of(champion: &Champion, reason: &Reason) -> Option<String> {
    reason.contribution?;
    let model = champion.model();
    let (_, vector) = reference(model);
    let field = model.recipe.fields.iter().find(|field| field.field == reason.field)?;
    let column = champion.loaded().content.contract.find(&reason.field)?;
    match field.typical(|at| vector.get(at).copied())? {
        Typical::Level(level) => Some(level),
        Typical::Number(days) if column.kind == ColumnKind::Date => iso_date(days),
        Typical::Number(x) => Some(short_number(x)),
    }
}

/// A mean has more digits than it means; four that count are enough beside a value.
fn short_number(x: f64) -> String {
    let before = x.abs().max(1.0).log10().floor() as i32 + 1;
    let decimals = usize::try_from(4 - before).unwrap_or(0);
    let text = format!("{x:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

/// Loaded anew: the digest of its content, its blobs, and its golden rows to the bit.
fn model(app: &App, version: &VersionRow, policy: &Digest, facts: &DecisionFacts) -> Found {
    let champion = versions::open_champion(app, version, policy)?;
    let loaded = champion.loaded();
    let rows = loaded.golden.rows.len();
    let found = format!("{}, whose {rows} golden rows give their margins to the bit", loaded.digest.short());
    Ok((facts.model == Some(loaded.digest) && version.model == loaded.digest, found))
}

fn release(app: &App, version: &VersionRow, facts: &DecisionFacts) -> Found {
    let release = versions::load_release(app, version)?;
    let by = release.signed_by();
    let found = format!(
        "{}@{}, release {}, signed by {} ({})",
        version.name,
        version.version,
        release.digest().short(),
        by.name,
        by.key_id
    );
    Ok((facts.release == Some(release.digest()), found))
}

fn signed_policy(app: &App, digest: &Digest) -> Found {
    let policy = versions::load_policy(app, digest)?;
    let by = policy.verified().signed_by();
    let kept = app.store.read_ledger(|ledger| ledger.find_policy(digest))?;
    let since = kept.as_ref().map_or("at no known time".to_string(), |row| millis_to_text(row.created_ms));
    let name = &policy.policy().object().name;
    let found = format!("{name} {}, signed by {} ({}) {since}", digest.short(), by.name, by.key_id);
    Ok((kept.is_some() && policy.digest() == *digest, found))
}

/// Who had put it in force when the decision was made. A decision may also have been asked of a version by its
/// number, or a stand-in may have made it: then no alias pointed there.
fn promoted(app: &App, version: &VersionRow, facts: &DecisionFacts, time_ms: i64) -> Found {
    let policy = facts.policy.unwrap_or(version.policy);
    for alias in [Alias::Production, Alias::Staging] {
        let moves = promotion::moves(app, &version.name, alias)?;
        let at = moves.iter().rposition(|step| step.moved_ms <= time_ms);
        let Some(at) = at else { continue };
        let step = &moves[at];
        if step.to.version != version.version || facts.policy.is_some() && step.to.policy != policy {
            continue;
        }
        let chained = at == 0 || moves[at].from.as_ref() == Some(&moves[at - 1].to);
        let seq = find_move(app, step)?;
        let why =
            if step.why.is_empty() { "no reason was given".to_string() } else { format!("{:?}", step.why) };
        let place = seq.map_or("no record of it".to_string(), |seq| format!("record {seq}"));
        let found =
            format!("{alias} since {}, by {}: {why} ({place})", millis_to_text(step.moved_ms), step.by);
        return Ok((chained && seq.is_some(), found));
    }
    if facts.flags.contains(&Flag::Degraded) {
        return Ok((true, "no alias pointed to it then: it stood in for another version".to_string()));
    }
    let own = policy == version.policy;
    Ok((own, "no alias pointed to it then: it was asked by its number".to_string()))
}

/// The place in the log of a move of an alias. Times in the log rise but where the clock was set back, so that
/// the latest records are looked through where the time leads nowhere.
fn find_move(app: &App, step: &AliasHistoryRow) -> Result<Option<u64>, Failure> {
    let subject = format!("model/{}", step.name);
    let wanted = |record: &Record| {
        let header = record.header();
        header.kind == Kind::AliasMoved
            && header.time_ms == step.moved_ms
            && header.subject == subject
            && header.actor.name() == step.by
            && names_move(record.body(), step)
    };
    app.store.read_ledger(|ledger| {
        let size = ledger.log_size()?;
        let (mut low, mut high) = (0, size);
        while low < high {
            let middle = low + (high - low) / 2;
            match ledger.find_record(middle)? {
                Some(record) if record.header().time_ms < step.moved_ms => low = middle + 1,
                _ => high = middle,
            }
        }
        let near = ledger.list_records(low, limits::LIST_MAX)?;
        if let Some(record) = near.iter().find(|record| wanted(record)) {
            return Ok(Some(record.header().seq));
        }
        let (latest, _) = ledger.list_records_back(size, 1, limits::RECORDS_LOOKED_AT_MAX, &wanted)?;
        Ok(latest.first().map(|record| record.header().seq))
    })
}

/// Whether a record's body tells of this very move.
fn names_move(body: &[u8], step: &AliasHistoryRow) -> bool {
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(body) else { return false };
    body["alias"] == step.alias
        && body["version"] == step.to.version
        && body["policy"] == step.to.policy.to_hex()
        && body["why"] == step.why
}

fn run(app: &App, version: &VersionRow, lineage: &Lineage) -> Found {
    let id = lineage.run_id.clone();
    let Some(run) = app.store.read_lab(|lab| lab.find_run(&id))? else {
        return Ok((false, format!("{id} is gone")));
    };
    let ended = run.end_time.map_or("no end".to_string(), millis_to_text);
    let status = run.status.as_str();
    let found = format!("{} ({}) by {}, {status} {ended}", run.run_id, run.name, run.user_id);
    Ok((run.status == RunStatus::Finished && version.run_id == id.to_string(), found))
}

/// The tables the model was learnt from, as they are kept.
fn data(app: &App, version: &VersionRow, lineage: &Lineage) -> Found {
    let (mut holds, mut found) = (!lineage.data.is_empty(), Vec::new());
    for content in &lineage.data {
        let kept = app.store.read_lab(|lab| lab.find_dataset(&version.name, content))?;
        let Some(row) = kept else {
            holds = false;
            found.push(format!("{} is not kept any more", content.short()));
            continue;
        };
        match app.store.blobs().open_path(&row.parquet) {
            Ok(_) => found.push(format!(
                "{}, {} rows of {}, as it was kept",
                content.short(),
                row.rows,
                row.source_name
            )),
            Err(error) => {
                holds = false;
                let code = crate::base::fact::Fact::code(&error);
                found.push(format!("{}, {} rows of {}: {code}", content.short(), row.rows, row.source_name));
            }
        }
    }
    Ok((holds, found.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::short_number;

    #[test]
    fn a_mean_is_shown_with_the_digits_that_count() {
        let shown = [(0.17834, "0.178"), (12.3456, "12.35"), (76543.21, "76543"), (3.0, "3"), (-0.5, "-0.5")];
        for (x, text) in shown {
            assert_eq!(short_number(x), text);
        }
    }
}
