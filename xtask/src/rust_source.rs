//! A parsed Rust file: its tokens with their lines, its functions, and which of its lines are test code.
//!
//! Test code is whatever a release build leaves out: files under `tests/`, items under `#[cfg(test)]` or `#[test]`, and
//! the files of modules that are declared under `#[cfg(test)]`.

use std::ops::RangeInclusive;

use anyhow::{Context as _, Result, anyhow};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// A token without its spaces: an identifier, one character of punctuation, or a bracket. Literals and comments are left
/// out, so that a rule about code never trips over a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Its text.
    pub(crate) text: String,
    /// Its line, counted from 1.
    pub(crate) line: usize,
}

/// A function with a body.
#[derive(Debug)]
pub(crate) struct Function {
    /// Its name, without path.
    pub(crate) name: String,
    /// The lines from its signature to its closing bracket.
    pub(crate) lines: RangeInclusive<usize>,
}

impl Function {
    /// How many lines it has, signature and closing bracket included.
    pub(crate) fn line_count(&self) -> usize {
        self.lines.end() + 1 - self.lines.start()
    }
}

/// One Rust file, parsed.
pub(crate) struct RustSource {
    /// Path from the root of the repository, with `/`.
    pub(crate) path: String,
    /// The text as written.
    pub(crate) text: String,
    /// The syntax tree, with lines in its spans.
    pub(crate) syntax: syn::File,
    /// All tokens in order.
    pub(crate) tokens: Vec<Token>,
    /// All functions with a body, in order.
    pub(crate) functions: Vec<Function>,
    test_regions: Vec<RangeInclusive<usize>>,
    is_test_file: bool,
}

impl RustSource {
    /// Parses `text`.
    ///
    /// # Errors
    /// If it is not Rust of the edition that the parser knows.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self> {
        let context = || format!("cannot parse `{path}`");
        let syntax = syn::parse_file(text).with_context(context)?;
        // The lexer's error cannot cross threads, so only its text goes on.
        let stream: TokenStream = text.parse().map_err(|error| anyhow!("{error}")).with_context(context)?;
        let mut outline = Outline::default();
        outline.visit_file(&syntax);
        Ok(Self {
            path: path.to_owned(),
            text: text.to_owned(),
            syntax,
            tokens: flatten(stream),
            functions: outline.functions,
            test_regions: outline.test_regions,
            is_test_file: path.split('/').any(|part| part == "tests"),
        })
    }

    /// Parses a sample that is known to be good Rust.
    #[cfg(test)]
    pub(crate) fn sample(path: &str, text: &str) -> Self {
        Self::parse(path, text).expect("the sample parses")
    }

    /// Whether the whole file is test code.
    pub(crate) fn is_test_file(&self) -> bool {
        self.is_test_file
    }

    /// Whether `line`, counted from 1, is test code.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.is_test_file || self.test_regions.iter().any(|region| region.contains(&line))
    }

    /// Whether `name` occurs as an identifier on a line that `is_wanted` accepts.
    pub(crate) fn names(&self, name: &str, is_wanted: impl Fn(usize) -> bool) -> bool {
        self.tokens.iter().any(|token| token.text == name && is_wanted(token.line))
    }

    /// Paths, without `.rs`, of the modules that this file declares under `#[cfg(test)]` and keeps in files of their own.
    fn test_modules(&self) -> Vec<String> {
        let home = match self.path.rsplit_once('/') {
            Some((folder, "lib.rs" | "main.rs")) => folder,
            _ => self.path.trim_end_matches(".rs"),
        };
        let declares = |item: &syn::Item| match item {
            syn::Item::Mod(module) if module.content.is_none() && is_for_tests(&module.attrs) => {
                Some(format!("{home}/{}", module.ident))
            }
            _ => None,
        };
        self.syntax.items.iter().filter_map(declares).collect()
    }
}

/// Marks the files whose modules are declared under `#[cfg(test)]`, and the files below them, as test code.
pub(crate) fn mark_test_files(sources: &mut [RustSource]) {
    let modules: Vec<String> = sources.iter().flat_map(RustSource::test_modules).collect();
    for source in sources {
        source.is_test_file |= modules.iter().any(|module| is_module(&source.path, module));
    }
}

