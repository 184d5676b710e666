//! Every path a file names: in `use`, in code, in types, and inside macros and attributes, which `syn` leaves as tokens.

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::source::{attributes_of, is_test_only};

/// A path as it is written, and where.
pub struct Named {
    pub segments: Vec<String>,
    pub line: usize,
    /// The inline modules around it.
    pub inside: Vec<String>,
    pub in_test: bool,
    pub is_use: bool,
    pub is_glob: bool,
}

pub fn paths_of(file: &syn::File, is_test: bool) -> Vec<Named> {
    let mut collector = Collector { found: Vec::new(), inside: Vec::new(), in_test: is_test };
    collector.visit_file(file);
    collector.found
}

struct Collector {
    found: Vec<Named>,
    inside: Vec<String>,
    in_test: bool,
}

impl Collector {
    fn add(&mut self, segments: Vec<String>, line: usize) {
        if segments.len() > 1 {
            self.push(segments, line, false, false);
        }
    }

    fn push(&mut self, segments: Vec<String>, line: usize, is_use: bool, is_glob: bool) {
        let (inside, in_test) = (self.inside.clone(), self.in_test);
        self.found.push(Named { segments, line, inside, in_test, is_use, is_glob });
    }

    fn add_use(&mut self, tree: &syn::UseTree, before: &[String]) {
        let with = |ident: &syn::Ident| [before, &[ident.to_string()]].concat();
        let line = tree.span().start().line;
        match tree {
            syn::UseTree::Path(path) => self.add_use(&path.tree, &with(&path.ident)),
            syn::UseTree::Name(name) => self.push(with(&name.ident), line, true, false),
            syn::UseTree::Rename(name) => self.push(with(&name.ident), line, true, false),
            syn::UseTree::Glob(_) => self.push(before.to_vec(), line, true, true),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.add_use(item, before)),
        }
    }

    fn add_tokens(&mut self, tokens: &TokenStream) {
        let mut scan = Scan::default();
        for token in tokens.clone() {
            if let Some((segments, line)) = scan.step(&token) {
                self.add(segments, line);
            }
            if let TokenTree::Group(group) = &token {
                self.add_tokens(&group.stream());
            }
        }
        self.add(scan.segments, scan.line);
    }

    fn within(&mut self, is_test: bool, visit: impl FnOnce(&mut Self)) {
        let before = self.in_test;
        self.in_test |= is_test;
        visit(self);
        self.in_test = before;
    }
}

/// Finds `a::b::c` in a row of tokens.
#[derive(Default)]
struct Scan {
    segments: Vec<String>,
    line: usize,
    colons: usize,
}

impl Scan {
    /// Takes the next token; answers the path that it ends, if it ends one.
    fn step(&mut self, token: &TokenTree) -> Option<(Vec<String>, usize)> {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                self.colons += 1;
                None
            }
            TokenTree::Ident(ident) => {
                let goes_on = self.colons == 2 && !self.segments.is_empty();
                let ended = if goes_on { None } else { self.end() };
                self.colons = 0;
                self.line = if goes_on { self.line } else { ident.span().start().line };
                self.segments.push(ident.to_string());
                ended
            }
            _ => self.end(),
        }
    }

    fn end(&mut self) -> Option<(Vec<String>, usize)> {
        self.colons = 0;
        Some((std::mem::take(&mut self.segments), self.line))
    }
}

impl<'a> Visit<'a> for Collector {
    fn visit_item(&mut self, item: &'a syn::Item) {
        self.within(is_test_only(attributes_of(item)), |this| visit::visit_item(this, item));
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        self.within(is_test_only(&function.attrs), |this| visit::visit_impl_item_fn(this, function));
    }

    fn visit_item_mod(&mut self, module: &'a syn::ItemMod) {
        self.inside.push(module.ident.to_string());
        visit::visit_item_mod(self, module);
        self.inside.pop();
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        self.add_use(&item.tree, &[]);
    }

    fn visit_item_extern_crate(&mut self, item: &'a syn::ItemExternCrate) {
        self.push(vec![item.ident.to_string()], item.span().start().line, true, false);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.add(segments, path.span().start().line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'a syn::Macro) {
        self.add_tokens(&mac.tokens);
        visit::visit_macro(self, mac);
    }

    fn visit_meta_list(&mut self, list: &'a syn::MetaList) {
        self.add_tokens(&list.tokens);
        visit::visit_meta_list(self, list);
    }
}
