//! Links between workflows of different namespaces. Nexus sends them as URLs, Temporal's API has them as messages.

use percent_encoding::percent_decode_str;
use reqwest::Url;
use temporalio_common::protos::{
    camel_case_to_screaming_snake,
    temporal::api::{
        common::v1::{
            Link,
            link::{
                Variant, WorkflowEvent,
                workflow_event::{EventReference, Reference, RequestIdReference},
            },
        },
        enums::v1::EventType,
        nexus,
    },
};

/// Type of a link to an event of a workflow.
const WORKFLOW_EVENT: &str = "temporal.api.common.v1.Link.WorkflowEvent";
/// Prefix of the names of event types in Temporal's API. URLs have `NexusOperationScheduled` for
/// `EVENT_TYPE_NEXUS_OPERATION_SCHEDULED`.
const EVENT_TYPE_PREFIX: &str = "EVENT_TYPE_";

const REFERENCE_TYPE: &str = "referenceType";
const EVENT_TYPE: &str = "eventType";
const EVENT_ID: &str = "eventID";
const REQUEST_ID: &str = "requestID";
const EVENT_REFERENCE: &str = "EventReference";
const REQUEST_ID_REFERENCE: &str = "RequestIdReference";

/// Returns the link to an event that a caller sent, `None` if it is another link.
pub(super) fn from_nexus(link: &nexus::v1::Link) -> Option<Link> {
    if link.r#type != WORKFLOW_EVENT {
        return None;
    }
    let url = Url::parse(&link.url).ok()?;
    let segments: Vec<_> = url.path_segments()?.collect();
    let [
        "namespaces",
        namespace,
        "workflows",
        workflow_id,
        run_id,
        "history",
    ] = segments[..]
    else {
        return None;
    };
    Some(Link {
        variant: Some(Variant::WorkflowEvent(WorkflowEvent {
            namespace: decode(namespace)?,
            workflow_id: decode(workflow_id)?,
            run_id: decode(run_id)?,
            reference: reference(&url),
        })),
    })
}

/// Returns the URL of a link to an event, `None` if it is another link.
pub(super) fn to_nexus(link: &Link) -> Option<nexus::v1::Link> {
    let Some(Variant::WorkflowEvent(event)) = &link.variant else {
        return None;
    };
    let mut url = Url::parse("temporal:///").ok()?;
    url.path_segments_mut().ok()?.clear().extend([
        "namespaces",
        &event.namespace,
        "workflows",
        &event.workflow_id,
        &event.run_id,
        "history",
    ]);
    let mut query = url.query_pairs_mut();
    match &event.reference {
        Some(Reference::EventRef(reference)) => {
            query
                .append_pair(REFERENCE_TYPE, EVENT_REFERENCE)
                .append_pair(EVENT_TYPE, &type_name(reference.event_type()))
                .append_pair(EVENT_ID, &reference.event_id.to_string());
        }
        Some(Reference::RequestIdRef(reference)) => {
            query
                .append_pair(REFERENCE_TYPE, REQUEST_ID_REFERENCE)
                .append_pair(EVENT_TYPE, &type_name(reference.event_type()))
                .append_pair(REQUEST_ID, &reference.request_id);
        }
        None => {}
    }
    drop(query);
    Some(nexus::v1::Link {
        url: url.into(),
        r#type: WORKFLOW_EVENT.to_owned(),
    })
}

fn reference(url: &Url) -> Option<Reference> {
    let value = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let event_type = value(EVENT_TYPE).and_then(|name| event_type(&name));
    let event_type = event_type.unwrap_or_default().into();
    match value(REFERENCE_TYPE)?.as_str() {
        EVENT_REFERENCE => Some(Reference::EventRef(EventReference {
            event_id: value(EVENT_ID)
                .and_then(|id| id.parse().ok())
                .unwrap_or_default(),
            event_type,
        })),
        REQUEST_ID_REFERENCE => Some(Reference::RequestIdRef(RequestIdReference {
            request_id: value(REQUEST_ID).unwrap_or_default(),
            event_type,
        })),
        _ => None,
    }
}

