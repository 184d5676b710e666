//! The files that are judged: read from the disk, or written out in a fixture as a small tree of their own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use syn::spanned::Spanned;

/// A broken rule, named by the place that breaks it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub file: String,
    pub line: usize,
    pub rule: &'static str,
    pub what: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}:{}: {}", self.rule, self.file, self.line, self.what)
    }
}

/// One file below `src/`.
pub struct Source {
    /// `src/data/contract.rs`.
    pub path: String,
    /// `["data", "contract"]`; a `mod.rs` is its folder.
    pub module: Vec<String>,
    pub text: String,
    /// Compiled for tests only, as `mark_tests` found it.
    pub is_test: bool,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<String> = inner.split('/').map(str::to_string).collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        Self { path: path.to_string(), module, text: text.to_string(), is_test: false }
    }

    pub fn room(&self) -> &str {
        &self.module[0]
    }

    pub fn finding(&self, rule: &'static str, line: usize, what: String) -> Finding {
        Finding { file: self.path.clone(), line, rule, what }
    }
}

/// All `.rs` files below a package's `src/`, in the order of their paths.
pub fn read_tree(package: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![package.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(package).unwrap().to_str().unwrap();
                found.push(Source::new(name, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// A fixture: what must be found in its first line, then files, each after a line `--- src/path.rs`.
/// `@repeat N text` stands for N lines of that text.
pub fn parse_fixture(text: &str) -> (Vec<String>, Vec<Source>) {
    let (first, rest) = text.split_once('\n').unwrap();
    let expected = first.strip_prefix("expect: ").expect("a fixture opens with `expect: `");
    let sources = rest.split("--- ").skip(1).map(|file| {
        let (path, body) = file.split_once('\n').unwrap();
        Source::new(path, &expand(body))
    });
    (expected.split(", ").map(str::to_string).collect(), sources.collect())
}

fn expand(body: &str) -> String {
    let mut out = String::new();
    for line in body.lines() {
        let repeated = line.strip_prefix("@repeat ").and_then(|rest| rest.split_once(' '));
        let (count, text) = repeated.map_or((1, line), |(count, text)| (count.parse().unwrap(), text));
        (0..count).for_each(|_| {
            out.push_str(text);
            out.push('\n');
        });
    }
    out
}

/// Marks the files of modules that are declared under `#[cfg(test)]`, and of all modules below them.
pub fn mark_tests<'a>(sources: impl IntoIterator<Item = (&'a mut Source, &'a syn::File)>) {
    let mut pairs: Vec<(&mut Source, &syn::File)> = sources.into_iter().collect();
    let mut declared = BTreeSet::new();
    for (source, file) in &pairs {
        declare_tests(&source.module, &file.items, &mut declared);
    }
    for (source, _) in &mut pairs {
        source.is_test = (1..=source.module.len()).any(|depth| declared.contains(&source.module[..depth]));
    }
}

fn declare_tests(place: &[String], items: &[syn::Item], declared: &mut BTreeSet<Vec<String>>) {
    for item in items {
        let syn::Item::Mod(module) = item else { continue };
        let inner = [place, &[module.ident.to_string()]].concat();
        if is_test_only(&module.attrs) {
            declared.insert(inner);
        } else if let Some((_, items)) = &module.content {
            declare_tests(&inner, items, declared);
        }
    }
}

/// First and last line of a piece of code.
pub fn lines_of(code: &impl Spanned) -> (usize, usize) {
    let span = code.span();
    (span.start().line, span.end().line)
}

/// Whether code under these attributes is compiled for tests only.
pub fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => needs_test(&list.tokens.to_string()),
        _ => false,
    })
}

/// `test` alone, or as one of `all(..)`; `any(test, ..)` and `not(test)` are compiled without tests too.
fn needs_test(condition: &str) -> bool {
    let plain = condition.replace(' ', "");
    let inner = plain.strip_prefix("all(").and_then(|rest| rest.strip_suffix(')'));
    plain == "test" || inner.is_some_and(|parts| parts.split(',').any(|part| part == "test"))
}

/// The attributes of an item, whatever it is.
pub fn attributes_of(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(i) => &i.attrs,
        syn::Item::Enum(i) => &i.attrs,
        syn::Item::ExternCrate(i) => &i.attrs,
        syn::Item::Fn(i) => &i.attrs,
        syn::Item::ForeignMod(i) => &i.attrs,
        syn::Item::Impl(i) => &i.attrs,
        syn::Item::Macro(i) => &i.attrs,
        syn::Item::Mod(i) => &i.attrs,
        syn::Item::Static(i) => &i.attrs,
        syn::Item::Struct(i) => &i.attrs,
        syn::Item::Trait(i) => &i.attrs,
        syn::Item::TraitAlias(i) => &i.attrs,
        syn::Item::Type(i) => &i.attrs,
        syn::Item::Union(i) => &i.attrs,
        syn::Item::Use(i) => &i.attrs,
        _ => &[],
    }
}
