//! What the system knows of a process and of the machine, read from `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// What the threads of a process had used at a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used {
    threads: BTreeMap<String, Thread>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Thread {
    cpu: Duration,
    wakeups: u64,
}

impl Used {
    /// Reads it. Threads that end between two readings are left out, so let a process settle first.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let folder = format!("/proc/{pid}/task");
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir(&folder).with_context(|| format!("process {pid} is gone"))? {
            let path = entry.context("listing threads")?.path();
            let Ok(schedstat) = fs::read_to_string(path.join("schedstat")) else { continue };
            let Ok(status) = fs::read_to_string(path.join("status")) else { continue };
            let cpu = schedstat.split_whitespace().next().and_then(|ns| ns.parse().ok());
            let cpu = Duration::from_nanos(cpu.context("this kernel keeps no schedstat")?);
            let wakeups = field(&status, "voluntary_ctxt_switches:").unwrap_or(0);
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            threads.insert(name, Thread { cpu, wakeups });
        }
        Ok(Self { threads })
    }

    /// The CPU time used since an earlier reading.
    pub(crate) fn cpu_since(&self, earlier: &Self) -> Duration {
        self.grown(earlier, |now, then| now.cpu.saturating_sub(then.cpu)).sum()
    }

    /// How often a thread went to sleep, and so was woken, since an earlier reading.
    pub(crate) fn wakeups_since(&self, earlier: &Self) -> u64 {
        self.grown(earlier, |now, then| now.wakeups.saturating_sub(then.wakeups)).sum()
    }

    fn grown<'a, T>(
        &'a self,
        earlier: &'a Self,
        growth: impl Fn(Thread, Thread) -> T + 'a,
    ) -> impl Iterator<Item = T> + 'a {
        self.threads.iter().map(move |(name, now)| {
            let then = earlier.threads.get(name).copied().unwrap_or_default();
            growth(*now, then)
        })
    }
}

/// Resident memory of a process in KiB.
pub(crate) fn resident_kib(pid: u32) -> Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok();
    if let Some(kib) = rollup.and_then(|text| field(&text, "Rss:")) {
        return Ok(kib);
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid} is gone"))?;
    field(&status, "VmRSS:").context("no VmRSS in the status of a process")
}

/// The cores this process may run on.
pub(crate) fn cores() -> Vec<usize> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    list.trim().split(',').filter_map(range).flatten().collect()
}

/// How many files this process may have open.
pub(crate) fn open_files() -> u64 {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    match line.and_then(|line| line.split_whitespace().next()) {
        Some("unlimited") => u64::MAX,
        soft => soft.and_then(|soft| soft.parse().ok()).unwrap_or(1024),
    }
}

/// How busy the machine was over the last minute, in cores.
pub(crate) fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN)
}

/// The name of the processor.
pub(crate) fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(':').nth(1));
    name.map_or_else(|| "unknown".to_owned(), |name| name.trim().to_owned())
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

fn range(text: &str) -> Option<std::ops::RangeInclusive<usize>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::{Thread, Used, field, range};

    #[test]
    fn threads_that_are_new_count_from_nothing_and_threads_that_ended_do_not_count() {
        let used = |threads: &[(&str, u64, u64)]| Used {
            threads: threads
                .iter()
                .map(|(name, ms, wakeups)| {
                    ((*name).to_owned(), Thread { cpu: Duration::from_millis(*ms), wakeups: *wakeups })
                })
                .collect::<BTreeMap<_, _>>(),
        };
        let (before, after) = (used(&[("1", 10, 5), ("2", 7, 1)]), used(&[("1", 15, 6), ("3", 4, 2)]));
        assert_eq!((after.cpu_since(&before), after.wakeups_since(&before)), (Duration::from_millis(9), 3));
    }

    #[test]
    fn lists_of_cores_and_fields_are_read() {
        assert_eq!((range("2"), range("0-3"), range("")), (Some(2..=2), Some(0..=3), None));
        assert_eq!((field("Rss:   12 kB\nPss: 3 kB", "Pss:"), field("a", "Pss:")), (Some(3), None));
    }
}
