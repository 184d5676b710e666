//! The nodes of a project's flow as data. A change of what a node does is a new version in its line here.
//! Runs nothing.

use crate::config::project::Project;
use crate::pipeline::graph::error::GraphError;
use crate::pipeline::graph::node::{Graph, Node};
use crate::pipeline::nodes::settings::ROLES;

/// The data file: the one thing that is given from outside.
pub const DATA: &str = "data";
/// What the last node makes: a candidate folder.
pub const CANDIDATE: &str = "candidate";

struct Line {
    name: &'static str,
    tags: &'static [&'static str],
    inputs: &'static [&'static str],
    outputs: &'static [&'static str],
    reads: &'static [&'static str],
    code: &'static str,
}

const READ: Line = Line {
    name: "read",
    tags: &["data"],
    inputs: &[DATA],
    outputs: &["rows", "reading"],
    reads: &["contract.toml"],
    code: "1",
};

const VALIDATE: Line = Line {
    name: "validate",
    tags: &["data"],
    inputs: &["rows", "reading"],
    // The rows once more, under a name that says that they stand: whoever reads them waits for the judgement, but runs
    // again only where the rows are others.
    outputs: &["checked", "judged"],
    reads: &["contract.toml", "expectations.toml"],
    code: "1",
};

const GUARD: Line = Line {
    name: "guard",
    tags: &["data"],
    inputs: &["checked"],
    outputs: &["guarded"],
    reads: &[ROLES, "recipe.toml", "project.toml positive", "project.toml leak_waiver"],
    code: "1",
};

const SPLIT: Line = Line {
    name: "split",
    tags: &["data"],
    inputs: &["checked", "guarded"],
    outputs: &["parts"],
    reads: &[ROLES, "project.toml positive", "train.toml split", "train.toml seed"],
    code: "1",
};

/// Only where the project searches.
const SEARCH: Line = Line {
    name: "search",
    tags: &["model"],
    inputs: &["checked", "guarded"],
    outputs: &["found"],
    reads: &[ROLES, "recipe.toml", "project.toml positive", "project.toml purpose", "train.toml"],
    code: "1",
};

const ENCODE: Line = Line {
    name: "encode",
    tags: &["model"],
    inputs: &["checked", "parts"],
    // The second says no more than that they hold, so that other expectations that hold too train nothing again.
    outputs: &["expected", "encodable"],
    reads: &[
        ROLES,
        "recipe.toml",
        "expectations.toml",
        "project.toml positive",
        "train.toml family",
        "train.toml calibration.folds",
    ],
    code: "1",
};

const TRAIN: Line = Line {
    name: "train",
    tags: &["model"],
    inputs: &["checked", "parts", "encodable"],
    outputs: &["fitted"],
    reads: &[
        ROLES,
        "recipe.toml",
        "project.toml positive",
        "train.toml seed",
        "train.toml device",
        "train.toml family",
        "train.toml calibration.folds",
        "train.toml sampling",
        "train.toml monotone",
    ],
    code: "1",
};

const EVALUATE: Line = Line {
    name: "evaluate",
    tags: &["report"],
    inputs: &["checked", "parts", "fitted"],
    outputs: &["model", "evaluation", "swept"],
    reads: &[
        ROLES,
        "project.toml positive",
        "project.toml purpose",
        "policy.toml",
        "gates.toml",
        "train.toml seed",
        "train.toml family",
        "train.toml calibration",
        "train.toml monotone",
    ],
    code: "1",
};

const DRAW: Line = Line {
    name: "draw",
    tags: &["report"],
    inputs: &["checked", "parts", "fitted", "model", "evaluation"],
    outputs: &["drawings"],
    reads: &[
        ROLES,
        "project.toml positive",
        "policy.toml",
        "train.toml seed",
        "train.toml split",
        "train.toml family",
        "train.toml calibration.folds",
    ],
    code: "1",
};

const PACK: Line = Line {
    name: "pack",
    tags: &["report"],
    inputs: &["checked", "parts", "fitted", "model", "evaluation", "swept", "expected", "drawings"],
    outputs: &[CANDIDATE],
    reads: &["contract.toml", "project.toml", "train.toml"],
    code: "1",
};

const LINES: [Line; 10] = [READ, VALIDATE, GUARD, SPLIT, SEARCH, ENCODE, TRAIN, EVALUATE, DRAW, PACK];

/// Nodes that go by what the search has found.
const CHOSEN: [&str; 5] = ["encode", "train", "evaluate", "draw", "pack"];

pub fn flow_graph(project: &Project) -> Result<Graph, GraphError> {
    let searches = project.params.search.is_some();
    let lines = LINES.iter().filter(|line| searches || line.name != SEARCH.name);
    let nodes = lines.map(|line| {
        let mut node = line.node();
        if searches && CHOSEN.contains(&line.name) {
            node.inputs.push("found".to_string());
        }
        node
    });
    Graph::check(nodes.collect(), &[DATA])
}

impl Line {
    fn node(&self) -> Node {
        let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        Node {
            name: self.name.to_string(),
            tags: texts(self.tags),
            inputs: texts(self.inputs),
            outputs: texts(self.outputs),
            reads: texts(self.reads),
            code: self.code.to_string(),
        }
    }
}
