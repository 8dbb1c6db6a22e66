//! nginx workers by pid and title. A reload is live when there are new ones; a drain is over when the old ones are gone.

use std::collections::BTreeMap;
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

/// Workers of one reload are made within milliseconds. Where their ages come from the engine, those are whole seconds.
pub fn one_reload(here: bool) -> Duration {
    match here {
        true => Duration::from_millis(100),
        false => Duration::from_secs(1),
    }
}

/// A worker from before a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Old {
    pub pid: u32,
    /// How long it had been leaving when the master was told of this reload; none where this one told it to leave.
    pub leaving_for: Duration,
}

/// The workers of `before`, given how long each process has been there, and how far ages of one reload may lie apart. One that was leaving already was told so when
/// the next younger ones were made.
pub fn old(before: &[Process], ages: &BTreeMap<u32, Duration>, apart: Duration) -> Vec<Old> {
    let age = |one: &Process| ages.get(&one.pid).copied();
    let made_after = |than: Duration| {
        let ages = before.iter().filter_map(age);
        ages.filter(move |age| *age + apart < than)
    };
    let leaving_for = |one: &Process| match age(one) {
        Some(own) if leaving(one) => made_after(own).max().unwrap_or_default(),
        _ => Duration::ZERO,
    };
    let old = |one: &Process| Old {
        pid: one.pid,
        leaving_for: leaving_for(one),
    };
    before.iter().map(old).collect()
}

/// How a wait for old workers ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// All of them are gone.
    Gone {
        took: Duration,
        /// So many went when nginx's own limit for leaving had passed, and lost the requests they had.
        cut: usize,
    },
    /// Some are still there.
    TimedOut {
        left: usize,
        /// They are all of later reloads, which somebody else made.
        of_others: bool,
    },
    Interrupted,
    /// Something else is more urgent.
    CalledOff(Failure),
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The wait itself.
    pub wait: Duration,
    /// nginx's own, for a worker that leaves (`worker_shutdown_timeout`).
    pub leaving: Option<Duration>,
}

/// The old workers that are still there, as of the last look.
struct Left<'r> {
    reload: &'r Applied,
    limit: Option<Duration>,
    /// Since when each of them is known to leave, and for how long it had been leaving then.
    there: BTreeMap<u32, (Duration, Duration)>,
    cut: usize,
}

impl<'r> Left<'r> {
    /// As the proof of the reload saw them.
    fn of(reload: &'r Applied, limit: Option<Duration>, now: Duration) -> Self {
        let old = reload.old_workers.iter();
        let mut left = Self {
            reload,
            limit,
            there: old.map(|one| (one.pid, (reload.told, one.leaving_for))).collect(),
            cut: 0,
        };
        left.see(reload.seen.clone(), now);
        left
    }

    fn see(&mut self, processes: Vec<Process>, now: Duration) {
        let left = of_before(processes, &self.reload.old_workers);
        let is_left = |pid: &u32| left.iter().any(|one| one.pid == *pid);
        let was_cut = |(at, before): &(Duration, Duration)| {
            self.limit
                .is_some_and(|limit| *before + now.saturating_sub(*at) >= limit)
        };
        let gone = self.there.iter().filter(|(pid, _)| !is_left(pid));
        self.cut += gone.filter(|(_, since)| was_cut(since)).count();
        let known = std::mem::take(&mut self.there);
        let since = |pid: u32| known.get(&pid).copied().unwrap_or((now, Duration::ZERO));
        self.there = left.iter().map(|one| (one.pid, since(one.pid))).collect();
    }

    fn of_others(&self) -> bool {
        let ours = |pid: &u32| self.reload.old_workers.iter().any(|old| old.pid == *pid);
        !self.there.is_empty() && !self.there.keys().any(ours)
    }
}

/// Waits until no worker from before `reload` is left and none of the container is leaving, whoever reloaded. `go_on` is
/// asked about once a second, and its failure ends the wait.
pub fn wait_gone(
    world: &dyn World,
    engine: &Engine,
    container: &Container,
    reload: &Applied,
    limits: Limits,
    go_on: &dyn Fn() -> Result<(), Failure>,
) -> Result<Wait, Failure> {
    let start = world.now();
    let since = |moment| world.now().saturating_sub(moment);
    let look = if engine.is_here(container) { HERE } else { THERE };
    let mut left = Left::of(reload, limits.leaving, start);
    // A master tells its old workers to leave a tenth of a second after it has made the new ones.
    let least = if reload.more { SOON } else { Duration::ZERO };
    let mut asked = start;
    while !left.there.is_empty() || since(start) < least {
        if since(start) >= limits.wait && !left.there.is_empty() {
            return Ok(Wait::TimedOut {
                left: left.there.len(),
                of_others: left.of_others(),
            });
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
        match engine.processes(container) {
            Ok(processes) => left.see(processes, world.now()),
            // An engine that is just restarting, a proxy that is: the limit still rules.
            Err(failure) if failure.kind == FailureKind::Failed && since(start) < limits.wait => {}
            Err(failure) => return Ok(Wait::CalledOff(failure)),
        }
    }
    Ok(Wait::Gone {
        took: since(start),
        cut: left.cut,
    })
}

/// A worker whose title cannot be read at this moment is still there.
fn of_before(processes: Vec<Process>, old: &[Old]) -> Vec<Process> {
    let before = |one: &Process| match old.iter().any(|old| old.pid == one.pid) {
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
        let told = |pid| Old {
            pid,
            leaving_for: Duration::ZERO,
        };
        let left = of_before(now, &[2, 3, 9].map(told));
        let left: Vec<u32> = left.iter().map(|one| one.pid).collect();
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

    /// One that somebody else's reload, or a drain that had timed out, told to leave long ago is cut long before one that
    /// this reload told.
    #[test]
    fn what_nginx_cuts_is_counted_for_each_worker() {
        let second = Duration::from_secs;
        let before = processes(&[(2, GOING), (9, GOING), (3, GOING), (4, WORKER), (8, WORKER)]);
        // Two of a reload differ by what it takes to look at both.
        let moment = Duration::from_micros(20);
        let ages = BTreeMap::from([
            (2, second(900)),
            (9, second(900) + moment),
            (3, second(70)),
            (4, second(50)),
            (8, second(50) + moment),
        ]);
        let mut old_workers = old(&before, &ages, one_reload(true));
        let leaving_for: Vec<u64> = old_workers.iter().map(|one| one.leaving_for.as_secs()).collect();
        assert_eq!(leaving_for, [70, 70, 50, 0, 0]);
        old_workers.retain(|one| ![8, 9].contains(&one.pid));
        let reload = Applied {
            old_workers,
            seen: processes(&[(2, GOING), (3, GOING), (4, WORKER), (5, WORKER)]),
            more: false,
            told: second(1000),
            took: Duration::ZERO,
        };
        let mut left = Left::of(&reload, Some(second(90)), second(1000));
        // At 90 s of its own, the first; the second a moment before that; the third at its leisure.
        left.see(processes(&[(3, GOING), (4, GOING), (5, WORKER)]), second(1021));
        assert_eq!(left.cut, 1);
        left.see(processes(&[(4, GOING), (5, WORKER)]), second(1039));
        left.see(processes(&[(5, GOING), (6, WORKER)]), second(1060));
        assert_eq!((left.cut, left.of_others()), (1, true));
        // Told by a reload that came later, seen for less than that.
        left.see(processes(&[(6, WORKER)]), second(1149));
        assert_eq!((left.cut, left.there.len()), (1, 0));
    }
}
