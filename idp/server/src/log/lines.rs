//! The way of lines out: into memory, and from there by one thread. So nobody waits for a disk or a terminal, the lines of some milliseconds are
//! one write, and the thread is woken once for all of them. (One that is woken for each line costs more than a write on the spot.)

use anyhow::Context as _;
use arc_swap::ArcSwap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Text that may wait, in bytes; a line that finds no room is lost, and counted.
pub(super) const MOST: usize = 8 * 1024 * 1024;
/// Memory that is kept for the next lines, in bytes.
const KEPT: usize = 256 * 1024;
/// How long lines wait for others.
const EVERY: Duration = Duration::from_millis(10);
/// A new file is its owner's, and its group may read it: whoever ships logs.
const MODE: u32 = 0o640;

/// Of the process, as the log is.
static LOST: AtomicU64 = AtomicU64::new(0);

/// Lines that were lost: they found no room, or couldn't be written.
pub fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Where lines end up.
pub(super) enum Target {
    /// Standard error.
    Stderr,
    /// A file, which may be renamed meanwhile.
    File(PathBuf, ArcSwap<File>),
}

impl Target {
    /// # Errors
    /// The file can't be opened.
    pub fn of(file: Option<&Path>) -> anyhow::Result<Self> {
        Ok(match file {
            None => Self::Stderr,
            Some(path) => Self::File(path.to_owned(), open(path)?.into()),
        })
    }

    fn put(&self, text: &[u8]) -> io::Result<()> {
        match self {
            Self::Stderr => io::stderr().write_all(text),
            Self::File(_, file) => (&**file.load()).write_all(text),
        }
    }

    /// Goes on in a file of the same name, made anew if there is none by now.
    ///
    /// # Errors
    /// It can't be opened; the old one stays.
    pub fn reopen(&self) -> anyhow::Result<()> {
        if let Self::File(path, file) = self {
            file.store(open(path)?);
        }
        Ok(())
    }
}

fn open(path: &Path) -> anyhow::Result<Arc<File>> {
    let file = File::options().append(true).create(true).mode(MODE).open(path);
    Ok(Arc::new(file.with_context(|| format!("log_file: {}", path.display()))?))
}

/// Lines on their way out.
pub(super) struct Lines {
    pub target: Target,
    most: usize,
    waiting: Mutex<Waiting>,
    /// Something waits, or it is the end.
    news: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    ended: bool,
}

impl Lines {
    /// To `target`; at most `most` bytes wait.
    pub fn new(target: Target, most: usize) -> Self {
        Self {
            target,
            most,
            waiting: Mutex::default(),
            news: Condvar::new(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No more will wait: who still writes a line does it on the spot.
    pub fn end(&self) {
        self.waiting().ended = true;
        self.news.notify_one();
    }

    /// Writes what comes, until the end.
    pub fn write_out(&self) {
        let mut text = Vec::new();
        let mut has_said = false;
        loop {
            let is_end = self.take(&mut text);
            match self.target.put(&text) {
                Ok(()) if lost() > 0 && !has_said => {
                    has_said = true;
                    tracing::error!(lost = lost(), "log lines were lost: what they go to was full, or too slow");
                }
                Ok(()) => {}
                Err(_) => lose(text.iter().filter(|&&byte| byte == b'\n').count() as u64),
            }
            if is_end {
                return;
            }
            text.clear();
            text.shrink_to(KEPT);
            thread::sleep(EVERY);
        }
    }

    /// Waits for something, and whether it is the last.
    fn take(&self, text: &mut Vec<u8>) -> bool {
        let is_idle = |waiting: &mut Waiting| waiting.text.is_empty() && !waiting.ended;
        let waiting = self.news.wait_while(self.waiting(), is_idle);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.text, text);
        waiting.ended
    }
}

fn lose(lines: u64) {
    LOST.fetch_add(lines, Ordering::Relaxed);
}

impl Write for &Lines {
    /// Takes one line, whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.waiting();
        if waiting.ended {
            drop(waiting);
            self.target.put(line)?;
        } else if waiting.text.len() + line.len() > self.most {
            lose(1);
        } else {
            let is_first = waiting.text.is_empty();
            waiting.text.extend_from_slice(line);
            drop(waiting);
            if is_first {
                self.news.notify_one();
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Read as _;
    use std::os::unix::fs::PermissionsExt as _;

    fn to(path: &Path, most: usize) -> Arc<Lines> {
        Arc::new(Lines::new(Target::of(Some(path)).unwrap(), most))
    }

    fn writing_out(lines: &Arc<Lines>) -> thread::JoinHandle<()> {
        let lines = lines.clone();
        thread::spawn(move || lines.write_out())
    }

    /// A pipe that nobody reads is the slowest disk there is.
    #[test]
    fn nobody_waits_for_what_takes_no_more_and_what_is_lost_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
        // For reading alone, opening would wait for a writer.
        let mut pipe = File::options().read(true).write(true).open(&path).unwrap();
        let lines = to(&path, 10_000);
        let thread = writing_out(&lines);
        let line = [&[b'x'; 999][..], b"\n"].concat();
        let before = lost();
        for _ in 0..200 {
            (&*lines).write_all(&line).unwrap();
            thread::sleep(Duration::from_micros(200));
        }
        let lost = usize::try_from(lost() - before).unwrap();
        assert!((1..200).contains(&lost), "{lost}: a pipe holds 64 KiB, and 10 lines may wait");
        lines.end();
        let mut arrived = vec![0; (200 - lost) * line.len()];
        pipe.read_exact(&mut arrived).unwrap();
        thread.join().unwrap();
        assert!(
            arrived.chunks(line.len()).all(|arrived| arrived == line),
            "those that came are whole"
        );
    }

    #[test]
    fn the_last_lines_are_written_and_so_are_those_after_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "of before\n").unwrap();
        let lines = to(&path, MOST);
        (&*lines).write_all(b"one\n").unwrap();
        let thread = writing_out(&lines);
        (&*lines).write_all(b"two\n").unwrap();
        lines.end();
        thread.join().unwrap();
        (&*lines).write_all(b"three\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "of before\none\ntwo\nthree\n");
    }

    #[test]
    fn strangers_can_not_read_a_new_file_and_the_old_one_stays_if_there_can_be_no_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        std::fs::create_dir(&logs).unwrap();
        let path = logs.join("log");
        let target = Target::of(Some(&path)).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0);
        let away = folder.path().join("away");
        std::fs::rename(&logs, &away).unwrap();
        let error = target.reopen().unwrap_err();
        assert!(
            format!("{error:#}").contains("log_file: ") && format!("{error:#}").contains("No such file"),
            "{error:#}"
        );
        target.put(b"goes on\n").unwrap();
        assert_eq!(std::fs::read_to_string(away.join("log")).unwrap(), "goes on\n");
    }
}
