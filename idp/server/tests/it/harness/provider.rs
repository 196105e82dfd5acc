//! A provider in this process, on a port and in a folder of its own.

use super::clock::TestClock;
use super::mailbox::{Mail, Mailbox};
use super::{MailServer, Receiver, Visitor, config, logs, postgres};
use gait::config::Config;
use gait::mail::{Catcher, Outlet};
use gait_core::Idp;
use gait_core::account::{Account, Identifier};
use jsonwebtoken::jwk::JwkSet;
use std::net::TcpListener as StdListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Somebody who may sign in.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    pub username: &'static str,
    pub password: &'static str,
    pub email: &'static str,
}

pub const ALICE: Person = Person {
    username: "alice",
    password: "quiet harbour lantern",
    email: "alice@example.test",
};
pub const BOB: Person = Person {
    username: "bob",
    password: "seven green bottles",
    email: "bob@example.test",
};
pub const ZOE: Person = Person {
    username: "Zoë",
    password: "über allen gipfeln",
    email: "zoe@example.test",
};

/// Set this, and every story is told on Postgres.
const EVERYTHING_ON_POSTGRES: &str = "GAIT_STORIES_ON_POSTGRES";

/// A running provider.
pub struct Provider {
    pub issuer: String,
    pub clock: TestClock,
    pub receiver: Receiver,
    pub idp: Arc<Idp>,
    pub http: reqwest::Client,
    pub catcher: Catcher,
    /// Where mail goes, if it isn't caught.
    mail_server: Option<MailServer>,
    /// The URL of its database, if that is on Postgres.
    pub database: Option<String>,
    folder: TempDir,
    config: String,
    running: Option<Running>,
    visitors: AtomicU8,
}

/// A further node of a provider.
pub struct Node {
    pub url: String,
    pub idp: Arc<Idp>,
    running: Running,
}

impl Node {
    /// Ends it without a word, as a crash would.
    pub fn die(self) {
        self.running.serving.abort();
    }
}

struct Running {
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl Provider {
    /// With the stories' configuration.
    pub async fn start() -> Self {
        Self::with("").await
    }

    /// With `extra` merged into it; on Postgres, if the environment says so.
    pub async fn with(extra: &str) -> Self {
        if std::env::var_os(EVERYTHING_ON_POSTGRES).is_some() {
            Self::on_postgres(extra).await
        } else {
            Self::on_sqlite(extra).await
        }
    }

    /// With `extra` merged into it, on the embedded database.
    pub async fn on_sqlite(extra: &str) -> Self {
        Self::begin(extra, None).await
    }

    /// With `extra` merged into it, on a Postgres database of its own.
    pub async fn on_postgres(extra: &str) -> Self {
        let url = postgres::fresh().await;
        let database = format!("[database]\nurl = \"{url}\"\nconnections = {}\n", postgres::CONNECTIONS);
        let mut provider = Self::begin(&format!("{extra}\n{database}"), None).await;
        provider.database = Some(url);
        provider
    }

    /// With `extra` merged into it; mail goes to `server`.
    pub async fn mailing(server: &MailServer, extra: &str) -> Self {
        Self::begin(extra, Some(server.clone())).await
    }

    async fn begin(extra: &str, mail_server: Option<MailServer>) -> Self {
        logs::capture();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let receiver = Receiver::start().await;
        let (clock, catcher) = (TestClock::default(), Catcher::default());
        let config = config::text(port, &receiver.url, extra);
        let folder = tempfile::tempdir().expect("a folder");
        let outlet = mail_server.is_none().then(|| Outlet::Catch(catcher.clone()));
        // It was there a second ago: what clients sign at once must not seem to be older.
        clock.advance(-1);
        let (idp, running) = run(&config, &folder, listener, &clock, outlet).await;
        clock.advance(1);
        Self {
            issuer: format!("http://localhost:{port}"),
            http: client(),
            visitors: AtomicU8::new(0),
            running: Some(running),
            idp,
            clock,
            receiver,
            catcher,
            mail_server,
            database: None,
            folder,
            config,
        }
    }

    /// Another node on the same database, with the same keys and the same clock.
    pub async fn another_node(&self) -> Node {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let outlet = Some(Outlet::Catch(self.catcher.clone()));
        let (idp, running) = run(&self.config, &self.folder, listener, &self.clock, outlet).await;
        Node { url, idp, running }
    }

    /// Asks it to end.
    pub fn ask_to_leave(&mut self) {
        if let Some(stop) = self.running.as_mut().and_then(|running| running.stop.take()) {
            let _ = stop.send(());
        }
    }

    /// Ends it in order.
    pub async fn leave(&mut self) {
        self.stop().await;
    }

    /// Stops the provider and starts another on the same folder: what was only in memory is gone.
    pub async fn restart(&mut self) {
        self.stop().await;
        let port = self
            .issuer
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .expect("a port");
        let listener = StdListener::bind(("127.0.0.1", port)).expect("the same port");
        listener.set_nonblocking(true).expect("a socket");
        let listener = TcpListener::from_std(listener).expect("a socket");
        let outlet = self.mail_server.is_none().then(|| Outlet::Catch(self.catcher.clone()));
        let (idp, running) = run(&self.config, &self.folder, listener, &self.clock, outlet).await;
        (self.idp, self.running) = (idp, Some(running));
    }

    async fn stop(&mut self) {
        self.ask_to_leave();
        let Some(running) = self.running.take() else { return };
        tokio::time::timeout(Duration::from_secs(10), running.serving)
            .await
            .expect("it stops")
            .expect("no panic");
    }

    /// Runs `gait` on the provider's configuration; returns whether it was content, and what it printed.
    pub async fn gait(&self, arguments: &[&str]) -> (bool, String) {
        let file = self.folder.path().join("story.toml");
        std::fs::write(&file, &self.config).expect("a file");
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_gait"));
        let output = command
            .args(arguments)
            .env("GAIT_CONFIG", file)
            .output()
            .await
            .expect("it runs");
        let printed = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(printed).expect("text"))
    }

