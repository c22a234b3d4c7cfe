//! Runs a tool, and measures it.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

use super::sample::Sample;
use crate::{process::Process, usage};

/// How often the memory of a tool is read: its peak is lost when it exits.
const INTERVAL: Duration = Duration::from_millis(5);

/// Runs commands until all have exited, each with the output of the one before as its input. Their logs are in the
/// directory.
pub(super) async fn run(commands: Vec<Command>, directory: &Path) -> anyhow::Result<Sample> {
    let start = Instant::now();
    let mut running = start_all(commands, directory)?;
    let mut exited = Vec::new();
    let mut peaks = vec![0; running.len()];
    let mut cpu_seconds = 0.0;
    while !running.is_empty() {
        tokio::time::sleep(INTERVAL).await;
        for (number, process) in std::mem::take(&mut running) {
            let peak = usage::peak_bytes(process.pid()).unwrap_or_default();
            peaks[number] = peak.max(peaks[number]);
            match process.has_exited()? {
                true => exited.push((number, process)),
                false => running.push((number, process)),
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    // One that fails makes the others fail: all of them say why.
    let mut errors = Vec::new();
    for (_, mut process) in exited {
        cpu_seconds += usage::cpu_seconds(process.pid()).context("no CPU time in /proc")?;
        errors.extend(process.wait().err().map(|error| error.to_string()));
    }
    ensure!(errors.is_empty(), "{}", errors.join("; "));
    Ok(Sample {
        seconds,
        cpu_seconds,
        peak_bytes: peaks.iter().sum(),
        store_cpu_seconds: None,
    })
}

fn start_all(commands: Vec<Command>, directory: &Path) -> anyhow::Result<Vec<(usize, Process)>> {
    let last = commands.len().saturating_sub(1);
    let mut input = Stdio::null();
    let mut started = Vec::new();
    for (number, mut command) in commands.into_iter().enumerate() {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdout(match number == last {
            true => Stdio::null(),
            false => Stdio::piped(),
        });
        let log = directory.join(format!("tool-{number}.log"));
        let mut process = Process::start_with_input(&name, &mut command, input, log)?;
        input = process.take_output().map_or_else(Stdio::null, Stdio::from);
        started.push((number, process));
    }
    Ok(started)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn commands_are_measured_together() {
        let directory = tempfile::tempdir().unwrap();
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done";
        let check = "read line; [ \"$line\" = done ]";
        let commands = vec![shell(busy), shell(check)];
        let sample = run(commands, directory.path()).await.unwrap();
        assert!(sample.cpu_seconds > 0.0, "{sample:?}");
        assert!(sample.peak_bytes > 0, "{sample:?}");
        assert!(sample.seconds > 0.0, "{sample:?}");
    }

    #[tokio::test]
    async fn an_error_has_the_end_of_the_log() {
        let directory = tempfile::tempdir().unwrap();
        let commands = vec![shell("echo broken >&2; exit 3"), shell("cat >/dev/null")];
        let error = run(commands, directory.path()).await.unwrap_err();
        assert!(
            error.to_string().ends_with("exit status: 3: broken"),
            "{error}"
        );
    }
}
