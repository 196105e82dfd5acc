//! A Postgres server.

use crate::{Disk, program};
use anyhow::{Context as _, ensure};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A running server with a superuser `gait` that needs no password, and an empty database of that name.
pub struct Postgres {
    // In this order they go.
    server: Child,
    disk: Option<Disk>,
    folder: TempDir,
    port: u16,
}

impl Postgres {
    /// Makes a cluster in a temporary folder and starts it.
    ///
    /// # Errors
    /// Postgres isn't installed, or doesn't start.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_in(program::folder()?, None)
    }

    /// Starts one on a small disk of `mib` MiB, which can be filled, or on the common one where no disk may be mounted; see
    /// [`Postgres::disk`].
    ///
    /// # Errors
    /// As above.
    pub fn on_small_disk(mib: u32) -> anyhow::Result<Self> {
        let folder = program::folder()?;
        let disk = Disk::mount(folder.path(), mib);
        program::hand_over(folder.path())?;
        Self::start_in(folder, disk)
    }

    fn start_in(folder: TempDir, disk: Option<Disk>) -> anyhow::Result<Self> {
        let mut init = program::command(&binary("initdb")?);
        init.arg("--pgdata").arg(folder.path().join("cluster"));
        init.args([
            "--username=gait",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ]);
        let made = init.stdout(Stdio::null()).status().context("initdb")?;
        ensure!(made.success(), "initdb failed");
        let port = program::free_port()?;
        let server = serve(&folder, port)?;
        let postgres = Self {
            server,
            disk,
            folder,
            port,
        };
        postgres.run("postgres", "CREATE DATABASE gait")?;
        Ok(postgres)
    }

    /// The small disk that it is on.
    pub fn disk(&self) -> Option<&Disk> {
        self.disk.as_ref()
    }

    /// The URL of a database; `gait` and `postgres` are there from the start.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://gait@127.0.0.1:{}/{database}", self.port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process id, for its share of the work in a bench.
    pub fn pid(&self) -> u32 {
        self.server.id()
    }

    /// Runs one SQL command in a database.
    ///
    /// # Errors
    /// It fails; says why.
    pub fn run(&self, database: &str, sql: &str) -> anyhow::Result<()> {
        let output = Command::new(binary("psql")?)
            .args([
                "--no-psqlrc",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--command",
                sql,
                &self.url(database),
            ])
            .output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Kills it without a word (SIGKILL), as a crash or a power cut would.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.server.kill()?;
        self.server.wait()?;
        Ok(())
    }

    /// Shuts it down in order, without waiting for its clients.
    ///
    /// # Errors
    /// It doesn't end.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        program::signal(&self.server, "INT")?;
        program::wait_for_end(&mut self.server)
    }

    /// Starts it again if it has given up.
    ///
    /// # Errors
    /// It doesn't start.
    pub fn revive(&mut self) -> anyhow::Result<()> {
        match self.server.try_wait()? {
            Some(_) => self.start_again(),
            None => Ok(()),
        }
    }

    /// Starts it again on what it left behind.
    ///
    /// # Errors
    /// It doesn't start.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        // A killed postmaster's workers may still be ending; the new one refuses until they have.
        for _ in 0..100 {
            match serve(&self.folder, self.port) {
                Ok(server) => {
                    self.server = server;
                    return Ok(());
                }
                Err(_) => std::thread::sleep(std::time::Duration::from_millis(100)),
            }
        }
        self.server = serve(&self.folder, self.port)?;
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ended = self.stop();
        let _gone = self.kill();
    }
}

fn serve(folder: &TempDir, port: u16) -> anyhow::Result<Child> {
    let mut server = program::command(&binary("postgres")?);
    server.arg("-D").arg(folder.path().join("cluster"));
    server.args(["-p", &port.to_string(), "-k", "", "-h", "127.0.0.1"]);
    server.args([
        "-c",
        "max_connections=200",
        "-c",
        "logging_collector=off",
        "-c",
        "log_min_messages=panic",
    ]);
    server.stdout(Stdio::null()).stderr(Stdio::null());
    let mut server = program::start(server).context("postgres")?;
    program::wait_for(&mut server, port)?;
    wait_until_ready(port)?;
    Ok(server)
}

/// The port answers before the server takes connections.
fn wait_until_ready(port: u16) -> anyhow::Result<()> {
    let binary = binary("pg_isready")?;
    let port = port.to_string();
    let is_ready = || {
        Ok(Command::new(&binary)
            .args(["--host=127.0.0.1", "--port", &port, "--quiet"])
            .status()?
            .success())
    };
    ensure!(program::look_until(is_ready)?, "Postgres doesn't take connections");
    Ok(())
}

fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    program::find(name, "postgresql", folders.into_iter())
}
