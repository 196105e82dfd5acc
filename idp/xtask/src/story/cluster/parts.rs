//! Everything that runs.

use super::balancer;
use super::files::{self, secret};
use super::node::{Node, Stores, Surroundings};
use super::smtp::Sink;
use crate::app::Clients;
use gait_backends::{Postgres, Redis, free_port};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Child;

/// The running cluster; everything ends with it.
pub struct Cluster {
    /// Where people and apps go: the balancer.
    pub issuer: String,
    /// The example app.
    pub app: String,
    /// The nodes.
    pub nodes: [Node; 2],
    /// Mail.
    pub mails: Sink,
    /// The app and its API, as the provider knows them.
    pub clients: Clients,
    folder: TempDir,
    _balancer: Child,
    postgres: Postgres,
    redis: Redis,
}

impl Cluster {
    /// Starts everything, both nodes at the same moment and on an empty database. If `loud`, mails are printed.
    ///
    /// # Errors
    /// A program is missing or doesn't start.
    pub async fn start(loud: bool) -> anyhow::Result<Self> {
        let (postgres, redis) = tokio::task::spawn_blocking(|| anyhow::Ok((Postgres::start()?, Redis::start()?))).await??;
        let folder = tempfile::tempdir()?;
        let clients = files::prepare(folder.path())?;
        let (mails, mail) = Sink::start(loud).await?;
        let relying_party = TcpListener::bind(("127.0.0.1", 0)).await?;
        let app = format!("http://localhost:{}", relying_party.local_addr()?.port());
        let port = free_port()?;
        let issuer = format!("http://localhost:{port}");
        let surroundings = Surroundings {
            folder: folder.path(),
            data: folder.path(),
            issuer: &issuer,
            app: &app,
            mail,
            stores: Stores::Servers {
                database: &postgres.url("gait"),
                redis: &redis.url(),
            },
            changes: &[],
        };
        let ports = [free_port()?, free_port()?];
        let mut nodes = [
            Node::new("gait-1", ports[0], &surroundings)?,
            Node::new("gait-2", ports[1], &surroundings)?,
        ];
        Node::start_all(&mut nodes).await?;
        let balancer = balancer::start(folder.path(), port, ports).await?;
        let config = relying_party::Config {
            issuer: issuer.clone(),
            public_url: app.clone(),
            client_secret: clients.app_secret.as_str().into(),
            api_client_secret: clients.api_secret.as_str().into(),
            signal_issuer: app.clone(),
            signal_secret: secret(folder.path(), "signal-secret")?.as_str().into(),
            ..relying_party::Config::demo()
        };
        tokio::spawn(relying_party::serve(relying_party, config));
        Ok(Self {
            issuer,
            app,
            nodes,
            mails,
            clients,
            folder,
            _balancer: balancer,
            postgres,
            redis,
        })
    }

    /// Where everything is.
    pub fn print_tour(&self) {
        let [one, other] = &self.nodes;
        println!(
            "
  Two nodes on Postgres and Redis. Nothing here is secret; Ctrl-C ends and deletes everything.

  The app to sign in to    {}
  Gait, by the balancer    {}
  The nodes                {}  {}
  Postgres, Redis          {}  {}
  Configuration and logs   {}

  alice   password: walks-like-nobody-else
  bob     password: quiet-keys-at-night
  Mails are printed here.
",
            self.app,
            self.issuer,
            one.url,
            other.url,
            self.postgres.url("gait"),
            self.redis.url(),
            self.folder.path().display(),
        );
    }

    /// Prints what the nodes have logged as warnings and errors.
    pub fn print_logs(&self) {
        self.nodes.iter().for_each(Node::print_log);
    }
}
