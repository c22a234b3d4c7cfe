//! The failure `VideoLost`.

use seedance_archiver_proto::{external, names::failure::VIDEO_LOST, v1::VideoTaskLifecycleResult};
use temporalio_common::error::ApplicationFailure;

use crate::reply::Reply;

/// Returns the failure of a lifecycle whose video is lost, with the result in its details.
pub fn failure(result: Reply<VideoTaskLifecycleResult>) -> ApplicationFailure {
    let message = {
        let result = result.message();
        format!("{}: {}", result.reason, result.message)
    };
    ApplicationFailure::builder(external::message(&message))
        .type_name(VIDEO_LOST.to_owned())
        .non_retryable(true)
        .details(result)
        .build()
}
