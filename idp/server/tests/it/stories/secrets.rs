//! Secrets stay where they belong: never in the log.

use crate::harness::{ALICE, App, Callback, Provider, logs, unique};

#[tokio::test]
async fn no_secret_is_ever_logged() {
    let provider = Provider::start().await;
    let (app, mut visitor) = (App::watched(&provider), provider.visitor());
    visitor.agrees = true;
    let wrong_password = unique("planted-password");
    let page = visitor.ask(&app.request()).await.page();
    visitor
        .submit(&page, &[("identifier", "alice"), ("password", &wrong_password)])
        .await
        .page();
    let wrong_secret = unique("planted-secret");
    App::basic(&provider, "web", &wrong_secret, "").refresh("x").await;
    let request = app.request();
    let callback = Callback::of(visitor.sign_in(&request, ALICE).await);
    let tokens = app.redeem(callback.code(), &request).await.tokens();
    app.refresh(&tokens.refresh).await.tokens();
    app.refresh(&tokens.refresh).await;
    app.userinfo(&tokens.access).await;
    let watch = crate::harness::collector::watch_token(&provider, &tokens.access, "https://work.example").await;
    let page = visitor.get("/recovery").await;
    visitor.submit_once(&page, &[("identifier", "alice")]).await;
    let link = provider.mailed_link(ALICE.email, "/recovery/").await;
    visitor.get(&link).await;
    let recovery = link.rsplit('/').next().unwrap().to_owned();

    let mut secrets = vec![
        wrong_password,
        wrong_secret,
        callback.code().to_owned(),
        tokens.access,
        tokens.refresh,
        tokens.id,
    ];
    secrets.extend([
        request.verifier.clone(),
        request.get("state").to_owned(),
        request.get("nonce").to_owned(),
        recovery,
    ]);
    secrets.extend(visitor.cookies.values().filter(|value| value.len() > 8).cloned());
    secrets.extend(watch.body["watch_token"].as_str().map(str::to_owned));
    let log = logs::text();
    assert!(
        log.contains("/token") && log.contains("\"status\":200"),
        "requests are logged at all"
    );
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} was logged");
    }
    for password in [
        ALICE.password,
        "web-secret-that-is-long-enough-for-this",
        "watched-secret-that-is-long-enough-for-it",
    ] {
        assert!(!log.contains(password), "{password} was logged");
    }
}

#[tokio::test]
async fn line_breaks_and_escapes_do_not_forge_a_log_line() {
    let provider = Provider::start().await;
    let mut visitor = provider.visitor();
    let mark = unique("forged");
    let page = visitor.ask(&App::web(&provider).request()).await.page();
    let name = format!("x\n{{\"{mark}\":true}}\r\n\u{1b}[2J");
    visitor
        .submit(&page, &[("identifier", &name), ("password", "x")])
        .await
        .page();
    assert!(logs::text().lines().all(|line| !line.starts_with(&format!("{{\"{mark}"))));
}
