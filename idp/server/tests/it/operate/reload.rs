//! SIGHUP.

use super::server::{ALICE, Server};

const PHONE: &str = "
[[client]]
id = \"phone\"
name = \"Pocket Notes\"
auth = \"none\"
redirect_uris = [\"https://phone.example/cb\"]
";
const PLAIN_THEME: &str = "name = \"acme\"\n";

async fn sign_in_page(server: &Server) -> String {
    let request = server.request_of("web", "https://web.example/cb");
    server.visitor().ask(&request).await.page().body
}

#[tokio::test]
async fn themes_clients_and_log_level_follow_the_file_and_sessions_live_on() {
    let server = Server::start().await;
    let (app, mut visitor) = (server.web(), server.visitor());
    let tokens = app.sign_in(&mut visitor, ALICE).await;
    let phone = server.request_of("phone", "https://phone.example/cb");
    assert_eq!(
        server.visitor().ask(&phone).await.page().status,
        400,
        "nobody knows this client yet"
    );
    assert!(server.log().contains("gait::http"), "requests are logged");

    server.write("themes/acme/theme.toml", PLAIN_THEME);
    server.write("themes/acme/pages/sign-in.html", "Acme says hello");
    let text = server.configuration().replace("Field Notes", "Field Notebook");
    server.configure(&format!(
        "theme = \"acme\"\nlog_level = \"info,gait::http=warn\"\n{text}{PHONE}"
    ));
    assert!(!sign_in_page(&server).await.contains("Acme"), "not before the signal");
    server.signal("HUP");
    server.logs("reloaded: ").await;
    let before = server.log();

    assert!(sign_in_page(&server).await.contains("Acme says hello"));
    assert_eq!(server.visitor().ask(&phone).await.page().status, 200);
    assert!(server.output(&["client", "list"]).await.contains("Field Notebook"));
    let since = server.log().split_off(before.len());
    assert!(!since.contains("gait::http"), "requests aren't logged any more: {since}");
    assert!(app.is_active(&tokens.access).await, "the session and its tokens are the same");
    app.silently(&mut visitor).await.code();
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_as_a_whole_and_the_old_one_stays() {
    let server = Server::start().await;
    let good = server.configuration();
    let phone = server.request_of("phone", "https://phone.example/cb");
    server.write("themes/broken/theme.toml", "name = \"broken\"\n");
    server.write("themes/broken/pages/sign-in.html", "{{ page.nothing }}");
    let line = good.lines().count() + PHONE.lines().count() + 1;
    let cases = [
        (
            format!("{good}{PHONE}[[client]]\nid = 7\n"),
            format!("gait.toml:{}", line + 1),
        ),
        (
            format!("{good}{PHONE}[[client]]\nid = \"short\"\nsecret = \"short\"\n"),
            format!("gait.toml:{line}: client short: the secret needs at least 32 characters"),
        ),
        (
            format!("{good}{PHONE}[[client]]\nid = \"odd\"\nauth = \"none\"\nplan = [[\"nonsense\"]]\n"),
            "the plan of client odd".to_owned(),
        ),
        (
            format!("theme = \"gone\"\n{good}{PHONE}"),
            "there is no theme `gone`".to_owned(),
        ),
        (format!("theme = \"broken\"\n{good}{PHONE}"), "theme broken: ".to_owned()),
        (
            format!("log_level = \"loud\"\n{good}{PHONE}"),
            "gait.toml:1: log_level".to_owned(),
        ),
    ];
    for (bad, reason) in cases {
        server.configure(&bad);
        server.signal("HUP");
        server.logs(&reason).await;
        assert!(!server.log().contains("reloaded: "), "{}", server.log());
        assert_eq!(server.visitor().ask(&phone).await.page().status, 400, "{reason}");
        assert!(sign_in_page(&server).await.contains("Field Notes"));
    }
    server.configure(&good);
    server.signal("HUP");
    server.logs("reloaded: ").await;
}

#[tokio::test]
async fn what_takes_a_restart_is_named_and_so_is_a_client_that_was_taken_out() {
    let server = Server::configured(|base| format!("{base}{PHONE}"));
    let mut server = server;
    server.serve().await;
    let text = server.configuration().replace(PHONE, "");
    let text = text.replace("data_dir = \"data\"", "data_dir = \"elsewhere\"");
    server.configure(&format!("trusted_proxies = [\"10.0.0.0/8\"]\n{text}"));
    server.signal("HUP");
    server.logs("reloaded: ").await;
    let log = server.log();
    for wanted in [
        "takes a restart key=\"data_dir\"",
        "takes a restart key=\"trusted_proxies\"",
        "client=\"phone\"",
    ] {
        assert!(log.contains(wanted), "{wanted}: {log}");
    }
    assert!(!log.contains("key=\"smtp\"") && !log.contains("client=\"web\""), "{log}");
    assert!(!server.path("elsewhere").exists());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_not_healthy_and_it_says_why() {
    let mut server = Server::start().await;
    assert_eq!(server.output(&["healthcheck"]).await, "");
    server.stop().await;
    assert!(server.complaint(&["healthcheck"]).await.contains("error"));
}
