use seedance_archiver_proto::{service_tier, v1::VideoTask};

/// Frame rate of a task whose record does not say, in frames per second.
const DEFAULT_FRAME_RATE: i64 = 24;
/// Maximum length of a name, in bytes. Names are kept in the state of the watcher.
const MAX_NAME: usize = 100;

/// What the completion time of a task depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TaskKind {
    /// Model, with its version.
    pub model: String,
    /// Resolution, e.g. `720p`. Empty: not known.
    pub resolution: String,
    /// Length of the video in seconds. 0: not known.
    pub duration: u32,
    /// Service tier. Empty: `default`.
    pub service_tier: String,
}

impl TaskKind {
    /// Returns the kind of a task, by its record.
    pub fn of(task: &VideoTask) -> Self {
        Self::new(
            &task.model,
            &task.resolution,
            duration(task),
            &task.service_tier,
        )
    }

    /// Returns a kind whose names have at most the maximum length, and whose tier is empty for `default`.
    pub(super) fn new(model: &str, resolution: &str, duration: u32, tier: &str) -> Self {
        let tier = match tier {
            service_tier::DEFAULT => "",
            tier => tier,
        };
        Self {
            model: shorten(model),
            resolution: shorten(resolution),
            duration,
            service_tier: shorten(tier),
        }
    }

    /// Returns the kind as [`Self::of`] returns it.
    pub(super) fn normalized(&self) -> Self {
        Self::new(
            &self.model,
            &self.resolution,
            self.duration,
            &self.service_tier,
        )
    }

    /// Returns whether tasks of both kinds use the same model in the same tier.
    pub(super) fn has_model_of(&self, other: &Self) -> bool {
        self.model == other.model && self.service_tier == other.service_tier
    }
}

fn duration(task: &VideoTask) -> u32 {
    let seconds = task.duration.filter(|seconds| *seconds > 0);
    let seconds = seconds.or_else(|| {
        let frames = task.frames?.max(0);
        let rate = task.framespersecond.filter(|rate| *rate > 0);
        let rate = rate.unwrap_or(DEFAULT_FRAME_RATE);
        Some(frames / rate + i64::from(frames % rate >= rate - rate / 2))
    });
    u32::try_from(seconds.unwrap_or_default()).unwrap_or(u32::MAX)
}

fn shorten(name: &str) -> String {
    name[..name.floor_char_boundary(MAX_NAME)].to_owned()
}
