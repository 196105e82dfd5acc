//! `gait client`.

use super::ConfigArg;
use crate::config::ClientConfig;
use anyhow::{anyhow, bail};
use clap::Subcommand;
use gait_core::client::ClientAuth;
use gait_core::ids::ClientId;
use gait_core::token::secret::{Secret, SecretKind};
use std::path::{Path, PathBuf};

/// Clients.
#[derive(Subcommand)]
pub enum Clients {
    /// Adds a client; prints its secret, once.
    Add {
        #[command(flatten)]
        config: ConfigArg,
        /// Its id.
        id: String,
        /// Its name for people.
        #[arg(long)]
        name: Option<String>,
        /// Allowed redirect URI; may be given several times.
        #[arg(long = "redirect-uri")]
        redirect_uris: Vec<String>,
        /// Allowed target after logout; may be given several times.
        #[arg(long = "post-logout-redirect-uri")]
        post_logout_redirect_uris: Vec<String>,
        /// Web origin that may call and be watched; may be given several times.
        #[arg(long = "origin")]
        origins: Vec<String>,
        /// A public client: no secret.
        #[arg(long)]
        public: bool,
        /// Read everything else from a TOML file with the keys of `[[client]]`.
        #[arg(long, conflicts_with_all = ["name", "redirect_uris", "post_logout_redirect_uris", "origins", "public"])]
        file: Option<PathBuf>,
    },
    /// Lists clients.
    List {
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Removes a client with its grants, tokens and consents.
    Remove {
        #[command(flatten)]
        config: ConfigArg,
        /// Its id.
        id: String,
    },
}

pub(super) async fn run(command: Clients) -> anyhow::Result<()> {
    match command {
        Clients::Add {
            config,
            id,
            name,
            redirect_uris,
            post_logout_redirect_uris,
            origins,
            public,
            file,
        } => {
            let mut declared: ClientConfig = match file {
                Some(file) => read(&file)?,
                None => toml::from_str(&format!("id = {}", toml::Value::String(id.clone())))?,
            };
            if declared.id != id {
                bail!("the file declares {}, not {id}", declared.id);
            }
            declared.name = name.or(declared.name);
            declared.redirect_uris.extend(redirect_uris);
            declared.post_logout_redirect_uris.extend(post_logout_redirect_uris);
            declared.origins.extend(origins);
            if public {
                declared.auth = ClientAuth::None;
            }
            add(&config, declared).await
        }
        Clients::List { config } => {
            let (app, _) = config.open().await?;
            for client in app.idp.store().clients().await? {
                println!("{}\t{}\t{}", client.id, client.name, client.redirect_uris.join(" "));
            }
            Ok(())
        }
        Clients::Remove { config, id } => {
            let (app, _) = config.open().await?;
            if app.idp.remove_client(&ClientId(id.clone())).await? {
                Ok(())
            } else {
                Err(anyhow!("there is no client {id}"))
            }
        }
    }
}

async fn add(config: &ConfigArg, mut declared: ClientConfig) -> anyhow::Result<()> {
    let (app, _) = config.open().await?;
    if app.idp.store().client(&ClientId(declared.id.clone())).await?.is_some() {
        bail!("there is a client {} already", declared.id);
    }
    let needs_secret = matches!(declared.auth, ClientAuth::ClientSecretBasic | ClientAuth::ClientSecretPost);
    let made = (needs_secret && declared.secret.is_none()).then(|| Secret::new(SecretKind::Client, app.idp.ports()));
    if let Some(secret) = &made {
        declared.secret = Some(secret.clone());
    }
    let client = declared.client().map_err(|why| anyhow!(why))?;
    if let Some(plan) = &client.plan {
        app.idp.registry().check_plan("the client's plan", plan)?;
    }
    app.idp.store().put_client(&client).await?;
    println!("client_id: {}", client.id);
    if let Some(secret) = made {
        println!("client_secret: {}", secret.expose());
    }
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<ClientConfig> {
    let declared: ClientConfig = toml::from_str(&std::fs::read_to_string(file)?)?;
    declared
        .check(file.parent().unwrap_or(Path::new(".")))
        .map_err(|why| anyhow!(why))
}