    /// A browser at an address of its own.
    pub fn visitor(&self) -> Visitor {
        let nth = self.visitors.fetch_add(1, Ordering::SeqCst);
        let visitor = Visitor::new(&self.issuer, self.mailbox());
        visitor.behind(&format!("203.0.113.{}", nth + 1))
    }

    fn mailbox(&self) -> Mailbox {
        match &self.mail_server {
            Some(server) => Mailbox::Server(server.clone()),
            None => Mailbox::Here(self.catcher.clone()),
        }
    }

    /// The database's file.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("data/gait.db")
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    pub async fn get_json(&self, path: &str) -> serde_json::Value {
        let answer = self.http.get(self.url(path)).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    /// The published keys.
    pub async fn keys(&self) -> JwkSet {
        serde_json::from_value(self.get_json("/jwks.json").await).expect("a JWK set")
    }

    /// Waits for the newest mail to `email` that `is` wanted.
    pub async fn mail(&self, email: &str, is: impl Fn(&Mail) -> bool) -> Mail {
        self.mailbox().wait(email, is).await
    }

    /// Waits for the newest link to `path` in a mail to `email`.
    pub async fn mailed_link(&self, email: &str, path: &str) -> String {
        let start = self.url(path);
        let mail = self.mail(email, |mail| mail.text.contains(&start)).await;
        let words = mail.text.split_whitespace();
        words.rev().find(|word| word.starts_with(&start)).expect("a link").to_owned()
    }

    /// The account behind a name.
    pub async fn account(&self, person: Person) -> Account {
        let name = Identifier::parse(person.username).expect("a name");
        self.idp
            .store()
            .account_by(&name)
            .await
            .expect("the store")
            .expect("an account")
    }
}

/// A client without redirects, and without connections that outlive a provider.
pub fn client() -> reqwest::Client {
    // Whoever comes first installs it; it is the same for all.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    builder
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(60))
        .build()
        .expect("a client")
}

async fn run(
    config: &str,
    folder: &TempDir,
    listener: TcpListener,
    clock: &TestClock,
    outlet: Option<Outlet>,
) -> (Arc<Idp>, Running) {
    let config = Config::parse(config, "story.toml", folder.path()).expect("a good configuration");
    let mut builder = gait::App::builder(config).clock(Arc::new(clock.clone()));
    if let Some(outlet) = outlet {
        builder = builder.outlet(outlet);
    }
    let app = builder.build().await.expect("a provider");
    let idp = app.idp.clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let stopped = async move { drop(stopped.await) };
        app.serve(listener, axum::Router::new(), stopped).await.expect("a free port");
    });
    let stop = Some(stop);
    (idp, Running { stop, serving })
}
