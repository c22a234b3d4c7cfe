//! One run: starts everything, breaks it, heals it, and checks what is left.

use std::path::Path;

use super::{
    checker::Report,
    options::Options,
    parts::Disks,
    plan::Plan,
    results,
    rig::{Rig, Setup},
};
use crate::{output, server::ServerKind};

pub(super) async fn run(
    options: &Options,
    server: ServerKind,
    seed: u64,
    plan: Plan,
) -> anyhow::Result<()> {
    let run =
        async |directory: &Path, disks| run_in(options, server, seed, plan, directory, disks).await;
    results::in_directory("chaos", &command_line(options, server, seed), true, run).await
}

fn command_line(options: &Options, server: ServerKind, seed: u64) -> String {
    let Options {
        videos,
        minutes,
        no_faults,
        archiver,
        other_worker,
        ..
    } = options;
    let (server, archiver) = (server.name(), archiver.display());
    let mut line = format!(
        "bench chaos --videos {videos} --minutes {minutes} --server {server} --seed {seed} --archiver {archiver}"
    );
    if let Some(program) = other_worker {
        line.push_str(&format!(" --other-worker {}", program.display()));
    }
    if *no_faults {
        line.push_str(" --no-faults");
    }
    line
}

async fn run_in(
    options: &Options,
    server: ServerKind,
    seed: u64,
    plan: Plan,
    directory: &Path,
    mut disks: Disks,
) -> anyhow::Result<Report> {
    // Version 0.1.0 rejects a directory as the destination of a video unless it is inside its own archive.
    disks.archive = disks.archive.filter(|_| options.other_worker.is_none());
    let setup = Setup {
        seed,
        server,
        archiver: &options.archiver,
        other_worker: options.other_worker.as_deref(),
        length: options.length(),
    };
    let rig = Rig::start(setup, directory, disks).await?;
    let mut carried = rig.carry_out(plan).await?;
    rig.settle().await?;
    let crowd = rig.meet_crowd().await;
    if crowd.is_none() {
        carried.add_not_run("the run is shorter than five minutes", "crowd".into());
    }
    let mut report = rig.check(&carried).await?;
    report.add_all(crowd);
    results::print(&report, &carried)?;
    let json = serde_json::json!({
        "options": options, "server": server, "seed": seed, "rows": report.rows,
        "faults": carried.names(), "not_run": carried.not_run,
    });
    output::write(&options.out, &serde_json::to_string_pretty(&json)?)?;
    Ok(report)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::*;
    use crate::chaos::plan::{Fault, Kind};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn the_command_line_runs_the_same_again() {
        for line in [
            "bench chaos --videos 24 --minutes 1 --server dev --seed 7 --archiver new",
            "bench chaos --videos 500 --minutes 12 --server postgres --seed 8 --archiver a/b \
             --other-worker old --no-faults",
        ] {
            let arguments = line.split(' ').skip(1);
            let options = Cli::try_parse_from(arguments).unwrap().options;
            let server = options.server.unwrap();
            assert_eq!(command_line(&options, server, options.seed()), line);
        }
    }

    /// Returns the options of the run in `.ci/run`.
    fn of_every_change() -> Options {
        let stages = include_str!("../../../.ci/run");
        let mut lines = stages
            .lines()
            .filter_map(|line| line.split_once("bench -- "));
        let (_, arguments) = lines.next().unwrap();
        Cli::try_parse_from(arguments.split(' ')).unwrap().options
    }

    #[test]
    fn the_run_of_every_change_is_short_and_has_the_dev_server() {
        let options = of_every_change();
        assert!(matches!(options.server, Some(ServerKind::Dev)));
        assert_eq!(options.minutes, 1);
    }

    /// It goes on with work that another worker was given meanwhile.
    #[test]
    fn a_worker_in_the_run_of_every_change_is_stopped_for_longer_than_a_heartbeat_timeout() {
        const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(20);
        let options = of_every_change();
        let plan = Plan::new(options.seed(), options.videos, options.length());
        let is_stop = |fault: &&Fault| matches!(fault.kind, Kind::StopWorker(_));
        let mut stops = plan.faults.iter().filter(is_stop);
        assert!(stops.any(|fault| fault.lasts > HEARTBEAT_TIMEOUT));
    }
}
