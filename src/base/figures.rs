//! Names of what is counted, timed and looked at for operators, so that who counts, who shows and who draws mean the same.
//! Nothing of a person is ever a label.

/// Labels: `method`, `route` (patterns), `status` (its class).
pub const REQUESTS: &str = "tallystick_http_requests_total";
pub const REQUEST_SECONDS: &str = "tallystick_http_request_duration_seconds";
pub const CONNECTIONS_OPEN: &str = "tallystick_connections_open";
/// Label: `version`.
pub const BUILD: &str = "tallystick_build_info";
/// Labels: `kind` (decision, prediction), `model`, `outcome` (empty for a prediction).
pub const DECISIONS: &str = "tallystick_decisions_total";
pub const DECISION_SECONDS: &str = "tallystick_decision_duration_seconds";
/// Label: `stage`.
pub const STAGE_SECONDS: &str = "tallystick_decision_stage_duration_seconds";
/// Label: `store`.
pub const WRITES_WAITING: &str = "tallystick_store_writes_waiting";
/// Label: `store`.
pub const COMMIT_SECONDS: &str = "tallystick_store_commit_duration_seconds";

// What runs by itself. Labels of a chain: `project`, `chain`.
/// And `status`.
pub const CHAIN_RUNS: &str = "tallystick_chain_runs_total";
/// Label: `status`.
pub const CHAIN_SECONDS: &str = "tallystick_chain_duration_seconds";
/// Labels: `kind`, `ending`.
pub const CHAIN_STEPS: &str = "tallystick_chain_steps_total";
/// Label: `kind`.
pub const CHAIN_STEP_SECONDS: &str = "tallystick_chain_step_duration_seconds";
pub const CHAIN_LATE: &str = "tallystick_chain_late";
pub const CHAIN_FAILING: &str = "tallystick_chain_failing";
pub const CHAIN_PAUSED: &str = "tallystick_chain_paused";
pub const CHAIN_NEXT_START: &str = "tallystick_chain_next_start_timestamp_seconds";
pub const CHAIN_LONGEST_WAIT: &str = "tallystick_chain_longest_wait_seconds";
pub const CHAIN_LAST_SUCCESS: &str = "tallystick_chain_last_success_timestamp_seconds";
pub const CHAIN_PASSED_OVER: &str = "tallystick_chain_starts_passed_over_total";
pub const CHAIN_QUEUED: &str = "tallystick_chain_starts_queued";
/// Label: `state` (running, waiting).
pub const CHAIN_RUNS_OPEN: &str = "tallystick_chain_runs_open";
/// Label: `state` (queued, running).
pub const RUNS: &str = "tallystick_runs";

// What is watched. Label: `model`.
pub const MODEL_DEGRADED: &str = "tallystick_model_degraded";
pub const MODEL_HELD: &str = "tallystick_model_held";
pub const OUTCOMES_KNOWN: &str = "tallystick_outcomes_known";
pub const REPORT_MADE: &str = "tallystick_report_made_timestamp_seconds";
pub const REPORT_VERDICT: &str = "tallystick_report_verdict";
pub const REPORT_SCORE_PSI: &str = "tallystick_report_score_psi";
pub const REPORT_FIELD_PSI: &str = "tallystick_report_field_psi_max";
pub const REPORT_SHIFTED: &str = "tallystick_report_fields_shifted";
pub const REPORT_ROWS: &str = "tallystick_report_rows";
pub const REPORT_MISSING: &str = "tallystick_report_missing_rate_max";
pub const REPORT_APPROVAL: &str = "tallystick_report_approval_rate";
pub const REPORT_BAD: &str = "tallystick_report_bad_rate";
pub const REPORT_AUC: &str = "tallystick_report_auc";
pub const REPORT_RELEASE_AUC: &str = "tallystick_report_release_auc";
pub const REPORT_RELEASE_DROP: &str = "tallystick_report_release_auc_drop";
pub const REPORT_RELEASE_MATURED: &str = "tallystick_report_release_matured";

