//! What a contract's difference means, and which texts name a model.

use super::*;
use crate::data::contract::RawContract;
use crate::data::table::Kind;

fn column(name: &str, kind: Kind, role: Role) -> ColumnSpec {
    ColumnSpec {
        name: name.into(),
        kind,
        role,
        required: false,
        min: None,
        max: None,
        levels: None,
        aliases: vec![],
        cast: None,
        default: None,
        missing: vec![],
        section: None,
        reason: None,
    }
}

fn base() -> Vec<ColumnSpec> {
    let mut income = column("income", Kind::Number, Role::Feature);
    income.min = Some(0.0);
    let mut purpose = column("purpose", Kind::Text, Role::Feature);
    purpose.levels = Some(vec!["car".into(), "house".into()]);
    vec![income, purpose, column("id", Kind::Text, Role::Id), column("bad", Kind::Boolean, Role::Target)]
}

fn change(edit: impl Fn(&mut Vec<ColumnSpec>)) -> Change {
    let mut columns = base();
    edit(&mut columns);
    let contract = |columns| RawContract { columns }.check().unwrap();
    difference(&contract(base()), &contract(columns))
}

#[test]
fn the_same_columns_are_no_change_whatever_the_target_does() {
    assert_eq!(change(|_| ()), Change::Same);
    assert_eq!(change(|c| c[3].name = "default".into()), Change::Same);
    assert_eq!(change(|c| c.push(column("note", Kind::Text, Role::Ignored))), Change::Same);
}

#[test]
fn what_accepts_more_is_additive() {
    assert_eq!(change(|c| c[0].min = None), Change::Additive);
    assert_eq!(change(|c| c[0].aliases.push("salary".into())), Change::Additive);
    assert_eq!(change(|c| c[1].levels.as_mut().unwrap().push("boat".into())), Change::Additive);
    assert_eq!(change(|c| c.push(column("branch", Kind::Text, Role::Id))), Change::Additive);
    assert_eq!(change(|c| c[0].default = Some("0".into())), Change::Additive);
}

#[test]
fn what_may_refuse_or_change_a_row_is_breaking() {
    assert_eq!(change(|c| c[0].kind = Kind::Integer), Change::Breaking);
    assert_eq!(change(|c| drop(c.remove(0))), Change::Breaking);
    assert_eq!(change(|c| c.push(column("age", Kind::Number, Role::Feature))), Change::Breaking);
    assert_eq!(change(|c| c[0].required = true), Change::Breaking);
    assert_eq!(change(|c| c[0].min = Some(1.0)), Change::Breaking);
    assert_eq!(change(|c| c[0].max = Some(1e6)), Change::Breaking);
    assert_eq!(change(|c| c[1].levels = Some(vec!["car".into()])), Change::Breaking);
    assert_eq!(change(|c| c[2].role = Role::Ignored), Change::Breaking);
    let required_id = ColumnSpec { required: true, ..column("branch", Kind::Text, Role::Id) };
    assert_eq!(change(|c| c.push(required_id.clone())), Change::Breaking);
}

#[test]
fn a_label_counts_up_by_what_changed() {
    let label: Label = "2.1.7".parse().unwrap();
    assert_eq!(label.after(Change::Same).to_string(), "2.1.8");
    assert_eq!(label.after(Change::Additive).to_string(), "2.2.0");
    assert_eq!(label.after(Change::Breaking).to_string(), "3.0.0");
    for bad in ["2.1", "2.1.0.0", "2.01.0", "+2.1.0", "a.b.c", "", "2..0", "99999999999.0.0"] {
        assert!(bad.parse::<Label>().is_err(), "{bad}");
    }
}

#[test]
fn a_number_is_never_used_twice() {
    assert_eq!(next_number(None), 1);
    assert_eq!(next_number(Some(7)), 8);
}

#[test]
fn a_reference_names_a_model_in_three_ways() {
    let parse = |text: &str| text.parse::<ModelRef>();
    assert_eq!(parse("loan").unwrap().which, Which::Unstated);
    assert_eq!(parse("loan@3").unwrap().which, Which::Number(3));
    assert_eq!(parse("loan:production").unwrap().which, Which::Alias(Alias::Production));
    for text in ["loan", "loan@3", "loan:staging"] {
        assert_eq!(parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn a_reference_that_names_nothing_says_why() {
    let fails = |text: &str| text.parse::<ModelRef>().unwrap_err();
    for (text, code) in [
        ("loan@0", "version.reference"),
        ("loan@", "version.reference"),
        ("loan@03", "version.reference"),
        ("loan@-1", "version.reference"),
        ("loan@3:production", "version.reference"),
        ("loan@99999999999999999999", "version.reference"),
        ("loan:", "version.alias"),
        ("loan:prod", "version.alias"),
        ("loan:production@3", "version.alias"),
        ("Loan", "version.name"),
        ("@3", "version.name"),
        ("", "version.name"),
    ] {
        assert_eq!(fails(text).code(), code, "{text}");
    }
    assert_eq!(fails("loan:prod").next_step().unwrap(), "Did you mean `production`?");
    assert_eq!(fails("loan:stagin").next_step().unwrap(), "Did you mean `staging`?");
}
