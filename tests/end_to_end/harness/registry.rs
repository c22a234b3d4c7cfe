//! The list of tests, to which each test adds itself.
//!
//! ```ignore
//! async fn a_task_is_archived(server: Arc<Server>) -> anyhow::Result<()> { … }
//! register!(a_task_is_archived);
//!
//! async fn a_task_is_archived_to_s3(server: Arc<Server>) -> anyhow::Result<()> { … }
//! register!(a_task_is_archived_to_s3, needs = [minio]);
//!
//! // Starts before the others, because it waits long for a timeout of Temporal's.
//! async fn another_worker_continues(server: Arc<Server>) -> anyhow::Result<()> { … }
//! register!(another_worker_continues, takes_long);
//! ```

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use futures::future::LocalBoxFuture;

use super::{temporal_server::Server, tools::Missing};

/// A test.
pub(crate) struct Test {
    /// The path of the function, with the name of this crate in front.
    pub(crate) path: &'static str,
    /// Checks that the tools which the test needs are installed.
    pub(crate) check_tools: fn() -> Result<(), Missing>,
    /// Whether it takes so long that the run would end with it alone if it did not start early.
    pub(crate) takes_long: bool,
    /// Runs the test.
    pub(crate) run: fn(Arc<Server>) -> LocalBoxFuture<'static, anyhow::Result<()>>,
}

inventory::collect!(Test);

impl Test {
    /// Returns the path of the function within this crate.
    pub(crate) fn name(&self) -> &'static str {
        match self.path.split_once("::") {
            Some((_crate, path)) => path,
            None => self.path,
        }
    }
}

/// Returns all tests, those that take long first, and the tests of a module far from each other: they wait for the same
/// kind of thing, or compute at the same time. The order is the same in every run.
pub(crate) fn tests() -> Vec<&'static Test> {
    let mut tests: Vec<_> = inventory::iter::<Test>().collect();
    tests.sort_by_key(|test| (!test.takes_long, hash(test.path)));
    tests
}

fn hash(path: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// Registers a test function. `needs` lists functions of `harness::tools` that locate what the test needs.
macro_rules! register {
    ($function:ident) => {
        $crate::harness::registry::register!($function, needs = []);
    };
    ($function:ident, takes_long) => {
        $crate::harness::registry::register!(@ $function, [], true);
    };
    ($function:ident, needs = [$($tool:ident),*]) => {
        $crate::harness::registry::register!(@ $function, [$($tool),*], false);
    };
    ($function:ident, needs = [$($tool:ident),*], takes_long) => {
        $crate::harness::registry::register!(@ $function, [$($tool),*], true);
    };
    (@ $function:ident, [$($tool:ident),*], $takes_long:literal) => {
        ::inventory::submit! {
            $crate::harness::registry::Test {
                path: concat!(module_path!(), "::", stringify!($function)),
                check_tools: || {
                    $($crate::harness::tools::$tool()?;)*
                    Ok(())
                },
                takes_long: $takes_long,
                run: |server| Box::pin($function(server)),
            }
        }
    };
}
pub(crate) use register;
