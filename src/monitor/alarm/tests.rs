//! Rules as projects write them, what is refused, and every watch raising and keeping still.

use crate::base::fact::Fact;
use crate::monitor::alarm::error::RuleError;
use crate::monitor::alarm::judge::{Past, judge};
use crate::monitor::alarm::rules::{Named, RawRules, Rules};
use crate::monitor::alarm::{Alarm, Reaction, Severity};
use crate::monitor::drift::{FieldDrift, Method};
use crate::monitor::report::Report;
use crate::monitor::report::example::{before, drift, empty, full, wide};
use crate::monitor::trend::{Day, names};
use crate::monitor::verdict::Verdict;

fn check(text: &str) -> Result<Rules, RuleError> {
    let fields =
        ["income", "loan_amount", "months_employed", "age", "purpose", "guarantor"].map(String::from);
    let (attributes, models) = (["age_group", "sex"].map(String::from), ["consumer-loan".to_string()]);
    let named = Named { fields: &fields, attributes: &attributes, models: &models };
    toml::from_str::<RawRules>(text).unwrap().check(&named)
}

/// One rule of these lines.
fn rule(lines: &str) -> Rules {
    check(&format!("[[rule]]\nname = \"r\"\n{lines}")).unwrap()
}

fn refused(lines: &str) -> RuleError {
    check(&format!("[[rule]]\nname = \"r\"\n{lines}")).unwrap_err()
}

fn alarms(lines: &str, report: &Report) -> Vec<Alarm> {
    judge(&rule(lines), report, &Past { days: &[], released_auc: Some(0.7612) }).unwrap()
}

fn sentences(lines: &str, report: &Report) -> Vec<String> {
    alarms(lines, report).into_iter().map(|alarm| alarm.sentence).collect()
}

/// A rule that holds of the full report with this sentence, another that does not, and neither of an empty report.
fn raises(holds: &str, keeps_still: &str, sentence: &str) {
    let first = sentences(holds, &full()).into_iter().next();
    assert_eq!(first.as_deref(), Some(sentence), "{holds}");
    assert_eq!(sentences(keeps_still, &full()), [""; 0], "{keeps_still}");
    assert_eq!(sentences(holds, &empty()), [""; 0], "{holds} of an empty report");
}

#[test]
fn drift_is_watched_by_verdict_and_by_limit() {
    raises(
        "watch = \"drift\"\nat = \"shifted\"",
        "watch = \"drift\"\nfield = \"age\"\nat = \"watch\"",
        "income has shifted: the stability index (PSI) over 4,120 rows is 0.312, the limit is 0.250.",
    );
    raises(
        "watch = \"drift\"\nfield = \"months_employed\"\nat = \"watch\"",
        "watch = \"drift\"\nfield = \"months_employed\"\nat = \"shifted\"",
        "months_employed is beginning to shift: the stability index (PSI) over 4,120 rows is 0.138, the limit is 0.100.",
    );
    raises(
        "watch = \"drift\"\nfield = \"income\"\nabove = 0.3",
        "watch = \"drift\"\nfield = \"income\"\nabove = 0.3124",
        "income: the stability index (PSI) over 4,120 rows is 0.312, above the limit 0.300.",
    );
}

#[test]
fn every_field_that_shifted_has_its_alarm_the_worst_first() {
    let found = alarms("watch = \"drift\"\nat = \"watch\"", &full());
    let about: Vec<&str> = found.iter().map(|alarm| alarm.about.as_str()).collect();
    assert_eq!(about, ["income", "purpose", "months_employed"]);
    assert_eq!((found[0].value, found[0].limit), (Some(0.3124), Some(0.25)));
    assert_eq!((found[0].severity, &found[0].actions[..]), (Severity::Warning, &[Reaction::Notify][..]));
}

