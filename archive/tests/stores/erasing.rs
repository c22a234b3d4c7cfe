//! Erases tasks.

use anyhow::{Context, bail, ensure};
use futures::TryStreamExt;
use object_store::{ObjectStoreExt, PutPayload, path::Path};
use seedance_archiver_archive::{
    Error, KeyTemplate,
    audit::{self, StoredReceipt},
    erasure::Erasure,
    lookup::{self, Ending, TaskId},
    receipt::{self, Tombstone},
};
use uuid::Uuid;

use crate::{
    fixture::{Fixture, PADDINGS, SMALL},
    host::Host,
    registry::register,
    s3_proxy::Dialect,
    servers::set_dialect,
    store::Store,
};

fn is_s3(store: Store) -> bool {
    store == Store::S3
}

fn has_no_upload_ids(store: Store) -> bool {
    store == Store::File
}

/// Size of a part, the smallest that S3 accepts.
const PART: usize = 5 << 20;

async fn everything_of_a_task_is_deleted_and_nothing_else(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    let store = fixture.archive.store.clone();
    for (id, padding) in ["cgt-small", "cgt-large"].into_iter().zip(PADDINGS) {
        let host = Host::start(padding).await?;
        fixture.set_task(&format!("{id}-2"));
        let other = fixture.archive_video(&host).await?;
        fixture.set_task(id);
        fixture.archive_video(&host).await?;
        let layout = fixture.layout();
        let own = [
            "outcome.json",
            "manifest.json.invalid-0083af14",
            "video.mov",
        ];
        // A key template may put the directory of another task into this one.
        let others = [
            "poster.png",
            "video.notes.txt",
            "cgt-2/manifest.json",
            "cgt-2/video.mp4",
        ];
        for name in own.into_iter().chain(others) {
            let key = directory(&layout.manifest());
            let key: Path = key.parts().chain(Path::from(name).parts()).collect();
            store.put(&key, "{}".into()).await?;
        }
        let staged = stage(&fixture, id).await?;
        let staged_by_other = stage(&fixture, &format!("{id}-2")).await?;

        let remains = Erasure::new(&fixture.archive, &find(&fixture).await?)
            .run(&tombstone(id))
            .await?;
        ensure!(remains.len() == 7 && remains.others == 2, "{remains:?}");
        ensure!(remains.bytes() > u64::from(padding), "{remains:?}");
        let mut expected = vec!["erased.json", "manifest.json", "poster.png", "video.mp4"];
        expected.push("video.notes.txt");
        let names = fixture.names().await?;
        ensure!(names == expected, "{names:?}");
        let own_receipt = store.head(&layout.manifest()).await;
        ensure!(own_receipt.is_err(), "{own_receipt:?}");
        ensure!(store.head(&staged).await.is_err(), "{staged}");
        store.delete(&staged_by_other).await?;
        fixture.set_task(&format!("{id}-2"));
        fixture.assert_archived(&other, &host).await?;
    }
    Ok(())
}
register!(everything_of_a_task_is_deleted_and_nothing_else);

async fn an_erased_task_is_archived_again_only_without_its_tombstone(
    fixture: Fixture,
) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    fixture.archive_video(&host).await?;
    let receipt = find(&fixture).await?;
    let erasure = Erasure::new(&fixture.archive, &receipt);
    erasure.run(&tombstone("cgt-1")).await?;
    ensure!(erasure.run(&tombstone("cgt-1")).await?.is_empty());
    match fixture.archive_video(&host).await {
        Err(error @ Error::Erased { .. }) => ensure!(
            error
                .to_string()
                .starts_with("the task was erased at 2025-07-18 "),
            "{error}"
        ),
        other => bail!("{other:?}"),
    }
    ensure!(fixture.names().await? == ["erased.json"]);
    let task = TaskId {
        account: "default",
        id: "cgt-1",
        created_at: None,
    };
    let template: KeyTemplate = "{account}/2025/07/18/{task_id}".parse()?;
    let found = lookup::find(&fixture.archive, &template, task).await?;
    ensure!(
        found == Some(Ending::Erased(tombstone("cgt-1"))),
        "{found:?}"
    );

    let layout = fixture.layout();
    fixture.archive.store.delete(&layout.tombstone()).await?;
    let manifest = fixture.archive_video(&host).await?;
    fixture.assert_archived(&manifest, &host).await
}
register!(an_erased_task_is_archived_again_only_without_its_tombstone);

async fn an_object_that_is_no_tombstone_of_the_task_erases_nothing(
    mut fixture: Fixture,
) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    let others = [
        "{",
        "{}",
        "[]",
        r#"{"task_id": "cgt-2"}"#,
        r#"{"task_id": ""}"#,
    ];
    for (number, other) in others.into_iter().enumerate() {
        fixture.set_task(&format!("cgt-other-{number}"));
        let layout = fixture.layout();
        let store = &fixture.archive.store;
        store.put(&layout.tombstone(), other.into()).await?;
        fixture.archive_video(&host).await?;
        let receipt = find(&fixture).await?;
        let erased = Erasure::new(&fixture.archive, &receipt)
            .run(&tombstone(&fixture.task.id))
            .await;
        let error = erased.err().context("the task was erased")?;
        ensure!(
            error.to_string().contains("is not a tombstone of task"),
            "{error}"
        );
        let names = fixture.names().await?;
        let expected = ["erased.json", "manifest.json", "task.json", "video.mp4"];
        ensure!(names == expected, "{other}: {names:?}");
        let found = findings(&fixture).await?;
        ensure!(
            found.iter().all(|it| it.contains("is not a tombstone")),
            "{found:?}"
        );
        ensure!(found.len() == number + 1, "{found:?}");
    }
    Ok(())
}
register!(an_object_that_is_no_tombstone_of_the_task_erases_nothing);

