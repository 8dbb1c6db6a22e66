//! The real world, with `sh`, `sleep`, a folder of its own and small servers on this machine.

#[path = "real/api.rs"]
mod api;
#[path = "real/files.rs"]
mod files;
#[path = "real/net.rs"]
mod net;
#[path = "real/processes.rs"]
mod processes;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};
use zdt::world::real::Real;
use zdt::world::{
    Clock, Command, FileKind, Files, HttpRequest, Interrupt, Net, NetError, ProcessError, Processes, Signals, Status,
};

const LONG: Duration = Duration::from_secs(60);

fn sh(script: &str) -> Command<'static> {
    Command::new("sh", ["-c", script])
}

/// Polls for what other processes bring about in their own time.
fn wait_until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < LONG, "not within a minute");
        thread::sleep(Duration::from_millis(5));
    }
}
