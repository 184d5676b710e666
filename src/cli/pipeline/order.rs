//! `pipeline run`: the nodes in this process, which lowers itself first, until they are done or Ctrl-C.
//! What came out stays in the state folder; a copy goes where it is asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::app::error::check_absent;
use crate::base::clock::{Clock, SystemClock};
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::ids::RunId;
use crate::cli::Invocation;
use crate::cli::pipeline::RunArguments;
use crate::cli::pipeline::error::PipelineFault;
use crate::cli::pipeline::place::{Place, source};
use crate::cli::pipeline::told::{Told, ended_json, running, table};
use crate::cli::speak::output::Answer;
use crate::cli::train::{lower_priority, on_interrupt};
use crate::config::project::Project;
use crate::pipeline::candidate::Candidate;
use crate::pipeline::graph::error::GraphError;
use crate::pipeline::graph::execute::{Course, Ended, Ground, Order};
use crate::pipeline::graph::node::Graph;
use crate::pipeline::graph::picture::told_ms;
use crate::pipeline::graph::plan::Will;
use crate::pipeline::graph::select::Selection;
use crate::pipeline::graph::state::State;
use crate::pipeline::nodes::settings::settings_of;
use crate::pipeline::nodes::table::{CANDIDATE, DATA, flow_graph};
use crate::pipeline::nodes::work::FlowWork;

/// A run that is settled: nothing of it is refused any more before a node begins.
struct Settled {
    project: Project,
    graph: Graph,
    state: State,
    order: Order,
}

pub fn run(arguments: RunArguments, invocation: &Invocation) -> Result<Answer, Failure> {
    let RunArguments { place, data, selection, resume, out } = arguments;
    if let Some(out) = &out {
        check_absent(out)?;
    }
    let again = again(&place.project, &data, place.state.as_deref());
    let kept = Place::of(&place, invocation.output);
    let sources = BTreeMap::from([(DATA.to_string(), source(&data)?)]);
    let settled = match resume {
        true => settle_interrupted(&place.project, &kept)?,
        false => settle(&place.project, &kept, selection.wanted(), out.as_deref())?,
    };
    let Settled { project, graph, state, order } = settled;
    check_out(&graph, &order.wanted, out.as_deref())?;
    let settings = settings_of(&project)?;
    let cancel = on_interrupt()?;
    lower_priority();
    let (work, told) = (FlowWork { project: &project, data: &data }, Told::new(invocation.output));
    let now_ms = || SystemClock.now().millis();
    let ground =
        Ground { graph: &graph, state: &state, settings: &settings, sources: &sources, now_ms: &now_ms };
    let course = Course { work: &work, watch: &told, cancel: &cancel, progress: &told };
    let name = order.run.clone();
    let ended = ground.run(order, &course);
    told.finish();
    let ended = ended.map_err(|failure| stopped(failure, again))?;
    answer(&name, &ended, &state, out)
}

/// All that can be refused is refused before a folder is made.
fn settle(project: &Path, place: &Place, wanted: Selection, out: Option<&Path>) -> Result<Settled, Failure> {
    let project = Project::load(project, &wanted.params)?;
    let graph = flow_graph(&project)?;
    check_out(&graph, &wanted, out)?;
    wanted.select(&graph)?;
    let state = place.open()?;
    let order = Order { run: RunId::draw().as_str().to_string(), wanted, resume: false };
    Ok(Settled { project, graph, state, order })
}

/// As it was asked for then, with the files as they are now.
fn settle_interrupted(project: &Path, place: &Place) -> Result<Settled, Failure> {
    let state = place.find()?.ok_or(GraphError::NothingToResume)?;
    let asked = Order { run: String::new(), wanted: Selection::default(), resume: true };
    let order = asked.settle(&state)?;
    let project = Project::load(project, &order.wanted.params)?;
    let graph = flow_graph(&project)?;
    place.say(&format!("goes on with the run {}", order.run));
    Ok(Settled { project, graph, state, order })
}

fn check_out(graph: &Graph, wanted: &Selection, out: Option<&Path>) -> Result<(), Failure> {
    let (Some(out), Some(by)) = (out, graph.maker(CANDIDATE)) else { return Ok(()) };
    match wanted.select(graph)?.contains(by.name.as_str()) {
        true => Ok(()),
        false => Err(PipelineFault::NoCandidate { by: by.name.clone(), out: out.to_path_buf() }.into()),
    }
}

fn again(project: &Path, data: &Path, state: Option<&Path>) -> String {
    let state = state.map_or_else(String::new, |state| format!(" --state {}", state.display()));
    format!("tallystick pipeline run {} --data {}{state} --resume", project.display(), data.display())
}

fn stopped(failure: Failure, again: String) -> Failure {
    match failure.code() {
        "cancelled" => PipelineFault::Stopped { failure, again }.into(),
        _ => failure,
    }
}

fn answer(run: &str, ended: &[Ended], state: &State, out: Option<PathBuf>) -> Result<Answer, Failure> {
    let ran = running(ended.iter().map(|ended| &ended.planned));
    let took: u64 = ended.iter().filter_map(|ended| ended.took_ms).sum();
    let mut told = table(ended.iter().map(|ended| (&ended.planned, ended.took_ms)));
    told += &format!("{} of {} nodes ran, {}\n", ran.len(), ended.len(), told_ms(took));
    let mut json = json!({"run": run, "ran": ran, "took_ms": took, "nodes": ended_json(ended)});
    // What was left out may be another's: of an older run, for other parameters.
    let last = ended.iter().filter(|ended| ended.planned.will != Will::Skip);
    if let Some(digest) = last.filter_map(|ended| ended.outputs.get(CANDIDATE)).next() {
        let kept = state.kept_path(*digest);
        let candidate = Candidate::read(&kept)?;
        let path = match out {
            Some(out) => copy(&candidate, out)?,
            None => kept,
        };
        told += &told_candidate(&candidate, &path);
        let evaluation = &candidate.evaluation;
        json["candidate"] = json!({"path": path, "digest": digest});
        json["model"] = json!({"digest": candidate.pack.digest});
        json["metrics"] = json!(evaluation.metrics);
        json["cutoff"] = json!(evaluation.cutoff);
        json["picked"] = json!(evaluation.picked);
    }
    Ok(Answer::new(told, json))
}

fn told_candidate(candidate: &Candidate, path: &Path) -> String {
    let evaluation = &candidate.evaluation;
    let mut told = format!("model {}\n", candidate.pack.digest);
    if let Some(picked) = &evaluation.picked {
        told += &format!("{picked}\n");
    }
    if let Some(auc) = evaluation.metrics.get("auc") {
        told += &format!("AUC {auc:.4} on the test part; cut-off {:.4}\n", evaluation.cutoff);
    }
    told + &format!(
        "candidate {}\nNext: `tallystick train` with the same data registers it.\n",
        path.display()
    )
}

/// Whole or absent.
fn copy(candidate: &Candidate, out: PathBuf) -> Result<PathBuf, Failure> {
    let partial = files::partial_of(&out);
    files::remove_folder(&partial)?;
    candidate.write(&partial)?;
    files::rename_durably(&partial, &out)?;
    Ok(out)
}
