//! Typed reads and writes: versions, aliases, signatures, experiments, runs, metrics, data sets.

use crate::base::digest::Digest;
use crate::base::ids::RunId;
use crate::base::limits;
use crate::store::error::StoreError;
use crate::store::rows;
use crate::store::rows::lab::DatasetRow;
use crate::store::rows::log::CheckpointRow;
use crate::store::rows::registry::{AliasTarget, PolicyRow, StoredSignature};
use crate::store::tables::VERSIONS;
use crate::store::tests::{list_checkpoints, list_versions, new_home, open, version};
use crate::store::value;
use crate::store::views::registry::AliasMove;
use crate::store::views::runs::RunSpan;
use crate::store::views::{LabWrite, LedgerWrite};
use crate::tracking::experiment::Experiment;
use crate::tracking::metric::MetricPoint;
use crate::tracking::run::{Artifact, PROJECT_TAG, Run, RunStatus};

fn alias_move(to: u64, at: i64) -> AliasMove {
    AliasMove {
        name: "loans".into(),
        alias: "production".into(),
        to: AliasTarget { version: to, policy: Digest::of(b"policy") },
        moved_ms: at,
        by: "anna".into(),
        why: "better".into(),
        back: false,
    }
}

#[test]
fn versions_count_up_per_name_and_are_never_overwritten() {
    let (_folder, path) = new_home();
    let store = open(&path);
    for (name, number) in [("loans", 1), ("loans", 2), ("cards", 1), ("loans-x", 1)] {
        store.write_ledger(move |ledger| ledger.put_version(&version(name, number))).unwrap();
    }
    let again = store.write_ledger(|ledger| ledger.put_version(&version("loans", 2)));
    assert!(matches!(again, Err(StoreError::Exists { .. })));
    store
        .read_ledger(|ledger| {
            let (mut names, mut versions) = (Vec::new(), Vec::new());
            ledger.each_model_name(&mut |name| {
                names.push(name);
                Ok(())
            })?;
            assert_eq!(names, ["cards", "loans", "loans-x"]);
            ledger.each_version_of("loans", &mut |row| {
                versions.push(row);
                Ok(())
            })?;
            assert_eq!(versions, [version("loans", 1), version("loans", 2)]);
            assert_eq!(ledger.next_version("loans")?, 3);
            let model = version("loans", 1).model;
            assert_eq!(ledger.find_version_of_model("loans", &model)?, Some(version("loans", 1)));
            assert_eq!(ledger.find_version_of_model("cards", &model)?, None);
            Ok::<(), StoreError>(())
        })
        .unwrap();
}

#[test]
fn nothing_above_the_limit_of_a_list_is_hidden_from_those_who_walk_it() {
    // Use cases took a list that stops at LIST_MAX for the whole: the newest versions were not seen.
    let (_folder, path) = new_home();
    let store = open(&path);
    let count = limits::LIST_MAX + 20;
    let write = move |ledger: &LedgerWrite| {
        (1..=count as u64).try_for_each(|number| ledger.put_version(&version("loans", number)))
    };
    store.write_ledger(write).unwrap();
    store
        .write_ledger(move |ledger| {
            ledger.put_version(&version("cards", 1))?;
            (1..=count as u64)
                .try_for_each(|size| ledger.0.put(&CheckpointRow { size, text: "t".into() }))?;
            (1..=count as u64).try_for_each(|to| ledger.move_alias(&alias_move(to, 1)))
        })
        .unwrap();
    let write = move |lab: &LabWrite| {
        (0..count).try_for_each(|at| {
            lab.put_run_new(&Run::start(RunId::draw(), "0", "calm-oak-001", "anna", at as i64))
        })
    };
    store.write_lab(write).unwrap();
    assert_eq!(list_versions(&store).len(), count + 1);
    assert_eq!(list_checkpoints(&store).last().unwrap().0, count as u64);
    let (mut versions, mut moves, mut runs) = (0, 0, 0);
    let read = store.read_ledger(|ledger| {
        ledger.each_version_of("loans", &mut |_| {
            versions += 1;
            Ok(())
        })?;
        ledger.each_alias_move("loans", "production", &mut |_| {
            moves += 1;
            Ok(())
        })
    });
    read.unwrap();
    let mut count_run = |_| {
        runs += 1;
        Ok(true)
    };
    store.read_lab(|lab| lab.each_run(&mut count_run)).unwrap();
    assert_eq!((versions, moves, runs), (count, count, count));
}

