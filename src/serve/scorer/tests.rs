//! A row's answer depends on that row alone, and on a champion that somebody vouched for.

use super::*;
use crate::base::fact::Fact;
use crate::base::rng::Random;
use crate::data::row::parse_row;
use crate::data::table::{Cell, Kind, TableBuilder};
use crate::decide::policy::tests::resolved;
use crate::decide::reasons::ReferenceKind;
use crate::decide::resolved::ResolvedPolicy;
use crate::registry::content::Purpose;
use crate::registry::fixture::{keys, model, pack, pack_of, training};
use crate::registry::release::tests::release_of;
use crate::serve::fixture::{champion, champion_without_policy, open, verified_policy};

fn rows(count: usize) -> Table {
    let columns =
        [("id", Kind::Text), ("income", Kind::Number), ("age", Kind::Integer), ("purpose", Kind::Text)];
    let mut table = TableBuilder::new(columns);
    let mut random = Random::new(11, "rows");
    for n in 0..count {
        let id = format!("c{n}");
        let income = if n % 9 == 0 { Cell::Missing } else { Cell::Number(random.unit() * 12_000.0) };
        let age = Cell::Number(15.0 + random.below(60) as f64);
        let purpose = Cell::Text(["car", "house", "boat"][random.below(3)]);
        table.push_row([Cell::Text(&id), income, age, purpose]);
    }
    table.finish()
}

#[test]
fn a_row_is_decided_the_same_to_the_bit_in_chunks_of_one_seven_and_a_thousand() {
    let (champion, table) = (champion(), rows(1_000));
    let decide_in = |size: usize| {
        let all: Vec<usize> = (0..table.rows()).collect();
        let decide_piece = |rows: &[usize]| {
            let piece = table.select(rows);
            let scored = champion.score_table(&piece, &[]).unwrap();
            (0..piece.rows()).map(|row| scored.decide(row).unwrap()).collect::<Vec<_>>()
        };
        all.chunks(size).flat_map(decide_piece).collect::<Vec<Decision>>()
    };
    let whole = decide_in(1_000);
    let bits = |decisions: &[Decision]| {
        decisions.iter().map(|d| (d.margin.to_bits(), d.probability.to_bits())).collect::<Vec<_>>()
    };
    for size in [1, 7] {
        let found = decide_in(size);
        assert_eq!(bits(&found), bits(&whole), "chunks of {size}");
        assert_eq!(found, whole, "chunks of {size}");
    }
    let outcomes: std::collections::BTreeSet<&str> = whole.iter().map(|d| d.outcome.as_str()).collect();
    assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), ["approve", "decline", "refer"]);
}

#[test]
fn a_decision_names_what_it_was_made_by_and_is_not_recorded() {
    let champion = champion();
    let contract = &champion.loaded().content.contract;
    let parsed = parse_row(contract, r#"{"id":"c1","age":20,"purpose":"boat"}"#).unwrap();
    let defaulted = [parsed.defaulted];
    let decision = champion.score_table(&parsed.table, &defaulted).unwrap().decide(0).unwrap();
    assert_eq!(decision.model, pack().digest);
    assert_eq!(decision.release, champion.release().digest());
    assert_eq!(Some(decision.policy), champion.policy_digest());
    assert_eq!((decision.recorded, decision.rules), (false, vec!["boat".to_string()]));
    assert_eq!(decision.outcome, "refer");
    assert_eq!(decision.notes.missing, ["income"]);
    assert_eq!(decision.notes.unseen, [UnseenLevel { field: "purpose".into(), level: "boat".into() }]);
}

#[test]
fn base_and_contributions_of_a_prediction_add_up_to_its_margin() {
    let (champion, table) = (champion_without_policy(), rows(20));
    let scored = champion.score_table(&table, &[]).unwrap();
    for row in 0..20 {
        let told = scored.predict(row).unwrap();
        let sum = told.contributions.iter().fold(told.base, |sum, share| sum + share.value);
        assert!((sum - told.margin).abs() < 1e-9, "{told:?}");
        assert!(told.contributions.is_sorted_by(|a, b| a.value.abs() >= b.value.abs()), "{told:?}");
        assert_eq!(told.contributions.len(), 3);
        assert_eq!(told.margin.to_bits(), scored.score(row).unwrap().margin.to_bits());
    }
}

#[test]
fn what_a_default_stands_in_for_is_noted_on_its_row_only() {
    let (champion, table) = (champion(), rows(2));
    let defaulted = [vec![], vec!["income".to_string()]];
    let scored = champion.score_table(&table, &defaulted).unwrap();
    assert!(scored.score(0).unwrap().notes.defaulted.is_empty());
    assert_eq!(scored.decide(1).unwrap().notes.defaulted, ["income"]);
    assert_eq!(scored.score(2).unwrap_err().code(), "serve.no_row");
}

#[test]
fn a_champion_without_a_policy_scores_and_does_not_decide() {
    let (champion, table) = (champion_without_policy(), rows(1));
    let scored = champion.score_table(&table, &[]).unwrap();
    assert!(scored.score(0).is_ok());
    assert_eq!(scored.decide(0).unwrap_err().code(), "serve.no_policy");
}

#[test]
fn a_release_of_another_model_opens_nothing() {
    let (one, other) =
        (pack(), pack_of(&model(), crate::registry::content::Training { seed: 8, ..training() }));
    let refused = open(&one, &release_of(other.digest), None).unwrap_err();
    assert_eq!((refused.code(), refused.class().exit_code()), ("content.altered", 5));
}

#[test]
fn a_policy_that_cannot_explain_this_model_opens_nothing() {
    let pack = pack();
    let refused = |edit: fn(&mut crate::decide::resolved::PolicyObject)| {
        let mut object = resolved(|_| ()).object().clone();
        edit(&mut object);
        let policy = ResolvedPolicy::try_from(object).unwrap();
        open(&pack, &release_of(pack.digest), Some(&policy)).unwrap_err().code()
    };
    assert_eq!(refused(|p| p.purpose = Purpose::Marketing), "policy.purpose");
    assert_eq!(refused(|p| drop(p.texts.remove("pay.low"))), "policy.no_text");
    assert_eq!(refused(|p| p.rules[0].when.field = "wealth".into()), "rule.no_field");
}

#[test]
fn moving_the_cutoff_moves_decisions_and_no_score() {
    let (champion, table) = (champion(), rows(200));
    let mut object = resolved(|_| ()).object().clone();
    object.bands[0].upto = Some(0.01);
    let strict = ResolvedPolicy::try_from(object).unwrap();
    let moved = champion.clone().with_policy(verified_policy(&keys(), &strict)).unwrap();
    let count = |champion: &Champion| {
        let scored = champion.score_table(&table, &[]).unwrap();
        let decided: Vec<Decision> = (0..200).map(|row| scored.decide(row).unwrap()).collect();
        let margins: Vec<u64> = decided.iter().map(|d| d.margin.to_bits()).collect();
        assert!(decided.iter().all(|d| d.reasons.reference == ReferenceKind::Accepted));
        (margins, decided.iter().filter(|d| d.outcome == "approve").count())
    };
    let ((before, approved), (after, fewer)) = (count(&champion), count(&moved));
    assert_eq!(before, after);
    assert!(fewer < approved, "{fewer} {approved}");
    assert_ne!(champion.policy_digest(), moved.policy_digest());
}
