//! What is put to the test: nodes as processes, what they keep things in, and wires that can be cut.

use super::wire::Wire;
use crate::app::{App, Clients};
use crate::cluster::{Node, Sink, Stores, Surroundings, prepare};
use crate::receiver::Receiver;
use gait_backends::{Disk, Postgres, Redis, free_port};
use std::fmt::Write as _;
use tempfile::TempDir;

/// The password of everybody.
pub const PASSWORD: &str = "a lantern on the quay";
/// Sizes of the small disks, in MiB: as little as the stores can begin on, with room for what a run adds.
const POSTGRES_MIB: u32 = 512;
const SQLITE_MIB: u32 = 24;

/// What the nodes keep things in.
pub enum Backing {
    /// Postgres and Redis, by wires of each node's own.
    Servers {
        /// Postgres, on a small disk where one may be mounted.
        postgres: Postgres,
        /// Redis.
        redis: Redis,
        /// From each node to Postgres.
        to_postgres: [Wire; 2],
        /// From each node to Redis.
        to_redis: [Wire; 2],
    },
    /// A file of the one node's.
    Embedded {
        /// The small disk that it is on.
        disk: Disk,
        /// Where that is mounted.
        place: TempDir,
    },
}

/// The deployment; it ends with its owner.
pub struct Deployment {
    /// Where people and apps go; each connection goes to another node.
    pub issuer: String,
    /// The nodes.
    pub nodes: Vec<Node>,
    // The nodes end before what they stand on.
    /// What they keep things in.
    pub backing: Backing,
    /// The app's end of callbacks.
    pub receiver: Receiver,
    /// From the nodes to it.
    pub to_receiver: Wire,
    /// Mail.
    pub mails: Sink,
    /// Logs and configurations.
    pub folder: TempDir,
    clients: Clients,
    origin: String,
    /// From people and apps to the nodes.
    _front: Wire,
}

impl Deployment {
    /// Two nodes on Postgres and Redis, for so many people.
    ///
    /// # Errors
    /// A program is missing or doesn't start.
    pub async fn of_two_nodes(people: usize) -> anyhow::Result<Self> {
        let start = || anyhow::Ok((Postgres::on_small_disk(POSTGRES_MIB)?, Redis::start()?));
        let (postgres, redis) = tokio::task::spawn_blocking(start).await??;
        let to_postgres = [Wire::to(&[postgres.port()]).await?, Wire::to(&[postgres.port()]).await?];
        let to_redis = [Wire::to(&[redis.port()]).await?, Wire::to(&[redis.port()]).await?];
        Self::start(
            people,
            Backing::Servers {
                postgres,
                redis,
                to_postgres,
                to_redis,
            },
        )
        .await
    }

    /// One node with a database of its own on a small disk, for so many people; `None` where no disk may be mounted.
    ///
    /// # Errors
    /// The node doesn't start.
    pub async fn on_small_disk(people: usize) -> anyhow::Result<Option<Self>> {
        let place = gait_backends::folder()?;
        match Disk::mount(place.path(), SQLITE_MIB) {
            Some(disk) => Ok(Some(Self::start(people, Backing::Embedded { disk, place }).await?)),
            None => Ok(None),
        }
    }

    async fn start(people: usize, backing: Backing) -> anyhow::Result<Self> {
        let names: &[_] = match backing {
            Backing::Servers { .. } => &["gait-1", "gait-2"],
            Backing::Embedded { .. } => &["gait"],
        };
        let ports = names.iter().map(|_| free_port()).collect::<anyhow::Result<Vec<_>>>()?;
        let front = Wire::to(&ports).await?;
        let receiver = Receiver::start().await?;
        let to_receiver = Wire::to(&[receiver.port]).await?;
        let (mails, mail) = Sink::start(false).await?;
        let folder = tempfile::tempdir()?;
        let (issuer, origin) = [front.port, to_receiver.port]
            .map(|port| format!("http://localhost:{port}"))
            .into();
        let mut deployment = Self {
            clients: prepare(folder.path())?,
            nodes: Vec::new(),
            issuer,
            backing,
            receiver,
            to_receiver,
            mails,
            folder,
            origin,
            _front: front,
        };
        for (number, (name, port)) in names.iter().zip(ports).enumerate() {
            let node = deployment.node(number, name, port, mail, people)?;
            deployment.nodes.push(node);
        }
        Node::start_all(&mut deployment.nodes).await?;
        Ok(deployment)
    }

    fn node(&self, number: usize, name: &'static str, port: u16, mail: u16, people: usize) -> anyhow::Result<Node> {
        let (database, redis);
        let (stores, data) = match &self.backing {
            Backing::Servers {
                to_postgres, to_redis, ..
            } => {
                database = format!("postgres://gait@127.0.0.1:{}/gait", to_postgres[number].port);
                redis = format!("redis://127.0.0.1:{}/", to_redis[number].port);
                let stores = Stores::Servers {
                    database: &database,
                    redis: &redis,
                };
                (stores, self.folder.path())
            }
            Backing::Embedded { place, .. } => (Stores::Embedded, place.path()),
        };
        let accounts = accounts(people) + "\n[[sender]]";
        Node::new(
            name,
            port,
            &Surroundings {
                folder: self.folder.path(),
                data,
                issuer: &self.issuer,
                app: &self.origin,
                mail,
                stores,
                changes: &[("per_account = 100\nper_address = 200", LIMITS), ("\n[[sender]]", &accounts)],
            },
        )
    }

    /// The app, which calls any node.
    ///
    /// # Errors
    /// There is no HTTP client.
    pub fn app(&self) -> anyhow::Result<App> {
        App::with(&self.issuer, &self.origin, self.clients.clone())
    }

    /// The node of which commands are run: the first.
    pub fn first(&self) -> &Node {
        &self.nodes[0]
    }
}

/// People do in minutes here what they do in weeks elsewhere, and tokens must not die of age before we have looked whether they are dead.
const LIMITS: &str = "per_account = 1000000
per_address = 1000000
per_mailbox = 1000000

[limits]
attempts_per_account = 1000000
attempts_per_address = 1000000
flows_per_address = 1000000
refused_per_address = 1000000

[policy.lifetimes]
access = 86400
";

/// The user name of a person.
pub fn username(number: usize) -> String {
    format!("guest{number}")
}

fn accounts(people: usize) -> String {
    let mut text = String::new();
    for name in (0..people).map(username) {
        let _written = write!(
            text,
            "\n[[account]]\nusername = \"{name}\"\nemail = \"{name}@example.test\"\nemail_verified = true\npassword = \"{PASSWORD}\"\n"
        );
    }
    text
}
