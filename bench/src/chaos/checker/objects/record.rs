//! The record of a task in `task.json`, compared with what the API served.

use seedance_archiver_proto::{names::TASK, status};
use seedance_archiver_simulator::RecordDialect;
use serde_json::{Map, Value};

use crate::chaos::world::{Task, World};

/// The fields that the dialect for lenient parsers adds to the end of a body: how they begin, and how they end.
const CAPTION: &str = r#","caption":""#;
const TICKET: &str = r#""ticket":12345678901234567890123}"#;
/// Fields that are compared in other ways, or that the archiver may give in another unit than a dialect does.
const NOT_COMPARED: [&str; 4] = ["id", "status", "created_at", "updated_at"];
/// A field that lists may omit.
const OMITTED_BY_LISTS: &str = "seed";
/// Statuses of a task that has not ended.
const EARLIER: [&str; 4] = [status::QUEUED, status::RUNNING, "submitted", "processing"];
/// Longer texts are cut where the API cannot be asked for the record.
const MAX_COMPARED: usize = 400;

/// What the API served for a task.
pub(super) struct Served {
    /// The ids that the record may have. A gateway has its own.
    pub(super) ids: Vec<String>,
    /// The words for its status, now that it has ended.
    pub(super) statuses: Vec<String>,
    /// The other fields, without the envelope of a gateway.
    pub(super) fields: Map<String, Value>,
    /// Whether strict parsers refuse the response to a query.
    pub(super) needs_lenient_parser: bool,
    /// Whether fields may be missing: version 0.1.0 does not know them all.
    pub(super) may_lack_fields: bool,
}

