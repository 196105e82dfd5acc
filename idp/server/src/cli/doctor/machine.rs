//! The machine: its clock, its disk, its ports.

use super::{Finding, Patient};
use crate::ports::SystemClock;
use gait_core::ports::Clock as _;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;

/// A clock before this moment (2026-01-01, UTC) was never set.
const FIRST_DAY_MS: i64 = 1_767_225_600_000;
/// Seconds that a file may be from the future: file systems round.
const ROUNDING_MS: i64 = 2_000;
const MIB: u64 = 1024 * 1024;

/// The time can be right: not before this program was written, and not before what was already stored.
pub(super) async fn clock(patient: &Patient) -> Vec<Finding> {
    let now = SystemClock.now_ms();
    if now < FIRST_DAY_MS {
        return vec![Finding::fail(
            "it is set to a time before this Gait was made",
            "set it, and keep it set (chrony, systemd-timesyncd)",
        )];
    }
    let stored = std::fs::metadata(patient.config.database_file()).and_then(|file| file.modified());
    let stored_ms = stored.ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let ahead = stored_ms.map_or(0, |at| i64::try_from(at.as_millis()).unwrap_or(i64::MAX) - now);
    if ahead > ROUNDING_MS {
        return vec![Finding::fail(
            format!("the database was written {} s from now: the clock was set back", ahead / 1000),
            "tokens of before are valid for longer than they should be; set the clock",
        )];
    }
    vec![Finding::ok("plausible")]
}

/// There is room to write.
pub(super) async fn disk(patient: &Patient) -> Vec<Finding> {
    let data = &patient.config.data_dir;
    // Before the first start, the folder that it will be made in.
    let there = data.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let free = match rustix::fs::statvfs(there) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => return vec![Finding::fail(format!("{}: {error}", there.display()), "data_dir")],
    };
    let size = std::fs::metadata(patient.config.database_file()).map_or(0, |file| file.len());
    let detail = format!("{}: {} MiB free", data.display(), free / MIB);
    let hint = "a full disk refuses every sign-in; a backup needs as much room as the database";
    vec![match free {
        free if free < 64 * MIB => Finding::fail(detail, hint),
        free if free < (512 * MIB).max(size.saturating_mul(2)) => Finding::warn(detail, hint),
        _ => Finding::ok(detail),
    }]
}

/// The port is free, or it is Gait that has it.
pub(super) async fn address(patient: &Patient) -> Vec<Finding> {
    let listen = patient.config.listen;
    vec![match TcpListener::bind(listen) {
        Ok(_) => Finding::ok(format!("{listen} is free: no server runs here")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => match super::super::serve::is_ready(&patient.config).await {
            Ok(()) => Finding::ok(format!("{listen}: a server runs here, and is ready")),
            Err(error) => Finding::fail(
                format!("{listen} is in use, and not by a Gait that is ready: {error:#}"),
                "end the other program, wait, or look into the log",
            ),
        },
        Err(error) => Finding::fail(format!("{listen}: {error}"), "listen"),
    }]
}
