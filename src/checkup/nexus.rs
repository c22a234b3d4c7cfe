//! Checks or creates the Nexus endpoint, by which workflows of any namespace call the archiver. Workers run without one:
//! then workflows call the activity `AwaitVideoTask`.

use seedance_archiver_proto::names;
use temporalio_client::{
    Client,
    tonic::{Code, Status},
};
use temporalio_common::protos::{
    coresdk::AsJsonPayloadExt, temporal::api::enums::v1::TaskQueueType,
};

use super::{CheckResult, server};
use crate::temporal::{
    nexus_endpoints::{self, NexusEndpoint, Target},
    server::has_nexus,
};

const NAME: &str = "Nexus endpoint";
/// Description of the endpoint in the Temporal UI.
const DESCRIPTION: &str = "seedance-archiver: the service `SeedanceArchiver` with the operations `AwaitVideoTask` (archives the video of a \
     Seedance task and returns the receipt) and `GetVideoTask` (returns what is known of a task)";

/// Checks that an endpoint leads to the Nexus task queue, and that workers poll it.
pub async fn check(client: &Client, task_queue: &str) -> Vec<CheckResult> {
    let target = target(client, task_queue);
    let endpoint = match lookup(client, &target, None).await {
        Lookup::Unsupported => return vec![unsupported()],
        Lookup::Found(name) => CheckResult::ok(NAME, format!("`{name}`")),
        Lookup::Taken(_) | Lookup::Missing => CheckResult::warning(
            NAME,
            format!(
                "no endpoint has the target `{}`; workflows cannot call with Nexus",
                target.task_queue
            ),
            format!(
                "run `seedance-archiver setup`, or: {}",
                target.command(names::NEXUS_ENDPOINT)
            ),
        ),
        Lookup::Failed(status) => cannot_list(&target, names::NEXUS_ENDPOINT, &status),
    };
    let poller = server::check_queue(client, &target.task_queue, TaskQueueType::Nexus).await;
    vec![endpoint, poller]
}

/// Creates the endpoint, unless one leads to the Nexus task queue. With a name, creates an endpoint of this name, unless
/// it exists.
pub async fn create(client: &Client, task_queue: &str, name: Option<&str>) -> CheckResult {
    let target = target(client, task_queue);
    let found = lookup(client, &target, name).await;
    let name = name.unwrap_or(names::NEXUS_ENDPOINT);
    match found {
        Lookup::Unsupported => unsupported(),
        Lookup::Found(name) => CheckResult::ok(NAME, format!("`{name}` exists")),
        Lookup::Taken(other) => taken(name, other),
        // Whoever may not list endpoints may not create one either, and the error of the attempt is more to the point.
        Lookup::Missing | Lookup::Failed(_) => {
            let description = DESCRIPTION.as_json_payload().ok();
            match nexus_endpoints::create(client, name, &target, description).await {
                Ok(()) => CheckResult::created(
                    NAME,
                    format!(
                        "created `{name}` with the target `{}` in the namespace `{}`",
                        target.task_queue, target.namespace
                    ),
                ),
                Err(status) => cannot_create(&target, name, &status),
            }
        }
    }
}

/// What the server knows of the endpoint.
enum Lookup {
    /// The server has no Nexus.
    Unsupported,
    /// The endpoint of this name has the target.
    Found(String),
    /// The name belongs to an endpoint with another target. `None`: the URL of another service.
    Taken(Option<Target>),
    Missing,
    Failed(Status),
}

/// Looks for an endpoint with this target and, if given, this name.
async fn lookup(client: &Client, target: &Target, name: Option<&str>) -> Lookup {
    match has_nexus(client).await {
        Ok(true) => {}
        Ok(false) => return Lookup::Unsupported,
        Err(status) => return Lookup::Failed(status),
    }
    match nexus_endpoints::list(client).await {
        Ok(endpoints) => among(endpoints, target, name),
        Err(status) => Lookup::Failed(status),
    }
}

