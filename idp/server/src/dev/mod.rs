//! The dev mode: everything on this machine, seeded, with a mail catcher and an app to sign in to. Honest by construction: the
//! demo rhythms go through the real endpoint, and `alice` was enrolled by the real scorer from a generator's parameters.

mod mails;
pub mod rhythm;
mod seed;

use crate::config::Config;
use crate::mail::{Catcher, Outlet};
use crate::{App, cli, log};
use anyhow::Context as _;
use std::path::PathBuf;
use tokio::net::TcpListener;

/// `gait dev`.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of the database.
    #[arg(long, default_value = ".gait")]
    dir: PathBuf,
    /// Port of the provider.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Port of the app.
    #[arg(long, default_value_t = 8081)]
    app_port: u16,
}

/// The demo configuration, for the default ports.
const CONFIG: &str = include_str!("gait.toml");
const ISSUER: &str = "http://localhost:8080";
const APP: &str = "http://localhost:8081";

/// The demo configuration for these ports and this folder.
///
/// # Errors
/// None, unless the embedded file is wrong.
pub fn config(args: &Args) -> anyhow::Result<Config> {
    let keys: serde_json::Value = serde_json::from_str(relying_party::DEMO_SIGNAL_JWKS)?;
    let keys = toml::Value::try_from(keys)?;
    let text = CONFIG
        .replace(ISSUER, &issuer(args))
        .replace(APP, &app_url(args))
        .replace("\"DEMO_SIGNAL_JWKS\"", &keys.to_string());
    let mut config = Config::parse(&text, "gait.toml (embedded)", &std::env::current_dir()?)?;
    config.data_dir = std::path::absolute(&args.dir)?;
    config.master_key_file = config.data_dir.join("master.key");
    config.listen = ([127, 0, 0, 1], args.port).into();
    let themes = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../themes"));
    config.reload_themes = themes.is_dir();
    config.themes_dir = config.reload_themes.then_some(themes);
    Ok(config)
}

fn issuer(args: &Args) -> String {
    format!("http://localhost:{}", args.port)
}

fn app_url(args: &Args) -> String {
    format!("http://localhost:{}", args.app_port)
}

/// Runs the dev mode until Ctrl-C.
///
/// # Errors
/// A port is taken, or the folder can't be written.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let config = config(&args)?;
    let _log = log::start(&config.log)?;
    let catcher = Catcher::default();
    let provider = listen(args.port).await?;
    let relying_party = listen(args.app_port).await?;
    let app = App::builder(config).outlet(Outlet::Catch(catcher.clone())).build().await?;
    seed::enrol_alice(&app.idp).await?;
    print_tour(&args);
    let demo = relying_party::Config {
        issuer: issuer(&args),
        public_url: app_url(&args),
        ..relying_party::Config::demo()
    };
    tokio::select! {
        served = app.serve(provider, mails::routes(catcher), cli::shutdown()) => served,
        served = relying_party::serve(relying_party, demo) => served.context("the relying party stopped"),
    }
}

async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    listener.with_context(|| format!("port {port} is taken; choose another with --port or --app-port"))
}

fn print_tour(args: &Args) {
    let (issuer, app) = (issuer(args), app_url(args));
    println!(
        "
  Gait, development mode. Nothing here is secret; don't expose it.

  The app to sign in to    {app}
  Your account page        {issuer}/account
  Caught mail              {issuer}/dev/mail
  API documentation        {issuer}/apidocs
  Discovery                {issuer}/.well-known/openid-configuration

  alice   password: walks-like-nobody-else   enrolled from a synthetic rhythm, the watch acts on her sessions
  bob     password: quiet-keys-at-night     in training: Gait learns how you type and point
"
    );
}
