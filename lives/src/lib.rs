//! Whole lives of tasks in virtual time.
//!
//! A [`World`] is generated from a seed: an account with its tasks, the dialect of its service, and everything that fails,
//! and when. [`live`] lets the archiver live in it: the decisions of `seedance-archiver-policy` and the decoder of
//! `seedance-archiver-seedance`, glued as the activities and workflows glue them. The oracle knows the world in advance, so
//! that [`violations`] can say which videos should have been archived, and what should not have happened.
//!
//! The glue is written a second time here, because that of the worker needs Temporal, the network and a clock. Each file
//! names the function for which it stands. [`Mutation`] are errors in it, each of which must be found.

mod learned;
mod log;
mod mutation;
mod oracle;
mod properties;
mod random;
mod rate_limit;
mod service;
mod system;
mod time;
mod videos;
mod world;

pub use log::Life;
pub use mutation::Mutation;
pub use properties::violations;
pub use videos::Videos;
pub use world::World;

/// Lives in a world until all lifecycles have ended, with an error in the glue or without one.
pub fn live(world: &World, mutation: Option<Mutation>) -> Life {
    system::System::new(world, mutation).run()
}
