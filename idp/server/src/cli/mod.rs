//! The command line.

mod account;
mod backup;
mod client;
mod doctor;
mod elasticsearch;
mod keys;
mod outbox;
mod serve;
mod theme;

use crate::App;
use crate::config::Config;
use crate::mail::{Catcher, Outlet};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// An OpenID provider that keeps checking, after the sign-in, that the person is still the same person.
#[derive(Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Args)]
struct ConfigArg {
    /// The configuration file.
    #[arg(long, env = "GAIT_CONFIG", default_value = "gait.toml")]
    config: PathBuf,
}

impl ConfigArg {
    fn load(&self) -> anyhow::Result<Config> {
        Ok(Config::load(&self.config)?)
    }

    /// A provider for a chore: mail goes nowhere, since no chore may send any.
    async fn open(&self) -> anyhow::Result<(App, Config)> {
        let config = self.load()?;
        let app = App::builder(config.clone())
            .outlet(Outlet::Catch(Catcher::default()))
            .build()
            .await?;
        Ok((app, config))
    }
}

#[derive(Subcommand)]
enum Command {
    /// Everything on this machine, seeded, with a mail catcher and an app to sign in to.
    #[cfg(feature = "dev")]
    Dev(crate::dev::Args),
    /// Serves a configuration. On SIGHUP, themes, declared clients and the log level are read anew, and the log file is opened anew.
    Serve(ConfigArg),
    /// Asks the server of a configuration, on this machine, whether it is ready.
    Healthcheck(ConfigArg),
    /// Writes an encrypted copy of the embedded database, while the server goes on.
    Backup(backup::Backup),
    /// Puts a backup in the place of the embedded database; the server must be stopped.
    Restore(backup::Restore),
    /// Checks a configuration and what it names.
    Doctor(doctor::Doctor),
    /// Signing keys.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Elasticsearch.
    #[command(subcommand)]
    Elasticsearch(elasticsearch::Elasticsearch),
    /// Clients.
    #[command(subcommand)]
    Client(client::Clients),
    /// Accounts.
    #[command(subcommand)]
    Account(account::Accounts),
    /// What clients have not been told yet.
    #[command(subcommand)]
    Outbox(outbox::Outbox),
    /// Themes.
    #[command(subcommand)]
    Theme(theme::Theme),
}

/// Runs a command; errors go to standard error and the exit code.
pub fn run(cli: Cli) -> ExitCode {
    // One TLS stack; the first caller wins, and there is no other.
    let _first = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(dispatch(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: Command) -> anyhow::Result<()> {
    match command {
        #[cfg(feature = "dev")]
        Command::Dev(args) => crate::dev::run(args).await,
        Command::Serve(arg) => serve::run(&arg).await,
        Command::Healthcheck(arg) => serve::healthcheck(&arg).await,
        Command::Backup(args) => backup::backup(args).await,
        Command::Restore(args) => backup::restore(args).await,
        Command::Doctor(args) => doctor::run(args).await,
        Command::Keys(command) => keys::run(command).await,
        Command::Elasticsearch(command) => elasticsearch::run(command).await,
        Command::Client(command) => client::run(command).await,
        Command::Account(command) => account::run(command).await,
        Command::Outbox(command) => outbox::run(command).await,
        Command::Theme(command) => theme::run(command),
    }
}

/// Resolves on SIGTERM and on Ctrl-C.
pub(crate) async fn shutdown() {
    let interrupt = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
        }
        Err(_) => {
            let _interrupted = interrupt.await;
        }
    }
    tracing::info!("shutting down: requests in progress are finished");
}
