//! The manual's pages and the shells' completions with the real binary, read by what is to read them where it is there.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::support::{Place, has_program};

fn page_names(answer: &Value) -> Vec<String> {
    let pages = answer["pages"].as_array().unwrap();
    pages.iter().map(|name| name.as_str().unwrap().to_string()).collect()
}

#[test]
fn every_command_has_its_page_and_no_hidden_one_has() {
    let place = Place::empty();
    let folder = place.path("made/man1");
    let names = page_names(&place.ok(&["manual", "--dir", "made/man1"]));
    let mut on_disk: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    on_disk.sort();
    assert_eq!(names, on_disk);
    for wanted in ["tallystick.1", "tallystick-decide.1", "tallystick-model-promote.1", "tallystick-manual.1"]
    {
        assert!(names.iter().any(|name| name == wanted), "{wanted} of {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("child") || name.contains("help")), "{names:?}");
    let page = fs::read_to_string(folder.join("tallystick-model-promote.1")).unwrap();
    assert!(page.contains(".TH tallystick-model-promote 1") && page.contains("\\-\\-to"), "{page}");
    assert_eq!(place.ok(&["manual", "model", "promote"])["page"], page);
}

#[test]
fn a_page_of_no_command_names_the_nearest() {
    let place = Place::empty();
    let error = place.refused(2, &["manual", "model", "promte"]);
    assert_eq!(error["code"], "manual.no_command");
    assert_eq!(error["message"], "there is no command \"model promte\"");
    assert_eq!(error["next_step"], "Did you mean `model promote`?");
    assert_eq!(place.refused(2, &["manual", "child"])["code"], "manual.no_command");
    fs::write(place.path("taken"), "").unwrap();
    let error = place.refused(1, &["manual", "--dir", "taken"]);
    assert!(error["message"].as_str().unwrap().contains("taken"), "{error}");
}

#[test]
fn man_reads_the_pages_without_a_warning() {
    if !["man", "groff"].into_iter().all(has_program) {
        return;
    }
    let place = Place::empty();
    for name in page_names(&place.ok(&["manual", "--dir", "pages"])) {
        let page = place.path("pages").join(&name);
        let read =
            Command::new("man").args(["--warnings", "-Tutf8", "-Z", "-l"]).arg(&page).output().unwrap();
        let said = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success() && said.is_empty() && read.stdout.len() > 500, "{name}: {said}");
    }
}

#[test]
fn bash_completes_commands_and_options() {
    let place = Place::empty();
    let script = place.ok(&["completions", "bash"])["script"].as_str().unwrap().to_string();
    fs::write(place.path("complete.bash"), script).unwrap();
    let complete = |line: &str, word: &str| {
        let words: Vec<String> = line.split(' ').map(|word| format!("'{word}'")).collect();
        let asked = format!(
            "source complete.bash; COMP_WORDS=({}); COMP_CWORD={}; _tallystick tallystick '{word}'; echo \"${{COMPREPLY[*]}}\"",
            words.join(" "),
            words.len() - 1,
        );
        let said = Command::new("bash").args(["-c", &asked]).current_dir(place.path("")).output().unwrap();
        String::from_utf8(said.stdout).unwrap().trim().to_string()
    };
    assert_eq!(complete("tallystick dec", "dec"), "decide decision");
    assert_eq!(complete("tallystick model prom", "prom"), "promote");
    assert_eq!(complete("tallystick chec", "chec"), "check");
    assert_eq!(complete("tallystick chi", "chi"), "", "what a parent process starts is for nobody else");
    assert_eq!(complete("tallystick manual --di", "--di"), "--dir");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.ok(&["completions", shell])["script"].as_str().unwrap().to_string();
        assert!(script.contains("promote") && script.contains("fingerprint"), "{shell}");
        assert!(!script.contains("not for people"), "{shell} offers a hidden command");
    }
    place.refused(2, &["completions", "tcsh"]);
}
