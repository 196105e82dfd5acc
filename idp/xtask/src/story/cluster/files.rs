//! The files of `examples/compose`, with the addresses of this machine.

use crate::app::Clients;
use anyhow::{Context as _, ensure};
use std::path::Path;
use std::process::Command;
use xtask::root;

/// Where secrets are, in the folder of a cluster.
const SECRETS: &str = "secrets";

/// A file of `examples/compose` with replacements. Each of them must find something: else the file has changed, and nobody has noticed.
///
/// # Errors
/// The file isn't there, or a replacement finds nothing.
pub fn adapted(name: &str, replacements: &[(&str, &str)]) -> anyhow::Result<String> {
    let path = root().join("examples/compose").join(name);
    let mut text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    for (old, new) in replacements {
        ensure!(text.contains(old), "{}: {old:?} isn't in it", path.display());
        text = text.replace(old, new);
    }
    Ok(text)
}

/// Puts into `folder` what the nodes' configuration names, with fresh secrets; says who the app and its API are.
///
/// # Errors
/// The folder can't be written, or the script that makes secrets fails.
pub fn prepare(folder: &Path) -> anyhow::Result<Clients> {
    let keys = "demo-signal-jwks.json";
    std::fs::copy(root().join("examples/relying-party").join(keys), folder.join(keys))?;
    make_secrets(&folder.join(SECRETS))?;
    Ok(Clients {
        app: "demo-app".to_owned(),
        app_secret: secret(folder, "app-client-secret")?,
        api: "demo-api".to_owned(),
        api_secret: secret(folder, "api-client-secret")?,
    })
}

/// Has `examples/compose/secrets.sh` make them.
fn make_secrets(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir(folder)?;
    let place = folder.display().to_string();
    let script = adapted(
        "secrets.sh",
        &[
            ("cd /run/secrets", &format!("cd '{place}'")),
            ("    chown \"$2\" \"$1.new\"\n", ""),
        ],
    )?;
    let made = Command::new("sh").args(["-c", &script]).output()?;
    ensure!(made.status.success(), "secrets.sh: {}", String::from_utf8_lossy(&made.stderr));
    Ok(())
}

/// A secret that was made.
///
/// # Errors
/// It isn't there.
pub fn secret(folder: &Path, name: &str) -> anyhow::Result<String> {
    let path = folder.join(SECRETS).join(name);
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}