/// Label: `severity`.
pub const ALERTS_OPEN: &str = "tallystick_alerts_open";
/// Labels: `channel`, `state` (waiting, failed).
pub const DELIVERIES: &str = "tallystick_alert_deliveries";
/// Label: `channel`.
pub const UNDELIVERED_AGE: &str = "tallystick_alert_undelivered_age_seconds";

// The box.
pub const CLOCK: &str = "tallystick_clock_timestamp_seconds";
pub const READY: &str = "tallystick_ready";
pub const LEDGER_WORKING: &str = "tallystick_ledger_working";
pub const CERTIFICATE_END: &str = "tallystick_certificate_expiry_timestamp_seconds";
/// Label: `what`.
pub const UNREAD: &str = "tallystick_figures_unread";
pub const LEFT_OUT: &str = "tallystick_figures_left_out";

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Counter,
    Gauge,
    /// With its upper bounds, in seconds.
    Histogram(&'static [f64]),
}

/// One metric: all its series share the name.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    pub name: &'static str,
    pub kind: Kind,
    pub help: &'static str,
}

/// From a bare read to what nobody waits for.
const MOMENTS: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// From a step of a computation to what a disk may take.
const INSTANTS: &[f64] = &[
    0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025,
    0.1, 1.0,
];
/// From a step that only looks to a chain that waits some days for a person.
const STRETCHES: &[f64] =
    &[0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 43200.0, 86400.0, 432000.0];

