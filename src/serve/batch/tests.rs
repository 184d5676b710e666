//! A batch is whole or not there, loses no row, and ends in the same bytes however often it was killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use super::*;
use crate::base::clock::{Stamp, TimeQuality};
use crate::base::fact::Fact;
use crate::base::progress::Silent;
use crate::base::rng::Random;
use crate::data::write::records::read_records;
use crate::serve::batch::journal;
use crate::serve::fixture::{champion, champion_without_policy};

struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Stamp {
        Stamp { wall: Default::default(), quality: TimeQuality::Simulated }
    }
}

/// Cancels at the n-th report of progress; the first comes before any row is read.
struct CancelAt {
    left: AtomicU64,
    flag: CancelFlag,
}

impl Progress for CancelAt {
    fn step(&self, _done: u64) {
        let left = self.left.load(Ordering::SeqCst).saturating_sub(1);
        self.left.store(left, Ordering::SeqCst);
        if left == 0 {
            self.flag.cancel();
        }
    }
}

const ROWS: u64 = 103;

/// Good rows, and of every sort that is refused some: no age, a negative income, a cell too many.
fn input_text() -> String {
    let mut text = "id,income,age,purpose,note\n".to_string();
    let mut random = Random::new(5, "input");
    for n in 1..=ROWS {
        let (income, age) = (random.below(9_000), 16 + random.below(60));
        text.push_str(&match n % 17 {
            3 => format!("\"c,{n}\",{income},,car,x\n"),
            7 => format!("c{n},-1,{age},house,\"a \"\"b\"\"\"\n"),
            11 => format!("c{n},{income},{age},car,x,too,many\n"),
            _ => format!("\"c,{n}\",{income},{age},{},x\n", ["car", "boat", ""][random.below(3)]),
        });
    }
    text
}

struct Scene {
    folder: TempDir,
    champion: Champion,
    options: BatchOptions,
}

impl Scene {
    fn new() -> Self {
        Self::with(champion(), OutputFormat::Csv)
    }

    fn with(champion: Champion, format: OutputFormat) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("in.csv"), input_text()).unwrap();
        Self { folder, champion, options: BatchOptions { format } }
    }

    fn input(&self) -> PathBuf {
        self.folder.path().join("in.csv")
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn run_watched(
        &self,
        chunk_rows: usize,
        progress: &dyn Progress,
        cancel: &CancelFlag,
    ) -> Result<BatchResult, BatchError> {
        let (input, out) = (self.input(), self.out());
        let order = BatchOrder { input: &input, out: &out, options: self.options, chunk_rows };
        run(&self.champion, &order, &Watch { progress, cancel, clock: &StoppedClock, record: &|_| Ok(()) })
    }

    fn run(&self, chunk_rows: usize) -> Result<BatchResult, BatchError> {
        self.run_watched(chunk_rows, &Silent, &CancelFlag::new())
    }

    /// Runs until `chunks` chunks are journalled, and is stopped there.
    fn stop_after(&self, chunks: u64, chunk_rows: usize) {
        let flag = CancelFlag::new();
        let progress = CancelAt { left: AtomicU64::new(chunks + 1), flag: flag.clone() };
        let error = self.run_watched(chunk_rows, &progress, &flag).unwrap_err();
        assert_eq!(error.code(), "batch.cancelled");
    }

    /// What a user sees in the output folder, hidden names and all.
    fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.out()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn part(&self) -> PathBuf {
        let name = self.names().into_iter().find(|name| name.ends_with(".partial")).unwrap();
        self.out().join(name)
    }
}

/// Every file of a finished folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.file_name().unwrap().to_string_lossy().into(), fs::read(&path).unwrap()))
        .collect()
}

fn uninterrupted() -> BTreeMap<String, Vec<u8>> {
    files(&Scene::new().run(10).unwrap().folder)
}

/// The records of a CSV by the number in their first column.
fn records(bytes: &[u8]) -> BTreeMap<u64, Vec<String>> {
    let records = read_records(bytes).into_iter().skip(1);
    records.map(|record| (record[0].parse().unwrap(), record)).collect()
}

#[test]
fn every_row_is_scored_or_quarantined_and_the_counts_reconcile() {
    let scene = Scene::new();
    let result = scene.run(10).unwrap();
    let files = files(&result.folder);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["manifest.json", "quarantine.csv", "scores.csv"]);
    let (scores, quarantine) = (records(&files["scores.csv"]), records(&files["quarantine.csv"]));
    let refused: Vec<u64> = quarantine.keys().copied().collect();
    assert_eq!(refused, (1..=ROWS).filter(|n| [3, 7, 11].contains(&(n % 17))).collect::<Vec<_>>());
    let all: Vec<u64> = scores.keys().chain(&refused).copied().collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(all, (1..=ROWS).collect::<Vec<_>>());
    let rows = result.manifest.content.rows;
    assert_eq!((rows.read, rows.scored, rows.quarantined), (ROWS, scores.len() as u64, refused.len() as u64));
}

