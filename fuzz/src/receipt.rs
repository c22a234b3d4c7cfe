//! A receipt, and what is under its key in its place.

use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{ObjectStoreExt, memory::InMemory, path::Path};
use seedance_archiver_archive::{Archive, Error, KeyTemplate, Layout, audit, receipt};
use seedance_archiver_proto::v1::{ArchivedObject, Manifest, VideoTask};

use crate::loopback;

const TASK_ID: &str = "cgt-1";

/// A receipt that is written reads back equal. Writing one never replaces a valid receipt, preserves what is no receipt,
/// and afterwards the task is archived. An audit reads any object.
pub fn check(input: &[u8]) {
    loopback::run(check_object(Bytes::copy_from_slice(input)));
}

async fn check_object(object: Bytes) {
    let store = Arc::new(InMemory::new());
    let archive = Archive::from_store("memory:///".parse().unwrap(), store);
    let layout = layout();
    let key = layout.manifest();
    archive
        .store
        .put(&key, object.clone().into())
        .await
        .unwrap();
    audit(&archive).await;
    let found = receipt::find(&archive, &key).await;
    let written = receipt::write(&archive, &layout, manifest()).await;
    let stored = archive
        .store
        .get(&key)
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    match found {
        Ok(found) => {
            let found = found.expect("there is an object");
            assert_eq!(stored, object, "a valid receipt was replaced");
            match written {
                Ok(existing) => {
                    assert_eq!((&existing, existing.task_id.as_str()), (&found, TASK_ID))
                }
                Err(error) => assert!(matches!(error, Error::OtherReceipt { .. }), "{error}"),
            }
            check_written(found).await;
        }
        Err(error) => {
            assert!(matches!(error, Error::InvalidRecord(_)), "{error}");
            let written = written.expect("an object that is no receipt is replaced");
            assert_eq!(
                receipt::find(&archive, &key).await.unwrap().as_ref(),
                Some(&written)
            );
            assert!(receipt::is_archived(&archive, &layout).await.unwrap());
            check_preserved(&archive, &object).await;
        }
    }
    audit(&archive).await;
}

fn layout() -> Layout {
    let task = VideoTask {
        id: TASK_ID.into(),
        ..VideoTask::default()
    };
    Layout::new(&Path::default(), &KeyTemplate::default(), "", &task)
}

fn manifest() -> Manifest {
    Manifest {
        task_id: TASK_ID.into(),
        objects: vec![ArchivedObject {
            name: "video.mp4".into(),
            ..ArchivedObject::default()
        }],
        ..Manifest::default()
    }
}

/// Writes a receipt into an empty archive.
async fn check_written(manifest: Manifest) {
    let archive = Archive::from_store("memory:///".parse().unwrap(), Arc::new(InMemory::new()));
    let task = VideoTask {
        id: manifest.task_id.clone(),
        ..VideoTask::default()
    };
    let layout = Layout::new(&archive.root, &KeyTemplate::default(), "", &task);
    let written = receipt::write(&archive, &layout, manifest.clone())
        .await
        .unwrap();
    assert_eq!(written, manifest);
    let found = receipt::find_of_task(&archive, &layout).await.unwrap();
    assert_eq!(found, Some(manifest));
}

async fn check_preserved(archive: &Archive, object: &Bytes) {
    let objects: Vec<_> = archive.store.list(None).try_collect().await.unwrap();
    let is_copy = |key: &Path| key.as_ref().contains(".invalid-");
    let copy = objects.into_iter().map(|meta| meta.location).find(is_copy);
    let copy = archive.store.get(&copy.expect("a copy")).await.unwrap();
    assert_eq!(copy.bytes().await.unwrap(), object);
}

/// Verifies the archive, with all bytes. Findings are no errors.
async fn audit(archive: &Archive) {
    let verified = audit::verify(archive, None, true);
    verified.try_for_each(|_| async { Ok(()) }).await.unwrap();
}

/// Returns receipts, and documents that are none.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut receipt = manifest();
    receipt.seed = Some(-1);
    receipt.warnings = vec!["no last_frame: é\u{0}".into()];
    let mut other = receipt.clone();
    other.task_id = "cgt-2/..".into();
    let mut seeds: Vec<_> = [&receipt, &other]
        .map(|it| serde_json::to_vec_pretty(it).unwrap())
        .to_vec();
    seeds.push(b"{\"task_id\": \"cgt-1\", \"objects\": [{\"name\": \"../../x\", \"sha256\": \"0\", \"size_bytes\": \"-1\"}]}".to_vec());
    seeds.push(b"{\"task_id\": \"cgt-1\", \"objects\": [{\"name\": \"task.json\"}]}".to_vec());
    seeds.push(b"{\"task_id\": \"cgt-1\"".to_vec());
    seeds.push(Vec::new());
    seeds
}