impl Served {
    pub(super) fn of(world: &World, task: &Task, has_other_version: bool) -> Self {
        let simulator = world.simulator(task.video.account());
        let script = &task.video.script;
        let mut fields = match simulator.record(&task.id) {
            Some(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        let word = fields.get("status").and_then(Value::as_str);
        let mut statuses: Vec<_> = word.map(str::to_owned).into_iter().collect();
        // Where the API cannot be asked, the archiver stores what it knows, in the words of the documentation.
        statuses.extend(simulator.status(&task.id).map(str::to_owned));
        if word == Some("terminated") {
            statuses.push(status::FAILED.to_owned());
        }
        fields.retain(|name, _| !NOT_COMPARED.contains(&name.as_str()));
        let mut ids = vec![task.id.clone()];
        if script.wrapped {
            ids.push(format!("upstream-{}", task.id));
        }
        let is_refused = script.dialect == Some(RecordDialect::StrictParsersRefuse);
        Self {
            ids,
            statuses,
            fields,
            needs_lenient_parser: is_refused,
            may_lack_fields: has_other_version,
        }
    }

    /// Returns what is wrong with the record of a task that had ended.
    pub(super) fn check(&self, bytes: &[u8]) -> Option<String> {
        self.problem(bytes, &[])
    }

    /// Returns what is wrong with a record of the task, which may be from before its end.
    pub(super) fn check_any(&self, bytes: &[u8]) -> Option<String> {
        self.problem(bytes, &EARLIER)
    }

    fn problem(&self, bytes: &[u8], other_statuses: &[&str]) -> Option<String> {
        let Some(stored) = self.parse(bytes) else {
            return Some(format!("{TASK} is not JSON"));
        };
        let record = innermost(&stored);
        let text = |name: &str| record[name].as_str().unwrap_or_default();
        let (id, status) = (text("id"), text("status"));
        if !self.ids.iter().any(|it| it == id) {
            return Some(format!("{TASK} is of task {id:?}"));
        }
        let mut statuses = self.statuses.iter().map(String::as_str);
        let is_earlier = other_statuses.contains(&status);
        if !is_earlier && !statuses.any(|it| it == status) {
            return Some(format!("{TASK} has the status {status:?}"));
        }
        let lacks_fields = self.may_lack_fields || is_earlier;
        let mut fields = self.fields.iter();
        let (name, served) =
            fields.find(|(name, served)| differs(name, served, record, lacks_fields))?;
        let found = &record[name.as_str()];
        Some(format!(
            "{TASK} has {name} {found}, and {served} was served"
        ))
    }

    fn parse(&self, bytes: &[u8]) -> Option<Value> {
        let parsed = serde_json::from_slice(bytes).ok();
        parsed.or_else(|| without_additions(bytes).filter(|_| self.needs_lenient_parser))
    }
}

/// Returns a record without what makes strict parsers refuse it. `None` if the end is missing.
fn without_additions(bytes: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let (record, additions) = text.rsplit_once(CAPTION)?;
    if !additions.ends_with(TICKET) {
        return None;
    }
    serde_json::from_str(&format!("{record}}}")).ok()
}

/// Returns the record inside the envelopes of gateways.
fn innermost(stored: &Value) -> &Value {
    let layers = std::iter::successors(Some(stored), |layer| {
        layer.get("data").filter(|inner| inner.is_object())
    });
    layers.last().unwrap_or(stored)
}

/// Returns whether a record has another value of a field than was served, or none.
fn differs(name: &str, served: &Value, record: &Value, lacks_fields: bool) -> bool {
    if !is_compared(served) {
        return false;
    }
    match record.get(name) {
        Some(found) => found != served,
        None => !lacks_fields && name != OMITTED_BY_LISTS,
    }
}

/// Returns whether a value is archived as it is. What contains URLs, or may contain them, is not.
fn is_compared(value: &Value) -> bool {
    match value {
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.len() <= MAX_COMPARED && !text.contains("://"),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::chaos::plan::Expected;

    /// Returns what a gateway served for a task that succeeded, in a dialect that says `succeed`.
    fn served() -> Served {
        let fields = json!({"model": "m", "seed": 7, "content": {"video_url": "http://h/v?s=1"}});
        Served {
            ids: vec!["cgt-1".into(), "upstream-cgt-1".into()],
            statuses: vec!["succeed".into(), "succeeded".into()],
            fields: fields.as_object().unwrap().clone(),
            needs_lenient_parser: false,
            may_lack_fields: false,
        }
    }

    fn is_right(record: &str) -> bool {
        served().check(record.as_bytes()).is_none()
    }

    #[test]
    fn a_record_that_was_not_served_is_found() {
        for (record, expected) in [
            (
                r#"{"id": "cgt-1", "status": "succeed", "model": "m", "seed": 7}"#,
                true,
            ),
            (
                r#"{"id": "upstream-cgt-1", "status": "succeeded", "model": "m"}"#,
                true,
            ),
            (
                r#"{"data": {"data": {"id": "cgt-1", "status": "succeed", "model": "m"}}}"#,
                true,
            ),
            (
                r#"{"id": "cgt-2", "status": "succeed", "model": "m"}"#,
                false,
            ),
            (
                r#"{"status": "succeed", "model": "m", "note": "cgt-1"}"#,
                false,
            ),
            (
                r#"{"id": "cgt-1", "status": "running", "model": "m"}"#,
                false,
            ),
            (r#"{"id": "cgt-1", "model": "m"}"#, false),
            (
                r#"{"id": "cgt-1", "status": "succeed", "model": "n"}"#,
                false,
            ),
            (
                r#"{"id": "cgt-1", "status": "succeed", "model": "m", "seed": 8}"#,
                false,
            ),
            (r#"{"id": "cgt-1", "status": "succeed"}"#, false),
            (r#"{"id": "cgt-1", "status": "succeed", "model": "m"#, false),
            ("cgt-1 succeed", false),
            ("", false),
        ] {
            assert_eq!(is_right(record), expected, "{record}");
        }
    }

    #[test]
    fn only_the_status_of_the_innermost_record_counts() {
        for (inner, expected) in [("succeed", true), ("running", false)] {
            let record = json!({"id": "cgt-1", "status": inner, "model": "m"});
            let envelope =
                json!({"data": {"task_id": "cgt-1", "status": "succeed", "data": record}});
            assert_eq!(is_right(&envelope.to_string()), expected, "{inner}");
        }
    }

    #[test]
    fn a_record_from_before_the_end_is_right_only_without_a_verdict() {
        let record = br#"{"id": "cgt-1", "status": "processing"}"#;
        assert!(served().check(record).is_some());
        assert_eq!(served().check_any(record), None);
        let other = br#"{"id": "cgt-1", "status": "failed"}"#;
        assert!(served().check_any(other).is_some());
    }

    #[test]
    fn another_version_may_have_dropped_a_field() {
        let record = br#"{"id": "cgt-1", "status": "succeed"}"#;
        let served = Served {
            may_lack_fields: true,
            ..served()
        };
        assert_eq!(served.check(record), None);
    }

    #[test]
    fn only_what_strict_parsers_refuse_may_not_be_json_and_not_be_cut() {
        let record = r#"{"id":"cgt-1","status":"succeed","model":"m""#;
        let body = format!(r#"{record}{CAPTION}caf� \ud800","cost":1e400,{TICKET}"#);
        let lenient = Served {
            needs_lenient_parser: true,
            ..served()
        };
        assert_eq!(lenient.check(body.as_bytes()), None);
        assert!(served().check(body.as_bytes()).is_some());
        for end in [body.len() - 1, body.len() - 20, record.len(), 20] {
            let cut = &body[..end];
            assert!(lenient.check(cut.as_bytes()).is_some(), "{cut}");
        }
    }

    /// Returns what a query of a task in a dialect returns, and what is compared with it.
    async fn query(dialect: Option<RecordDialect>, wrapped: bool) -> (Vec<u8>, Served) {
        let world = World::start(7).await.unwrap();
        let mut planned = Task::called("", Expected::Archived);
        let script = &mut planned.video.script;
        script.queued = Some(Duration::ZERO);
        script.running = Some(Duration::ZERO);
        script.dialect = dialect;
        script.wrapped = wrapped;
        let task = world.create(&planned.video, None, Vec::new());
        let simulator = world.simulator(task.video.account());
        let (url, id) = (simulator.base_url(), &task.id);
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.get(format!("{url}/contents/generations/tasks/{id}"));
        let response = request.bearer_auth(simulator.api_key()).send().await;
        let body = response.unwrap().bytes().await.unwrap();
        (body.to_vec(), Served::of(&world, &task, false))
    }

    #[tokio::test]
    async fn what_the_simulator_serves_is_right_unless_it_is_cut() {
        for dialect in [
            None,
            Some(RecordDialect::Milliseconds),
            Some(RecordDialect::OtherWords),
            Some(RecordDialect::UnknownWord),
            Some(RecordDialect::StrictParsersRefuse),
            Some(RecordDialect::Large),
            Some(RecordDialect::RepeatsSecrets),
        ] {
            for wrapped in [false, true] {
                let (body, served) = query(dialect, wrapped).await;
                assert_eq!(served.check(&body), None, "{dialect:?} {wrapped}");
                let cut = &body[..body.len() - 1];
                assert!(served.check(cut).is_some(), "{dialect:?} {wrapped}");
            }
        }
    }
}
