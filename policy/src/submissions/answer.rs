//! What came back for a create request, and what it says about whether a task was created.

/// What came back for a create request that did not return the id of a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// The request was not sent: for example, there was no connection.
    NotSent,
    /// The request may have been sent, and no complete response came back.
    Nothing,
    /// A response without the id of a task.
    Response(Response),
}

/// A response without the id of a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The error in the body, if the body has the form of the API's errors. Anything on the way to the API answers in
    /// other forms.
    pub error: Option<Meaning>,
}

/// What the code of an error means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Meaning {
    /// Requests come too fast, or the service is overloaded.
    RateLimited,
    /// The key is not accepted.
    Unauthorized,
    /// The request is invalid, or its content is not allowed.
    Invalid,
    /// Something else.
    Other,
}

/// What is certain about the task of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// None was created, and none ever will be with this request.
    Rejected,
    /// None was created. The request may be sent again.
    NotCreated,
    /// One may have been created. The request must not be sent again.
    Unknown,
}

/// Returns what an answer says about the task of its request.
///
/// Only an error of the API can reject a request for good. What a proxy answers says that it did not forward the request
/// only if the status cannot stand for anything else: a firewall that inspects responses also answers 403.
pub fn effect(answer: Answer) -> Effect {
    let Response { status, error } = match answer {
        Answer::NotSent => return Effect::NotCreated,
        Answer::Nothing => return Effect::Unknown,
        Answer::Response(response) => response,
    };
    match (status, error) {
        // 409: a gateway may have seen the same request before. 499: the connection to the client broke. 502 and 504: that to
        // the service did, whatever the text about it is.
        (408 | 409 | 499 | 502 | 504, _) => Effect::Unknown,
        (_, Some(Meaning::RateLimited)) => Effect::NotCreated,
        (200..=299, Some(Meaning::Unauthorized)) => Effect::NotCreated,
        (200..=299, Some(Meaning::Invalid)) => Effect::Rejected,
        // A redirect is not followed, and the service that sends it does not process the request.
        (300..=399 | 401 | 407 | 429, _) => Effect::NotCreated,
        (400..=499, Some(_)) => Effect::Rejected,
        (404 | 405 | 411 | 413 | 414 | 415 | 421 | 426 | 431, None) => Effect::NotCreated,
        _ => Effect::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, error: Option<Meaning>) -> Effect {
        effect(Answer::Response(Response { status, error }))
    }

    #[test]
    fn a_lost_answer_says_nothing() {
        assert_eq!(effect(Answer::Nothing), Effect::Unknown);
        assert_eq!(effect(Answer::NotSent), Effect::NotCreated);
    }

    #[test]
    fn an_error_of_the_api_about_the_request_rejects_it() {
        for status in [400, 403, 404, 413, 422] {
            assert_eq!(of(status, Some(Meaning::Other)), Effect::Rejected);
            assert_eq!(of(status, Some(Meaning::Invalid)), Effect::Rejected);
        }
        assert_eq!(of(200, Some(Meaning::Invalid)), Effect::Rejected);
    }

    #[test]
    fn a_limit_or_a_rejected_key_creates_nothing_and_may_be_retried() {
        for status in [200, 400, 403, 429, 500, 503] {
            assert_eq!(of(status, Some(Meaning::RateLimited)), Effect::NotCreated);
        }
        for status in [502, 504] {
            let error = Some(Meaning::RateLimited);
            assert_eq!(of(status, error), Effect::Unknown, "a gateway's timeout");
        }
        assert_eq!(of(429, None), Effect::NotCreated);
        assert_eq!(of(401, Some(Meaning::Unauthorized)), Effect::NotCreated);
        assert_eq!(of(200, Some(Meaning::Unauthorized)), Effect::NotCreated);
        assert_eq!(of(401, None), Effect::NotCreated);
    }

    #[test]
    fn whatever_may_follow_a_processed_request_is_unknown() {
        for status in [500, 502, 503, 504, 520, 599] {
            for error in [None, Some(Meaning::Other), Some(Meaning::Invalid)] {
                assert_eq!(of(status, error), Effect::Unknown, "{status} {error:?}");
            }
        }
        for error in [None, Some(Meaning::Other)] {
            for status in [100, 200, 201, 202, 204, 408, 409, 499] {
                assert_eq!(of(status, error), Effect::Unknown, "{status} {error:?}");
            }
        }
    }

    #[test]
    fn a_proxy_rejects_nothing_for_good() {
        for status in 0..=999 {
            assert_ne!(of(status, None), Effect::Rejected, "{status}");
        }
        for status in [301, 308, 404, 405, 413, 431] {
            assert_eq!(of(status, None), Effect::NotCreated, "{status}");
        }
        for status in [400, 403, 406, 410, 422] {
            assert_eq!(of(status, None), Effect::Unknown, "{status}");
        }
    }
}
