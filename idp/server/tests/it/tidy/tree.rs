//! The tree: what stands at the top, and which migrations there are.

use super::{assert_none, root};
use std::collections::BTreeMap;
use std::path::Path;

/// What a visitor of the repository sees first. Tool settings hide behind dots.
const TOP: [&str; 10] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "db",
    "docker-compose.yml",
    "examples",
    "idp",
    "plugins",
    "themes",
];

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Cargo's folder is no part of the repository.
fn strangers(names: &[String]) -> Vec<String> {
    let visible = names.iter().filter(|name| !name.starts_with('.') && *name != "target");
    visible
        .filter(|name| !TOP.contains(&name.as_str()))
        .map(|name| format!("{name} may not stand at the top"))
        .collect()
}

/// Each engine has the same migrations, numbered from 0001 without a gap.
fn bad_migrations(engines: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (engine, files) in engines {
        for (i, file) in files.iter().enumerate() {
            let number = format!("{:04}_", i + 1);
            if !file.starts_with(&number) || !file.ends_with(".sql") {
                complaints.push(format!("{engine}: {file} should be {number}….sql"));
            }
        }
        if files.is_empty() {
            complaints.push(format!("{engine}: no migration"));
        }
    }
    let first = engines.values().next();
    if engines.values().any(|files| Some(files) != first) {
        complaints.push(format!("the engines' migrations differ: {engines:?}"));
    }
    complaints
}

#[test]
fn the_top_is_as_small_as_it_was_meant() {
    assert_none(&strangers(&names(&root())));
}

#[test]
fn migrations_are_numbered_and_the_same_for_every_engine() {
    let folder = root().join("db/migrations");
    let engines: BTreeMap<_, _> = names(&folder)
        .into_iter()
        .map(|engine| (engine.clone(), names(&folder.join(engine))))
        .collect();
    assert!(engines.contains_key("sqlite"));
    assert_none(&bad_migrations(&engines));
}

#[test]
fn a_stranger_and_a_gap_are_noticed() {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(
        strangers(&owned(&[".git", "idp", "scripts", "target"])),
        ["scripts may not stand at the top"]
    );
    let engines = |sqlite: &[&str], postgres: &[&str]| {
        BTreeMap::from([("sqlite".to_owned(), owned(sqlite)), ("postgres".to_owned(), owned(postgres))])
    };
    assert!(bad_migrations(&engines(&["0001_a.sql", "0002_b.sql"], &["0001_a.sql", "0002_b.sql"])).is_empty());
    assert_eq!(
        bad_migrations(&engines(&["0001_a.sql", "0003_b.sql"], &["0001_a.sql", "0003_b.sql"])).len(),
        2
    );
    assert_eq!(bad_migrations(&engines(&["0001_a.sql"], &["0001_b.sql"])).len(), 1);
    assert!(!bad_migrations(&engines(&[], &[])).is_empty());
}
