//! An exported release with one byte changed, anywhere: refused with an integrity error, never loaded.

use std::fs;
use std::path::{Path, PathBuf};

use tallystick::app::registry::exported;
use tallystick::base::fact::Class;
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
        place.refused(5, &["decide", "loan-default", "--row", "row.json"]);
        fs::write(&path, &good).unwrap();
    }
}
