//! What pages are made of: templates, texts, styles, script and pictures, embedded in the binary.
//! A debug build reads them from the source folder, so that a style is edited without compiling.

use std::borrow::Cow;

use crate::base::digest::Digest;

/// A file of `web/` and its bytes as they were compiled in.
struct Embedded {
    path: &'static str,
    text: &'static str,
}

macro_rules! embedded {
    ($($path:literal),* $(,)?) => {
        &[$(Embedded { path: $path, text: include_str!(concat!("../../../web/", $path)) }),*]
    };
}

const FILES: &[Embedded] = embedded![
    "templates/frame.html",
    "templates/parts.html",
    "templates/login.html",
    "templates/unlock.html",
    "templates/home.html",
    "templates/form.html",
    "templates/case.html",
    "templates/why.html",
    "templates/letter.html",
    "templates/cases.html",
    "templates/approvals.html",
    "templates/approval.html",
    "templates/chains.html",
    "templates/chain.html",
    "templates/chain_run.html",
    "templates/monitoring.html",
    "templates/monitored.html",
    "templates/alerts.html",
    "templates/alert.html",
    "templates/pictures.html",
    "templates/trouble.html",
    "text/en.toml",
    "style/tokens.css",
    "style/base.css",
    "style/frame.css",
    "style/form.css",
    "style/case.css",
    "style/watch.css",
    "style/chart.css",
    "style/print.css",
    "script/counter.js",
    "image/mark.svg",
];

/// An asset a page names, made of these files in this order.
struct Made {
    stem: &'static str,
    ending: &'static str,
    content_type: &'static str,
    of: &'static str,
}

const MADE: &[Made] = &[
    Made { stem: "style", ending: "css", content_type: "text/css; charset=utf-8", of: "style/" },
    Made { stem: "counter", ending: "js", content_type: "text/javascript; charset=utf-8", of: "script/" },
    Made { stem: "mark", ending: "svg", content_type: "image/svg+xml", of: "image/mark.svg" },
];

/// An asset as it is sent.
pub struct Asset {
    pub bytes: Vec<u8>,
    pub content_type: &'static str,
}

/// A file of `web/` by its path there.
pub fn find_file(path: &str) -> Option<Cow<'static, str>> {
    let embedded = FILES.iter().find(|file| file.path == path)?;
    Some(from_disk(path).map_or(Cow::Borrowed(embedded.text), Cow::Owned))
}

/// The names of all templates.
pub fn list_templates() -> impl Iterator<Item = &'static str> {
    FILES.iter().filter_map(|file| file.path.strip_prefix("templates/"))
}

#[cfg(debug_assertions)]
fn from_disk(path: &str) -> Option<String> {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("web").join(path)).ok()
}

#[cfg(not(debug_assertions))]
fn from_disk(_path: &str) -> Option<String> {
    None
}

fn bytes_of(made: &Made) -> Vec<u8> {
    let files = FILES.iter().filter(|file| file.path.starts_with(made.of));
    let texts = files.filter_map(|file| find_file(file.path));
    texts.map(|text| text.into_owned()).collect::<Vec<_>>().join("\n").into_bytes()
}

/// Where an asset is found; another content has another name, so that a browser may keep it for good.
pub fn address_of(stem: &str) -> String {
    let Some(made) = MADE.iter().find(|made| made.stem == stem) else { return String::new() };
    format!("/assets/{}-{}.{}", made.stem, Digest::of(&bytes_of(made)).short(), made.ending)
}

/// The asset of this name, whichever content it was asked for: a page that is a moment older gets the newer.
pub fn find_asset(name: &str) -> Option<Asset> {
    let (stem, _) = name.split_once('-')?;
    let made = MADE.iter().find(|made| made.stem == stem && name.ends_with(made.ending))?;
    Some(Asset { bytes: bytes_of(made), content_type: made.content_type })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_embedded_and_no_other() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
        let mut found = Vec::new();
        for folder in std::fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()) {
            for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                found.push(file.strip_prefix(&root).unwrap().to_string_lossy().into_owned());
            }
        }
        let mut embedded: Vec<String> = FILES.iter().map(|file| file.path.to_string()).collect();
        found.sort();
        embedded.sort();
        assert_eq!(found, embedded);
    }

    #[test]
    fn an_asset_is_found_under_its_address() {
        for made in MADE {
            let address = address_of(made.stem);
            let asset = find_asset(address.strip_prefix("/assets/").unwrap()).unwrap();
            assert_eq!(asset.bytes, bytes_of(made), "{address}");
            assert!(!asset.bytes.is_empty());
        }
        assert!(find_asset("style.css").is_none() && find_asset("other-1.css").is_none());
    }

    /// No page may load anything from elsewhere, and the policy that forbids inline styles must find none.
    #[test]
    fn nothing_names_another_server_and_nothing_is_inline() {
        for file in FILES.iter().filter(|file| !file.path.starts_with("text/")) {
            for word in
                ["http://", "https://", "@import", "style=", "<style", "onclick", "onload", "javascript:"]
            {
                let said = file.text.replace("http://www.w3.org/2000/svg", "");
                assert!(!said.contains(word), "{} has {word}", file.path);
            }
        }
    }
}
