//! `gait doctor`.

use super::server::Server;
use crate::harness::{Keys, MailServer, Search, postgres};
use gait::store::Database;
use serde_json::Value;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher as _};
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

/// The files of the data folder: their names, and a hash of what is in them.
fn files(server: &Server) -> BTreeMap<String, u64> {
    let entries = std::fs::read_dir(server.path("data")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let read = paths.map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mut hasher = DefaultHasher::new();
        hasher.write(&std::fs::read(path).unwrap());
        (name, hasher.finish())
    });
    read.collect()
}

fn details<'a>(findings: &'a [(String, String, String)], check: &str) -> Vec<&'a str> {
    let of_it = findings.iter().filter(|(name, ..)| name == check);
    of_it.map(|(_, _, detail)| detail.as_str()).collect()
}

/// Whoever asks what is wrong must not have mended it by asking, nor have made what a first start makes.
#[tokio::test]
async fn a_database_that_nobody_has_served_stays_as_empty_as_it_was() {
    let server = Server::configured(|base| base);
    std::fs::create_dir(server.path("data")).unwrap();
    let database = Database::sqlite(server.path("data/gait.db")).await.unwrap();
    database.close().await;
    drop(database);
    let before = files(&server);
    let (_, found) = findings(&server, &[]).await;
    assert_eq!(state(&found, "master key"), "fail", "{found:?}");
    assert_eq!(state(&found, "database"), "ok", "{found:?}");
    assert_eq!(state(&found, "signing keys"), "warn", "{found:?}");
    assert_eq!(details(&found, "signing keys"), ["not made yet"]);
    assert_eq!(files(&server), before);

    server.write("data/master.key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(server.path("data/master.key"), private).unwrap();
    let before = files(&server);
    let (_, found) = findings(&server, &[]).await;
    assert_eq!(state(&found, "master key"), "ok", "{found:?}");
    assert_eq!(details(&found, "signing keys"), ["not made yet"]);
    assert_eq!(files(&server), before);
}

#[tokio::test]
async fn postgres_and_redis_of_a_new_deployment_stay_empty() {
    let (url, keys) = (postgres::empty().await, Keys::new());
    let services = format!(
        "[database]\nurl = \"{url}\"\n[redis]\nurl = \"{}\"\nprefix = \"{}\"\n",
        keys.url, keys.prefix
    );
    let server = Server::configured(|base| base + &services);
    let (_, found) = findings(&server, &[]).await;
    assert_eq!(state(&found, "database"), "warn", "{found:?}");
    assert_eq!(details(&found, "database"), ["not made yet"]);
    assert_eq!(
        count(&url, "information_schema.tables WHERE table_schema = 'public'").await,
        0
    );

    let database = postgres::open(&url).await;
    let (_, found) = findings(&server, &[]).await;
    assert_eq!(state(&found, "database"), "ok", "{found:?}");
    assert_eq!(details(&found, "signing keys"), ["not made yet"]);
    assert_eq!(state(&found, "outbox"), "ok", "{found:?}");
    for table in ["signing_key", "setting", "client", "account", "lease"] {
        assert_eq!(count(&url, table).await, 0, "{table}");
    }
    assert!(found.iter().any(|(check, ..)| check == "redis"), "{found:?}");
    assert_eq!(keys.all().await, Vec::<String>::new());
    drop(database);
}

async fn count(url: &str, table: &str) -> i64 {
    let mut db = <sqlx::PgConnection as sqlx::Connection>::connect(url).await.unwrap();
    let sql = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
    sqlx::query_scalar(sql).fetch_one(&mut db).await.unwrap()
}

#[tokio::test]
async fn a_master_key_of_another_database_is_noticed() {
    let mut server = Server::start().await;
    server.stop().await;
    let (_, found) = findings(&server, &[]).await;
    assert_eq!(state(&found, "database"), "ok", "{found:?}");
    server.write("data/master.key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
    let (_, found) = findings(&server, &[]).await;
    assert_eq!(state(&found, "database"), "fail", "{found:?}");
    assert!(
        details(&found, "database")[0].contains("the signing keys can't be opened"),
        "{found:?}"
    );
}

#[tokio::test]
async fn elasticsearch_is_looked_at_and_what_is_missing_is_named() {
    let mut search = Search::down();
    let server = Server::configured(|base| base + &search.config());
    let (_, found) = findings(&server, &[]).await;
    assert_eq!(state(&found, "elasticsearch"), "fail", "{found:?}");

    search.up().await;
    search.is_of("7.17.29");
    let (_, found) = findings(&server, &[]).await;
    assert!(details(&found, "elasticsearch")[0].contains("8 or newer"), "{found:?}");

    search.is_of("9.1.2");
    let (_, found) = findings(&server, &[]).await;
    let told = details(&found, "elasticsearch");
    assert_eq!((state(&found, "elasticsearch"), told[0]), ("ok", "answers, version 9.1.2"));
    for part in [
        "lifecycle policy gait-events",
        "component template gait-fields",
        "index template gait-requests",
        "data stream logs-gait.events-default",
    ] {
        assert!(told[1].starts_with("missing: ") && told[1].contains(part), "{part}: {told:?}");
    }
    assert!(search.put().is_empty(), "nothing is installed by looking");

    server.output(&["elasticsearch", "setup"]).await;
    let (_, found) = findings(&server, &[]).await;
    assert_eq!(details(&found, "elasticsearch"), ["answers, version 9.1.2"]);
    search.hides("/_ilm/");
    let (_, found) = findings(&server, &[]).await;
    let told = details(&found, "elasticsearch");
    assert!(
        told[1].starts_with("may not be looked at") && told[1].contains("lifecycle policy gait-events"),
        "{told:?}"
    );

    server.configure(&server.configuration().replace(crate::harness::search::KEY, "bm8="));
    let (_, found) = findings(&server, &[]).await;
    assert_eq!(state(&found, "elasticsearch"), "fail", "{found:?}");
    assert!(details(&found, "elasticsearch")[0].contains("status 401"), "{found:?}");
}

#[cfg(feature = "otlp")]
#[tokio::test]
async fn a_collector_of_traces_is_asked_with_nothing() {
    use crate::harness::spans::{KEY, Spans};
    let collector = Spans::start().await;
    let server = Server::configured(|base| base + &collector.config(""));
    let (_, found) = findings(&server, &[]).await;
    assert_eq!(state(&found, "otlp"), "ok", "{found:?}");
    assert!(collector.spans().is_empty());
    server.configure(&server.configuration().replace(KEY, "Bearer nobody"));
    let (_, found) = findings(&server, &[]).await;
    assert_eq!(state(&found, "otlp"), "fail", "{found:?}");
    assert!(details(&found, "otlp")[0].contains("401"), "{found:?}");
}

#[tokio::test]
async fn a_secret_that_everybody_can_read_is_named_whatever_it_is_called() {
    let server = Server::configured(|base| {
        let search = "[elasticsearch]\nurls = [\"http://127.0.0.1:9\"]\napi_key_file = \"search-key\"\n";
        format!("{base}{search}")
    });
    server.write("search-key", "YWJj");
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(server.path("search-key"), open).unwrap();
    let (_, found) = findings(&server, &[]).await;
    let told = details(&found, "permissions");
    assert!(
        told.iter().any(|detail| detail.contains("search-key: everybody can read")),
        "{told:?}"
    );
}
