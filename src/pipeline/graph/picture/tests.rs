//! The pictures of a graph: what they show of each node, and that nothing in a name escapes.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::digest::Digest;
use crate::pipeline::graph::node::{Graph, Node};
use crate::pipeline::graph::picture::layers::{BOX_UNITS, lay};
use crate::pipeline::graph::picture::{Mark, Picture, html, svg, text, told_ms};
use crate::pipeline::graph::plan::{Planned, Why, Will};
use crate::pipeline::graph::record::{Basis, FORMAT, Kept, NodeRecord, Recorded};

fn node(name: &str, inputs: &[&str], outputs: &[&str]) -> Node {
    let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (inputs, outputs) = (texts(inputs), texts(outputs));
    Node { name: name.into(), tags: Vec::new(), inputs, outputs, reads: Vec::new(), code: "1".into() }
}

fn graph() -> Graph {
    let nodes = vec![
        node("read", &["data"], &["rows", "reading"]),
        node("validate", &["rows", "reading"], &["checked", "report"]),
        node("guard", &["checked"], &["guarded"]),
        node("split", &["checked", "guarded"], &["parts"]),
        node("search", &["checked", "parts"], &["found"]),
        node("encode", &["checked", "parts", "found"], &["encoded"]),
        node("train", &["checked", "parts", "found", "encoded"], &["fitted"]),
        node("evaluate", &["checked", "parts", "found", "fitted"], &["model", "evaluation"]),
        node("draw", &["checked", "parts", "fitted", "model", "evaluation"], &["drawings"]),
        node("pack", &["checked", "parts", "model", "drawings", "report"], &["candidate"]),
    ];
    Graph::check(nodes, &["data"]).unwrap()
}

fn picture() -> Picture {
    let graph = graph();
    let setting = Why::Setting {
        key: "train.toml family.trees".into(),
        before: Some("200".into()),
        after: Some("300".into()),
    };
    let planned =
        |(node, will, why): (&str, Will, Why)| Planned { node: node.into(), will, why: vec![why], more: 0 };
    let remade = |input: &str, by: &str| Why::Remade { input: input.into(), by: by.into() };
    let planned: Vec<Planned> = [
        ("read", Will::Keep, Why::Unchanged),
        ("validate", Will::Keep, Why::Unchanged),
        ("guard", Will::Keep, Why::Unchanged),
        ("split", Will::Keep, Why::Unchanged),
        ("search", Will::Skip, Why::NotSelected),
        ("encode", Will::Run, Why::Damaged { output: "encoded".into() }),
        ("train", Will::Run, setting),
        ("evaluate", Will::Run, remade("fitted", "train")),
        ("draw", Will::Run, remade("fitted", "train")),
        ("pack", Will::Run, remade("model", "evaluate")),
    ]
    .map(planned)
    .into();
    let basis = Basis::of(graph.find("train").unwrap(), BTreeMap::new(), BTreeMap::new());
    let record = NodeRecord {
        format: FORMAT.into(),
        fingerprint: Digest::of(b""),
        basis,
        outputs: BTreeMap::new(),
        run: "a".into(),
        made_ms: 0,
        took_ms: 185_000,
    };
    let recorded: Recorded = BTreeMap::from([("train".to_string(), Kept::Whole(record))]);
    Picture::of("credit <risk> & more", &graph, &planned, &recorded)
}

#[test]
fn every_node_stands_behind_those_it_reads_and_no_two_share_a_place() {
    let picture = picture();
    let layout = lay(&picture);
    for (from, to, _) in &picture.edges {
        assert!(layout.places[*from].layer < layout.places[*to].layer);
    }
    let places: BTreeSet<(usize, usize)> = layout.places.iter().map(|p| (p.layer, p.down)).collect();
    assert_eq!(places.len(), picture.boxes.len());
    for pass in layout.passes.iter().flatten() {
        let beside = layout.places.iter().filter(|place| place.layer == pass.layer);
        assert!(beside.clone().all(|place| !(place.down..place.down + BOX_UNITS).contains(&pass.down)));
    }
    for ((from, to, _), passes) in picture.edges.iter().zip(&layout.passes) {
        assert_eq!(passes.len() + 1, layout.places[*to].layer - layout.places[*from].layer);
    }
}

#[test]
fn the_drawing_says_in_words_and_shapes_what_its_colours_say() {
    let drawn = svg::draw(&picture());
    if let Ok(folder) = std::env::var("GRAPH_PICTURE_FOLDER") {
        std::fs::write(format!("{folder}/flow.svg"), &drawn).unwrap();
        std::fs::write(format!("{folder}/flow.html"), html::draw(&picture())).unwrap();
    }
    for word in [">keep<", ">run · 3 min 5 s<", ">damaged<", ">skip<", "credit &lt;risk&gt; &amp; more"] {
        assert!(drawn.contains(word), "{word}");
    }
    assert!(drawn.contains("train, run: train.toml family.trees: 200 -&gt; 300"));
    assert_eq!(drawn.matches("class=\"inner\"").count(), 4 + 1);
    assert!(
        drawn.contains("<desc id=\"flow-desc\">10 nodes: 4 run, 1 damaged, 4 keep, 1 skip. data: given.")
    );
    assert!(drawn.contains("prefers-color-scheme:dark"));
    for forbidden in ["<script", "onload", "href", "http-equiv", "style=\""] {
        assert!(!drawn.contains(forbidden), "{forbidden}");
    }
    assert_eq!(drawn, svg::draw(&picture()));
}

#[test]
fn a_page_has_the_drawing_and_all_reasons_and_no_script() {
    let page = html::draw(&picture());
    assert!(page.contains("<svg ") && !page.contains("<script"));
    assert!(page.contains("<td>train.toml family.trees: 200 -&gt; 300</td>"));
    assert_eq!(page.matches("<tr>").count(), 12);
}

#[test]
fn a_terminal_gets_a_line_a_node_with_what_it_waits_for() {
    let drawn = text::draw(&picture());
    assert!(drawn.contains("\n= read      keep     <- data\n"), "{drawn}");
    assert!(drawn.contains("\n! encode    damaged  <- validate, split, search\n"), "{drawn}");
    assert!(
        drawn.contains("[3 min 5 s]\n                     train.toml family.trees: 200 -> 300\n"),
        "{drawn}"
    );
    assert_eq!(picture().boxes.iter().filter(|shown| shown.mark == Mark::Damaged).count(), 1);
    assert_eq!([85, 2_410, 185_000].map(told_ms), ["85 ms", "2.4 s", "3 min 5 s"]);
}
