//! nginx workers by pid and title. A reload is live when there are new ones; a drain is over when the old ones are gone.

use std::time::Duration;

use crate::drivers::engine::{Engine, Process};
use crate::drivers::{Failure, FailureKind};
use crate::world::World;

/// nginx's own title of a worker (`src/os/unix/ngx_process_cycle.c`).
const WORKER: &str = "nginx: worker process";
/// What the title says while a worker finishes its last requests.
const LEAVING: &str = "is shutting down";

/// How often a worker's end is looked for where its pid is visible from here; reading `/proc` costs microseconds.
const LOOK_LOCAL: Duration = Duration::from_millis(10);
/// How often the engine is asked where it is not (it starts a `ps` for that: 15 ms).
const LOOK_ENGINE: Duration = Duration::from_millis(150);

/// Another machine's pid may by chance be an nginx worker of this one, so the engine is asked again now and then.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The workers of a container, at one moment.
pub fn workers(engine: &Engine, container: &str) -> Result<Vec<Process>, Failure> {
    let processes = engine.processes(container)?;
    Ok(processes
        .into_iter()
        .filter(|process| process.title.starts_with(WORKER))
        .collect())
}

pub fn leaving(worker: &Process) -> bool {
    worker.title.contains(LEAVING)
}

/// How a wait for old workers ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// All of them are gone; after so long.
    Gone(Duration),
    /// Some are still there.
    TimedOut {
        left: usize,
    },
    Interrupted,
    /// Something else is more urgent.
    CalledOff(Failure),
}

/// Waits until none of `old` is left and no worker of the container is leaving, whoever reloaded. `seen` are the workers
/// as somebody looked at them just now. `go_on` is asked about once a second, and its failure ends the wait.
pub fn wait_gone(
    world: &dyn World,
    engine: &Engine,
    container: &str,
    old: &[u32],
    seen: Vec<Process>,
    limit: Duration,
    go_on: &dyn Fn() -> Result<(), Failure>,
) -> Result<Wait, Failure> {
    let start = world.now();
    let mut left = of_before(seen, old);
    let mut checked = start;
    while !left.is_empty() {
        // A pid is only trusted from here when its title is the one the engine told.
        let local = left.iter().all(|worker| seen_here(world, worker));
        let pause = if local { LOOK_LOCAL } else { LOOK_ENGINE };
        let asked = world.now();
        loop {
            if world.now().saturating_sub(start) >= limit {
                return Ok(Wait::TimedOut { left: left.len() });
            }
            if !world.pause(pause) {
                return Ok(Wait::Interrupted);
            }
            let stale = world.now().saturating_sub(asked) >= ASK_AGAIN;
            if !local || stale || left.iter().any(|worker| !seen_here(world, worker)) {
                break;
            }
        }
        if world.now().saturating_sub(checked) >= ASK_AGAIN {
            checked = world.now();
            if let Err(failure) = go_on() {
                return Ok(Wait::CalledOff(failure));
            }
        }
        left = match remaining(engine, container, old) {
            Ok(left) => left,
            // An engine that is just restarting: the limit still rules.
            Err(failure) if failure.kind == FailureKind::Failed && world.now().saturating_sub(start) < limit => left,
            Err(failure) => return Err(failure),
        };
    }
    Ok(Wait::Gone(world.now().saturating_sub(start)))
}

fn seen_here(world: &dyn World, worker: &Process) -> bool {
    world.title(worker.pid).is_some_and(|title| title.starts_with(WORKER))
}

fn remaining(engine: &Engine, container: &str, old: &[u32]) -> Result<Vec<Process>, Failure> {
    Ok(of_before(workers(engine, container)?, old))
}

fn of_before(workers: Vec<Process>, old: &[u32]) -> Vec<Process> {
    let before = |worker: &Process| old.contains(&worker.pid) || leaving(worker);
    workers.into_iter().filter(before).collect()
}
