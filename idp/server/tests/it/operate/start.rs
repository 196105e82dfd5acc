//! Starting.

use super::server::Server;
use gait::config::Config;
use gait::mail::{Catcher, Outlet};

#[tokio::test]
async fn nodes_that_start_together_make_each_declared_account_once() {
    let server = Server::configured(|base| {
        let people = (0..8).map(|n| format!("[[account]]\nusername = \"person-{n}\"\npassword = \"a lantern for number {n}\"\n"));
        base + &people.collect::<String>()
    });
    // On one thread, each step of one node is followed by the same step of the others.
    let start = || async {
        let config = Config::load(&server.path("gait.toml")).unwrap();
        let builder = gait::App::builder(config).outlet(Outlet::Catch(Catcher::default()));
        builder.build().await.map(drop)
    };
    let (one, other, third) = tokio::join!(start(), start(), start());
    for node in [one, other, third] {
        node.unwrap();
    }
    assert_eq!(server.output(&["account", "list"]).await.lines().count(), 9);
}