#[test]
fn a_field_judged_by_its_p_value_says_so() {
    let mut report = full();
    report.drift.fields[0] = FieldDrift {
        method: Method::KolmogorovSmirnov,
        p_value: Some(0.0032),
        threshold: 0.05,
        ..drift("income", 0.214, Verdict::Shifted, 0.9)
    };
    let found = alarms("watch = \"drift\"\nfield = \"income\"\nat = \"shifted\"", &report);
    assert_eq!((found[0].value, found[0].limit), (Some(0.0032), Some(0.05)));
    assert_eq!(
        found[0].sentence,
        "income has shifted: the p-value over 4,120 rows is 0.003, the limit is 0.050 (Kolmogorov-Smirnov distance 0.214)."
    );
}

#[test]
fn the_score_is_watched() {
    raises(
        "watch = \"score_drift\"\nat = \"watch\"",
        "watch = \"score_drift\"\nat = \"shifted\"",
        "The score is beginning to shift: the stability index (PSI) over 4,120 rows is 0.164, the limit is 0.100.",
    );
    raises(
        "watch = \"score_drift\"\nabove = 0.15",
        "watch = \"score_drift\"\nabove = 0.2",
        "The score: the stability index (PSI) over 4,120 rows is 0.164, above the limit 0.150.",
    );
}

#[test]
fn missing_and_unseen_values_are_watched() {
    raises(
        "watch = \"missing\"\nfield = \"income\"\nabove = 0.1",
        "watch = \"missing\"\nfield = \"income\"\nabove = 0.2",
        "income is missing in 13.4% of rows, above the limit 10.0%.",
    );
    raises(
        "watch = \"unseen\"\nabove = 0.01",
        "watch = \"unseen\"\nabove = 0.04",
        "purpose has values the model never saw in 3.1% of rows, above the limit 1.0%.",
    );
    // 79% of guarantor are missing, but of too few rows to say so.
    assert_eq!(sentences("watch = \"missing\"\nabove = 0.5", &full()), [""; 0]);
}

#[test]
fn quality_is_watched_of_the_day_and_of_a_field() {
    raises(
        "watch = \"quality\"\nat = \"shifted\"",
        "watch = \"quality\"\nfield = \"age\"\nat = \"watch\"",
        "The data of the window have shifted: income, purpose.",
    );
    raises(
        "watch = \"quality\"\nfield = \"purpose\"\nat = \"watch\"",
        "watch = \"quality\"\nfield = \"purpose\"\nat = \"shifted\"",
        "The data of purpose are beginning to shift: 0.1% missing where the reference has 0.0%, 3.1% never seen in training.",
    );
}

#[test]
fn the_release_in_force_is_watched_by_what_is_sure_of_it() {
    raises(
        "watch = \"release_auc_drop\"\nabove = 0.05",
        "watch = \"release_auc_drop\"\nabove = 0.06",
        "Version 7 in force, by 396 matured outcomes of its own: its AUC lies 0.148 below that of its test rows, surely at least 0.054, above the limit 0.050.",
    );
    raises(
        "watch = \"release\"\nat = \"shifted\"",
        "watch = \"release_calibration\"\nabove = 0.75",
        "Version 7 in force is surely worse than its limits allow, by 396 matured outcomes of its own.",
    );
    raises(
        "watch = \"release_calibration\"\nabove = 0.7",
        "watch = \"release_calibration\"\nbelow = 1.5",
        "Version 7 in force, by 396 matured outcomes of its own: 1.109 bad ones came for each that it foretold, surely at least 0.707, above the limit 0.700.",
    );
    raises(
        "watch = \"release_calibration\"\nbelow = 1.6",
        "watch = \"release_calibration\"\nbelow = 1.51",
        "Version 7 in force, by 396 matured outcomes of its own: 1.109 bad ones came for each that it foretold, surely at most 1.511, below the limit 1.600.",
    );
}

#[test]
fn a_release_before_that_was_no_better_is_told() {
    let mut report = full();
    let before = report.release_performance.as_mut().unwrap().before.as_mut().unwrap();
    before.verdict = Verdict::Shifted;
    let said = sentences("watch = \"release_auc_drop\"\nabove = 0.05", &report);
    assert!(
        said[0].ends_with("; version 6 before it was no better by its own outcomes and does not come back.")
    );
    report.release_performance = None;
    assert_eq!(sentences("watch = \"release_auc_drop\"\nabove = 0.05", &report), [""; 0]);
}

