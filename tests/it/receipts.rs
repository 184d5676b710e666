//! Receipts from the library, believed by the binary and by the Python verifier of docs/FORMATS.md, and by neither
//! with a single bit flipped.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tallystick::base::clock::{Stamp, TimeQuality};
use tallystick::base::digest::Digest;
use tallystick::base::ids::DecisionId;
use tallystick::ledger::case::{Branch, CaseNumber};
use tallystick::ledger::checkpoint::Checkpoint;
use tallystick::ledger::decision::{DecisionFacts, Flag, Ground, subject_of};
use tallystick::ledger::leaf::{Header, Kind, leaf_hash};
use tallystick::ledger::receipt::{Anchor, Receipt};
use tallystick::ledger::tree::{Frontier, Nodes, TreeHead, inclusion_proof};
use tallystick::security::actor::{Actor, Role};
use tallystick::security::key::SigningKey;
use tallystick::security::trust::TrustRoot;
use tempfile::TempDir;

use crate::support::{has_program, python};

#[derive(Default)]
struct Tree(BTreeMap<(u8, u64), Digest>);

impl Nodes for Tree {
    type Error = Infallible;

    fn find_node(&self, level: u8, index: u64) -> Result<Option<Digest>, Infallible> {
        Ok(self.0.get(&(level, index)).copied())
    }
}

fn stamp() -> Stamp {
    Stamp { wall: "2026-03-01T12:00:00.123Z".parse().unwrap(), quality: TimeQuality::Local }
}

fn decided(number: u64) -> DecisionFacts {
    let branch = Branch::try_from("0421".to_string()).unwrap();
    DecisionFacts {
        band: Some(2),
        by: Some(Ground::Rule("too-young".into())),
        case: Some(CaseNumber::new(branch, stamp().year_of_century(), number).unwrap()),
        flags: vec![Flag::Defaulted, Flag::Unseen],
        id: DecisionId::draw(stamp()),
        latency_us: 812,
        model: Some(Digest::of(b"model")),
        name: "loan-default".into(),
        outcome: Some("decline".into()),
        policy: Some(Digest::of(b"policy")),
        release: Some(Digest::of(b"release")),
        version: Some(3),
    }
}

fn header(seq: u64) -> Header {
    let predicted =
        DecisionFacts { band: None, by: None, case: None, outcome: None, policy: None, ..decided(1) };
    let (kind, decision) = match seq % 3 {
        0 => (Kind::DecisionMade, Some(decided(317 + seq))),
        1 => (Kind::PredictionMade, Some(predicted)),
        _ => (Kind::AliasMoved, None),
    };
    Header {
        actor: Actor::new("core@hq", Role::CoreBanking).unwrap(),
        body_sha256: Digest::of(&seq.to_be_bytes()),
        kind,
        quality: TimeQuality::Local,
        seq,
        subject: decision.as_ref().map_or("model/é \"x\"\\@3".to_string(), subject_of),
        time_ms: stamp().millis(),
        decision,
    }
}

/// A folder with trust.json, other.json (another box's) and the receipts of a log of eleven, and of a log of one.
struct Scene {
    folder: TempDir,
    trust: TrustRoot,
    key: String,
    receipts: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let key = SigningKey::generate().unwrap();
        let trust = TrustRoot::of_box("0198c2f0-store", key.public()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let leaves: Vec<Vec<u8>> = (0..11).map(|seq| header(seq).to_leaf_data().unwrap()).collect();
        let (mut tree, mut frontier) = (Tree::default(), Frontier::default());
        let mut heads = Vec::new();
        for leaf in &leaves {
            let nodes = frontier.append(leaf_hash(leaf));
            tree.0.extend(nodes.iter().map(|node| ((node.level, node.index), node.hash)));
            heads.push(TreeHead { size: frontier.size(), root: frontier.root() });
        }
        let mut receipts = Vec::new();
        for (index, size) in [(0, 1), (6, 11), (10, 11), (2, 7)] {
            let note = Checkpoint::new("0198c2f0-store", heads[size - 1]).sign(&key);
            let proof = inclusion_proof(&tree, index as u64, size as u64).unwrap();
            let receipt = Receipt::new(&leaves[index], proof, &note).unwrap();
            let name = format!("receipt-{index}-{size}.json");
            fs::write(folder.path().join(&name), receipt.to_bytes().unwrap()).unwrap();
            receipts.push(name);
        }
        fs::write(folder.path().join("trust.json"), trust.to_bytes().unwrap()).unwrap();
        let stranger = SigningKey::generate().unwrap().public();
        let other = TrustRoot::of_box("0198c2f0-store", stranger).unwrap().to_bytes().unwrap();
        fs::write(folder.path().join("other.json"), other).unwrap();
        Self { folder, trust, key: String::from(key.public()), receipts }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn binary(&self, words: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tallystick"));
        let output = command.args(words).current_dir(self.folder.path()).env_remove("TALLYSTICK_HOME");
        ended(&output.output().unwrap())
    }

    fn python(&self, words: &[&str]) -> (i32, String) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reader/tallystick_receipt.py");
        let mut command = Command::new(python());
        // No folder of compiled Python beside the sources.
        command.arg("-B").arg(script).args(words).current_dir(self.folder.path());
        ended(&command.output().unwrap())
    }
}

