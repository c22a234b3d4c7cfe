//! Archivals that find an object that is no receipt under the key of one, and fail at the k-th operation, for every k. A
//! receipt replaces the object, which is never lost.

use sha2::{Digest, Sha256};

use crate::{
    FAILURES, MAX_OPERATIONS,
    failing_store::FailingStore,
    fixture::{End, Fixture, resources},
};

const INVALID: &[u8] = b"{}";

#[tokio::test]
async fn an_invalid_receipt_is_preserved_whatever_fails() {
    let resources = resources();
    let sha256 = hex::encode(Sha256::digest(INVALID));
    let copy = format!("manifest.json.invalid-{}", &sha256[..8]);
    for mode in FAILURES {
        let mut operations = 0;
        for k in 0..MAX_OPERATIONS {
            let fixture = Fixture::new(true, &resources).await;
            fixture.put("manifest.json", INVALID).await;
            let store = FailingStore::at(&fixture.memory, k, mode);
            let end = fixture.archive(store.clone(), &Fixture::fresh()).await;
            let at = format!("{mode:?} operation {k}: {end:?}");
            let never = FailingStore::never(&fixture.memory);
            let again = fixture.archive(never, &Fixture::fresh()).await;
            assert!(matches!(again, End::Archived(_)), "{at}: {again:?}");
            let keys = fixture.keys().await;
            let names: Vec<_> = keys
                .iter()
                .filter_map(|key| key.rsplit('/').next())
                .collect();
            let expected = ["manifest.json", &copy, "task.json", "video.mp4"];
            assert_eq!(names, expected, "{at}");
            assert_eq!(fixture.read(&copy).await, INVALID, "{at}");
            let findings = fixture.findings().await;
            assert!(findings.is_empty(), "{at}: {findings:?}");
            if !store.has_failed() {
                operations = k;
                break;
            }
        }
        assert!(operations > 10, "{mode:?}: {operations} operations");
    }
}