/// Whether the file at `path` is that of `module`, a path without `.rs`, or of a module below it.
pub(crate) fn is_module(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// All tokens of `stream`, those inside brackets too, in order.
pub(crate) fn flatten(stream: TokenStream) -> Vec<Token> {
    let mut tokens = Vec::new();
    flatten_into(stream, &mut tokens);
    tokens
}

fn flatten_into(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Ident(ident) => tokens.push(Token { text: ident.to_string(), line }),
            TokenTree::Punct(punct) => tokens.push(Token { text: punct.as_char().to_string(), line }),
            TokenTree::Literal(_) => {}
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                tokens.push(Token { text: open.to_owned(), line });
                flatten_into(group.stream(), tokens);
                tokens.push(Token { text: close.to_owned(), line: group.span_close().start().line });
            }
        }
    }
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

/// Whether attributes leave their item to tests: `#[cfg(test)]` and its like, `#[test]`, `#[tokio::test]`.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        if attribute.path().is_ident("cfg") {
            return condition_names(attribute, "test") && !condition_names(attribute, "not");
        }
        attribute.path().segments.last().is_some_and(|segment| segment.ident == "test")
    })
}

fn condition_names(attribute: &syn::Attribute, wanted: &str) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    flatten(list.tokens.clone()).iter().any(|token| token.text == wanted)
}

/// Collects functions and test regions on one walk.
#[derive(Default)]
struct Outline {
    functions: Vec<Function>,
    test_regions: Vec<RangeInclusive<usize>>,
}

impl Outline {
    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let lines = signature.span().start().line..=block.span().end().line;
        self.functions.push(Function { name: signature.ident.to_string(), lines });
    }

    fn item(&mut self, attributes: &[syn::Attribute], span: proc_macro2::Span) {
        if is_for_tests(attributes) {
            self.test_regions.push(span.start().line..=span.end().line);
        }
    }
}

impl<'ast> Visit<'ast> for Outline {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.item(&item.attrs, item.span());
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.item(&item.attrs, item.span());
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.item(&item.attrs, item.span());
        visit::visit_item_mod(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.item(&item.attrs, item.span());
        visit::visit_item_impl(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.item(&item.attrs, item.span());
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.item(&item.attrs, item.span());
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.item(&item.attrs, item.span());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_test_items_are_test_lines() {
        let source = RustSource::sample(
            "crates/x/src/lib.rs",
            "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() {}\n}\nfn c() {}\n",
        );
        let lines: Vec<usize> = (1..=6).filter(|line| source.is_test_line(*line)).collect();
        assert_eq!(lines, [2, 3, 4, 5]);
    }

    #[test]
    fn code_for_other_builds_than_tests_is_no_test_code() {
        let source =
            RustSource::sample("crates/x/src/lib.rs", "#[cfg(not(test))]\nfn a() {}\n#[cfg(unix)]\nfn b() {}\n");
        assert!((1..=4).all(|line| !source.is_test_line(line)));
    }

    #[test]
    fn a_module_declared_for_tests_makes_its_files_test_files() {
        let paths =
            ["crates/x/src/lib.rs", "crates/x/src/twin.rs", "crates/x/src/twin/deep.rs", "crates/x/src/twins.rs"];
        let text = |path: &str| if path.ends_with("lib.rs") { "#[cfg(test)]\nmod twin;\nmod twins;\n" } else { "" };
        let mut sources: Vec<RustSource> = paths.iter().map(|path| RustSource::sample(path, text(path))).collect();
        mark_test_files(&mut sources);
        let marks: Vec<bool> = sources.iter().map(RustSource::is_test_file).collect();
        assert_eq!(marks, [false, true, true, false]);
    }

    #[test]
    fn a_function_counts_from_its_signature_to_its_closing_bracket() {
        let source = RustSource::sample(
            "a.rs",
            "/// Docs.\n#[inline]\nfn a() {\n  let _ = 1;\n}\ntrait T { fn b() {} fn c(); }\n",
        );
        let counts: Vec<(&str, usize)> = source.functions.iter().map(|f| (f.name.as_str(), f.line_count())).collect();
        assert_eq!(counts, [("a", 3), ("b", 1)]);
    }

    #[test]
    fn texts_and_comments_hold_no_tokens() {
        let source = RustSource::sample("a.rs", "// sleep()\n/// sleep()\nfn a() { let _ = \"sleep()\"; }\n");
        assert!(!source.names("sleep", |_| true));
    }
}
