//! A node: the built `gait` as a process.

use super::files::adapted;
use anyhow::{Context as _, bail, ensure};
use gait_backends::free_port;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use xtask::gait_beside_us;

/// Looks at a node that starts or stops, and the pause between two of them: a minute in all.
const LOOKS: u32 = 600;
const BREATH: Duration = Duration::from_millis(100);

/// Where a node keeps what it knows.
#[derive(Clone, Copy)]
pub enum Stores<'a> {
    /// In Postgres and Redis, at these URLs.
    Servers { database: &'a str, redis: &'a str },
    /// In its own folder, and in its memory.
    Embedded,
}

/// What surrounds a node, which the files of `examples/compose` can't know.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// Where configurations, secrets and logs are.
    pub folder: &'a Path,
    /// Where nodes have their own folders.
    pub data: &'a Path,
    /// Where people and apps go.
    pub issuer: &'a str,
    /// Where the app is.
    pub app: &'a str,
    /// The port of the mail server.
    pub mail: u16,
    /// Where things are kept.
    pub stores: Stores<'a>,
    /// What else is different: text, and what stands in its place.
    pub changes: &'a [(&'a str, &'a str)],
}

/// A node.
pub struct Node {
    /// Its name.
    pub name: &'static str,
    /// Where it answers.
    pub url: String,
    /// What it logs.
    pub log: PathBuf,
    config: PathBuf,
    child: Option<Child>,
}

impl Node {
    /// Writes its configuration; starts nothing.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn new(name: &'static str, port: u16, surroundings: &Surroundings<'_>) -> anyhow::Result<Self> {
        let folder = surroundings.folder;
        let config = folder.join(format!("{name}.toml"));
        std::fs::create_dir(surroundings.data.join(name))?;
        std::fs::write(&config, configuration(name, port, surroundings)?)?;
        Ok(Self {
            name,
            url: format!("http://127.0.0.1:{port}"),
            log: folder.join(format!("{name}.log")),
            config,
            child: None,
        })
    }

    /// Starts it.
    ///
    /// # Errors
    /// The binary isn't there.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = self.command(&["serve"])?;
        command.stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().context("gait")?);
        Ok(())
    }

    /// A command of `gait` with its configuration.
    ///
    /// # Errors
    /// The binary isn't there.
    pub fn command(&self, words: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(gait_beside_us()?);
        command.args(words).arg("--config").arg(&self.config);
        command.stdin(Stdio::null()).kill_on_drop(true);
        Ok(command)
    }

    /// Starts nodes at the same moment, and waits until they are ready; of one that doesn't get ready the log is printed.
    ///
    /// # Errors
    /// One doesn't start, or doesn't get ready in time.
    pub async fn start_all(nodes: &mut [Self]) -> anyhow::Result<()> {
        for node in &mut *nodes {
            node.start()?;
        }
        for node in nodes {
            node.ready().await.inspect_err(|_| node.print_log())?;
        }
        Ok(())
    }

    /// Prints what it has logged as warnings and errors.
    pub fn print_log(&self) {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        for line in log.lines().filter(|line| !line.contains("\"INFO\"")) {
            eprintln!("{}: {line}", self.name);
        }
    }

    /// Waits until it is ready, as a container's health check would.
    ///
    /// # Errors
    /// It ends, or doesn't get ready within a minute.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        for _ in 0..LOOKS {
            if self.command(&["healthcheck"])?.output().await?.status.success() {
                return Ok(());
            }
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().transpose()) {
                bail!("{} ended: {}", self.name, status?);
            }
            tokio::time::sleep(BREATH).await;
        }
        bail!("{} doesn't get ready", self.name)
    }

    /// Kills it without a word (SIGKILL).
    ///
    /// # Errors
    /// It doesn't run.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("it doesn't run")?;
        Ok(child.kill().await?)
    }

    /// Asks it to end, as a rolling restart does, and waits until it has finished what it was doing.
    ///
    /// # Errors
    /// It doesn't end in order.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("it doesn't run")?;
        let id = child.id().context("it has ended")?;
        let asked = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        ensure!(asked.success(), "kill failed");
        let status = tokio::time::timeout(LOOKS * BREATH, child.wait()).await;
        let status = status.with_context(|| format!("{} doesn't end", self.name))??;
        ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(())
    }

    /// How many requests it has answered.
    ///
    /// # Errors
    /// Its log can't be read.
    pub fn answered(&self) -> anyhow::Result<usize> {
        let log = std::fs::read_to_string(&self.log)?;
        let requests = log
            .lines()
            .filter(|line| line.contains("\"done\"") && !line.contains("readyz"));
        Ok(requests.count())
    }
}

fn configuration(name: &str, port: u16, surroundings: &Surroundings<'_>) -> anyhow::Result<String> {
    let own = surroundings.folder.display().to_string();
    let data = surroundings.data.join(name).display().to_string();
    let (listen, metrics) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{}", free_port()?));
    let (secrets, mail) = (format!("{own}/secrets"), format!("port = {}", surroundings.mail));
    let (database, redis);
    let mut changes = match surroundings.stores {
        Stores::Servers {
            database: at,
            redis: there,
        } => {
            (database, redis) = (format!("url = \"{at}\""), format!("url = \"{there}\""));
            vec![
                ("url_file = \"/run/secrets/database-url\"", database.as_str()),
                ("url_file = \"/run/secrets/redis-url\"", &redis),
            ]
        }
        Stores::Embedded => vec![
            ("[database]\nurl_file = \"/run/secrets/database-url\"\n", ""),
            ("[redis]\nurl_file = \"/run/secrets/redis-url\"\n", ""),
        ],
    };
    changes.extend(surroundings.changes);
    changes.extend([
        ("http://localhost:8080", surroundings.issuer),
        ("http://localhost:8081", surroundings.app),
        ("http://balancer:8081", surroundings.app),
        ("0.0.0.0:8080", &listen),
        ("0.0.0.0:9464", &metrics),
        ("/var/lib/gait", &data),
        ("/run/secrets", &secrets),
        ("/etc/gait", &own),
        ("172.30.0.0/24", "127.0.0.1/32"),
        ("host = \"mailpit\"", "host = \"127.0.0.1\""),
        ("port = 1025", &mail),
        // Elasticsearch is no Debian package.
        ("[elasticsearch]\nurls = [\"http://elasticsearch:9200\"]\nsetup = true\n", ""),
    ]);
    adapted("gait.toml", &changes)
}
