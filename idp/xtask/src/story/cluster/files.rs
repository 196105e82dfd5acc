//! The files of `examples/compose`, with the addresses of this machine.

use anyhow::{Context as _, ensure};
use std::path::Path;
use std::process::Command;
use xtask::root;

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

/// Has `examples/compose/secrets.sh` make what isn't in `folder` yet.
///
/// # Errors
/// The script fails.
pub fn make_secrets(folder: &Path) -> anyhow::Result<()> {
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
    let path = folder.join(name);
    std::fs::read_to_string(&path).with_context(|| path.display().to_string())
}
