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

/// What a migration after the first may do: the nodes of the version before still serve. An index is nothing that they could miss.
const ADDS: [&str; 5] = [
    "CREATE TABLE ",
    "CREATE INDEX ",
    "CREATE UNIQUE INDEX ",
    "INSERT INTO ",
    "DROP INDEX ",
];

/// Statements that would break a node that doesn't know them.
fn breaking(sql: &str) -> Vec<String> {
    let lines = sql.lines().filter(|line| !line.trim_start().starts_with("--"));
    let text = lines.collect::<Vec<_>>().join(" ");
    let statements = text
        .split(';')
        .map(|statement| statement.split_whitespace().collect::<Vec<_>>().join(" "));
    statements
        .filter(|statement| !statement.is_empty() && !only_adds(&statement.to_uppercase()))
        .collect()
}

fn only_adds(statement: &str) -> bool {
    if let Some((_, change)) = statement.strip_prefix("ALTER TABLE ").and_then(|rest| rest.split_once(' ')) {
        let may_be_absent = !change.contains("NOT NULL") || change.contains(" DEFAULT ");
        return change.starts_with("ADD COLUMN ") && may_be_absent && !change.contains(" UNIQUE");
    }
    ADDS.iter().any(|start| statement.starts_with(start))
}

#[test]
fn migrations_after_the_first_only_add() {
    for engine in ["sqlite", "postgres"] {
        let folder = root().join("db/migrations").join(engine);
        for name in names(&folder).into_iter().skip(1) {
            let sql = std::fs::read_to_string(folder.join(&name)).unwrap();
            let complaints: Vec<_> = breaking(&sql)
                .iter()
                .map(|statement| format!("{engine}/{name}: {statement}"))
                .collect();
            assert_none(&complaints);
        }
    }
}

#[test]
fn a_migration_that_breaks_the_version_before_is_noticed() {
    let fine = "-- DROP TABLE is only a word here\nCREATE TABLE a (b BIGINT NOT NULL);\nCREATE INDEX c ON a (b);
                ALTER TABLE token ADD COLUMN d BIGINT; ALTER TABLE token ADD COLUMN e BIGINT NOT NULL DEFAULT 0;";
    assert_none(&breaking(fine));
    for breaks in [
        "DROP TABLE token",
        "ALTER TABLE token DROP COLUMN scopes",
        "ALTER TABLE token RENAME COLUMN scopes TO scope",
        "ALTER TABLE token ADD COLUMN d BIGINT NOT NULL",
        "ALTER TABLE token ADD COLUMN d BIGINT DEFAULT 0 UNIQUE",
        "UPDATE token SET kind = 'x'",
        "DELETE FROM token",
    ] {
        assert_eq!(breaking(breaks).len(), 1, "{breaks}");
    }
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
    assert!(engines.contains_key("sqlite") && engines.contains_key("postgres"));
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
