//! nginx workers by pid and title. A reload is live when there are new ones; a drain is over when the old ones are gone.

use std::time::Duration;

use crate::drivers::engine::{Container, Engine, Process};
use crate::drivers::{Failure, FailureKind};
use crate::world::World;

/// nginx's own title of a worker (`src/os/unix/ngx_process_cycle.c`).
const WORKER: &str = "nginx: worker process";
/// What the title says while a worker finishes its last requests.
const LEAVING: &str = "is shutting down";

/// How often a worker's end is looked for: at first, when most of them end (a tenth of a second after the reload), and
/// from [`SOON`] on.
struct Look {
    soon: Duration,
    later: Duration,
}

/// Where they are processes of this machine; a look costs a tenth of a millisecond.
const HERE: Look = Look {
    soon: Duration::from_millis(10),
    later: Duration::from_millis(50),
};
/// Where the engine must be asked; a look costs 15 ms.
const THERE: Look = Look {
    soon: Duration::from_millis(25),
    later: Duration::from_millis(150),
};
const SOON: Duration = Duration::from_millis(500);

/// How often the caller is asked whether to go on.
const GO_ON: Duration = Duration::from_secs(1);

/// The workers of a container, at one moment.
pub fn workers(engine: &Engine, container: &Container) -> Result<Vec<Process>, Failure> {
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
    container: &Container,
    old: &[u32],
    seen: Vec<Process>,
    limit: Duration,
    go_on: &dyn Fn() -> Result<(), Failure>,
) -> Result<Wait, Failure> {
    let start = world.now();
    let since = |moment| world.now().saturating_sub(moment);
    let look = if engine.is_here(container) { HERE } else { THERE };
    let mut left = of_before(seen, old);
    let mut asked = start;
    while !left.is_empty() {
        if since(start) >= limit {
            return Ok(Wait::TimedOut { left: left.len() });
        }
        let pause = if since(start) < SOON { look.soon } else { look.later };
        if !world.pause(pause) {
            return Ok(Wait::Interrupted);
        }
        if since(asked) >= GO_ON {
            asked = world.now();
            if let Err(failure) = go_on() {
                return Ok(Wait::CalledOff(failure));
            }
        }
        left = match workers(engine, container) {
            Ok(now) => of_before(now, old),
            // An engine that is just restarting: the limit still rules.
            Err(failure) if failure.kind == FailureKind::Failed && since(start) < limit => left,
            Err(failure) => return Err(failure),
        };
    }
    Ok(Wait::Gone(since(start)))
}

fn of_before(workers: Vec<Process>, old: &[u32]) -> Vec<Process> {
    let before = |worker: &Process| old.contains(&worker.pid) || leaving(worker);
    workers.into_iter().filter(before).collect()
}