fn among(endpoints: Vec<NexusEndpoint>, target: &Target, name: Option<&str>) -> Lookup {
    let is_wanted = |endpoint: &&NexusEndpoint| {
        endpoint.target.as_ref() == Some(target) && name.is_none_or(|name| endpoint.name == name)
    };
    if let Some(endpoint) = endpoints.iter().find(is_wanted) {
        return Lookup::Found(endpoint.name.clone());
    }
    let name = name.unwrap_or(names::NEXUS_ENDPOINT);
    match endpoints.into_iter().find(|it| it.name == name) {
        Some(endpoint) => Lookup::Taken(endpoint.target),
        None => Lookup::Missing,
    }
}

fn target(client: &Client, task_queue: &str) -> Target {
    Target::new(client, names::nexus_task_queue(task_queue))
}

fn unsupported() -> CheckResult {
    CheckResult::ok(
        NAME,
        "none: the server has no Nexus; workflows call the activity `AwaitVideoTask` instead",
    )
}

fn taken(name: &str, other: Option<Target>) -> CheckResult {
    let other = match other {
        Some(other) => format!(
            "the task queue `{}` in the namespace `{}`",
            other.task_queue, other.namespace
        ),
        None => "another service".to_owned(),
    };
    CheckResult::warning(
        NAME,
        format!("`{name}` leads to {other} and was left unchanged"),
        "choose another name: seedance-archiver setup --nexus-endpoint NAME",
    )
}

fn cannot_list(target: &Target, name: &str, status: &Status) -> CheckResult {
    CheckResult::warning(
        NAME,
        format!("cannot list Nexus endpoints: {}", status.message()),
        format!(
            "check that one has the target `{}`, or run: {}",
            target.task_queue,
            commands(target, name)
        ),
    )
}

fn cannot_create(target: &Target, name: &str, status: &Status) -> CheckResult {
    let message = status.message();
    let found = match status.code() {
        Code::PermissionDenied | Code::Unauthenticated => {
            format!("permission denied: cannot create `{name}`: {message}")
        }
        _ => format!("cannot create `{name}`: {message}"),
    };
    CheckResult::warning(NAME, found, commands(target, name))
}

fn commands(target: &Target, name: &str) -> String {
    format!(
        "{}; on Temporal Cloud: {}",
        target.command(name),
        target.cloud_command(name)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(name: &str, namespace: &str) -> NexusEndpoint {
        NexusEndpoint {
            name: name.to_owned(),
            target: Some(target_in(namespace)),
        }
    }

    fn target_in(namespace: &str) -> Target {
        Target {
            namespace: namespace.to_owned(),
            task_queue: "seedance-archiver-nexus".to_owned(),
        }
    }

    fn name_of(lookup: Lookup) -> Option<String> {
        match lookup {
            Lookup::Found(name) => Some(name),
            _ => None,
        }
    }

    #[test]
    fn an_endpoint_with_the_target_is_found_by_any_name_unless_one_is_wanted() {
        let ours = target_in("ours");
        let endpoints = || vec![endpoint("theirs", "theirs"), endpoint("video", "ours")];
        assert_eq!(
            name_of(among(endpoints(), &ours, None)).as_deref(),
            Some("video")
        );
        let named = among(endpoints(), &ours, Some("video"));
        assert_eq!(name_of(named).as_deref(), Some("video"));
        let other = among(endpoints(), &ours, Some("another"));
        assert!(matches!(other, Lookup::Missing));
    }

    #[test]
    fn an_endpoint_with_another_target_is_left_unchanged() {
        let endpoints = vec![endpoint(names::NEXUS_ENDPOINT, "theirs")];
        let found = among(endpoints, &target_in("ours"), None);
        let Lookup::Taken(Some(other)) = found else {
            panic!("not taken");
        };
        let result = taken(names::NEXUS_ENDPOINT, Some(other));
        assert_eq!(
            result.found,
            "`seedance-archiver` leads to the task queue `seedance-archiver-nexus` in the namespace `theirs` and \
             was left unchanged"
        );
    }

    #[test]
    fn a_denied_creation_is_reported_with_the_commands() {
        let denied = Status::permission_denied("Request unauthorized.");
        let result = cannot_create(&target_in("ours"), "video", &denied);
        assert_eq!(
            result.found,
            "permission denied: cannot create `video`: Request unauthorized."
        );
        let fix = result.fix.unwrap_or_default();
        assert!(
            fix.starts_with("temporal operator nexus endpoint create --name video"),
            "{fix}"
        );
        assert!(fix.contains("tcld nexus endpoint create"), "{fix}");
    }
}
