//! A program that serves: started, waited for, ended.

use crate::site;
use crate::stopwatch;
use anyhow::{Context as _, bail};
use gait_backends::free_port;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longest wait for a start or an end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks.
const BREATH: Duration = Duration::from_millis(1);

/// A running server. It is killed with its last owner.
pub struct Server {
    child: Child,
}

impl Server {
    /// Starts it and waits until it answers discovery; also returns the milliseconds until then. What it prints goes to the end of
    /// `log`.
    ///
    /// # Errors
    /// It can't be started, ends, or doesn't answer.
    pub async fn start(mut command: Command, node: SocketAddr, log: &Path) -> anyhow::Result<(Self, f64)> {
        let name = command.get_program().display().to_string();
        let lines = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(lines.try_clone()?).stderr(lines);
        let begun = stopwatch::now();
        let mut server = Self {
            child: command.spawn().with_context(|| format!("{name} can't be started"))?,
        };
        while begun.elapsed() < PATIENCE {
            if site::is_up(node).await {
                return Ok((server, stopwatch::ms_since(begun)));
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("it ended at once ({status}): {}", last_lines(log));
            }
            tokio::time::sleep(BREATH).await;
        }
        bail!("it doesn't answer: {}", last_lines(log))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it in order.
    ///
    /// # Errors
    /// It doesn't end.
    pub fn stop(mut self) -> anyhow::Result<()> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        let begun = stopwatch::now();
        while begun.elapsed() < PATIENCE {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(BREATH);
        }
        bail!("it doesn't end")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// An address on this machine where nobody listens now.
///
/// # Errors
/// There is none.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok((Ipv4Addr::LOCALHOST, free_port()?).into())
}

fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
