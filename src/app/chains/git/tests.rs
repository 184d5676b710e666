//! Repositories as git leaves them on disk, made by hand and, where git is there, by git itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;

const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";
const LONG: &str = "3333333333333333333333333333333333333333333333333333333333333333";

fn write(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A folder that git would take for a repository, with `main` checked out.
fn begin(folder: &Path) {
    fs::create_dir_all(folder.join("objects")).unwrap();
    write(folder.join("HEAD"), "ref: refs/heads/main\n");
}

fn found(repository: &Path, name: &str) -> Result<String, String> {
    find_commit(repository, &RefName::parse(name).unwrap()).map_err(|error| error.code().to_string())
}

fn ok(id: &str) -> Result<String, String> {
    Ok(id.to_string())
}

fn no(code: &str) -> Result<String, String> {
    Err(code.to_string())
}

#[test]
fn a_name_is_read_from_its_file_else_from_the_packed_ones() {
    let place = tempfile::tempdir().unwrap();
    let git = place.path().join(".git");
    begin(&git);
    assert_eq!(found(place.path(), "main"), no("git.no_ref"), "nothing is committed yet");
    assert_eq!(found(place.path(), "HEAD"), no("git.no_ref"));
    let packed = format!(
        "# pack-refs with: peeled fully-peeled sorted \n{ONE} refs/heads/main\n{TWO} refs/heads/main2\n\
         {TWO} refs/tags/v1\n^{ONE}\n{LONG} refs/heads/long\n"
    );
    write(git.join("packed-refs"), &packed);
    assert_eq!(found(place.path(), "main"), ok(ONE));
    assert_eq!(found(place.path(), "HEAD"), ok(ONE));
    assert_eq!(found(place.path(), "long"), ok(LONG));
    assert_eq!(found(place.path(), "refs/tags/v1"), ok(TWO));
    assert_eq!(found(place.path(), "mai"), no("git.no_ref"));
    write(git.join("refs/heads/main"), &format!("{TWO}\n"));
    assert_eq!(found(place.path(), "main"), ok(TWO), "its own file is the newer");
    write(git.join("refs/heads/topic/one"), &format!("{ONE}\n"));
    assert_eq!(found(place.path(), "topic/one"), ok(ONE));
    assert_eq!(found(place.path(), "topic"), no("git.no_ref"), "a folder of names is no name");
    assert_eq!(found(place.path(), "main/below"), no("git.no_ref"), "and no name is a folder");
    write(git.join("HEAD"), TWO);
    assert_eq!(found(place.path(), "HEAD"), ok(TWO), "what is checked out without a branch");
}

#[test]
fn a_bare_repository_is_the_folder_itself() {
    let place = tempfile::tempdir().unwrap();
    begin(place.path());
    write(place.path().join("refs/heads/main"), &format!("{ONE}\n"));
    assert_eq!(found(place.path(), "main"), ok(ONE));
}

#[test]
fn a_second_work_tree_shares_the_branches_and_has_a_head_of_its_own() {
    let place = tempfile::tempdir().unwrap();
    let (git, tree) = (place.path().join("first/.git"), place.path().join("second"));
    begin(&git);
    write(git.join("refs/heads/main"), ONE);
    write(git.join("refs/heads/topic"), TWO);
    write(git.join("worktrees/second/HEAD"), "ref: refs/heads/topic\n");
    write(git.join("worktrees/second/commondir"), "../..\n");
    write(git.join("worktrees/second/refs/worktree/mine"), LONG);
    write(tree.join(".git"), "gitdir: ../first/.git/worktrees/second\n");
    assert_eq!((found(&tree, "main"), found(&tree, "HEAD")), (ok(ONE), ok(TWO)));
    assert_eq!(found(&tree, "refs/worktree/mine"), ok(LONG));
    let whole = format!("gitdir: {}\n", git.join("worktrees/second").display());
    write(tree.join(".git"), &whole);
    assert_eq!(found(&tree, "HEAD"), ok(TWO));
}

#[test]
fn what_is_no_repository_or_not_what_git_writes_is_said_to_be_so() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(found(&place.path().join("nowhere"), "main"), no("git.no_repository"));
    assert_eq!(found(place.path(), "main"), no("git.no_repository"));
    write(place.path().join("HEAD"), "ref: refs/heads/main\n");
    assert_eq!(found(place.path(), "main"), no("git.no_repository"), "a HEAD alone makes none");
    assert_eq!(found(&place.path().join("HEAD"), "main"), no("git.no_repository"), "nor does a file");
    let git = place.path().join(".git");
    begin(&git);
    for text in
        ["", "main", &ONE[1..], "0000000000000000000000000000000000000000", "ref: config", "ref: ../../x"]
    {
        write(git.join("refs/heads/main"), text);
        assert_eq!(found(place.path(), "main"), no("git.broken"), "{text:?}");
    }
    fs::write(git.join("refs/heads/main"), [0xff, 0xfe]).unwrap();
    assert_eq!(found(place.path(), "main"), no("git.broken"));
    write(git.join("refs/heads/main"), &"1".repeat(5_000));
    assert_eq!(found(place.path(), "main"), no("git.unreadable"), "no file of one name is so long");
    write(git.join("packed-refs"), "x refs/heads/odd\n");
    assert_eq!(found(place.path(), "odd"), no("git.broken"));
    fs::create_dir(git.join("reftable")).unwrap();
    assert_eq!(found(place.path(), "main"), no("git.reftable"));
}

