//! A release with a byte changed anywhere, or with a part removed, enlarged or signed elsewhere: refused with an
//! integrity error that names the part, never loaded.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tallystick::app::registry::exported;
use tallystick::base::fact::Class;
use tallystick::base::limits;
use tallystick::base::rng::Random;

use crate::support::Place;

/// Positions tried over all files; small files are tried byte by byte.
const POSITIONS: usize = 2_400;

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        ["model.json", "release.json", "release.dsse.json", "policy.json", "policy.dsse.json"]
            .into_iter()
            .map(|name| folder.join(name))
            .collect();
    files.extend(fs::read_dir(folder.join("blobs")).unwrap().map(|e| e.unwrap().path()));
    files
}

#[test]
fn a_byte_changed_anywhere_in_a_release_is_refused() {
    let place = Place::with_model();
    place.ok(&["model", "export", "loan-default@1", "exported"]);
    let folder = place.path("exported");
    exported::verify(&folder, None).unwrap();
    let mut random = Random::new(11, "release damage");
    let files = files_of(&folder);
    let each = POSITIONS / files.len();
    for path in &files {
        let good = fs::read(path).unwrap();
        for n in 0..each.min(good.len()) {
            let at = if good.len() <= each { n } else { random.below(good.len()) };
            let mut bad = good.clone();
            bad[at] ^= 1 << random.below(8);
            fs::write(path, &bad).unwrap();
            let refused = exported::verify(&folder, None).err();
            let class = refused.as_ref().map(|failure| failure.class());
            assert_eq!(class, Some(Class::Integrity), "{} byte {at}: {refused:?}", path.display());
        }
        fs::write(path, &good).unwrap();
    }
    exported::verify(&folder, None).unwrap();
}

/// What is wrong with how `release verify` refuses a folder because of one file: it must be an integrity error
/// that names the file.
fn complaint(place: &Place, path: &Path, what: &str) -> Option<String> {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let ended = place.run(&["release", "verify", "exported"]);
    let message = ended.json["error"]["message"].as_str().unwrap_or_default();
    let is_good = ended.code == 5 && message.contains(&name);
    (!is_good).then(|| format!("{name} {what}: exit {}: {message}", ended.code))
}

#[test]
fn a_part_removed_from_a_release_is_named() {
    let place = Place::with_model();
    place.ok(&["model", "export", "loan-default@1", "exported"]);
    let mut complaints = Vec::new();
    for path in files_of(&place.path("exported")) {
        let good = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        complaints.extend(complaint(&place, &path, "removed"));
        fs::write(&path, good).unwrap();
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
    place.ok(&["release", "verify", "exported"]);
}

#[test]
fn a_part_of_a_release_that_has_grown_is_named() {
    let place = Place::with_model();
    place.ok(&["model", "export", "loan-default@1", "exported"]);
    let mut complaints = Vec::new();
    let most = limits::MANIFEST_BYTES_MAX.max(limits::ENVELOPE_BYTES_MAX);
    for path in files_of(&place.path("exported")) {
        let good = fs::read(&path).unwrap();
        fs::write(&path, [&good[..], b"x"].concat()).unwrap();
        complaints.extend(complaint(&place, &path, "longer by a byte"));
        // Over every limit; the file has a hole, so nothing of that size is written.
        fs::File::options().write(true).open(&path).unwrap().set_len(most + 1).unwrap();
        complaints.extend(complaint(&place, &path, "over the limit"));
        fs::write(&path, good).unwrap();
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
    place.ok(&["release", "verify", "exported"]);
}

#[test]
fn a_release_holds_under_its_own_boxs_trust_root_only() {
    let (place, other) = (Place::with_model(), Place::with_home());
    place.ok(&["model", "export", "loan-default@1", "exported"]);
    for (home, folder) in [(&place, "own"), (&other, "other")] {
        let to = place.path(folder);
        home.ok(&["audit", "export", to.to_str().unwrap()]);
    }
    let verified = place.ok(&["release", "verify", "exported", "--trust", "own/trust.json"]);
    assert_eq!((verified["name"].as_str(), verified["version"].as_u64()), (Some("loan-default"), Some(1)));
    let error = place.refused(5, &["release", "verify", "exported", "--trust", "other/trust.json"]);
    assert_eq!(error["code"], "security.unknown_key", "{error}");
    assert!(error["message"].as_str().unwrap().contains(verified["key_id"].as_str().unwrap()), "{error}");
    place.refused(2, &["release", "verify", "exported", "--trust", "absent.json"]);
}

#[test]
fn a_blob_that_only_a_model_names_is_missed_by_the_check() {
    let place = Place::with_model();
    place.ok(&["model", "export", "loan-default@1", "exported"]);
    let exported = fs::read_dir(place.path("exported/blobs")).unwrap();
    let names: Vec<String> =
        exported.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(!names.is_empty());
    for name in names {
        let path = place.path("home/blobs/sha256").join(&name[..2]).join(&name);
        let good = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let error = place.refused(5, &["store", "check"]);
        assert!(error["details"]["problems"].to_string().contains(&name), "{error}");
        fs::write(&path, good).unwrap();
    }
    place.ok(&["store", "check"]);
}

#[test]
fn a_byte_changed_in_a_blob_of_the_home_is_refused_when_read_and_found_by_the_check() {
    let place = Place::with_model();
    let mut blobs = Vec::new();
    for folder in fs::read_dir(place.path("home/blobs/sha256")).unwrap() {
        blobs.extend(fs::read_dir(folder.unwrap().path()).unwrap().map(|e| e.unwrap().path()));
    }
    blobs.sort();
    assert!(blobs.len() > 10);
    let mut random = Random::new(12, "blob damage");
    for path in &blobs {
        let good = fs::read(path).unwrap();
        let mut bad = good.clone();
        let at = random.below(bad.len());
        bad[at] ^= 1 << random.below(8);
        fs::write(path, &bad).unwrap();
        let error = place.refused(5, &["store", "check"]);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(error["details"]["problems"].to_string().contains(&name), "{error}");
        fs::write(path, &good).unwrap();
    }
    place.ok(&["store", "check"]);
    let shown = place.ok(&["model", "show", "loan-default@1"]);
    for key in ["digest", "release", "policy"] {
        let digest = shown[key].as_str().unwrap();
        let path = place.path("home/blobs/sha256").join(&digest[..2]).join(digest);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[good.len() / 3] ^= 4;
        fs::write(&path, &bad).unwrap();
        let row = place.path("row.json");
        fs::write(&row, "{}").unwrap();
        // No release can score, so no score is given, and a person decides.
        let refused = place.refused(7, &["predict", "loan-default", "--row", "row.json"]);
        assert_eq!(refused["code"], "release.no_score");
        let decided = place.ok(&["decide", "loan-default", "--row", "row.json"]);
        assert_eq!((&decided["outcome"], &decided["by"]), (&json!("refer"), &json!("fallback")), "{decided}");
        assert_eq!((&decided["degraded"], &decided["version"]), (&json!(true), &Value::Null), "{decided}");
        fs::write(&path, &good).unwrap();
    }
}
