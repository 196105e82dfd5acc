//! Who used the CPU, and how much memory, by what Linux tells in `/proc`.

use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// A process to watch, with those that it started.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Its name in figures.
    pub name: String,
    /// Its id.
    pub pid: u32,
}

/// CPU time in seconds, spent between two moments.
#[derive(Clone, Debug, Default)]
pub struct Spent {
    /// By each watched process, by name.
    pub watched_s: BTreeMap<String, f64>,
    /// By us.
    pub generator_s: f64,
    /// By everybody else on the machine.
    pub others_s: f64,
}

/// The CPU time that was spent until a moment, in ticks.
pub struct Reading {
    watched: BTreeMap<String, u64>,
    generator: u64,
    machine: u64,
}

/// Reads `/proc`.
pub struct Meter {
    ticks_per_s: f64,
}

impl Meter {
    /// Asks how long a tick is.
    ///
    /// # Errors
    /// The system doesn't say.
    pub fn new() -> anyhow::Result<Self> {
        let output = Command::new("getconf").arg("CLK_TCK").output().context("getconf")?;
        let text = String::from_utf8(output.stdout)?;
        let ticks_per_s: u32 = text.trim().parse().context("getconf CLK_TCK")?;
        Ok(Self {
            ticks_per_s: ticks_per_s.into(),
        })
    }

    /// What was spent until now.
    ///
    /// # Errors
    /// A watched process is gone.
    pub fn read(&self, watched: &[Watched]) -> anyhow::Result<Reading> {
        let parents = parents();
        let mut by_name = BTreeMap::new();
        for process in watched {
            let stat = fs::read_to_string(format!("/proc/{}/stat", process.pid));
            let stat = stat.with_context(|| format!("{} is gone", process.name))?;
            let below: u64 = descendants(process.pid, &parents).into_iter().filter_map(ticks_of).sum();
            *by_name.entry(process.name.clone()).or_default() += own_ticks(&stat).context("/proc/PID/stat")? + below;
        }
        Ok(Reading {
            watched: by_name,
            generator: ticks_of(std::process::id()).context("/proc/self/stat")?,
            machine: busy_ticks(&fs::read_to_string("/proc/stat")?).context("/proc/stat")?,
        })
    }

    /// What was spent between two readings.
    pub fn between(&self, before: &Reading, after: &Reading) -> Spent {
        let seconds = |from: u64, to: u64| to.saturating_sub(from) as f64 / self.ticks_per_s;
        let of_watched = after.watched.iter().map(|(name, &to)| {
            let from = before.watched.get(name).copied().unwrap_or_default();
            (name.clone(), seconds(from, to))
        });
        let watched_s: BTreeMap<_, _> = of_watched.collect();
        let generator_s = seconds(before.generator, after.generator);
        let known_s = watched_s.values().sum::<f64>() + generator_s;
        Spent {
            watched_s,
            generator_s,
            others_s: (seconds(before.machine, after.machine) - known_s).max(0.0),
        }
    }
}

/// Memory of a process in MiB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Resident now.
    pub now_mib: f64,
    /// Most that was ever resident.
    pub peak_mib: f64,
}

/// The memory of a process, and of those that it started.
///
/// # Errors
/// It is gone.
pub fn memory(pid: u32) -> anyhow::Result<Memory> {
    let mut sum = Memory {
        now_mib: 0.0,
        peak_mib: 0.0,
    };
    for pid in descendants(pid, &parents()).into_iter().chain([pid]) {
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
            continue;
        };
        sum.now_mib += mib(&status, "VmRSS:").unwrap_or_default();
        sum.peak_mib += mib(&status, "VmHWM:").unwrap_or_default();
    }
    match sum.now_mib > 0.0 {
        true => Ok(sum),
        false => bail!("process {pid} is gone"),
    }
}

