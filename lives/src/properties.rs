//! What must hold in every life.

mod bounds;
mod ending;
mod requests;

use crate::{log::Life, world::World};

/// Returns what is wrong in a life.
pub fn violations(world: &World, life: &Life) -> Vec<String> {
    let mut violations = Vec::new();
    for task in 0..world.tasks.len() {
        let of_task = [
            ending::check(world, life, task),
            requests::check(world, life, task),
            bounds::check(world, life, task),
        ];
        let of_task = of_task.into_iter().flatten();
        violations.extend(of_task.map(|text| format!("task {task}: {text}")));
    }
    violations.extend(requests::check_rate(world, life));
    violations
}
