//! The order of the tasks in a list: which page shows a task.

use std::collections::BTreeMap;

/// Maximum number of tasks that are remembered. A list has as many at most: 500 pages of 500 tasks.
const MAX_TASKS: usize = 250_000;

/// The tasks of a list, newest first, as far as they are known.
#[derive(Clone, Debug, Default)]
pub(super) struct ListOrder {
    created_at: BTreeMap<String, i64>,
    /// Creation times, newest first. `None` until needed.
    sorted: Option<Vec<i64>>,
}

impl ListOrder {
    /// Adds a task, or corrects its creation time, in Unix seconds.
    pub(super) fn insert(&mut self, task_id: &str, created_at: i64) {
        if self.created_at.get(task_id) == Some(&created_at) || self.created_at.len() >= MAX_TASKS {
            return;
        }
        self.created_at.insert(task_id.to_owned(), created_at);
        self.sorted = None;
    }

    /// Forgets the tasks that were created before a time, in Unix seconds.
    pub(super) fn forget_before(&mut self, time: i64) {
        self.created_at.retain(|_, created_at| *created_at >= time);
        if let Some(sorted) = &mut self.sorted {
            sorted.retain(|created_at| *created_at >= time);
        }
    }

    /// Returns the estimated number of tasks before one that was created at a time, in Unix seconds.
    pub(super) fn position(&mut self, created_at: i64) -> usize {
        let created = &self.created_at;
        let sorted = self.sorted.get_or_insert_with(|| {
            let mut sorted: Vec<_> = created.values().copied().collect();
            sorted.sort_unstable_by(|a, b| b.cmp(a));
            sorted
        });
        sorted.partition_point(|other| *other > created_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_the_number_of_newer_tasks() {
        let mut order = ListOrder::default();
        for (id, created_at) in [("a", 10), ("b", 30), ("c", 20), ("c", 20)] {
            order.insert(id, created_at);
        }
        assert_eq!(
            [40, 30, 25, 20, 10, 0].map(|at| order.position(at)),
            [0, 0, 1, 1, 2, 3]
        );
        order.insert("a", 40);
        assert_eq!(order.position(20), 2);
        order.forget_before(30);
        assert_eq!(order.position(0), 2);
    }

    #[test]
    fn as_many_tasks_are_remembered_as_a_list_can_have() {
        let numbers = 0..MAX_TASKS;
        let mut order = ListOrder {
            created_at: numbers.map(|number| (number.to_string(), 10)).collect(),
            sorted: None,
        };
        order.insert("one more", 10);
        assert_eq!(order.position(0), MAX_TASKS);
    }
}