fn ticks_of(pid: u32) -> Option<u64> {
    own_ticks(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// What stands after the name in `/proc/PID/stat`, which may hold spaces and brackets itself.
fn after_name(stat: &str) -> Option<Vec<&str>> {
    let (_, rest) = stat.rsplit_once(')')?;
    Some(rest.split_whitespace().collect())
}

/// User and system time of a process with all its threads, and of its children that have ended (proc(5): utime, stime, cutime,
/// cstime).
fn own_ticks(stat: &str) -> Option<u64> {
    let fields = after_name(stat)?;
    fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum()
}

fn parent(stat: &str) -> Option<u32> {
    after_name(stat)?.get(1)?.parse().ok()
}

/// Each process's parent.
fn parents() -> BTreeMap<u32, u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, parent(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect()
}

fn descendants(root: u32, parents: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        found.extend(parents.iter().filter(|&(_, &parent)| parent == pid).map(|(&child, _)| child));
        next += 1;
    }
    found.split_off(1)
}

/// Time that all processors together did not idle: user, nice, system, irq, softirq, steal.
fn busy_ticks(stat: &str) -> Option<u64> {
    let all = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let fields: Vec<u64> = all.split_whitespace().filter_map(|field| field.parse().ok()).collect();
    [0, 1, 2, 5, 6, 7].iter().map(|&i| fields.get(i)).sum()
}

/// A line of `/proc/PID/status` in kB, as MiB.
fn mib(status: &str, line: &str) -> Option<f64> {
    let rest = status.lines().find_map(|text| text.strip_prefix(line))?;
    let kib: f64 = rest.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use super::*;

    const STAT: &str = "42 (a) b (c)) S 7 42 42 0 -1 4194560 100 200 0 0 30 12 5 3 20 0 9 0 12345 1000 50 18446744073709551615\n";

    #[test]
    fn cpu_time_is_that_of_a_process_and_of_its_dead_children_whatever_its_name() {
        assert_eq!(own_ticks(STAT), Some(50));
        assert_eq!(parent(STAT), Some(7));
        assert_eq!(own_ticks("42 (a) S 7"), None);
        assert_eq!(own_ticks(""), None);
    }

    #[test]
    fn a_processor_that_waits_for_a_disk_is_not_busy() {
        let stat = "cpu  100 20 30 4000 500 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(busy_ticks(stat), Some(171));
        assert_eq!(busy_ticks("cpu0 1 2 3\n"), None);
        assert_eq!(busy_ticks("cpu  1 2 3\n"), None);
    }

    #[test]
    fn children_of_children_count() {
        let parents = [(1, 0), (10, 1), (11, 10), (12, 10), (13, 12), (20, 1)].into();
        assert_eq!(descendants(10, &parents), [11, 12, 13]);
        assert!(descendants(20, &parents).is_empty());
    }

    #[test]
    fn memory_is_read_in_kib() {
        let status = "Name:\tgait\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n";
        assert_eq!((mib(status, "VmRSS:"), mib(status, "VmHWM:")), (Some(10.0), Some(20.0)));
        assert_eq!(mib(status, "VmSwap:"), None);
    }

    #[test]
    fn what_was_spent_is_shared_out() {
        let meter = Meter { ticks_per_s: 100.0 };
        let reading = |gait, generator, machine| Reading {
            watched: [("gait".to_owned(), gait)].into(),
            generator,
            machine,
        };
        let spent = meter.between(&reading(100, 50, 1000), &reading(250, 100, 1300));
        assert_eq!((spent.watched_s["gait"], spent.generator_s, spent.others_s), (1.5, 0.5, 1.0));
        // Ticks are counted at different moments; nobody spends less than nothing.
        assert_eq!(meter.between(&reading(0, 0, 0), &reading(100, 0, 90)).others_s, 0.0);
    }

    #[test]
    fn this_process_can_be_watched() {
        let own = Watched {
            name: "own".to_owned(),
            pid: std::process::id(),
        };
        let meter = Meter::new().unwrap();
        let all = std::slice::from_ref(&own);
        let (before, after) = (meter.read(all).unwrap(), meter.read(all).unwrap());
        assert!(meter.between(&before, &after).watched_s.contains_key("own"));
        let memory = memory(own.pid).unwrap();
        assert!(memory.now_mib > 0.0 && memory.peak_mib >= memory.now_mib);
        let gone = Watched { pid: u32::MAX, ..own };
        assert!(meter.read(&[gone]).is_err());
    }
}
