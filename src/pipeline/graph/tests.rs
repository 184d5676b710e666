//! A graph planned, run, cut short and run on: what runs, what stands, and why.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::base::cancel::CancelFlag;
use crate::base::digest::Digest;
use crate::base::fact::{Class, Fact, Failure};
use crate::base::limits;
use crate::base::progress::Silent;
use crate::pipeline::graph::error::GraphError;
use crate::pipeline::graph::execute::{Course, Ended, Ground, Order, Step, Unwatched, Watch, Work};
use crate::pipeline::graph::node::{Graph, Node};
use crate::pipeline::graph::plan::{Planned, Why, Will};
use crate::pipeline::graph::select::Selection;
use crate::pipeline::graph::settings::Settings;
use crate::pipeline::graph::state::State;

fn node(name: &str, inputs: &[&str], outputs: &[&str], reads: &[&str]) -> Node {
    let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let tags = if name == "train" || name == "evaluate" { vec!["model".to_string()] } else { Vec::new() };
    let (inputs, outputs, reads) = (texts(inputs), texts(outputs), texts(reads));
    Node { name: name.into(), tags, inputs, outputs, reads, code: "1".into() }
}

/// read -> split -> train -> evaluate -> pack, and a report beside them; `folder` is an output of many files.
fn nodes() -> Vec<Node> {
    vec![
        node("evaluate", &["model", "test"], &["figures"], &["policy.toml"]),
        node("read", &["data"], &["rows"], &["contract.toml"]),
        node("split", &["rows"], &["part", "test"], &["train.toml split"]),
        node("train", &["part"], &["model"], &["train.toml boosting"]),
        node("report", &["rows"], &["folder"], &[]),
        node("pack", &["model", "figures", "folder"], &["candidate"], &[]),
    ]
}

fn graph() -> Graph {
    Graph::check(nodes(), &["data"]).unwrap()
}

fn settings(trees: u64, cutoff: f64) -> Settings {
    let mut settings = Settings::default();
    settings.add("train.toml", &json!({"split": {"test": 0.2}, "boosting": {"trees": trees}})).unwrap();
    settings.add("policy.toml", &json!({"cutoff": cutoff})).unwrap();
    settings.add("contract.toml", &json!({"column": [{"name": "age", "max": 99}]})).unwrap();
    settings
}

/// Each output is all inputs and settings of its node in one line, so that equal bytes mean an equal history.
struct Toy {
    settings: Settings,
    ran: RefCell<Vec<String>>,
    fails_at: Option<&'static str>,
    /// The child process of a test says that it is here and waits to be killed.
    waits_at: Option<String>,
}

impl Toy {
    fn new(settings: &Settings) -> Self {
        Self { settings: settings.clone(), ran: RefCell::default(), fails_at: None, waits_at: None }
    }

    fn write(&self, step: &Step<'_>, output: &str, path: &Path) -> String {
        let inputs: Vec<String> =
            step.inputs.values().map(|path| Digest::of(&bytes_of(path)).short()).collect();
        let settings = self.settings.under(&step.node.reads);
        // Neither part of a split knows how the figures are made, nor whose name a row has.
        let text = format!("{output} of {inputs:?} with {settings:?}");
        if output == "folder" {
            std::fs::create_dir_all(path.join("deep")).unwrap();
            std::fs::write(path.join("a.txt"), &text).unwrap();
            std::fs::write(path.join("deep/b.txt"), "b").unwrap();
        } else {
            std::fs::write(path, &text).unwrap();
        }
        text
    }
}

fn bytes_of(path: &Path) -> Vec<u8> {
    let path = if path.is_dir() { path.join("a.txt") } else { path.to_path_buf() };
    std::fs::read(path).unwrap()
}

#[derive(Debug, thiserror::Error)]
#[error("the toy was told to fail")]
struct ToldToFail;

impl Fact for ToldToFail {
    fn code(&self) -> &'static str {
        "toy.failed"
    }

    fn class(&self) -> Class {
        Class::DataRefused
    }
}