#[test]
fn the_drop_of_the_auc_is_watched_where_the_released_one_is_known() {
    raises(
        "watch = \"auc_drop\"\nabove = 0.05",
        "watch = \"auc_drop\"\nabove = 0.06",
        "Since the release the AUC has fallen to 0.703, 95% interval 0.676 to 0.730: by 0.058, above the limit 0.050.",
    );
    let rules = rule("watch = \"auc_drop\"\nabove = 0.05");
    assert!(rules.needs_released_auc() && !Rules::standard().needs_released_auc());
    assert_eq!(judge(&rules, &full(), &Past::default()).unwrap(), []);
}

#[test]
fn performance_is_watched_by_its_verdict() {
    raises(
        "watch = \"performance\"\nat = \"watch\"",
        "watch = \"performance\"\nat = \"shifted\"",
        "The model is becoming worse, over 1,904 known outcomes.",
    );
}

#[test]
fn calibration_is_watched_by_its_figures() {
    raises(
        "watch = \"calibration\"\nabove = 0.015",
        "watch = \"calibration\"\nabove = 0.02",
        "Calibration error (ECE) is 0.019, above the limit 0.015.",
    );
    raises(
        "watch = \"calibration\"\nfigure = \"calibration_slope\"\nbelow = 0.95\nabove = 1.2",
        "watch = \"calibration\"\nfigure = \"calibration_slope\"\nbelow = 0.8\nabove = 1.2",
        "Calibration slope is 0.941, below the limit 0.950.",
    );
}

#[test]
fn fairness_is_watched_by_verdict_and_by_figure() {
    raises(
        "watch = \"fairness\"\nat = \"watch\"",
        "watch = \"fairness\"\nattribute = \"sex\"\nat = \"watch\"",
        "The groups of age_group are beginning to be treated differently (4,120 cases).",
    );
    raises(
        "watch = \"fairness\"\nattribute = \"age_group\"\nabove = 0.1",
        "watch = \"fairness\"\nattribute = \"sex\"\nabove = 0.1",
        "age_group: demographic parity difference is 17.0%, above the limit 10.0%.",
    );
    raises(
        "watch = \"fairness\"\nfigure = \"demographic_parity_ratio\"\nbelow = 0.9",
        "watch = \"fairness\"\nfigure = \"demographic_parity_ratio\"\nbelow = 0.8",
        "age_group: demographic parity ratio is 0.830, below the limit 0.900.",
    );
}

#[test]
fn the_business_is_watched() {
    raises(
        "watch = \"approval_rate\"\nbelow = 0.6\nabove = 0.8",
        "watch = \"approval_rate\"\nbelow = 0.5\nabove = 0.8",
        "Approved were 57.5% of the cases decided, below the limit 60.0%.",
    );
    raises(
        "watch = \"bad_rate\"\nabove = 0.05",
        "watch = \"bad_rate\"\nabove = 0.07",
        "Bad were 6.1% of those approved whose outcome is known, above the limit 5.0%.",
    );
}

#[test]
fn degraded_answers_are_watched() {
    raises(
        "watch = \"degraded\"\nabove = 0.001",
        "watch = \"degraded\"\nabove = 0.01",
        "The fallback answered 0.3% of rows, above the limit 0.1%.",
    );
}

/// No rows at all are too few for a verdict, but they are just what this rule is for.
#[test]
fn too_few_rows_raise_the_alarm_on_volume_and_no_other() {
    let below = "watch = \"volume\"\nbelow = 100";
    assert_eq!(sentences(below, &full()), [""; 0]);
    assert_eq!(sentences(below, &empty()), ["The number of rows is 0, below the limit 100."]);
    assert_eq!(
        sentences("watch = \"volume\"\nabove = 4_000", &full()),
        ["The number of rows is 4,120, above the limit 4,000."]
    );
    assert_eq!(judge(&Rules::standard(), &empty(), &Past::default()).unwrap(), []);
}

