//! Gait, configured as people run it: durable, JSON logs at info to a file, metrics on, the default middleware.

use super::{Kind, Services, Setting, Target};
use crate::cpu::{self, Watched};
use crate::figures::median;
use crate::people::{
    self, ACCOUNTS, API_SCOPE, CLIENT, JWT_CLIENT, ORIGIN, PASSWORD, REDIRECT_URI, SECRET, WATCHED_ACCOUNTS, WATCHED_CLIENT,
};
use crate::server::{self, Server};
use crate::site::Site;
use crate::user::User;
use anyhow::{Context as _, ensure};
use gait_backends::{Postgres, Redis};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tempfile::TempDir;

/// Starts that the cold start is the median of.
const COLD_STARTS: usize = 3;

/// Where a deployment lives.
struct Deployment<'a> {
    setting: &'a Setting,
    folder: PathBuf,
    issuer: String,
    nodes: Vec<SocketAddr>,
    services: Option<Services>,
}

/// Starts it: first to make the accounts and to learn rhythms, then, as it is measured, from cold.
pub async fn start(kind: Kind, setting: &Setting) -> anyhow::Result<Target> {
    ensure!(setting.gait.is_file(), "{} is missing", setting.gait.display());
    let folder = TempDir::new()?;
    let nodes: Vec<_> = (0..kind.nodes()).map(|_| server::free_address()).collect::<Result<_, _>>()?;
    let deployment = Deployment {
        setting,
        folder: folder.path().to_owned(),
        issuer: format!("http://localhost:{}", nodes[0].port()),
        nodes,
        services: services(kind, setting)?,
    };
    deployment.prepare().await?;
    let (cold_ms, first) = deployment.start_cold().await?;
    let mut servers = vec![first];
    for node in 1..deployment.nodes.len() {
        servers.push(deployment.start_node(node).await?.0);
    }
    let names: Vec<_> = (1..=servers.len()).map(|number| format!("gait {number}")).collect();
    let mut watched: Vec<_> = names
        .iter()
        .zip(&servers)
        .map(|(name, server)| watch(name, server.pid()))
        .collect();
    if let Some(services) = &deployment.services {
        watched.extend([
            watch("postgres", services.postgres.pid()),
            watch("redis", services.redis.pid()),
        ]);
    }
    Ok(Target {
        kind,
        site: Rc::new(Site::explore(&deployment.issuer, deployment.nodes).await?),
        watched,
        own: names,
        cold_ms,
        idle_mib: cpu::memory(servers[0].pid())?.now_mib,
        servers,
        _services: deployment.services,
        _folder: folder,
    })
}

fn watch(name: &str, pid: u32) -> Watched {
    Watched {
        name: name.to_owned(),
        pid,
    }
}

fn services(kind: Kind, setting: &Setting) -> anyhow::Result<Option<Services>> {
    if matches!(kind, Kind::Peer | Kind::Sqlite) {
        return Ok(None);
    }
    let services = Services {
        postgres: Postgres::start()?,
        redis: Redis::start()?,
    };
    for pid in [services.postgres.pid(), services.redis.pid()] {
        setting.cores.move_beside(kind.nodes(), pid)?;
    }
    Ok(Some(services))
}

impl Deployment<'_> {
    /// Makes accounts and clients, and learns the watched accounts' rhythms.
    async fn prepare(&self) -> anyhow::Result<()> {
        // Rhythms are learned every two minutes unless it is said otherwise.
        let config = self.write("prepare.toml", self.nodes[0], "retrain_every_s = 1")?;
        let (server, _) = self.serve(0, &config).await?;
        let site = Rc::new(Site::explore(&self.issuer, vec![self.nodes[0]]).await?);
        let mut user = User::new(&site, 0);
        for account in 0..WATCHED_ACCOUNTS {
            user.enrol(account).await.with_context(|| people::watched_username(account))?;
        }
        server.stop()
    }

    /// Starts the first node some times; returns the median of the times that it took, and the last one.
    async fn start_cold(&self) -> anyhow::Result<(f64, Server)> {
        let (mut server, mut last_ms) = self.start_node(0).await?;
        let mut times_ms = vec![last_ms];
        while times_ms.len() < COLD_STARTS {
            server.stop()?;
            (server, last_ms) = self.start_node(0).await?;
            times_ms.push(last_ms);
        }
        Ok((median(times_ms).unwrap_or(last_ms), server))
    }

    async fn start_node(&self, node: usize) -> anyhow::Result<(Server, f64)> {
        let config = self.write(&format!("gait-{node}.toml"), self.nodes[node], "")?;
        self.serve(node, &config).await
    }

    async fn serve(&self, node: usize, config: &Path) -> anyhow::Result<(Server, f64)> {
        let mut command = self.setting.cores.node_command(node, &self.setting.gait);
        command.args(["serve", "--config"]).arg(config);
        command.env_remove("GAIT_LOG").env_remove("GAIT_MASTER_KEY");
        let log = self.folder.join("gait.log");
        Server::start(command, self.nodes[node], &log).await.context("gait serve")
    }

    fn write(&self, name: &str, listen: SocketAddr, first_lines: &str) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(name);
        std::fs::write(&path, self.configuration(listen, first_lines)?)?;
        Ok(path)
    }

    fn configuration(&self, listen: SocketAddr, first_lines: &str) -> anyhow::Result<String> {
        let mut text = format!(
            r#"
issuer = "{issuer}"
listen = "{listen}"
data_dir = "data"
log = "json"
trusted_proxies = ["127.0.0.1/32"]
{first_lines}

[metrics]
listen = "127.0.0.1:0"

[smtp]
host = "127.0.0.1"
port = 9
tls = "none"
from = "bench@example.test"

[policy]
plan = [["password"]]
step_up = [["password"]]
acr = []

# Batches come a thousand times as fast as people type them: so many false alarms would end the sessions. They are scored all the same.
[policy.watch]
mode = "observe"

[limits]
samples_per_session = 1000000
"#,
            issuer = self.issuer
        );
        if let Some(services) = &self.services {
            let database = services.postgres.url("gait");
            let redis = services.redis.url();
            write!(text, "\n[database]\nurl = \"{database}\"\n\n[redis]\nurl = \"{redis}\"\n")?;
        }
        let accounts = (0..ACCOUNTS).map(people::username).map(|name| account(&name, "train"));
        let watched = (0..WATCHED_ACCOUNTS)
            .map(people::watched_username)
            .map(|name| account(&name, "auth"));
        text.extend([
            client(CLIENT, "opaque", ""),
            client(JWT_CLIENT, "jwt", ""),
            client(WATCHED_CLIENT, "opaque", "continuous_auth"),
        ]);
        text.extend(accounts.chain(watched));
        Ok(text)
    }
}

fn client(id: &str, access_token: &str, further_scope: &str) -> String {
    let scopes: Vec<_> = ["openid", "offline_access", API_SCOPE, further_scope]
        .into_iter()
        .filter(|scope| !scope.is_empty())
        .collect();
    format!(
        r#"
[[client]]
id = "{id}"
secret = "{SECRET}"
trusted = true
introspects = true
redirect_uris = ["{REDIRECT_URI}"]
origins = ["{ORIGIN}"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
id_token_alg = "ES256"
access_token = "{access_token}"
scopes = {scopes:?}
"#
    )
}

fn account(username: &str, mode: &str) -> String {
    format!(
        r#"
[[account]]
username = "{username}"
password = "{PASSWORD}"
email = "{username}@example.test"
email_verified = true
mode = "{mode}"
"#
    )
}