#[test]
fn an_alias_keeps_the_history_of_its_moves() {
    let (_folder, path) = new_home();
    let store = open(&path);
    let absent = store.write_ledger(|ledger| ledger.move_alias(&alias_move(1, 5)));
    assert!(matches!(absent, Err(StoreError::NotFound { .. })));
    for number in [1, 2] {
        store.write_ledger(move |ledger| ledger.put_version(&version("loans", number))).unwrap();
        store.write_ledger(move |ledger| ledger.move_alias(&alias_move(number, number as i64))).unwrap();
    }
    store
        .read_ledger(|ledger| {
            assert_eq!(ledger.find_alias("loans", "production")?.map(|row| row.version), Some(2));
            let mut moves = Vec::new();
            ledger.each_alias_move("loans", "production", &mut |row| {
                moves.push((row.n, row.from.map(|from| from.version), row.to.version));
                Ok(())
            })?;
            assert_eq!(moves, [(0, None, 1), (1, Some(1), 2)]);
            assert_eq!(ledger.list_aliases("loans")?.len(), 1);
            Ok::<(), StoreError>(())
        })
        .unwrap();
}

#[test]
fn signatures_policies_and_trust_are_kept_as_given() {
    let (_folder, path) = new_home();
    let store = open(&path);
    let signed = Digest::of(b"release.json");
    let policy = PolicyRow { digest: Digest::of(b"policy"), name: "retail".into(), created_ms: 9 };
    let signature = |key: &str| StoredSignature {
        key_id: key.to_string(),
        sig: "c2ln".into(),
        payload_type: "application/json".into(),
    };
    for key in ["box", "risk", "box"] {
        let signature = signature(key);
        store.write_ledger(move |ledger| ledger.add_signature(&signed, &signature)).unwrap();
    }
    let row = policy.clone();
    store
        .write_ledger(move |ledger| {
            ledger.put_policy(&row)?;
            ledger.put_policy(&PolicyRow { created_ms: 99, ..row.clone() })?;
            ledger.put_trust(b"{\"keys\": []}\n")
        })
        .unwrap();
    store
        .read_ledger(|ledger| {
            assert_eq!(ledger.list_signatures(&signed)?, [signature("box"), signature("risk")]);
            assert_eq!(ledger.list_signatures(&policy.digest)?, []);
            let mut policies = Vec::new();
            ledger.each_policy(&mut |row| {
                policies.push(row);
                Ok(())
            })?;
            assert_eq!(policies, std::slice::from_ref(&policy));
            assert_eq!(ledger.find_trust()?.as_deref(), Some(&b"{\"keys\": []}\n"[..]));
            Ok::<(), StoreError>(())
        })
        .unwrap();
}

#[test]
fn experiments_keep_their_names_and_runs_are_listed_latest_first() {
    let (_folder, path) = new_home();
    let store = open(&path);
    let loans = Experiment::new(0, "Default", 1).unwrap();
    let thief = Experiment::new(1, "Default", 2).unwrap();
    let kept = loans.clone();
    store.write_lab(move |lab| lab.put_experiment(&kept)).unwrap();
    assert!(matches!(store.write_lab(move |lab| lab.put_experiment(&thief)), Err(StoreError::Exists { .. })));
    let ids: Vec<RunId> = (0..4).map(|_| RunId::draw()).collect();
    for (id, start) in ids.iter().zip([5, -3, 9, 7]) {
        let run = Run::start(id.clone(), if start == 9 { "1" } else { "0" }, "calm-oak-001", "anna", start);
        store.write_lab(move |lab| lab.put_run_new(&run)).unwrap();
    }
    store
        .read_lab(|lab| {
            assert_eq!((lab.find_experiment("0")?, lab.find_experiment("1")?), (Some(loans.clone()), None));
            let starts = |runs: Vec<Run>| runs.iter().map(|run| run.start_time).collect::<Vec<i64>>();
            assert_eq!(starts(lab.list_runs(&RunSpan { limit: 3, ..RunSpan::default() })?), [9, 7, 5]);
            let mut seen = Vec::new();
            lab.each_run(&mut |run| {
                seen.push(run.start_time);
                Ok(seen.len() < 2)
            })?;
            assert_eq!(seen, [9, 7]);
            Ok::<(), StoreError>(())
        })
        .unwrap();
}