#[test]
fn names_that_lead_to_each_other_come_to_an_end() {
    let place = tempfile::tempdir().unwrap();
    begin(place.path());
    write(place.path().join("refs/heads/main"), "ref: refs/heads/other\n");
    write(place.path().join("refs/heads/other"), &format!("{ONE}\n"));
    assert_eq!(found(place.path(), "HEAD"), ok(ONE), "two steps");
    write(place.path().join("refs/heads/other"), "ref: refs/heads/main\n");
    assert_eq!(found(place.path(), "main"), no("git.endless"));
}

#[test]
fn more_packed_names_than_are_read_are_refused_and_not_passed_over() {
    let place = tempfile::tempdir().unwrap();
    begin(place.path());
    let line = format!("{ONE} refs/heads/{}\n", "a".repeat(150));
    let count = usize::try_from(limits::GIT_PACKED_BYTES_MAX).unwrap() / line.len() + 1;
    write(place.path().join("packed-refs"), &(line.repeat(count) + &format!("{TWO} refs/heads/main\n")));
    assert_eq!(found(place.path(), "main"), no("git.unreadable"));
    assert_eq!(found(place.path(), &"a".repeat(150)), ok(ONE));
}

/// Runs git in a folder without a setting of this machine; none where there is no git.
fn git(folder: &Path, words: &[&str]) -> Option<String> {
    let ran = Command::new("git")
        .current_dir(folder)
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_SYSTEM", "/dev/null")])
        .args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"])
        .args(words)
        .output()
        .ok()?;
    assert!(ran.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&ran.stderr));
    Some(String::from_utf8(ran.stdout).unwrap().trim().to_string())
}

#[test]
fn what_git_itself_writes_is_read_as_git_reads_it() {
    let place = tempfile::tempdir().unwrap();
    if Command::new("git").arg("--version").output().is_err() {
        return; // The repositories above are made by hand.
    }
    let repository = place.path().join("repository");
    let at = |folder: &Path, words: &[&str]| git(folder, words).unwrap();
    at(place.path(), &["init", "-q", "repository"]);
    assert_eq!(found(&repository, "main"), no("git.no_ref"));
    let commit = |text: &str| {
        at(&repository, &["commit", "-q", "--allow-empty", "-m", text]);
        at(&repository, &["rev-parse", "HEAD"])
    };
    let first = commit("first");
    assert_eq!((found(&repository, "main"), found(&repository, "HEAD")), (ok(&first), ok(&first)));
    at(&repository, &["pack-refs", "--all"]);
    assert_eq!(found(&repository, "main"), ok(&first), "packed");
    let second = commit("second");
    assert_eq!(found(&repository, "main"), ok(&second));
    at(&repository, &["worktree", "add", "-q", "-b", "topic", "../tree", &first]);
    let tree = place.path().join("tree");
    assert_eq!((found(&tree, "HEAD"), found(&tree, "main")), (ok(&first), ok(&second)));
    at(place.path(), &["clone", "-q", "--bare", "repository", "bare.git"]);
    assert_eq!(found(&place.path().join("bare.git"), "main"), ok(&second), "a bare clone");
    at(place.path(), &["clone", "-q", "repository", "clone"]);
    assert_eq!(found(&place.path().join("clone"), "refs/remotes/origin/HEAD"), ok(&second));
}
