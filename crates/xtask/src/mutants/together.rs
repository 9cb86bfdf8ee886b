//! All mutations in one program, which is told at its start which one to have.
//!
//! A build takes many times as long as the tests that notice a mutation, so the body of a function that is broken in two
//! ways becomes a choice of three: `match crate::chosen_mutation() { 17 => {…} 18 => {…} _ => {…} }`. What is outside of
//! a body, or in one that cannot choose, is built [apart](super::slot).

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::mutants::list::{Mutation, SOURCES};
use crate::mutants::slot::Sources;

/// What names the chosen mutation to the program: its place in the list, counted from one.
pub const CHOICE: &str = "PARLOR_MUTATION";
/// What every broken function asks; added to the crate's root.
const CHOOSER: &str = r#"
pub(crate) fn chosen_mutation() -> usize {
    static CHOSEN: std::sync::LazyLock<usize> =
        std::sync::LazyLock::new(|| std::env::var("PARLOR_MUTATION").map_or(0, |number| number.parse().unwrap()));
    *CHOSEN
}
"#;

/// The files that hold all mutations of a list that can be chosen, and which ones these are.
pub struct Together {
    /// Path in the repository, and text.
    pub files: BTreeMap<PathBuf, String>,
    /// For each of the list, whether it is in there.
    pub chosen: Vec<bool>,
}

impl Together {
    /// Leaves all of them to be built by themselves.
    pub fn none(list: &[Mutation]) -> Self {
        Self { files: BTreeMap::new(), chosen: vec![false; list.len()] }
    }

    /// Puts a list of mutations into the sources.
    pub fn of(list: &[Mutation], sources: &Sources) -> Result<Self> {
        let mut files = BTreeMap::new();
        let mut chosen = vec![false; list.len()];
        for (at, mutation) in list.iter().enumerate() {
            let path = Path::new(SOURCES).join(&mutation.entry.file);
            let source = sources.text(&path)?;
            mutation.applied(source)?;
            if !files.contains_key(&path) {
                let bodies = bodies(source).with_context(|| format!("cannot read {}", path.display()))?;
                files.insert(path.clone(), bodies);
            }
            let found = source.find(&mutation.entry.find).map(|start| start..start + mutation.entry.find.len());
            let body = files.get_mut(&path).zip(found).and_then(|(bodies, found)| {
                bodies.iter_mut().find(|body| body.place.start < found.start && found.end < body.place.end)
            });
            if let Some(body) = body {
                body.broken.push(at);
                chosen[at] = true;
            }
        }
        let mut texts = BTreeMap::new();
        for (path, bodies) in files {
            let text = with_choices(sources.text(&path)?, &bodies, list);
            texts.insert(path, text);
        }
        let root = Path::new(SOURCES).join("lib.rs");
        let text = texts.remove(&root).map_or_else(|| sources.text(&root).map(str::to_owned), Ok)?;
        texts.insert(root, text + CHOOSER);
        Ok(Self { files: texts, chosen })
    }
}

/// The body of a function, with its braces, and the mutations in it.
struct Body {
    place: Range<usize>,
    broken: Vec<usize>,
}

/// The source with a choice in each body that has mutations.
fn with_choices(source: &str, bodies: &[Body], list: &[Mutation]) -> String {
    let mut text = String::new();
    let mut done = 0;
    for Body { place, broken } in bodies.iter().filter(|body| !body.broken.is_empty()) {
        let body = &source[place.clone()];
        text.push_str(&source[done..place.start]);
        text.push_str("{ match crate::chosen_mutation() {\n");
        for &at in broken {
            let entry = &list[at].entry;
            text.push_str(&format!("{} => {}\n", at + 1, body.replacen(&entry.find, &entry.with, 1)));
        }
        text.push_str(&format!("_ => {body}\n}} }}"));
        done = place.end;
    }
    text.push_str(&source[done..]);
    text
}

/// The bodies that can choose, in their order. One in another is a part of it.
fn bodies(source: &str) -> Result<Vec<Body>> {
    let mut found = Functions(Vec::new());
    found.visit_file(&syn::parse_file(source)?);
    Ok(found.0.into_iter().map(|place| Body { place, broken: Vec::new() }).collect())
}

struct Functions(Vec<Range<usize>>);

impl Functions {
    /// A constant function cannot ask, and a type that is not named cannot be made in two ways.
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let mut unnamed = Unnamed(false);
        unnamed.visit_return_type(&signature.output);
        if signature.constness.is_none() && !unnamed.0 {
            self.0.push(block.span().byte_range());
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig, &function.block);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
    }
}

/// Whether a type has an `impl Trait` in it.
struct Unnamed(bool);

impl<'ast> Visit<'ast> for Unnamed {
    fn visit_type_impl_trait(&mut self, unnamed: &'ast syn::TypeImplTrait) {
        self.0 = true;
        visit::visit_type_impl_trait(self, unnamed);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Together;
    use crate::mutants::list::{self, Entry, Mutation};
    use crate::mutants::slot::Sources;

    fn mutation(file: &str, find: &str, with: &str) -> Mutation {
        let (file, find, with) = (file.to_owned(), find.to_owned(), with.to_owned());
        let entry = Entry { harm: "Harm.".to_owned(), file, find, with, equivalent: None };
        Mutation { id: "R1-some".to_owned(), entry }
    }

    #[test]
    fn a_body_chooses_and_what_cannot_is_left_out() {
        let text = "const A: u8 = 1;\nfn f(x: u8) -> u8 {\n    x + 2\n}\nconst fn g() -> u8 {\n    3\n}\n\
                    fn h() -> impl Iterator<Item = u8> {\n    [4].into_iter()\n}\n// ü\nstruct S;\nimpl S {\n    \
                    fn i() -> u8 {\n        5\n    }\n}\n";
        let sources = Sources::of([("crates/core/src/a.rs", text), ("crates/core/src/lib.rs", "mod a;\n")]);
        let list = [("2", "0"), ("= 1", "= 0"), ("3", "0"), ("4", "0"), ("5", "6"), ("x +", "x -")];
        let list = list.map(|(find, with)| mutation("a.rs", find, with));
        let together = Together::of(&list, &sources).expect("all in one");
        assert_eq!(together.chosen, [true, false, false, false, true, true]);
        let mixed = &together.files[Path::new("crates/core/src/a.rs")];
        let chosen = text
            .replace(
                "{\n    x + 2\n}",
                "{ match crate::chosen_mutation() {\n1 => {\n    x + 0\n}\n6 => {\n    x - 2\n}\n_ => {\n    x + 2\n}\n} }",
            )
            .replace(
                "{\n        5\n    }",
                "{ match crate::chosen_mutation() {\n5 => {\n        6\n    }\n_ => {\n        5\n    }\n} }",
            );
        assert_eq!(*mixed, chosen);
        assert!(together.files[Path::new("crates/core/src/lib.rs")].starts_with("mod a;\n"));
        assert!(Together::of(&[mutation("a.rs", "nowhere", "")], &sources).is_err());
    }

    /// A list of which much had to be built apart would take too long to be run often.
    #[test]
    fn nearly_all_can_be_chosen() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let list = list::read(root).expect("a list");
        let together = Together::of(&list, &Sources::read(root).expect("sources")).expect("all in one");
        let apart = together.chosen.iter().zip(&list).filter(|(chosen, _)| !**chosen);
        let apart: Vec<&str> = apart.map(|(_, mutation)| mutation.id.as_str()).collect();
        assert!(apart.len() <= 12, "{apart:?}");
        for (path, text) in &together.files {
            syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}
