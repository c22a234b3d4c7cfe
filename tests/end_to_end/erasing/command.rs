//! The `erase` command.

use std::{collections::BTreeSet, path::Path, process::Output, sync::Arc};

use anyhow::{Context, ensure};
use object_store::{ObjectStoreExt, path::Path as Key};
use seedance_archiver_proto::v1::{ArchivedObject, Manifest};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{
    Fixture, Server, command, created_task::create_task_of, proxied_bucket::ProxiedBucket,
    register, s3_proxy::Dialect, schemas,
};

/// A user whose id a shell, a pattern or a table would change.
const USER: &str = "=user-7 \"*'%\\ Ünal 🎬";

/// Runs `erase`.
async fn erase(environment: &[(&str, &str)], arguments: &[&str]) -> anyhow::Result<Output> {
    Ok(command()
        .arg("erase")
        .args(arguments)
        .envs(environment.iter().copied())
        .kill_on_drop(true)
        .output()
        .await?)
}

/// Runs `erase` and returns its exit code and its document.
async fn erase_json(
    environment: &[(&str, &str)],
    arguments: &[&str],
) -> anyhow::Result<(Option<i32>, Value)> {
    let output = erase(environment, &[arguments, &["--output", "json"]].concat()).await?;
    let document = serde_json::from_slice(&output.stdout);
    let document = document.with_context(|| format!("no document: {output:?}"))?;
    Ok((output.status.code(), document))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A local archive with receipts of this version that no worker wrote.
struct LocalArchive(TempDir);

impl LocalArchive {
    fn new() -> anyhow::Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    fn url(&self) -> String {
        format!("file://{}", self.0.path().display())
    }

    fn add(&self, task_id: &str, user: &str) -> anyhow::Result<()> {
        self.write(task_id, "manifest.json", &receipt(task_id, user)?)?;
        self.write(task_id, "video.mp4", "video")
    }

    fn write(&self, task_id: &str, name: &str, text: &str) -> anyhow::Result<()> {
        let directory = self.0.path().join("default").join(task_id);
        std::fs::create_dir_all(&directory)?;
        Ok(std::fs::write(directory.join(name), text)?)
    }

    fn files(&self, task_id: &str) -> anyhow::Result<BTreeSet<String>> {
        files(&self.0.path().join("default").join(task_id))
    }
}

fn files(directory: &Path) -> anyhow::Result<BTreeSet<String>> {
    let entries = std::fs::read_dir(directory)?;
    entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

fn receipt(task_id: &str, user: &str) -> anyhow::Result<String> {
    let video = ArchivedObject {
        name: "video.mp4".to_owned(),
        size_bytes: 5,
        ..ArchivedObject::default()
    };
    Ok(serde_json::to_string(&Manifest {
        task_id: task_id.to_owned(),
        account: "default".to_owned(),
        safety_identifier: user.to_owned(),
        archived_at: 1_787_869_700,
        archiver_version: env!("CARGO_PKG_VERSION").to_owned(),
        objects: vec![video],
        ..Manifest::default()
    })?)
}

async fn a_users_videos_are_listed_and_then_erased(server: Arc<Server>) -> anyhow::Result<()> {
    let fixture = Fixture::new(&server).await?;
    let mut kept = Vec::new();
    let ids = [
        create_task_of(&fixture.simulator, USER).await?,
        create_task_of(&fixture.simulator, &format!("{USER}1")).await?,
        create_task_of(&fixture.simulator, "").await?,
        create_task_of(&fixture.simulator, USER).await?,
    ];
    for id in &ids {
        let result = fixture.run_lifecycle(&server, id).await?;
        kept.push(result.manifest.context("no receipt")?);
    }
    let is_of_this_version = |it: &Manifest| it.archiver_version == env!("CARGO_PKG_VERSION");
    ensure!(kept.iter().all(is_of_this_version), "{kept:?}");
    let before = fixture.archived_files()?;
    let environment = [("SEEDANCE_ARCHIVE_URL", fixture.config.archive_url.as_str())];

    let (code, listed) = erase_json(&environment, &["--user", USER]).await?;
    ensure!(code == Some(0) && listed["is_erased"] == false, "{listed}");
    let tasks = listed["tasks"].as_array().context("no tasks")?;
    let found: BTreeSet<_> = tasks
        .iter()
        .filter_map(|it| it["task_id"].as_str())
        .collect();
    ensure!(found == BTreeSet::from([&*ids[0], &*ids[3]]), "{listed}");
    let expected: i64 = [&kept[0], &kept[3]]
        .iter()
        .flat_map(|it| &it.objects)
        .map(|it| it.size_bytes)
        .sum();
    let bytes = listed["size_bytes"].as_i64().context("no size")?;
    ensure!(listed["objects"] == 6 && bytes > expected, "{listed}");
    ensure!(!listed.to_string().contains("user-7"), "{listed}");
    ensure!(fixture.archived_files()? == before, "files were deleted");

    let (code, erased) = erase_json(&environment, &["--user", USER, "--confirm"]).await?;
    ensure!(code == Some(0) && erased["is_erased"] == true, "{erased}");
    ensure!(
        erased["is_complete"] == true && erased["objects"] == 6,
        "{erased}"
    );
    for id in [&ids[0], &ids[3]] {
        let files = fixture.archived_files()?;
        let of_task: Vec<_> = files.iter().filter(|it| it.contains(id.as_str())).collect();
        ensure!(
            of_task.len() == 1 && of_task[0].ends_with("/erased.json"),
            "{of_task:?}"
        );
        let tombstone = std::fs::read(fixture.directory.path().join(of_task[0]))?;
        schemas::check_tombstone(&tombstone)?;
        let tombstone: Value = serde_json::from_slice(&tombstone)?;
        ensure!(tombstone["task_id"] == **id, "{tombstone}");
        ensure!(!tombstone.to_string().contains("user-7"), "{tombstone}");
    }
    for (file, text) in [
        ("verify", "2 receipts"),
        ("receipts", &ids[1]),
        ("erase", "no receipts"),
    ] {
        let mut arguments = vec![file];
        if file == "erase" {
            arguments.extend(["--user", USER]);
        }
        let output = command().args(arguments).envs(environment).output().await?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
        ensure!(
            output.status.success() && printed.contains(text),
            "{output:?}"
        );
        ensure!(!printed.contains(ids[0].as_str()), "{printed}");
    }
    Ok(())
}
register!(a_users_videos_are_listed_and_then_erased);

/// Receipts of version 0.1 have no user. The record beside them has.
async fn videos_that_version_0_1_archived_are_erased(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = LocalArchive::new()?;
    let url = archive.url();
    let environment = [("SEEDANCE_ARCHIVE_URL", url.as_str())];
    let old = |id: &str, record: Option<&str>| {
        let mut receipt: Manifest = serde_json::from_str(&receipt(id, "")?)?;
        receipt.archiver_version = "0.1.0".to_owned();
        archive.write(id, "manifest.json", &serde_json::to_string(&receipt)?)?;
        record.map_or(Ok(()), |record| archive.write(id, "task.json", record))
    };
    old(
        "cgt-1",
        Some(r#"{"id": "cgt-1", "safety_identifier": "user-7"}"#),
    )?;
    old(
        "cgt-2",
        Some(r#"{"id": "cgt-2", "safety_identifier": "user-70"}"#),
    )?;
    old("cgt-3", Some(r#"{"id": "cgt-3"}"#))?;
    let arguments = ["--user", "user-7", "--confirm"];
    let (code, erased) = erase_json(&environment, &arguments).await?;
    ensure!(
        code == Some(0) && erased["tasks"][0]["task_id"] == "cgt-1",
        "{erased}"
    );
    ensure!(archive.files("cgt-1")? == names(["erased.json"]));
    for id in ["cgt-2", "cgt-3"] {
        ensure!(
            archive.files(id)? == names(["manifest.json", "task.json"]),
            "{id}"
        );
    }

    // An erasure was interrupted after it had deleted the record.
    let tombstone = r#"{"task_id": "cgt-5", "account": "default", "erased_at": 1787869800}"#;
    old("cgt-5", None)?;
    archive.write("cgt-5", "erased.json", tombstone)?;
    archive.write("cgt-5", "video.mp4", "video")?;
    let (code, completed) = erase_json(&environment, &arguments).await?;
    let tasks = &completed["tasks"];
    ensure!(
        code == Some(0) && tasks[0]["task_id"] == "cgt-5",
        "{completed}"
    );
    ensure!(tasks[0]["is_interrupted"] == true, "{completed}");
    ensure!(archive.files("cgt-5")? == names(["erased.json"]));

    old("cgt-4", None)?;
    let (code, document) = erase_json(&environment, &arguments).await?;
    let errors = document["errors"].to_string();
    ensure!(
        code == Some(1) && errors.contains("`task.json` cannot be read"),
        "{document}"
    );
    Ok(())
}
register!(videos_that_version_0_1_archived_are_erased);

async fn an_interrupted_erasure_is_completed(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = LocalArchive::new()?;
    let url = archive.url();
    let environment = [("SEEDANCE_ARCHIVE_URL", url.as_str())];
    archive.add("cgt-1", "user-7")?;
    archive.add("cgt-2", "user-70")?;
    archive.write("cgt-1", "poster.png", "not ours")?;
    let tombstone = r#"{"task_id": "cgt-1", "account": "default", "erased_at": 1787869800}"#;
    archive.write("cgt-1", "erased.json", tombstone)?;
    let verify = command().arg("verify").envs(environment).output().await?;
    let found = String::from_utf8_lossy(&verify.stdout).into_owned();
    ensure!(verify.status.code() == Some(1), "{verify:?}");
    ensure!(
        found.contains("cgt-1/manifest.json: erased.json says"),
        "{found}"
    );
    ensure!(
        found.contains("interrupted") && !found.contains("cgt-2"),
        "{found}"
    );
    let receipts = command().arg("receipts").envs(environment).output().await?;
    let receipts = String::from_utf8_lossy(&receipts.stdout).into_owned();
    ensure!(
        receipts.contains("cgt-2") && !receipts.contains("cgt-1"),
        "{receipts}"
    );

    let output = erase(&environment, &["--user", "user-7", "--confirm"]).await?;
    ensure!(output.status.success(), "{output:?}");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        stdout.contains("erased 1 task: deleted 2 objects"),
        "{stdout}"
    );
    ensure!(stderr(&output).contains("1 other object in"), "{output:?}");
    ensure!(archive.files("cgt-1")? == names(["erased.json", "poster.png"]));
    ensure!(archive.files("cgt-2")? == names(["manifest.json", "video.mp4"]));
    let kept = std::fs::read_to_string(archive.0.path().join("default/cgt-1/erased.json"))?;
    ensure!(kept == tombstone, "the tombstone was replaced: {kept}");
    Ok(())
}
register!(an_interrupted_erasure_is_completed);

async fn a_receipt_that_cannot_be_read_may_be_the_users(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = LocalArchive::new()?;
    let url = archive.url();
    let environment = [("SEEDANCE_ARCHIVE_URL", url.as_str())];
    archive.add("cgt-1", "user-7")?;
    archive.write("cgt-2", "manifest.json", "{\"task_id\": \"cgt-2\"")?;
    archive.add("cgt-3", "user-7")?;
    // Nobody's, also without a record: a receipt of this version names the user if there is one.
    archive.add("cgt-4", "")?;
    let output = erase(&environment, &["--user", "user-7", "--confirm"]).await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    let errors = stderr(&output);
    ensure!(
        errors.contains("error: default/cgt-2/manifest.json is not a receipt"),
        "{errors}"
    );
    ensure!(
        errors.contains("1 receipt could not be read, and may be this user's"),
        "{errors}"
    );
    for id in ["cgt-1", "cgt-3"] {
        ensure!(archive.files(id)? == names(["erased.json"]), "{id}");
    }
    ensure!(archive.files("cgt-2")? == names(["manifest.json"]));
    ensure!(archive.files("cgt-4")? == names(["manifest.json", "video.mp4"]));
    Ok(())
}
register!(a_receipt_that_cannot_be_read_may_be_the_users);

async fn a_user_without_an_exact_id_is_refused(_: Arc<Server>) -> anyhow::Result<()> {
    let archive = LocalArchive::new()?;
    let url = archive.url();
    let environment = [("SEEDANCE_ARCHIVE_URL", url.as_str())];
    archive.add("cgt-1", "")?;
    let long = "x".repeat(65_536);
    archive.add("cgt-2", &long[..400])?;
    for (arguments, code, problem) in [
        (&["--user", ""][..], 1, "--user is empty"),
        (&["--user", &long], 1, "--user has 65536 characters"),
        (&["--user", "user-7", "--account", "a/b"], 1, "--account "),
        (&[], 2, "--user <ID>"),
    ] {
        let output = erase(&environment, &[arguments, &["--confirm"]].concat()).await?;
        ensure!(output.status.code() == Some(code), "{output:?}");
        let errors = stderr(&output);
        ensure!(errors.contains(problem) && errors.len() < 2_000, "{errors}");
    }
    for id in ["cgt-1", "cgt-2"] {
        ensure!(archive.files(id)? == names(["manifest.json", "video.mp4"]));
    }
    Ok(())
}
register!(a_user_without_an_exact_id_is_refused);

/// As with an object that a retention policy or a legal hold protects.
async fn a_task_that_cannot_be_erased_does_not_end_the_others(
    _: Arc<Server>,
) -> anyhow::Result<()> {
    let proxied = ProxiedBucket::start("videos").await?;
    let (bucket, proxy) = (&proxied.bucket, &proxied.proxy);
    let environment = proxied.environment();
    for id in ["a", "locked", "z"] {
        for (name, text) in [
            ("manifest.json", receipt(id, USER)?),
            ("video.mp4", "video".into()),
        ] {
            let key = Key::from(format!("team-a/default/{id}/{name}"));
            bucket.store.put(&key, text.into()).await?;
        }
    }
    proxy.set("default/locked/", Dialect::DeniesDelete);
    let arguments = ["--user", USER, "--confirm"];
    let (code, document) = erase_json(&environment, &arguments).await?;
    ensure!(
        code == Some(1) && document["is_complete"] == false,
        "{document}"
    );
    let errors = document["errors"].as_array().context("no errors")?;
    let error = errors.first().and_then(Value::as_str).unwrap_or_default();
    ensure!(errors.len() == 1, "{document}");
    ensure!(
        error.starts_with("cannot erase locked: ") && error.contains("403"),
        "{error}"
    );
    ensure!(document["objects"] == 4, "{document}");
    let keys = bucket.keys().await?;
    let expected = [
        "team-a/default/a/erased.json",
        "team-a/default/locked/erased.json",
        "team-a/default/locked/manifest.json",
        "team-a/default/locked/video.mp4",
        "team-a/default/z/erased.json",
    ];
    ensure!(keys == expected, "{keys:?}");

    proxy.set("default/locked/", Dialect::None);
    let (code, document) = erase_json(&environment, &arguments).await?;
    ensure!(code == Some(0) && document["objects"] == 2, "{document}");
    ensure!(document["tasks"][0]["is_interrupted"] == true, "{document}");
    let keys = bucket.keys().await?;
    ensure!(
        keys.len() == 3 && keys.iter().all(|it| it.ends_with("/erased.json")),
        "{keys:?}"
    );
    Ok(())
}
register!(
    a_task_that_cannot_be_erased_does_not_end_the_others,
    needs = [minio]
);