#[test]
fn too_few_rows_never_raise_an_alarm_of_a_verdict_or_a_figure() {
    let mut report = full();
    report.drift.fields.iter_mut().for_each(|f| f.verdict = Verdict::Insufficient);
    report.quality.fields.iter_mut().for_each(|f| f.verdict = Verdict::Insufficient);
    report.performance.as_mut().unwrap().verdict = Verdict::Insufficient;
    report.fairness.iter_mut().for_each(|f| f.verdict = Verdict::Insufficient);
    for lines in [
        "watch = \"drift\"\nabove = 0",
        "watch = \"missing\"\nabove = 0",
        "watch = \"unseen\"\nabove = 0",
        "watch = \"auc_drop\"\nabove = 0",
        "watch = \"calibration\"\nabove = 0",
        "watch = \"fairness\"\nabove = 0",
    ] {
        assert_eq!(sentences(lines, &report), [""; 0], "{lines}");
        assert_ne!(sentences(lines, &full()), [""; 0], "{lines}");
    }
}

#[test]
fn a_project_without_rules_hears_of_shifts_only() {
    let judged = |report: &Report| judge(&Rules::standard(), report, &Past::default()).unwrap();
    let found = judged(&full());
    assert!(found.iter().all(|a| a.rule == "field-shifted" && a.severity == Severity::Warning));
    assert_eq!(found.len(), 2);
    let mut report = before();
    report.drift.fields[4].verdict = Verdict::Stable;
    assert_eq!(judged(&report), []);
    report.drift.score.as_mut().unwrap().verdict = Verdict::Shifted;
    assert_eq!(judged(&report)[0].rule, "score-shifted");
}

#[test]
fn a_rule_of_another_model_keeps_still() {
    let models = ["consumer-loan", "car-loan"].map(String::from);
    let named = Named { models: &models, ..Named::default() };
    let of = |model: &str| {
        let text =
            format!("[[rule]]\nname = \"r\"\nwatch = \"drift\"\nat = \"shifted\"\nmodel = \"{model}\"");
        let rules = toml::from_str::<RawRules>(&text).unwrap().check(&named).unwrap();
        judge(&rules, &full(), &Past::default()).unwrap().len()
    };
    assert_eq!((of("consumer-loan"), of("car-loan")), (2, 0));
}

#[test]
fn the_actions_and_severity_of_a_rule_are_those_of_its_alarms() {
    let lines =
        "watch = \"drift\"\nat = \"shifted\"\nseverity = \"critical\"\nactions = [\"roll_back\", \"freeze\"]";
    let found = alarms(lines, &full());
    assert_eq!(found[0].severity, Severity::Critical);
    assert_eq!(found[0].actions, [Reaction::RollBack, Reaction::Freeze]);
    assert_eq!(alarms("watch = \"drift\"\nat = \"shifted\"\nactions = []", &full())[0].actions, []);
}

#[test]
fn past_the_limit_the_mildest_alarms_share_one() {
    let found = alarms("watch = \"drift\"\nat = \"shifted\"", &wide(200));
    assert_eq!(found.len(), 21);
    assert_eq!(found[0].about, "field_0199");
    assert_eq!(found[20].about, "180 other fields");
    assert_eq!(found[20].sentence, "The rule r holds for 180 other fields too; the report lists them.");
}

/// What reports left on the days before, counted back from the full report's day: shifted, stable, too few or no report.
fn past(days: &str) -> Vec<Day> {
    let told = |(back, sign): (usize, char)| {
        let mut report = full();
        let verdict = match sign {
            's' => Verdict::Shifted,
            '-' => Verdict::Stable,
            '?' => Verdict::Insufficient,
            _ => return None,
        };
        report.drift.fields[0].verdict = verdict;
        report.drift.fields[0].statistic = (verdict != Verdict::Insufficient).then_some(0.3);
        let mut day = report.points().unwrap();
        day.day -= back as u64 + 1;
        Some(day)
    };
    days.chars().enumerate().filter_map(told).collect()
}

