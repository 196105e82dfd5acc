//! `gait backup` and `gait restore`.

use super::ConfigArg;
use crate::backup::{self, Key, Lock, Wishes};
use crate::config::{Config, LogConfig, secret};
use crate::ports::SystemClock;
use crate::{log, master};
use anyhow::{Context as _, anyhow, bail};
use gait_core::ports::Clock as _;
use gait_core::token::secret::Secret;
use gait_sdk::Timestamp;
use std::path::PathBuf;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// `gait backup`.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("lock").required(true))]
pub struct Backup {
    #[command(flatten)]
    config: ConfigArg,
    /// Where to write it; must not be there yet.
    file: PathBuf,
    /// Encrypt to this public key (`age1…`, made by `age-keygen`); may be given several times.
    #[arg(long = "recipient", group = "lock")]
    recipients: Vec<String>,
    /// Encrypt to the public keys in this file, one a line.
    #[arg(long, group = "lock")]
    recipients_file: Option<PathBuf>,
    /// Encrypt with the passphrase in this file.
    #[arg(long, group = "lock")]
    passphrase_file: Option<PathBuf>,
    /// Encrypt with the passphrase in this environment variable.
    #[arg(long, group = "lock")]
    passphrase_env: Option<String>,
    /// Put the master key in too: whoever opens the backup then opens everything.
    #[arg(long)]
    with_master_key: bool,
}

/// `gait restore`.
#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("key").required(true))]
pub struct Restore {
    #[command(flatten)]
    config: ConfigArg,
    /// The backup.
    file: PathBuf,
    /// Decrypt with the private keys in this file (as `age-keygen` writes it).
    #[arg(long, group = "key")]
    identity_file: Option<PathBuf>,
    /// Decrypt with the passphrase in this file.
    #[arg(long, group = "key")]
    passphrase_file: Option<PathBuf>,
    /// Decrypt with the passphrase in this environment variable.
    #[arg(long, group = "key")]
    passphrase_env: Option<String>,
    /// Replace a database that is there; it is moved aside, not deleted.
    #[arg(long)]
    force: bool,
    /// Leave sessions and tokens as they were: also those that were revoked after the backup was taken come back to life.
    #[arg(long)]
    keep_sessions: bool,
}

fn now() -> Timestamp {
    SystemClock.now()
}

fn passphrase(file: Option<PathBuf>, env: Option<String>) -> anyhow::Result<Secret> {
    let written = secret::Written {
        key: secret::Key::Passphrase,
        inline: &None,
        file: &file,
        env: &env,
    };
    let here = std::env::current_dir()?;
    written.required(&here).map_err(|reason| anyhow!(reason))
}

/// A backup is of the file; a server has tools of its own.
fn embedded(arg: &ConfigArg) -> anyhow::Result<Config> {
    let config = arg.load()?;
    if config.database.is_some() {
        bail!("the database is on a Postgres server: pg_dump and pg_restore, as db/README.md says");
    }
    Ok(config)
}

pub(super) async fn backup(args: Backup) -> anyhow::Result<()> {
    let config = embedded(&args.config)?;
    let lock = match (&args.recipients_file, args.recipients.is_empty()) {
        (Some(file), _) => {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            let lines = text.lines().map(str::trim);
            Lock::recipients(lines.filter(|line| !line.is_empty() && !line.starts_with('#')))?
        }
        (None, false) => Lock::recipients(args.recipients.iter().map(String::as_str))?,
        (None, true) => Lock::Passphrase(passphrase(args.passphrase_file, args.passphrase_env)?),
    };
    let master_key = match args.with_master_key {
        true => Some(master::text(&config)?),
        false => None,
    };
    let without_key = master_key.is_none();
    let bytes = backup::take(&config.database_file(), &args.file, lock, master_key, now()).await?;
    println!("{}: {bytes} bytes", args.file.display());
    if without_key {
        println!(
            "The master key isn't in it, and without it nobody can sign in from this backup: keep a copy of it elsewhere ({}).",
            master::place(&config)
        );
    }
    Ok(())
}

pub(super) async fn restore(args: Restore) -> anyhow::Result<()> {
    let config = embedded(&args.config)?;
    let _log = log::start(&LogConfig {
        format: config.log.format,
        level: Some("warn".to_owned()),
        file: None,
    })?;
    let key = match &args.identity_file {
        Some(file) => Key::identities(file)?,
        None => Key::Passphrase(passphrase(args.passphrase_file, args.passphrase_env)?),
    };
    let wishes = Wishes {
        force: args.force,
        keep_sessions: args.keep_sessions,
    };
    let restored = backup::restore(&config, &args.file, key, wishes, now()).await?;
    let taken = OffsetDateTime::from_unix_timestamp(restored.taken_at.0)?.format(&Rfc3339)?;
    println!("Restored what was there at {taken}.");
    if let Some(aside) = &restored.replaced {
        println!("The database of before is {}.", aside.display());
    }
    if restored.master_key_written {
        println!("The backup's master key is in {} now.", config.master_key_file.display());
    }
    match args.keep_sessions {
        true => println!("Sessions and tokens are as they were: what was revoked since lives again."),
        false => println!("All sessions, grants and tokens are ended: everybody signs in again, and the apps are told."),
    }
    match restored.repeated {
        Some(number) => {
            println!(
                "{number} withdrawals, erasures and changes of disabled accounts since then were repeated from the database of before."
            );
        }
        None => println!(
            "No database of before could be asked what was withdrawn or erased since then, or which accounts were disabled: \
             if there are logs of events, repeat it from them."
        ),
    }
    println!(
        "Passwords and other factors, clients, and signing keys are those of then: change again what was changed because it had leaked."
    );
    Ok(())
}