impl Work for Toy {
    fn run(&self, step: &Step<'_>) -> Result<(), Failure> {
        self.ran.borrow_mut().push(step.node.name.clone());
        let mut outputs = step.outputs.iter();
        if let Some((output, path)) = outputs.next() {
            self.write(step, output, path);
        }
        if self.waits_at.as_deref() == Some(step.node.name.as_str()) {
            let mut parent = std::io::stderr().lock();
            let _ = writeln!(parent, "at {}", step.node.name);
            drop(parent);
            let _ = std::io::stdin().read(&mut [0]);
        }
        if self.fails_at == Some(step.node.name.as_str()) {
            return Err(ToldToFail.into());
        }
        outputs.for_each(|(output, path)| {
            self.write(step, output, path);
        });
        Ok(())
    }
}

struct Bench {
    folder: tempfile::TempDir,
    graph: Graph,
    time: Cell<i64>,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap(), graph: graph(), time: Cell::new(0) };
        std::fs::write(bench.data(), "1,2,3").unwrap();
        bench
    }

    fn state(&self) -> State {
        self.state_of(1 << 20)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data.csv")
    }

    /// A child that another test is just starting shares our open files, and with them the lock, until it is another
    /// program.
    fn state_of(&self, bytes_max: u64) -> State {
        loop {
            match State::open(&self.folder.path().join("state"), bytes_max) {
                Err(GraphError::Busy { .. }) => std::thread::yield_now(),
                opened => return opened.unwrap(),
            }
        }
    }

    fn on<T>(&self, settings: &Settings, then: impl FnOnce(&Ground<'_>) -> T) -> T {
        let (state, sources) = (self.state(), BTreeMap::from([("data".to_string(), self.data())]));
        let now_ms = || {
            self.time.set(self.time.get() + 5);
            self.time.get()
        };
        then(&Ground { graph: &self.graph, state: &state, settings, sources: &sources, now_ms: &now_ms })
    }

    fn plan(&self, settings: &Settings, wanted: Selection) -> Vec<Planned> {
        let order = Order { run: "plan".into(), wanted, resume: false };
        self.on(settings, |ground| ground.plan(&order)).unwrap()
    }

    fn run(&self, toy: &Toy, order: Order) -> Result<Vec<Ended>, Failure> {
        let cancel = CancelFlag::new();
        let course = Course { work: toy, watch: &Unwatched, cancel: &cancel, progress: &Silent };
        self.on(&toy.settings, |ground| ground.run(order, &course))
    }
}

fn stale() -> Selection {
    Selection { only_stale: true, ..Selection::default() }
}

fn order(run: &str, wanted: Selection) -> Order {
    Order { run: run.into(), wanted, resume: false }
}

fn resumed() -> Order {
    Order { resume: true, ..order("later", Selection::default()) }
}

fn told(planned: &[Planned], will: Will) -> Vec<String> {
    let of = planned.iter().filter(|planned| planned.will == will);
    of.map(|planned| format!("{}: {}", planned.node, planned.text())).collect()
}

fn outputs_of(ended: &[Ended]) -> BTreeMap<String, Digest> {
    ended.iter().flat_map(|ended| ended.outputs.clone()).collect()
}

/// A run that nothing disturbs.
fn clean(settings: &Settings) -> BTreeMap<String, Digest> {
    outputs_of(&Bench::new().run(&Toy::new(settings), order("clean", Selection::default())).unwrap())
}

fn refused(nodes: Vec<Node>) -> String {
    Graph::check(nodes, &["data"]).unwrap_err().to_string()
}

#[test]
fn a_graph_runs_in_the_order_of_its_needs_and_the_given_one_otherwise() {
    let graph = graph();
    let names: Vec<&str> = graph.nodes().iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["read", "split", "train", "evaluate", "report", "pack"]);
    assert_eq!(graph.maker("test").unwrap().name, "split");
}

