//! What every black-box test shares: the built binary, a home of its own, and answers as JSON.
//! Knows nothing of the crate's inside.

pub mod hand_worker;
pub mod loop_project;
pub mod receivers;
pub mod served;
pub mod test_app;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The binary under test: the one just built, or, to walk the same tests with a release build, another.
/// Fault points exist in debug builds only: such a walk leaves `faults` out.
pub fn binary() -> String {
    std::env::var("TALLYSTICK_TEST_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_tallystick").to_string())
}

/// A folder of its own with a home inside, gone when the test ends.
pub struct Place {
    folder: tempfile::TempDir,
}

/// How a command ended.
pub struct Ended {
    pub code: i32,
    pub json: Value,
    pub stderr: String,
}

impl Place {
    /// A folder with nothing in it.
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A home after `init`.
    pub fn with_home() -> Self {
        let place = Self::empty();
        place.ok(&["init"]);
        place
    }

    /// A copy of a home in which one small model is trained, registered and in production.
    pub fn with_model() -> Self {
        static TRAINED: OnceLock<Place> = OnceLock::new();
        let original = TRAINED.get_or_init(|| {
            let place = Self::with_home();
            place.project();
            place.ok(&["train", "project", "--data", &fixture("loan-default/sample.csv")]);
            place.ok(&["model", "promote", "loan-default", "--to", "production"]);
            place
        });
        original.copy()
    }

    /// A copy of a home with the versions 1, 2 and 3, of which the first is in production; the other two were
    /// trained for a moment only, under gates that let anything through.
    pub fn with_three_versions() -> Self {
        static TRAINED: OnceLock<Place> = OnceLock::new();
        let original = TRAINED.get_or_init(|| {
            let place = Self::with_model();
            std::fs::write(place.path("project/gates.toml"), "[[gate]]\nmetric = \"auc\"\nmin = 0.01\n")
                .unwrap();
            for seed in ["seed=21", "seed=22"] {
                place.ok(&["train", "project", "--set", "logistic.epochs=2", "--set", seed]);
            }
            place
        });
        original.copy()
    }

    /// Another folder with the same in it.
    pub fn copy(&self) -> Self {
        let place = Self::empty();
        copy_folder(self.path(""), &place.path(""));
        place
    }

    /// The demo project, copied so that a test may change it.
    pub fn project(&self) -> PathBuf {
        let target = self.path("project");
        copy_folder(PathBuf::from(fixture("projects/loan-default")), &target);
        target
    }

    pub fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.folder.path().to_path_buf() } else { self.folder.path().join(name) }
    }

    pub fn command(&self, words: &[&str]) -> Command {
        self.command_of_people(&[&["--json"], words].concat())
    }

    /// A command as a person types it, who reads text.
    pub fn command_of_people(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .current_dir(self.folder.path())
            .env("TALLYSTICK_HOME", self.path("home"))
            .args(words)
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, words: &[&str]) -> Ended {
        Ended::of(self.command(words).output().unwrap())
    }

    /// Runs a command that must succeed and answers its JSON.
    pub fn ok(&self, words: &[&str]) -> Value {
        let ended = self.run(words);
        assert_eq!(ended.code, 0, "{words:?}: {} {}", ended.json, ended.stderr);
        ended.json
    }

    /// What the log holds, as its `field` (`kind`, `subject`) in order.
    pub fn log(&self, field: &str) -> Vec<String> {
        let log = self.ok(&["audit", "log", "--limit", "500"]);
        log["records"].as_array().unwrap().iter().map(|r| r[field].as_str().unwrap().to_string()).collect()
    }

    /// Runs a command that must end with this code and answers the error object.
    pub fn refused(&self, code: i32, words: &[&str]) -> Value {
        let ended = self.run(words);
        assert_eq!(ended.code, code, "{words:?}: {} {}", ended.json, ended.stderr);
        ended.json["error"].clone()
    }
}

impl Ended {
    pub fn of(output: Output) -> Self {
        let stdout = String::from_utf8(output.stdout).unwrap();
        Self {
            code: output.status.code().unwrap_or(-1),
            json: serde_json::from_str(&stdout).unwrap_or(Value::String(stdout)),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

pub fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name).to_string_lossy().into_owned()
}

pub fn copy_folder(from: impl AsRef<Path>, to: &Path) {
    let from = from.as_ref();
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy_folder(entry.path(), &target),
            kind if kind.is_symlink() => {
                std::os::unix::fs::symlink(std::fs::read_link(entry.path()).unwrap(), target).unwrap();
            }
            _ => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Changes one text of a file, which must be there.
pub fn replace_in(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} has no {from:?}", path.display());
    std::fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// The interpreter that `tests/run` has found, else the one on the path.
pub fn python() -> String {
    std::env::var("TALLYSTICK_PYTHON").unwrap_or_else(|_| "python3".to_string())
}

/// Whether a program can be run here; a test that needs it says so loudly when it cannot.
pub fn has_program(name: &str) -> bool {
    let found = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        say(&format!("SKIPPED: {name} is not installed"));
    }
    found.is_ok()
}

/// A figure or a notice of a test, past the runner's capture.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
