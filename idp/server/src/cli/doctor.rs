//! `gait doctor`: checks a configuration and what it names, line by line.

use super::ConfigArg;
use crate::theme::Themes;
use anyhow::bail;
use std::net::TcpListener;

pub(super) async fn run(arg: &ConfigArg) -> anyhow::Result<()> {
    let config = arg.load()?;
    println!("ok    configuration: issuer {}", config.issuer);
    let mut failures = 0;
    let mut report = |what: &str, outcome: anyhow::Result<String>| match outcome {
        Ok(detail) => println!("ok    {what}: {detail}"),
        Err(error) => {
            failures += 1;
            println!("FAIL  {what}: {error:#}");
        }
    };
    report(
        "themes",
        Themes::load(config.themes_dir.clone(), &config.theme, false)
            .map(|_| config.theme.clone())
            .map_err(Into::into),
    );
    report(
        "address",
        TcpListener::bind(config.listen)
            .map(|_| config.listen.to_string())
            .map_err(Into::into),
    );
    let mail = config.smtp.as_ref().map_or_else(
        || Err(anyhow::anyhow!("[smtp] is missing")),
        |smtp| crate::mail::Outlet::smtp(smtp).map(|_| smtp.host.clone()),
    );
    report("mail", mail);
    let provider = async {
        let (app, _) = arg.open().await?;
        let accounts = app.idp.store().accounts(None, 1).await?.len();
        let clients = app.idp.store().clients().await?.len();
        Ok(format!(
            "opens; {clients} clients, {} accounts",
            if accounts == 0 { "no" } else { "some" }
        ))
    };
    report("store, master key, keys and plugins", provider.await);
    if failures > 0 {
        bail!("{failures} problem(s)");
    }
    Ok(())
}
