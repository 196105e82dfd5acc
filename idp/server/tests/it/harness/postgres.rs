//! One Postgres server for all tests of this binary, and a database for each.

use gait::store::Database;
use gait_backends::Postgres;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OnceCell;

/// Connections of each store in the tests: fewer than there are calls at once.
pub const CONNECTIONS: u32 = 12;
/// What every database is a copy of, so that each test needn't migrate.
const TEMPLATE: &str = "template_gait";

/// The URL of a database of the present schema with nothing in it.
pub async fn fresh() -> String {
    copy_of(TEMPLATE).await
}

/// The URL of a database without any schema.
pub async fn empty() -> String {
    copy_of("template1").await
}

async fn copy_of(template: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("story_{}", NEXT.fetch_add(1, Ordering::SeqCst));
    let server = server().await;
    run(&server.url("postgres"), format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    server.url(&name)
}

/// A store on a database of its own.
pub async fn store() -> Database {
    open(&fresh().await).await
}

/// Another store on the same database.
pub async fn open(url: &str) -> Database {
    Database::postgres(&options(url), CONNECTIONS).await.expect("a database")
}

pub fn options(url: &str) -> PgConnectOptions {
    url.parse().expect("a URL")
}

/// Runs one SQL command in a database.
pub async fn run(url: &str, sql: String) {
    let mut db = PgConnection::connect(url).await.expect("a connection");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut db).await.expect("it runs");
    db.close().await.expect("an end");
}

pub async fn server() -> &'static Postgres {
    static SERVER: OnceCell<Postgres> = OnceCell::const_new();
    SERVER
        .get_or_init(|| async {
            let server = tokio::task::spawn_blocking(Postgres::start).await.expect("no panic");
            let server = server.expect("a server");
            make_template(&server).await;
            server
        })
        .await
}

async fn make_template(server: &Postgres) {
    run(&server.url("postgres"), format!("CREATE DATABASE {TEMPLATE}")).await;
    open(&server.url(TEMPLATE)).await.close().await;
}
