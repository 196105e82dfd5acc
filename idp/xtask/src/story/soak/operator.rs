//! Whoever runs the deployment: adds accounts and rotates keys by `gait`'s commands, beside the running nodes.

use super::closing::note_keys;
use super::deployment::{Deployment, PASSWORD, username};
use super::ledger::Ledger;
use anyhow::{Context as _, ensure};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Longest that a command may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Accounts between two rotations.
const ROTATE_EVERY: usize = 5;

/// The operator.
pub struct Operator {
    ledger: Ledger,
    /// How many accounts there are, and the number of the next one.
    next: usize,
    /// Numbers of those that were added.
    pub added: Vec<usize>,
}

impl Operator {
    /// Of a deployment that so many people have an account at.
    pub fn new(ledger: &Ledger, people: usize) -> Self {
        Self {
            ledger: ledger.clone(),
            next: people,
            added: Vec::new(),
        }
    }

    /// Does what is to be done now and then.
    pub async fn work(&mut self, deployment: &Deployment) {
        let number = self.next;
        self.next += 1;
        match add_account(deployment, number).await {
            Ok(()) => {
                self.ledger.done("account added");
                self.added.push(number);
            }
            Err(why) => self.ledger.refused("account added", why),
        }
        if self.next.is_multiple_of(ROTATE_EVERY) {
            match rotate(deployment, &self.ledger).await {
                Ok(()) => self.ledger.done("key rotation"),
                Err(why) => self.ledger.refused("key rotation", why),
            }
        }
    }
}

async fn add_account(deployment: &Deployment, number: usize) -> anyhow::Result<()> {
    let name = username(number);
    let email = format!("{name}@example.test");
    let words = ["account", "add", &name, "--email", &email, "--password-stdin"];
    run(deployment.first().command(&words)?, PASSWORD).await
}

async fn rotate(deployment: &Deployment, ledger: &Ledger) -> anyhow::Result<()> {
    run(deployment.first().command(&["keys", "rotate"])?, "").await?;
    note_keys(deployment, ledger).await
}

async fn run(mut command: Command, input: &str) -> anyhow::Result<()> {
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    stdin.write_all(input.as_bytes()).await?;
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = output.context("it doesn't end")??;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
