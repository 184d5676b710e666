//! Files on a disk that tears, fills up and is written to again.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use crate::alert::settings::channel::AlertFile;
use crate::notify::error::NotifyError;
use crate::notify::file::append;

fn to(bytes_max: u64, files_kept: u32) -> AlertFile {
    AlertFile { name: "alerts.log".into(), bytes_max, files_kept }
}

fn line(message: &str, alert: &str) -> String {
    format!("{{\"id\":\"{alert}\",\"message\":\"{message}\"}}")
}

fn text(folder: &Path) -> String {
    fs::read_to_string(folder.join("alerts.log")).unwrap_or_default()
}

#[test]
fn lines_are_added_at_the_end_and_a_torn_one_is_left_behind() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("alerts");
    append(&to(1 << 20, 5), &folder, vec![line("m1", "a")], false).unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(folder.join("alerts.log")).unwrap();
    file.write_all(b"{\"id\":\"b\",\"mess").unwrap();
    append(&to(1 << 20, 5), &folder, vec![line("m2", "b"), line("m2", "c")], false).unwrap();
    let whole: Vec<serde_json::Value> =
        text(&folder).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(whole.len(), 3);
    assert_eq!(text(&folder).lines().count(), 4);
}

#[test]
fn a_line_that_an_earlier_attempt_left_is_not_written_twice() {
    let home = tempfile::tempdir().unwrap();
    append(&to(1 << 20, 5), home.path(), vec![line("m1", "a")], false).unwrap();
    let both = vec![line("m1", "a"), line("m1", "b")];
    let again = append(&to(1 << 20, 5), home.path(), both, true).unwrap();
    assert_eq!(again.note.as_deref(), Some("1 lines were there already"));
    assert_eq!(text(home.path()).lines().count(), 2);
    append(&to(1 << 20, 5), home.path(), vec![line("m2", "a")], true).unwrap();
    assert_eq!(text(home.path()).lines().count(), 3);
}

#[test]
fn a_full_file_is_put_aside_and_the_oldest_goes() {
    let home = tempfile::tempdir().unwrap();
    for n in 0..40 {
        append(&to(100, 2), home.path(), vec![line(&format!("m{n}"), "a")], false).unwrap();
    }
    let mut names: Vec<String> = fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["alerts.log", "alerts.log.1", "alerts.log.2"]);
    assert!(text(home.path()).contains("m39"));
    for name in names {
        assert!(fs::metadata(home.path().join(name)).unwrap().len() <= 100);
    }
    append(&to(100, 0), home.path(), vec![line(&"m".repeat(90), "a")], false).unwrap();
    assert_eq!(text(home.path()).lines().count(), 1);
}

const FOLDER: &str = "TALLYSTICK_TEST_FULL_DISK";

/// A disk with no room: this test runs once more, as a process that may write no file beyond a few kilobytes.
#[test]
fn a_disk_that_fills_up_leaves_no_half_line() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = Path::new(&folder);
        append(&to(1 << 20, 5), folder, vec![line("m1", "a")], false).unwrap();
        let before = text(folder);
        let large = vec![line(&"m".repeat(1 << 20), "b")];
        let full = append(&to(1 << 30, 5), folder, large, false).unwrap_err();
        assert!(matches!(full, NotifyError::File(_)) && full.again() && !full.uncertain(), "{full}");
        assert_eq!(text(folder), before);
        append(&to(1 << 20, 5), folder, vec![line("m3", "c")], false).unwrap();
        assert_eq!(text(folder).lines().count(), 2);
        fs::write(folder.join("done"), "").unwrap();
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let script = "trap '' XFSZ; ulimit -f 32; exec \"$0\" --exact \"$1\" --nocapture";
    let name = concat!(module_path!(), "::a_disk_that_fills_up_leaves_no_half_line");
    let name = name.split_once("::").unwrap().1;
    let ran = Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(FOLDER, home.path())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(home.path().join("done").exists());
}
