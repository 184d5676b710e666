//! What this crate writes, read by the Python reader that knows docs/FORMATS.md alone; a flipped byte is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;

use crate::base::canonical;
use crate::base::clock::{Stamp, TimeQuality};
use crate::base::digest::Digest;
use crate::ledger::checkpoint::Checkpoint;
use crate::ledger::leaf::{Entry, Kind, Record};
use crate::ledger::tree::{Frontier, TreeHead};
use crate::security::actor::{Actor, Role};
use crate::security::base64_text::to_base64;
use crate::security::dsse::{Envelope, PayloadType, sign_detached};
use crate::security::key::SigningKey;
use crate::security::trust::{KeyRole, TrustRoot, TrustedKey};

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn python_is_here() -> bool {
    let here = Command::new("python3").arg("--version").output().is_ok();
    if !here {
        eprintln!("SKIPPED: python3 is not installed, so docs/FORMATS.md was not held against the code");
    }
    here
}

/// The reader's exit code and what it printed.
fn read(arguments: &[&str]) -> (i32, String) {
    let reader = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reader/tallystick_reader.py");
    let output = Command::new("python3").arg(reader).args(arguments).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

struct Scene {
    folder: TempDir,
    key: SigningKey,
}

impl Scene {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_string()
    }

    fn sign(&self, noun: &str, payload_type: PayloadType, payload: &[u8]) {
        let signature = sign_detached(&self.key, payload_type, payload);
        let envelope = Envelope::new(payload_type, payload, vec![signature]);
        self.write(&format!("{noun}.json"), payload);
        self.write(&format!("{noun}.dsse.json"), &envelope.to_bytes().unwrap());
    }

    fn trust(&self, roles: &[KeyRole]) {
        let key = TrustedKey::new("box", self.key.public(), roles.iter().copied());
        self.write("trust.json", &TrustRoot::new("store-1", 1, vec![key]).unwrap().to_bytes().unwrap());
    }

    /// Runs `check` with one bit of the file flipped, then puts the file back.
    fn with_flip(&self, name: &str, place: usize, check: impl FnOnce(&str)) {
        let bytes = fs::read(self.path(name)).unwrap();
        let mut flipped = bytes.clone();
        flipped[place] ^= 1;
        self.write(name, &flipped);
        check(&format!("{name} flipped at byte {place}"));
        self.write(name, &bytes);
    }
}

fn scene() -> Scene {
    let scene = Scene { folder: tempfile::tempdir().unwrap(), key: SigningKey::generate().unwrap() };
    scene.trust(&KeyRole::ALL);
    scene
}

