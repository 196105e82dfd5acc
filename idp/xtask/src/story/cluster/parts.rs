//! Everything that runs.

use super::balancer;
use super::files::{adapted, make_secrets, secret};
use super::node::Node;
use super::smtp::Sink;
use gait_backends::{Postgres, Redis, free_port};
use std::path::Path;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Child;
use xtask::root;

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
    /// Secrets of the app and its API.
    pub secrets: [String; 2],
    folder: TempDir,
    _balancer: Child,
    postgres: Postgres,
    redis: Redis,
}

/// Addresses that the files don't know.
struct Addresses<'a> {
    issuer: &'a str,
    app: &'a str,
    mail: u16,
}

impl Cluster {
    /// Starts everything, both nodes at the same moment and on an empty database. If `loud`, mails are printed.
    ///
    /// # Errors
    /// A program is missing or doesn't start.
    pub async fn start(loud: bool) -> anyhow::Result<Self> {
        let (postgres, redis) = tokio::task::spawn_blocking(|| anyhow::Ok((Postgres::start()?, Redis::start()?))).await??;
        postgres.run("postgres", "CREATE DATABASE gait")?;
        let folder = tempfile::tempdir()?;
        let secrets = folder.path().join("secrets");
        std::fs::create_dir(&secrets)?;
        std::fs::write(secrets.join("database-url"), postgres.url("gait"))?;
        std::fs::write(secrets.join("redis-url"), redis.url())?;
        make_secrets(&secrets)?;
        std::fs::copy(
            root().join("examples/relying-party/demo-signal-jwks.json"),
            folder.path().join("demo-signal-jwks.json"),
        )?;
        let (mails, mail) = Sink::start(loud).await?;
        let relying_party = TcpListener::bind(("127.0.0.1", 0)).await?;
        let app = format!("http://localhost:{}", relying_party.local_addr()?.port());
        let port = free_port()?;
        let issuer = format!("http://localhost:{port}");
        let addresses = Addresses {
            issuer: &issuer,
            app: &app,
            mail,
        };
        let ports = [free_port()?, free_port()?];
        let mut nodes = [
            node("gait-1", folder.path(), ports[0], &addresses)?,
            node("gait-2", folder.path(), ports[1], &addresses)?,
        ];
        for node in &mut nodes {
            node.start()?;
        }
        for node in &mut nodes {
            if let Err(error) = node.ready().await {
                print_log(node);
                return Err(error);
            }
        }
        let balancer = balancer::start(folder.path(), port, ports).await?;
        let own = [secret(&secrets, "app-client-secret")?, secret(&secrets, "api-client-secret")?];
        let config = relying_party::Config {
            issuer: issuer.clone(),
            public_url: app.clone(),
            client_secret: own[0].as_str().into(),
            api_client_secret: own[1].as_str().into(),
            signal_issuer: app.clone(),
            signal_secret: secret(&secrets, "signal-secret")?.as_str().into(),
            ..relying_party::Config::demo()
        };
        tokio::spawn(relying_party::serve(relying_party, config));
        Ok(Self {
            issuer,
            app,
            nodes,
            mails,
            secrets: own,
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
        self.nodes.iter().for_each(print_log);
    }
}

fn print_log(node: &Node) {
    let log = std::fs::read_to_string(&node.log).unwrap_or_default();
    let loud = log.lines().filter(|line| !line.contains("\"INFO\""));
    for line in loud {
        eprintln!("{}: {line}", node.name);
    }
}

fn node(name: &'static str, folder: &Path, port: u16, addresses: &Addresses<'_>) -> anyhow::Result<Node> {
    let own = folder.display().to_string();
    let configuration = adapted(
        "gait.toml",
        &[
            ("http://localhost:8080", addresses.issuer),
            ("http://localhost:8081", addresses.app),
            ("http://balancer:8081", addresses.app),
            ("0.0.0.0:8080", &format!("127.0.0.1:{port}")),
            ("0.0.0.0:9464", &format!("127.0.0.1:{}", free_port()?)),
            ("/var/lib/gait", &format!("{own}/{name}")),
            ("/run/secrets", &format!("{own}/secrets")),
            ("/etc/gait", &own),
            ("172.30.0.0/24", "127.0.0.1/32"),
            ("host = \"mailpit\"", "host = \"127.0.0.1\""),
            ("port = 1025", &format!("port = {}", addresses.mail)),
            // Elasticsearch is no Debian package.
            ("[elasticsearch]\nurls = [\"http://elasticsearch:9200\"]\nsetup = true\n", ""),
        ],
    )?;
    Node::new(name, folder, port, &configuration)
}
