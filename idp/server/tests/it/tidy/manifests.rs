//! The manifests: every line is needed, and every crate keeps the workspace's lints.

use super::{Source, assert_none, sources};
use toml::Table;

const ROOT: &str = "Cargo.toml";
const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

fn manifests(sources: &[Source]) -> Vec<(&Source, Table)> {
    let manifests = sources
        .iter()
        .filter(|source| source.path == ROOT || source.path.ends_with("/Cargo.toml"));
    manifests.map(|source| (source, source.text.parse().unwrap())).collect()
}

fn dependencies(manifest: &Table) -> impl Iterator<Item = &str> {
    let sections = SECTIONS.iter().filter_map(|section| manifest.get(*section)?.as_table());
    sections.flat_map(|section| section.keys().map(String::as_str))
}

/// Lines of the workspace's table that no crate uses.
fn unused_in_workspace(sources: &[Source]) -> Vec<String> {
    let manifests = manifests(sources);
    let (_, root) = manifests.iter().find(|(source, _)| source.path == ROOT).unwrap();
    let declared = root["workspace"]["dependencies"].as_table().unwrap().keys();
    let is_used = |name: &str| {
        manifests
            .iter()
            .any(|(_, manifest)| dependencies(manifest).any(|used| used == name))
    };
    declared
        .filter(|name| !is_used(name))
        .map(|name| format!("{ROOT}: no crate uses {name}"))
        .collect()
}

/// Dependencies of a crate that none of its files names.
fn unused_in_crates(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (source, manifest) in manifests(sources) {
        let folder = source.path.trim_end_matches("Cargo.toml");
        let files: Vec<_> = sources
            .iter()
            .filter(|file| file.path.ends_with(".rs") && file.is_below(folder))
            .collect();
        for name in dependencies(&manifest) {
            let item = name.replace('-', "_");
            if !files.iter().any(|file| names(&file.text, &item)) {
                complaints.push(format!("{}: nothing here uses {name}", source.path));
            }
        }
    }
    complaints
}

/// True if the word stands in the text by itself.
fn names(text: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word)
        .any(|(at, _)| !is_part(text[..at].chars().next_back()) && !is_part(text[at + word.len()..].chars().next()))
}

fn without_lints(sources: &[Source]) -> Vec<String> {
    let lax = manifests(sources).into_iter().filter(|(source, manifest)| {
        let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
        source.path != ROOT && inherits != Some(true)
    });
    lax.map(|(source, _)| format!("{}: [lints] workspace = true is missing", source.path))
        .collect()
}

#[test]
fn every_dependency_is_used() {
    let sources = sources();
    assert_none(&[unused_in_workspace(&sources), unused_in_crates(&sources)].concat());
}

#[test]
fn every_crate_keeps_the_lints() {
    assert_none(&without_lints(&sources()));
}

#[test]
fn a_line_that_is_not_needed_is_noticed() {
    let sources = [
        Source::new(ROOT, "[workspace.dependencies]\nserde = \"1\"\nrand = \"0.8\"\nurl = \"2\"\n"),
        Source::new(
            "a/Cargo.toml",
            "[dependencies]\nserde.workspace = true\n[dev-dependencies]\nurl.workspace = true\n",
        ),
        Source::new("a/src/lib.rs", "use serde::Serialize; fn curl() {}"),
    ];
    assert_eq!(unused_in_workspace(&sources), ["Cargo.toml: no crate uses rand"]);
    assert_eq!(unused_in_crates(&sources), ["a/Cargo.toml: nothing here uses url"]);
    assert_eq!(without_lints(&sources), ["a/Cargo.toml: [lints] workspace = true is missing"]);
}
