//! The CPU time of a thread.

use std::{fs, time::Instant};

use anyhow::Context;

const NANOSECONDS: f64 = 1e9;
/// Its first number is the CPU time of the thread, in nanoseconds.
const SCHEDSTAT: &str = "/proc/thread-self/schedstat";

pub(super) struct Measured {
    pub(super) seconds: f64,
    pub(super) cpu_seconds: f64,
}

/// Measures what this thread takes.
pub(super) fn measure(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Measured> {
    let (start, cpu) = (Instant::now(), cpu_seconds()?);
    work()?;
    Ok(Measured {
        seconds: start.elapsed().as_secs_f64(),
        cpu_seconds: cpu_seconds()? - cpu,
    })
}

fn cpu_seconds() -> anyhow::Result<f64> {
    let text = fs::read_to_string(SCHEDSTAT).with_context(|| format!("cannot read {SCHEDSTAT}"))?;
    let nanoseconds = text.split_whitespace().next();
    let nanoseconds: f64 = nanoseconds.unwrap_or_default().parse()?;
    Ok(nanoseconds / NANOSECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPIN_SECONDS: f64 = 0.05;

    fn spin() -> anyhow::Result<()> {
        let start = cpu_seconds()?;
        while cpu_seconds()? < start + SPIN_SECONDS {}
        Ok(())
    }

    #[test]
    fn only_this_thread_counts() {
        let own = measure(spin).unwrap();
        assert!(own.cpu_seconds >= SPIN_SECONDS);
        let other = measure(|| std::thread::spawn(spin).join().unwrap()).unwrap();
        assert!(other.cpu_seconds < SPIN_SECONDS);
    }
}
