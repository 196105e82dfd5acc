//! docker-compose.yml and the files that it mounts. There is no container engine where the tests run: `cargo xtask cluster --check` runs
//! the same files as processes.

use super::{assert_none, root};
use gait::config::Config;
use std::path::Path;

/// Paths from the top that a compose file mounts or builds from.
fn mounted(compose: &str) -> Vec<&str> {
    let starts = compose.match_indices("./").map(|(at, _)| &compose[at + 2..]);
    starts
        .map(|rest| rest.split([':', '"', ' ', '\n', ',']).next().unwrap_or(rest))
        .collect()
}

fn missing(compose: &str, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let dead = mounted(compose).into_iter().filter(|path| !exists(Path::new(path)));
    dead.map(|path| format!("docker-compose.yml: {path} doesn't exist")).collect()
}

#[test]
fn what_docker_compose_mounts_exists() {
    let compose = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    assert!(mounted(&compose).contains(&"examples/compose/gait.toml"));
    assert_none(&missing(&compose, |path| root().join(path).exists()));
}

#[test]
fn a_mount_of_nothing_is_noticed() {
    let compose = "volumes: [\"./examples/gone.toml:/etc/gone.toml:ro\"]\n  - ./examples/there:/x\n";
    let complaints = missing(compose, |path| path == Path::new("examples/there"));
    assert_eq!(complaints, ["docker-compose.yml: examples/gone.toml doesn't exist"]);
}

#[test]
fn the_nodes_of_docker_compose_have_a_valid_configuration_without_a_secret_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    for name in ["app-client-secret", "api-client-secret", "signal-secret"] {
        write(name, "a-secret-that-is-made-at-the-first-start");
    }
    write("database-url", "postgres://gait:x@postgres:5432/gait");
    write("redis-url", "redis://:x@redis:6379/");
    let jwks = root().join("examples/relying-party/demo-signal-jwks.json");
    let text = std::fs::read_to_string(root().join("examples/compose/gait.toml")).unwrap();
    assert!(!text.contains("\nsecret = "), "each secret is made, none is written");
    let text = text
        .replace("/run/secrets", folder.path().to_str().unwrap())
        .replace("/etc/gait/demo-signal-jwks.json", jwks.to_str().unwrap());
    let config = Config::parse(&text, "gait.toml", folder.path()).unwrap();
    assert!(config.database.is_some() && config.redis.is_some() && config.elasticsearch.is_some());
    assert_eq!((config.clients.len(), config.accounts.len()), (2, 2));
}
