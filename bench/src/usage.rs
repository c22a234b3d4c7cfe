//! CPU time and memory of a process and its descendants, from `/proc`.

use std::{collections::BTreeMap, fs, io};

use crate::process::Process;

/// Unit of the times in `/proc`: user space sees it as this on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process and its descendants use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Since they started, without those that have exited.
    pub(crate) cpu_seconds: f64,
    /// Resident memory. What they share, as PostgreSQL's processes do, counts once.
    pub(crate) resident_bytes: u64,
}

impl Usage {
    pub(crate) fn of(process: &Process) -> Self {
        let stats = all_stats();
        let mut tree = vec![process.pid()];
        let mut index = 0;
        while let Some(parent) = tree.get(index).copied() {
            let children = stats.iter().filter(|(_, stat)| stat.parent == parent);
            tree.extend(children.map(|(pid, _)| *pid));
            index += 1;
        }
        let ticks: u64 = tree
            .iter()
            .filter_map(|pid| Some(stats.get(pid)?.ticks))
            .sum();
        let memory: Vec<_> = tree.iter().filter_map(|pid| Memory::of(*pid)).collect();
        let private: u64 = memory.iter().map(|it| it.resident - it.shared).sum();
        let shared = memory.iter().map(|it| it.shared).max().unwrap_or_default();
        Self {
            cpu_seconds: ticks as f64 / TICKS_PER_SECOND,
            resident_bytes: private + shared,
        }
    }
}

/// Returns the CPU time of a process, without its children, in seconds. A process that has exited has one until it is
/// waited for.
pub(crate) fn cpu_seconds(pid: u32) -> Option<f64> {
    Some(stat(pid)?.ticks as f64 / TICKS_PER_SECOND)
}

/// Returns the resident memory of a process.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    status_bytes(&status(pid)?, "VmRSS:")
}

/// Returns the peak of the resident memory of a process, since its start or the last reset.
pub(crate) fn peak_bytes(pid: u32) -> Option<u64> {
    status_bytes(&status(pid)?, "VmHWM:")
}

/// Sets the peak of a process to its resident memory.
pub(crate) fn reset_peak(pid: u32) -> io::Result<()> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5")
}

fn status(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/status")).ok()
}

fn status_bytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

struct Stat {
    parent: u32,
    ticks: u64,
}

fn all_stats() -> BTreeMap<u32, Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?))).collect()
}

fn stat(pid: u32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_stat(text: &str) -> Option<Stat> {
    // The name before may contain spaces and parentheses.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<_> = rest.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        parent: number(1)?.try_into().ok()?,
        ticks: number(11)? + number(12)?,
    })
}

struct Memory {
    resident: u64,
    shared: u64,
}

impl Memory {
    fn of(pid: u32) -> Option<Self> {
        let status = status(pid)?;
        let shared = status_bytes(&status, "RssShmem:")?;
        Some(Self {
            resident: status_bytes(&status, "VmRSS:")?.max(shared),
            shared,
        })
    }
}

/// The resident memory of a process over time.
#[derive(Default)]
pub(crate) struct MemorySamples {
    peak: u64,
    sum: u64,
    count: u64,
}

impl MemorySamples {
    pub(crate) fn add(&mut self, usage: Usage) {
        self.peak = self.peak.max(usage.resident_bytes);
        self.sum += usage.resident_bytes;
        self.count += 1;
    }

    pub(crate) fn peak_mebibytes(&self) -> f64 {
        self.peak as f64 / f64::from(1 << 20)
    }

    pub(crate) fn mean_mebibytes(&self) -> f64 {
        self.sum as f64 / self.count.max(1) as f64 / f64::from(1 << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_contain_anything() {
        let text = "7 (a) b (c) S 3 7 7 0 -1 4194304 1 2 3 4 50 25 6 7 20 0 1 0 9 0 0";
        let stat = parse_stat(text).unwrap();
        assert_eq!((stat.parent, stat.ticks), (3, 75));
        assert!(parse_stat("7 (a)").is_none());
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(Memory::of(std::process::id()).unwrap().resident > 0);
    }
}
