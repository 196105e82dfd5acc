//! Where a theme's files are: the operator's folder first, then those that are built in.

use rust_embed::RustEmbed;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The in-tree themes. A debug build reads them from the source tree at each call, so editing one needs no compiling.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../themes"]
struct BuiltIn;

/// Both places.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    own: Own,
}

/// The operator's files.
#[derive(Clone, Debug, Default)]
enum Own {
    #[default]
    None,
    /// As they are at each look.
    Folder(PathBuf),
    /// As they were.
    Copied(Arc<BTreeMap<String, Vec<u8>>>),
}

impl Sources {
    /// The files as they are whenever one is read.
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self {
            own: folder.map_or(Own::None, Own::Folder),
        }
    }

    /// The files as they are now: whoever edits one of them changes nothing here.
    pub(super) fn copied(folder: Option<PathBuf>) -> Self {
        let Some(folder) = folder else { return Self::default() };
        let mut paths = BTreeSet::new();
        walk(&folder, "", &mut paths);
        let read = |path: String| std::fs::read(folder.join(&path)).ok().map(|bytes| (path, bytes));
        Self {
            own: Own::Copied(Arc::new(
                paths.into_iter().filter(|path| is_plain(path)).filter_map(read).collect(),
            )),
        }
    }

    /// A file's bytes, by `<theme>/<path>`. `None` if there is none, or if the path is no plain one.
    pub(super) fn read(&self, path: &str) -> Option<Cow<'static, [u8]>> {
        if !is_plain(path) {
            return None;
        }
        let own = match &self.own {
            Own::None => None,
            Own::Folder(folder) => std::fs::read(folder.join(path)).ok(),
            Own::Copied(files) => files.get(path).cloned(),
        };
        own.map(Cow::Owned).or_else(|| BuiltIn::get(path).map(|file| file.data))
    }

    /// A file's text. `None` also if it isn't UTF-8.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        String::from_utf8(self.read(path)?.into_owned()).ok()
    }

    /// The files under `<theme>/<folder>/`, without that prefix, from both places.
    pub(super) fn list(&self, prefix: &str) -> BTreeSet<String> {
        let mut paths: BTreeSet<String> = BuiltIn::iter()
            .filter_map(|path| path.strip_prefix(prefix).map(str::to_owned))
            .collect();
        match &self.own {
            Own::None => {}
            Own::Folder(folder) => walk(&folder.join(prefix), "", &mut paths),
            Own::Copied(files) => {
                paths.extend(files.keys().filter_map(|path| path.strip_prefix(prefix).map(str::to_owned)));
            }
        }
        paths.retain(|path| is_plain(path));
        paths
    }

    /// Every theme's name.
    pub(super) fn themes(&self) -> BTreeSet<String> {
        let has_manifest = |path: &String| path.ends_with("/theme.toml") && path.matches('/').count() == 1;
        let manifests = self.list("").into_iter().filter(has_manifest);
        manifests
            .filter_map(|path| path.strip_suffix("/theme.toml").map(str::to_owned))
            .collect()
    }
}

/// A relative path of plain names: it leads nowhere but down, and to nothing hidden.
fn is_plain(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    path.split('/')
        .all(|part| !part.is_empty() && !part.starts_with('.') && part.chars().all(plain))
}

fn walk(folder: &Path, prefix: &str, paths: &mut BTreeSet<String>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{name}/"), paths);
        } else {
            paths.insert(name);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_path_leads_nowhere_but_down() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "x").unwrap();
        std::fs::create_dir(outside.path().join("themes")).unwrap();
        std::fs::write(outside.path().join("themes/.hidden"), "x").unwrap();
        let sources = Sources::new(Some(outside.path().join("themes")));
        let absolute = outside.path().join("secret");
        for path in [
            "../secret",
            "default/../../secret",
            absolute.to_str().unwrap(),
            ".hidden",
            "a\\..\\b",
            "",
            "default//x",
        ] {
            assert!(sources.read(path).is_none(), "{path}");
        }
    }
}