fn held_for(days: u64, before: &[Day]) -> bool {
    let lines = format!("watch = \"drift\"\nfield = \"income\"\nat = \"shifted\"\nfor_days = {days}");
    !judge(&rule(&lines), &full(), &Past { days: before, released_auc: None }).unwrap().is_empty()
}

#[test]
fn a_rule_for_days_holds_when_the_days_before_hold_as_well() {
    assert!(held_for(1, &[]));
    assert!(!held_for(3, &past("")));
    assert!(!held_for(3, &past("s")));
    assert!(held_for(3, &past("ss")));
    assert!(held_for(3, &past("ss-")));
    assert!(!held_for(3, &past("s-s")));
    assert!(!held_for(3, &past("-ss")));
}

/// A server that was off at the weekend, or a Sunday with three applicants, is neither for nor against.
#[test]
fn days_that_say_nothing_neither_count_nor_break_the_row() {
    assert!(held_for(3, &past("..ss")));
    assert!(held_for(3, &past("s??s")));
    assert!(!held_for(3, &past("s??-s")));
    // Thirteen days, with today, are the most that three may lie in.
    assert!(held_for(3, &past("s..........s")));
    assert!(!held_for(3, &past("s...........s")));
    assert_eq!(rule("watch = \"drift\"\nat = \"shifted\"\nfor_days = 3").days_needed(), 12);
    assert_eq!(Rules::standard().days_needed(), 0);
}

#[test]
fn a_row_of_days_is_of_one_field_and_one_model() {
    let mut other_field = past("ss");
    for reading in other_field.iter_mut().flat_map(|day| &mut day.readings) {
        if reading.about.as_deref() == Some("income") {
            reading.about = Some("age".into());
        }
    }
    assert!(!held_for(3, &other_field));
    let mut other_model = past("ss");
    other_model.iter_mut().for_each(|day| day.model = "car-loan".into());
    assert!(!held_for(3, &other_model));
}

#[test]
fn a_report_that_was_made_again_counts_as_it_is_now() {
    let mut again = past("ss");
    again.push(past("-").remove(0));
    assert!(!held_for(3, &again));
    let lines = "watch = \"drift\"\nfield = \"income\"\nat = \"shifted\"\nfor_days = 2";
    let found = judge(&rule(lines), &full(), &Past { days: &past("s"), released_auc: None }).unwrap();
    assert!(found[0].sentence.ends_with("the limit is 0.250, on 2 days in a row."), "{}", found[0].sentence);
}

