//! A small disk, to be full.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What fills it.
const FILLER: &str = "filler";
/// A bite of it, in bytes.
const BITE: usize = 64 * 1024;

/// A file system in memory, mounted over a folder. It is gone with its owner.
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts one of `mib` MiB over a folder; `None` where we may not.
    pub fn mount(folder: &Path, mib: u32) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mib}m,mode=0700"), "gait-small-disk"]);
        let mounted = mount.arg(folder).stderr(Stdio::null()).status();
        mounted.is_ok_and(|status| status.success()).then(|| Self {
            folder: folder.to_owned(),
        })
    }

    /// Takes the disk off a folder, if there is one. Whoever still ends on it is not waited for.
    pub(crate) fn unmount(folder: &Path) {
        let mut unmount = Command::new("umount");
        let _is_none = unmount.arg("--lazy").arg(folder).stderr(Stdio::null()).status();
    }

    /// Fills it to the last byte.
    ///
    /// # Errors
    /// Nothing can be written to it at all.
    pub fn fill(&self) -> std::io::Result<()> {
        let mut filler = File::create(self.folder.join(FILLER))?;
        for bite in [BITE, 1] {
            let bytes = vec![0; bite];
            while filler.write_all(&bytes).is_ok() {}
        }
        Ok(())
    }

    /// Makes room again.
    ///
    /// # Errors
    /// It isn't full.
    pub fn make_room(&self) -> std::io::Result<()> {
        std::fs::remove_file(self.folder.join(FILLER))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Self::unmount(&self.folder);
    }
}
