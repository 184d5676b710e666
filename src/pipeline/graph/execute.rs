//! Runs what a plan says, node after node, so that it may die anywhere: outputs get their names, then the record is
//! written, and what has a record is never made twice. Knows no node's work; that is handed in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::cancel::CancelFlag;
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::progress::Progress;
use crate::pipeline::graph::content::{self, Content};
use crate::pipeline::graph::error::{GraphError, NodeFailed};
use crate::pipeline::graph::node::{Graph, Node};
use crate::pipeline::graph::plan::{Coming, Known, Planned, Will, outputs, plan};
use crate::pipeline::graph::record::{Basis, FORMAT, Kept, NodeRecord, Recorded};
use crate::pipeline::graph::select::Selection;
use crate::pipeline::graph::settings::Settings;
use crate::pipeline::graph::state::{Begun, State};

/// What one node is given: where its inputs lie, and where its outputs are expected.
pub struct Step<'a> {
    pub node: &'a Node,
    /// To be read only: others read the same.
    pub inputs: BTreeMap<String, PathBuf>,
    /// Each a file or a folder that is not there yet.
    pub outputs: BTreeMap<String, PathBuf>,
    pub cancel: &'a CancelFlag,
    pub progress: &'a dyn Progress,
}

impl Step<'_> {
    pub fn input(&self, name: &str) -> Result<&Path, GraphError> {
        self.find(&self.inputs, name)
    }

    pub fn output(&self, name: &str) -> Result<&Path, GraphError> {
        self.find(&self.outputs, name)
    }

    fn find<'b>(&self, among: &'b BTreeMap<String, PathBuf>, name: &str) -> Result<&'b Path, GraphError> {
        let missing = || GraphError::NoArtifact { node: self.node.name.clone(), artifact: name.to_string() };
        among.get(name).map(PathBuf::as_path).ok_or_else(missing)
    }
}

/// What the nodes do. The same inputs and settings must give the same bytes.
pub trait Work {
    fn run(&self, step: &Step<'_>) -> Result<(), Failure>;
}

/// Who is told how a run goes on, as it goes on.
pub trait Watch {
    fn begun(&self, _planned: &Planned) {}
    fn made(&self, _record: &NodeRecord) {}
    /// It stands as it is, or is not asked for.
    fn passed(&self, _planned: &Planned) {}
    fn failed(&self, _node: &Node, _failure: &Failure) {}
}

/// Watches nothing.
pub struct Unwatched;

impl Watch for Unwatched {}

/// Where a run works and on what.
pub struct Ground<'a> {
    pub graph: &'a Graph,
    pub state: &'a State,
    pub settings: &'a Settings,
    /// The files that are given from outside.
    pub sources: &'a BTreeMap<String, PathBuf>,
    /// Milliseconds since 1970.
    pub now_ms: &'a dyn Fn() -> i64,
}

/// A run as it is begun: a name of its own, what was asked, and whether an interrupted one goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub run: String,
    pub wanted: Selection,
    pub resume: bool,
}

/// What became of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub planned: Planned,
    /// How long it took, where it ran.
    pub took_ms: Option<u64>,
    pub outputs: BTreeMap<String, Digest>,
}

/// Who does a run's work, who is told of it, and what stops it.
#[derive(Clone, Copy)]
pub struct Course<'a> {
    pub work: &'a dyn Work,
    pub watch: &'a dyn Watch,
    pub cancel: &'a CancelFlag,
    pub progress: &'a dyn Progress,
}

impl Order {
    /// A resumed run is the interrupted one: its name and what it was asked.
    pub fn settle(self, state: &State) -> Result<Self, GraphError> {
        if !self.resume {
            return Ok(self);
        }
        let Begun { run, wanted } = state.find_begun()?.ok_or(GraphError::NothingToResume)?;
        Ok(Self { run, wanted, resume: true })
    }
}

