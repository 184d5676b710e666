//! Who imports whom: rooms by the table, foreign crates by their homes, and the ways around both.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::{Named, paths_of};
use super::source::{Finding, Source};
use super::table::{CRATES, EVERYTHING, OUR_CRATE, ROOMS};

/// Where in the code one room imports another for the first time.
pub type Edges = BTreeMap<(String, String), (String, usize)>;

pub fn check_imports(source: &Source, file: &syn::File, edges: &mut Edges, found: &mut Vec<Finding>) {
    if !ROOMS.iter().any(|(room, _)| *room == source.room()) {
        let what = format!("the room `{}` is not in the table of rooms", source.room());
        found.push(source.finding("import.room", 1, what));
    }
    let mut reported = BTreeSet::new();
    let mut local = Vec::new();
    for named in paths_of(file, source.is_test) {
        check_shape(source, &named, &mut local);
        if named.in_test {
            continue;
        }
        if let Some(room) = room_of(source, &named) {
            check_room(source, &named, &room, &mut local);
            if room != source.room() {
                edges.entry((source.room().to_string(), room)).or_insert((source.path.clone(), named.line));
            }
        }
        check_crate(source, &named, &mut local);
    }
    found.extend(local.into_iter().filter(|finding| reported.insert(finding.clone())));
}

/// `super::super` and globs, in tests too.
fn check_shape(source: &Source, named: &Named, found: &mut Vec<Finding>) {
    let segments: Vec<&str> = named.segments.iter().map(String::as_str).collect();
    if segments.windows(2).any(|pair| pair == ["super", "super"]) {
        let what = "`super::super`: write the path from `crate`".to_string();
        found.push(source.finding("import.super", named.line, what));
    }
    let own_tests = named.in_test && segments == ["super"];
    if named.is_glob && !own_tests {
        let what = format!("`use {}::*`: name what is used", segments.join("::"));
        found.push(source.finding("import.glob", named.line, what));
    }
}

/// The room a path leads to, if it leads to one; `crate` itself stands for all of them.
fn room_of(source: &Source, named: &Named) -> Option<String> {
    let mut rest = named.segments.as_slice();
    let head = rest.first()?;
    if head == "crate" || head == OUR_CRATE {
        let whole = named.is_use && rest.len() == 1;
        return if whole { Some("*".into()) } else { rest.get(1).cloned() };
    }
    let mut place: Vec<String> = source.module.iter().chain(&named.inside).cloned().collect();
    if rest.first().is_some_and(|segment| segment == "self") {
        rest = &rest[1..];
    }
    while rest.first().is_some_and(|segment| segment == "super") {
        place.pop();
        rest = &rest[1..];
        if place.is_empty() {
            return Some(rest.first().cloned().unwrap_or("*".into()));
        }
    }
    None
}

fn check_room(source: &Source, named: &Named, room: &str, found: &mut Vec<Finding>) {
    let allowed = ROOMS.iter().find(|(name, _)| *name == source.room()).map_or(&[][..], |(_, list)| list);
    let own = room == source.room();
    if !own && allowed != EVERYTHING && !allowed.contains(&room) {
        let what = format!("`{}` may not import `{room}`", source.room());
        found.push(source.finding("import.room", named.line, what));
    }
}

fn check_crate(source: &Source, named: &Named, found: &mut Vec<Finding>) {
    let Some((name, homes)) = CRATES.iter().find(|(name, _)| *name == named.segments[0]) else { return };
    let place = source.module.join("/");
    let at_home = |home: &str| place == home || place.starts_with(&format!("{home}/"));
    if !homes.is_empty() && !homes.iter().any(|home| at_home(home)) {
        let what = format!("the crate `{name}` lives in {}, not in `{place}`", homes.join(", "));
        found.push(source.finding("import.crate", named.line, what));
    }
}

/// Two rooms that import each other are one room with two names.
pub fn check_both_ways(edges: &Edges, found: &mut Vec<Finding>) {
    for ((from, to), (file, line)) in edges {
        if from < to && edges.contains_key(&(to.clone(), from.clone())) {
            let what = format!("`{from}` and `{to}` import each other");
            found.push(Finding { file: file.clone(), line: *line, rule: "import.both_ways", what });
        }
    }
}
