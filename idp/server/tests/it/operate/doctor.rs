//! `gait doctor`.

use super::server::Server;
use crate::harness::MailServer;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;

/// What it found, by check: states and details.
async fn findings(server: &Server, args: &[&str]) -> (bool, Vec<(String, String, String)>) {
    let output = server.run(&[&["doctor", "--json"][..], args].concat()).await;
    let lines: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let lines = lines
        .iter()
        .map(|line| (text(line, "check"), text(line, "state"), text(line, "detail")))
        .collect();
    (output.status.success(), lines)
}

fn state<'a>(findings: &'a [(String, String, String)], check: &str) -> &'a str {
    let found = findings.iter().find(|(name, ..)| name == check);
    found.map_or("", |(_, state, _)| state)
}

#[tokio::test]
async fn what_is_well_is_ok_and_what_is_not_there_yet_is_no_failure() {
    let mut server = Server::configured(|base| base);
    let (_, before) = findings(&server, &[]).await;
    assert_eq!(state(&before, "master key"), "warn", "{before:?}");
    assert_eq!(state(&before, "database"), "warn", "{before:?}");
    assert!(!server.path("data").exists(), "it only looks");

    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(server.path("gait.toml"), private).unwrap();
    server.serve().await;
    let (well, found) = findings(&server, &[]).await;
    for check in [
        "configuration",
        "permissions",
        "clock",
        "disk",
        "address",
        "trusted_proxies",
        "themes",
        "plugins",
        "master key",
        "database",
        "signing keys",
        "outbox",
        "issuer",
    ] {
        assert_eq!(state(&found, check), "ok", "{check}: {found:?}");
    }
    // Nobody takes mail on port 25 of this machine.
    assert_eq!(state(&found, "mail"), "fail", "{found:?}");
    assert!(!well);
    let printed = server.run(&["doctor"]).await;
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.contains("ok    signing keys: ES256: 0 days old"), "{printed}");
    assert!(printed.contains("FAIL  mail: ") && printed.contains("      -> "), "{printed}");
}

#[tokio::test]
async fn each_thing_that_is_wrong_fails_by_its_name() {
    let server = Server::configured(|base| {
        let base = base.replace("plan = [[\"password\"]]", "plan = [[\"password\", \"nonsense\"]]");
        format!("trusted_proxies = [\"0.0.0.0/0\"]\ntheme = \"broken\"\n{base}")
    });
    server.write("themes/broken/theme.toml", "name = \"broken\"\n");
    server.write("themes/broken/pages/sign-in.html", "{{ page.nothing }}");
    server.write(
        "data/gait.db",
        "this is no database, but it is long enough to be looked at as one",
    );
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(server.path("data/gait.db"), open.clone()).unwrap();
    std::fs::set_permissions(server.path("gait.toml"), open).unwrap();
    let (well, found) = findings(&server, &[]).await;
    for check in ["trusted_proxies", "themes", "plugins", "master key", "database", "mail"] {
        assert_eq!(state(&found, check), "fail", "{check}: {found:?}");
    }
    let permissions: Vec<_> = found.iter().filter(|(check, ..)| check == "permissions").collect();
    assert!(
        permissions
            .iter()
            .any(|(_, state, detail)| state == "fail" && detail.contains("gait.db"))
    );
    assert!(
        permissions
            .iter()
            .any(|(_, state, detail)| state == "warn" && detail.contains("gait.toml"))
    );
    assert_eq!(state(&found, "issuer"), "warn", "nobody serves: {found:?}");
    assert!(!well);
}

#[tokio::test]
async fn a_configuration_that_can_not_be_read_is_the_one_failure() {
    let server = Server::configured(|base| format!("nonsense = 1\n{base}"));
    let (well, found) = findings(&server, &[]).await;
    assert!(!well && found.len() == 1, "{found:?}");
    assert!(found[0].2.contains("gait.toml:1: unknown field `nonsense`"), "{found:?}");
}

#[tokio::test]
async fn one_mail_is_sent_where_it_is_asked_for_and_none_otherwise() {
    let sink = MailServer::start().await;
    let port = format!("tls = \"none\"\nport = {}", sink.port);
    let server = Server::configured(|base| base.replace("tls = \"none\"", &port));
    let (_, found) = findings(&server, &[]).await;
    assert_eq!(state(&found, "mail"), "ok", "{found:?}");
    assert_eq!(sink.arrived().len(), 0);
    let (_, found) = findings(&server, &["--mail-to", "operator@example.test"]).await;
    assert_eq!(state(&found, "mail"), "ok", "{found:?}");
    assert_eq!(sink.arrived().len(), 1);
}
