//! The registry of scenarios. Scenario functions are registered with `register!`.

use futures::future::BoxFuture;

use crate::{fixture::Fixture, store::Store};

/// A scenario, which runs on each store that supports it. It has the name of its function.
pub(crate) struct Scenario {
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    /// Returns whether a store supports the scenario.
    pub(crate) supports: fn(Store) -> bool,
    pub(crate) run: fn(Fixture) -> BoxFuture<'static, anyhow::Result<()>>,
}

inventory::collect!(Scenario);

/// Registers a function as a scenario for all stores, or for the stores for which a predicate returns `true`.
macro_rules! register {
    ($function:ident) => {
        register!($function, |_| true);
    };
    ($function:ident, $supports:expr) => {
        inventory::submit! {
            $crate::registry::Scenario {
                module: module_path!(),
                name: stringify!($function),
                supports: $supports,
                run: |fixture| Box::pin($function(fixture)),
            }
        }
    };
}
pub(crate) use register;

/// Returns all scenarios, ordered by module and name.
pub(crate) fn scenarios() -> Vec<&'static Scenario> {
    let mut scenarios: Vec<_> = inventory::iter::<Scenario>().collect();
    scenarios.sort_by_key(|scenario| (scenario.module, scenario.name));
    scenarios
}
