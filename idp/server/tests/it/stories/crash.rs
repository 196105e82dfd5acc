//! `gait dev` as it is started by a newcomer, and killed without a word.

use crate::harness::app::Proof;
use crate::harness::{App, Callback, DEMO_BOB, Process};

fn demo_app(process: &Process) -> App {
    let secret = Proof::Basic("demo-app-secret-for-localhost-only".to_owned());
    App::at(&process.issuer, "demo-app", secret, &format!("{}/callback", process.app))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_nothing_that_it_acknowledged_and_opens_nothing() {
    let mut process = Process::start().await;
    let app = demo_app(&process);
    let (mut kept, mut revoked, mut replayed) = (process.visitor(), process.visitor(), process.visitor());
    let alive = app.sign_in(&mut kept, DEMO_BOB).await;
    let alive = app.refresh(&alive.refresh).await.tokens();
    let dead = app.sign_in(&mut revoked, DEMO_BOB).await;
    let request = app.request();
    let callback = Callback::of(replayed.sign_in(&request, DEMO_BOB).await);
    let spent = app.redeem(callback.code(), &request).await.tokens();
    // The last thing that it says before it dies.
    assert_eq!(app.post("/revoke", &[("token", &dead.refresh)]).await.status, 200);
    process.kill_and_restart().await;
    assert!(!app.is_active(&dead.access).await, "a revocation that was acknowledged holds");
    assert_eq!(app.refresh(&dead.refresh).await.error(), "invalid_grant");

    assert!(app.is_active(&alive.access).await);
    let renewed = app.refresh(&alive.refresh).await.tokens();
    assert!(app.silently(&mut kept).await.params.contains_key("code"), "the session lives");
    assert_eq!(app.redeem(callback.code(), &request).await.error(), "invalid_grant");
    process.kill_and_restart().await;
    assert_eq!(
        app.refresh(&alive.refresh).await.error(),
        "invalid_grant",
        "spent before the process died"
    );
    assert_eq!(
        app.refresh(&renewed.refresh).await.error(),
        "invalid_grant",
        "so its family is dead"
    );
    assert!(app.is_active(&spent.access).await, "nobody else's is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_development_mode_says_where_everything_is() {
    let process = Process::start().await;
    let mut visitor = process.visitor();
    for path in [
        "/account",
        "/dev/mail",
        "/apidocs",
        "/.well-known/openid-configuration",
        "/dev/mail.json",
    ] {
        let page = visitor.get(path).await;
        assert!(page.status < 400, "{path} {}", page.status);
    }
    let app = visitor.get(&process.app.clone()).await;
    assert_eq!(app.status, 200);
    let (issuer, url) = (process.issuer.clone(), process.app.clone());
    let output = process.output().await;
    for said in [
        issuer.as_str(),
        &url,
        "/dev/mail",
        "/apidocs",
        "alice",
        "bob",
        DEMO_BOB.password,
    ] {
        assert!(output.contains(said), "{said:?} is missing: {output}");
    }
}
