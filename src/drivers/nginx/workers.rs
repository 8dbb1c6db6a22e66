//! nginx workers by pid and title. A reload is live when there are new ones; a drain is over when the old ones are gone.

use std::time::Duration;

use super::Applied;
use crate::drivers::engine::{Container, Engine, Process};
use crate::drivers::{Failure, FailureKind};
use crate::world::World;

/// nginx's own title of a worker (`src/os/unix/ngx_process_cycle.c`).
const WORKER: &str = "nginx: worker process";
const MASTER: &str = "nginx: master process";
/// So often a fork is waited for.
const FORKS: usize = 20;
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
    Ok(processes.into_iter().filter(is_worker).collect())
}

fn is_worker(process: &Process) -> bool {
    process.title.starts_with(WORKER)
}

/// The same, not looked at in the middle of a fork: a worker of that moment still has the master's title.
pub fn whole(world: &dyn World, engine: &Engine, container: &Container) -> Result<Vec<Process>, Failure> {
    for _ in 0..FORKS {
        let all = engine.processes(container)?;
        let masters = all.iter().filter(|process| process.title.starts_with(MASTER));
        if masters.count() <= 1 {
            return Ok(all.into_iter().filter(is_worker).collect());
        }
        world.pause(Duration::from_millis(2));
    }
    workers(engine, container)
}

pub fn leaving(worker: &Process) -> bool {
    worker.title.contains(LEAVING)
}

/// Whether `seen`, after a reload, has more new workers than one reload makes where `before` was there.
pub fn more(before: &[Process], seen: &[Process]) -> bool {
    let known = |one: &Process| before.iter().any(|before| before.pid == one.pid);
    let new = seen.iter().filter(|one| !known(one) && !leaving(one)).count();
    new > before.iter().filter(|one| !leaving(one)).count()
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

/// Waits until no worker from before `reload` is left and none of the container is leaving, whoever reloaded. `go_on` is asked about once a second, and its failure ends the wait.
pub fn wait_gone(
    world: &dyn World,
    engine: &Engine,
    container: &Container,
    reload: &Applied,
    limit: Duration,
    go_on: &dyn Fn() -> Result<(), Failure>,
) -> Result<Wait, Failure> {
    let start = world.now();
    let since = |moment| world.now().saturating_sub(moment);
    let look = if engine.is_here(container) { HERE } else { THERE };
    let old = &reload.old_workers;
    let mut left = of_before(reload.seen.clone(), old);
    // A master tells its old workers to leave a tenth of a second after it has made the new ones.
    let least = if reload.more { SOON } else { Duration::ZERO };
    let mut asked = start;
    while !left.is_empty() || since(start) < least {
        if since(start) >= limit && !left.is_empty() {
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
        left = match engine.processes(container) {
            Ok(now) => of_before(now, old),
            // An engine that is just restarting: the limit still rules.
            Err(failure) if failure.kind == FailureKind::Failed && since(start) < limit => left,
            Err(failure) => return Err(failure),
        };
    }
    Ok(Wait::Gone(since(start)))
}

/// A worker whose title cannot be read at this moment is still there.
fn of_before(processes: Vec<Process>, old: &[u32]) -> Vec<Process> {
    let before = |one: &Process| match old.contains(&one.pid) {
        true => is_worker(one) || one.title.is_empty(),
        false => is_worker(one) && leaving(one),
    };
    processes.into_iter().filter(before).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes(all: &[(u32, &str)]) -> Vec<Process> {
        let process = |(pid, title): &(u32, &str)| Process {
            pid: *pid,
            title: title.to_string(),
        };
        all.iter().map(process).collect()
    }

    const GOING: &str = "nginx: worker process is shutting down";

    #[test]
    fn who_may_still_send_to_a_drained_backend() {
        let now = processes(&[
            (1, "nginx: master process nginx"),
            (2, WORKER),
            (3, ""),
            (4, WORKER),
            (5, GOING),
            (6, ""),
            (7, "nginx -s reload"),
        ]);
        let left: Vec<u32> = of_before(now, &[2, 3, 9]).iter().map(|one| one.pid).collect();
        // Known from before, also where its title cannot be read; and who leaves, whoever reloaded.
        assert_eq!(left, [2, 3, 5]);
    }

    #[test]
    fn a_second_reload_at_the_same_moment_shows_in_the_number_of_workers() {
        let before = processes(&[(2, WORKER), (3, WORKER), (4, GOING)]);
        let ours = processes(&[(2, WORKER), (3, GOING), (10, WORKER), (11, WORKER)]);
        assert!(!more(&before, &ours));
        let others_too = processes(&[(8, WORKER), (9, WORKER), (10, WORKER)]);
        assert!(more(&before, &others_too));
    }
}
