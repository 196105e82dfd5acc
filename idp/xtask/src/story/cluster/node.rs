//! A node: the built `gait` as a process.

use anyhow::{Context as _, bail, ensure};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use xtask::gait_beside_us;

/// Looks at a node that starts or stops, and the pause between two of them: a minute in all.
const LOOKS: u32 = 600;
const BREATH: Duration = Duration::from_millis(100);

/// A node.
pub struct Node {
    /// Its name.
    pub name: &'static str,
    /// Where it answers.
    pub url: String,
    /// What it logs.
    pub log: PathBuf,
    config: PathBuf,
    child: Option<Child>,
}

impl Node {
    /// Writes its configuration into `folder`; starts nothing.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn new(name: &'static str, folder: &Path, port: u16, configuration: &str) -> anyhow::Result<Self> {
        let config = folder.join(format!("{name}.toml"));
        std::fs::write(&config, configuration)?;
        Ok(Self {
            name,
            url: format!("http://127.0.0.1:{port}"),
            log: folder.join(format!("{name}.log")),
            config,
            child: None,
        })
    }

    /// Starts it.
    ///
    /// # Errors
    /// The binary isn't there.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(gait_beside_us()?);
        command.arg("serve").arg("--config").arg(&self.config);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        self.child = Some(command.spawn().context("gait")?);
        Ok(())
    }

    /// Waits until it is ready, as a container's health check would.
    ///
    /// # Errors
    /// It ends, or doesn't get ready within a minute.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        for _ in 0..LOOKS {
            let mut command = Command::new(gait_beside_us()?);
            command.arg("healthcheck").arg("--config").arg(&self.config);
            if command.output().await?.status.success() {
                return Ok(());
            }
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().transpose()) {
                bail!("{} ended: {}", self.name, status?);
            }
            tokio::time::sleep(BREATH).await;
        }
        bail!("{} doesn't get ready", self.name)
    }

    /// Kills it without a word (SIGKILL).
    ///
    /// # Errors
    /// It doesn't run.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("it doesn't run")?;
        Ok(child.kill().await?)
    }

    /// Asks it to end, as a rolling restart does, and waits until it has finished what it was doing.
    ///
    /// # Errors
    /// It doesn't end in order.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("it doesn't run")?;
        let id = child.id().context("it has ended")?;
        let asked = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        ensure!(asked.success(), "kill failed");
        let status = tokio::time::timeout(LOOKS * BREATH, child.wait()).await;
        let status = status.with_context(|| format!("{} doesn't end", self.name))??;
        ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(())
    }

    /// How many requests it has answered.
    ///
    /// # Errors
    /// Its log can't be read.
    pub fn answered(&self) -> anyhow::Result<usize> {
        let log = std::fs::read_to_string(&self.log)?;
        let requests = log
            .lines()
            .filter(|line| line.contains("\"done\"") && !line.contains("readyz"));
        Ok(requests.count())
    }
}
