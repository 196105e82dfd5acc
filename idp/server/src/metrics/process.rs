//! The process: its log, and what the kernel sees of it. Where there is no `/proc`, that isn't told.

use crate::log;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;
use std::fs;

/// Ticks a second in `/proc`: USER_HZ, which is 100 for every Linux program.
const TICKS: f64 = 100.0;

/// Read at each scrape.
#[derive(Debug)]
pub struct Process;

/// What `/proc` says.
struct Seen {
    cpu_s: f64,
    started_s: f64,
    resident_bytes: u64,
    files: u64,
}

fn see() -> Option<Seen> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name in parentheses, which may hold blanks.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |nth: usize| fields.get(nth - 3)?.parse::<f64>().ok();
    let boot = fs::read_to_string("/proc/stat").ok()?;
    let boot = boot.lines().find_map(|line| line.strip_prefix("btime "))?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = resident.split_whitespace().next()?.parse().ok()?;
    Some(Seen {
        cpu_s: (ticks(14)? + ticks(15)?) / TICKS,
        started_s: boot.trim().parse::<f64>().ok()? + ticks(22)? / TICKS,
        resident_bytes: kib * 1024,
        files: fs::read_dir("/proc/self/fd").ok()?.count() as u64,
    })
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut tell = |name: &str, help: &str, unit: Option<&Unit>, metric: &dyn EncodeMetric| {
            metric.encode(encoder.encode_descriptor(name, help, unit, metric.metric_type())?)
        };
        let help = "Log lines that were lost: what they go to was full, or too slow";
        tell("gait_log_lines_lost", help, None, &ConstCounter::new(log::lost()))?;
        let Some(seen) = see() else { return Ok(()) };
        let seconds = Some(&Unit::Seconds);
        tell("process_cpu", "CPU time used", seconds, &ConstCounter::new(seen.cpu_s))?;
        let started = ConstGauge::new(seen.started_s);
        tell("process_start_time", "Start, since the Unix epoch", seconds, &started)?;
        let resident = ConstGauge::new(i64::try_from(seen.resident_bytes).unwrap_or(i64::MAX));
        tell("process_resident_memory", "Memory in use", Some(&Unit::Bytes), &resident)?;
        let files = ConstGauge::new(i64::try_from(seen.files).unwrap_or(i64::MAX));
        tell("process_open_fds", "Open files and connections", None, &files)
    }
}