/// A release folder as it is exported, with every kind of number and text canonical JSON has rules for.
fn exported() -> (Scene, String) {
    let scene = scene();
    let weights = b"weights".repeat(100);
    let blob = Digest::of(&weights).to_hex();
    fs::create_dir(scene.path("blobs")).unwrap();
    scene.write(&format!("blobs/{blob}"), &weights);
    let numbers = [
        0.0,
        -0.0,
        1.0,
        -1.5,
        0.1,
        1e-6,
        1.5e-6,
        1e-7,
        1e20,
        1e21,
        1e23,
        123_456_789_012_345_680_000.0,
        5e-324,
        f64::MAX,
        9_007_199_254_740_991.0,
        0.1 + 0.2,
    ];
    let model = canonical::to_bytes(&json!({
        "weights": {"blob": {"digest": blob, "size": weights.len()}},
        "numbers": numbers,
        "texts": ["", "é\u{1f600}", "\"\\\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}/", null, true, false],
        "\u{1f600}": 1, "\u{fb33}": 2, "é": 3, "Z": {}, "a": [],
    }));
    let model = model.unwrap();
    let release = json!({"model": Digest::of(&model), "name": "loan-default", "version": 3});
    scene.write("model.json", &model);
    scene.sign("release", PayloadType::Release, &canonical::to_bytes(&release).unwrap());
    scene.sign("policy", PayloadType::Policy, br#"{"bands":[0.1,0.2]}"#);
    (scene, blob)
}

#[test]
fn the_reader_accepts_an_exported_release_and_refuses_a_flipped_byte_in_each_file() {
    if !python_is_here() {
        return;
    }
    let (scene, blob) = exported();
    let folder = scene.folder.path().to_str().unwrap();
    let (code, said) = read(&["model", folder]);
    assert_eq!((code, said.contains("refused")), (0, false), "{said}");
    assert!(said.contains("policy.json is signed by a key trusted for it"), "{said}");
    let blob = format!("blobs/{blob}");
    let files =
        ["model.json", "release.json", "release.dsse.json", "policy.json", "policy.dsse.json", blob.as_str()];
    for name in files {
        let size = fs::metadata(scene.path(name)).unwrap().len() as usize;
        for place in [1, size / 2, size - 2] {
            scene.with_flip(name, place, |what| {
                let (code, said) = read(&["model", folder]);
                assert!(code == 1 && said.contains("refused: "), "{what}: {said}");
            });
        }
    }
}

#[test]
fn the_reader_refuses_a_release_by_a_key_without_the_role_or_without_a_blob_or_signature() {
    if !python_is_here() {
        return;
    }
    let (scene, blob) = exported();
    let folder = scene.folder.path().to_str().unwrap();
    scene.trust(&[KeyRole::Checkpoint, KeyRole::Policy]);
    let (code, said) = read(&["model", folder]);
    assert!(code == 1 && said.contains("refused: release.json is signed by a key trusted"), "{said}");
    scene.trust(&KeyRole::ALL);
    let trust = fs::read_to_string(scene.path("trust.json")).unwrap();
    scene.with_flip("trust.json", trust.find("public_key").unwrap() + 14, |what| {
        assert_eq!(read(&["model", folder]).0, 1, "{what}");
    });
    for name in [format!("blobs/{blob}"), "policy.json".to_string(), "release.dsse.json".to_string()] {
        let bytes = fs::read(scene.path(&name)).unwrap();
        fs::remove_file(scene.path(&name)).unwrap();
        assert_eq!(read(&["model", folder]).0, 1, "{name} is gone");
        scene.write(&name, &bytes);
    }
    assert_eq!(read(&["model", folder]).0, 0);
}

/// Eleven records, their leaves one a line, and the checkpoint over them.
fn logged() -> Scene {
    let scene = scene();
    let (mut frontier, mut leaves) = (Frontier::default(), String::new());
    for seq in 0..11 {
        let entry = Entry {
            kind: Kind::DataImported,
            actor: Actor::new("anna", Role::Analyst).unwrap(),
            subject: format!("data/loans-é@{seq}"),
            body: b"{}".to_vec(),
        };
        let wall = Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        let record = Record::new(entry, seq, Stamp { wall, quality: TimeQuality::Local }).unwrap();
        frontier.append(record.leaf_hash());
        leaves += &(to_base64(record.leaf_data()) + "\n");
    }
    let head = TreeHead { size: frontier.size(), root: frontier.root() };
    scene.write("leaves.txt", leaves.as_bytes());
    scene.write("checkpoint", Checkpoint::new("store-1", head).sign(&scene.key).as_bytes());
    scene
}

#[test]
fn the_reader_accepts_a_checkpoint_over_its_leaves_and_refuses_a_flipped_byte() {
    if !python_is_here() {
        return;
    }
    let scene = logged();
    let [note, trust, leaves] = ["checkpoint", "trust.json", "leaves.txt"].map(|name| scene.text(name));
    let arguments = ["checkpoint", &note, "--trust", &trust, "--leaves", &leaves];
    let (code, said) = read(&arguments);
    assert_eq!((code, said.contains("refused")), (0, false), "{said}");
    for name in ["checkpoint", "leaves.txt"] {
        let size = fs::metadata(scene.path(name)).unwrap().len() as usize;
        for place in [5, size / 3, size / 2, size - 9, size - 1] {
            scene.with_flip(name, place, |what| {
                let (code, said) = read(&arguments);
                assert!(code == 1 && said.contains("refused: "), "{what}: {said}");
            });
        }
    }
    let all = fs::read_to_string(scene.path("leaves.txt")).unwrap();
    let shorter: String = all.split_inclusive('\n').skip(1).collect();
    scene.write("leaves.txt", shorter.as_bytes());
    assert!(read(&arguments).1.contains("refused: the log has 11 records"));
    scene.write("leaves.txt", all.as_bytes());
    scene.trust(&[KeyRole::Release]);
    assert!(read(&arguments).1.contains("refused: the checkpoint is signed by a key trusted for it"));
}