fn event_type(name: &str) -> Option<EventType> {
    let in_api = format!("{EVENT_TYPE_PREFIX}{}", camel_case_to_screaming_snake(name));
    EventType::from_str_name(&in_api).or_else(|| EventType::from_str_name(name))
}

fn type_name(event_type: EventType) -> String {
    let name = event_type.as_str_name();
    let words = name
        .strip_prefix(EVENT_TYPE_PREFIX)
        .unwrap_or(name)
        .split('_');
    words
        .map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_owned() + &rest.to_lowercase()
        })
        .collect()
}

fn decode(segment: &str) -> Option<String> {
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(url: &str) -> nexus::v1::Link {
        nexus::v1::Link {
            url: url.to_owned(),
            r#type: WORKFLOW_EVENT.to_owned(),
        }
    }

    fn event(link: &nexus::v1::Link) -> WorkflowEvent {
        match from_nexus(link).and_then(|link| link.variant) {
            Some(Variant::WorkflowEvent(event)) => event,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_link_that_a_server_sends_survives_both_conversions() {
        for url in [
            "temporal:///namespaces/team-b/workflows/orders%2F7%20%C3%A9/run-1/history?referenceType=EventReference\
             &eventType=NexusOperationScheduled&eventID=5",
            "temporal:///namespaces/ns/workflows/video-task%2Fdefault%2Fcgt-1/run/history?referenceType=\
             RequestIdReference&eventType=WorkflowExecutionOptionsUpdated&requestID=a-b",
            "temporal:///namespaces/ns/workflows/w/r/history",
        ] {
            let parsed = from_nexus(&link(url)).unwrap();
            let again = from_nexus(&to_nexus(&parsed).unwrap()).unwrap();
            assert_eq!(parsed, again, "{url}");
        }
    }

    #[test]
    fn a_link_names_the_event_of_the_caller() {
        let event = event(&link(
            "temporal:///namespaces/team-b/workflows/orders%2F7/run-1/history?eventID=5&eventType=\
             NexusOperationScheduled&referenceType=EventReference",
        ));
        assert_eq!(event.namespace, "team-b");
        assert_eq!(event.workflow_id, "orders/7");
        assert_eq!(event.run_id, "run-1");
        let Some(Reference::EventRef(reference)) = event.reference else {
            panic!("{event:?}");
        };
        assert_eq!(reference.event_id, 5);
        assert_eq!(reference.event_type(), EventType::NexusOperationScheduled);
    }

    #[test]
    fn the_link_to_a_lifecycle_is_in_the_form_of_other_sdks() {
        let link = Link {
            variant: Some(Variant::WorkflowEvent(WorkflowEvent {
                namespace: "videos".into(),
                workflow_id: "video-task/default/cgt-1".into(),
                run_id: "r".into(),
                reference: Some(Reference::EventRef(EventReference {
                    event_id: 1,
                    event_type: EventType::WorkflowExecutionStarted.into(),
                })),
            })),
        };
        assert_eq!(
            to_nexus(&link).unwrap().url,
            "temporal:///namespaces/videos/workflows/video-task%2Fdefault%2Fcgt-1/r/history?referenceType=\
             EventReference&eventType=WorkflowExecutionStarted&eventID=1"
        );
    }

    #[test]
    fn other_links_are_left_out() {
        for url in [
            "",
            "https://a.example",
            "temporal:///namespaces/a",
            "temporal:x",
        ] {
            assert_eq!(from_nexus(&link(url)), None, "{url}");
        }
        let other = nexus::v1::Link {
            r#type: "a.b.C".to_owned(),
            ..link("temporal:///namespaces/ns/workflows/w/r/history")
        };
        assert_eq!(from_nexus(&other), None);
    }
}
