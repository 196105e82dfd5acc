//! What the configuration itself tells.

use super::{Finding, Patient};
use crate::config::secret::Key;
use crate::theme;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Who else on this machine can read secrets.
pub(super) async fn permissions(patient: &Patient) -> Vec<Finding> {
    let written: Table = toml::from_str(&patient.text).unwrap_or_default();
    let folder = patient.path.parent().unwrap_or(Path::new("."));
    let mut findings = Vec::new();
    if holds_secret(&written) && is_open(&patient.path, 0o004) {
        let detail = format!("{}: holds secrets, and everybody can read it", patient.path.display());
        findings.push(Finding::warn(
            detail,
            "chmod 640, or put the secrets in files of their own (secret_file, password_file and so on)",
        ));
    }
    for file in secret_files(&written, folder).into_iter().filter(|file| is_open(file, 0o004)) {
        let detail = format!("{}: everybody can read this secret", file.display());
        findings.push(Finding::warn(detail, "chmod 600, owned by the user that Gait runs as"));
    }
    let database = patient.config.database_file();
    if is_open(&database, 0o077) {
        let detail = format!("{}: others can read the database", database.display());
        findings.push(Finding::fail(detail, "chmod 600"));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("nobody else reads secrets"));
    }
    findings
}

fn is_open(path: &Path, to: u32) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & to != 0)
}

/// A table in which a secret is written as it is. A URL is one only with a password in it.
fn holds_secret(table: &Table) -> bool {
    table.iter().any(|(key, value)| match value {
        Value::String(text) => key_called(key).is_some_and(|key| key != Key::Url || text.contains('@')),
        Value::Table(inner) => holds_secret(inner),
        Value::Array(items) => items.iter().filter_map(Value::as_table).any(holds_secret),
        _ => false,
    })
}

fn key_called(name: &str) -> Option<Key> {
    Key::ALL.iter().copied().find(|key| key.name() == name)
}

fn secret_files(table: &Table, folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (key, value) in table {
        let names = || key.strip_suffix("_file").and_then(key_called).is_some();
        match value {
            Value::String(file) if names() => files.push(folder.join(file)),
            Value::Table(inner) => files.extend(secret_files(inner, folder)),
            Value::Array(items) => {
                let tables = items.iter().filter_map(Value::as_table);
                files.extend(tables.flat_map(|inner| secret_files(inner, folder)));
            }
            _ => {}
        }
    }
    files
}

/// Whose word about a visitor's address is believed.
pub(super) async fn proxies(patient: &Patient) -> Vec<Finding> {
    let config = &patient.config;
    let networks = &config.trusted_proxies;
    if let Some(all) = networks.iter().find(|network| network.prefix_len() == 0) {
        return vec![Finding::fail(
            format!("{all}: everybody may claim any address"),
            "name the proxy's own address",
        )];
    }
    if networks.is_empty() && config.issuer.starts_with("https:") {
        return vec![Finding::warn(
            "none, but the issuer is https, so there is a proxy in front: all visitors seem to come from its address",
            "trusted_proxies = [\"the proxy's address/32\"], and the proxy sets X-Forwarded-For",
        )];
    }
    let list: Vec<_> = networks.iter().map(ToString::to_string).collect();
    vec![Finding::ok(match list.is_empty() {
        true => "none".to_owned(),
        false => list.join(", "),
    })]
}

/// Every theme that is in use prints all its pages and mails.
pub(super) async fn themes(patient: &Patient) -> Vec<Finding> {
    let config = &patient.config;
    let of_clients = config.clients.iter().filter_map(|client| client.theme.as_deref());
    let used: BTreeSet<&str> = of_clients.chain([config.theme.as_str()]).collect();
    used.into_iter()
        .map(|name| theme_called(name, config.themes_dir.as_deref()))
        .collect()
}

fn theme_called(name: &str, folder: Option<&Path>) -> Finding {
    match theme::check(folder, name, None) {
        Err(error) => Finding::fail(error.to_string(), "theme, themes_dir, or a client's theme is misspelt"),
        Ok(report) if report.broken > 0 => Finding::fail(
            format!("{name}: {} pages or mails can't be printed", report.broken),
            &format!("gait theme check {name}"),
        ),
        Ok(report) if !report.is_clean() => Finding::warn(
            format!("{name}: {} findings", report.findings.len()),
            &format!("gait theme check {name}"),
        ),
        Ok(report) => Finding::ok(format!("{name}: {} pages and mails", report.rendered)),
    }
}

/// The plugins start, and every plan names plugins that there are.
pub(super) async fn plugins(patient: &Patient) -> Vec<Finding> {
    let config = &patient.config;
    let registry = match crate::registry_of(config) {
        Ok(registry) => registry,
        Err(error) => return vec![Finding::fail(format!("{error:#}"), "[plugins]")],
    };
    let mut findings = Vec::new();
    if let Err(error) = registry.check(&config.policy) {
        findings.push(Finding::fail(format!("{}: {error}", config.policy_at), "[policy]"));
    }
    for client in &config.clients {
        if let Some(plan) = &client.plan
            && let Err(error) = registry.check_plan(&format!("the plan of client {}", client.id), plan)
        {
            findings.push(Finding::fail(format!("{}: {error}", client.at), "the client's plan"));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok("all plans can be carried out"));
    }
    findings
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_secret_that_can_be_written_is_found_wherever_it_stands() {
        for name in Key::ALL.iter().map(|key| key.name()) {
            for section in ["", "[section]\n", "[[list]]\n", "[section]\n[[section.list]]\n"] {
                let written: Table = format!("{section}{name} = \"a@b\"\n").parse().unwrap();
                assert!(holds_secret(&written), "{written}");
                let written: Table = format!("{section}{name}_file = \"kept\"\nother_file = \"open\"")
                    .parse()
                    .unwrap();
                assert!(!holds_secret(&written), "{written}");
                assert_eq!(
                    secret_files(&written, Path::new("/here")),
                    [Path::new("/here/kept")],
                    "{written}"
                );
            }
        }
    }

    #[test]
    fn a_url_without_a_password_is_no_secret() {
        let written: Table = "[redis]\nurl = \"redis://127.0.0.1\"\n".parse().unwrap();
        assert!(!holds_secret(&written));
    }
}