#[test]
fn runs_are_found_by_project_and_experiment_page_by_page_and_move_when_their_tag_does() {
    // A project with few runs among a hundred thousand had its pages looked for among ten thousand others.
    let (_folder, path) = new_home();
    let store = open(&path);
    let mut runs: Vec<Run> = (0..6)
        .map(|at| {
            let mut run = Run::start(RunId::draw(), if at < 4 { "1" } else { "0" }, "oak", "anna", at);
            run.set_tag(PROJECT_TAG, if at % 2 == 0 { "loans" } else { "cards" }).unwrap();
            run
        })
        .collect();
    let kept = runs.clone();
    store.write_lab(move |lab| kept.iter().try_for_each(|run| lab.put_run_new(run))).unwrap();
    let starts = |project: &str, experiment: Option<&str>, after: Option<&Run>, limit| {
        let (project, experiment) = (Some(project.to_string()), experiment.map(str::to_string));
        let wanted = RunSpan { project, experiment, after: after.cloned(), limit };
        let found = store.read_lab(|lab| lab.list_runs(&wanted)).unwrap();
        found.iter().map(|run| run.start_time).collect::<Vec<i64>>()
    };
    assert_eq!(starts("loans", None, None, 9), [4, 2, 0]);
    assert_eq!(starts("loans", None, None, 1), [4]);
    assert_eq!(starts("loans", None, Some(&runs[4]), 9), [2, 0]);
    assert_eq!(starts("loans", Some("1"), None, 9), [2, 0]);
    assert_eq!(starts("loans", Some("0"), None, 9), [4]);
    assert_eq!(starts("loan", None, None, 9), [] as [i64; 0]);
    runs[2].set_tag(PROJECT_TAG, "cards").unwrap();
    runs[2].finish(RunStatus::Finished, 9);
    let (moved, id) = (runs[2].clone(), runs[2].run_id.clone());
    store.write_lab(move |lab| lab.put_run(&moved)).unwrap();
    assert_eq!(
        (starts("loans", None, None, 9), starts("cards", None, None, 9)),
        (vec![4, 0], vec![5, 3, 2, 1])
    );
    let mut open = 0;
    let count = |run: Run| {
        assert_ne!(run.run_id, id);
        open += 1;
        Ok(())
    };
    let mut count = count;
    store.read_lab(|lab| lab.each_open_run(&mut count)).unwrap();
    assert_eq!(open, 5);
    let found = store.read_lab(|lab| lab.list_runs_beginning(&id.as_str()[..12], 9)).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(store.read_lab(|lab| lab.list_runs_beginning("zz", 9)).unwrap(), []);
}

