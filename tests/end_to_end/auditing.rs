//! Whether the archive still holds what its receipts say, and what killed workers have left.

use std::{process::Output, sync::Arc};

use anyhow::{Context, ensure};
use seedance_archiver_simulator::Script;
use serde_json::Value;

use crate::{
    Suite,
    world::{Server, World, command},
};

pub(crate) fn tests(suite: Suite) -> Suite {
    suite
        .test("auditing::verify_finds_what_has_changed", verify)
        .test("auditing::clean_removes_what_is_staged_only", clean)
}

async fn run(world: &World, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    let output: Output = command()
        .args(arguments)
        .env("SEEDANCE_ARCHIVE_URL", world.config.archive_url.as_str())
        .output()
        .await?;
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok((output.status.code(), words))
}

async fn verify(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let (code, words) = run(&world, &["verify"]).await?;
    ensure!(
        code == Some(0) && words.starts_with("0 receipts"),
        "{words}"
    );

    let mut videos = Vec::new();
    for _ in 0..3 {
        let id = world.simulator.create(Script::default());
        let manifest = world.run(&server, &id).await?.manifest;
        let url = manifest.context("no receipt")?.objects[0].url.clone();
        videos.push(url.trim_start_matches("file://").to_owned());
    }
    let (code, words) = run(&world, &["verify", "--deep"]).await?;
    ensure!(code == Some(0), "{words}");
    ensure!(
        words.contains("3 receipts with 6 objects: 3 verified"),
        "{words}"
    );

    let mut changed = std::fs::read(&videos[0])?;
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    std::fs::write(&videos[0], &changed)?;
    std::fs::write(&videos[1], &changed[..middle])?;
    std::fs::remove_file(&videos[2])?;
    for (arguments, problems) in [
        (
            &["verify", "--output", "json"][..],
            &["expected", "missing"][..],
        ),
        (
            &["verify", "--deep", "--since", "1h", "--output", "json"],
            &["SHA-256", "bytes, expected", "missing"],
        ),
    ] {
        let (code, words) = run(&world, arguments).await?;
        ensure!(code == Some(1), "{words}");
        let report: Value = serde_json::from_str(&words)?;
        let findings = report["findings"].as_array().context("no findings")?;
        ensure!(findings.len() == problems.len(), "{words}");
        for problem in problems {
            ensure!(words.contains(problem), "no {problem:?} in {words}");
        }
    }
    Ok(())
}

async fn clean(server: Arc<Server>) -> anyhow::Result<()> {
    let world = World::new(&server).await?;
    let id = world.simulator.create(Script::default());
    let manifest = world.run(&server, &id).await?.manifest;
    let staged = world.directory.path().join(".staging/cgt-1-attempt/video");
    std::fs::create_dir_all(staged.parent().context("no folder")?)?;
    std::fs::write(&staged, "a video that was not published")?;
    let upload = staged.with_file_name("video#1");
    std::fs::write(&upload, "half a video")?;

    let (_, words) = run(&world, &["clean"]).await?;
    ensure!(
        words.starts_with("nothing is staged for longer than 1d"),
        "it is not a day old: {words}"
    );
    let (_, words) = run(&world, &["clean", "--older-than", "0s"]).await?;
    ensure!(
        words.contains("cgt-1-attempt/video") && staged.exists() && upload.exists(),
        "{words}"
    );
    let (code, words) = run(&world, &["clean", "--older-than", "0s", "--remove"]).await?;
    ensure!(
        code == Some(0) && !staged.exists() && !upload.exists(),
        "{words}"
    );
    world.holds_exactly(&id, &manifest.context("no receipt")?)
}
