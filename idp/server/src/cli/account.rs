//! `gait account`.

use super::ConfigArg;
use crate::App;
use crate::config::{AccountConfig, Config};
use crate::seed;
use anyhow::{Context as _, anyhow, bail};
use clap::Subcommand;
use gait_core::account::{Account, Identifier, Mode};
use gait_core::token::secret::Secret;
use std::io::Read as _;

/// Accounts. Passwords are read from standard input, so that they stand in no process list.
#[derive(Subcommand)]
pub enum Accounts {
    /// Adds an account; with `--password-stdin` its password is read from standard input.
    Add {
        #[command(flatten)]
        config: ConfigArg,
        /// User name.
        username: String,
        /// E-mail address, vouched for.
        #[arg(long)]
        email: Option<String>,
        /// Full name.
        #[arg(long)]
        name: Option<String>,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Sets a password, read from standard input; ends all sessions.
    Passwd {
        #[command(flatten)]
        config: ConfigArg,
        /// User name or e-mail address.
        who: String,
    },
    /// Disables an account; ends all sessions.
    Disable {
        #[command(flatten)]
        config: ConfigArg,
        /// User name or e-mail address.
        who: String,
    },
    /// Enables a disabled account.
    Enable {
        #[command(flatten)]
        config: ConfigArg,
        /// User name or e-mail address.
        who: String,
    },
    /// Ends sessions, grants and tokens of an account, or of all: after a database was restored by other means, or something leaked.
    EndSessions {
        #[command(flatten)]
        config: ConfigArg,
        /// User name or e-mail address.
        #[arg(required_unless_present = "all")]
        who: Option<String>,
        /// Of all accounts.
        #[arg(long, conflicts_with = "who")]
        all: bool,
    },
    /// Shows or sets the mode: `train` or `auth`.
    Mode {
        #[command(flatten)]
        config: ConfigArg,
        /// User name or e-mail address.
        who: String,
        /// The new mode.
        #[arg(value_parser = parse_mode)]
        mode: Option<Mode>,
    },
    /// Lists accounts.
    List {
        #[command(flatten)]
        config: ConfigArg,
    },
}

fn parse_mode(text: &str) -> Result<Mode, String> {
    match text {
        "train" => Ok(Mode::Train),
        "auth" => Ok(Mode::Auth),
        _ => Err("train or auth".to_owned()),
    }
}

pub(super) async fn run(command: Accounts) -> anyhow::Result<()> {
    match command {
        Accounts::Add {
            config,
            username,
            email,
            name,
            password_stdin,
        } => {
            let claims = name
                .map(|name| ("name".to_owned(), toml::Value::String(name)))
                .into_iter()
                .collect();
            let password = if password_stdin { Some(read_password()?) } else { None };
            let declared = AccountConfig {
                username,
                email_verified: email.is_some(),
                email,
                password,
                password_file: None,
                password_env: None,
                claims,
                mode: Mode::Train,
            };
            add(&config, &declared).await
        }
        Accounts::Passwd { config, who } => {
            let (app, file, account) = find(&config, &who).await?;
            let credential = seed::password_credential(&app.idp, &file, &account, &read_password()?)?;
            app.idp.replace_credential_by_operator(&account, credential).await?;
            Ok(())
        }
        Accounts::Disable { config, who } => disable(&config, &who, true).await,
        Accounts::Enable { config, who } => disable(&config, &who, false).await,
        Accounts::EndSessions { config, who: None, .. } => {
            let (app, _) = config.open().await?;
            println!("{} sessions ended", app.idp.end_everything_by_operator().await?);
            Ok(())
        }
        Accounts::EndSessions {
            config, who: Some(who), ..
        } => {
            let (app, _, account) = find(&config, &who).await?;
            println!("{} sessions ended", app.idp.end_all_by_operator(&account).await?);
            Ok(())
        }
        Accounts::Mode { config, who, mode } => {
            let (app, _, account) = find(&config, &who).await?;
            let Some(mode) = mode else {
                println!("{}", serde_json::to_value(account.mode)?.as_str().unwrap_or_default());
                return Ok(());
            };
            app.idp.set_mode_by_operator(&account, mode).await?;
            Ok(())
        }
        Accounts::List { config } => list(&config).await,
    }
}

async fn add(config: &ConfigArg, declared: &AccountConfig) -> anyhow::Result<()> {
    let (app, file) = config.open().await?;
    let account = seed::new_account(&app.idp, declared)?;
    let credentials = match &declared.password {
        Some(password) => vec![seed::password_credential(&app.idp, &file, &account, password)?],
        None => Vec::new(),
    };
    app.idp.store().add_account(&account, &credentials).await?;
    println!("{}\t{}", account.id, account.username.as_str());
    Ok(())
}

async fn disable(config: &ConfigArg, who: &str, disabled: bool) -> anyhow::Result<()> {
    let (app, _, account) = find(config, who).await?;
    app.idp.set_disabled_by_operator(&account, disabled).await?;
    Ok(())
}

async fn list(config: &ConfigArg) -> anyhow::Result<()> {
    let (app, _) = config.open().await?;
    let mut after = None;
    loop {
        let page = app.idp.store().accounts(after, 100).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        for account in &page {
            let email = account.email.as_ref().map_or("-", Identifier::as_str);
            let mode = serde_json::to_value(account.mode)?;
            let state = if account.disabled_at.is_some() {
                "disabled"
            } else {
                "enabled"
            };
            println!(
                "{}\t{}\t{email}\t{}\t{state}",
                account.id,
                account.username.as_str(),
                mode.as_str().unwrap_or_default()
            );
        }
    }
}

async fn find(config: &ConfigArg, who: &str) -> anyhow::Result<(App, Config, Account)> {
    let (app, file) = config.open().await?;
    let identifier = Identifier::parse(who).ok_or_else(|| anyhow!("{who:?} is no user name"))?;
    let account = app
        .idp
        .store()
        .account_by(&identifier)
        .await?
        .with_context(|| format!("there is no account {who}"))?;
    Ok((app, file, account))
}

fn read_password() -> anyhow::Result<Secret> {
    let mut text = String::new();
    std::io::stdin().take(4096).read_to_string(&mut text)?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    if password.is_empty() {
        bail!("no password on standard input");
    }
    Ok(Secret::wrap(password.to_owned()))
}
