//! The house's rules held against the code by parsing it: imports, crate homes, sizes, names, headers.
//! Every rule has a fixture that breaks it, so that the checker itself can fail.

mod imports;
mod paths;
mod shape;
mod source;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use imports::{Edges, check_both_ways, check_imports};
use shape::{Figures, check_file_name, check_folders, check_shape};
use source::{Finding, Source, mark_tests, parse_fixture, read_tree};
use table::{CRATES, EVERYTHING, ROOMS, RULES};

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn judge(mut sources: Vec<Source>) -> (Figures, Vec<Finding>) {
    let (mut figures, mut edges, mut found) = (Figures::default(), Edges::new(), Vec::new());
    let parsed: Vec<syn::Result<syn::File>> =
        sources.iter().map(|source| syn::parse_file(&source.text)).collect();
    mark_tests(
        sources.iter_mut().zip(&parsed).filter_map(|(source, file)| Some((source, file.as_ref().ok()?))),
    );
    for (source, file) in sources.iter().zip(&parsed) {
        check_file_name(source, &mut found);
        match file {
            Ok(file) => {
                check_shape(source, file, &mut figures, &mut found);
                check_imports(source, file, &mut edges, &mut found);
            }
            Err(e) => found.push(source.finding("parse", e.span().start().line, e.to_string())),
        }
    }
    check_both_ways(&edges, &mut found);
    check_folders(&sources, &mut found);
    found.sort();
    (figures, found)
}

/// Straight to the terminal: the test harness keeps what is printed by a test that passes.
fn report(figures: &Figures) {
    let (function_lines, function) = &figures.longest_function;
    let (file_lines, file) = &figures.longest_file;
    let _ = writeln!(
        std::io::stderr(),
        "tidy: {} files, {} lines and {} functions; longest function {function_lines} lines ({function}), \
         longest file {file_lines} lines ({file})",
        figures.files,
        figures.lines,
        figures.functions,
    );
}

#[test]
fn the_code_keeps_the_rules_of_the_house() {
    let sources = read_tree(package());
    assert!(sources.len() > 10, "only {} files were found below src/", sources.len());
    let (figures, found) = judge(sources);
    let lines: Vec<String> = found.iter().map(Finding::to_string).collect();
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), lines.join("\n"));
    report(&figures);
}

#[test]
fn every_rule_finds_the_fixture_that_breaks_it_and_nothing_else() {
    let mut broken = BTreeSet::new();
    let entries = fs::read_dir(package().join("tests/it/tidy/fixtures")).unwrap();
    let paths: BTreeSet<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    for path in paths {
        let (mut expected, sources) = parse_fixture(&fs::read_to_string(&path).unwrap());
        let (_, found) = judge(sources);
        let mut places: Vec<String> = found
            .iter()
            .map(|finding| format!("{} {}:{}", finding.rule, finding.file, finding.line))
            .collect();
        places.sort();
        expected.sort();
        assert_eq!(places, expected, "{}: {found:#?}", path.display());
        broken.extend(found.iter().map(|finding| finding.rule));
    }
    let unbroken: Vec<&&str> = RULES.iter().filter(|rule| !broken.contains(**rule)).collect();
    assert!(unbroken.is_empty(), "no fixture breaks {unbroken:?}");
    let unnamed: Vec<&&str> = broken.iter().filter(|rule| !RULES.contains(rule)).collect();
    assert!(unnamed.is_empty(), "not in the list of rules: {unnamed:?}");
}

#[test]
fn the_table_of_rooms_has_no_way_back() {
    for (place, (room, allowed)) in ROOMS.iter().enumerate() {
        for other in allowed.iter().filter(|_| *allowed != EVERYTHING) {
            let earlier = ROOMS[..place].iter().any(|(name, _)| name == other);
            assert!(earlier, "{room} may import {other}, which does not come before it");
        }
    }
}

#[test]
fn every_dependency_has_a_home_and_every_home_a_dependency() {
    let manifest: toml::Table = fs::read_to_string(package().join("Cargo.toml")).unwrap().parse().unwrap();
    let names = |table: &toml::Value| -> Vec<String> {
        table.as_table().unwrap().keys().map(|name| name.replace('-', "_")).collect()
    };
    let dependencies: BTreeSet<String> = names(&manifest["dependencies"]).into_iter().collect();
    let homes: BTreeSet<String> = CRATES.iter().map(|(name, _)| name.to_string()).collect();
    let homeless: Vec<&String> = dependencies.difference(&homes).collect();
    assert!(homeless.is_empty(), "in Cargo.toml but without a home in the table: {homeless:?}");
    let gone: Vec<&String> = homes.difference(&dependencies).collect();
    assert!(gone.is_empty(), "in the table but not in Cargo.toml: {gone:?}");
    for (name, places) in CRATES {
        for place in *places {
            let room = place.split('/').next().unwrap();
            assert!(ROOMS.iter().any(|(known, _)| *known == room), "{name} lives in unknown {room}");
        }
    }
}