#[test]
fn a_scored_row_carries_its_id_score_outcome_and_reasons() {
    let scene = Scene::new();
    let files = files(&scene.run(10).unwrap().folder);
    let header = files["scores.csv"].split(|b| *b == b'\n').next().unwrap();
    assert_eq!(
        String::from_utf8_lossy(header),
        "row,id,margin,probability,outcome,by,reason_1,reason_2,reason_3,reason_4,notes"
    );
    let line = input_text().lines().nth(1).unwrap().replace("\"c,1\"", "c1");
    let cells: Vec<&str> = line.split(',').collect();
    let row = format!(r#"{{"id":"c1","income":{},"age":{},"purpose":{:?}}}"#, cells[1], cells[2], cells[3]);
    let contract = &scene.champion.loaded().content.contract;
    let parsed = crate::data::row::parse_row(contract, &row).unwrap();
    let decision = scene.champion.score_table(&parsed.table, &[]).unwrap().decide(0).unwrap();
    let record = &records(&files["scores.csv"])[&1];
    assert_eq!(record[1], "c,1");
    assert_eq!(record[2].parse::<f64>().unwrap().to_bits(), decision.margin.to_bits());
    assert_eq!(record[3].parse::<f64>().unwrap().to_bits(), decision.probability.to_bits());
    assert_eq!(record[4], decision.outcome);
    let keys: Vec<&str> = decision.reasons.list.iter().map(|r| r.key.as_str()).collect();
    assert_eq!(record[6..6 + keys.len()], keys[..]);
}

#[test]
fn the_quarantine_keeps_the_whole_row_and_says_what_broke() {
    let files = files(&Scene::new().run(10).unwrap().folder);
    let quarantine = records(&files["quarantine.csv"]);
    assert_eq!(quarantine[&3][1..4], ["c,3", "required", "age"]);
    assert_eq!(quarantine[&3][5], "c,3");
    assert_eq!(quarantine[&7][2..4], ["min", "income"]);
    assert_eq!(quarantine[&7][9], "a \"b\"");
    assert_eq!(quarantine[&11][2], "record");
    assert_eq!(quarantine[&11][10], "too|many");
}

#[test]
fn chunks_of_one_seven_and_a_thousand_give_the_same_bytes() {
    let expected = uninterrupted();
    for chunk_rows in [1, 7, 1_000] {
        let scene = Scene::new();
        assert_eq!(
            strip(files(&scene.run(chunk_rows).unwrap().folder)),
            strip(expected.clone()),
            "{chunk_rows}"
        );
    }
}

/// The champion's keys are drawn anew for every scene, but what is signed is the same; only the
/// input's path in `run` differs.
fn strip(mut files: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let manifest: Manifest = serde_json::from_slice(&files["manifest.json"]).unwrap();
    files.insert("manifest.json".into(), serde_json::to_vec(&manifest.content).unwrap());
    files
}

#[test]
fn a_run_that_was_stopped_anywhere_ends_in_the_same_bytes() {
    let expected = strip(uninterrupted());
    for chunks in [0, 1, 2, 5, 10] {
        let scene = Scene::new();
        scene.stop_after(chunks, 10);
        let result = scene.run(7).unwrap();
        assert_eq!(result.resumed_rows, chunks * 10, "after {chunks} chunks");
        assert_eq!(strip(files(&result.folder)), expected, "after {chunks} chunks");
    }
}

#[test]
fn a_run_that_was_stopped_again_and_again_ends_in_the_same_bytes() {
    let scene = Scene::new();
    for chunk_rows in [1, 4, 9, 16] {
        scene.stop_after(1, chunk_rows);
    }
    let result = scene.run(1_000).unwrap();
    assert_eq!(result.resumed_rows, 30);
    assert_eq!(strip(files(&result.folder)), strip(uninterrupted()));
}

#[test]
fn what_was_written_beyond_the_journal_is_cut_off() {
    let scene = Scene::new();
    scene.stop_after(3, 10);
    for name in [SCORES, QUARANTINE] {
        let path = scene.part().join(name);
        let torn = [fs::read(&path).unwrap(), b"31,half a li".to_vec()].concat();
        fs::write(&path, torn).unwrap();
    }
    fs::write(scene.part().join(".progress.json.1.partial"), "torn").unwrap();
    let result = scene.run(10).unwrap();
    assert_eq!(result.resumed_rows, 30);
    assert_eq!(strip(files(&result.folder)), strip(uninterrupted()));
}

#[test]
fn parts_shorter_than_their_journal_or_without_one_are_begun_anew() {
    for spoil in [
        |part: &Path| fs::write(part.join(SCORES), "row").unwrap(),
        |part: &Path| fs::write(part.join(journal::FILE), "{").unwrap(),
        |part: &Path| fs::remove_file(part.join(journal::FILE)).unwrap(),
    ] {
        let scene = Scene::new();
        scene.stop_after(3, 10);
        spoil(&scene.part());
        let result = scene.run(10).unwrap();
        assert_eq!(result.resumed_rows, 0);
        assert_eq!(strip(files(&result.folder)), strip(uninterrupted()));
    }
}

#[test]
fn nothing_is_visible_before_the_batch_is_whole() {
    let scene = Scene::new();
    scene.stop_after(3, 10);
    assert!(scene.names().iter().all(|name| name.starts_with('.')), "{:?}", scene.names());
    let result = scene.run(10).unwrap();
    let id = result.manifest.content.id.clone();
    assert_eq!(scene.names(), BTreeSet::from([id.clone(), "latest".to_string()]));
    assert_eq!(fs::read_link(scene.out().join("latest")).unwrap(), Path::new(&id));
}

#[test]
fn a_run_that_died_before_its_rename_only_renames() {
    let scene = Scene::new();
    let first = scene.run(10).unwrap();
    let part = scene.out().join(format!(".{}.partial", first.manifest.content.id));
    fs::rename(&first.folder, &part).unwrap();
    fs::remove_file(scene.out().join("latest")).unwrap();
    fs::write(part.join(journal::FILE), "left over").unwrap();
    let again = scene.run(10).unwrap();
    assert_eq!((again.reused, again.resumed_rows), (false, ROWS));
    assert_eq!(strip(files(&again.folder)), strip(uninterrupted()));
    assert!(scene.out().join("latest").join("scores.csv").exists());
}

#[test]
fn a_finished_batch_is_verified_and_used_again() {
    let scene = Scene::new();
    let first = scene.run(10).unwrap();
    fs::remove_file(scene.out().join("latest")).unwrap();
    let again = scene.run(10).unwrap();
    assert!(again.reused && !first.reused);
    assert_eq!(again.manifest, first.manifest);
    assert!(scene.out().join("latest").join("manifest.json").exists());
}

#[test]
fn an_altered_finished_batch_is_refused_by_the_file() {
    for name in ["scores.csv", "quarantine.csv", "manifest.json"] {
        for spoil in [
            |path: &Path| fs::remove_file(path).unwrap(),
            |path: &Path| {
                let mut bytes = fs::read(path).unwrap();
                bytes[20] ^= 1;
                fs::write(path, bytes).unwrap();
            },
        ] {
            let scene = Scene::new();
            let path = scene.run(10).unwrap().folder.join(name);
            spoil(&path);
            let refused = scene.run(10).unwrap_err();
            assert_eq!((refused.code(), refused.class().exit_code()), ("batch.altered", 5), "{name}");
        }
    }
}

#[test]
fn an_input_that_changes_meanwhile_is_refused_and_leaves_nothing() {
    struct Growing(PathBuf);
    impl Progress for Growing {
        fn step(&self, _done: u64) {
            let text = fs::read_to_string(&self.0).unwrap();
            fs::write(&self.0, format!("{text}c,1,40,car,x\n")).unwrap();
        }
    }
    let scene = Scene::new();
    let refused = scene.run_watched(50, &Growing(scene.input()), &CancelFlag::new()).unwrap_err();
    assert_eq!(refused.code(), "batch.input_changed");
    assert!(scene.names().is_empty(), "{:?}", scene.names());
}

#[test]
fn two_runs_of_one_batch_do_not_write_at_once() {
    let scene = Scene::new();
    scene.stop_after(1, 10);
    let id = scene.part().file_name().unwrap().to_string_lossy().replace(".partial", "");
    let held = PartFolder::open(&scene.out(), id.trim_start_matches('.')).unwrap();
    let refused = scene.run(10).unwrap_err();
    assert_eq!((refused.code(), refused.class().exit_code()), ("batch.busy", 7));
    drop(held);
    assert!(scene.run(10).is_ok());
}

#[test]
fn parquet_scores_survive_a_stop_to_the_byte() {
    let scene = Scene::with(champion(), OutputFormat::Parquet);
    let whole = files(&scene.run(10).unwrap().folder);
    assert_eq!(whole.keys().collect::<Vec<_>>(), ["manifest.json", "quarantine.csv", "scores.parquet"]);
    let other = Scene::with(champion(), OutputFormat::Parquet);
    other.stop_after(4, 10);
    let result = other.run(3).unwrap();
    assert_eq!(result.resumed_rows, 40);
    assert_eq!(strip(files(&result.folder)), strip(whole));
}

#[test]
fn without_a_policy_rows_are_scored_and_the_batch_is_another() {
    let scene = Scene::with(champion_without_policy(), OutputFormat::Csv);
    let scored = scene.run(10).unwrap();
    let decided = Scene::new().run(10).unwrap();
    let text = fs::read_to_string(scored.folder.join("scores.csv")).unwrap();
    assert!(text.starts_with("row,id,margin,probability,notes\n"), "{text}");
    assert_ne!(scored.manifest.content.id, decided.manifest.content.id);
    assert_eq!(scored.manifest.content.subject.policy, None);
}

#[test]
fn a_batch_of_no_rows_is_a_batch() {
    let scene = Scene::new();
    fs::write(scene.input(), "id,income,age,purpose\n").unwrap();
    let result = scene.run(10).unwrap();
    assert_eq!(result.manifest.content.rows, RowCounts::default());
    assert_eq!(scene.run(0).unwrap_err().code(), "batch.no_chunk");
}
