//! What an export says, against the model it was made of.

use super::conditions::{Condition, conditions};
use super::fields::{ExportError, FieldText, FieldValues, check_fields};
use super::pmml::scorecard::scorecard_pmml;
use super::pmml::trees::trees_pmml;
use super::points_csv::{BinFigures, points_csv};
use super::sql::{Source, scorecard_sql, trees_sql};
use crate::model::calibrate::Platt;
use crate::model::scorecard::points::{PointsTable, RawScaling};
use crate::model::scorecard::tests::small;
use crate::model::trees::{Branch, Child, Leaf, Split, Tree, Trees};

fn fields() -> Vec<FieldText> {
    let levels = vec!["it's".to_owned(), "a\"b".to_owned()];
    vec![
        FieldText { name: "in\"come".into(), values: FieldValues::Cuts(vec![0.5, 10.0]) },
        FieldText { name: "unused".into(), values: FieldValues::Cuts(vec![]) },
        FieldText { name: "job <&>".into(), values: FieldValues::Levels { levels, other: true } },
    ]
}

fn source() -> Source {
    Source { table: "rows".into(), keys: vec!["id".into()] }
}

#[test]
fn a_set_of_codes_is_a_condition_that_holds_for_exactly_those_values() {
    let fields = fields();
    let of = |field: usize, codes: &[u8]| conditions(&fields[field], |code| codes.contains(&code));
    assert_eq!(of(0, &[1, 3]), [Condition::Within(None, Some(0.5)), Condition::Within(Some(10.0), None)]);
    assert_eq!(of(0, &[0, 2]), [Condition::Missing, Condition::Within(Some(0.5), Some(10.0))]);
    assert_eq!(of(0, &[1, 2, 3]), [Condition::Within(None, None)]);
    assert_eq!(of(2, &[2]), [Condition::OneOf(vec!["a\"b"])]);
    assert_eq!(of(2, &[2, 3]), [Condition::NoneOf(vec!["it's"])]);
    assert_eq!(of(2, &[]), []);
    // Without a code of its own an unknown level counts as missing.
    let FieldValues::Levels { levels, .. } = fields[2].values.clone() else { panic!() };
    let closed = FieldText { name: "job".into(), values: FieldValues::Levels { levels, other: false } };
    let held = conditions(&closed, |code| code == 0);
    assert_eq!(held, [Condition::Missing, Condition::NoneOf(vec!["it's", "a\"b"])]);
}

#[test]
fn names_and_texts_cannot_break_out_of_the_statement() {
    let scaling = RawScaling::default().check().unwrap();
    let sql = scorecard_sql(&small(), &fields(), (&Platt::identity(), &scaling), &source()).unwrap();
    assert!(sql.contains("t.\"in\"\"come\" > 10.0 THEN") && sql.contains("NOT IN ('a\"b') THEN"), "{sql}");
    assert!(sql.contains("WHEN t.\"in\"\"come\" IS NULL THEN 0.0"), "{sql}");
    assert!(!sql.contains("--"), "two minus signs begin a comment: {sql}");
    let bad = Source { table: "a\u{0}b".into(), ..source() };
    let refused = scorecard_sql(&small(), &fields(), (&Platt::identity(), &scaling), &bad);
    assert!(matches!(refused, Err(ExportError::Text { .. })));
}

#[test]
fn pmml_escapes_names_and_sets_levels_with_quotes_one_by_one() {
    let scaling = RawScaling::default().check().unwrap();
    let text = scorecard_pmml(&small(), &fields(), (&Platt::identity(), &scaling)).unwrap();
    assert!(
        text.contains("<DataField name=\"job &lt;&amp;&gt;\" optype=\"categorical\" dataType=\"string\"/>")
    );
    assert!(text.contains("operator=\"notEqual\" value=\"a&quot;b\"") && !text.contains("name=\"unused\""));
    assert_eq!(text.matches("<Characteristic ").count(), 2);
}

#[test]
fn a_tree_whose_child_is_not_further_down_is_refused() {
    let split = Split::UpTo { code: 1, missing_left: true };
    let branch = Branch { column: 0, split, left: Child::Leaf(0), right: Child::Leaf(1) };
    let leaves = vec![Leaf { value: -0.5, rows: 3 }, Leaf { value: 0.25, rows: 4 }];
    let columns = small().columns;
    let trees = |branch| Trees {
        columns: columns.clone(),
        base: -1.0,
        trees: vec![Tree { branches: vec![branch], leaves: leaves.clone() }],
    };
    let sql = trees_sql(&trees(branch), &fields(), &Platt::identity(), &source()).unwrap();
    let case = "(t.\"in\"\"come\" IS NULL OR t.\"in\"\"come\" <= 0.5) THEN (-0.5) ELSE 0.25 END";
    assert!(sql.contains(case), "{sql}");
    for broken in [
        Branch { left: Child::Branch(0), ..branch },
        Branch { right: Child::Leaf(2), ..branch },
        Branch { column: 9, ..branch },
    ] {
        assert!(trees_sql(&trees(broken), &fields(), &Platt::identity(), &source()).is_err());
        assert!(trees_pmml(&trees(broken), &fields(), &Platt::identity()).is_err());
    }
}

#[test]
fn fields_of_another_model_are_refused() {
    let columns = small().columns;
    let check = |change: fn(&mut Vec<FieldText>)| {
        let mut fields = fields();
        change(&mut fields);
        check_fields(&columns, &fields).unwrap_err()
    };
    assert!(check_fields(&columns, &fields()).is_ok());
    assert_eq!(check(|f| f.truncate(2)), ExportError::Count { fields: 2, columns: 3 });
    assert!(matches!(check(|f| f[1].name = "job <&>".into()), ExportError::Name { .. }));
    assert!(matches!(check(|f| f[0].values = FieldValues::Cuts(vec![2.0, 1.0])), ExportError::Cuts { .. }));
    assert!(matches!(
        check(|f| f[0].values = FieldValues::Cuts(vec![1.0])),
        ExportError::Codes { found: 3, codes: 4, .. }
    ));
    assert!(matches!(check(|f| f[0].name = "a\nb".into()), ExportError::Text { .. }));
}

#[test]
fn the_table_of_points_has_a_line_a_bin() {
    let card = small();
    let table = PointsTable::of(&card, &RawScaling::default().check().unwrap(), &Platt::identity());
    let figures = vec![vec![BinFigures { rows: 10.0, events: 4.0, iv: 0.1 }; 3]; 2];
    let text = points_csv(&card, &fields(), &table, Some(&figures)).unwrap();
    assert_eq!(text.lines().count(), 8);
    assert!(text.contains("\"in\"\"come\",1,up to 10.0,10.0,4.0,0.4,-0.7,0.1,"), "{text}");
    assert!(matches!(
        points_csv(&card, &fields(), &table, Some(&figures[..1])),
        Err(ExportError::Figures { part: 1 })
    ));
}
