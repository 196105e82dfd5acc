//! Backups: taken while people sign in, and restored on another day or another machine.

use super::server::{ALICE, Server};
use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use gait::config::Config;
use gait::mail::{Catcher, Outlet};
use gait_core::account::{Account, BehaviourConsent, Identifier, WATCH_PURPOSE};
use gait_core::event::{Event, What};
use gait_core::ids::EventId;
use gait_sdk::Timestamp;
use std::os::unix::fs::PermissionsExt as _;

/// A key pair for backups: its private half in `identity`, its public half as the answer.
fn key_pair(server: &Server) -> String {
    let identity = Identity::generate();
    server.write("identity", identity.to_string().expose_secret());
    identity.to_public().to_string()
}

async fn back_up(server: &Server, name: &str) {
    let public = key_pair(server);
    let printed = server.output(&["backup", name, "--recipient", &public]).await;
    assert!(printed.contains("The master key isn't in it"), "{printed}");
}

const RESTORE: [&str; 5] = ["restore", "backup.age", "--identity-file", "identity", "--force"];

/// Files of the data folder that are neither the database nor the key.
fn leftovers(server: &Server) -> Vec<String> {
    let entries = std::fs::read_dir(server.path("data")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names
        .filter(|name| !["gait.db", "gait.db-wal", "gait.db-shm", "gait.db.lock", "master.key"].contains(&name.as_str()))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_was_there_comes_back_and_whoever_was_signed_in_signs_in_again() {
    let mut server = Server::start().await;
    let (app, mut visitor) = (server.web(), server.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let keys = server.keys().await;
    // People go on signing in while it is taken.
    let crowd: Vec<_> = (0..4)
        .map(|_| {
            let (app, mut visitor) = (app.clone(), server.visitor());
            tokio::spawn(async move { app.sign_in(&mut visitor, ALICE).await })
        })
        .collect();
    back_up(&server, "backup.age").await;
    for one in crowd {
        assert!(app.is_active(&one.await.unwrap().access).await);
    }
    assert_eq!(leftovers(&server), [] as [&str; 0], "no plain copy stays behind");
    let sealed = std::fs::read(server.path("backup.age")).unwrap();
    let holds = |text: &str| sealed.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!holds("alice") && !holds("SQLite format"));
    let mode = std::fs::metadata(server.path("backup.age")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    server.output(&["account", "add", "carol"]).await;
    let refused = server.complaint(&RESTORE).await;
    assert!(refused.contains("stop it first"), "{refused}");
    assert!(app.is_active(&tokens.access).await);
    server.stop().await;
    let refused = server.complaint(&RESTORE[..4]).await;
    assert!(refused.contains("with --force it is moved aside"), "{refused}");

    let told = server.output(&RESTORE).await;
    assert!(told.contains("All sessions, grants and tokens are ended"), "{told}");
    server.serve().await;
    assert!(!app.is_active(&tokens.access).await);
    assert_eq!(app.refresh(&tokens.refresh).await.error(), "invalid_grant");
    assert_eq!(app.silently(&mut visitor).await.error(), "login_required");
    assert!(!server.output(&["account", "list"]).await.contains("carol"));
    let restored = server.keys().await;
    assert_eq!(restored, keys);
    let again = app.sign_in(&mut server.visitor(), ALICE).await;
    assert!(app.is_active(&again.access).await);
    let aside = leftovers(&server);
    assert!(aside.len() == 1 && aside[0].starts_with("gait.db.replaced-"), "{aside:?}");
}

#[tokio::test]
async fn a_revoked_token_stays_dead_unless_the_operator_wants_the_sessions_of_then() {
    let mut server = Server::start().await;
    let (app, mut visitor) = (server.web(), server.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    back_up(&server, "backup.age").await;
    app.post("/revoke", &[("token", &tokens.refresh)]).await;
    assert!(!app.is_active(&tokens.access).await);
    server.stop().await;

    server.output(&RESTORE).await;
    server.serve().await;
    assert!(!app.is_active(&tokens.access).await);
    server.stop().await;

    let told = server.output(&[&RESTORE[..], &["--keep-sessions"]].concat()).await;
    assert!(told.contains("what was revoked since lives again"), "{told}");
    server.serve().await;
    assert!(app.is_active(&tokens.access).await);
    app.silently(&mut visitor).await.code();
}

/// Acts on the store of a stopped server.
async fn at_the_store<T>(server: &Server, act: impl AsyncFn(&gait::App, Account) -> T) -> T {
    let config = Config::load(&server.path("gait.toml")).unwrap();
    let builder = gait::App::builder(config).outlet(Outlet::Catch(Catcher::default()));
    let app = builder.build().await.unwrap();
    let name = Identifier::parse("alice").unwrap();
    let alice = app.idp.store().account_by(&name).await.unwrap().unwrap();
    act(&app, alice).await
}

fn event(alice: &Account, what: What) -> Event {
    Event {
        id: EventId(uuid::Uuid::now_v7()),
        at_ms: 1_700_000_000_000,
        what,
        account: Some(alice.id),
        session: None,
        client: None,
        address: None,
        txn: "test".to_owned(),
    }
}

#[tokio::test]
async fn what_was_withdrawn_or_disabled_since_is_withdrawn_and_disabled_again() {
    let mut server = Server::start().await;
    server.stop().await;
    at_the_store(&server, async |app, alice| {
        let consent = BehaviourConsent {
            account: alice.id,
            purpose: WATCH_PURPOSE.to_owned(),
            text_version: "1".to_owned(),
            at: Timestamp(1_700_000_000),
            withdrawn_at: None,
        };
        app.idp.store().give_consent(&consent, &[]).await.unwrap();
    })
    .await;
    back_up(&server, "backup.age").await;
    at_the_store(&server, async |app, alice| {
        let what = What::ConsentChanged {
            purpose: WATCH_PURPOSE.to_owned(),
            given: false,
        };
        let store = app.idp.store();
        store
            .withdraw_consent(alice.id, Timestamp(1_700_000_000), &[event(&alice, what)])
            .await
            .unwrap();
        store
            .erase_behaviour(alice.id, &[event(&alice, What::BehaviourErased)])
            .await
            .unwrap();
    })
    .await;
    server.output(&["account", "disable", "alice"]).await;

    let told = server.output(&RESTORE).await;
    assert!(
        told.contains("3 withdrawals, erasures and changes of disabled accounts"),
        "{told}"
    );
    let (consent, disabled) = at_the_store(&server, async |app, alice| {
        let consent = app.idp.store().behaviour_consent(alice.id).await.unwrap();
        (consent, alice.disabled_at.is_some())
    })
    .await;
    assert!(consent.is_none() && disabled);
}

#[tokio::test]
async fn a_backup_that_is_cut_off_changed_or_of_another_key_changes_nothing() {
    let server = Server::configured(|base| base);
    server.output(&["account", "list"]).await;
    back_up(&server, "backup.age").await;
    let good = std::fs::read(server.path("backup.age")).unwrap();
    let before = std::fs::read(server.path("data/gait.db")).unwrap();
    let with = |name: &str, bytes: &[u8]| std::fs::write(server.path(name), bytes).unwrap();
    let changed = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    with("cut-off", &good[..good.len() - 1]);
    with("half", &good[..good.len() / 2]);
    with("header", &good[..40]);
    with("chunk", &good[..good.len() - (good.len() - 200) % (64 * 1024 + 16)]);
    with("changed", &changed(good.len() / 2));
    with("changed-header", &changed(60));
    with("longer", &[&good[..], b"x"].concat());
    with("empty", b"");
    with("other", b"SQLite format 3\0 is no backup");
    server.write("stranger", Identity::generate().to_string().expose_secret());
    server.write("passphrase", "open sesame");
    for (file, key, sentence) in [
        ("cut-off", "identity", "cut off or was changed"),
        ("half", "identity", "cut off or was changed"),
        ("header", "identity", "no backup"),
        ("chunk", "identity", "cut off or was changed"),
        ("changed", "identity", "cut off or was changed"),
        ("changed-header", "identity", "backup"),
        ("longer", "identity", "cut off or was changed"),
        ("empty", "identity", "no backup"),
        ("other", "identity", "no backup"),
        ("gone", "identity", "No such file"),
        ("backup.age", "stranger", "this key or passphrase doesn't open the backup"),
        ("backup.age", "gone", "No such file"),
    ] {
        let refused = server.complaint(&["restore", file, "--identity-file", key, "--force"]).await;
        assert!(refused.contains(sentence), "{file}, {key}: {refused}");
    }
    let refused = server
        .complaint(&["restore", "backup.age", "--passphrase-file", "passphrase", "--force"])
        .await;
    assert!(refused.contains("opens with a private key"), "{refused}");
    let refused = server
        .complaint(&["backup", "backup.age", "--passphrase-file", "passphrase"])
        .await;
    assert!(refused.contains("is there already"), "{refused}");
    assert_eq!(std::fs::read(server.path("data/gait.db")).unwrap(), before);
    assert_eq!(std::fs::read(server.path("backup.age")).unwrap(), good);
    assert_eq!(leftovers(&server), [] as [&str; 0]);
}

#[tokio::test]
async fn a_database_of_another_master_key_or_a_newer_gait_is_refused() {
    let server = Server::configured(|base| base);
    server.output(&["account", "list"]).await;
    back_up(&server, "backup.age").await;
    let key = std::fs::read_to_string(server.path("data/master.key")).unwrap();
    std::fs::remove_file(server.path("data/master.key")).unwrap();
    let refused = server.complaint(&RESTORE).await;
    assert!(refused.contains("the master key is missing"), "{refused}");
    assert!(!server.path("data/master.key").exists(), "none is made up");
    let other = Server::configured(|base| base);
    other.output(&["account", "list"]).await;
    std::fs::copy(other.path("data/master.key"), server.path("data/master.key")).unwrap();
    let refused = server.complaint(&RESTORE).await;
    assert!(refused.contains("the master key is another"), "{refused}");
    std::fs::write(server.path("data/master.key"), &key).unwrap();

    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(server.path("data/gait.db"));
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'x', TRUE, x'00', 1)";
    sqlx::query(newer).execute(&pool).await.unwrap();
    pool.close().await;
    back_up(&server, "newer.age").await;
    let refused = server
        .complaint(&["restore", "newer.age", "--identity-file", "identity", "--force"])
        .await;
    assert!(refused.contains("this database is newer (schema 9999)"), "{refused}");
    assert_eq!(leftovers(&server), [] as [&str; 0]);
}

#[tokio::test]
async fn with_the_master_key_and_a_passphrase_it_is_all_that_a_new_machine_needs() {
    let mut server = Server::start().await;
    server.write("passphrase", "open sesame\n");
    let with = ["--passphrase-file", "passphrase", "--with-master-key"];
    let printed = server.output(&[&["backup", "backup.age"][..], &with].concat()).await;
    assert!(!printed.contains("isn't in it"), "{printed}");
    server.stop().await;

    let mut machine = Server::configured(|base| base);
    std::fs::copy(server.path("backup.age"), machine.path("backup.age")).unwrap();
    machine.write("wrong", "open barley");
    let refused = machine
        .complaint(&["restore", "backup.age", "--passphrase-file", "wrong"])
        .await;
    assert!(
        refused.contains("the passphrase is wrong") || refused.contains("doesn't open"),
        "{refused}"
    );
    assert!(!machine.path("data/master.key").exists() && !machine.path("data/gait.db").exists());
    // Something is in its place that can't be put aside.
    machine.write("data/gait.db/what is this", "");
    machine.write("passphrase", "open sesame");
    let refused = machine
        .complaint(&["restore", "backup.age", "--passphrase-file", "passphrase", "--force"])
        .await;
    assert!(refused.contains("gait.db"), "{refused}");
    assert!(!machine.path("data/master.key").exists(), "nothing has changed");
    std::fs::remove_dir_all(machine.path("data/gait.db")).unwrap();
    let mut restore = machine.command(&["restore", "backup.age", "--passphrase-env", "BACKUP_PASSPHRASE"]);
    let output = restore.env("BACKUP_PASSPHRASE", "open sesame").output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mode = std::fs::metadata(machine.path("data/master.key"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    machine.serve().await;
    machine.web().sign_in(&mut machine.visitor(), ALICE).await;
}

#[tokio::test]
async fn everybody_can_be_signed_out_at_once() {
    let server = Server::start().await;
    let (app, mut visitor) = (server.web(), server.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let told = server.output(&["account", "end-sessions", "--all"]).await;
    assert_eq!(told, "1 sessions ended\n");
    assert!(!app.is_active(&tokens.access).await);
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    assert_eq!(
        server.output(&["account", "end-sessions", "alice"]).await,
        "1 sessions ended\n"
    );
    assert!(!app.is_active(&tokens.access).await);
    server.complaint(&["account", "end-sessions"]).await;
}

/// Whoever backs up a second time is told so, and leaves alone what the first is copying.
#[tokio::test]
async fn of_two_backups_at_once_the_second_spoils_nothing() {
    let server = Server::start().await;
    let public = key_pair(&server);
    let snapshot = server.path("data/gait.db.snapshot");
    std::fs::write(&snapshot, "what the first has copied").unwrap();
    let first = std::fs::File::open(&snapshot).unwrap();
    first.lock().unwrap();
    let refused = server.complaint(&["backup", "backup.age", "--recipient", &public]).await;
    assert!(refused.contains("another backup is running"), "{refused}");
    assert_eq!(std::fs::read_to_string(&snapshot).unwrap(), "what the first has copied");
    drop(first);
    std::fs::remove_file(&snapshot).unwrap();
    back_up(&server, "backup.age").await;
}
