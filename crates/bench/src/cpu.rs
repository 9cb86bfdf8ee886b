//! Processor time, as the kernel counts it.

use std::time::Duration;

#[cfg(feature = "net")]
use anyhow::Context;

/// Ticks a second of `/proc/self/stat`; fixed on Linux.
#[cfg(feature = "net")]
const TICKS: f64 = 100.0;

/// User and system time of all threads so far, in steps of 10 ms, so only spans of seconds mean something.
#[cfg(feature = "net")]
pub fn spent() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The second field is the program's name in parentheses and may hold spaces: count from behind it.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    Ok(Duration::from_secs_f64((ticks(11) + ticks(12)) / TICKS))
}

/// Time that all threads have had a processor, to the nanosecond; those that ended are not in it.
#[cfg(feature = "net")]
pub fn spent_by_all() -> anyhow::Result<Duration> {
    spent_by("self")
}

/// The same of another process, by its number.
#[cfg(feature = "net")]
pub fn spent_by(process: &str) -> anyhow::Result<Duration> {
    let mut sum = 0;
    for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
        // One that ends meanwhile has no file any more.
        let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else { continue };
        sum += text.split_whitespace().next().and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(Duration::from_nanos(sum))
}

/// MiB of memory that this process has now.
#[cfg(feature = "net")]
pub fn resident_mib() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the kernel does not count memory")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}

/// Processor time of this thread, to the nanosecond, and soon read. Spans of it mean something from microseconds on.
pub fn spent_here() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
