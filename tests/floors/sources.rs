//! The sources of the library and the command, as far as the floors need to know them. What only tests see is left out:
//! `#[cfg(test)]` items and the files of such modules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// One file.
pub struct Source {
    /// Its path in the project.
    pub file: String,
    /// The room that it belongs to: the first part of its module path, or `bin`, or `lib` for the map of rooms.
    pub room: String,
    /// Every path into a room.
    pub uses: Vec<Used>,
    /// The first parts of all other paths, crates among them, and where they are seen.
    pub crates: BTreeMap<String, usize>,
    /// The names of its statics.
    pub statics: Vec<String>,
    /// Whether it has an `unsafe` block, function, implementation or foreign module.
    pub has_unsafe: bool,
    /// The names of all functions and methods that it calls or names.
    pub calls: BTreeSet<String>,
    /// The public functions that it defines.
    pub public_functions: Vec<String>,
}

/// A path that leads into a room.
pub struct Used {
    /// The room.
    pub room: String,
    /// Where, for people.
    pub line: usize,
}

impl Source {
    /// All files that the library and the command are made of, read once.
    pub fn all() -> &'static [Source] {
        static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
        SOURCES.get_or_init(|| {
            let mut sources = Vec::new();
            follow("src/lib.rs", &[], &mut sources);
            follow("src/bin/keystead/main.rs", &["bin".to_owned()], &mut sources);
            sources
        })
    }
}

/// Every Rust file under `src`.
pub fn files() -> Vec<String> {
    fn list(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(project().join(folder)).expect("a folder").flatten() {
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                list(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    let mut found = Vec::new();
    list(Path::new("src"), &mut found);
    found
}

/// Every file that a `mod` names, those of tests included.
pub fn reached() -> BTreeSet<String> {
    fn reach(file: &str, found: &mut BTreeSet<String>) {
        found.insert(file.to_owned());
        let parsed = parse(file);
        for item in modules(&parsed.items) {
            reach(&file_of_module(file, &item.ident.to_string()), found);
        }
    }
    let mut found = BTreeSet::new();
    reach("src/lib.rs", &mut found);
    reach("src/bin/keystead/main.rs", &mut found);
    found
}

fn follow(file: &str, module: &[String], sources: &mut Vec<Source>) {
    let parsed = parse(file);
    let room = module.first().cloned().unwrap_or_else(|| "lib".to_owned());
    let mut names = Names::default();
    names.visit_file(&parsed);
    let mut reader = Reader {
        module: module.to_vec(),
        names: names.0,
        source: Source {
            file: file.to_owned(),
            room,
            uses: Vec::new(),
            crates: BTreeMap::new(),
            statics: Vec::new(),
            has_unsafe: false,
            calls: BTreeSet::new(),
            public_functions: Vec::new(),
        },
    };
    reader.visit_file(&parsed);
    sources.push(reader.source);
    for item in modules(&parsed.items).into_iter().filter(|item| !only_for_tests(&item.attrs)) {
        let name = item.ident.to_string();
        let inner: Vec<String> = module.iter().cloned().chain([name.clone()]).collect();
        follow(&file_of_module(file, &name), &inner, sources);
    }
}

/// The modules that are declared here and written in a file of their own.
fn modules(items: &[syn::Item]) -> Vec<&syn::ItemMod> {
    let declared = items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() => Some(module),
        _ => None,
    });
    declared.inspect(|module| assert!(!has_path(&module.attrs), "#[path] is not understood here")).collect()
}

fn file_of_module(file: &str, module: &str) -> String {
    let path = Path::new(file);
    let folder = match path.file_stem().and_then(|stem| stem.to_str()) {
        Some("mod" | "lib" | "main") => path.parent().map(Path::to_path_buf),
        _ => Some(path.with_extension("")),
    };
    let folder = folder.expect("a file lies in a folder");
    let (flat, nested) = (folder.join(format!("{module}.rs")), folder.join(module).join("mod.rs"));
    let found = if project().join(&flat).exists() { flat } else { nested };
    found.to_string_lossy().into_owned()
}

fn parse(file: &str) -> syn::File {
    let text = fs::read_to_string(project().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}:{}: {error}", error.span().start().line))
}

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn only_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let condition = attribute.path().is_ident("cfg").then(|| attribute.parse_args::<syn::Path>().ok()).flatten();
        attribute.path().is_ident("test") || condition.is_some_and(|condition| condition.is_ident("test"))
    })
}

fn has_path(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident("path"))
}

/// Walks one file. `module` is the path of the module that it is in at the moment.
struct Reader {
    module: Vec<String>,
    /// What the file itself declares or imports: a path that begins with one of these leads to no crate.
    names: BTreeSet<String>,
    source: Source,
}

