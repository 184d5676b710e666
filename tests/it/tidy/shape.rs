//! Sizes, names, headers and allowances of one file, and the number of files in a folder.

use std::collections::BTreeMap;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::source::{Finding, Source, attributes_of, is_test_only, lines_of};
use super::table::{
    ARGUMENTS_MAX, FILE_LINES_MAX, FOLDER_FILES_MAX, FUNCTION_BEGINNINGS, FUNCTION_LINES_MAX, MODULE_WORDS,
};

/// What the checker saw, for the closing line.
#[derive(Default)]
pub struct Figures {
    pub files: usize,
    pub lines: usize,
    pub functions: usize,
    pub longest_function: (usize, String),
    pub longest_file: (usize, String),
}

pub fn check_shape(source: &Source, file: &syn::File, figures: &mut Figures, found: &mut Vec<Finding>) {
    let mut judge = Judge { source, figures, found, of_trait: false };
    judge.check_header();
    judge.check_length(file);
    judge.visit_file(file);
}

/// The names of a file and of the folders on its way.
pub fn check_file_name(source: &Source, found: &mut Vec<Finding>) {
    for part in &source.module {
        check_module_name(source, part, 1, found);
    }
}

pub fn check_folders(sources: &[Source], found: &mut Vec<Finding>) {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for source in sources {
        let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        *folders.entry(folder).or_default() += 1;
    }
    for (folder, files) in folders {
        if files > FOLDER_FILES_MAX {
            let what = format!("{files} files; a folder holds at most {FOLDER_FILES_MAX}");
            found.push(Finding { file: folder.to_string(), line: 0, rule: "size.folder", what });
        }
    }
}

fn check_module_name(source: &Source, name: &str, line: usize, found: &mut Vec<Finding>) {
    if let Some(word) = name.split('_').find(|word| MODULE_WORDS.contains(word)) {
        let what = format!("`{name}`: the word `{word}` does not say what the module owns");
        found.push(source.finding("name.module", line, what));
    }
}

struct Judge<'s> {
    source: &'s Source,
    figures: &'s mut Figures,
    found: &'s mut Vec<Finding>,
    /// Inside `impl Trait for`, where name and arguments are not ours to choose.
    of_trait: bool,
}

impl Judge<'_> {
    fn add(&mut self, rule: &'static str, line: usize, what: String) {
        self.found.push(self.source.finding(rule, line, what));
    }

    fn check_header(&mut self) {
        if !self.source.text.starts_with("//!") {
            self.add("header", 1, "the file does not open with `//!` and what it owns".into());
        }
    }

    fn check_length(&mut self, file: &syn::File) {
        let all = self.source.text.lines().count();
        let test_only = file.items.iter().filter(|item| is_test_only(attributes_of(item)));
        let for_tests: usize = test_only.map(lines_of).map(|(first, last)| last - first + 1).sum();
        let lines = if self.source.is_test { 0 } else { all - for_tests };
        self.figures.files += 1;
        self.figures.lines += lines;
        let longest = &mut self.figures.longest_file;
        *longest = std::mem::take(longest).max((lines, self.source.path.clone()));
        if lines > FILE_LINES_MAX {
            self.add("size.file", 1, format!("{lines} lines; a file has at most {FILE_LINES_MAX}"));
        }
    }

    fn check_function(&mut self, signature: &syn::Signature, block: Option<&syn::Block>) {
        let line = signature.span().start().line;
        self.figures.functions += 1;
        if !self.of_trait {
            self.check_signature(signature, line);
        }
        let lines = block.map_or(1, |block| lines_of(block).1 - line + 1);
        let place = format!("{} in {}:{line}", signature.ident, self.source.path);
        let longest = &mut self.figures.longest_function;
        *longest = std::mem::take(longest).max((lines, place));
        if lines > FUNCTION_LINES_MAX {
            let what = format!("`{}` has {lines} lines; at most {FUNCTION_LINES_MAX}", signature.ident);
            self.add("size.function", line, what);
        }
    }

    fn check_signature(&mut self, signature: &syn::Signature, line: usize) {
        let name = signature.ident.to_string();
        if let Some(beginning) = FUNCTION_BEGINNINGS.iter().find(|beginning| name.starts_with(**beginning)) {
            let what = format!("`{name}`: `{beginning}` does not say what the function does");
            self.add("name.function", line, what);
        }
        let arguments = signature.inputs.iter().filter(|input| matches!(input, syn::FnArg::Typed(_))).count();
        if arguments > ARGUMENTS_MAX {
            let what = format!("`{name}` takes {arguments} arguments; at most {ARGUMENTS_MAX}");
            self.add("size.arguments", line, what);
        }
    }

    /// A reason is written in the attribute itself, at the end of its line or in a comment right above it.
    fn has_reason(&self, attribute: &syn::Attribute, tokens: &str) -> bool {
        let (first, last) = lines_of(attribute);
        let lines: Vec<&str> = self.source.text.lines().collect();
        let above = if first >= 2 { lines[first - 2].trim() } else { "" };
        let comment = above.starts_with("//") && !above.starts_with("///") && !above.starts_with("//!");
        let behind = lines[last - 1].rsplit_once(']').is_some_and(|(_, rest)| rest.trim().starts_with("//"));
        tokens.contains("reason =") || comment || behind
    }
}

impl<'a> Visit<'a> for Judge<'_> {
    fn visit_attribute(&mut self, attribute: &'a syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            let tokens = list.tokens.to_string();
            let conditional = list.path.is_ident("cfg_attr") && tokens.contains("allow (");
            let allows = list.path.is_ident("allow") || list.path.is_ident("expect") || conditional;
            if allows && !self.has_reason(attribute, &tokens) {
                let line = lines_of(attribute).0;
                self.add("allow.reason", line, format!("`{tokens}` is allowed without a reason"));
            }
        }
        visit::visit_attribute(self, attribute);
    }

    fn visit_item_mod(&mut self, module: &'a syn::ItemMod) {
        let (name, line) = (module.ident.to_string(), module.ident.span().start().line);
        check_module_name(self.source, &name, line, self.found);
        visit::visit_item_mod(self, module);
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        let before = std::mem::replace(&mut self.of_trait, item.trait_.is_some());
        visit::visit_item_impl(self, item);
        self.of_trait = before;
    }

    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        let before = std::mem::replace(&mut self.of_trait, false);
        self.check_function(&function.sig, Some(&function.block));
        visit::visit_item_fn(self, function);
        self.of_trait = before;
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        self.check_function(&function.sig, Some(&function.block));
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'a syn::TraitItemFn) {
        self.check_function(&function.sig, function.default.as_ref());
        visit::visit_trait_item_fn(self, function);
    }
}
