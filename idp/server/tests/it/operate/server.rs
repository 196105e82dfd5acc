//! `gait serve` as a process of its own, and the commands beside it.

use crate::harness::{App, Request, Visitor};
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Signs in by a password alone here, so that no mail is needed.
pub use crate::harness::ALICE;

const BASE: &str = r#"
issuer = "http://localhost:PORT"
listen = "127.0.0.1:PORT"
data_dir = "data"
themes_dir = "themes"
allow_private_receivers = true

[policy]
plan = [["password"]]

[plugins.password]
m_cost_kib = 8
t_cost = 1

[smtp]
host = "127.0.0.1"
tls = "none"
from = "Gait <gait@example.test>"

[[client]]
id = "web"
name = "Field Notes"
secret = "web-secret-that-is-long-enough-for-this"
redirect_uris = ["https://web.example/cb"]
introspects = true
trusted = true

[[account]]
username = "alice"
email = "alice@example.test"
email_verified = true
password = "quiet harbour lantern"
"#;

/// A server with a folder of its own.
pub struct Server {
    pub issuer: String,
    pub folder: TempDir,
    child: Option<Child>,
}

impl Server {
    /// Writes a configuration; starts nothing.
    pub fn configured(change: impl FnOnce(String) -> String) -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port();
        let server = Self {
            issuer: format!("http://localhost:{port}"),
            folder: tempfile::tempdir().expect("a folder"),
            child: None,
        };
        std::fs::create_dir(server.path("themes")).expect("a folder");
        server.configure(&change(BASE.replace("PORT", &port.to_string())));
        server
    }

    /// With the base configuration, and serving.
    pub async fn start() -> Self {
        let mut server = Self::configured(|base| base);
        server.serve().await;
        server
    }

    /// Starts the process, and waits until it is ready.
    pub async fn serve(&mut self) {
        let log = File::create(self.path("log")).expect("a log");
        let mut command = self.command(&["serve"]);
        command.stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        self.child = Some(command.spawn().expect("gait starts"));
        for _ in 0..600 {
            if self.run(&["healthcheck"]).await.status.success() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not get ready: {}", self.log());
    }

    /// Asks it to end, and waits.
    pub async fn stop(&mut self) {
        self.signal("TERM");
        let mut child = self.child.take().expect("it runs");
        let status = child.wait().await.expect("it ends");
        assert!(status.success(), "{status}: {}", self.log());
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.as_ref().and_then(Child::id).expect("it runs");
        let sent = std::process::Command::new("kill")
            .arg(format!("-{name}"))
            .arg(id.to_string())
            .status();
        assert!(sent.expect("kill").success());
    }

    /// The published keys, as text.
    pub async fn keys(&self) -> String {
        let answer = reqwest::get(format!("{}/jwks.json", self.issuer)).await.expect("an answer");
        answer.text().await.expect("a text")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn configuration(&self) -> String {
        std::fs::read_to_string(self.path("gait.toml")).expect("the configuration")
    }

    pub fn configure(&self, text: &str) {
        self.write("gait.toml", text);
    }

    /// Writes a file in its folder.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// A command on its configuration.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gait"));
        command.args(args).arg("--config").arg(self.path("gait.toml"));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().await.expect("gait runs")
    }

    /// What a command prints, which must succeed.
    pub async fn output(&self, args: &[&str]) -> String {
        let output = self.run(args).await;
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What a command complains of, which must fail.
    pub async fn complaint(&self, args: &[&str]) -> String {
        let output = self.run(args).await;
        assert!(!output.status.success(), "{args:?} succeeds");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).expect("a log")
    }

    /// Waits until the log tells of something.
    pub async fn logs(&self, wanted: &str) {
        for _ in 0..400 {
            if self.log().contains(wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the log does not tell of {wanted:?}: {}", self.log());
    }

    pub fn visitor(&self) -> Visitor {
        Visitor::new(&self.issuer, crate::harness::Mailbox::At(self.issuer.clone()))
    }

    pub fn web(&self) -> App {
        let proof = crate::harness::app::Proof::Basic("web-secret-that-is-long-enough-for-this".to_owned());
        App::at(&self.issuer, "web", proof, "https://web.example/cb")
    }

    /// A request of another client.
    pub fn request_of(&self, client: &str, redirect_uri: &str) -> Request {
        App::at(&self.issuer, client, crate::harness::app::Proof::None, redirect_uri).request()
    }
}
