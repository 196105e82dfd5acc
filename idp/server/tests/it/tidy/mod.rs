//! The house's invariants, as far as a machine can see them. Each rule is a function from what it looks at to its complaints, so
//! that it can be shown to fail.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod compose;
mod crates;
mod dashboard;
mod links;
mod manifests;
mod rules;
mod secrets;
mod tree;

use std::path::{Path, PathBuf};

/// A text file of the repository.
struct Source {
    /// Relative to the top, with slashes.
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    fn is_below(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    fn is_test(&self) -> bool {
        self.path.contains("/tests/")
    }

    /// The lines that are compiled into the product, with their numbers: no comments, and nothing from the test module on, which
    /// stands last.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().map(str::trim).enumerate();
        lines
            .take_while(|(_, line)| *line != "#[cfg(test)]")
            .filter(|(_, line)| !line.starts_with("//"))
            .map(|(i, line)| (i + 1, line))
    }
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap().to_owned()
}

/// Every text file that people write here.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root(), &root(), &mut found);
    assert!(found.len() > 100, "only {} files found: the walk is broken", found.len());
    found
}

fn collect(top: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !matches!(name.as_str(), "target" | "node_modules" | "__pycache__") {
                collect(top, &path, found);
            }
            continue;
        }
        let kind = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        if matches!(
            kind.as_str(),
            "rs" | "js" | "mjs" | "css" | "html" | "toml" | "md" | "sql" | "ftl" | "py"
        ) {
            let relative = path.strip_prefix(top).unwrap().to_string_lossy().replace('\\', "/");
            found.push(Source {
                path: relative,
                text: std::fs::read_to_string(&path).unwrap(),
            });
        }
    }
}

#[track_caller]
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
