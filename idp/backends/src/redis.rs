//! A Redis server.

use crate::program;
use anyhow::Context as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use tempfile::TempDir;

/// A running server that forgets nothing it was told: `noeviction`, and an append-only file.
pub struct Redis {
    folder: TempDir,
    port: u16,
    options: Vec<String>,
    server: Child,
}

impl Redis {
    /// Starts one in a temporary folder.
    ///
    /// # Errors
    /// Redis isn't installed, or doesn't start.
    pub fn start() -> anyhow::Result<Self> {
        Self::with(&[])
    }

    /// Starts one with further `options` of its command line.
    ///
    /// # Errors
    /// As above.
    pub fn with(options: &[&str]) -> anyhow::Result<Self> {
        let folder = program::folder()?;
        let port = program::free_port()?;
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let server = serve(&folder, port, &options)?;
        Ok(Self {
            folder,
            port,
            options,
            server,
        })
    }

    /// The URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process id, for its share of the work in a bench.
    pub fn pid(&self) -> u32 {
        self.server.id()
    }

    /// Kills it without a word (SIGKILL).
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.server.kill()?;
        self.server.wait()?;
        Ok(())
    }

    /// Shuts it down in order: what it knows is on the disk then.
    ///
    /// # Errors
    /// It doesn't end.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        program::ask_to_end(&self.server, "TERM")?;
        program::wait_for_end(&mut self.server)
    }

    /// Starts it again on what it left behind.
    ///
    /// # Errors
    /// It doesn't start.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.server = serve(&self.folder, self.port, &self.options)?;
        Ok(())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _gone = self.kill();
    }
}

fn serve(folder: &TempDir, port: u16, options: &[String]) -> anyhow::Result<Child> {
    let mut server = program::command(&program::find("redis-server", "redis-server", std::iter::empty::<PathBuf>())?);
    server.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
    server.args([
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
        "--maxmemory-policy",
        "noeviction",
    ]);
    server.arg("--dir").arg(folder.path()).args(options);
    server.stdout(Stdio::null());
    let mut server = program::start(server).context("redis-server")?;
    program::wait_for(&mut server, port)?;
    Ok(server)
}
