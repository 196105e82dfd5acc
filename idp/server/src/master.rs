//! The master key: from `GAIT_MASTER_KEY`, or from its file, which is made at the first start.

use crate::config::{Config, secret};
use crate::ports::SystemEntropy;
use anyhow::{Context, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gait_core::ports::Entropy as _;
use gait_core::seal::MasterKey;
use gait_core::token::secret::Secret;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Environment variable that holds the key as base64 of 32 bytes.
pub const VARIABLE: &str = "GAIT_MASTER_KEY";

/// Loads the key; makes one, readable by its owner only, if there is no file yet.
///
/// # Errors
/// The key isn't base64 of 32 bytes, its file is readable by others, or can't be written.
pub fn load(config: &Config) -> anyhow::Result<MasterKey> {
    let path = &config.master_key_file;
    if !is_there(config) {
        create(path).with_context(|| path.display().to_string())?;
    }
    parse(&text(config)?).with_context(|| place(config))
}

/// The key as it is written.
///
/// # Errors
/// There is none, or its file is readable by others.
pub fn text(config: &Config) -> anyhow::Result<Secret> {
    if let Some(key) = secret::of_variable(VARIABLE).map_err(|reason| anyhow!(reason))? {
        return Ok(key);
    }
    let path = &config.master_key_file;
    let key = secret::of_file(path).map_err(|reason| anyhow!(reason))?;
    if std::fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        bail!("{}: others can read the master key; run chmod 600 on it", path.display());
    }
    Ok(key)
}

/// True if there is a key, in the environment or in its file.
pub fn is_there(config: &Config) -> bool {
    std::env::var_os(VARIABLE).is_some() || config.master_key_file.exists()
}

/// Where the key is, for people.
pub fn place(config: &Config) -> String {
    match std::env::var_os(VARIABLE) {
        Some(_) => format!("the environment variable {VARIABLE}"),
        None => config.master_key_file.display().to_string(),
    }
}

fn create(path: &Path) -> anyhow::Result<()> {
    let mut bytes = [0; 32];
    SystemEntropy::default().fill(&mut bytes);
    write(path, &STANDARD.encode(bytes))?;
    tracing::warn!(path = %path.display(), "made a master key; keep a copy, what is sealed can't be opened without it");
    Ok(())
}

/// Writes a key into its file, which must not be there.
pub(crate) fn write(path: &Path, key: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{key}")?;
    Ok(file.sync_all()?)
}

fn parse(key: &Secret) -> anyhow::Result<MasterKey> {
    let bytes = STANDARD.decode(key.expose().trim()).context("the master key is no base64")?;
    let bytes: [u8; 32] = bytes.try_into().ok().context("the master key is 32 bytes")?;
    Ok(MasterKey::new(bytes))
}
