//! Explores the states of a model.

use std::{fmt::Debug, hash::Hash};

use stateright::{Checker, CheckerBuilder, HasDiscoveries, Model};

/// Explores all states.
pub(crate) fn explore<M>(name: &str, checker: CheckerBuilder<M>) -> impl Checker<M>
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let checker = checker.spawn_bfs().join();
    println!(
        "{name}: {} states, {} transitions, depth {}",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    );
    checker
}

/// Explores states until one contradicts a property, and prints the actions that lead to it.
pub(crate) fn find<M>(name: &str, checker: CheckerBuilder<M>, property: &'static str)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let found = HasDiscoveries::AnyOf([property].into());
    let checker = checker.finish_when(found).spawn_bfs().join();
    let path = checker.assert_any_discovery(property);
    let actions = path.into_actions();
    println!("{name}: not `{property}` after {actions:?}");
}