impl Ground<'_> {
    /// What a run would do now.
    pub fn plan(&self, order: &Order) -> Result<Vec<Planned>, GraphError> {
        let (recorded, sources) = (self.state.survey(self.graph)?, self.source_digests()?);
        plan(&self.known(order, &recorded, &sources), &order.wanted)
    }

    /// Settles the order, runs it, and sweeps what is no longer needed.
    pub fn run(&self, order: Order, course: &Course<'_>) -> Result<Vec<Ended>, Failure> {
        let order = order.settle(self.state)?;
        let (mut recorded, sources) = (self.state.survey(self.graph)?, self.source_digests()?);
        let planned = plan(&self.known(&order, &recorded, &sources), &order.wanted)?;
        self.state.begin(&Begun { run: order.run.clone(), wanted: order.wanted.clone() })?;
        self.state.sweep(self.graph)?;
        let mut coming: BTreeMap<String, Coming> =
            sources.iter().map(|(name, digest)| (name.clone(), Coming::Is(*digest))).collect();
        let mut ended = Vec::new();
        for (node, planned) in self.graph.nodes().iter().zip(planned) {
            course.cancel.check()?;
            let known = self.known(&order, &recorded, &sources);
            // By now all inputs are made: where they came out as before, the node stands.
            let planned = match planned.will {
                Will::Run => known.decide(node, &known.inputs(node, &coming)?, order.wanted.only_stale),
                _ => planned,
            };
            let took_ms = match planned.will {
                Will::Run => {
                    let record = self.make(&order, (node, &planned), &coming, course)?;
                    let took_ms = record.took_ms;
                    recorded.insert(node.name.clone(), Kept::Whole(record));
                    Some(took_ms)
                }
                Will::Keep | Will::Skip => {
                    course.watch.passed(&planned);
                    None
                }
            };
            let record = recorded.get(&node.name).and_then(Kept::whole);
            coming.extend(record.into_iter().flat_map(outputs));
            let outputs = record.map(|record| record.outputs.clone()).unwrap_or_default();
            ended.push(Ended { planned, took_ms, outputs });
        }
        self.state.sweep(self.graph)?;
        self.state.end()?;
        Ok(ended)
    }

    fn known<'a>(
        &'a self,
        order: &'a Order,
        recorded: &'a Recorded,
        sources: &'a BTreeMap<String, Digest>,
    ) -> Known<'a> {
        let resumed = order.resume.then_some(order.run.as_str());
        Known { graph: self.graph, recorded, settings: self.settings, sources, resumed }
    }

    fn source_digests(&self) -> Result<BTreeMap<String, Digest>, GraphError> {
        let one = |(name, path): (&String, &PathBuf)| Ok((name.clone(), Content::of(path)?.digest));
        self.sources.iter().map(one).collect()
    }

    /// Runs one node, and tells whoever watches how it ended.
    fn make(
        &self,
        order: &Order,
        (node, planned): (&Node, &Planned),
        coming: &BTreeMap<String, Coming>,
        course: &Course<'_>,
    ) -> Result<NodeRecord, Failure> {
        course.watch.begun(planned);
        let begun_ms = (self.now_ms)();
        let inputs = present(node, coming)?;
        let made = self.perform(node, &inputs, course).and_then(|outputs| {
            let basis = Basis::of(node, inputs, self.settings.under(&node.reads));
            let made_ms = (self.now_ms)();
            let record = NodeRecord {
                format: FORMAT.to_string(),
                fingerprint: basis.fingerprint()?,
                basis,
                outputs,
                run: order.run.clone(),
                made_ms,
                took_ms: u64::try_from(made_ms.saturating_sub(begun_ms)).unwrap_or_default(),
            };
            self.state.put_record(&record)?;
            Ok(record)
        });
        match made {
            Ok(record) => {
                course.watch.made(&record);
                Ok(record)
            }
            Err(failure) => {
                course.watch.failed(node, &failure);
                Err(NodeFailed { node: node.name.clone(), failure }.into())
            }
        }
    }

    fn perform(
        &self,
        node: &Node,
        inputs: &BTreeMap<String, Digest>,
        course: &Course<'_>,
    ) -> Result<BTreeMap<String, Digest>, Failure> {
        let folder = self.state.clear_work(&node.name)?;
        let path = |(name, digest): (&String, &Digest)| match self.sources.get(name) {
            Some(path) => (name.clone(), path.clone()),
            None => (name.clone(), self.state.kept_path(*digest)),
        };
        let outputs: BTreeMap<String, PathBuf> =
            node.outputs.iter().map(|name| (name.clone(), folder.join(name))).collect();
        let (cancel, progress) = (course.cancel, course.progress);
        let step = Step { node, inputs: inputs.iter().map(path).collect(), outputs, cancel, progress };
        course.work.run(&step)?;
        self.check_sources(node, inputs)?;
        let kept = self.keep(&step)?;
        content::remove(&folder)?;
        Ok(kept)
    }

    /// All outputs must be there, and have room together, before the first is taken over.
    fn keep(&self, step: &Step<'_>) -> Result<BTreeMap<String, Digest>, GraphError> {
        let mut bytes = 0u64;
        for (output, path) in &step.outputs {
            if std::fs::symlink_metadata(path).is_err() {
                let (node, output) = (step.node.name.clone(), output.clone());
                return Err(GraphError::NoOutput { node, output });
            }
            bytes = bytes.saturating_add(content::size_of(path)?);
        }
        self.state.make_room(bytes)?;
        step.outputs.iter().map(|(name, path)| Ok((name.clone(), self.state.keep(path)?))).collect()
    }

    /// A file that grew while it was read would be recorded as what it was before.
    fn check_sources(&self, node: &Node, inputs: &BTreeMap<String, Digest>) -> Result<(), GraphError> {
        for (input, path) in self.sources.iter().filter(|(name, _)| node.inputs.contains(name)) {
            if inputs.get(input) != Some(&Content::of(path)?.digest) {
                let (node, input) = (node.name.clone(), input.clone());
                return Err(GraphError::SourceChanged { node, input, path: path.clone() });
            }
        }
        Ok(())
    }
}

/// The digests of a node's inputs, once each of them is there.
fn present(node: &Node, coming: &BTreeMap<String, Coming>) -> Result<BTreeMap<String, Digest>, GraphError> {
    let find = |input: &String| match coming.get(input) {
        Some(Coming::Is(digest)) => Ok((input.clone(), *digest)),
        Some(Coming::Remade(by)) => {
            Err(GraphError::NotMade { node: node.name.clone(), input: input.clone(), by: by.clone() })
        }
        None => Err(GraphError::NoSource { node: node.name.clone(), input: input.clone() }),
    };
    node.inputs.iter().map(find).collect()
}