#[test]
fn limits_are_held_against_the_days_before_too() {
    let lines = "watch = \"approval_rate\"\nbelow = 0.6\nfor_days = 2";
    let mut yesterday = before().points().unwrap();
    let raised = |yesterday: &Day| {
        let past = Past { days: std::slice::from_ref(yesterday), released_auc: None };
        judge(&rule(lines), &full(), &past).unwrap().len()
    };
    assert_eq!(raised(&yesterday), 0);
    let approved = yesterday.readings.iter_mut().find(|r| r.name == names::APPROVAL_RATE).unwrap();
    approved.point.value = Some(0.55);
    assert_eq!(raised(&yesterday), 1);
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest() {
    let error = refused("watch = \"drift\"\nfield = \"incme\"\nat = \"shifted\"");
    assert_eq!(error.to_string(), "rule \"r\": there is no field \"incme\"; \"income\" is near");
    assert_eq!(error.code(), "alarm.unknown_name");
    let said = |lines: &str| refused(lines).to_string();
    assert!(said("watch = \"fairness\"\nattribute = \"sexx\"\nat = \"watch\"").contains("\"sex\" is near"));
    assert!(
        said("watch = \"drift\"\nmodel = \"consumer-lone\"\nat = \"watch\"")
            .contains("\"consumer-loan\" is near")
    );
    assert!(said("watch = \"calibration\"\nfigure = \"ecee\"\nabove = 0.1").contains("\"ece\" is near"));
    assert!(
        said("watch = \"drift\"\nfield = \"zzzzzzzz\"\nat = \"watch\"").ends_with("no field \"zzzzzzzz\"")
    );
}

#[test]
fn keys_that_a_watch_does_not_take_are_refused() {
    for (lines, key) in [
        ("watch = \"score_drift\"\nfield = \"income\"\nat = \"watch\"", "field"),
        ("watch = \"drift\"\nattribute = \"sex\"\nat = \"watch\"", "attribute"),
        ("watch = \"drift\"\nfigure = \"psi\"\nat = \"watch\"", "figure"),
        ("watch = \"drift\"\nbelow = 0.1", "below"),
        ("watch = \"missing\"\nat = \"watch\"", "at"),
        ("watch = \"volume\"\nat = \"watch\"", "at"),
        ("watch = \"quality\"\nabove = 0.1", "above"),
    ] {
        let error = refused(lines);
        let RuleError::NotTaken { key: found, .. } = &error else { panic!("{lines}: {error}") };
        assert_eq!(*found, key, "{lines}");
    }
}

#[test]
fn limits_that_can_never_or_always_hold_are_refused() {
    let code = |lines: &str| refused(lines).code();
    assert_eq!(code("watch = \"drift\""), "alarm.no_limit");
    assert_eq!(refused("watch = \"quality\"").to_string(), "rule \"r\" has no limit: it needs `at`");
    assert_eq!(code("watch = \"drift\"\nat = \"watch\"\nabove = 0.1"), "alarm.two_kinds_of_limit");
    assert_eq!(code("watch = \"missing\"\nabove = 5"), "alarm.limit_range");
    assert!(refused("watch = \"missing\"\nabove = 5").to_string().contains("5 % is 0.05"));
    assert_eq!(code("watch = \"volume\"\nbelow = -1"), "alarm.limit_range");
    assert_eq!(code("watch = \"drift\"\nabove = nan"), "alarm.limit_range");
    assert_eq!(code("watch = \"approval_rate\"\nbelow = 0.6\nabove = 0.5"), "alarm.always");
    assert_eq!(code("watch = \"drift\"\nat = \"watch\"\nfor_days = 0"), "alarm.days");
    assert_eq!(code("watch = \"drift\"\nat = \"watch\"\nfor_days = 61"), "alarm.days");
}

#[test]
fn actions_that_contradict_or_repeat_are_refused() {
    let actions =
        |list: &str| refused(&format!("watch = \"drift\"\nat = \"watch\"\nactions = {list}")).code();
    assert_eq!(actions("[\"notify\", \"notify\"]"), "alarm.action_twice");
    assert_eq!(actions("[\"roll_back\", \"fall_back\"]"), "alarm.contradiction");
}

#[test]
fn names_that_are_odd_or_there_twice_and_too_many_rules_are_refused() {
    let one = |name: &str| format!("[[rule]]\nname = \"{name}\"\nwatch = \"drift\"\nat = \"watch\"\n");
    assert_eq!(check(&one("No Name")).unwrap_err().code(), "alarm.rule_name");
    assert_eq!(check(&(one("a") + &one("a"))).unwrap_err().code(), "alarm.rule_twice");
    let many: String = (0..201).map(|k| one(&format!("r{k}"))).collect();
    assert_eq!(check(&many).unwrap_err().to_string(), "monitor.toml has 201 rules; at most 200 are read");
    assert_eq!(check("").unwrap(), RawRules::default().check(&Named::default()).unwrap());
}

#[test]
fn a_key_or_a_watch_that_does_not_exist_is_refused_as_it_is_read() {
    let read = |lines: &str| toml::from_str::<RawRules>(&format!("[[rule]]\nname = \"r\"\n{lines}"));
    let said = |lines: &str| read(lines).unwrap_err().to_string();
    assert!(said("watch = \"drfit\"\nat = \"watch\"").contains("score_drift"));
    assert!(said("watch = \"drift\"\nat = \"stable\"").contains("shifted"));
    assert!(said("watch = \"drift\"\nabov = 0.1").contains("unknown field `abov`"));
}

#[test]
fn a_report_without_a_date_raises_nothing_and_says_why() {
    let mut report = full();
    report.day = "yesterday".into();
    assert_eq!(judge(&Rules::standard(), &report, &Past::default()).unwrap_err().code(), "trend.no_day");
}
