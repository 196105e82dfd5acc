//! What chores that use the provider as people and apps do have in common.

#[cfg(any(feature = "story", feature = "bench"))]
pub mod page;
pub mod pkce;

use anyhow::ensure;
use std::path::{Path, PathBuf};

/// The repository's top folder.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Gait's program, beside our own: they are built together.
///
/// # Errors
/// The system doesn't say where we are, or it isn't built.
pub fn gait_beside_us() -> anyhow::Result<PathBuf> {
    let binary = std::env::current_exe()?.with_file_name("gait");
    ensure!(binary.is_file(), "{} isn't built", binary.display());
    Ok(binary)
}
