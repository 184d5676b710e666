//! Every expectation on small tables: what passes, what fails, and what cannot be evaluated.

use serde_json::{Value, json};

use crate::base::fact::Fact;
use crate::data::contract::{ColumnSpec, Contract, RawContract, Role};
use crate::data::expect::report::{ExpectationResult, SuiteReport};
use crate::data::expect::suite::{ExpectError, RawSuite, Suite};
use crate::data::finding::{HIDDEN, Severity};
use crate::data::table::{Cell, Kind, Table, TableBuilder};

fn contract() -> Contract {
    let column = |name: &str, kind, role| ColumnSpec::new(name, kind, role);
    let columns = vec![
        column("x", Kind::Number, Role::Feature),
        column("y", Kind::Number, Role::Feature),
        column("c", Kind::Text, Role::Feature),
        column("day", Kind::Date, Role::Feature),
        column("empty", Kind::Number, Role::Feature),
        column("absent", Kind::Number, Role::Leak),
        column("unused", Kind::Text, Role::Ignored),
        column("name", Kind::Text, Role::Pii),
        column("bad", Kind::Boolean, Role::Target),
    ];
    RawContract { columns }.check().unwrap()
}

/// x: 1, 2, 3, missing, 10; y: 1 to 5.
fn table() -> Table {
    let contract = contract();
    let kept = contract.columns().iter().filter(|c| c.name != "absent" && c.name != "unused");
    let mut builder = TableBuilder::new(kept.map(|c| (c.name.as_str(), c.kind)));
    let text = ["aa", "b", "b", "cc1", ""];
    for (row, x) in [1.0, 2.0, 3.0, f64::NAN, 10.0].into_iter().enumerate() {
        builder.push_row([
            if x.is_nan() { Cell::Missing } else { Cell::Number(x) },
            Cell::Number(row as f64 + 1.0),
            if text[row].is_empty() { Cell::Missing } else { Cell::Text(text[row]) },
            Cell::Number(row as f64),
            Cell::Missing,
            Cell::Text("Miller"),
            Cell::Number(f64::from(u8::from(row % 2 == 0))),
        ]);
    }
    builder.finish()
}

fn suite(expect: Value) -> Result<Suite, ExpectError> {
    let raw: RawSuite = serde_json::from_value(json!({ "expect": expect })).unwrap();
    raw.check(&contract())
}

fn validate(expect: Value) -> SuiteReport {
    suite(json!([expect])).unwrap().validate(&table())
}

fn only(expect: Value) -> ExpectationResult {
    validate(expect).results.remove(0)
}

#[test]
fn row_wise_rules_name_the_rows_that_break_them() {
    let cases = [
        (json!({"type": "values_between", "column": "x", "min": 2, "max": 9}), vec![1, 5]),
        (json!({"type": "values_between", "column": "x", "min": 1, "strict_min": true}), vec![1]),
        (json!({"type": "values_between", "column": "day", "max": "1970-01-04"}), vec![5]),
        (json!({"type": "values_on_grid", "column": "x", "scale": 0.5, "min": 1, "max": 5}), vec![1, 3]),
        (json!({"type": "values_in_set", "column": "c", "values": ["aa", "b"]}), vec![4]),
        (json!({"type": "values_in_set", "column": "bad", "values": [true]}), vec![2, 4]),
        (json!({"type": "values_not_in_set", "column": "x", "values": [10]}), vec![5]),
        (json!({"type": "values_not_null", "column": "x"}), vec![4]),
        (json!({"type": "values_null", "column": "x"}), vec![1, 2, 3, 5]),
        (json!({"type": "values_unique", "column": "c"}), vec![2, 3]),
        (json!({"type": "values_match_regex", "column": "c", "regex": "^[a-z]+$"}), vec![4]),
        (json!({"type": "values_not_match_regex", "column": "c", "regex": "^b$"}), vec![2, 3]),
        (json!({"type": "value_lengths_between", "column": "c", "min": 2, "max": 2}), vec![2, 3, 4]),
        (json!({"type": "values_decreasing", "column": "x"}), vec![2, 3, 5]),
        (json!({"type": "value_z_scores_below", "column": "x", "threshold": 1.4}), vec![5]),
        (json!({"type": "column_pair_greater", "columns": ["y", "x"], "or_equal": false}), vec![1, 2, 3, 5]),
        (json!({"type": "column_pair_greater", "columns": ["y", "x"]}), vec![5]),
        (json!({"type": "column_pair_equal", "columns": ["x", "y"]}), vec![5]),
        (json!({"type": "compound_unique", "columns": ["c", "name"]}), vec![2, 3]),
        (json!({"type": "columns_sum_between", "columns": ["x", "y"], "max": 6}), vec![5]),
    ];
    for (expect, rows) in cases {
        let report = validate(expect.clone());
        let result = &report.results[0];
        let found: Vec<u64> = result.examples.iter().filter_map(|f| f.row).collect();
        assert_eq!(found, rows, "{expect}");
        assert!(!result.success && !report.success && result.evaluated, "{expect}");
        assert_eq!(report.failing_rows.len(), rows.len(), "{expect}");
    }
    assert!(only(json!({"type": "values_increasing", "column": "x", "strictly": true})).success);
}

