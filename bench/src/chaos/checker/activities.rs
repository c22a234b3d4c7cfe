//! Secrets in what pending activities said.

use super::{Row, secrets::Finder};
use crate::chaos::pending::Said;

/// A run always has activities that wait: without one, the search would show nothing.
pub(super) fn check(said: &Said, secrets: &Finder) -> [Row; 2] {
    let found = said.iter().filter_map(|(text, workflow_id)| {
        let secret = secrets.find(text)?;
        Some(format!("`{secret}` in {workflow_id}"))
    });
    let mut findings: Vec<_> = found.collect();
    if said.is_empty() {
        findings.push("no heartbeat and no failure was read".to_owned());
    }
    [
        Row::none_of("secrets in pending activities", findings),
        Row::of(
            "heartbeats and failures of pending activities that were read",
            said.len() as u64,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use temporalio_common::protos::temporal::api::{
        common::v1::{Payload, Payloads},
        failure::v1::Failure,
        workflow::v1::PendingActivityInfo,
    };

    use super::*;
    use crate::chaos::{pending::said_by, world::AllSecrets};

    const KEY: &str = "called-first-key-0000000000000007-chaos";

    /// Returns an activity whose heartbeat and last failure have these texts.
    fn activity(heartbeat: &str, failure: &str) -> PendingActivityInfo {
        let payload = Payload {
            data: heartbeat.as_bytes().to_vec(),
            ..Payload::default()
        };
        PendingActivityInfo {
            heartbeat_details: Some(Payloads {
                payloads: vec![payload],
            }),
            last_failure: Some(Failure {
                message: failure.to_owned(),
                ..Failure::default()
            }),
            ..PendingActivityInfo::default()
        }
    }

    fn counts(activities: &[PendingActivityInfo]) -> [u64; 2] {
        let said = activities.iter().flat_map(said_by);
        let said = said.map(|text| (text, "video-task/called/cgt-1".to_owned()));
        let secrets = Finder::new(AllSecrets {
            words: vec![KEY.to_owned()],
            ..AllSecrets::default()
        });
        check(&said.collect(), &secrets).map(|row| row.count)
    }

    #[test]
    fn a_key_in_a_heartbeat_or_a_failure_is_found() {
        let encoded = BASE64_STANDARD.encode(format!("key {KEY}"));
        assert_eq!(counts(&[activity("{}", "queued")]), [0, 2]);
        for text in [KEY, encoded.as_str()] {
            assert_eq!(counts(&[activity(text, "queued")]), [1, 2], "{text}");
            assert_eq!(counts(&[activity("{}", text)]), [1, 2], "{text}");
            let activities = [activity("{}", "queued"), activity(text, text)];
            assert_eq!(counts(&activities), [2, 4], "{text}");
        }
    }

    #[test]
    fn what_is_said_again_counts_once_and_nothing_at_all_is_found() {
        let activity = activity("{}", "queued");
        assert_eq!(counts(&[activity.clone(), activity]), [0, 2]);
        assert_eq!(counts(&[PendingActivityInfo::default()]), [1, 0]);
        assert_eq!(counts(&[]), [1, 0]);
    }
}
