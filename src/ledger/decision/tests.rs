//! Which facts belong to which record, and that their written form is the page's.

use super::*;
use crate::base::canonical;
use crate::base::clock::TimeQuality;
use crate::base::fact::Fact;
use crate::ledger::case::Branch;
use crate::ledger::leaf::{Record, RecordError};
use crate::security::actor::{Actor, Role};

pub fn decided() -> DecisionFacts {
    let branch = Branch::try_from("0421".to_string()).unwrap();
    DecisionFacts {
        band: Some(1),
        by: Some(Ground::Band),
        case: Some(CaseNumber::new(branch, 26, 317).unwrap()),
        flags: vec![Flag::Defaulted, Flag::Unseen],
        id: DecisionId::try_from("01890a5d-ac96-774b-bcce-b302099a8057".to_string()).unwrap(),
        latency_us: 812,
        model: Some(Digest::of(b"model")),
        name: "loan-default".into(),
        outcome: Some("refer".into()),
        policy: Some(Digest::of(b"policy")),
        release: Some(Digest::of(b"release")),
        version: Some(3),
    }
}

pub fn predicted() -> DecisionFacts {
    DecisionFacts { band: None, by: None, case: None, outcome: None, policy: None, ..decided() }
}

pub fn header(kind: Kind, decision: Option<DecisionFacts>) -> Header {
    Header {
        actor: Actor::new("core@hq", Role::CoreBanking).unwrap(),
        body_sha256: Digest::of(b"sealed"),
        kind,
        quality: TimeQuality::Local,
        seq: 17,
        subject: decision.as_ref().map_or("x".into(), subject_of),
        time_ms: 1_700_000_000_123,
        decision,
    }
}

#[test]
fn the_facts_are_written_as_the_page_says() {
    let text = String::from_utf8(canonical::to_bytes(&decided()).unwrap()).unwrap();
    let (model, policy, release) = (Digest::of(b"model"), Digest::of(b"policy"), Digest::of(b"release"));
    let expected = format!(
        "{{\"band\":1,\"by\":\"band\",\"case\":\"0421-26-00317-K\",\"flags\":[\"defaulted\",\"unseen\"],\
         \"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"latency_us\":812,\"model\":\"{model}\",\
         \"name\":\"loan-default\",\"outcome\":\"refer\",\"policy\":\"{policy}\",\"release\":\"{release}\",\
         \"version\":3}}"
    );
    assert_eq!(text, expected);
    assert_eq!(canonical::parse::<DecisionFacts>(text.as_bytes()).unwrap(), decided());
    for (from, to) in
        [("0421-26-00317-K", "0421-26-00317-k"), ("\"band\"", "\"chance\""), ("ac96-7", "ac96-4")]
    {
        assert!(canonical::parse::<DecisionFacts>(text.replace(from, to).as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn a_header_has_facts_just_where_its_kind_has_them() {
    assert_eq!(check_facts(&header(Kind::DecisionMade, Some(decided()))), Ok(()));
    assert_eq!(check_facts(&header(Kind::PredictionMade, Some(predicted()))), Ok(()));
    assert_eq!(check_facts(&header(Kind::AliasMoved, None)), Ok(()));
    assert_eq!(check_facts(&header(Kind::DecisionMade, None)), Err(FactsError::Missing));
    assert_eq!(check_facts(&header(Kind::UserAdded, Some(decided()))), Err(FactsError::Surplus));
    let elsewhere =
        Header { subject: "case/0421-26-00318-A".into(), ..header(Kind::DecisionMade, Some(decided())) };
    assert!(matches!(check_facts(&elsewhere), Err(FactsError::Subject { .. })));
}

#[test]
fn a_rule_may_decide_without_a_score_and_a_fallback_without_a_model() {
    let ruled = DecisionFacts { by: Some(Ground::Rule("minor".into())), band: None, ..decided() };
    assert_eq!(check_facts(&header(Kind::DecisionMade, Some(ruled))), Ok(()));
    let without = DecisionFacts {
        by: Some(Ground::Fallback),
        band: None,
        flags: vec![Flag::Degraded],
        model: None,
        policy: None,
        release: None,
        version: None,
        ..decided()
    };
    assert_eq!(check_facts(&header(Kind::DecisionMade, Some(without))), Ok(()));
}

#[test]
fn facts_that_do_not_fit_each_other_are_refused() {
    let cases: [(Kind, DecisionFacts); 12] = [
        (Kind::DecisionMade, predicted()),
        (Kind::PredictionMade, decided()),
        (Kind::DecisionMade, DecisionFacts { flags: vec![Flag::Unseen, Flag::Defaulted], ..decided() }),
        (Kind::DecisionMade, DecisionFacts { flags: vec![Flag::Unseen, Flag::Unseen], ..decided() }),
        (Kind::DecisionMade, DecisionFacts { band: None, ..decided() }),
        (Kind::DecisionMade, DecisionFacts { band: Some(16), ..decided() }),
        (Kind::DecisionMade, DecisionFacts { by: None, ..decided() }),
        (Kind::DecisionMade, DecisionFacts { case: None, ..decided() }),
        (Kind::DecisionMade, DecisionFacts { outcome: Some("Approve!".into()), ..decided() }),
        (Kind::DecisionMade, DecisionFacts { version: None, ..decided() }),
        (Kind::DecisionMade, DecisionFacts { policy: None, ..decided() }),
        (Kind::PredictionMade, DecisionFacts { model: None, release: None, version: None, ..predicted() }),
    ];
    for (kind, facts) in cases {
        let found = check_facts(&header(kind, Some(facts.clone())));
        assert!(matches!(found, Err(FactsError::Shape { .. })), "{facts:?}: {found:?}");
    }
}

#[test]
fn a_record_whose_facts_do_not_fit_is_not_read() {
    let read = |header: &Header| Record::parse(&canonical::to_bytes(header).unwrap(), b"sealed".to_vec());
    let good = header(Kind::DecisionMade, Some(decided()));
    assert_eq!(read(&good).unwrap().header(), &good);
    let bad = header(Kind::DecisionMade, Some(predicted()));
    let error = read(&bad).unwrap_err();
    assert!(matches!(error, RecordError::Decision(_)), "{error}");
    assert_eq!(error.code(), "ledger.header_field");
    let null = String::from_utf8(canonical::to_bytes(&header(Kind::AliasMoved, None)).unwrap()).unwrap();
    let null = null.replace("\"kind\"", "\"decision\":null,\"kind\"");
    assert!(matches!(Record::parse(null.as_bytes(), b"sealed".to_vec()), Err(RecordError::Header(_))));
}
