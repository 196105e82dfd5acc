//! SIGHUP: themes, declared clients and the log level are read anew while requests go on. A configuration that is wrong is refused as a
//! whole, and what was there before stays. In any case the log's file is opened anew: whoever rotates logs has renamed it.

use crate::config::Config;
use crate::log::Controls;
use crate::theme::{self, Themes};
use crate::{App, seed};
use anyhow::bail;
use arc_swap::ArcSwap;
use gait_core::Idp;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::Signal;
use toml::Table;

/// Top-level keys that a reload follows. Of every other one it only tells that it has changed.
const FOLLOWED: [&str; 4] = ["client", "log_level", "theme", "themes_dir"];

/// What is replaced, and what it was read from.
pub(crate) struct Reload {
    path: PathBuf,
    written: Table,
    idp: Arc<Idp>,
    themes: Arc<Themes>,
    client_themes: Arc<ArcSwap<seed::ClientThemes>>,
    log: Controls,
}

impl Reload {
    /// Of a provider whose configuration stands in `path` and was `text` when it started.
    ///
    /// # Errors
    /// The text is no TOML.
    pub fn new(app: &App, path: PathBuf, text: &str, log: Controls) -> anyhow::Result<Self> {
        Ok(Self {
            path,
            written: toml::from_str(text)?,
            idp: app.idp.clone(),
            themes: app.http.themes.clone(),
            client_themes: app.client_themes.clone(),
            log,
        })
    }

    /// Reads the configuration again at each signal, for ever.
    pub async fn at_each(mut self, mut hangup: Signal) {
        while hangup.recv().await.is_some() {
            if let Err(error) = self.log.reopen() {
                tracing::error!("the log goes on in the old file: {error:#}");
            }
            match self.once().await {
                Ok(()) => tracing::info!("reloaded: themes, declared clients, log level"),
                Err(error) => tracing::error!("not reloaded, everything stays as it was: {error:#}"),
            }
        }
    }

    async fn once(&mut self) -> anyhow::Result<()> {
        let (config, text) = Config::load_with_text(&self.path)?;
        let written: Table = toml::from_str(&text)?;
        let (config, themes) = tokio::task::spawn_blocking(move || load_themes(&config).map(|themes| (config, themes))).await??;
        let clients = seed::clients(&self.idp, &config)?;
        seed::put_clients(&self.idp, &clients).await?;
        self.themes.adopt(&themes);
        self.client_themes.store(Arc::new(seed::client_themes(&config)));
        self.log.set_level(config.log.level.as_deref());
        self.tell(&written);
        self.written = written;
        Ok(())
    }

    /// Names what has changed and isn't followed.
    fn tell(&self, written: &Table) {
        for key in changed(&self.written, written) {
            tracing::warn!(key, "changed in the configuration, and takes a restart");
        }
        let now: BTreeSet<_> = client_ids(written).collect();
        for id in client_ids(&self.written).filter(|id| !now.contains(id)) {
            tracing::warn!(
                client = id,
                "no longer declared, but still registered: `gait client remove` ends it"
            );
        }
    }
}

/// The themes, if each that is in use can print all its pages and mails.
fn load_themes(config: &Config) -> anyhow::Result<Themes> {
    let themes = Themes::load(config.themes_dir.clone(), &config.theme, false)?;
    let of_clients = config.clients.iter().filter_map(|client| client.theme.as_deref());
    let used: BTreeSet<&str> = of_clients.chain([config.theme.as_str()]).collect();
    for name in used {
        let report = theme::check(config.themes_dir.as_deref(), name, None)?;
        if report.broken > 0 {
            let first = report.findings.last().map(ToString::to_string).unwrap_or_default();
            bail!("theme {name}: {} pages or mails can't be printed; {first}", report.broken);
        }
    }
    Ok(themes)
}

/// Keys that are written otherwise than before and that no reload follows.
fn changed<'a>(before: &'a Table, now: &'a Table) -> BTreeSet<&'a str> {
    let keys = before.keys().chain(now.keys()).map(String::as_str);
    keys.filter(|key| !FOLLOWED.contains(key) && before.get(*key) != now.get(*key))
        .collect()
}

fn client_ids(written: &Table) -> impl Iterator<Item = &str> {
    let clients = written.get("client").and_then(toml::Value::as_array).into_iter().flatten();
    clients.filter_map(|client| client.get("id")?.as_str())
}
