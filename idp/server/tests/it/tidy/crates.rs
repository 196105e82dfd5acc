//! Who may depend on whom, by what cargo resolved.

use super::{assert_none, root};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// What the rules must not know.
const WIRES: [&str; 14] = [
    "axum",
    "axum-core",
    "elasticsearch",
    "hyper",
    "lettre",
    "minijinja",
    "redis",
    "reqwest",
    "rustls",
    "sqlx",
    "sqlx-core",
    "tower",
    "tower-http",
    "tower-service",
];

/// A crate: where it lives if it is ours, and what it depends on, by name.
#[derive(Default)]
struct Crate {
    /// Folder relative to the top; empty for crates of others.
    folder: String,
    /// Linked into it.
    normal: BTreeSet<String>,
    /// Those, and what its tests and build use.
    all: BTreeSet<String>,
}

/// Crates by name; two versions of one crate count as one.
#[derive(Default)]
struct Graph(BTreeMap<String, Crate>);

impl Graph {
    /// As cargo resolves it for this machine, with every feature of ours.
    fn resolved() -> Self {
        let arguments = [
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--all-features",
            "--filter-platform",
            &host(),
        ];
        let output = Command::new(env!("CARGO"))
            .args(arguments)
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self::read(&serde_json::from_slice(&output.stdout).unwrap())
    }

    fn read(metadata: &Value) -> Self {
        let top = root().to_string_lossy().into_owned();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let names: BTreeMap<_, _> = list(&metadata["packages"])
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let mut graph = Self::default();
        for package in list(&metadata["packages"]).filter(|package| package["source"].is_null()) {
            let manifest = text(&package["manifest_path"]);
            let folder = manifest
                .strip_prefix(&top)
                .unwrap()
                .trim_start_matches('/')
                .trim_end_matches("/Cargo.toml");
            graph.0.entry(text(&package["name"])).or_default().folder = folder.to_owned();
        }
        for node in list(&metadata["resolve"]["nodes"]) {
            let entry = graph.0.entry(names[&text(&node["id"])].clone()).or_default();
            for dependency in list(&node["deps"]) {
                let name = names[&text(&dependency["pkg"])].clone();
                if list(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null()) {
                    entry.normal.insert(name.clone());
                }
                entry.all.insert(name);
            }
        }
        graph
    }

    fn ours(&self) -> impl Iterator<Item = (&str, &Crate)> {
        self.0
            .iter()
            .filter(|(_, krate)| !krate.folder.is_empty())
            .map(|(name, krate)| (name.as_str(), krate))
    }

    /// Everything that is linked with it.
    fn linked(&self, name: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open = vec![name];
        while let Some(next) = open.pop() {
            for dependency in self.0.get(next).into_iter().flat_map(|krate| &krate.normal) {
                if found.insert(dependency.as_str()) {
                    open.push(dependency);
                }
            }
        }
        found
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

fn knows_no_wire(graph: &Graph, name: &str) -> Vec<String> {
    let linked = graph.linked(name);
    WIRES
        .iter()
        .filter(|wire| linked.contains(*wire))
        .map(|wire| format!("{name} depends on {wire}: the rules know no wire"))
        .collect()
}

/// Of our crates, `name` may use these alone, its tests included.
fn uses_of_ours(graph: &Graph, name: &str, allowed: &[&str]) -> Vec<String> {
    let ours: BTreeSet<_> = graph.ours().map(|(name, _)| name).collect();
    let direct = graph.0.get(name).into_iter().flat_map(|krate| &krate.all).map(String::as_str);
    let used: BTreeSet<_> = direct
        .chain(graph.linked(name))
        .filter(|used| ours.contains(used) && *used != name)
        .collect();
    let foreign = used.into_iter().filter(|used| !allowed.contains(used));
    foreign
        .map(|used| format!("{name} depends on {used}, and may only on {allowed:?}"))
        .collect()
}

fn plugins(graph: &Graph) -> Vec<&str> {
    let plugins = graph
        .ours()
        .filter(|(name, krate)| krate.folder.starts_with("plugins/") && *name != "gait-sdk");
    plugins.map(|(name, _)| name).collect()
}

#[test]
fn dependencies_point_where_they_must() {
    let graph = Graph::resolved();
    let plugins = plugins(&graph);
    assert!(plugins.len() >= 4, "{plugins:?}");
    let mut complaints = Vec::new();
    for name in ["gait-core", "gait-sdk"].into_iter().chain(plugins.iter().copied()) {
        assert!(!graph.linked(name).is_empty(), "{name} is gone");
        complaints.extend(knows_no_wire(&graph, name));
    }
    complaints.extend(uses_of_ours(&graph, "gait-sdk", &[]));
    complaints.extend(uses_of_ours(&graph, "gait-core", &["gait-sdk"]));
    complaints.extend(uses_of_ours(&graph, "relying-party", &[]));
    for plugin in plugins {
        complaints.extend(uses_of_ours(&graph, plugin, &["gait-sdk"]));
    }
    assert_none(&complaints);
}

#[test]
fn a_wrong_dependency_is_noticed() {
    let krate = |folder: &str, normal: &[&str], tests: &[&str]| Crate {
        folder: folder.to_owned(),
        normal: normal.iter().map(|&name| name.to_owned()).collect(),
        all: normal.iter().chain(tests).map(|&name| name.to_owned()).collect(),
    };
    let graph = Graph(
        [
            ("gait-sdk", krate("plugins/sdk", &["serde"], &[])),
            ("gait-core", krate("idp/core", &["gait-sdk", "client"], &[])),
            ("client", krate("", &["hyper"], &[])),
            ("hyper", krate("", &[], &[])),
            ("gait-sly", krate("plugins/sly", &["gait-sdk"], &["gait-core"])),
        ]
        .map(|(name, krate)| (name.to_owned(), krate))
        .into(),
    );
    assert_eq!(
        knows_no_wire(&graph, "gait-core"),
        ["gait-core depends on hyper: the rules know no wire"]
    );
    assert!(knows_no_wire(&graph, "gait-sdk").is_empty());
    assert_eq!(plugins(&graph), ["gait-sly"]);
    assert_eq!(uses_of_ours(&graph, "gait-sly", &["gait-sdk"]).len(), 1);
    assert!(uses_of_ours(&graph, "gait-core", &["gait-sdk"]).is_empty());
}
