//! The peer: oidc-provider, which most providers on Node are, with the same clients and accounts, in memory.

use super::{Setting, Target};
use crate::cpu::{self, Watched};
use crate::figures::median;
use crate::people::{ACCOUNTS, API_SCOPE, CLIENT, JWT_CLIENT, PASSWORD, REDIRECT_URI, SECRET};
use crate::server::{self, Server};
use crate::site::Site;
use anyhow::{Context as _, ensure};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;
use tempfile::TempDir;

/// What it consists of.
const FILES: [(&str, &str); 3] = [
    ("peer.mjs", include_str!("../peer/peer.mjs")),
    ("package.json", include_str!("../peer/package.json")),
    ("package-lock.json", include_str!("../peer/package-lock.json")),
];
/// Starts that the cold start is the median of.
const COLD_STARTS: usize = 3;
const NAME: &str = "node";

/// Installs it where it isn't yet, and starts it.
pub async fn start(setting: &Setting) -> anyhow::Result<Target> {
    install(&setting.peer_folder).context("the peer can't be installed")?;
    let folder = TempDir::new()?;
    let node = server::free_address()?;
    let issuer = format!("http://localhost:{}", node.port());
    let mut times_ms = Vec::new();
    let server = loop {
        let (server, ms) = serve(setting, node, &issuer, folder.path()).await?;
        times_ms.push(ms);
        match times_ms.len() < COLD_STARTS {
            true => server.stop()?,
            false => break server,
        }
    };
    let watched = Watched {
        name: NAME.to_owned(),
        pid: server.pid(),
    };
    Ok(Target {
        kind: super::Kind::Peer,
        site: Rc::new(Site::explore(&issuer, vec![node]).await?),
        watched: vec![watched],
        own: vec![NAME.to_owned()],
        cold_ms: median(times_ms).unwrap_or_default(),
        idle_mib: cpu::memory(server.pid())?.now_mib,
        servers: vec![server],
        _services: None,
        _folder: folder,
    })
}

async fn serve(setting: &Setting, node: SocketAddr, issuer: &str, folder: &Path) -> anyhow::Result<(Server, f64)> {
    let mut command = setting.cores.node_command(0, Path::new("node"));
    command.arg(setting.peer_folder.join(FILES[0].0));
    let port = node.port().to_string();
    let accounts = ACCOUNTS.to_string();
    command.env("NODE_ENV", "production").envs([
        ("PEER_ISSUER", issuer),
        ("PEER_PORT", &port),
        ("PEER_ACCOUNTS", &accounts),
        ("PEER_PASSWORD", PASSWORD),
        ("PEER_CLIENT", CLIENT),
        ("PEER_JWT_CLIENT", JWT_CLIENT),
        ("PEER_SECRET", SECRET),
        ("PEER_REDIRECT_URI", REDIRECT_URI),
        ("PEER_SCOPE", API_SCOPE),
    ]);
    Server::start(command, node, &folder.join("peer.log"))
        .await
        .context("the peer")
}

/// Puts the files into `folder`, and has npm fetch what the lock names, unless that was done before.
fn install(folder: &Path) -> anyhow::Result<()> {
    let is_there = |(name, text): &(&str, &str)| fs::read_to_string(folder.join(name)).is_ok_and(|found| found == *text);
    let done = folder.join("node_modules/.done");
    if done.exists() && FILES.iter().all(is_there) {
        return Ok(());
    }
    println!("Installing the peer in {}", folder.display());
    fs::create_dir_all(folder)?;
    for (name, text) in FILES {
        fs::write(folder.join(name), text)?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]);
    let status = npm.current_dir(folder).stdin(Stdio::null()).status().context("npm")?;
    ensure!(status.success(), "npm ci failed");
    Ok(fs::write(done, "")?)
}
