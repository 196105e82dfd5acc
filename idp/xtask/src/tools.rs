//! Programs that the tests start and that cargo doesn't build: Node, Chromium and its driver, Postgres, Redis, OpenSSL.

use crate::step;
use anyhow::{Context as _, bail};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A program, under the names that systems give it.
struct Tool {
    names: &'static [&'static str],
    /// Its package in Debian.
    package: &'static str,
}

const NODE: Tool = Tool {
    names: &["node", "nodejs"],
    package: "nodejs",
};
const CHROMIUM: Tool = Tool {
    names: &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
    package: "chromium",
};
const CHROMEDRIVER: Tool = Tool {
    names: &["chromedriver"],
    package: "chromium-driver",
};

const POSTGRES: Tool = Tool {
    // In Debian the server itself isn't in the path, but what makes databases is.
    names: &["initdb", "pg_ctlcluster"],
    package: "postgresql",
};
const REDIS: Tool = Tool {
    names: &["redis-server"],
    package: "redis-server",
};

/// Makes certificates for the servers.
const OPENSSL: Tool = Tool {
    names: &["openssl"],
    package: "openssl",
};
const NGINX: Tool = Tool {
    names: &["nginx"],
    package: "nginx-light",
};

/// Where the programs are.
pub struct Tools {
    /// Node, for the tests of what runs in browsers.
    pub node: PathBuf,
    /// The WebDriver of a browser that it finds by itself.
    pub chromedriver: PathBuf,
}

impl Tools {
    /// Finds the programs; installs Debian's packages of those that are missing, where that is possible without a question.
    ///
    /// # Errors
    /// A program is missing and can't be installed; says what to install.
    pub fn ready() -> anyhow::Result<Self> {
        let all = [NODE, CHROMIUM, CHROMEDRIVER, POSTGRES, REDIS, OPENSSL];
        install_missing(&all)?;
        CHROMIUM.path()?;
        Ok(Self {
            node: NODE.path()?,
            chromedriver: CHROMEDRIVER.path()?,
        })
    }
}

impl Tool {
    fn find(&self) -> Option<PathBuf> {
        self.names.iter().find_map(|name| in_path(name))
    }

    fn path(&self) -> anyhow::Result<PathBuf> {
        self.find()
            .with_context(|| format!("{} is missing, although {} was installed", self.names[0], self.package))
    }
}

/// Installs what a cluster needs, where it is missing.
///
/// # Errors
/// As [`Tools::ready`].
pub fn for_cluster() -> anyhow::Result<()> {
    install_missing(&[POSTGRES, REDIS, NGINX])
}

fn install_missing(tools: &[Tool]) -> anyhow::Result<()> {
    let missing: Vec<_> = tools.iter().filter(|tool| tool.find().is_none()).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => install(&missing),
    }
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

fn install(missing: &[&Tool]) -> anyhow::Result<()> {
    let packages: Vec<_> = missing.iter().map(|tool| tool.package).collect();
    let wanted = packages.join(" ");
    let Some(become_root) = become_root().filter(|_| in_path("apt-get").is_some()) else {
        bail!("the tests need {wanted} (names of Debian's packages): install them");
    };
    println!("Installing {wanted}");
    let apt = |args: &[&str]| {
        let line = [
            become_root,
            &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", "--quiet"],
            args,
        ]
        .concat();
        step::run("apt-get", Command::new(line[0]).args(&line[1..]).stdin(Stdio::null()))
    };
    apt(&["update"])?;
    apt(&[&["install", "--no-install-recommends"], packages.as_slice()].concat())
}

/// What to put before a command to run it as root; `None` if that takes a password.
fn become_root() -> Option<&'static [&'static str]> {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if is_root {
        return Some(&[]);
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["--non-interactive", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    sudo.status()
        .is_ok_and(|status| status.success())
        .then_some(&["sudo", "--non-interactive"])
}
