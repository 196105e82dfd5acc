//! `/readyz`: whether this node can do its work, and why not, in words that tell a stranger nothing.

use crate::harness::{Provider, config};
use gait::config::Config;
use gait::mail::{Catcher, Outlet};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use std::future::IntoFuture as _;
use tokio::net::TcpListener;

async fn asked(issuer: &str) -> (u16, Value) {
    let answer = crate::harness::client().get(format!("{issuer}/readyz")).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn reason(body: &Value, name: &str) -> Value {
    let checks = body["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name).unwrap();
    assert_eq!(check["ready"] == json!(true), check["reason"].is_null(), "{check}");
    check["reason"].clone()
}

#[tokio::test]
async fn a_node_is_ready_when_all_is_there_and_says_what_is_not() {
    let provider = Provider::on_sqlite("").await;
    let (status, body) = asked(&provider.issuer).await;
    assert_eq!((status, &body["ready"]), (200, &json!(true)));
    let names: Vec<&str> = body["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|check| check["name"].as_str())
        .collect();
    assert_eq!(names, ["database", "schema", "ephemeral", "keys", "draining"]);

    let file = provider.database();
    let mut db = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
        .await
        .unwrap();
    let newest = "DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
    sqlx::query(newest).execute(&mut db).await.unwrap();
    let (status, body) = asked(&provider.issuer).await;
    assert_eq!((status, &body["ready"]), (503, &json!(false)));
    assert_eq!(reason(&body, "schema"), "older than this version");
    assert_eq!(reason(&body, "database"), Value::Null);

    sqlx::query("ALTER TABLE setting RENAME TO gone")
        .execute(&mut db)
        .await
        .unwrap();
    let (status, body) = asked(&provider.issuer).await;
    assert_eq!((status, reason(&body, "database")), (503, json!("damaged")));
    let said = body.to_string();
    for told in ["setting", "sqlite", "gait.db", "no such table"] {
        assert!(!said.contains(told), "{said}");
    }
    let alive = provider.http.get(provider.url("/healthz")).send().await.unwrap();
    assert_eq!(alive.status(), 200, "the process lives nevertheless");
}

#[tokio::test]
async fn a_node_that_is_about_to_end_wants_no_work() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let config = Config::parse(&config::text(port, "http://127.0.0.1:1", ""), "story.toml", folder.path()).unwrap();
    let app = gait::App::builder(config).outlet(Outlet::Catch(Catcher::default()));
    let http = app.build().await.unwrap().http;
    let routes = gait::http::router(http.clone(), axum::Router::new());
    let service = routes.into_make_service_with_connect_info::<std::net::SocketAddr>();
    let serving = tokio::spawn(axum::serve(listener, service).into_future());
    let issuer = format!("http://localhost:{port}");
    assert_eq!(asked(&issuer).await.0, 200);
    http.readiness.drain();
    let (status, body) = asked(&issuer).await;
    assert_eq!((status, reason(&body, "draining")), (503, json!("shutting down")));
    serving.abort();
}
