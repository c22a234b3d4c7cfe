//! Archivals from hosts with different dialects of HTTP, played by the simulator.

// Tests may panic.
#![allow(clippy::panic, clippy::unwrap_used)]

mod corrupt;
mod dialects;
mod fixture;
mod refusals;
