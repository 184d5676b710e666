//! schedule.toml as people write it, right and wrong.

use crate::base::fact::Fact;
use crate::schedule::definition::{CatchUp, ChainEnd, Kind, Overlap, Rule, Schedule, TriggerOn};
use crate::schedule::error::ScheduleError;
use crate::schedule::limits;
use crate::schedule::raw::{RawSchedule, RawStep, Setting};

fn check(toml: &str) -> Result<Schedule, ScheduleError> {
    toml::from_str::<RawSchedule>(toml).unwrap().check()
}

/// What is said of a chain with these keys and one step.
fn said(keys: &str, step_keys: &str) -> String {
    let toml = format!(
        "timezone = \"Europe/Berlin\"\n[[chain]]\nname = \"weekly\"\n{keys}\n[[chain.step]]\nname = \"train\"\n\
         run = \"train\"\n[[chain.step]]\nname = \"gate\"\n{step_keys}\n"
    );
    match check(&toml) {
        Ok(_) => "checked".into(),
        Err(wrong) => match wrong.next_step() {
            Some(near) if near.starts_with("Did you mean") => format!("{} | {wrong} | {near}", wrong.code()),
            _ => format!("{} | {wrong}", wrong.code()),
        },
    }
}

const WHOLE: &str = r#"
    timezone = "Europe/Berlin"
    [[chain]]
    name = "weekly-training"
    cron = "0 2 * * 1"
    catch_up = "all"
    catch_up_max = 5
    deadline = "3h"
    finish_by = "06:00"
    overlap = "queue"
    paused = true
    [[chain.trigger]]
    on = "file"
    path = "applications-*.csv"
    [[chain.trigger]]
    on = "chain"
    name = "daily"
    when = "failure"
    [[chain.step]]
    name = "tell"
    run = "notify"
    after = ["train"]
    when = "one_failed"
    [[chain.step]]
    name = "train"
    run = "train"
    after = []
    retries = 2
    backoff = "1m"
    timeout = "2h"
    [chain.step.with]
    champion = true
    rows = 500
    share = 0.5
    to = ["a", "b"]
    [[chain.step]]
    name = "gate"
    run = "gate"
    [[chain]]
    name = "daily"
    step = [{ name = "watch", run = "monitor" }]
"#;

#[test]
fn a_whole_file_is_read_as_it_is_meant() {
    let schedule = check(WHOLE).unwrap();
    let weekly = schedule.find("weekly-training").unwrap();
    assert_eq!(schedule.zone().name(), "Europe/Berlin");
    assert_eq!(
        (weekly.catch_up, weekly.overlap, weekly.paused),
        (CatchUp::All { max: 5 }, Overlap::Queue, true)
    );
    assert_eq!((weekly.deadline_ms, weekly.finish_by), (Some(3 * limits::HOUR_MS), Some(360)));
    let chain = TriggerOn::Chain { name: "daily".into(), when: ChainEnd::Failure };
    assert_eq!(weekly.triggers.last(), Some(&chain));
    let names: Vec<&str> = weekly.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["train", "tell", "gate"], "each after what it waits for");
    let train = weekly.find_step("train").unwrap();
    assert_eq!((train.run, train.when, train.retries), (Kind::Train, Rule::AllSuccess, 2));
    assert_eq!((train.timeout_ms, train.backoff_ms_max), (2 * limits::HOUR_MS, limits::HOUR_MS));
    assert_eq!(train.with.get("rows"), Some(&Setting::Whole(500)));
    assert_eq!(weekly.find_step("gate").unwrap().after, ["train"], "the step before it in the file");

    let daily = schedule.find("daily").unwrap();
    assert!(daily.timetable.is_none() && !daily.paused);
    assert_eq!((schedule.near("dayly"), schedule.find("dayly")), (Some("daily"), None));
}

#[test]
fn back_off_doubles_up_to_its_bound() {
    let schedule = check(WHOLE).unwrap();
    let train = schedule.find("weekly-training").unwrap().find_step("train").unwrap();
    let minutes = [1, 2, 3, 7, 90].map(|retry| train.backoff_before(retry) / limits::MINUTE_MS);
    assert_eq!(minutes, [1, 2, 4, 60, 60]);
}

const GATE: &str = "run = \"gate\"";