#[derive(Default)]
struct Names(BTreeSet<String>);

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.0.insert(item.ident.to_string());
        visit::visit_item_mod(self, item);
    }

    /// Only imports from within: `use aes::Aes256` does not make `aes` a name of the file.
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if let syn::UseTree::Path(path) = &item.tree
            && ["crate", "self", "super", "keystead"].contains(&path.ident.to_string().as_str())
        {
            self.import(&path.ident, &path.tree);
        }
    }
}

impl Names {
    /// What `use parent::tree` brings in; `self` in it is the parent.
    fn import(&mut self, parent: &syn::Ident, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => self.import(&path.ident, &path.tree),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(parent, tree)),
            syn::UseTree::Rename(rename) => drop(self.0.insert(rename.rename.to_string())),
            syn::UseTree::Name(name) if name.ident == "self" => drop(self.0.insert(parent.to_string())),
            syn::UseTree::Name(name) => drop(self.0.insert(name.ident.to_string())),
            syn::UseTree::Glob(_) => (),
        }
    }
}

impl Reader {
    /// Notes a path, whichever way it is written.
    fn note(&mut self, segments: &[String], line: usize) {
        let Some((first, rest)) = segments.split_first() else {
            return;
        };
        let absolute: Vec<String> = match first.as_str() {
            // In the command the library is a crate of this name.
            "crate" if self.module.first().is_some_and(|room| room == "bin") => return,
            "crate" | "keystead" => rest.to_vec(),
            "self" => self.module.iter().chain(rest).cloned().collect(),
            "super" => {
                let up = segments.iter().take_while(|segment| *segment == "super").count();
                let kept = self.module.len().saturating_sub(up);
                self.module.iter().take(kept).chain(segments.iter().skip(up)).cloned().collect()
            }
            other if self.names.contains(other) => return,
            other => {
                self.source.crates.entry(other.to_owned()).or_insert(line);
                return;
            }
        };
        if let Some(room) = absolute.first().filter(|room| room.chars().all(|c| c.is_lowercase() || c == '_')) {
            self.source.uses.push(Used { room: room.clone(), line });
        }
    }

    fn note_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
        match tree {
            syn::UseTree::Path(path) => self.note_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.note_tree(before, item)),
            syn::UseTree::Name(name) => self.note(&with(&name.ident), name.ident.span().start().line),
            syn::UseTree::Rename(rename) => self.note(&with(&rename.ident), rename.ident.span().start().line),
            syn::UseTree::Glob(glob) => self.note(before, glob.star_token.spans[0].start().line),
        }
    }

    /// What stands in a macro is not parsed, so its tokens are searched for paths, statics and `unsafe`.
    fn note_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |index: usize, mark: char| match tokens.get(index) {
            Some(TokenTree::Punct(punct)) => punct.as_char() == mark,
            _ => false,
        };
        for (index, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) => self.note_tokens(group.stream()),
                TokenTree::Ident(ident) if index > 0 && (is(index - 1, ':') || is(index - 1, '\'')) => {
                    self.source.calls.insert(ident.to_string());
                }
                TokenTree::Ident(ident) => {
                    let name = ident.to_string();
                    self.source.has_unsafe |= name == "unsafe";
                    if name == "static" {
                        let next = tokens[index + 1..].iter().find(|token| token.to_string() != "mut");
                        self.source.statics.extend(next.map(|token| token.to_string()));
                    }
                    if is(index + 1, ':') && is(index + 2, ':') {
                        self.note(&path_at(&tokens, index), ident.span().start().line);
                    }
                    self.source.calls.insert(name);
                }
                _ => {}
            }
        }
    }
}

/// The path that begins at this token: names with `::` between them.
fn path_at(tokens: &[TokenTree], start: usize) -> Vec<String> {
    let mut segments = Vec::new();
    for token in tokens[start..].chunks(3) {
        let TokenTree::Ident(ident) = &token[0] else { break };
        segments.push(ident.to_string());
        if token.len() < 3 || token[1].to_string() != ":" || token[2].to_string() != ":" {
            break;
        }
    }
    segments
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Static(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Const(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !only_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if only_for_tests(&item.attrs) {
            return;
        }
        if matches!(item.vis, syn::Visibility::Public(_)) {
            self.source.public_functions.push(item.sig.ident.to_string());
        }
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_tree(&[], &item.tree);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.source.statics.push(item.ident.to_string());
        visit::visit_item_static(self, item);
    }

    fn visit_item_foreign_mod(&mut self, item: &'ast syn::ItemForeignMod) {
        self.source.has_unsafe = true;
        visit::visit_item_foreign_mod(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.source.has_unsafe |= item.unsafety.is_some();
        visit::visit_item_impl(self, item);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.source.has_unsafe = true;
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.source.calls.insert(call.method.to_string());
        visit::visit_expr_method_call(self, call);
    }

    /// Visibility such as `pub(in crate::crypto)` names a room but uses nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.source.calls.extend(segments.last().cloned());
        if segments.len() > 1 {
            self.note(&segments, path.segments[0].ident.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        visit::visit_macro(self, call);
        self.note_tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}
