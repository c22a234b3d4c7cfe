//! Values of `CreateVideoTaskResult.learned_from`.

/// From the answer to the create request.
pub const ANSWER: &str = "answer";
/// From a callback with the id of the submission in its path.
pub const CALLBACK: &str = "callback";
/// From the list of the account's tasks: no other one can be that of the submission.
pub const LIST: &str = "list";
