//! Variables that say how a worker runs.

use std::{net::SocketAddr, ops::RangeInclusive, str::FromStr};

use super::Environment;
use crate::{
    config::{
        Capacity, Deployment, GracePeriod, Operations, Queues, Share, Target, Versioning, duration,
        operations::{LEAST_QUERIES, MOST_TRANSFERS},
    },
    telemetry::{LOG_FORMAT, LogFormat},
};

const ADMIN_ADDRESS: &str = "SEEDANCE_ADMIN_ADDRESS";
pub(crate) const QUEUES: &str = "SEEDANCE_QUEUES";
const GRACE_PERIOD: &str = "SEEDANCE_GRACE_PERIOD";
const WORKFLOW_SLOTS: &str = "SEEDANCE_WORKFLOW_SLOTS";
const WORKFLOW_POLLERS: &str = "SEEDANCE_WORKFLOW_POLLERS";
const QUERY_SLOTS: &str = "SEEDANCE_QUERY_SLOTS";
const QUERY_POLLERS: &str = "SEEDANCE_QUERY_POLLERS";
const TRANSFER_SLOTS: &str = "SEEDANCE_TRANSFER_SLOTS";
const TRANSFER_POLLERS: &str = "SEEDANCE_TRANSFER_POLLERS";
const QUERIES_PER_SECOND: &str = "SEEDANCE_QUERIES_PER_SECOND";
const TARGET_MEMORY: &str = "SEEDANCE_TARGET_MEMORY";
const TARGET_CPU: &str = "SEEDANCE_TARGET_CPU";
const DEPLOYMENT_NAME: &str = "TEMPORAL_DEPLOYMENT_NAME";
const BUILD_ID: &str = "TEMPORAL_WORKER_BUILD_ID";
const VERSIONING: &str = "SEEDANCE_VERSIONING";

/// What is said of the settings, and the variables that say it.
pub(super) const SETTINGS: [(&str, &str); 16] = [
    (ADMIN_ADDRESS, "admin_address"),
    (QUEUES, "queues"),
    (GRACE_PERIOD, "grace_period"),
    (WORKFLOW_SLOTS, "workflow.slots"),
    (WORKFLOW_POLLERS, "workflow.pollers"),
    (QUERY_SLOTS, "query.slots"),
    (QUERY_POLLERS, "query.pollers"),
    (TRANSFER_SLOTS, "transfer.slots"),
    (TRANSFER_POLLERS, "transfer.pollers"),
    (QUERIES_PER_SECOND, "queries_per_second"),
    (TARGET_MEMORY, "target.memory"),
    (TARGET_CPU, "target.cpu"),
    (DEPLOYMENT_NAME, "deployment.name"),
    (BUILD_ID, "deployment.build_id"),
    (VERSIONING, "deployment.versioning"),
    (LOG_FORMAT, "log_format"),
];

/// Most tasks of a kind, and most polls for them, that one process is asked to bear.
const MOST_SLOTS: usize = 10_000;
const MOST_POLLERS: usize = 100;

