//! What the configuration declares, written into the store at start.

use crate::config::{AccountConfig, Config};
use anyhow::{Context as _, anyhow};
use gait_core::Idp;
use gait_core::account::{Account, Identifier, StoredCredential};
use gait_core::client::Client;
use gait_core::ids::{AccountId, ClientId};
use gait_core::store::StoreError;
use gait_core::token::secret::Secret;
use gait_sdk::{Credential, CredentialId, SubjectView};
use serde_json::Map;
use std::collections::BTreeMap;

/// Clients that have a theme of their own, for their mails.
pub type ClientThemes = BTreeMap<ClientId, String>;

/// Themes of declared clients.
pub fn client_themes(config: &Config) -> ClientThemes {
    let themed = config
        .clients
        .iter()
        .filter_map(|client| Some((ClientId(client.id.clone()), client.theme.clone()?)));
    themed.collect()
}

/// Writes declared clients and accounts. Clients follow the file; of an account that is there already, e-mail and claims do.
///
/// # Errors
/// A declared client's plan names an unknown plugin, an identifier is taken by another account, or the store is away.
pub async fn declared(idp: &Idp, config: &Config) -> anyhow::Result<()> {
    put_clients(idp, &clients(idp, config)?).await?;
    for declared in &config.accounts {
        account(idp, config, declared)
            .await
            .with_context(|| format!("account {}", declared.username))?;
    }
    Ok(())
}

/// Writes those clients that aren't in the store as they are.
///
/// # Errors
/// The store is away; says at which client.
pub async fn put_clients(idp: &Idp, clients: &[Client]) -> anyhow::Result<()> {
    for client in clients {
        let put = async {
            match idp.store().client(&client.id).await? {
                Some(found) if found == *client => Ok(()),
                _ => idp.store().put_client(client).await,
            }
        };
        put.await
            .with_context(|| format!("client {} (those before it are written)", client.id))?;
    }
    Ok(())
}

/// The declared clients, checked against the plugins that there are.
///
/// # Errors
/// A client's plan names an unknown plugin.
pub fn clients(idp: &Idp, config: &Config) -> anyhow::Result<Vec<Client>> {
    let checked = config.clients.iter().map(|declared| {
        let client = declared.client().map_err(|why| anyhow!(why))?;
        if let Some(plan) = &client.plan {
            idp.registry()
                .check_plan(&format!("the plan of client {}", client.id), plan)
                .with_context(|| declared.at.clone())?;
        }
        Ok(client)
    });
    checked.collect()
}

async fn account(idp: &Idp, config: &Config, declared: &AccountConfig) -> anyhow::Result<()> {
    let wanted = new_account(idp, declared)?;
    match idp.store().account_by(&wanted.username).await? {
        Some(found) if found.username == wanted.username => {
            let now = idp.ports().now();
            let follow = Account {
                email: wanted.email,
                email_verified: wanted.email_verified,
                claims: wanted.claims,
                ..found.clone()
            };
            if follow != found {
                idp.store()
                    .put_profile(&Account {
                        updated_at: now,
                        ..follow
                    })
                    .await?;
            }
        }
        Some(_) => return Err(anyhow!("the user name is another account's e-mail address")),
        None => {
            let credentials = match &declared.password {
                Some(password) => vec![password_credential(idp, config, &wanted, password)?],
                None => Vec::new(),
            };
            add(idp, &wanted, &credentials).await?;
        }
    }
    Ok(())
}

/// Adds an account, unless a node that starts at the same time has just added it.
async fn add(idp: &Idp, wanted: &Account, credentials: &[StoredCredential]) -> anyhow::Result<()> {
    match idp.store().add_account(wanted, credentials).await {
        Err(StoreError::Taken(what)) => {
            let found = idp.store().account_by(&wanted.username).await?;
            let is_there = found.is_some_and(|found| found.username == wanted.username);
            is_there.then_some(()).with_context(|| format!("{what} is taken"))
        }
        added => Ok(added?),
    }
}

/// A new account with a fresh id.
///
/// # Errors
/// A user name or address that is none.
pub fn new_account(idp: &Idp, declared: &AccountConfig) -> anyhow::Result<Account> {
    let now = idp.ports().now();
    let parse = |text: &str| Identifier::parse(text).ok_or_else(|| anyhow!("{text:?} can't be used"));
    let claims = serde_json::to_value(&declared.claims)?;
    Ok(Account {
        id: AccountId(idp.ports().uuid()),
        username: parse(&declared.username)?,
        email: declared.email.as_deref().map(parse).transpose()?,
        email_verified: declared.email_verified,
        claims: claims.as_object().cloned().unwrap_or_else(Map::new),
        mode: declared.mode,
        disabled_at: None,
        created_at: now,
        updated_at: now,
        credential_changed_at: None,
        revoked_before: None,
    })
}

/// A password's credential, after the plugin's own checks for new passwords.
///
/// # Errors
/// The password won't do; says why.
pub fn password_credential(idp: &Idp, config: &Config, account: &Account, password: &Secret) -> anyhow::Result<StoredCredential> {
    let plugin = crate::password(config)?;
    let subject = SubjectView {
        handle: gait_sdk::AccountHandle::new(account.id.to_string()),
        username: account.username.as_str().to_owned(),
        email: account.email.as_ref().map(|email| email.as_str().to_owned()),
    };
    plugin
        .check_new(password.expose(), &subject)
        .map_err(|text| anyhow!(text.fallback))?;
    Ok(StoredCredential {
        account: account.id,
        plugin: "password".into(),
        credential: Credential {
            id: CredentialId::new(idp.ports().uuid().to_string()),
            label: "Password".to_owned(),
            payload: plugin.credential_payload(password.expose(), idp.ports().random())?,
            version: 1,
            created_at: idp.ports().now(),
        },
        last_used_at: None,
    })
}