#[test]
fn figures_are_those_of_the_textbook() {
    let cases = [
        ("column_min_between", json!({}), 1.0),
        ("column_max_between", json!({}), 10.0),
        ("column_mean_between", json!({}), 4.0),
        ("column_median_between", json!({}), 2.5),
        ("column_stdev_between", json!({}), (50.0f64 / 3.0).sqrt()),
        ("column_sum_between", json!({}), 16.0),
        ("column_quantile_between", json!({"quantile": 0.25}), 1.75),
        ("distinct_count_between", json!({}), 4.0),
        ("proportion_unique_between", json!({}), 1.0),
        ("missing_share_between", json!({}), 0.2),
    ];
    for (kind, extra, value) in cases {
        let mut expect = json!({"type": kind, "column": "x", "min": value - 1e-9, "max": value + 1e-9});
        expect.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        assert!(only(expect.clone()).success, "{kind}");
        expect["max"] = json!(value - 1e-10);
        assert!(!only(expect).success, "{kind}");
    }
    let contains = |values| only(json!({"type": "distinct_values_contain", "column": "c", "values": values}));
    assert!(contains(json!(["b", "aa"])).success && !contains(json!(["b", "z"])).success);
    assert!(only(json!({"type": "row_count_between", "min": 5, "max": 5})).success);
    assert!(!only(json!({"type": "column_count_between", "max": 6})).success);
    assert!(only(json!({"type": "columns_exist", "names": ["x", "bad"]})).success);
    assert!(!only(json!({"type": "columns_match_set", "names": ["x", "bad"]})).success);
}

#[test]
fn mostly_tolerates_a_share_and_severity_decides_what_halts() {
    let not_null = |mostly: f64, severity: &str| {
        validate(json!({"type": "values_not_null", "column": "x", "mostly": mostly, "severity": severity}))
    };
    let tolerated = not_null(0.8, "critical");
    assert!(tolerated.success && tolerated.failing_rows.is_empty());
    assert_eq!(tolerated.results[0].unexpected_count, 1);
    assert!(!not_null(0.81, "critical").success);
    let warned = not_null(1.0, "warning");
    assert!(warned.success && !warned.results[0].success && warned.failing_rows.is_empty());
    assert_eq!((warned.failed_critical, warned.failed_warning), (0, 1));
}

#[test]
fn a_rule_that_cannot_be_evaluated_is_a_critical_failure() {
    let cases = [
        json!({"type": "values_between", "column": "empty", "min": 0, "severity": "info"}),
        json!({"type": "values_between", "column": "absent", "min": 0, "severity": "info"}),
        json!({"type": "column_mean_between", "column": "empty", "min": 0, "severity": "warning"}),
    ];
    for expect in cases {
        let report = validate(expect.clone());
        let result = &report.results[0];
        assert!(!report.success && !result.evaluated, "{expect}");
        assert_eq!(result.severity, Severity::Critical);
    }
    let raw = json!([{"type": "values_not_null", "column": "x"}]);
    assert!(!suite(raw).unwrap().validate(&table().select(&[])).success, "no rows are no proof");
}

#[test]
fn a_suite_that_is_mistyped_is_refused_with_the_nearest_name() {
    let cases = [
        (json!({"type": "value_between", "column": "x", "min": 0}), "expect.unknown_type", "values_between"),
        (
            json!({"type": "values_between", "column": "x", "min": 0, "mx": 1}),
            "expect.unknown_key",
            "\"max\"",
        ),
        (json!({"type": "values_between", "column": "xx", "min": 0}), "expect.unknown_column", "\"x\""),
        (json!({"type": "values_between", "column": "unused", "min": 0}), "expect.ignored_column", "unused"),
        (json!({"type": "values_between", "column": "c", "min": 0}), "expect.does_not_apply", "\"c\""),
        (json!({"type": "values_between", "column": "x"}), "expect.argument", "\"min\""),
        (json!({"type": "values_between", "column": "x", "min": 2, "max": 1}), "expect.argument", "at most"),
        (json!({"type": "values_between", "column": "day", "min": 2}), "expect.argument", "a date"),
        (json!({"type": "values_in_set", "column": "x", "values": ["a"]}), "expect.argument", "kind"),
        (json!({"type": "values_not_null", "column": "x", "mostly": 0}), "expect.argument", "mostly"),
        (json!({"type": "row_count_between", "min": 1, "mostly": 0.5}), "expect.argument", "mostly"),
        (json!({"type": "values_match_regex", "column": "c", "regex": "("}), "expect.regex", "expectation 1"),
        (json!({"type": "column_pair_equal", "columns": ["x"]}), "expect.argument", "two columns"),
        (json!({"type": "values_not_null"}), "expect.argument", "one column"),
    ];
    for (expect, code, says) in cases {
        let error = suite(json!([expect.clone()])).unwrap_err();
        assert_eq!(error.code(), code, "{expect}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_person_is_not_quoted_and_rows_are_numbered_as_in_the_file() {
    let raw = json!([{"type": "values_in_set", "column": "name", "values": ["Smith"]}]);
    let report = suite(raw).unwrap().validate_numbered(&table(), &|row| row as u64 * 10 + 7);
    let first = &report.results[0].examples[0];
    assert_eq!((first.row, first.value.as_deref()), (Some(7), Some(HIDDEN)));
    assert!(!serde_json::to_string(&report).unwrap().contains("Miller"));
}
