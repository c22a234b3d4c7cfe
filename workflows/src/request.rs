//! Requests as callers send them, and their validation.
//!
//! A request that cannot be decoded must fail the workflow with an error that names the field. The SDK would
//! fail the workflow task instead, and retry it forever.

use seedance_archiver_policy::audits::Share;
use seedance_archiver_proto::{
    account, destination, submission_id,
    sweep_page::MAX_PAGE_NUM,
    task_id,
    v1::{
        AccountWatcherRequest, ArchiveVideoRequest, AuditArchiveRequest, AuditShareRequest,
        AwaitVideoTaskRequest, CancelVideoTaskRequest, CreateVideoTaskRequest, DeliverEventRequest,
        FindSubmittedTaskRequest, GenerateVideoRequest, GetVideoTaskRequest, QueryVideoTaskRequest,
        RecordOutcomeRequest, SubmissionCreated, SweepPage, SweepVideoTaskPageRequest,
        SweepVideoTasksRequest, VideoTaskLifecycleRequest, VideoTaskSubmissionRequest,
        WatchAccountRequest,
    },
};
use temporalio_common::{
    data_converters::{
        PayloadConversionError, SerializationContext, TemporalDeserializable, TemporalSerializable,
    },
    protos::temporal::api::common::v1::Payload,
};

use crate::{
    create_request::CreateBody,
    encoding::{self, ContractMessage, Encoding},
    invalid_request::InvalidRequest,
};

/// The input of an activity or workflow: a message, or the reason why it cannot be decoded.
#[derive(Clone, Debug)]
pub struct Request<T> {
    message: Result<T, InvalidRequest>,
    encoding: Encoding,
}

impl<T> Request<T> {
    /// Returns a request in this encoding.
    pub fn new(message: T, encoding: Encoding) -> Self {
        Self {
            message: Ok(message),
            encoding,
        }
    }

    /// Returns the encoding of the request, in which its result is returned.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }
}

impl Request<VideoTaskLifecycleRequest> {
    /// Returns the account of the request, empty if the request has none or an invalid one.
    pub(crate) fn account(&self) -> String {
        let account = self.message.as_ref().map(|message| &message.account);
        let valid = account
            .ok()
            .filter(|account| check_account(account).is_ok());
        valid.cloned().unwrap_or_default()
    }
}

impl<T: Check> Request<T> {
    /// Returns the message if it is valid.
    ///
    /// # Errors
    ///
    /// Returns an error if the message could not be decoded, or a field is invalid. The error is that of the
    /// first invalid field.
    pub fn check(self) -> Result<T, InvalidRequest> {
        let message = self.message?;
        message.check()?;
        Ok(message)
    }
}

impl<T> From<T> for Request<T> {
    fn from(message: T) -> Self {
        Self::new(message, Encoding::default())
    }
}

impl<T: ContractMessage> TemporalSerializable for Request<T> {
    fn to_payload(&self, _: &SerializationContext<'_>) -> Result<Payload, PayloadConversionError> {
        match &self.message {
            Ok(message) => self.encoding.encode(message),
            Err(error) => Err(PayloadConversionError::EncodingError(error.clone().into())),
        }
    }
}

impl<T: ContractMessage> TemporalDeserializable for Request<T> {
    fn from_payload(
        context: &SerializationContext<'_>,
        payload: Payload,
    ) -> Result<Self, PayloadConversionError> {
        Self::from_payloads(context, vec![payload])
    }

    fn from_payloads(
        _: &SerializationContext<'_>,
        payloads: Vec<Payload>,
    ) -> Result<Self, PayloadConversionError> {
        let message = match payloads.as_slice() {
            [payload] => encoding::decode(payload),
            others => Err(InvalidRequest::new(
                "input",
                format!("must be one argument, not {}", others.len()),
            )),
        };
        let encoding = payloads
            .first()
            .and_then(Encoding::from_payload)
            .unwrap_or_default();
        Ok(Self { message, encoding })
    }
}

/// Validation beyond the types of the fields.
pub trait Check {
    /// Checks the fields.
    ///
    /// # Errors
    ///
    /// Returns an error if a field is invalid. The error is that of the first one.
    fn check(&self) -> Result<(), InvalidRequest>;
}

impl Check for QueryVideoTaskRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        check_task_id("task_id", &self.task_id)?;
        check_account(&self.account)
    }
}

impl Check for CancelVideoTaskRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        check_task_id("task_id", &self.task_id)?;
        check_account(&self.account)
    }
}

impl Check for GenerateVideoRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        CreateBody::parse(&self.request)?;
        check_submission_id(&self.submission_id)?;
        check_destination(&self.destination)?;
        check_account(&self.account)
    }
}

impl Check for CreateVideoTaskRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        CreateBody::parse(&self.request)?;
        check_submission_id(&self.submission_id)?;
        check_destination(&self.destination)?;
        check_account(&self.account)
    }
}

