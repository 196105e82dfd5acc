//! The recipe of db/README.md for a database on a Postgres server.

use super::server::{ALICE, Server};
use gait_backends::Postgres;
use std::process::{Command, Output, Stdio};

fn run(command: &mut Command) -> Output {
    let output = command.output().expect("Postgres's programs are installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[tokio::test]
async fn a_dump_brings_back_what_was_there_and_nobody_stays_signed_in() {
    let postgres = Postgres::start().expect("Postgres");
    let url = postgres.url("gait");
    let mut server = Server::configured(|base| format!("{base}[database]\nurl_file = \"database-url\"\n"));
    server.write("database-url", &url);
    server.serve().await;
    let (app, mut visitor) = (server.web(), server.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let keys = server.keys().await;
    let refused = server
        .complaint(&["backup", "file", "--passphrase-file", "database-url"])
        .await;
    assert!(refused.contains("pg_dump and pg_restore"), "{refused}");

    let dump = server.path("gait.dump");
    run(Command::new("pg_dump")
        .arg("--format=custom")
        .arg("--file")
        .arg(&dump)
        .arg(&url));
    app.post("/revoke", &[("token", &tokens.refresh)]).await;
    server.output(&["account", "add", "carol"]).await;
    server.stop().await;

    postgres.run("postgres", "DROP DATABASE gait").unwrap();
    postgres.run("postgres", "CREATE DATABASE gait").unwrap();
    let mut restore = Command::new("pg_restore");
    restore.args(["--exit-on-error", "--no-owner", "--dbname", &url]).arg(&dump);
    run(restore.stdin(Stdio::null()));
    for sql in [
        "DELETE FROM token WHERE grant_id IS NULL",
        "UPDATE approval SET expires_at = 0",
        "DELETE FROM lease",
    ] {
        postgres.run("gait", sql).unwrap();
    }
    assert_eq!(
        server.output(&["account", "end-sessions", "--all"]).await,
        "1 sessions ended\n"
    );
    server.serve().await;
    assert!(!app.is_active(&tokens.access).await, "what was revoked since stays dead");
    assert_eq!(app.silently(&mut visitor).await.error(), "login_required");
    assert!(!server.output(&["account", "list"]).await.contains("carol"));
    let restored = server.keys().await;
    assert_eq!(restored, keys, "the key ring is in the database");
    app.sign_in(&mut server.visitor(), ALICE).await;
}
