use super::{
    checking::Checking,
    comparison::{Comparison, Segment},
    part::Buffer,
    tail::Tail,
};

/// The bytes of an object that were received, by their digest and their end.
#[derive(Clone, Copy)]
pub(super) struct Received<'a> {
    /// The checks of the bytes before the part.
    pub(super) checks: &'a Checking,
    /// The end of the bytes before the part.
    pub(super) tail: &'a Tail,
    /// The part that is being filled.
    pub(super) part: &'a [Buffer],
}

impl Received<'_> {
    /// Returns the offset from which bytes are requested again, so that they can be compared. `offset`: the number of
    /// bytes that were received.
    pub(super) fn overlap_start(self, offset: u64) -> u64 {
        self.tail().start(offset)
    }

    /// Returns the comparison of a body that starts at `start`. Returns `None` if too few bytes there are known.
    pub(super) async fn comparison(self, start: u64, offset: u64) -> Option<Comparison> {
        match start {
            0 => {
                let checks = self.checks.finished().await;
                let checked = Segment::digest(checks.length(), &checks.sha256());
                let part = offset.checked_sub(checks.length())?;
                Some(Comparison::new(vec![checked, Segment::part(part)]))
            }
            start => self.tail().comparison(start, offset),
        }
    }

    /// Returns the end of all bytes.
    fn tail(self) -> Tail {
        let mut tail = self.tail.clone();
        tail.extend_all(self.part);
        tail
    }
}
