//! The fault suite: a real engine, real traffic, and everything that can go wrong on purpose, from outside zdt.
//!
//! Each case loses no request unless it says so, and ends with one version on all backends. A fixed sample runs with
//! the other tests; `cargo test --test faults -- --ignored` runs the full matrix and prints its figures.

mod common;

#[path = "faults/backends.rs"]
mod backends;
#[path = "faults/config.rs"]
mod config;
#[path = "faults/drains.rs"]
mod drains;
#[path = "faults/engines.rs"]
mod engines;
#[path = "faults/ground.rs"]
mod ground;
#[path = "faults/images.rs"]
mod images;
#[path = "faults/kills.rs"]
mod kills;
#[path = "faults/lanes.rs"]
mod lanes;
#[path = "faults/pairs.rs"]
mod pairs;
#[path = "faults/signals.rs"]
mod signals;
#[path = "faults/waits.rs"]
mod waits;