const fn counter(name: &'static str, help: &'static str) -> Family {
    Family { name, kind: Kind::Counter, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Family {
    Family { name, kind: Kind::Gauge, help }
}

const fn timed(name: &'static str, bounds: &'static [f64], help: &'static str) -> Family {
    Family { name, kind: Kind::Histogram(bounds), help }
}

/// All there are.
pub const FAMILIES: &[Family] = &[
    counter(REQUESTS, "Requests answered, by route and class of status."),
    timed(REQUEST_SECONDS, MOMENTS, "Time from head to answer."),
    gauge(CONNECTIONS_OPEN, "Connections open over the network."),
    gauge(BUILD, "The version that runs, as a label."),
    counter(DECISIONS, "Decisions recorded, without rehearsals."),
    timed(DECISION_SECONDS, MOMENTS, "Time from a row to its record."),
    timed(STAGE_SECONDS, INSTANTS, "Time of one stage of an answer, of one answer in sixteen."),
    gauge(WRITES_WAITING, "Writes waiting for a store's writer."),
    timed(COMMIT_SECONDS, MOMENTS, "Time of one durable commit."),
    counter(CHAIN_RUNS, "Runs of chains that have ended, since the server began."),
    timed(CHAIN_SECONDS, STRETCHES, "Time from a chain's beginning to its end."),
    counter(CHAIN_STEPS, "Attempts of steps that have ended, since the server began."),
    timed(CHAIN_STEP_SECONDS, STRETCHES, "Time of one attempt of a step."),
    gauge(CHAIN_LATE, "1 while a run of the chain is past its deadline or its time of day."),
    gauge(CHAIN_FAILING, "1 while the newest ended run of the chain has failed."),
    gauge(CHAIN_PAUSED, "1 while the chain is held and starts by hand only."),
    gauge(CHAIN_NEXT_START, "The next planned start; absent where none is planned."),
    gauge(CHAIN_LONGEST_WAIT, "The longest time between two of the next planned starts."),
    gauge(CHAIN_LAST_SUCCESS, "The newest end that was a success; absent before the first."),
    counter(CHAIN_PASSED_OVER, "Planned starts that were passed over since the chain is known."),
    gauge(CHAIN_QUEUED, "Starts that wait until the run before them has ended."),
    gauge(CHAIN_RUNS_OPEN, "Runs of chains that have not ended; those that wait, wait for a person."),
    gauge(RUNS, "Training runs that wait for a worker or are with one."),
    gauge(MODEL_DEGRADED, "1 while the version in production does not score itself."),
    gauge(MODEL_HELD, "1 while a rule holds the model back from being promoted."),
    gauge(OUTCOMES_KNOWN, "Decisions of the model whose outcome is known."),
    gauge(REPORT_MADE, "When the newest report was made."),
    gauge(REPORT_VERDICT, "Of the newest report: 0 too few rows, 1 stable, 2 to be watched, 3 shifted."),
    gauge(REPORT_SCORE_PSI, "Of the newest report: the score's population stability index."),
    gauge(REPORT_FIELD_PSI, "Of the newest report: the greatest stability index of a field."),
    gauge(REPORT_SHIFTED, "Of the newest report: fields that have shifted."),
    gauge(REPORT_ROWS, "Of the newest report: rows of its day."),
    gauge(REPORT_MISSING, "Of the newest report: the greatest share of missing values of a field."),
    gauge(REPORT_APPROVAL, "Of the newest report: the share of approved decisions."),
    gauge(REPORT_BAD, "Of the newest report: the share of bad outcomes among approved ones that are known."),
    gauge(REPORT_AUC, "Of the newest report: the AUC of what is known."),
    gauge(
        REPORT_RELEASE_AUC,
        "Of the newest report: the AUC of the version in force by its own matured outcomes.",
    ),
    gauge(
        REPORT_RELEASE_DROP,
        "Of the newest report: what the AUC of the version in force surely lies below that of its test rows.",
    ),
    gauge(REPORT_RELEASE_MATURED, "Of the newest report: matured outcomes of the version in force."),
    gauge(ALERTS_OPEN, "Alerts that nobody has resolved."),
    gauge(DELIVERIES, "Deliveries of alerts that wait, or were given up."),
    gauge(
        UNDELIVERED_AGE,
        "For how long the oldest delivery that is due has been waiting; 0 where none does.",
    ),
    gauge(CLOCK, "What this machine's clock says."),
    gauge(READY, "1 where the server can decide."),
    gauge(LEDGER_WORKING, "1 where the ledger takes what is decided."),
    gauge(CERTIFICATE_END, "When the TLS certificate ends."),
    gauge(UNREAD, "1 where these figures could not be read; the log says why."),
    gauge(LEFT_OUT, "Figures left out as there were too many."),
];

/// The family of a series' name, whose histogram's parts have names of their own.
pub fn find_family(name: &str) -> Option<&'static Family> {
    let of = |name: &str| FAMILIES.iter().find(|family| family.name == name);
    let timed = |family: &&Family| matches!(family.kind, Kind::Histogram(_));
    let parts = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
    of(name).filter(|family| !timed(family)).or_else(|| of(parts?).filter(timed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once_and_says_what_it_is_of() {
        for family in FAMILIES {
            assert_eq!(
                FAMILIES.iter().filter(|other| other.name == family.name).count(),
                1,
                "{}",
                family.name
            );
            assert!(family.name.starts_with("tallystick_") && family.help.ends_with('.'), "{}", family.name);
            let (total, seconds) = (family.name.ends_with("_total"), family.name.ends_with("_seconds"));
            assert_eq!(total, family.kind == Kind::Counter, "{}", family.name);
            if let Kind::Histogram(bounds) = family.kind {
                assert!(seconds && bounds.is_sorted(), "{}", family.name);
            }
        }
    }

    #[test]
    fn parts_of_a_histogram_belong_to_it_and_nothing_else_has_parts() {
        let name = |name: &str| find_family(name).map(|family| family.name);
        assert_eq!(name("tallystick_decision_duration_seconds_bucket"), Some(DECISION_SECONDS));
        assert_eq!(name("tallystick_decision_duration_seconds"), None);
        assert_eq!(name(READY), Some(READY));
        assert_eq!(name("tallystick_ready_count"), None);
        assert_eq!(name("tallystick_unheard_of"), None);
    }
}
