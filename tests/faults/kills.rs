//! `kill -9` of zdt at every call it makes, in the middle of that call and right after it: every boundary between two
//! steps and every place inside of one. Then `resume` finishes what was begun, or `rollback` undoes it.

use std::path::Path;

use crate::common::{Action, Shim};
use crate::ground::{Ground, USUAL, journal, journals, serves, settled};
use crate::lanes::{Case, Done, Fault, at_every_call, other};

/// What is typed after the kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Resume,
    Rollback,
}

/// How zdt dies at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kill {
    /// The program goes on as an orphan.
    During,
    /// The program has ended, and zdt does not hear of it.
    After,
}

impl Kill {
    fn action(self) -> Action {
        match self {
            Kill::During => Action::kill_zdt_during(),
            Kill::After => Action::kill_zdt_after(),
        }
    }
}

/// One upgrade from `old` to `new` that is killed by the shim, and what is typed then. Gives the version that serves
/// in the end, and whether zdt died at all.
fn killed(ground: &Ground, recipe: &Path, shim: &Shim, (old, new): (&str, &str), then: Then) -> (String, bool) {
    let before = journals(&ground.sandbox);
    let run = ground.start_behind(shim, recipe, new).wait();
    if run.code.is_some() {
        run.ok();
        settled(&ground.sandbox, new);
        return (new.to_string(), false);
    }
    let last = journal(&ground.sandbox).pop().expect("there is a journal");
    let version = match then {
        // Before its journal began, or after that had ended.
        _ if last["record"] == "finish" => {
            ground.project("resume").ok().says("no unfinished run");
            let version = if journals(&ground.sandbox) == before { old } else { new };
            serves(&ground.sandbox, version);
            return (version.to_string(), true);
        }
        Then::Resume => {
            wait_and(ground, "resume");
            new
        }
        Then::Rollback => {
            wait_and(ground, "rollback");
            old
        }
    };
    settled(&ground.sandbox, version);
    (version.to_string(), true)
}

/// An orphan may still hold the lock: it is waited for, as a person would.
fn wait_and(ground: &Ground, verb: &str) {
    ground
        .sandbox
        .plain(&[verb, "--dir", &ground.dir(), "--lock-wait", "60s"])
        .ok();
}

/// Where it hurts most: while nginx reloads, while compose replaces a container, after it did, at the last reload.
#[test]
fn at_the_worst_moments() {
    let ground = Ground::new("kills");
    let recipe = ground.recipe(&USUAL);
    let moments = [
        ("docker\\ exec*reload", 1, Kill::During, Then::Rollback),
        ("docker-compose*up*", 1, Kill::During, Then::Resume),
        ("docker-compose*up*", 2, Kill::During, Then::Rollback),
        ("docker\\ exec*reload", 4, Kill::After, Then::Resume),
    ];
    let mut old = String::from("0.0.1");
    for (pattern, n, kill, then) in moments {
        let shim = Shim::new(&ground.sandbox).on(pattern, n, kill.action());
        let (now, died) = killed(&ground, &recipe, &shim, (&old, other(&old)), then);
        assert!(died, "it was not killed at `{pattern}`, call {n}");
        ground.nothing_lost(&format!("{kill:?} call {n} of `{pattern}`, {then:?}"));
        old = now;
    }
    ground.ends(&old);
}

#[test]
#[ignore = "full matrix"]
fn at_every_call_one_of_them() {
    let during = |shim: Shim, n| shim.at(n, Kill::During.action());
    let after = |shim: Shim, n| shim.at(n, Kill::After.action());
    // Each half of the calls is resumed after one kind of death and rolled back after the other.
    let half = |n: usize| {
        if (n / 3).is_multiple_of(2) {
            Then::Resume
        } else {
            Then::Rollback
        }
    };
    let turned = |n: usize| {
        if (n / 3).is_multiple_of(2) {
            Then::Rollback
        } else {
            Then::Resume
        }
    };
    let first = |case: &Case| one(case, half(case.n));
    let second = |case: &Case| one(case, turned(case.n));
    let fault = |name, shim, case| Fault { name, shim, case };
    at_every_call(
        "kills",
        &[
            fault("killed during", &during, &first),
            fault("killed after", &after, &second),
        ],
    );
}

fn one(case: &Case, then: Then) -> Done {
    let (version, happened) = killed(case.ground, case.recipe, case.shim, (case.old, case.new), then);
    Done { version, happened }
}

/// What zdt and its programs say to the engine between two of these deaths.
const WORDS: usize = 8;

/// Between the calls as well: at every eighth thing that zdt, or a program it has started, says to the engine. Looks are
/// among them, so that this falls before, between and behind a step's own work.
#[test]
#[ignore = "full matrix"]
fn at_every_eighth_word_to_the_engine() {
    both_ways("words", &|shim, n| shim.kill_zdt_at_word(n * WORDS));
}

/// Each death is followed by a resume, and then once more by a rollback.
fn both_ways(name: &str, shim: &(dyn Fn(Shim, usize) -> Shim + Sync)) {
    let resume = |case: &Case| one(case, Then::Resume);
    let rollback = |case: &Case| one(case, Then::Rollback);
    let fault = |name, case| Fault { name, shim, case };
    at_every_call(
        name,
        &[
            fault("killed, then resume", &resume),
            fault("killed, then rollback", &rollback),
        ],
    );
}

/// What changes something; all other calls only look.
const CHANGES: &str =
    "docker\\ exec*reload|docker\\ tag*|docker\\ cp*|docker\\ pull*|docker\\ rmi*|docker-compose*\\ up\\ *";

/// What zdt has written is there, and what was to follow never happens: a file without its reload.
#[test]
#[ignore = "full matrix"]
fn before_every_change() {
    both_ways("changes", &|shim, n| shim.on(CHANGES, n, Action::kill_zdt_before()));
}
