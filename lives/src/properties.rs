//! What must hold in every life.

mod bounds;
mod detection;
mod ending;
mod rates;
mod requests;
mod watcher;

use crate::{log::Life, world::World};

/// Returns what is wrong in a life.
pub fn violations(world: &World, life: &Life) -> Vec<String> {
    let mut violations = Vec::new();
    for task in 0..world.tasks.len() {
        let of_task = [
            ending::check(world, life, task),
            detection::check(world, life, task),
            requests::check(world, life, task),
            bounds::check(world, life, task),
        ];
        let of_task = of_task.into_iter().flatten();
        violations.extend(of_task.map(|text| format!("task {task}: {text}")));
    }
    violations.extend(rates::check(world, life));
    violations.extend(watcher::check(world, life));
    violations
}
