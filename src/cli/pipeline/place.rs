//! Where a project's pipeline is kept: made by a run, looked at by the rest, shared with nobody.
//! A command that only looks makes no folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::clock::{Clock, SystemClock};
use crate::base::digest::Digest;
use crate::base::fact::Failure;
use crate::base::files;
use crate::base::limits;
use crate::cli::pipeline::PlaceArguments;
use crate::cli::pipeline::error::PipelineFault;
use crate::cli::speak::output::Output;
use crate::config::project::Project;
use crate::pipeline::graph::content::Content;
use crate::pipeline::graph::error::GraphError;
use crate::pipeline::graph::node::Graph;
use crate::pipeline::graph::plan::{Known, Planned, plan};
use crate::pipeline::graph::record::Recorded;
use crate::pipeline::graph::select::Selection;
use crate::pipeline::graph::settings::Settings;
use crate::pipeline::graph::state::State;
use crate::pipeline::nodes::settings::settings_of;
use crate::pipeline::nodes::table::{DATA, flow_graph};

const STATE: &str = ".tallystick/pipeline";
/// Nothing in it belongs into a project's history; rows of persons least of all.
const IGNORE: &[u8] = b"*\n";

pub struct Place {
    pub folder: PathBuf,
    output: Output,
}

impl Place {
    pub fn of(arguments: &PlaceArguments, output: Output) -> Self {
        let folder = arguments.state.clone().unwrap_or_else(|| arguments.project.join(STATE));
        Self { folder, output }
    }

    pub fn is_there(&self) -> bool {
        self.folder.join("records").is_dir()
    }

    /// For a run.
    pub fn open(&self) -> Result<State, Failure> {
        let is_empty = fs::read_dir(&self.folder).map_or(true, |mut entries| entries.next().is_none());
        if !self.is_there() && !is_empty {
            return Err(PipelineFault::ForeignFolder { folder: self.folder.clone() }.into());
        }
        let state = self.wait()?;
        let ignore = self.folder.join(".gitignore");
        if !ignore.exists() {
            files::write_atomic(&ignore, IGNORE, 0o600)?;
        }
        Ok(state)
    }

    /// For a look; nothing where no run ever was.
    pub fn find(&self) -> Result<Option<State>, Failure> {
        if self.is_there() { Ok(Some(self.wait()?)) } else { Ok(None) }
    }

    /// Another command is in there for a moment only, unless it is a run.
    fn wait(&self) -> Result<State, GraphError> {
        let begun = SystemClock.elapsed_ms();
        loop {
            match State::open(&self.folder, limits::GRAPH_KEPT_BYTES_MAX) {
                Err(GraphError::Busy { .. }) if SystemClock.elapsed_ms() - begun < limits::GRAPH_WAIT_MS => {
                    std::thread::sleep(Duration::from_millis(limits::GRAPH_WAIT_STEP_MS));
                }
                opened => return opened,
            }
        }
    }

    pub fn say(&self, line: &str) {
        self.output.say(line);
    }
}

/// A project's flow and what is kept of it, as it is now.
pub struct Seen {
    pub graph: Graph,
    pub settings: Settings,
    pub recorded: Recorded,
    pub sources: BTreeMap<String, Digest>,
}

impl Seen {
    pub fn of(project: &Project, state: Option<&State>, data: Option<&Path>) -> Result<Self, Failure> {
        let (graph, settings) = (flow_graph(project)?, settings_of(project)?);
        let recorded = state.map(|state| state.survey(&graph)).transpose()?.unwrap_or_default();
        let digest = match data {
            Some(data) => Content::of(&source(data)?)?.digest,
            None => as_before(&graph, &recorded),
        };
        Ok(Self { graph, settings, recorded, sources: BTreeMap::from([(DATA.to_string(), digest)]) })
    }

    pub fn plan(&self, wanted: &Selection) -> Result<Vec<Planned>, Failure> {
        let Self { graph, settings, recorded, sources } = self;
        Ok(plan(&Known { graph, recorded, settings, sources, resumed: None }, wanted)?)
    }
}

/// The rows that were read last. A reader without a record runs whatever they are.
fn as_before(graph: &Graph, recorded: &Recorded) -> Digest {
    let readers = graph.nodes().iter().filter_map(|node| recorded.get(&node.name)?.record());
    let mut read = readers.filter_map(|record| record.basis.inputs.get(DATA).copied());
    read.next().unwrap_or_else(|| Digest::of(&[]))
}

/// A person's file may be a link; an artifact never is.
pub fn source(data: &Path) -> Result<PathBuf, Failure> {
    let is_link = fs::symlink_metadata(data).map_err(files::at(data))?.is_symlink();
    Ok(if is_link { fs::canonicalize(data).map_err(files::at(data))? } else { data.to_path_buf() })
}
