//! Programs: where they are, and as whom they run.

use anyhow::{Context as _, bail};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Whom servers run as where we are root: Postgres refuses to be.
const SERVANT: &str = "nobody";
/// Pause between two looks at a server that starts or stops.
const BREATH: Duration = Duration::from_millis(20);
/// Looks at a server that starts or stops before we give up: half a minute.
const LOOKS: u32 = 1500;

/// Finds a program in `PATH` or in one of `folders`, the last one first (of several versions, the newest).
///
/// # Errors
/// It isn't there; names Debian's package.
pub fn find(name: &str, package: &str, folders: impl DoubleEndedIterator<Item = PathBuf>) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all = folders.rev().chain(std::env::split_paths(&path));
    all.find_map(|folder| Some(folder.join(name)).filter(|file| file.is_file()))
        .with_context(|| format!("{name} is missing: install {package} (Debian's name), or run `cargo xtask test`, which does"))
}

/// A command that dies with this process, and isn't root.
pub fn command(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if is_root() {
        command.args(["--reuid", SERVANT, "--regid", "nogroup", "--clear-groups"]);
    }
    command.arg("--").arg(program).stdin(Stdio::null());
    command
}

/// Gives a folder to whom servers run as.
///
/// # Errors
/// The system refuses.
pub fn hand_over(folder: &Path) -> anyhow::Result<()> {
    if is_root() {
        let done = Command::new("chown")
            .arg("-R")
            .arg(format!("{SERVANT}:nogroup"))
            .arg(folder)
            .status()?;
        anyhow::ensure!(done.success(), "chown failed");
    }
    Ok(())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// A port that nobody listens on now.
///
/// # Errors
/// The system has none.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits until a port answers.
///
/// # Errors
/// The server ended, or doesn't answer in time.
pub fn wait_for(server: &mut Child, port: u16) -> anyhow::Result<()> {
    for _ in 0..LOOKS {
        if let Some(status) = server.try_wait()? {
            bail!("the server ended at once: {status}");
        }
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(BREATH);
    }
    bail!("the server doesn't answer on port {port}")
}

/// Waits until a server has ended by itself.
///
/// # Errors
/// It doesn't in time.
pub fn wait_for_end(server: &mut Child) -> anyhow::Result<()> {
    for _ in 0..LOOKS {
        if server.try_wait()?.is_some() {
            return Ok(());
        }
        std::thread::sleep(BREATH);
    }
    bail!("the server doesn't end")
}

/// Asks a server to end.
///
/// # Errors
/// The system refuses.
pub fn ask_to_end(server: &Child, signal: &str) -> anyhow::Result<()> {
    let done = Command::new("kill")
        .arg(format!("-{signal}"))
        .arg(server.id().to_string())
        .status()?;
    anyhow::ensure!(done.success(), "kill failed");
    Ok(())
}
