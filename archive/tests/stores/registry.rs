//! The scenarios. Each function that is a scenario registers itself with `register!`.

use futures::future::BoxFuture;

use crate::{store::Store, world::World};

/// A scenario that runs on each store that supports it. Its name is that of its function.
pub(crate) struct Scenario {
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    /// Returns whether a store supports the scenario.
    pub(crate) supports: fn(Store) -> bool,
    pub(crate) run: fn(World) -> BoxFuture<'static, anyhow::Result<()>>,
}

inventory::collect!(Scenario);

/// Registers a function as a scenario, on all stores or on those for which a predicate returns `true`.
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
                run: |world| Box::pin($function(world)),
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
