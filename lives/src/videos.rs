//! How many videos of a world can be archived: a property that only holds where none can says nothing.

use seedance_archiver_proto::status;

use crate::{oracle::Oracle, world::World};

/// The videos of a world.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Videos {
    /// Number of tasks that succeed.
    pub count: u64,
    /// Number of videos that an oracle can archive.
    pub savable: u64,
}

impl Videos {
    /// Counts the videos of a world.
    pub fn of(world: &World) -> Self {
        let tasks = 0..world.tasks.len();
        let succeeds = |task: &usize| world.tasks[*task].end == status::SUCCEEDED;
        let is_savable = |task: &usize| Oracle::new(world, *task).is_savable();
        Self {
            count: tasks.clone().filter(succeeds).count() as u64,
            savable: tasks.filter(is_savable).count() as u64,
        }
    }
}
