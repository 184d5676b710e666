//! One JSON row against a contract: what it holds, lacks and may not hold.

use super::*;
use crate::data::contract::{ColumnSpec, RawContract};
use crate::data::table::Cell;

fn contract() -> Contract {
    let column = |name: &str, kind, role| ColumnSpec::new(name, kind, role);
    let columns = vec![
        column("case", Kind::Text, Role::Id),
        ColumnSpec {
            required: true,
            min: Some(0.0),
            aliases: vec!["income".into()],
            ..column("annual_inc", Kind::Number, Role::Feature)
        },
        ColumnSpec { default: Some("36".into()), ..column("term", Kind::Integer, Role::Feature) },
        ColumnSpec {
            levels: Some(vec!["0".into(), "1".into(), "2".into()]),
            ..column("dependents", Kind::Text, Role::Feature)
        },
        column("employed", Kind::Boolean, Role::Feature),
        column("since", Kind::Date, Role::Feature),
        column("sex", Kind::Text, Role::Protected),
        column("bad", Kind::Boolean, Role::Target),
    ];
    RawContract { columns }.check().unwrap()
}

fn codes(text: &str) -> Vec<(String, &'static str)> {
    match parse_row(&contract(), text) {
        Err(RowError::Fields(fields)) => fields.into_iter().map(|f| (f.pointer, f.code)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_becomes_a_table_in_the_contracts_order() {
    let text =
        r#"{"dependents": 2, "income": "1234.50", "employed": true, "since": "2020-02-29", "case": "A1"}"#;
    let row = parse_row(&contract(), text).unwrap();
    let names: Vec<&str> = row.table.columns().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["case", "annual_inc", "term", "dependents", "employed", "since"]);
    let cells: Vec<Cell<'_>> = row.table.columns().iter().map(|c| c.cell(0)).collect();
    let day = 18321.0;
    let expected = [
        Cell::Text("A1"),
        Cell::Number(1234.5),
        Cell::Number(36.0),
        Cell::Text("2"),
        Cell::Number(1.0),
        Cell::Number(day),
    ];
    assert_eq!(cells, expected);
    assert_eq!(row.defaulted, ["term"]);
}

#[test]
fn the_order_of_a_sender_changes_nothing_however_often_it_changes() {
    let contract = contract();
    let parser = RowParser::new(&contract);
    let fields = [r#""case": "A1""#, r#""annual_inc": 5"#, r#""term": 12"#, r#""employed": true"#];
    let expected = parse_row(&contract, &format!("{{{}}}", fields.join(","))).unwrap();
    for turn in 0..40 {
        let mut order = fields;
        order.rotate_left(turn % 4);
        order.swap(0, turn % 3 + 1);
        assert_eq!(parser.parse(&format!("{{{}}}", order.join(","))).unwrap(), expected, "{order:?}");
        let aliased = r#"{"income": 5, "term": 12, "case": "A1", "employed": true}"#;
        assert_eq!(parser.parse(aliased).unwrap(), expected);
        let twice = format!(r#"{{{}, "income": 5}}"#, order.join(","));
        assert!(matches!(parser.parse(&twice), Err(RowError::Fields(f)) if f[0].code == "duplicate_field"));
        let unknown = parser.parse(&format!(r#"{{"terms": 1, {}}}"#, order.join(",")));
        assert!(matches!(unknown, Err(RowError::Fields(f)) if f[0].pointer == "/terms"));
    }
}

#[test]
fn every_wrong_field_is_listed_at_once() {
    let text = r#"{"annual_inc": -1, "term": 1.5, "dependents": "9", "employed": "maybe", "since": "1.2.2020",
                   "case": 7, "sex": "f", "anual_inc": 3, "a/b~c": 1}"#;
    let expected = [
        ("/annual_inc", "min"),
        ("/anual_inc", "unknown_field"),
        ("/a~1b~0c", "unknown_field"),
        ("/case", "type"),
        ("/dependents", "levels"),
        ("/employed", "type"),
        ("/sex", "not_an_input"),
        ("/since", "type"),
        ("/term", "type"),
    ];
    assert_eq!(codes(text), expected.map(|(p, c)| (p.to_string(), c)));
    assert_eq!(codes(r#"{"term": 36}"#), [("/annual_inc".to_string(), "required")]);
    assert_eq!(codes(r#"{"annual_inc": null}"#), [("/annual_inc".to_string(), "required")]);
}

/// A megabyte of unknown fields once kept a thread busy for minutes and made an answer larger than the request.
#[test]
fn faults_without_end_are_named_up_to_the_limit() {
    let fields: Vec<String> = (0..20_000).map(|n| format!("\"field-{n}\": {n}")).collect();
    let faults = codes(&format!("{{{}}}", fields.join(", ")));
    assert_eq!(faults.len(), limits::FINDINGS_SHOWN_MAX + 1);
    assert_eq!(faults.last(), Some(&(String::new(), "more")));
    let long = parse_row(&contract(), &format!("{{\"{}\": 1}}", "k".repeat(900_000))).unwrap_err();
    assert!(long.to_string().len() < 2_000);
}

#[test]
fn a_key_that_stands_twice_is_named_with_its_place() {
    let error = parse_row(&contract(), r#"{"a/b": 1, "a/b": 2}"#).unwrap_err();
    assert_eq!(error.details().unwrap()["errors"][0]["pointer"], "/a~1b");
}

#[test]
fn a_wrong_type_is_not_also_missing() {
    for value in ["true", "[1]", "{\"x\": 1}", "\"abc\"", "\"NaN\"", "\"NA\"", "\"1,5\""] {
        let text = format!("{{\"annual_inc\": {value}}}");
        assert_eq!(codes(&text), [("/annual_inc".to_string(), "type")], "{value}");
    }
}

#[test]
fn one_field_under_two_names_is_refused() {
    let both = r#"{"annual_inc": 1, "income": 2}"#;
    assert_eq!(codes(both), [("/income".to_string(), "duplicate_field")]);
    let error = parse_row(&contract(), r#"{"annual_inc": 1, "annual_inc": 1}"#).unwrap_err();
    assert_eq!(error.code(), "row.duplicate_key");
}

#[test]
fn what_is_not_one_flat_object_is_refused_without_quoting_it() {
    let nested = format!("{{\"annual_inc\": {}1{}}}", "[".repeat(80), "]".repeat(80));
    let long = format!("{{\"case\": \"{}\"}}", "x".repeat(limits::ROW_JSON_BYTES_MAX as usize));
    let cases = [
        (r#"{"annual_inc": NaN}"#, "row.syntax"),
        (r#"{"annual_inc": 1e999}"#, "row.syntax"),
        (r#"{"annual_inc": 1} {}"#, "row.syntax"),
        (r#"{"annual_inc": 1,}"#, "row.syntax"),
        ("\"Jane Miller\"", "row.syntax"),
        ("", "row.syntax"),
        (&nested, "row.too_deep"),
        (&long, "row.too_long"),
    ];
    for (text, code) in cases {
        let error = parse_row(&contract(), text).unwrap_err();
        assert_eq!(error.code(), code, "{text:.60}");
        assert!(!error.to_string().contains("Miller"));
    }
}

#[test]
fn brackets_within_strings_are_no_depth() {
    let text = format!("{{\"annual_inc\": 1, \"case\": \"{}\\\"[\"}}", "[".repeat(100));
    assert!(parse_row(&contract(), &text).is_ok());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "[{}\\[\\]\":,a-z0-9.\\\\ ]{0,60}") {
        let _ = parse_row(&contract(), &text);
        let _ = parse_row(&contract(), &format!("{{\"annual_inc\": {text}}}"));
    }
}