impl Check for VideoTaskSubmissionRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        check_account(&self.account)
    }
}

impl Check for FindSubmittedTaskRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        let submitted_at = self.submitted.as_ref().map_or(0, |it| it.submitted_at);
        if submitted_at <= 0 {
            return Err(InvalidRequest::new("submitted.submitted_at", "is missing"));
        }
        check_submission_id(&self.submission_id)?;
        check_account(&self.account)
    }
}

impl Check for SubmissionCreated {
    fn check(&self) -> Result<(), InvalidRequest> {
        check_task_id("task_id", &self.task_id)
    }
}

impl Check for VideoTaskLifecycleRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        check_task_id("task_id", &self.task_id)?;
        check_account(&self.account)
    }
}

impl Check for AwaitVideoTaskRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        check_task_id("task_id", &self.task_id)?;
        check_destination(&self.destination)?;
        check_account(&self.account)
    }
}

impl Check for GetVideoTaskRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        check_task_id("task_id", &self.task_id)?;
        check_account(&self.account)
    }
}

impl Check for ArchiveVideoRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        let task = self.task.as_ref().ok_or_else(|| {
            InvalidRequest::new(
                "task",
                "is missing; set it to the result of `QueryVideoTask`",
            )
        })?;
        check_task_id("task.id", &task.id)?;
        check_account(&self.account)
    }
}

impl Check for RecordOutcomeRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        let result = self
            .result
            .as_ref()
            .ok_or_else(|| InvalidRequest::new("result", "is missing"))?;
        if let Some(task) = &result.task {
            check_task_id("result.task.id", &task.id)?;
        } else if !self.task_id.is_empty() {
            check_task_id("task_id", &self.task_id)?;
        }
        check_account(&self.account)
    }
}

impl Check for DeliverEventRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        let event = self
            .event
            .as_ref()
            .ok_or_else(|| InvalidRequest::new("event", "is missing"))?;
        if event.id.is_empty() || !event.id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let problem = "must consist of ASCII letters and digits";
            return Err(InvalidRequest::new("event.id", problem));
        }
        check_account(&self.account)
    }
}

impl Check for SweepVideoTasksRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        let resumed = self.resumed.as_ref();
        if let Some(page) = resumed.and_then(|state| state.next.as_ref()) {
            check_page("resumed.next", page)?;
        }
        check_account(&self.account)
    }
}

impl Check for SweepVideoTaskPageRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        let page = self
            .page
            .as_ref()
            .ok_or_else(|| InvalidRequest::new("page", "is missing; set its `page_num`"))?;
        check_page("page", page)?;
        check_account(&self.account)
    }
}

impl Check for AccountWatcherRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        check_account(&self.account)
    }
}

impl Check for WatchAccountRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        check_account(&self.account)
    }
}

impl Check for AuditArchiveRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        check_share(&self.share)?;
        check_destination(&self.destination)
    }
}

impl Check for AuditShareRequest {
    fn check(&self) -> Result<(), InvalidRequest> {
        check_share(&self.share)?;
        check_destination(&self.destination)
    }
}

fn check_share(share: &str) -> Result<(), InvalidRequest> {
    let share = Share::in_request(share);
    share.map_err(|problem| InvalidRequest::new("share", problem.to_string()))?;
    Ok(())
}

fn check_page(field: &str, page: &SweepPage) -> Result<(), InvalidRequest> {
    if !(1..=MAX_PAGE_NUM).contains(&page.page_num) {
        let problem = format!("must be a number from 1 to {MAX_PAGE_NUM}");
        return Err(InvalidRequest::new(format!("{field}.page_num"), problem));
    }
    Ok(())
}

/// Checks the form of a destination. Empty: the archive of the worker.
///
/// # Errors
///
/// Returns an error if the destination is not an archive URL.
pub(crate) fn check_destination(url: &str) -> Result<(), InvalidRequest> {
    if url.is_empty() {
        return Ok(());
    }
    destination::check(url).map_err(|problem| InvalidRequest::new("destination", problem))
}

/// Checks the form of a submission id. Empty: the default.
fn check_submission_id(id: &str) -> Result<(), InvalidRequest> {
    if id.is_empty() {
        return Ok(());
    }
    submission_id::check(id).map_err(|problem| InvalidRequest::new("submission_id", problem))
}

fn check_task_id(field: &str, id: &str) -> Result<(), InvalidRequest> {
    task_id::check(id).map_err(|problem| InvalidRequest::new(field, problem))
}

/// Checks the name of an account.
///
/// # Errors
///
/// Returns an error if the name contains a character that is not allowed in workflow ids and object keys.
pub fn check_account(name: &str) -> Result<(), InvalidRequest> {
    account::check(name).map_err(|problem| InvalidRequest::new("account", problem))
}

#[cfg(test)]
mod tests;
