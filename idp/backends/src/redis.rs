//! A Redis server.

use crate::program;
use anyhow::{Context as _, ensure};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A running server that forgets nothing it was told: `noeviction`, and an append-only file.
pub struct Redis {
    folder: TempDir,
    port: u16,
    options: Vec<String>,
    server: Child,
}

/// Options of one that has on the disk what it has answered: else a kill may undo the last moments while the disk is slow.
pub const KEEPS_ALL: [&str; 2] = ["--appendfsync", "always"];

impl Redis {
    /// Starts one in a temporary folder.
    ///
    /// # Errors
    /// Redis isn't installed, or doesn't start.
    pub fn start() -> anyhow::Result<Self> {
        Self::with(&[])
    }

    /// Starts one with further `options` of its command line.
    ///
    /// # Errors
    /// As above.
    pub fn with(options: &[&str]) -> anyhow::Result<Self> {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        Self::at(program::folder()?, program::free_port()?, options)
    }

    fn at(folder: TempDir, port: u16, options: Vec<String>) -> anyhow::Result<Self> {
        let server = serve(&folder, port, &options)?;
        Ok(Self {
            folder,
            port,
            options,
            server,
        })
    }

    /// Starts one that speaks nothing but TLS, with a certificate of an authority of its own; see [`Redis::ca_file`].
    ///
    /// # Errors
    /// As above, or there is no `openssl` to make the certificate with.
    pub fn with_tls(options: &[&str]) -> anyhow::Result<Self> {
        let folder = program::folder()?;
        make_certificate(folder.path())?;
        let port = program::free_port()?;
        let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let tls = [
            ("--port", "0".to_owned()),
            ("--tls-port", port.to_string()),
            ("--tls-cert-file", file("server.pem")),
            ("--tls-key-file", file("server.key")),
            ("--tls-ca-cert-file", file("ca.pem")),
            ("--tls-auth-clients", "no".to_owned()),
        ];
        let tls = tls.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
        let options = tls.chain(options.iter().map(|&option| option.to_owned())).collect();
        Self::at(folder, port, options)
    }

    /// Starts a cluster of one node, which holds all slots.
    ///
    /// # Errors
    /// Redis isn't installed, doesn't start, or doesn't become a cluster.
    pub fn cluster() -> anyhow::Result<Self> {
        let options = ["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"];
        let redis = Self::with(&[options.as_slice(), &KEEPS_ALL].concat())?;
        redis.say(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"])?;
        let is_ready = || Ok(redis.say(&["CLUSTER", "INFO"])?.contains("cluster_state:ok"));
        ensure!(program::look_until(is_ready)?, "the cluster doesn't get ready");
        Ok(redis)
    }

    /// Has `redis-cli` say something, and returns the answer.
    ///
    /// # Errors
    /// It can't be reached.
    pub fn say(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(binary("redis-cli")?)
            .args(["-p", &self.port.to_string()])
            .args(words)
            .output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The URL, for a server without TLS.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// The certificate of the authority that a server with TLS has made for itself.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process id, for its share of the work in a bench.
    pub fn pid(&self) -> u32 {
        self.server.id()
    }

    /// Kills it without a word (SIGKILL).
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.server.kill()?;
        self.server.wait()?;
        Ok(())
    }

    /// Stops it in the middle of whatever it does (SIGSTOP), or has it go on: what a network does that swallows everything.
    ///
    /// # Errors
    /// The system refuses.
    pub fn freeze(&self, frozen: bool) -> anyhow::Result<()> {
        program::signal(&self.server, if frozen { "STOP" } else { "CONT" })
    }

    /// Shuts it down in order: what it knows is on the disk then.
    ///
    /// # Errors
    /// It doesn't end.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        program::signal(&self.server, "TERM")?;
        program::wait_for_end(&mut self.server)
    }

    /// Starts it again on what it left behind; it is read by the end of this.
    ///
    /// # Errors
    /// It doesn't start.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.server = serve(&self.folder, self.port, &self.options)?;
        // The port answers before that.
        let has_read = || Ok(!self.say(&["PING"])?.contains("LOADING"));
        ensure!(program::look_until(has_read)?, "Redis doesn't come to the end of its file");
        Ok(())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _gone = self.kill();
    }
}

fn serve(folder: &TempDir, port: u16, options: &[String]) -> anyhow::Result<Child> {
    let mut server = program::command(&binary("redis-server")?);
    server.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
    server.args([
        "--appendonly",
        "yes",
        "--appendfsync",
        "everysec",
        "--maxmemory-policy",
        "noeviction",
    ]);
    server.arg("--dir").arg(folder.path()).args(options);
    server.stdout(Stdio::null());
    let mut server = program::start(server).context("redis-server")?;
    program::wait_for(&mut server, port)?;
    Ok(server)
}

fn binary(name: &str) -> anyhow::Result<PathBuf> {
    program::find(name, "redis-server", std::iter::empty::<PathBuf>())
}

/// Makes an authority (`ca.pem`), and a certificate for this machine (`server.pem`, `server.key`) that it has signed.
fn make_certificate(folder: &Path) -> anyhow::Result<()> {
    let openssl = program::find("openssl", "openssl", std::iter::empty::<PathBuf>())?;
    let make = |name: &str, subject: &str, more: &[&str]| {
        let output = Command::new(&openssl)
            .current_dir(folder)
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ])
            .args([
                "-keyout",
                &format!("{name}.key"),
                "-out",
                &format!("{name}.pem"),
                "-subj",
                subject,
            ])
            .args(more)
            .output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    };
    make("ca", "/CN=authority", &[])?;
    let names = "subjectAltName=IP:127.0.0.1,DNS:localhost";
    let leaf = [
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-addext",
        names,
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ];
    make("server", "/CN=localhost", &leaf)?;
    program::hand_over(folder)
}