#[test]
fn a_run_and_its_metric_history_come_back_as_written() {
    let (_folder, path) = new_home();
    let store = open(&path);
    let mut run = Run::start(RunId::draw(), "0", "calm-oak-001", "anna", 5);
    let id = run.run_id.clone();
    let first = run.clone();
    store.write_lab(move |lab| lab.put_run_new(&first)).unwrap();
    let points = [(2, 0.5), (1, f64::NAN), (1, 0.25), (-1, f64::INFINITY)].map(|(step, value)| MetricPoint {
        value,
        timestamp: 10,
        step,
    });
    run.log_param("lr", "0.1").unwrap();
    run.log_artifact(Artifact { path: "m.json".into(), digest: Digest::of(b"m"), size: 1 }).unwrap();
    for point in points {
        run.log_metric("auc", point).unwrap();
    }
    run.finish(RunStatus::Finished, 20);
    let (last, run_id) = (run.clone(), id.clone());
    store
        .write_lab(move |lab| {
            points.iter().try_for_each(|point| lab.add_metric(&run_id, "auc", point))?;
            lab.put_run(&last)
        })
        .unwrap();
    let moved = Run { start_time: 6, ..run.clone() };
    assert!(matches!(store.write_lab(move |lab| lab.put_run(&moved)), Err(StoreError::NotFound { .. })));
    drop(store);
    let store = open(&path);
    store
        .read_lab(|lab| {
            assert_eq!(lab.find_run(&id)?, Some(run.clone()));
            let history = lab.list_metric_history(&id, "auc", 10)?;
            assert_eq!(history, [points[3], points[1], points[2], points[0]]);
            assert_eq!(lab.list_metric_history(&id, "au", 10)?, []);
            Ok::<(), StoreError>(())
        })
        .unwrap();
}

#[test]
fn the_latest_import_of_a_name_is_found_and_all_are_kept() {
    let (_folder, path) = new_home();
    let store = open(&path);
    let row = |content: &str, at: i64| DatasetRow {
        name: "loans".into(),
        content: Digest::of(content.as_bytes()),
        parquet: Digest::of(b"parquet"),
        rows: 3,
        columns: 2,
        source_name: "loans.csv".into(),
        imported_ms: at,
        contract: Digest::of(b"contract"),
    };
    for (content, at) in [("a", 3), ("b", 9), ("c", 6)] {
        let row = row(content, at);
        store.write_lab(move |lab| lab.put_dataset(&row)).unwrap();
    }
    assert_eq!(store.read_lab(|lab| lab.find_dataset_last("loans")).unwrap(), Some(row("b", 9)));
    let of_a = Digest::of(b"a");
    assert_eq!(store.read_lab(|lab| lab.find_dataset("loans", &of_a)).unwrap(), Some(row("a", 3)));
    let mut seen = 0;
    let mut count = |_| {
        seen += 1;
        Ok(())
    };
    store.read_lab(|lab| lab.each_dataset(&mut count)).unwrap();
    assert_eq!(seen, 3);
    assert_eq!(store.read_lab(|lab| lab.find_dataset_last("loan")).unwrap(), None);
}

#[test]
fn a_sweep_keeps_what_rows_name_and_what_the_caller_adds() {
    let (_folder, path) = new_home();
    let store = open(&path);
    let [model, release, weights, lost] =
        [b"model", b"relea", b"weigh", b"lost."].map(|bytes| store.blobs().put(bytes).unwrap());
    let row = rows::registry::VersionRow { model, release, ..version("loans", 1) };
    store.write_ledger(move |ledger| ledger.put_version(&row)).unwrap();
    assert_eq!(store.sweep_blobs(&[weights].into()).unwrap().blobs, 1);
    assert_eq!(store.blobs().list().unwrap().digests, [model, release, weights].into());
    assert!(matches!(store.blobs().open_path(&lost), Err(StoreError::NoBlob { .. })));
}

#[test]
fn a_row_of_a_version_or_with_a_field_not_known_is_corrupt() {
    use crate::store::rows::Row;
    let row = version("loans", 1);
    let (key, framed) = rows::seal(&row).unwrap();
    assert_eq!(rows::open::<rows::registry::VersionRow>(&key, &framed).unwrap(), row);
    let payload = row.payload().unwrap();
    let later = value::seal(VERSIONS, &key, 2, &payload);
    let extra = value::seal(VERSIONS, &key, 1, &[&payload[..payload.len() - 1], b",\"x\":1}"].concat());
    let other_key = rows::registry::VersionRow::key_of("loans", 2);
    let misplaced = value::seal(VERSIONS, &other_key, 1, &payload);
    for (key, framed) in [(&key, &later), (&key, &extra), (&other_key, &misplaced)] {
        assert!(rows::open::<rows::registry::VersionRow>(key, framed).unwrap_err().is_corrupt());
    }
}
