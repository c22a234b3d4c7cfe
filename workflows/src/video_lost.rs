//! The failure `VideoLost`.

use seedance_archiver_proto::{
    external,
    names::failure::VIDEO_LOST,
    v1::{GenerateVideoResult, VideoTaskLifecycleResult},
};
use temporalio_common::error::ApplicationFailure;

use crate::{encoding::ContractMessage, reply::Reply};

/// Returns the failure of a lifecycle whose video is lost, with the result in its details.
pub fn failure(result: Reply<VideoTaskLifecycleResult>) -> ApplicationFailure {
    let VideoTaskLifecycleResult {
        reason, message, ..
    } = result.message();
    let message = format!("{reason}: {message}");
    with_details(&message, result)
}

/// Returns the failure of `GenerateVideo` whose video is lost, with the result in its details.
pub(crate) fn failure_of_generation(result: Reply<GenerateVideoResult>) -> ApplicationFailure {
    let GenerateVideoResult {
        reason, message, ..
    } = result.message();
    let message = format!("{reason}: {message}");
    with_details(&message, result)
}

fn with_details<T: ContractMessage + 'static>(
    message: &str,
    result: Reply<T>,
) -> ApplicationFailure {
    ApplicationFailure::builder(external::message(message))
        .type_name(VIDEO_LOST.to_owned())
        .non_retryable(true)
        .details(result)
        .build()
}
