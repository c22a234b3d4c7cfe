use super::{
    comparison::{Comparison, Segment},
    tail::Tail,
};
use crate::checks::RunningChecks;

/// The bytes of an object that were received, by their digest and their end.
#[derive(Clone, Copy)]
pub(super) struct Received<'a> {
    pub(super) checks: &'a RunningChecks<'a>,
    pub(super) tail: &'a Tail,
}

impl Received<'_> {
    /// Returns the offset from which bytes are requested again, so that they can be compared.
    pub(super) fn overlap_start(self) -> u64 {
        self.tail.start(self.checks.length())
    }

    /// Returns the comparison of a body that starts at `start`. Returns `None` if too few bytes there are known.
    pub(super) fn comparison(self, start: u64) -> Option<Comparison> {
        let length = self.checks.length();
        match start {
            0 => {
                let all = Segment::digest(length, &self.checks.sha256());
                Some(Comparison::new(vec![all]))
            }
            start => self.tail.comparison(start, length),
        }
    }
}
