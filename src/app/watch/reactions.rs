//! What a rule of monitor.toml asks for when it holds: that somebody is told, that nothing is promoted, that the version
//! before comes back, that a candidate is trained. Each is an act with its record, which names the rule.

use crate::alert::raised::{Detail, Kind, RawAlert, Severity as Told, Subject};
use crate::app::alerts::{News, draw_id};
use crate::app::chains::beat::SCHEDULE;
use crate::app::chains::starts::put_in_line;
use crate::app::home::App;
use crate::app::registry::promotion::{self, MoveAs};
use crate::base::fact::Failure;
use crate::ledger::leaf::Kind as Leaf;
use crate::monitor::alarm::{Alarm, Reaction, Severity};
use crate::monitor::report::Report;
use crate::monitor::trend::names;
use crate::registry::version::Alias;
use crate::schedule::chain_run::TriggerKind;
use crate::schedule::trigger::Start;
use crate::security::actor::{Act, Person, Role};
use crate::store::rows::watch::HoldRow;

/// Does what the alarms of a report ask for beside telling.
pub(in crate::app::watch) fn react(app: &App, report: &Report) -> Result<(), Failure> {
    for alarm in &report.alarms {
        for reaction in &alarm.actions {
            match reaction {
                Reaction::Notify => {}
                Reaction::Freeze => freeze(app, report, alarm)?,
                Reaction::RollBack => roll_back(app, report, alarm)?,
                Reaction::FallBack => fall_back(app, report, alarm)?,
                Reaction::Retrain => retrain(app, report, alarm)?,
            }
        }
    }
    Ok(())
}

/// Nothing is promoted until a person lets go.
fn freeze(app: &App, report: &Report, alarm: &Alarm) -> Result<(), Failure> {
    if app.store.read_lab(|lab| lab.find_hold(&report.model))?.is_some() {
        return Ok(());
    }
    let actor = app.may(Act::Score)?;
    let now = app.now();
    let row = HoldRow {
        model: report.model.clone(),
        rule: alarm.rule.clone(),
        why: alarm.sentence.clone(),
        since_ms: now.millis(),
    };
    let body = serde_json::json!({"held": true, "rule": alarm.rule, "why": alarm.sentence});
    let entry = App::entry(&actor, Leaf::ModelHeld, format!("model/{}", report.model), &body)?;
    app.store.write_ledger(move |ledger| ledger.append_record(entry.clone(), now))?;
    app.store.write_lab(move |lab| lab.put_hold(&row))?;
    Ok(())
}

/// A person lets a model go that a rule held back.
pub fn release_hold(app: &App, model: &str) -> Result<HoldRow, Failure> {
    let actor = app.may(Act::PromoteModel)?;
    let missing = || crate::app::error::UseCaseError::NotHeld { model: model.to_string() };
    let row = app.store.read_lab(|lab| lab.find_hold(model))?.ok_or_else(missing)?;
    let now = app.now();
    let body = serde_json::json!({"held": false, "rule": row.rule});
    let entry = App::entry(&actor, Leaf::ModelHeld, format!("model/{model}"), &body)?;
    app.store.write_ledger(move |ledger| ledger.append_record(entry.clone(), now))?;
    let gone = model.to_string();
    app.store.write_lab(move |lab| lab.remove_hold(&gone))?;
    Ok(row)
}

/// The version before comes back, if the one that the report is of is still in production; and not for what its own
/// outcomes say, where those of the one before say the same of it.
fn roll_back(app: &App, report: &Report, alarm: &Alarm) -> Result<(), Failure> {
    // The duty that watches may not ask about the registry; it only looks whether the report is still of what is there.
    let there = app.store.read_ledger(|l| l.find_alias(&report.model, Alias::Production.as_str()))?;
    let Some(there) = there else { return Ok(()) };
    let own = report.release_performance.as_ref().filter(|_| names::is_of_release(&alarm.about));
    if there.version != report.version || own.is_some_and(|own| !own.is_helped_by_going_back()) {
        return Ok(());
    }
    // A person who moves it meanwhile has the last word.
    let how = MoveAs { from: vec![promotion::tag_of(&there)], ..MoveAs::default() };
    let as_duty = app.as_person(Person::of(SCHEDULE, &[Role::Worker, Role::Admin])?);
    let why = format!("rule {}: {}", alarm.rule, alarm.sentence);
    let why: String = why.chars().take(crate::base::limits::WHY_CHARS_MAX).collect();
    let rolled = promotion::rollback(&as_duty, &report.model, Alias::Production, &why, &how);
    match rolled {
        Ok(_) => Ok(()),
        Err(failure) if failure.code() == "model.alias_moved" => Ok(()),
        // The first version there ever was: nothing to go back to, and somebody is told anyway.
        Err(failure) if failure.code() == "model.nothing_before" => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Something simpler answers than the model: what was in production before, else nothing is decided without a person.
fn fall_back(app: &App, report: &Report, alarm: &Alarm) -> Result<(), Failure> {
    freeze(app, report, alarm)?;
    roll_back(app, report, alarm)
}

/// The first chain of the project that trains gets a start in its line, once for each beginning of the alarm.
fn retrain(app: &App, report: &Report, alarm: &Alarm) -> Result<(), Failure> {
    let key = format!("alarm/{}/{}/{}", alarm.rule, report.release.short(), alarm.about);
    let start = Start { key, from: format!("rule {}: {}", alarm.rule, alarm.about) };
    put_in_line(app, &report.project, TriggerKind::Drift, start)
}

/// How an alarm is told.
pub(in crate::app::watch) fn news_of(report: &Report, alarm: &Alarm) -> News {
    let detail = |name: &str, value: String| Detail { name: name.to_string(), value };
    let mut details = vec![detail("rule", alarm.rule.clone()), detail("day", report.day.clone())];
    details.extend(alarm.value.map(|value| detail("value", format!("{value:.4}"))));
    details.extend(alarm.limit.map(|limit| detail("limit", format!("{limit:.4}"))));
    let asked: Vec<&str> = alarm.actions.iter().map(|action| action.as_str()).collect();
    details.push(detail("actions", asked.join(", ")));
    News(RawAlert {
        id: draw_id(),
        key: format!("rule/{}/{}/{}", alarm.rule, report.model, alarm.about),
        kind: Kind::Drift,
        severity: match alarm.severity {
            Severity::Info => Told::Info,
            Severity::Warning => Told::Warning,
            Severity::Critical => Told::Critical,
        },
        subject: Subject {
            project: Some(report.project.clone()),
            model: Some(format!("{}@{}", report.model, report.version)),
            chain: None,
        },
        title: format!("{}: {} of {}", alarm.rule, alarm.about, report.model),
        sentences: vec![alarm.sentence.clone()],
        details,
        link: Some(format!("/monitoring/{}/{}", report.model, report.day)),
    })
}