/// Keys of a chain, keys of its second step, what is said of them.
type Fault = (&'static str, &'static str, &'static str);

const CHAIN_FAULTS: &[Fault] = &[
    ("", GATE, "checked"),
    (
        "cron = \"0 25 * * *\"",
        GATE,
        "schedule.cron | chain \"weekly\": cron \"0 25 * * *\" hour: \"25\" is not a number from 0 to 23",
    ),
    (
        "cron = \"@dayly\"",
        GATE,
        "schedule.cron | chain \"weekly\": cron \"@dayly\" \"@dayly\" is not known; the names are @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually | Did you mean \"@daily\"?",
    ),
    (
        "cron = \"@daily\"\ncatch_up = \"last\"",
        GATE,
        "schedule.word | chain \"weekly\": catch_up = \"last\" is none of none, latest, all | Did you mean \"latest\"?",
    ),
    (
        "cron = \"@daily\"\ncatch_up = \"all\"",
        GATE,
        "schedule.missing | chain \"weekly\": catch_up_max is missing: catch_up = \"all\" needs to know how many at most",
    ),
    (
        "cron = \"@daily\"\ncatch_up = \"all\"\ncatch_up_max = 0",
        GATE,
        "schedule.value | chain \"weekly\": catch_up_max = \"0\" is not a whole number from 1 to 100",
    ),
    (
        "catch_up = \"none\"",
        GATE,
        "schedule.needless | chain \"weekly\": catch_up has no meaning here: the chain has no cron, so it misses no start",
    ),
    (
        "deadline = \"31d\"",
        GATE,
        "schedule.value | chain \"weekly\": deadline = \"31d\" is not a length of time such as \"90s\", \"15m\", \"2h\" or \"1d\", from 1m to 30d",
    ),
    (
        "finish_by = \"6:00\"",
        GATE,
        "schedule.value | chain \"weekly\": finish_by = \"6:00\" is not a time of day such as \"06:00\"",
    ),
];

const STEP_AND_TRIGGER_FAULTS: &[Fault] = &[
    (
        "",
        "run = \"gait\"",
        "schedule.word | chain \"weekly\", step \"gate\": run = \"gait\" is none of train, gate, stage, promote, batch, monitor, notify | Did you mean \"gate\"?",
    ),
    (
        "",
        "run = \"gate\"\nafter = [\"trian\"]",
        "schedule.unknown | chain \"weekly\", step \"gate\": after = \"trian\" is no step of this chain | Did you mean \"train\"?",
    ),
    (
        "",
        "run = \"gate\"\nafter = [\"gate\"]",
        "schedule.cycle | chain \"weekly\": its steps wait for each other without end: gate after gate",
    ),
    (
        "",
        "run = \"gate\"\nafter = [\"train\", \"train\"]",
        "schedule.value | chain \"weekly\", step \"gate\": after = \"train\" is not allowed twice in one list",
    ),
    (
        "",
        "run = \"gate\"\nafter = []\nwhen = \"one_failed\"",
        "schedule.needless | chain \"weekly\", step \"gate\": when = \"one_failed\" has no meaning here: a step that waits for none never sees one fail",
    ),
    (
        "",
        "run = \"gate\"\nretries = 11",
        "schedule.value | chain \"weekly\", step \"gate\": retries = \"11\" is not a whole number from 0 to 10",
    ),
    (
        "",
        "run = \"gate\"\nbackoff = \"1m\"",
        "schedule.needless | chain \"weekly\", step \"gate\": backoff has no meaning here: the step has no retries",
    ),
    (
        "",
        "run = \"gate\"\nretries = 1\nbackoff = \"1h\"\nbackoff_max = \"1m\"",
        "schedule.value | chain \"weekly\", step \"gate\": backoff_max = \"1m\" is not a length of time such as \"90s\", \"15m\", \"2h\" or \"1d\", from 1h to 1d",
    ),
    (
        "",
        "run = \"gate\"\n[chain.step.with]\nshare = inf",
        "schedule.setting | chain \"weekly\", step \"gate\": the parameter \"share\" is not a finite number",
    ),
    (
        "[[chain.trigger]]\non = \"file\"\npath = \"../secret\"",
        GATE,
        "schedule.value | chain \"weekly\", trigger 1: path = \"../secret\" is not the name of a file in the inbox: it holds '/'; a pattern names a file, never a folder",
    ),
    (
        "[[chain.trigger]]\non = \"git\"\npath = \"models\"\nref = \"main\"",
        GATE,
        "schedule.value | chain \"weekly\", trigger 1: path = \"models\" is not the whole path of a folder on the server, without .. and of 400 bytes at most",
    ),
    (
        "[[chain.trigger]]\non = \"git\"\npath = \"/srv/models\"",
        GATE,
        "schedule.missing | chain \"weekly\", trigger 1: ref is missing: on = \"git\" needs a name such as \"main\"",
    ),
    (
        "[[chain.trigger]]\non = \"git\"\npath = \"/srv/models\"\nref = \"../config\"",
        GATE,
        "schedule.value | chain \"weekly\", trigger 1: ref = \"../config\" is not a branch, HEAD or a name below refs/: one of its parts is empty, begins with a dot, or ends with a dot or .lock",
    ),
    (
        "[[chain.trigger]]\non = \"file\"\npath = \"*.csv\"\nref = \"main\"",
        GATE,
        "schedule.needless | chain \"weekly\", trigger 1: ref has no meaning here: it belongs to on = \"git\"",
    ),
    (
        "[[chain.trigger]]\non = \"drift\"\noutcomes = 5",
        GATE,
        "schedule.needless | chain \"weekly\", trigger 1: outcomes has no meaning here: it belongs to on = \"volume\"",
    ),
    (
        "[[chain.trigger]]\non = \"chain\"\nname = \"weakly\"",
        GATE,
        "schedule.unknown | chain \"weekly\", trigger 1: name = \"weakly\" is no chain of this file | Did you mean \"weekly\"?",
    ),
    (
        "[[chain.trigger]]\non = \"chain\"\nname = \"weekly\"",
        GATE,
        "schedule.chain_cycle | the chains start each other without end: weekly starts weekly",
    ),
];

#[test]
fn what_is_wrong_is_named_with_its_chain_step_and_key() {
    for (keys, step, wanted) in CHAIN_FAULTS.iter().chain(STEP_AND_TRIGGER_FAULTS) {
        assert_eq!(said(keys, step), *wanted, "{keys} {step}");
    }
}

#[test]
fn a_zone_that_is_not_known_has_its_nearest() {
    let wrong = check("timezone = \"Europe/Berln\"").unwrap_err();
    assert_eq!(wrong.to_string(), "timezone \"Europe/Berln\" is not in the IANA time zone database");
    assert_eq!(wrong.next_step().as_deref(), Some("Did you mean \"Europe/Berlin\"?"));
}

#[test]
fn names_are_names_and_stand_once() {
    let chain =
        |name: &str| format!("[[chain]]\nname = \"{name}\"\nstep = [{{ name = \"a\", run = \"gate\" }}]\n");
    assert!(matches!(check(&chain("Weekly Run")), Err(ScheduleError::Name { .. })));
    let twice = check(&format!("{}{}", chain("a"), chain("a"))).unwrap_err();
    assert_eq!(twice.to_string(), "chain \"a\": there are two chains of this name");
    let steps = "[[chain]]\nname = \"a\"\nstep = [{ name = \"b\", run = \"gate\" }, { name = \"b\", run = \"gate\" }]";
    assert_eq!(
        check(steps).unwrap_err().to_string(),
        "chain \"a\", step \"b\": there are two steps of this name"
    );
    assert_eq!(
        check("[[chain]]\nname = \"a\"").unwrap_err().to_string(),
        "chain \"a\" has no [[chain.step]]"
    );
}

#[test]
fn a_longer_cycle_is_shown_as_it_goes_round() {
    let cycle = r#"
        [[chain]]
        name = "a"
        step = [
            { name = "first", run = "gate" },
            { name = "b", run = "gate", after = ["d"] },
            { name = "c", run = "gate", after = ["first", "b"] },
            { name = "d", run = "gate", after = ["c"] },
        ]
    "#;
    let said = check(cycle).unwrap_err().to_string();
    assert_eq!(said, "chain \"a\": its steps wait for each other without end: b after d after c after b");

    let starts = |name: &str, by: &str| {
        format!(
            "[[chain]]\nname = \"{name}\"\ntrigger = [{{ on = \"chain\", name = \"{by}\" }}]\n\
             step = [{{ name = \"s\", run = \"gate\" }}]\n"
        )
    };
    let said =
        check(&[starts("a", "c"), starts("b", "a"), starts("c", "b")].concat()).unwrap_err().to_string();
    assert_eq!(said, "the chains start each other without end: a starts b starts c starts a");
}

#[test]
fn there_are_so_many_chains_and_steps_and_no_more() {
    let step = RawStep { name: "a".into(), run: "gate".into(), ..RawStep::default() };
    let mut raw: RawSchedule = toml::from_str("[[chain]]\nname = \"a\"").unwrap();
    let steps =
        |count: usize| (0..count).map(|n| RawStep { name: format!("s{n}"), ..step.clone() }).collect();
    raw.chain.first_mut().unwrap().step = steps(limits::CHAIN_STEPS_MAX);
    raw.check().unwrap();
    raw.chain.first_mut().unwrap().step = steps(limits::CHAIN_STEPS_MAX + 1);
    assert_eq!(raw.check().unwrap_err().to_string(), "chain \"a\": steps: 51; at most 50 are read");

    let chain = raw.chain.first().unwrap().clone();
    raw.chain = vec![chain; limits::CHAINS_MAX + 1];
    assert_eq!(raw.check().unwrap_err().to_string(), "chains: 51; at most 50 are read");
}
