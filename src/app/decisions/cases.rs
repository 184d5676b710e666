//! Cases as a person looks for them: their own, everybody's, those of one subject.
//! Opens nothing of anybody: a list shows clear headers alone.

use crate::app::decisions::found::{Page, may_see};
use crate::app::home::App;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::ledger::leaf::{Header, Record};
use crate::security::actor::Act;

/// Which cases a list shows.
#[derive(Clone, Copy, Debug)]
pub struct CasesWanted {
    /// Only those this person decided.
    pub own: bool,
    /// Only those before this place.
    pub before: Option<u64>,
    pub limit: usize,
}

/// Cases, the newest first.
pub fn list(app: &App, wanted: CasesWanted) -> Result<Page, Failure> {
    app.may(Act::ReadDecisions)?;
    let before = match wanted.before {
        Some(before) => before,
        None => app.store.read_ledger(|ledger| ledger.log_size())?,
    };
    let name = app.person().name();
    let fits = |record: &Record| {
        let header = record.header();
        is_case(header) && may_see(app, header) && (!wanted.own || header.actor.name() == name)
    };
    let limit = wanted.limit.clamp(1, limits::LIST_MAX);
    let (records, next) = app
        .store
        .read_ledger(|ledger| ledger.list_records_back(before, limit, limits::CASES_LOOKED_AT_MAX, &fits))?;
    Ok(Page { headers: records.iter().map(|record| record.header().clone()).collect(), next })
}

fn is_case(header: &Header) -> bool {
    header.decision.as_ref().is_some_and(|facts| facts.case.is_some())
}

/// The cases of one subject since a time, the newest first.
pub fn of_subject(app: &App, subject: &str, since_ms: Option<i64>) -> Result<Vec<Header>, Failure> {
    app.may(Act::ReadDecisions)?;
    let tag = app.sealer.tag_of_subject(subject);
    let records = app.store.read_ledger(|ledger| {
        let seqs = ledger.list_seqs_of_subject(&tag.0, limits::SUBJECT_CASES_MAX)?;
        seqs.into_iter().map(|seq| ledger.find_record(seq)).collect::<Result<Vec<_>, _>>()
    })?;
    let headers = records.iter().flatten().map(Record::header);
    let recent = |header: &&Header| since_ms.is_none_or(|since| header.time_ms >= since);
    Ok(headers.filter(|header| is_case(header) && may_see(app, header)).filter(recent).cloned().collect())
}
