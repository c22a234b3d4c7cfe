//! How a worker runs.

use super::*;
use crate::config::Versioning;

/// Loads a valid account and archive beside these variables.
fn load_worker(variables: &[(&str, &str)]) -> (WorkerSettings, Vec<String>) {
    let lookup = |name: &str| variable(&[KEY, ARCHIVE], name).or(variable(variables, name));
    let loaded = LoadedConfig::load(lookup, None);
    let errors = loaded.errors.iter().map(ToString::to_string);
    (loaded.worker, errors.collect())
}

#[test]
fn the_defaults_apply_to_what_is_not_set() {
    assert_eq!(load_worker(&[]), (WorkerSettings::default(), Vec::new()));
}

#[test]
fn a_worker_is_configured_by_variables() {
    let (worker, errors) = load_worker(&[
        ("SEEDANCE_ADMIN_ADDRESS", "0.0.0.0:9464"),
        ("SEEDANCE_QUEUES", " transfer "),
        ("SEEDANCE_GRACE_PERIOD", "2m"),
        ("SEEDANCE_TRANSFER_SLOTS", "8"),
        ("SEEDANCE_QUERIES_PER_SECOND", "15.5"),
        ("SEEDANCE_TARGET_MEMORY", "0.8"),
        ("TEMPORAL_DEPLOYMENT_NAME", "videos"),
        ("TEMPORAL_WORKER_BUILD_ID", "v2"),
        ("SEEDANCE_VERSIONING", "pinned"),
    ]);
    assert_eq!(errors, Vec::<String>::new());
    assert!(worker.admin_address.is_some());
    assert_eq!(worker.queues.to_string(), "transfer");
    assert_eq!(worker.grace_period.0, Duration::from_secs(120));
    assert_eq!(worker.capacity.transfer.slots, 8);
    assert_eq!(worker.capacity.queries_per_second, Some(15.5));
    let target = worker.capacity.target.unwrap();
    assert_eq!((target.memory, target.cpu), (0.8, 1.0));
    let deployment = worker.deployment.unwrap();
    assert_eq!(deployment.versioning, Versioning::Pinned);
}

#[test]
fn each_variable_has_its_own_error() {
    let (_, errors) = load_worker(&[
        ("SEEDANCE_ADMIN_ADDRESS", "9464"),
        ("SEEDANCE_QUEUES", "queries"),
        ("SEEDANCE_GRACE_PERIOD", "10"),
        ("SEEDANCE_QUERY_SLOTS", "50"),
        ("SEEDANCE_TRANSFER_SLOTS", "33"),
        ("SEEDANCE_WORKFLOW_POLLERS", "1"),
        ("SEEDANCE_QUERIES_PER_SECOND", "0"),
        ("SEEDANCE_TARGET_CPU", "80"),
        ("SEEDANCE_LOG_FORMAT", "xml"),
        ("TEMPORAL_DEPLOYMENT_NAME", "videos"),
        ("SEEDANCE_VERSIONING", "auto"),
    ]);
    let expected = [
        "SEEDANCE_ADMIN_ADDRESS must be a listen address such as `0.0.0.0:9464`",
        "SEEDANCE_QUEUES must be `query`, `transfer` or `query,transfer`",
        "SEEDANCE_GRACE_PERIOD must be a duration such as `90s`, `24h` or `7d`",
        "SEEDANCE_WORKFLOW_POLLERS must be an integer from 2 to 100",
        "SEEDANCE_QUERY_SLOTS must be an integer from 60 to 10000",
        "SEEDANCE_TRANSFER_SLOTS must be an integer from 1 to 32",
        "SEEDANCE_QUERIES_PER_SECOND must be a number greater than 0",
        "SEEDANCE_TARGET_CPU must be a number greater than 0 and at most 1, such as `0.8`",
        "SEEDANCE_LOG_FORMAT must be `text` or `json`",
        "SEEDANCE_VERSIONING must be `auto_upgrade` or `pinned`",
        "TEMPORAL_DEPLOYMENT_NAME is set without TEMPORAL_WORKER_BUILD_ID; set both, or neither to turn \
         versioning off",
    ];
    assert_eq!(errors, expected);
    let (_, errors) = load_worker(&[("SEEDANCE_VERSIONING", "pinned")]);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("has no effect without TEMPORAL_DEPLOYMENT_NAME"));
}