/// The receipt stays, so that the next erasure finds the task.
async fn an_erasure_without_permission_to_delete_is_reported_as_interrupted(
    fixture: Fixture,
) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    fixture.archive_video(&host).await?;
    for dialect in [Dialect::DeniesDelete, Dialect::DeniesListUploads] {
        set_dialect(fixture.prefix, dialect).await?;
        let receipt = find(&fixture).await?;
        let erased = Erasure::new(&fixture.archive, &receipt)
            .run(&tombstone("cgt-1"))
            .await;
        let error = erased.err().context("the task was erased")?.to_string();
        ensure!(error.contains("403"), "{error}");
        set_dialect(fixture.prefix, Dialect::None).await?;
        ensure!(fixture.names().await?.contains(&"manifest.json".to_owned()));
        let found = findings(&fixture).await?;
        ensure!(
            found.len() == 1 && found[0].contains("interrupted"),
            "{found:?}"
        );
    }
    let receipt = find(&fixture).await?;
    ensure!(receipt.is_erased, "{receipt:?}");
    let erasure = Erasure::new(&fixture.archive, &receipt);
    erasure.run(&tombstone("cgt-1")).await?;
    ensure!(fixture.names().await? == ["erased.json"]);
    ensure!(findings(&fixture).await?.is_empty());
    Ok(())
}
register!(
    an_erasure_without_permission_to_delete_is_reported_as_interrupted,
    is_s3
);

async fn an_incomplete_upload_of_the_task_is_aborted(fixture: Fixture) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    fixture.archive_video(&host).await?;
    let store = fixture.archive.store.clone();
    let mut upload = store.put_multipart(&fixture.video_key()).await?;
    upload.put_part(PutPayload::from(vec![0; PART])).await?;
    drop(upload);
    ensure!(
        fixture.assert_no_leftovers().await.is_err(),
        "there is no upload"
    );
    let receipt = find(&fixture).await?;
    let erasure = Erasure::new(&fixture.archive, &receipt);
    erasure.run(&tombstone("cgt-1")).await?;
    fixture.assert_no_leftovers().await
}
register!(an_incomplete_upload_of_the_task_is_aborted, is_s3);

async fn the_files_of_incomplete_writes_of_the_task_are_deleted(
    fixture: Fixture,
) -> anyhow::Result<()> {
    let host = Host::start(SMALL).await?;
    fixture.archive_video(&host).await?;
    let mut files = Vec::new();
    for id in ["cgt-1", "cgt-12", "cgt"] {
        let attempt = format!(".staging/{id}-{}", Uuid::new_v4());
        let directory = fixture
            .archive
            .directory()
            .context("not local")?
            .join(attempt);
        std::fs::create_dir_all(&directory)?;
        let file = directory.join("video#1");
        std::fs::write(&file, "part")?;
        files.push(file);
    }
    // A process that is killed while it writes an object leaves a file beside it.
    let root = fixture.archive.directory().context("not local")?;
    let task = root.join(directory(&fixture.layout().manifest()).to_string());
    for name in [
        "video.mp4#1",
        "task.json#1",
        "manifest.json#12",
        "notes.txt#1",
    ] {
        let file = task.join(name);
        std::fs::write(&file, "bytes")?;
        files.push(file);
    }
    let receipt = find(&fixture).await?;
    let erasure = Erasure::new(&fixture.archive, &receipt);
    erasure.run(&tombstone("cgt-1")).await?;
    let exist: Vec<_> = files.iter().map(|file| file.exists()).collect();
    let expected = [false, true, true, false, false, false, true];
    ensure!(exist == expected, "{exist:?}");
    Ok(())
}
register!(
    the_files_of_incomplete_writes_of_the_task_are_deleted,
    has_no_upload_ids
);

/// Returns the receipt of the fixture's task.
async fn find(fixture: &Fixture) -> anyhow::Result<StoredReceipt> {
    let receipts: Vec<_> = audit::read_receipts(&fixture.archive, None)
        .try_filter_map(async |read| Ok(read.ok()))
        .try_collect()
        .await?;
    let key = fixture.layout().manifest();
    let mut receipts = receipts.into_iter();
    receipts.find(|it| it.key == key).context("no receipt")
}

/// Returns the problems of the receipts.
async fn findings(fixture: &Fixture) -> anyhow::Result<Vec<String>> {
    let verified = audit::verify(&fixture.archive, None, true);
    let verified: Vec<_> = verified.try_collect().await?;
    let findings = verified.into_iter().flat_map(|it| it.findings);
    Ok(findings.map(|it| it.problem).collect())
}

/// Stages an object of a task.
async fn stage(fixture: &Fixture, task_id: &str) -> anyhow::Result<Path> {
    let name = format!(".staging/{task_id}-{}/video", Uuid::new_v4());
    let root = fixture.archive.root.clone();
    let key: Path = root.parts().chain(Path::from(name).parts()).collect();
    fixture.archive.store.put(&key, "{}".into()).await?;
    Ok(key)
}

fn directory(receipt: &Path) -> Path {
    let beside = receipt::beside(receipt, "x");
    let mut parts: Vec<_> = beside.parts().collect();
    parts.pop();
    parts.into_iter().collect()
}

fn tombstone(task_id: &str) -> Tombstone {
    Tombstone {
        task_id: task_id.to_owned(),
        account: "default".to_owned(),
        erased_at: 1_752_850_200,
        archiver_version: "0.2.0".to_owned(),
    }
}
