//! The flow's nodes against the flow: the same candidate to the byte, for every family and after every kind of change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tallystick::base::cancel::CancelFlag;
use tallystick::base::fact::Failure;
use tallystick::base::limits;
use tallystick::base::progress::Silent;
use tallystick::config::project::Project;
use tallystick::data::import::reader::Purpose;
use tallystick::data::import::whole::read_table;
use tallystick::data::write::write_parquet;
use tallystick::demo::project::find;
use tallystick::pipeline::candidate::Candidate;
use tallystick::pipeline::graph::execute::{Course, Ended, Ground, Order, Unwatched};
use tallystick::pipeline::graph::plan::Will;
use tallystick::pipeline::graph::select::Selection;
use tallystick::pipeline::graph::state::State;
use tallystick::pipeline::nodes::settings::settings_of;
use tallystick::pipeline::nodes::table::{CANDIDATE, DATA, flow_graph};
use tallystick::pipeline::nodes::work::FlowWork;
use tallystick::pipeline::{flow, ready};

/// Every part at work, in seconds.
const SMALL: [&str; 13] = [
    "logistic.epochs=3",
    "logistic.models=2",
    "mlp.epochs=2",
    "mlp.hidden=[8]",
    "mlp.batch_rows=256",
    "boosting.models=2",
    "boosting.rounds=25",
    "boosting.patience=10",
    "forest.trees=10",
    "forest.leaf_rows=20",
    "ensemble.members=[\"scorecard\",\"logistic\",\"boosting\"]",
    "ensemble.folds=2",
    "calibration.folds=2",
];

/// The demo's loans, with changes to train.toml and to texts of its files.
fn project(more: &[&str], edits: &[(&str, &str, &str)]) -> Project {
    let mut texts: BTreeMap<String, String> = find("loan-default")
        .unwrap()
        .files
        .iter()
        .map(|(name, text)| (name.to_string(), text.to_string()))
        .collect();
    for (file, from, to) in edits {
        let text = texts.get_mut(*file).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        *text = text.replacen(from, to, 1);
    }
    let all: Vec<String> = SMALL.iter().chain(more).map(ToString::to_string).collect();
    Project::from_texts(texts, &all).unwrap()
}

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(rows: usize) -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        find("loan-default").unwrap().write_csv(&bench.data(), rows, 7).unwrap();
        bench
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("loans.csv")
    }

    fn kept(&self, ended: &[Ended]) -> PathBuf {
        let digest = ended.iter().find_map(|ended| ended.outputs.get(CANDIDATE)).unwrap();
        self.folder.path().join("state/kept").join(digest.to_hex())
    }

    fn run(&self, project: &Project) -> Result<Vec<Ended>, Failure> {
        let data = self.data();
        let (graph, settings) = (flow_graph(project)?, settings_of(project)?);
        let state = State::open(&self.folder.path().join("state"), limits::BLOB_BYTES_MAX)?;
        let (work, cancel) = (FlowWork { project, data: &data }, CancelFlag::new());
        let sources = BTreeMap::from([(DATA.to_string(), data.clone())]);
        let course = Course { work: &work, watch: &Unwatched, cancel: &cancel, progress: &Silent };
        let (graph, settings, state) = (&graph, &settings, &state);
        let ground = Ground { graph, state, settings, sources: &sources, now_ms: &|| 0 };
        let wanted = Selection { only_stale: true, ..Selection::default() };
        ground.run(Order { run: "run".into(), wanted, resume: false }, &course)
    }

    /// The way of `train`: validated, kept as Parquet, read again, trained in one go.
    fn train(&self, project: &Project) -> PathBuf {
        let (table, _) = ready::validate(project, &self.data(), None).unwrap();
        ready::refuse_leaks(project, &table).unwrap();
        let parquet = self.folder.path().join("kept.parquet");
        write_parquet(&parquet, &table).unwrap();
        let (table, _) =
            read_table(&parquet, &project.contract, Purpose::Training, limits::ROWS_MAX).unwrap();
        let folder = self.folder.path().join("trained");
        let _ = std::fs::remove_dir_all(&folder);
        flow::train(project, table, &CancelFlag::new(), &Silent).unwrap().write(&folder).unwrap();
        folder
    }
}

/// Every file of a folder by its name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let read = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    entries.map(read).collect()
}

fn ran(ended: &[Ended]) -> Vec<&str> {
    let ran = ended.iter().filter(|ended| ended.planned.will == Will::Run);
    ran.map(|ended| ended.planned.node.as_str()).collect()
}

