//! The real binary against a real engine: what every suite that wants that shares.
//!
//! [`Sandbox`] is an application of a test's own (project, port, folder); [`Traffic`] is its users; [`Shim`] stands
//! between zdt and its tools. Set-up runs once a test binary, and what is left over goes with its process, however that
//! ends.

// Each test binary compiles this folder for itself and uses a part of it.
#![allow(dead_code, unused_imports)]

mod facts;
mod golden;
mod run;
mod sandbox;
mod setup;
mod shim;
mod socket;
mod traffic;

pub use facts::Fact;
pub use golden::{golden, normal};
pub use run::{Run, Running};
pub use sandbox::{Builder, Compose, Engine, Sandbox, engine, free_port};
pub use setup::{Tools, repository, tools};
pub use shim::{Action, Shim};
pub use traffic::{Load, Traffic, get};

use std::time::{Duration, Instant};

/// Waits until `what` gives something; panics with `name` when it does not for two minutes.
pub fn await_fact<T>(name: &str, mut what: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(found) = what() {
            return found;
        }
        assert!(Instant::now() < limit, "it never came true: {name}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
