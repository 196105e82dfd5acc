//! What goes wrong.

use super::deployment::{Backing, Deployment};
use super::wire::{Line, Wire};
use anyhow::Context as _;
use rand::Rng as _;
use rand::rngs::StdRng;
use std::time::Duration;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nodes are killed without a word, and start again.
    NodesKilled,
    /// A node is asked to end, and starts again.
    NodeRestarted,
    /// Postgres is killed without a word.
    PostgresKilled,
    /// Postgres is shut down while it is used.
    PostgresRestarted,
    /// Redis is killed without a word.
    RedisKilled,
    /// Redis is shut down while it is used.
    RedisRestarted,
    /// Redis forgets everything.
    RedisEmptied,
    /// Connections of nodes to Postgres are reset.
    PostgresCut,
    /// Nothing comes through between nodes and Postgres.
    PostgresSilent,
    /// Connections of nodes to Redis are reset.
    RedisCut,
    /// Nothing comes through between nodes and Redis.
    RedisSilent,
    /// Nothing can be written to the database's disk.
    DiskFull,
    /// Callbacks reach nobody.
    ReceiverDown,
}

impl Fault {
    /// All that two nodes on Postgres and Redis can suffer.
    pub const OF_TWO_NODES: [Self; 13] = [
        Self::NodesKilled,
        Self::NodeRestarted,
        Self::PostgresKilled,
        Self::PostgresRestarted,
        Self::RedisKilled,
        Self::RedisRestarted,
        Self::RedisEmptied,
        Self::PostgresCut,
        Self::PostgresSilent,
        Self::RedisCut,
        Self::RedisSilent,
        Self::DiskFull,
        Self::ReceiverDown,
    ];
    /// All that one node on a file can.
    pub const OF_ONE_NODE: [Self; 3] = [Self::DiskFull, Self::NodesKilled, Self::NodeRestarted];

    /// In words.
    pub fn title(self) -> &'static str {
        match self {
            Self::NodesKilled => "nodes killed",
            Self::NodeRestarted => "node restarted",
            Self::PostgresKilled => "Postgres killed",
            Self::PostgresRestarted => "Postgres restarted",
            Self::RedisKilled => "Redis killed",
            Self::RedisRestarted => "Redis restarted",
            Self::RedisEmptied => "Redis emptied",
            Self::PostgresCut => "Postgres cut off",
            Self::PostgresSilent => "Postgres silent",
            Self::RedisCut => "Redis cut off",
            Self::RedisSilent => "Redis silent",
            Self::DiskFull => "disk full",
            Self::ReceiverDown => "receiver of callbacks down",
        }
    }
}

impl Deployment {
    /// Whether a fault can be inflicted here.
    pub fn can_suffer(&self, fault: Fault) -> bool {
        match &self.backing {
            Backing::Servers { postgres, .. } => fault != Fault::DiskFull || postgres.disk().is_some(),
            Backing::Embedded { .. } => Fault::OF_ONE_NODE.contains(&fault),
        }
    }

    /// Inflicts a fault for so long, and heals it; returns when all nodes are ready again.
    ///
    /// # Errors
    /// A node doesn't get ready again, or what it stands on doesn't.
    pub async fn suffer(&mut self, fault: Fault, lasts: Duration, rng: &mut StdRng) -> anyhow::Result<()> {
        match fault {
            Fault::NodesKilled => self.kill_nodes(lasts, rng).await?,
            Fault::NodeRestarted => self.restart_node(rng).await?,
            Fault::ReceiverDown => during(lasts, [&self.to_receiver].into_iter(), Line::Cut).await,
            _ => self.shake(fault, lasts, rng).await?,
        }
        for node in &mut self.nodes {
            node.ready().await.with_context(|| format!("after {}", fault.title()))?;
        }
        Ok(())
    }

    /// One node or all.
    fn some_nodes(&self, rng: &mut StdRng) -> Vec<usize> {
        let number = rng.gen_range(0..=self.nodes.len());
        match number == self.nodes.len() {
            true => (0..number).collect(),
            false => vec![number],
        }
    }

    async fn kill_nodes(&mut self, lasts: Duration, rng: &mut StdRng) -> anyhow::Result<()> {
        let which = self.some_nodes(rng);
        for &number in &which {
            self.nodes[number].kill().await?;
        }
        tokio::time::sleep(lasts).await;
        for number in which {
            self.nodes[number].start()?;
        }
        Ok(())
    }

    async fn restart_node(&mut self, rng: &mut StdRng) -> anyhow::Result<()> {
        let number = rng.gen_range(0..self.nodes.len());
        let node = &mut self.nodes[number];
        node.stop().await?;
        node.start()
    }

    /// What befalls that which the nodes stand on.
    async fn shake(&mut self, fault: Fault, lasts: Duration, rng: &mut StdRng) -> anyhow::Result<()> {
        let which = self.some_nodes(rng);
        let (postgres, redis, to_postgres, to_redis) = match &mut self.backing {
            Backing::Embedded { disk, .. } => {
                disk.fill()?;
                tokio::time::sleep(lasts).await;
                return Ok(disk.make_room()?);
            }
            Backing::Servers {
                postgres,
                redis,
                to_postgres,
                to_redis,
            } => (postgres, redis, to_postgres, to_redis),
        };
        let to_postgres = which.iter().map(|&number| &to_postgres[number]);
        let to_redis = which.iter().map(|&number| &to_redis[number]);
        match fault {
            Fault::PostgresCut => during(lasts, to_postgres, Line::Cut).await,
            Fault::PostgresSilent => during(lasts, to_postgres, Line::Silent).await,
            Fault::RedisCut => during(lasts, to_redis, Line::Cut).await,
            Fault::RedisSilent => during(lasts, to_redis, Line::Silent).await,
            Fault::RedisEmptied => {
                redis.say(&["FLUSHALL"])?;
            }
            Fault::PostgresKilled | Fault::PostgresRestarted => {
                match fault {
                    Fault::PostgresKilled => postgres.kill()?,
                    _ => tokio::task::block_in_place(|| postgres.stop())?,
                }
                tokio::time::sleep(lasts).await;
                tokio::task::block_in_place(|| postgres.start_again())?;
            }
            Fault::RedisKilled | Fault::RedisRestarted => {
                match fault {
                    Fault::RedisKilled => redis.kill()?,
                    _ => tokio::task::block_in_place(|| redis.stop())?,
                }
                tokio::time::sleep(lasts).await;
                tokio::task::block_in_place(|| redis.start_again())?;
            }
            Fault::DiskFull => {
                let disk = postgres.disk().context("no small disk")?;
                disk.fill()?;
                tokio::time::sleep(lasts).await;
                disk.make_room()?;
                tokio::task::block_in_place(|| postgres.revive())?;
            }
            Fault::NodesKilled | Fault::NodeRestarted | Fault::ReceiverDown => {}
        }
        Ok(())
    }
}

async fn during<'a>(lasts: Duration, wires: impl Iterator<Item = &'a Wire> + Clone, line: Line) {
    wires.clone().for_each(|wire| wire.set(line));
    tokio::time::sleep(lasts).await;
    wires.for_each(|wire| wire.set(Line::Open));
}