/// A file of the project, what stands in it, and what is to stand there.
type Edit = (&'static str, &'static str, &'static str);

#[test]
fn the_candidate_of_the_nodes_is_that_of_the_flow_to_the_byte_for_every_family() {
    let bench = Bench::new(1_500);
    for family in ["baseline", "logistic", "mlp", "boosting", "forest", "scorecard", "ensemble"] {
        let named = format!("family={family}");
        let project = project(&[&named], &[]);
        let kept = bench.kept(&bench.run(&project).unwrap());
        assert_eq!(files(&kept), files(&bench.train(&project)), "{family}");
        assert_eq!(Candidate::read(&kept).unwrap().pack.load().unwrap().content.family, family);
    }
}

#[test]
fn a_search_is_a_node_of_its_own_and_its_candidate_is_the_same_too() {
    let bench = Bench::new(1_500);
    for families in ["[\"scorecard\",\"logistic\"]", "[\"scorecard\",\"boosting\",\"logistic\"]"] {
        let families = format!("search.families={families}");
        let project = project(&["search.method=auto", "search.folds=2", &families], &[]);
        let ended = bench.run(&project).unwrap();
        assert!(ran(&ended).contains(&"search"));
        assert_eq!(files(&bench.kept(&ended)), files(&bench.train(&project)), "{families}");
    }
}

#[test]
fn what_changed_says_which_nodes_run_and_the_candidate_is_that_of_a_fresh_run() {
    let bench = Bench::new(1_500);
    let first = bench.run(&project(&["family=scorecard"], &[])).unwrap();
    assert_eq!(first.len(), ran(&first).len());
    assert!(ran(&bench.run(&project(&["family=scorecard"], &[])).unwrap()).is_empty());
    // A trained parameter: what is before training stands.
    let seed = project(&["family=scorecard", "monotone.dti=\"rising\""], &[]);
    let ended = bench.run(&seed).unwrap();
    assert_eq!(ran(&ended), ["train", "evaluate", "draw", "pack"]);
    assert_eq!(files(&bench.kept(&ended)), files(&bench.train(&seed)));
    // Another method of calibration trains nothing.
    let beta = project(&["family=scorecard", "monotone.dti=\"rising\"", "calibration.method=\"beta\""], &[]);
    let ended = bench.run(&beta).unwrap();
    assert!(!ran(&ended).contains(&"train"), "{:?}", ran(&ended));
    assert_eq!(files(&bench.kept(&ended)), files(&bench.train(&beta)));
    // Another file with other rows: everything.
    find("loan-default").unwrap().write_csv(&bench.data(), 1_600, 8).unwrap();
    let ended = bench.run(&beta).unwrap();
    assert_eq!(ended.len(), ran(&ended).len());
    assert_eq!(files(&bench.kept(&ended)), files(&bench.train(&beta)));
}

/// Whoever owns the policy moves a cut-off without a training; whoever writes a form moves none of both.
#[test]
fn a_policy_trains_nothing_and_a_form_or_an_expectation_no_more_than_it_must() {
    let bench = Bench::new(1_500);
    bench.run(&project(&["family=scorecard"], &[])).unwrap();
    let cases: [(&[Edit], &[&str]); 5] = [
        (&[("policy.toml", "missed_bad = 5.0", "missed_bad = 4.0")], &["evaluate", "draw", "pack"]),
        (&[("gates.toml", "min = 0.70", "min = 0.60")], &["evaluate", "draw", "pack"]),
        (&[("contract.toml", "section = \"loan\"", "# nothing")], &["read", "validate", "pack"]),
        // The report has the figures that were found, and they are the same: the candidate stands.
        (&[("expectations.toml", "min = 1000", "min = 900")], &["validate", "encode"]),
        (&[("text/en.toml", "=", " =")], &[]),
    ];
    for (edits, expected) in cases {
        let edited = project(&["family=scorecard"], edits);
        let ended = bench.run(&edited).unwrap();
        assert_eq!(ran(&ended), expected, "{edits:?}");
        assert_eq!(files(&bench.kept(&ended)), files(&bench.train(&edited)), "{edits:?}");
        bench.run(&project(&["family=scorecard"], &[])).unwrap();
    }
}

#[test]
fn data_that_breaks_the_contract_stops_the_first_node_under_the_files_own_name() {
    let bench = Bench::new(1_500);
    let mut text = std::fs::read_to_string(bench.data()).unwrap();
    text.push_str(&text.lines().nth(1).unwrap().replacen(',', ",x", 3).clone());
    std::fs::write(bench.data(), text).unwrap();
    let failure = bench.run(&project(&["family=scorecard"], &[])).unwrap_err();
    assert_eq!(failure.code(), "data.contract");
    let named = failure.to_string();
    assert!(
        named.starts_with("node read: ") && named.contains(&bench.data().display().to_string()),
        "{named}"
    );
}
