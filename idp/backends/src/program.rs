//! Programs: where they are, and as whom they run.

use crate::Disk;
use anyhow::{Context as _, bail, ensure};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

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
        .with_context(|| format!("{name} is missing: install {package} (Debian's name); the chores of `cargo xtask` do"))
}

/// Begins the name of a server's folder; the number of the process that it is for follows.
const FOLDER: &str = "gait-backend-";

/// An order to the thread that starts programs, and where the answer goes.
type Order = (Command, Sender<std::io::Result<Child>>);

/// Starts programs as long as this process lives. The system ends a child together with the *thread* that started it, and a test's
/// thread may end long before the last test that uses its server.
static STARTER: LazyLock<Mutex<Sender<Order>>> = LazyLock::new(|| {
    let (orders, taken) = channel::<Order>();
    std::thread::spawn(move || {
        for (mut command, answer) in taken {
            let _unheard = answer.send(command.spawn());
        }
    });
    Mutex::new(orders)
});

/// Starts a program that ends with this process.
///
/// # Errors
/// The system refuses.
pub fn start(command: Command) -> anyhow::Result<Child> {
    let (answer, answered) = channel();
    let orders = STARTER.lock().unwrap_or_else(PoisonError::into_inner).clone();
    orders.send((command, answer)).context("the starter has ended")?;
    Ok(answered.recv().context("the starter has ended")??)
}

/// A folder for a server. Those that processes left behind without a chance to tidy up are deleted.
///
/// # Errors
/// The system refuses.
pub fn folder() -> anyhow::Result<TempDir> {
    for entry in std::fs::read_dir(std::env::temp_dir())?.flatten() {
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(FOLDER));
        let owner = rest.and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner).exists()) {
            Disk::unmount(&entry.path());
            let _gone_already = std::fs::remove_dir_all(entry.path());
        }
    }
    let name = format!("{FOLDER}{}-", std::process::id());
    let folder = tempfile::Builder::new().prefix(&name).tempdir()?;
    hand_over(folder.path())?;
    Ok(folder)
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
        ensure!(done.success(), "chown failed");
    }
    Ok(())
}

/// Whether we may do everything here.
pub fn is_root() -> bool {
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
    let answers = look_until(|| match server.try_wait()? {
        Some(status) => bail!("the server ended at once: {status}"),
        None => Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()),
    })?;
    ensure!(answers, "the server doesn't answer on port {port}");
    Ok(())
}

/// Looks again and again until it is so; false if it isn't in time.
///
/// # Errors
/// A look's.
pub fn look_until(mut is_so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<bool> {
    for _ in 0..LOOKS {
        if is_so()? {
            return Ok(true);
        }
        std::thread::sleep(BREATH);
    }
    Ok(false)
}

/// Waits until a server has ended by itself.
///
/// # Errors
/// It doesn't in time.
pub fn wait_for_end(server: &mut Child) -> anyhow::Result<()> {
    ensure!(look_until(|| Ok(server.try_wait()?.is_some()))?, "the server doesn't end");
    Ok(())
}

/// Sends a server a signal.
///
/// # Errors
/// The system refuses.
pub fn signal(server: &Child, signal: &str) -> anyhow::Result<()> {
    let done = Command::new("kill")
        .arg(format!("-{signal}"))
        .arg(server.id().to_string())
        .status()?;
    ensure!(done.success(), "kill failed");
    Ok(())
}
