//! `gait dev` as a process of its own, to be killed.

use super::mailbox::Mailbox;
use super::provider::client;
use super::{Person, Visitor};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

/// The demo's Bob.
pub const DEMO_BOB: Person = Person {
    username: "bob",
    password: "quiet-keys-at-night",
    email: "bob@example.test",
};

/// A running `gait dev`.
pub struct Process {
    pub issuer: String,
    pub app: String,
    child: Child,
    folder: TempDir,
}

impl Process {
    /// On free ports and in a folder of its own.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (port, app_port) = free_ports();
        let child = spawn(&folder, port, app_port);
        let process = Self {
            issuer: format!("http://localhost:{port}"),
            app: format!("http://localhost:{app_port}"),
            child,
            folder,
        };
        process.ready().await;
        process
    }

    /// Kills it without a word (SIGKILL), and starts another on what it left behind.
    pub async fn kill_and_restart(&mut self) {
        self.child.kill().await.expect("it is killed");
        let port = |url: &str| url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        self.child = spawn(&self.folder, port(&self.issuer), port(&self.app));
        self.ready().await;
    }

    async fn ready(&self) {
        for _ in 0..600 {
            let answer = client().get(format!("{}/readyz", self.issuer)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("gait dev does not get ready");
    }

    pub fn visitor(&self) -> Visitor {
        Visitor::new(&self.issuer, Mailbox::At(self.issuer.clone()))
    }

    /// Ends it; returns what it printed.
    pub async fn output(mut self) -> String {
        self.child.kill().await.expect("it is killed");
        let mut output = Vec::new();
        let mut stdout = self.child.stdout.take().expect("its output");
        stdout.read_to_end(&mut output).await.expect("its output");
        String::from_utf8_lossy(&output).into_owned()
    }
}

fn spawn(folder: &TempDir, port: u16, app_port: u16) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gait"));
    command.arg("dev").arg("--dir").arg(folder.path());
    command.args(["--port", &port.to_string(), "--app-port", &app_port.to_string()]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command.spawn().expect("gait starts")
}

/// Both are held until both are known, so that they differ.
fn free_ports() -> (u16, u16) {
    let listeners = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).expect("a port"));
    let [one, other] = listeners
        .each_ref()
        .map(|listener| listener.local_addr().expect("an address").port());
    (one, other)
}