fn ended(output: &Output) -> (i32, String) {
    let said = [&output.stdout[..], &output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn the_binary_says_who_decided_what_when_and_on_which_key() {
    let scene = Scene::new();
    let (code, said) = scene.binary(&["verify", &scene.receipts[1], "--trust", "trust.json"]);
    assert_eq!(code, 0, "{said}");
    for part in [
        "The receipt holds: case 0421-26-00323-",
        "was decided: decline.",
        "2026-03-01T12:00:00.123Z",
        "core@hq (core-banking)",
        "loan-default@3",
        "rule:too-young, in band 2",
        "defaulted, unseen",
        "record    6 of the log of store 0198c2f0-store",
        "the checkpoint at size 11",
        "(box)",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    let (code, said) = scene.binary(&["verify", &scene.receipts[1], "--key", &scene.key, "--json"]);
    let document: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &document["outcome"]), (0, &"decline".into()), "{said}");
    assert_eq!((&document["header"]["seq"], &document["signed_by"]["name"]), (&6.into(), &().into()));
    for (receipt, part) in [(2, "prediction "), (3, "alias moved of model/é")] {
        let (code, said) = scene.binary(&["verify", &scene.receipts[receipt], "--key", &scene.key]);
        assert!(code == 0 && said.contains(&format!("The receipt holds: {part}")), "{said}");
    }
}

#[test]
fn the_binary_refuses_another_key_and_asks_whose_word_counts() {
    let scene = Scene::new();
    let receipt = scene.receipts[1].as_str();
    let (code, said) = scene.binary(&["verify", receipt, "--trust", "other.json", "--json"]);
    assert!(code == 5 && said.contains("ledger.checkpoint_unknown_key"), "{said}");
    let (code, said) = scene.binary(&["verify", receipt]);
    assert!(code == 2 && said.contains("--key BASE64 or --trust FILE"), "{said}");
    let (code, said) = scene.binary(&["verify", receipt, "--key", "x"]);
    assert!(code == 2 && said.contains("not an Ed25519 public key"), "{said}");
    assert_eq!(scene.binary(&["verify", "absent.json", "--key", &scene.key]).0, 2);
    assert_eq!(scene.binary(&["verify", "trust.json", "--key", &scene.key]).0, 5);
}

#[test]
fn every_flipped_bit_of_a_receipt_is_refused_by_the_library() {
    let scene = Scene::new();
    for name in &scene.receipts {
        let bytes = fs::read(scene.path(name)).unwrap();
        let verify = |bytes: &[u8]| {
            Receipt::parse(bytes).and_then(|receipt| receipt.verify(Anchor::Trust(&scene.trust))).is_ok()
        };
        assert!(verify(&bytes), "{name}");
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(!verify(&flipped), "{name} with bit {bit} flipped");
        }
    }
}

#[test]
fn every_flipped_bit_of_a_receipt_is_refused_by_the_python_verifier() {
    if !has_program(&python()) {
        return;
    }
    let scene = Scene::new();
    let files: Vec<&str> = scene.receipts.iter().map(String::as_str).collect();
    let (code, said) = scene.python(&[&files[..], &["--trust", "trust.json", "--every-bit"]].concat());
    assert_eq!((code, said.matches("flipped bits is refused").count()), (0, files.len()), "{said}");
    let (code, said) = scene.python(&[&files[..], &["--key", &scene.key]].concat());
    assert_eq!((code, said.matches("ok: record").count()), (0, files.len()), "{said}");
    let (code, said) = scene.python(&[&files[..1], &["--trust", "other.json"]].concat());
    assert!(code == 1 && said.contains("refused: no trusted key"), "{said}");
}

#[test]
fn the_text_of_a_code_is_believed_like_the_file_it_was_packed_from() {
    let scene = Scene::new();
    for name in &scene.receipts {
        let receipt = Receipt::parse(&fs::read(scene.path(name)).unwrap()).unwrap();
        let text = receipt.to_text().unwrap();
        let version_25 = 1_853;
        assert!(
            text.len() + 16 * 51 <= version_25,
            "{name}: {} signs leave no room for a longer proof",
            text.len()
        );
        fs::write(scene.path("code.txt"), format!("{text}\n")).unwrap();
        let (code, said) = scene.binary(&["verify", "code.txt", "--trust", "trust.json"]);
        assert_eq!((code, said), scene.binary(&["verify", name, "--trust", "trust.json"]));
        if has_program(&python()) {
            let (code, said) = scene.python(&["code.txt", "--key", &scene.key]);
            assert!(code == 0 && said.contains("ok: record"), "{said}");
        }
        let mut signs: Vec<char> = text.chars().collect();
        signs.swap(20, 21);
        fs::write(scene.path("code.txt"), signs.iter().collect::<String>()).unwrap();
        let (code, _) = scene.binary(&["verify", "code.txt", "--trust", "trust.json"]);
        assert_eq!(code, if signs[20] == signs[21] { 0 } else { 5 });
    }
}