impl Environment<'_> {
    pub(in crate::config) fn operations(&mut self) -> Operations {
        Operations {
            admin_address: self.admin_address(),
            queues: self.parsed(QUEUES, Queues::from_str).unwrap_or_default(),
            grace_period: self.grace_period(),
            capacity: self.capacity(),
            deployment: self.deployment(),
            log_format: self.parsed(LOG_FORMAT, LogFormat::from_str),
        }
    }

    /// The address alone.
    pub(in crate::config) fn admin_address(&mut self) -> Option<SocketAddr> {
        self.address(ADMIN_ADDRESS, "0.0.0.0:9464")
    }

    fn grace_period(&mut self) -> GracePeriod {
        let time = |text: &str| duration(text).map_err(|what| format!("must be {what}"));
        let time = self.parsed(GRACE_PERIOD, time);
        time.map(GracePeriod).unwrap_or_default()
    }

    fn capacity(&mut self) -> Capacity {
        let default = Capacity::default();
        Capacity {
            workflow: Share {
                slots: self.number(WORKFLOW_SLOTS, 2..=MOST_SLOTS, default.workflow.slots),
                // One of the workflows that it remembers, one of the others.
                pollers: self.number(WORKFLOW_POLLERS, 2..=MOST_POLLERS, default.workflow.pollers),
            },
            query: Share {
                slots: self.number(QUERY_SLOTS, LEAST_QUERIES..=MOST_SLOTS, default.query.slots),
                pollers: self.number(QUERY_POLLERS, 1..=MOST_POLLERS, default.query.pollers),
            },
            transfer: Share {
                slots: self.number(TRANSFER_SLOTS, 1..=MOST_TRANSFERS, default.transfer.slots),
                pollers: self.number(TRANSFER_POLLERS, 1..=MOST_POLLERS, default.transfer.pollers),
            },
            queries_per_second: self.parsed(QUERIES_PER_SECOND, rate),
            target: self.target(),
        }
    }

    fn target(&mut self) -> Option<Target> {
        let memory = self.parsed(TARGET_MEMORY, share);
        let cpu = self.parsed(TARGET_CPU, share);
        // What is not named may be used up.
        (memory.is_some() || cpu.is_some()).then(|| Target {
            memory: memory.unwrap_or(1.0),
            cpu: cpu.unwrap_or(1.0),
        })
    }

    fn number(&mut self, name: &str, range: RangeInclusive<usize>, default: usize) -> usize {
        let parse = |text: &str| {
            let number = text.trim().parse().ok();
            let number = number.filter(|number| range.contains(number));
            let (least, most) = (range.start(), range.end());
            number.ok_or_else(|| format!("must be a whole number from {least} to {most}"))
        };
        self.parsed(name, parse).unwrap_or(default)
    }

    fn deployment(&mut self) -> Option<Deployment> {
        let (name, build_id) = (self.get(DEPLOYMENT_NAME), self.get(BUILD_ID));
        let versioning = self.parsed(VERSIONING, Versioning::from_str);
        match (name, build_id) {
            (Some(name), Some(build_id)) => Some(Deployment {
                name: name.trim().to_owned(),
                build_id: build_id.trim().to_owned(),
                versioning: versioning.unwrap_or_default(),
            }),
            (Some(_), None) => self.lonely(DEPLOYMENT_NAME, BUILD_ID),
            (None, Some(_)) => self.lonely(BUILD_ID, DEPLOYMENT_NAME),
            (None, None) => {
                if self.has(VERSIONING) {
                    let problem = format!(
                        "is set, and nothing has versions without a {DEPLOYMENT_NAME} and a {BUILD_ID}"
                    );
                    self.fault(VERSIONING, problem);
                }
                None
            }
        }
    }

    fn lonely<T>(&mut self, name: &str, other: &str) -> Option<T> {
        let problem = format!("is set without {other}: set both, or neither for no versioning");
        self.fault(name, problem);
        None
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: Option<f64> = text.trim().parse().ok();
    let rate = rate.filter(|rate| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "must be a number above 0".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    let share: Option<f64> = text.trim().parse().ok();
    let share = share.filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| "must be a number above 0 and not above 1, such as `0.8`".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Operations, Vec<String>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(it, _)| *it == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let mut environment = Environment::new(&variable);
        let operations = environment.operations();
        let faults = environment.faults.iter().map(ToString::to_string);
        (operations, faults.collect())
    }

    #[test]
    fn whoever_says_nothing_gets_the_defaults() {
        assert_eq!(read(&[]), (Operations::default(), Vec::new()));
    }

    #[test]
    fn reads_what_is_said() {
        let (operations, faults) = read(&[
            (ADMIN_ADDRESS, "0.0.0.0:9464"),
            (QUEUES, " transfer "),
            (GRACE_PERIOD, "2m"),
            (TRANSFER_SLOTS, "8"),
            (QUERIES_PER_SECOND, "15.5"),
            (TARGET_MEMORY, "0.8"),
            (DEPLOYMENT_NAME, "videos"),
            (BUILD_ID, "v2"),
            (VERSIONING, "pinned"),
        ]);
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(operations.queues.to_string(), "transfer");
        assert_eq!(operations.grace_period.0, Duration::from_secs(120));
        assert_eq!(operations.capacity.transfer.slots, 8);
        assert_eq!(operations.capacity.queries_per_second, Some(15.5));
        let target = operations.capacity.target.unwrap();
        assert_eq!((target.memory, target.cpu), (0.8, 1.0));
        let deployment = operations.deployment.unwrap();
        assert_eq!(deployment.versioning, Versioning::Pinned);
    }

    #[test]
    fn says_what_is_wrong_with_each() {
        let (_, faults) = read(&[
            (ADMIN_ADDRESS, "9464"),
            (QUEUES, "queries"),
            (GRACE_PERIOD, "10"),
            (QUERY_SLOTS, "50"),
            (TRANSFER_SLOTS, "33"),
            (WORKFLOW_POLLERS, "1"),
            (QUERIES_PER_SECOND, "0"),
            (TARGET_CPU, "80"),
            (DEPLOYMENT_NAME, "videos"),
            (VERSIONING, "auto"),
        ]);
        let expected = [
            "SEEDANCE_ADMIN_ADDRESS must be an address to listen on, such as `0.0.0.0:9464`",
            "SEEDANCE_QUEUES must be `query`, `transfer` or `query,transfer`",
            "SEEDANCE_GRACE_PERIOD must be a time such as \"90s\", \"24h\" or \"7d\"",
            "SEEDANCE_WORKFLOW_POLLERS must be a whole number from 2 to 100",
            "SEEDANCE_QUERY_SLOTS must be a whole number from 60 to 10000",
            "SEEDANCE_TRANSFER_SLOTS must be a whole number from 1 to 32",
            "SEEDANCE_QUERIES_PER_SECOND must be a number above 0",
            "SEEDANCE_TARGET_CPU must be a number above 0 and not above 1, such as `0.8`",
            "SEEDANCE_VERSIONING must be `auto_upgrade` or `pinned`",
            "TEMPORAL_DEPLOYMENT_NAME is set without TEMPORAL_WORKER_BUILD_ID: set both, or neither for no \
             versioning",
        ];
        assert_eq!(faults, expected);
        let (_, faults) = read(&[(VERSIONING, "pinned")]);
        assert_eq!(faults.len(), 1, "{faults:?}");
    }
}
