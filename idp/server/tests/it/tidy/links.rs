//! What the documents point to exists.

use super::{Source, assert_none, root, sources};
use std::path::Path;

const FOLDERS: [&str; 5] = ["idp/", "plugins/", "themes/", "db/", "examples/"];

/// Targets of `[words](target)` that are files: relative to the document's folder, without an anchor.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with('#') && !target.starts_with("mailto:"));
    files.filter_map(|target| target.split('#').next()).collect()
}

/// Paths from the top in backquotes. One with a placeholder or a list in it stands for many and isn't looked at.
fn paths(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path =
        |word: &&str| FOLDERS.iter().any(|folder| word.starts_with(folder)) && !word.contains(['{', '*', '…', ' ', '<']);
    quoted.filter(is_path).collect()
}

fn dangling(document: &Source, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let folder = Path::new(&document.path).parent().unwrap();
    let linked = links(&document.text).into_iter().map(|target| (target, folder.join(target)));
    let named = paths(&document.text).into_iter().map(|target| (target, target.into()));
    let dead = linked.chain(named).filter(|(_, path)| !exists(path));
    dead.map(|(target, _)| format!("{}: {target} doesn't exist", document.path))
        .collect()
}

#[test]
fn every_path_in_a_document_exists() {
    let documents: Vec<_> = sources().into_iter().filter(|source| source.path.ends_with(".md")).collect();
    for needed in ["README.md", "idp/ARCHITECTURE.md", "db/README.md"] {
        assert!(
            documents.iter().any(|document| document.path == needed),
            "{needed} is missing"
        );
    }
    let dead: Vec<_> = documents
        .iter()
        .flat_map(|document| dangling(document, |path| root().join(path).exists()))
        .collect();
    assert_none(&dead);
}

#[test]
fn a_dead_link_is_noticed() {
    let text = "[a](lib.rs) [b](gone.md#x) [c](https://example.com) [d](#here) `idp/core` `idp/gone.rs` `plugins/{a,b}` `db/`";
    let document = Source::new("idp/README.md", text);
    let exists = |path: &Path| ["idp/lib.rs", "idp/core", "db/"].iter().any(|known| path == Path::new(known));
    assert_eq!(
        dangling(&document, exists),
        [
            "idp/README.md: gone.md doesn't exist",
            "idp/README.md: idp/gone.rs doesn't exist"
        ]
    );
}

#[test]
fn the_readmes_configuration_is_valid() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let example = readme
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let secrets = tempfile::tempdir().unwrap();
    std::fs::write(secrets.path().join("smtp-password"), "of the mail server\n").unwrap();
    let example = example.replace("/etc/gait", secrets.path().to_str().unwrap());
    let config = gait::config::Config::parse(&example, "README.md", &root()).unwrap();
    assert_eq!(config.clients.len(), 1);
    assert!(config.smtp.is_some());
}
