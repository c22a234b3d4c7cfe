//! The events, as CloudEvents.
//!
//! An event reports that a task reached an outcome. Its id follows from the account, the task, the outcome and the receipt, so
//! that two attempts, and two lifecycles of one task, make the same event.

use jiff::Timestamp;
use seedance_archiver_proto::{
    names, outcome,
    v1::{ArchivedObject, Manifest, OutcomeRecord, VideoEvent, VideoEventData, VideoTask},
};
use sha2::{Digest, Sha256};

/// Number of bytes of a digest in an id: as many as in a UUID.
const ID_BYTES: usize = 16;

/// Returns the event that a video is archived.
pub(crate) fn archived(manifest: &Manifest) -> VideoEvent {
    let data = VideoEventData {
        task_id: manifest.task_id.clone(),
        account: names::account_or_default(&manifest.account).to_owned(),
        model: manifest.model.clone(),
        outcome: outcome::ARCHIVED.to_owned(),
        manifest_url: manifest.manifest_url.clone(),
        objects: manifest.objects.iter().map(without_checks).collect(),
        task_created_at: manifest.task_created_at,
        task_updated_at: manifest.task_updated_at,
        ..VideoEventData::default()
    };
    event(data, manifest.archived_at)
}

/// Returns the event that a task reached an outcome without a video, or that its video is archived already. `task` is its
/// last record. Returns `None` if the outcome is that of a request without a valid task id.
pub(crate) fn ended(record: &OutcomeRecord, task: Option<&VideoTask>) -> Option<VideoEvent> {
    if let Some(manifest) = &record.manifest {
        return Some(archived(manifest));
    }
    if record.task_id.is_empty() {
        return None;
    }
    let data = VideoEventData {
        task_id: record.task_id.clone(),
        account: record.account.clone(),
        model: task.map_or_else(String::new, |task| task.model.clone()),
        outcome: record.outcome.clone(),
        reason: record.reason.clone(),
        outcome_url: record.outcome_url.clone(),
        task_created_at: task.map_or(0, |task| task.created_at),
        task_updated_at: task.map_or(0, |task| task.updated_at),
        ..VideoEventData::default()
    };
    Some(event(data, record.ended_at))
}

/// Returns the event with this data. `at` is when the task reached the outcome, in Unix seconds.
fn event(data: VideoEventData, at: i64) -> VideoEvent {
    VideoEvent {
        specversion: "1.0".to_owned(),
        id: id(&data),
        source: format!("/seedance-archiver/accounts/{}", data.account),
        r#type: format!("seedance-archiver.video.{}", data.outcome),
        subject: data.task_id.clone(),
        time: Timestamp::from_second(at)
            .unwrap_or(Timestamp::UNIX_EPOCH)
            .to_string(),
        datacontenttype: "application/json".to_owned(),
        data: Some(data),
    }
}

/// Returns the id: letters and digits, which need no escaping in a header, and no `.`, which ends the id in what is signed.
fn id(data: &VideoEventData) -> String {
    let mut digest = Sha256::new();
    for part in [
        &data.account,
        &data.task_id,
        &data.outcome,
        &data.manifest_url,
    ] {
        digest.update(part);
        digest.update([0]);
    }
    let digest = digest.finalize();
    hex::encode(digest.get(..ID_BYTES).unwrap_or(&digest))
}

/// Returns an object without what only the receipt needs.
fn without_checks(object: &ArchivedObject) -> ArchivedObject {
    ArchivedObject {
        checks: Vec::new(),
        has_c2pa_manifest: None,
        ..object.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(url: &str) -> Manifest {
        Manifest {
            task_id: "cgt-1".to_owned(),
            account: "eu".to_owned(),
            manifest_url: url.to_owned(),
            archived_at: 1_787_898_431,
            ..Manifest::default()
        }
    }

    fn record(outcome: &str, reason: &str) -> OutcomeRecord {
        OutcomeRecord {
            task_id: "cgt-1".to_owned(),
            account: "eu".to_owned(),
            outcome: outcome.to_owned(),
            reason: reason.to_owned(),
            ended_at: 1_787_898_431,
            ..OutcomeRecord::default()
        }
    }

    #[test]
    fn an_event_has_the_attributes_of_cloudevents() {
        let event = archived(&manifest("s3://bucket/cgt-1/manifest.json"));
        assert_eq!(event.specversion, "1.0");
        assert_eq!(event.source, "/seedance-archiver/accounts/eu");
        assert_eq!(event.r#type, "seedance-archiver.video.archived");
        assert_eq!(event.subject, "cgt-1");
        assert_eq!(event.time, "2026-08-28T06:27:11Z");
        assert!(event.id.len() == 32 && event.id.bytes().all(|it| it.is_ascii_hexdigit()));
    }

    #[test]
    fn an_outcome_of_a_task_is_one_event_whenever_it_is_reached() {
        let lost = |reason, at| {
            let record = OutcomeRecord {
                ended_at: at,
                ..record("lost", reason)
            };
            ended(&record, None).unwrap().id
        };
        assert_eq!(lost("url_expired", 1), lost("record_vanished", 2));
        let other_outcome = ended(&record("unknown", ""), None).unwrap().id;
        assert_ne!(other_outcome, lost("url_expired", 1));
        let other_account = OutcomeRecord {
            account: "us".to_owned(),
            ..record("lost", "")
        };
        assert_ne!(ended(&other_account, None).unwrap().id, lost("", 1));
    }

    #[test]
    fn a_video_in_two_archives_is_two_events() {
        let id = |url| archived(&manifest(url)).id;
        assert_eq!(id("s3://a/manifest.json"), id("s3://a/manifest.json"));
        assert_ne!(id("s3://a/manifest.json"), id("s3://b/manifest.json"));
    }

    #[test]
    fn a_video_that_was_archived_already_is_reported_by_its_receipt() {
        let manifest = manifest("s3://a/manifest.json");
        let record = OutcomeRecord {
            manifest: Some(manifest.clone()),
            ..record("archived", "")
        };
        assert_eq!(ended(&record, None), Some(archived(&manifest)));
    }

    #[test]
    fn a_request_without_a_task_id_has_no_event() {
        let record = OutcomeRecord {
            task_id: String::new(),
            ..record("unknown", "invalid_request")
        };
        assert_eq!(ended(&record, None), None);
    }
}
