//! Callbacks from Seedance: what comes in, and what it brings about.
//!
//! - [`routes`]: where they are sent to, and what is checked of them.
//! - [`Deliveries`]: what a callback brings about.

mod callbacks;
mod delivery;

pub use callbacks::routes;
pub use delivery::Deliveries;