#[test]
fn a_cycle_two_makers_and_an_input_of_nobody_are_refused_by_name() {
    let mut round = nodes();
    round[1].inputs.push("model".into());
    assert_eq!(refused(round), "nodes wait for each other: read -> split -> train -> read");
    let mut two = nodes();
    two[4].outputs.push("model".into());
    assert_eq!(refused(two), r#"the nodes "train" and "report" both make "model""#);
    let mut missing = nodes();
    missing[0].inputs[0] = "modle".into();
    assert_eq!(
        refused(missing),
        r#"the node "evaluate" reads "modle", which no node makes; did you mean "model"?"#
    );
    let mut itself = nodes();
    itself[1].inputs.push("rows".into());
    assert_eq!(refused(itself), "nodes wait for each other: read -> read");
    let mut path = nodes();
    path[1].outputs[0] = "../rows".into();
    assert!(refused(path).starts_with(r#""../rows" is no name"#));
}

#[test]
fn a_changed_value_runs_only_what_depends_on_it_and_the_plan_says_why() {
    let bench = Bench::new();
    bench.run(&Toy::new(&settings(200, 0.5)), order("a", stale())).unwrap();
    let planned = bench.plan(&settings(300, 0.5), stale());
    assert_eq!(
        told(&planned, Will::Run),
        [
            "train: train.toml boosting.trees: 200 -> 300",
            "evaluate: input model is made again by train",
            "pack: input figures is made again by evaluate; input model is made again by train",
        ]
    );
    assert_eq!(told(&planned, Will::Keep).len(), 3);
    let toy = Toy::new(&settings(300, 0.5));
    let ended = bench.run(&toy, order("b", stale())).unwrap();
    assert_eq!(*toy.ran.borrow(), ["train", "evaluate", "pack"]);
    assert_eq!(outputs_of(&ended), clean(&settings(300, 0.5)));
    assert_eq!(ended.iter().filter_map(|ended| ended.took_ms).collect::<Vec<_>>(), [5, 5, 5]);
    let planned = bench.plan(&settings(300, 0.4), stale());
    assert_eq!(told(&planned, Will::Run)[0], "evaluate: policy.toml cutoff: 0.5 -> 0.4");
    assert_eq!(told(&planned, Will::Run).len(), 2);
}

#[test]
fn changed_data_runs_everything_and_changed_code_its_node() {
    let mut bench = Bench::new();
    let settings = settings(200, 0.5);
    bench.run(&Toy::new(&settings), order("a", stale())).unwrap();
    let mut changed = nodes();
    changed[4].code = "2".into();
    bench.graph = Graph::check(changed, &["data"]).unwrap();
    assert_eq!(
        told(&bench.plan(&settings, stale()), Will::Run),
        ["report: its code: 1 -> 2", "pack: input folder is made again by report"]
    );
    std::fs::write(bench.data(), "1,2,4").unwrap();
    let planned = bench.plan(&settings, stale());
    assert_eq!(planned.len(), told(&planned, Will::Run).len());
    assert_eq!(planned[0].text(), "input data changed");
}

/// What is made again and comes out the same stops the wave: those behind it stand.
#[test]
fn a_node_stands_where_its_inputs_come_out_the_same() {
    let mut bench = Bench::new();
    let settings = settings(200, 0.5);
    bench.run(&Toy::new(&settings), order("a", stale())).unwrap();
    let mut changed = nodes();
    changed[3].code = "2".into();
    bench.graph = Graph::check(changed, &["data"]).unwrap();
    assert_eq!(told(&bench.plan(&settings, stale()), Will::Run).len(), 3);
    let toy = Toy::new(&settings);
    let ended = bench.run(&toy, order("b", stale())).unwrap();
    assert_eq!(*toy.ran.borrow(), ["train"]);
    assert_eq!(ended.last().unwrap().planned.why, [Why::Unchanged]);
}

#[test]
fn a_damaged_output_is_made_again_and_so_is_one_that_is_gone() {
    let bench = Bench::new();
    let settings = settings(200, 0.5);
    let first = outputs_of(&bench.run(&Toy::new(&settings), order("a", stale())).unwrap());
    let path = |name: &str| bench.state().kept_path(first[name]);
    std::fs::write(path("model"), "0").unwrap();
    std::fs::write(path("folder").join("stranger.txt"), "0").unwrap();
    std::fs::remove_file(path("figures")).unwrap();
    std::fs::write(bench.folder.path().join("state/records/read.json"), "{}").unwrap();
    let planned = bench.plan(&settings, stale());
    let expected = [
        "read: its record cannot be read",
        "split: input rows is made again by read",
        "train: its output model is damaged; input part is made again by split",
        "evaluate: its output figures is gone; input model is made again by train; input test is made again by split",
        "report: its output folder is damaged; input rows is made again by read",
    ];
    assert_eq!(told(&planned, Will::Run)[..5], expected);
    let toy = Toy::new(&settings);
    let second = outputs_of(&bench.run(&toy, order("b", stale())).unwrap());
    assert_eq!(*toy.ran.borrow(), ["read", "train", "evaluate", "report"]);
    assert_eq!(first, second);
}

#[test]
fn a_selection_holds_in_all_its_ways_and_what_it_lacks_is_named() {
    let (bench, settings) = (Bench::new(), settings(200, 0.5));
    let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let names = |wanted: &Selection| -> String {
        wanted.select(&bench.graph).unwrap().into_iter().collect::<Vec<_>>().join(" ")
    };
    let from = Selection { from: texts(&["train"]), ..stale() };
    assert_eq!(names(&from), "evaluate pack train");
    assert_eq!(names(&Selection { to: texts(&["evaluate"]), ..from.clone() }), "evaluate train");
    assert_eq!(names(&Selection { tags: texts(&["model"]), ..Selection::default() }), "evaluate train");
    assert_eq!(names(&Selection { nodes: texts(&["pack"]), ..Selection::default() }), "pack");
    let refused = |wanted: Selection| bench.run(&Toy::new(&settings), order("a", wanted)).unwrap_err();
    let error = refused(from.clone());
    assert_eq!(error.code(), "graph.not_made");
    assert_eq!(error.next_step().unwrap(), "Begin with it: `--from split`.");
    let error = refused(Selection { from: texts(&["trian"]), ..stale() });
    assert_eq!(error.to_string(), r#"there is no node "trian"; did you mean "train"?"#);
    let error = refused(Selection { to: texts(&["figures"]), ..stale() });
    assert_eq!(error.to_string(), r#"there is no node "figures"; did you mean "evaluate"?"#);
    let error = refused(Selection { tags: texts(&["modl"]), ..stale() });
    assert_eq!(error.to_string(), r#"there is no tag "modl"; did you mean "model"?"#);
    let error = refused(Selection { nodes: texts(&["pack"]), tags: texts(&["model"]), ..stale() });
    assert_eq!(error.code(), "graph.nothing_selected");
    bench.run(&Toy::new(&settings), order("b", Selection::default())).unwrap();
    let toy = Toy::new(&settings);
    bench.run(&toy, order("c", Selection { only_stale: false, ..from })).unwrap();
    assert_eq!(*toy.ran.borrow(), ["train", "evaluate", "pack"]);
}

#[test]
fn a_node_that_is_left_out_is_told_to_be_stale() {
    let bench = Bench::new();
    bench.run(&Toy::new(&settings(200, 0.5)), order("a", stale())).unwrap();
    let wanted = Selection { nodes: vec!["pack".into()], ..stale() };
    let planned = bench.plan(&settings(300, 0.5), wanted);
    assert_eq!(told(&planned, Will::Skip)[2], "train: not selected; train.toml boosting.trees: 200 -> 300");
    assert!(told(&planned, Will::Run).is_empty());
}

#[derive(Default)]
struct Noted(RefCell<Vec<String>>);

impl Watch for Noted {
    fn begun(&self, planned: &Planned) {
        self.0.borrow_mut().push(format!("begun {}", planned.node));
    }

    fn failed(&self, node: &Node, failure: &Failure) {
        self.0.borrow_mut().push(format!("failed {}: {failure}", node.name));
    }
}

#[test]
fn a_failure_is_told_keeps_its_code_and_leaves_a_run_that_can_be_resumed() {
    let (bench, settings) = (Bench::new(), settings(200, 0.5));
    for node in ["read", "split", "train", "evaluate", "report", "pack"] {
        // Everything is asked for, so that a resumed run could do things twice.
        let toy = Toy { fails_at: Some(node), ..Toy::new(&settings) };
        let (noted, cancel) = (Noted::default(), CancelFlag::new());
        let course = Course { work: &toy, watch: &noted, cancel: &cancel, progress: &Silent };
        let begun = order("first", Selection::default());
        let failure = bench.on(&settings, |ground| ground.run(begun, &course)).unwrap_err();
        assert_eq!((failure.code(), failure.class()), ("toy.failed", Class::DataRefused));
        assert_eq!(failure.to_string(), format!("node {node}: the toy was told to fail"));
        assert!(noted.0.borrow().last().unwrap().starts_with(&format!("failed {node}: ")));
        let rest = Toy::new(&settings);
        let ended = bench.run(&rest, resumed()).unwrap();
        let done = toy.ran.borrow().len() - 1;
        assert_eq!(done + rest.ran.borrow().len(), 6, "{node}");
        assert_eq!(outputs_of(&ended), clean(&settings));
        std::fs::remove_dir_all(bench.folder.path().join("state")).unwrap();
    }
    let failure = bench.run(&Toy::new(&settings), resumed()).unwrap_err();
    assert_eq!(failure.code(), "graph.nothing_to_resume");
}

#[test]
fn a_resumed_run_takes_up_what_was_asked_but_not_what_has_changed_since() {
    let bench = Bench::new();
    let before = settings(200, 0.5);
    let wanted = Selection { to: vec!["evaluate".into()], ..Selection::default() };
    let toy = Toy { fails_at: Some("evaluate"), ..Toy::new(&before) };
    bench.run(&toy, order("first", wanted)).unwrap_err();
    let toy = Toy::new(&settings(300, 0.5));
    let ended = bench.run(&toy, resumed()).unwrap();
    assert_eq!(*toy.ran.borrow(), ["train", "evaluate"]);
    assert_eq!(ended.last().unwrap().planned.will, Will::Skip);
}

#[test]
fn a_cancelled_run_stops_between_two_nodes() {
    struct Stops<'a>(&'a Toy, CancelFlag);
    impl Work for Stops<'_> {
        fn run(&self, step: &Step<'_>) -> Result<(), Failure> {
            self.1.cancel();
            self.0.run(step)
        }
    }
    let (bench, settings) = (Bench::new(), settings(200, 0.5));
    let (toy, cancel) = (Toy::new(&settings), CancelFlag::new());
    let stops = Stops(&toy, cancel.clone());
    let course = Course { work: &stops, watch: &Unwatched, cancel: &cancel, progress: &Silent };
    let begun = order("first", stale());
    let failure = bench.on(&settings, |ground| ground.run(begun, &course)).unwrap_err();
    assert_eq!(failure.code(), "cancelled");
    assert_eq!(*toy.ran.borrow(), ["read"]);
    let rest = Toy::new(&settings);
    bench.run(&rest, resumed()).unwrap();
    assert_eq!(rest.ran.borrow().len(), 5);
}

#[test]
fn a_run_beside_another_and_one_without_room_are_refused() {
    let (bench, settings) = (Bench::new(), settings(200, 0.5));
    let state = bench.state();
    let folder = bench.folder.path().join("state");
    assert!(matches!(State::open(&folder, 1).unwrap_err(), GraphError::Busy { .. }));
    drop(state);
    let small = bench.state_of(300);
    let sources = BTreeMap::from([("data".to_string(), bench.data())]);
    let (toy, cancel) = (Toy::new(&settings), CancelFlag::new());
    let course = Course { work: &toy, watch: &Unwatched, cancel: &cancel, progress: &Silent };
    let (graph, state) = (&bench.graph, &small);
    let ground = Ground { graph, state, settings: &settings, sources: &sources, now_ms: &|| 0 };
    let failure = ground.run(order("a", stale()), &course).unwrap_err();
    assert_eq!((failure.code(), failure.class()), ("graph.full", Class::Unavailable));
    assert!(small.bytes_kept().unwrap() <= 300);
    drop(small);
    assert_eq!(outputs_of(&bench.run(&Toy::new(&settings), resumed()).unwrap()), clean(&settings));
}

#[test]
fn what_no_record_names_is_swept_and_what_one_names_stays() {
    let bench = Bench::new();
    let first = outputs_of(&bench.run(&Toy::new(&settings(200, 0.5)), order("a", stale())).unwrap());
    let second = outputs_of(&bench.run(&Toy::new(&settings(300, 0.5)), order("b", stale())).unwrap());
    let state = bench.state();
    assert!(!state.kept_path(first["model"]).exists() && state.kept_path(second["model"]).exists());
    let kept = std::fs::read_dir(bench.folder.path().join("state/kept")).unwrap().count();
    assert_eq!(kept, second.len());
    std::fs::create_dir_all(bench.folder.path().join("state/work/train")).unwrap();
    std::fs::write(bench.folder.path().join("state/records/gone.json"), "{}").unwrap();
    std::fs::write(state.kept_path(Digest::of(b"stray")), "12345").unwrap();
    let swept = state.sweep(&bench.graph).unwrap();
    assert_eq!((swept.artifacts, swept.bytes), (1, 5));
    assert!(!bench.folder.path().join("state/records/gone.json").exists());
    assert_eq!(std::fs::read_dir(bench.folder.path().join("state/work")).unwrap().count(), 0);
}

#[test]
fn a_link_among_the_outputs_is_no_content() {
    struct Links;
    impl Work for Links {
        fn run(&self, step: &Step<'_>) -> Result<(), Failure> {
            let path = step.outputs.values().next().unwrap();
            std::os::unix::fs::symlink("/etc/hostname", path).unwrap();
            Ok(())
        }
    }
    struct Nothing;
    impl Work for Nothing {
        fn run(&self, _: &Step<'_>) -> Result<(), Failure> {
            Ok(())
        }
    }
    let (bench, settings, cancel) = (Bench::new(), settings(200, 0.5), CancelFlag::new());
    let works: [(&dyn Work, &str); 2] = [(&Links, "graph.not_content"), (&Nothing, "graph.no_output")];
    for (work, code) in works {
        let course = Course { work, watch: &Unwatched, cancel: &cancel, progress: &Silent };
        let failure = bench.on(&settings, |ground| ground.run(order("a", stale()), &course)).unwrap_err();
        assert_eq!(failure.code(), code);
    }
}

/// A file that is still being copied while it is read would be recorded under the digest of its beginning.
#[test]
fn data_that_changes_while_it_is_read_is_refused() {
    struct Grows(PathBuf);
    impl Work for Grows {
        fn run(&self, step: &Step<'_>) -> Result<(), Failure> {
            std::fs::write(&self.0, "1,2,3,4").unwrap();
            std::fs::write(step.output("rows")?, "rows").unwrap();
            Ok(())
        }
    }
    let (bench, settings, cancel) = (Bench::new(), settings(200, 0.5), CancelFlag::new());
    let grows = Grows(bench.data());
    let course = Course { work: &grows, watch: &Unwatched, cancel: &cancel, progress: &Silent };
    let failure = bench.on(&settings, |ground| ground.run(order("a", stale()), &course)).unwrap_err();
    assert_eq!(failure.code(), "graph.source_changed");
}

const CHILD: &str = "pipeline::graph::tests::child_of_the_crash_tests";

/// The same binary running one whole run in a folder, to be ended without warning.
fn child(bench: &Bench) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", CHILD, "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("GRAPH_CHILD_FOLDER", bench.folder.path());
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

#[test]
#[ignore = "is started by the crash tests"]
fn child_of_the_crash_tests() {
    let Ok(folder) = std::env::var("GRAPH_CHILD_FOLDER") else { return };
    let settings = settings(200, 0.5);
    let toy = Toy { waits_at: std::env::var("GRAPH_CHILD_WAITS").ok(), ..Toy::new(&settings) };
    let state = State::open(&Path::new(&folder).join("state"), 1 << 20).unwrap();
    let sources = BTreeMap::from([("data".to_string(), Path::new(&folder).join("data.csv"))]);
    let (graph, cancel) = (graph(), CancelFlag::new());
    let course = Course { work: &toy, watch: &Unwatched, cancel: &cancel, progress: &Silent };
    let ground =
        Ground { graph: &graph, state: &state, settings: &settings, sources: &sources, now_ms: &|| 0 };
    ground.run(order("killed", Selection::default()), &course).unwrap();
}

#[test]
fn a_run_killed_in_its_third_node_is_finished_without_doing_the_first_two_again() {
    let (bench, settings) = (Bench::new(), settings(200, 0.5));
    let mut killed = child(&bench).env("GRAPH_CHILD_WAITS", "train").spawn().unwrap();
    let mut lines = BufReader::new(killed.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "at train"));
    killed.kill().unwrap();
    killed.wait().unwrap();
    let toy = Toy::new(&settings);
    let ended = bench.run(&toy, resumed()).unwrap();
    assert_eq!(*toy.ran.borrow(), ["train", "evaluate", "report", "pack"]);
    assert_eq!(
        told(&ended.iter().map(|e| e.planned.clone()).collect::<Vec<_>>(), Will::Keep),
        ["read: done by the interrupted run", "split: done by the interrupted run",]
    );
    assert_eq!(outputs_of(&ended), clean(&settings));
}

/// Every passage of every point of the executor: after the death there is the old or the new, and a resumed run ends in
/// the same digests. Nothing with a record is made twice.
#[test]
fn a_death_at_any_point_leaves_the_old_or_the_new() {
    let (bench, settings) = (Bench::new(), settings(200, 0.5));
    let expected = clean(&settings);
    let points = ["graph.before_keep", "graph.after_keep", "graph.before_record", "graph.after_record"];
    for (point, passages) in points.into_iter().zip([7, 7, 6, 6]) {
        for passage in [1, 2, passages] {
            let fault = format!("{point}:{passage}");
            let died = child(&bench).env("TALLYSTICK_FAULT", &fault).output().unwrap();
            assert!(!died.status.success(), "{fault}");
            let records = std::fs::read_dir(bench.folder.path().join("state/records")).unwrap();
            let done =
                records.filter(|e| !e.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
            let done = done.count();
            let toy = Toy::new(&settings);
            let ended = bench.run(&toy, resumed()).unwrap();
            assert_eq!(toy.ran.borrow().len(), 6 - done, "{fault}");
            assert_eq!(outputs_of(&ended), expected, "{fault}");
            std::fs::remove_dir_all(bench.folder.path().join("state")).unwrap();
        }
    }
}

#[test]
fn reasons_without_end_are_counted() {
    let bench = Bench::new();
    let wide = |offset: u64| {
        let mut settings = settings(200, 0.5);
        let many: BTreeMap<String, u64> = (0..40).map(|at| (format!("k{at}"), at + offset)).collect();
        settings.add("policy.toml", &json!(many)).unwrap();
        settings
    };
    bench.run(&Toy::new(&wide(0)), order("a", stale())).unwrap();
    let planned = bench.plan(&wide(1), stale());
    let evaluate = planned.iter().find(|planned| planned.node == "evaluate").unwrap();
    assert_eq!((evaluate.why.len(), evaluate.more), (limits::GRAPH_REASONS_MAX, 28));
    assert!(evaluate.text().ends_with("; and 28 more"));
}
