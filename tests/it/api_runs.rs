//! Runs over the API: filtered, paged and side by side.

use axum::http::StatusCode;
use serde_json::Value;

use crate::support::Place;
use crate::support::test_app::{TestApp, owner};

fn ids(list: &Value) -> Vec<String> {
    let runs = list["runs"].as_array().unwrap();
    runs.iter().map(|run| run["info"]["run_id"].as_str().unwrap().to_string()).collect()
}

#[test]
fn a_list_of_runs_can_be_of_one_project_or_experiment_and_its_pages_join() {
    let app = TestApp::over(Place::with_three_versions());
    let all = ids(&app.ok("/v1/runs"));
    assert_eq!(all.len(), 3);
    assert_eq!(ids(&app.ok("/v1/runs?project=loan-default")), all);
    assert_eq!(ids(&app.ok("/v1/runs?project=loan")), [""; 0]);
    for experiment in ["0", "Default"] {
        assert_eq!(ids(&app.ok(&format!("/v1/runs?experiment={experiment}&project=loan-default"))), all);
    }
    let unknown = app.get(&owner(), "/v1/runs?experiment=Nowhere");
    assert_eq!((unknown.status, unknown.code()), (StatusCode::NOT_FOUND, "experiment.unknown"));
    let first = app.ok("/v1/runs?project=loan-default&limit=2");
    let next = first["next"].as_str().unwrap();
    let second = app.ok(&format!("/v1/runs?project=loan-default&limit=2&cursor={next}"));
    assert_eq!([ids(&first), ids(&second)].concat(), all);
    assert_eq!(second["next"], Value::Null);
}

#[test]
fn runs_are_compared_by_their_beginnings_and_refused_as_problems() {
    let app = TestApp::over(Place::with_three_versions());
    let all = ids(&app.ok("/v1/runs"));
    let same = app.ok(&format!("/v1/runs/compare?runs={},{}", all[0], &all[0][..10]));
    assert_eq!(same["params"], Value::Array(vec![]), "a run does not differ from itself");
    assert_eq!(same["against"][0]["differences"][0]["verdict"], "no_difference");
    let refused = |runs: &str| {
        let answered = app.get(&owner(), &format!("/v1/runs/compare{runs}"));
        (answered.status.as_u16(), answered.code().to_string())
    };
    let told = |status: u16, code: &str| (status, code.to_string());
    let other_seeds = format!("?runs={},{}", all[0], all[1]);
    assert_eq!(refused(&other_seeds), told(409, "run.other_test_rows"));
    assert_eq!(refused(""), told(400, "run.compare_count"));
    assert_eq!(refused(&format!("?runs={}", all[0])), told(400, "run.compare_count"));
    assert_eq!(refused(&format!("?runs={},zz", all[0])), told(404, "run.unknown"));
    assert_eq!(refused(&format!("?runs={},", all[0])), told(404, "run.unknown"));
}
