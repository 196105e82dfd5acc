//! What is measured: Gait on its stores, and a peer.

mod gait;
mod peer;

use crate::cores::Cores;
use crate::cpu::{self, Watched};
use crate::server::Server;
use crate::site::Site;
use anyhow::Context as _;
use clap::ValueEnum;
use gait_backends::{Postgres, Redis};
use serde::Serialize;
use std::path::PathBuf;
use std::rc::Rc;
use tempfile::TempDir;

/// Which target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// oidc-provider on Node, in memory.
    Peer,
    /// Gait on SQLite.
    Sqlite,
    /// Gait on Postgres and Redis, one node.
    Postgres,
    /// Gait on Postgres and Redis, two nodes.
    #[value(name = "postgres-2")]
    #[serde(rename = "postgres-2")]
    Postgres2,
}

impl Kind {
    /// All of them, the peer first.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// In words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Peer => "oidc-provider (Node, in memory)",
            Self::Sqlite => "Gait on SQLite",
            Self::Postgres => "Gait on Postgres and Redis",
            Self::Postgres2 => "Gait on Postgres and Redis, two nodes",
        }
    }

    /// How many of its processes share the work.
    pub fn nodes(self) -> usize {
        match self {
            Self::Postgres2 => 2,
            Self::Peer | Self::Sqlite | Self::Postgres => 1,
        }
    }
}

/// Where the peer is installed: in cargo's folder, so that it goes with it.
///
/// # Errors
/// As above.
pub fn peer_folder() -> anyhow::Result<PathBuf> {
    let us = std::env::current_exe()?;
    let top = us.ancestors().nth(2).context("no folder above")?;
    Ok(top.join("bench-peer"))
}

/// What a start needs to know.
pub struct Setting {
    /// The processors.
    pub cores: Cores,
    /// Gait's program.
    pub gait: PathBuf,
    /// Where the peer is installed.
    pub peer_folder: PathBuf,
}

/// A target that runs.
pub struct Target {
    /// Which one.
    pub kind: Kind,
    /// Where it is.
    pub site: Rc<Site>,
    /// Its processes.
    pub watched: Vec<Watched>,
    /// Names of those that are the provider itself, and not its database.
    pub own: Vec<String>,
    /// Milliseconds from its start to the first answer of discovery: the median of a few.
    pub cold_ms: f64,
    /// Memory of its first node before any load, in MiB.
    pub idle_mib: f64,
    // In this order they end.
    servers: Vec<Server>,
    _services: Option<Services>,
    _folder: TempDir,
}

/// What Gait stores in.
struct Services {
    postgres: Postgres,
    redis: Redis,
}

impl Target {
    /// Starts a target.
    ///
    /// # Errors
    /// What it needs isn't there, or it doesn't start.
    pub async fn start(kind: Kind, setting: &Setting) -> anyhow::Result<Self> {
        match kind {
            Kind::Peer => peer::start(setting).await,
            Kind::Sqlite | Kind::Postgres | Kind::Postgres2 => gait::start(kind, setting).await,
        }
    }

    /// The most memory that its first node ever had, in MiB.
    ///
    /// # Errors
    /// It is gone.
    pub fn peak_mib(&self) -> anyhow::Result<f64> {
        Ok(cpu::memory(self.servers[0].pid())?.peak_mib)
    }
}
