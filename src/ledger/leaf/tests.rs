//! What a header becomes on disk, byte for byte, and what is never written or read.

use super::*;
use crate::base::ids::DecisionId;
use crate::ledger::case::Branch;
use crate::ledger::decision::tests::{decided, header, predicted};
use crate::ledger::decision::{Flag, Ground};
use crate::security::actor::Role;
use jiff::Timestamp;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

fn stamp() -> Stamp {
    Stamp { wall: Timestamp::from_millisecond(1_700_000_000_123).unwrap(), quality: TimeQuality::Local }
}

fn entry(subject: &str) -> Entry {
    let actor = Actor::new("anna", Role::Approver).unwrap();
    Entry { kind: Kind::AliasMoved, actor, subject: subject.into(), body: b"{\"to\":3}".to_vec() }
}

#[test]
fn a_leaf_is_made_of_exactly_these_bytes() {
    let record = Record::new(entry("model/loan-default@3"), 17, stamp()).unwrap();
    let expected = concat!(
        r#"{"actor":{"name":"anna","role":"approver"},"#,
        r#""body_sha256":"29b685fc5750d3c3e67c6824e78b84e0bf7b95895eb0a61c508c39018b2adef0","#,
        r#""kind":"alias_moved","quality":"local","seq":17,"#,
        r#""subject":"model/loan-default@3","time_ms":1700000000123}"#
    );
    assert_eq!(std::str::from_utf8(record.leaf_data()).unwrap(), expected);
    assert_eq!(record.leaf_hash(), Digest::of(&[&[0u8], record.leaf_data()].concat()));
}

#[test]
fn a_record_reads_as_it_was_written_and_no_other_way() {
    let record = Record::new(entry("x"), 0, stamp()).unwrap();
    let text = String::from_utf8(record.leaf_data().to_vec()).unwrap();
    let code = |header: &str, body: &[u8]| {
        Record::parse(header.as_bytes(), body.to_vec()).map_err(|error| error.code()).map(|_| "read")
    };
    assert_eq!(code(&text, record.body()), Ok("read"));
    assert_eq!(code(&text, b"{\"to\":4}"), Err("ledger.body_altered"));
    assert_eq!(code(&text.replace(",\"kind\"", ", \"kind\""), record.body()), Err("ledger.header_malformed"));
    assert_eq!(
        code(&text.replace("alias_moved", "alias_lost"), record.body()),
        Err("ledger.header_malformed")
    );
    let extra = text.replace("\"kind\"", "\"extra\":0,\"kind\"");
    assert_eq!(code(&extra, record.body()), Err("ledger.header_malformed"));
}

#[test]
fn what_json_cannot_keep_exactly_or_a_log_cannot_show_is_refused() {
    let code = |subject: &str, seq| Record::new(entry(subject), seq, stamp()).map_err(|error| error.code());
    assert!(code("x", limits::EXACT_INTEGER_MAX).is_ok());
    assert_eq!(code("x", limits::EXACT_INTEGER_MAX + 2), Err("ledger.header_malformed"));
    for subject in ["", "a\nb", &"x".repeat(201)] {
        assert_eq!(code(subject, 0), Err("ledger.header_field"), "{subject:?}");
    }
    let large = Entry { body: vec![0; limits::LEDGER_BODY_BYTES_MAX + 1], ..entry("x") };
    assert!(matches!(Record::new(large, 0, stamp()), Err(RecordError::BodyTooLarge { .. })));
}

fn any_decided() -> impl Strategy<Value = DecisionFacts> {
    let ground = prop_oneof![
        Just(Ground::Band),
        Just(Ground::Fallback),
        "[a-z][a-z0-9_-]{0,8}".prop_map(Ground::Rule)
    ];
    let flags = proptest::sample::subsequence(Flag::ALL.to_vec(), 0..=5);
    let case = (1..1_000_000_000u64, 0..100u8);
    (ground, flags, case, any::<[u8; 16]>(), 0..=limits::EXACT_INTEGER_MAX, 0..16u32).prop_map(
        |(by, flags, (number, year), mut id, latency_us, band)| {
            id[6] = 0x70 | id[6] & 0x0f;
            id[8] = 0x80 | id[8] & 0x3f;
            let case = CaseNumber::new(Branch::default(), year, number).unwrap();
            let id = DecisionId::from_bytes(id).unwrap();
            let (by, case, band) = (Some(by), Some(case), Some(band));
            DecisionFacts { band, by, case, flags, id, latency_us, ..decided() }
        },
    )
}

fn any_header() -> impl Strategy<Value = Header> {
    let facts = any_decided().prop_flat_map(|facts| {
        let other = DecisionFacts { id: facts.id, latency_us: facts.latency_us, ..predicted() };
        prop_oneof![
            Just((Kind::DecisionMade, Some(facts))),
            Just((Kind::PredictionMade, Some(other))),
            Just((Kind::KeyRevoked, None)),
        ]
    });
    let place = (0..=limits::EXACT_INTEGER_MAX, "[\\PC]{1,60}", any::<i32>(), proptest::bool::ANY);
    (facts, "[!-~]{1,64}", any::<[u8; 32]>(), place).prop_map(
        |((kind, decision), name, body, (seq, subject, time, local))| Header {
            actor: Actor::new(&name, Role::CoreBanking).unwrap(),
            body_sha256: Digest::from_bytes(body),
            kind,
            quality: if local { TimeQuality::Local } else { TimeQuality::Simulated },
            seq,
            subject: decision.as_ref().map_or(subject, subject_of),
            time_ms: i64::from(time) * 1_000,
            decision,
        },
    )
}

proptest! {
    #[test]
    fn leaf_data_are_the_canonical_header(header in any_header()) {
        prop_assert_eq!(header.to_leaf_data().unwrap(), canonical::to_bytes(&header).unwrap());
    }

    #[test]
    fn a_header_put_elsewhere_is_the_canonical_one_of_there(
        header in any_header(), seq in 0..=limits::EXACT_INTEGER_MAX, number in 1..1_000_000_000u64, year in 0..100u8
    ) {
        let case = CaseNumber::new(Branch::default(), year, number).unwrap();
        let case = header.decision.as_ref().and_then(|facts| facts.case).map(|_| case);
        let mut expected = Header { seq, ..header.clone() };
        if let Some(facts) = &mut expected.decision {
            facts.case = case;
            expected.subject = subject_of(facts);
        }
        let mut put = header;
        put.put_at(seq, case);
        prop_assert_eq!(put.to_leaf_data().unwrap(), canonical::to_bytes(&expected).unwrap());
    }
}

#[test]
fn leaf_data_are_refused_as_a_record_is() {
    let good = header(Kind::DecisionMade, Some(decided()));
    let record = Record::parse(&good.to_leaf_data().unwrap(), b"sealed".to_vec()).unwrap();
    assert_eq!(record.header(), &good);
    let code = |header: Header| header.to_leaf_data().map_err(|error| error.code());
    assert_eq!(code(Header { subject: "a\nb".into(), ..good.clone() }), Err("ledger.header_field"));
    assert_eq!(code(Header { decision: None, ..good.clone() }), Err("ledger.header_field"));
    assert_eq!(code(Header { time_ms: i64::MAX, ..good.clone() }), Err("ledger.header_malformed"));
    assert_eq!(code(Header { seq: 1 << 60, ..good.clone() }), Err("ledger.header_malformed"));
    assert!(code(Header { seq: limits::EXACT_INTEGER_MAX, ..good }).is_ok());
}
