//! nginx, with the configuration of docker-compose.yml.

use super::files::adapted;
use anyhow::{Context as _, ensure};
use gait_backends::{find, is_root};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::{Child, Command};

/// Where systems keep what only root runs.
const FOLDERS: [&str; 2] = ["/usr/local/sbin", "/usr/sbin"];

/// Starts it: listens on `port`, and sends to the nodes on `nodes`.
///
/// # Errors
/// nginx isn't there, or refuses the configuration.
pub async fn start(folder: &Path, port: u16, nodes: [u16; 2]) -> anyhow::Result<Child> {
    let own = folder.display().to_string();
    let [one, other] = nodes.map(|port| format!("127.0.0.1:{port}"));
    let text = adapted(
        "nginx.conf",
        &[
            ("/tmp/nginx", &format!("{own}/nginx")),
            ("listen 8080", &format!("listen 127.0.0.1:{port}")),
            ("gait-1:8080", &one),
            ("gait-2:8080", &other),
        ],
    )?;
    // Started as root it would give its workers to somebody who can't enter this folder.
    let text = match is_root() {
        true => format!("user root;\n{text}"),
        false => text,
    };
    let config = folder.join("nginx.conf");
    std::fs::write(&config, text)?;
    let nginx = || -> anyhow::Result<Command> {
        let mut command = Command::new(find("nginx", "nginx-light", FOLDERS.iter().map(PathBuf::from))?);
        command.arg("-p").arg(folder).arg("-c").arg(&config);
        command.args(["-e", "stderr"]).stdin(Stdio::null()).kill_on_drop(true);
        Ok(command)
    };
    let tested = nginx()?.arg("-t").output().await?;
    ensure!(
        tested.status.success(),
        "nginx refuses its configuration: {}",
        String::from_utf8_lossy(&tested.stderr)
    );
    let log = std::fs::File::create(folder.join("nginx.log"))?;
    nginx()?
        .args(["-g", "daemon off; master_process off;"])
        .stderr(log)
        .spawn()
        .context("nginx")
}
